"""What one test or window said, as a row that people read; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netmon.line_verdict import Statement, Worth, method_text
from netmon.model import FailureReason
from netmon.texts import Texts

# A tick so late, or a host that takes so much, is worth a word (docs/dev/uplink.md).
_LATE_S = 0.025
_STEAL_RATIO = 0.08
_UNIT = " Mbit/s"


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A statement in words; a text is empty where nothing is known.

    ``failure`` is None unless there is no number.
    """

    at_ms: int
    direction: str
    method: str
    version: str
    result: str
    failure: FailureReason | None
    cross: str
    round_trips: str
    basis: str
    purpose: str
    probe: str
    generated: bool


def statement_row(statement: Statement, texts: Texts) -> StatementRow:
    """Return a statement as a row of the building page."""
    return StatementRow(
        at_ms=statement.at_ms,
        direction=_word("direction", statement.direction, texts),
        method=method_text(statement.method, texts),
        version=statement.method,
        result=_result(statement, texts),
        failure=statement.failure,
        cross=_cross(statement, texts),
        round_trips=_round_trips(statement, texts),
        basis=_word("basis", statement.basis, texts),
        purpose=_word("purpose", statement.purpose, texts),
        probe=probe_words(statement.values, texts),
        generated=statement.generated,
    )


def parameters(tags: Mapping[str, str], texts: Texts) -> str:
    """Return how a series measures, less its method: direction, basis, segment."""
    segment = tags.get("segment", "")
    key = f"path.segment.{segment}"
    words = [texts(key) if texts.has(key) else segment] if segment else []
    words += [
        _word(group, tags[group], texts)
        for group in ("direction", "basis", "congestion", "purpose")
        if group in tags
    ]
    return ", ".join(words)


def _word(group: str, name: str, texts: Texts) -> str:
    """Return a tag in words, as it is where the catalogue has none."""
    key = f"verdict.{group}.{name}"
    return texts(key) if name and texts.has(key) else name


def _result(statement: Statement, texts: Texts) -> str:
    values = statement.values
    rates = {name: texts.rate(x) for name, x in values.items() if name.endswith("_bps")}
    # The ends of an interval share its unit.
    for end in ("low", "high"):
        if (rate_bps := values.get(f"rate_{end}_bps")) is not None:
            rates[end] = texts.rate(rate_bps).removesuffix(_UNIT)
    worth: str = statement.worth
    if statement.failure is not None:
        return texts(f"failure.{statement.failure}")
    if statement.worth is Worth.CAPACITY and "rate_low_bps" not in values:
        worth = "measured"
    if statement.worth is Worth.AT_LEAST and "threshold_bps" in values:
        worth = "at_least_of"
    return texts(f"site.statement.{worth}", **rates)


def _cross(statement: Statement, texts: Texts) -> str:
    """Return what others moved; in a passive window that is all there was."""
    values = statement.values
    cross_bps = values.get("cross_bps", values.get("demand_bps"))
    return "" if cross_bps is None else texts.rate(cross_bps)


def _round_trips(statement: Statement, texts: Texts) -> str:
    idle_s, loaded_s = (
        statement.values.get(name) for name in ("rtt_idle_s", "rtt_loaded_s")
    )
    if idle_s is None and loaded_s is None:
        return ""
    return f"{texts.milliseconds(idle_s)} / {texts.milliseconds(loaded_s)}"


def probe_words(values: Mapping[str, float | None], texts: Texts) -> str:
    """Return how well the probe itself was: what was wrong, or that nothing was."""
    late_s, steal = values.get("probe_late_s"), values.get("cpu_steal_ratio")
    port_bps = values.get("port_speed_bps")
    found = []
    if late_s is not None and late_s >= _LATE_S:
        found.append(texts("site.statement.late", late=texts.milliseconds(late_s)))
    if steal is not None and steal >= _STEAL_RATIO:
        found.append(texts("site.statement.steal", share=texts.percent(steal, 0)))
    if not found and (late_s is not None or steal is not None):
        found.append(texts("site.statement.probe_fine"))
    if port_bps is not None:
        found.append(texts("site.statement.port", rate=texts.rate(port_bps)))
    return ", ".join(found)
