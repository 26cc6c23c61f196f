"""Findings about the medium in words, and one sentence for the whole line."""

from __future__ import annotations

from netmon.medium.judge import Finding, MediumHealth, MediumState
from netmon.texts import Texts
from netmon.units import to_mbits


def sentence(finding: Finding, texts: Texts) -> str:
    """Return a finding in words."""
    text = texts(f"medium.finding.{finding.code}", **_written(finding, texts))
    return f"{finding.where}: {text}" if finding.where else text


def _reason(finding: Finding, texts: Texts) -> str:
    """Return a finding as the reason of something, shorter where there is such."""
    key = f"medium.reason.{finding.code}"
    if not texts.has(key):
        return sentence(finding, texts)
    return texts(key, **_written(finding, texts))


def _written(finding: Finding, texts: Texts) -> dict[str, str]:
    return {name: _number(name, x, texts) for name, x in finding.numbers.items()}


def _number(name: str, value: float, texts: Texts) -> str:
    unit = name.rpartition("_")[2]
    if unit == "bps":
        return mbits(value, texts)
    if unit == "qam":
        return _modulation(value)
    return texts.number(value, 0 if unit in {"count", "total"} else 1)


def value_text(name: str, value: float, texts: Texts) -> str:
    """Return a metric of the medium as a person reads it, with its unit."""
    if name == "up":
        return texts("medium.up" if value else "medium.down")
    unit = name.rpartition("_")[2]
    if unit == "bps":
        return texts.rate(value)
    if unit == "ratio":
        return texts.percent(value, 0)
    if unit in {"db", "dbm"}:
        return f"{texts.number(value, 1)} {'dB' if unit == 'db' else 'dBm'}"
    return _number(name, value, texts)


def _modulation(points: float) -> str:
    known = {2: "BPSK", 4: "QPSK"}
    return known.get(round(points), f"{points:.0f}-QAM")


def mbits(rate_bps: float, texts: Texts) -> str:
    """Return a rate as a bare number of Mbit/s; one decimal below 10."""
    rate = to_mbits(rate_bps)
    return texts.number(rate, 0 if rate >= 9.95 else 1)


# From this share of the line on, what others move is what makes it slow.
FULL_SHARE = 0.8


def explain_line(
    measured_bps: float | None,
    expected_bps: float,
    contracted_bps: float,
    medium: MediumHealth | None,
    texts: Texts,
    *,
    used_ratio: float | None = None,
) -> str:
    """Return one sentence that joins what was measured and how the medium is.

    ``measured_bps`` is what the line carried; None: not measured. ``used_ratio``
    is the share of it that others used meanwhile; None where nobody counted.
    """
    medium = medium or MediumHealth(MediumState.UNKNOWN)
    told = {
        "measured": "" if measured_bps is None else mbits(measured_bps, texts),
        "contracted": mbits(contracted_bps, texts),
        "reason": _reason(medium.findings[0], texts) if medium.findings else "",
    }
    state = "finding" if medium.findings else str(medium.state)
    if measured_bps is None:
        return texts(f"medium.line.unmeasured_{state}", **told)
    if measured_bps < expected_bps:
        return texts(f"medium.line.below_{state}", **told)
    if medium.findings:
        return texts("medium.line.fine_finding", **told)
    full = used_ratio is not None and used_ratio >= FULL_SHARE
    return texts("medium.line.fine_full" if full else "medium.line.fine", **told)
