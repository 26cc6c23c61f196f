"""Findings about the medium in words."""

from __future__ import annotations

from math import floor

from netmon.medium.judge import Finding
from netmon.texts import Texts
from netmon.units import to_mbits


def sentence(finding: Finding, texts: Texts) -> str:
    """Return a finding in words."""
    text = texts(f"medium.finding.{finding.code}", **_written(finding, texts))
    return f"{finding.where}: {text}" if finding.where else text


def short_sentence(finding: Finding, texts: Texts) -> str:
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
    """Return a rate as a bare number of Mbit/s; one decimal below 10.

    What is below 100 is never written as 100: that is the city's target.
    """
    rate = to_mbits(rate_bps)
    if 99.5 <= rate < 100:
        return texts.number(floor(rate * 10) / 10, 1)
    return texts.number(rate, 0 if rate >= 9.95 else 1)
