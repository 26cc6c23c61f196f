"""Lines, what was measured on them, and what is said of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from netmon.line_verdict import LineAlarms, VerdictClass, gather_facts, judge_line, tell
from netmon.medium import Finding, MediumHealth, MediumState
from netmon.model import FailureReason, Line, LineRole, Technology
from netmon.path import Fault, Segment
from netmon.path import Verdict as PathVerdict
from netmon.storage.records import AlarmState, Latest, SeriesRef
from netmon.texts import Texts

DE, EN = Texts("de"), Texts("en")
NOW_MS = 1_790_000_000_000
MINUTE, HOUR = 60.0, 3600.0
FULL, SHORT, PASSIVE = "tcp-adaptive/2", "tcp-floor/2", "passive/1"

FELL = Finding(
    "dsl_rate_fell", MediumState.CRITICAL, {"rate_bps": 67e6, "typical_bps": 109e6}
)

QAM = Finding(
    "radio_modulation_low",
    MediumState.CRITICAL,
    {"modulation_qam": 16, "typical_qam": 256},
)
DOWN = Finding("dsl_down", MediumState.CRITICAL)
RESYNCS = Finding("dsl_resyncs", MediumState.WARN, {"resyncs_count": 2.0})
FINE = MediumHealth(MediumState.OK)

OK, BAD, SUSPECT, STALE = (
    LineAlarms(below_target=state, no_data=AlarmState.OK)
    for state in (AlarmState.OK, AlarmState.BAD, AlarmState.SUSPECT, AlarmState.STALE)
)
SILENT = LineAlarms(below_target=AlarmState.STALE, no_data=AlarmState.BAD)


def line(down_mbits: float = 100, technology: Technology = Technology.VDSL) -> Line:
    return Line(
        id="b1-main",
        building_id="b1",
        role=LineRole.MAIN,
        technology=technology,
        contracted_down_bps=round(down_mbits * 1e6),
        contracted_up_bps=40_000_000,
        provider="DOKOM21",
    )


_ids = itertools.count(1)


def record(
    age_s: float,
    said: Mapping[str, float] | FailureReason,
    kind: str = "throughput",
    **tags: str,
) -> Latest:
    """Return what a series of its own remembers; rates are in Mbit/s."""
    failed = isinstance(said, FailureReason)
    at_ms = NOW_MS - round(age_s * 1000)
    values = {} if isinstance(said, FailureReason) else _bits(said)
    return Latest(
        series=SeriesRef(
            id=next(_ids),
            source="probe",
            generated=False,
            kind=kind,
            building_id="b1",
            tags={"building": "b1", "line": "b1-main", **tags},
        ),
        ts_ms=at_ms,
        received_ms=at_ms,
        failure=said if isinstance(said, FailureReason) else None,
        ok_ts_ms=None if failed else at_ms,
        values=values,
        info={},
    )


def _bits(said: Mapping[str, float]) -> dict[str, float | None]:
    return {
        name: value * 1e6 if name.endswith("_bps") else value
        for name, value in said.items()
    }


def full(age_s: float, rate: float, **more: float) -> Latest:
    said = {
        "rate_down_bps": rate,
        "rate_down_low_bps": rate - 1,
        "rate_down_high_bps": rate + 1,
        "capacity_down_bps": rate * 1.036,
    }
    tags = {"method": FULL, "direction": "down", "basis": "router"}
    return record(age_s, said | more, **tags)


def floor(age_s: float, rate: float, **more: float) -> Latest:
    tags = {"method": SHORT, "direction": "down", "basis": "router"}
    return record(age_s, {"at_least_down_bps": rate} | more, **tags)


def passive(age_s: float, **said: float) -> Latest:
    return record(age_s, said, method=PASSIVE, direction="down", basis="router")


def failing(age_s: float, reason: FailureReason, **tags: str) -> Latest:
    return record(age_s, reason, **{"method": FULL, "direction": "down", **tags})


def age(ms: int) -> str:
    return f"vor {(NOW_MS - ms) // 60_000} Min."


def judged(
    alarms: LineAlarms,
    *latest: Latest,
    medium: MediumHealth | None = None,
    of: Line | None = None,
    blamed: PathVerdict | None = None,
    **options: Any,
) -> tuple[VerdictClass, str, tuple[str, ...]]:
    """Return the verdict with its words."""
    of = of or line()
    facts = gather_facts(of, latest, NOW_MS, blamed=blamed)
    verdict = judge_line(of, alarms, facts, medium, NOW_MS, **options)
    assert tell(verdict, EN, age) != tell(verdict, DE, age)
    told = tell(verdict, DE, age)
    return verdict.verdict, told.headline, told.sentences


def bad(*findings: Finding) -> MediumHealth:
    return MediumHealth(findings[0].state, findings)


LOSS = PathVerdict(Segment.PROVIDER, Fault.LOSS, Segment.GATEWAY)
SLOW = PathVerdict(Segment.PROVIDER, Fault.SLOW)
OPTICS = record(MINUTE, {"rx_dbm": -12.3}, "line_optics", device="rt1", port="25")
RADIO = Technology.RADIO
