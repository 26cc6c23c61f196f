"""A line with its verdict: that of `netmon.line_verdict` on what the alerts stored.

No threshold lives here. An OK whose newest statement is older than the alerts' own
``no_data_after_s`` is not shown as green.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from dashboards.facts import (
    LINE_DOWN_RULE,
    LINE_RULE,
    NO_DATA_RULE,
    Facts,
    Moment,
    newest,
    newest_failure,
)
from dashboards.views import NO_READING, LineView, Reading, Verdict
from netmon.line_verdict import (
    LineAlarms,
    Statement,
    VerdictClass,
    gather_facts,
    judge_line,
)
from netmon.metrics import MEDIUM_KINDS
from netmon.model import Line
from netmon.storage.records import AlarmState, StateRow

_SILENT = (AlarmState.BAD, AlarmState.STALE)

# How a verdict on a line looks among those of other things.
LOOKS: Mapping[VerdictClass, Verdict] = {
    VerdictClass.IN_ORDER: Verdict.OK,
    VerdictClass.BELOW_TARGET: Verdict.BAD,
    VerdictClass.SATURATED: Verdict.SATURATED,
    VerdictClass.BELOW_BY_CONTRACT: Verdict.BELOW_CONTRACT,
    VerdictClass.NOT_MEASURED: Verdict.STALE,
    VerdictClass.PROBE_LIMITED: Verdict.PROBE_LIMITED,
    VerdictClass.SUSPECT: Verdict.SUSPECT,
    VerdictClass.UNKNOWN: Verdict.UNKNOWN,
}


def _alarms(
    rule: StateRow | None, no_data: StateRow | None, down: StateRow | None
) -> LineAlarms:
    return LineAlarms(
        below_target=None if rule is None else rule.state,
        no_data=None if no_data is None else no_data.state,
        line_down=None if down is None else down.state,
        incident_open=rule is not None and rule.incident_id is not None,
    )


# Verdicts that are a state of the rule, and so have a beginning.
_STATES = {
    Verdict.BAD: AlarmState.BAD,
    Verdict.SUSPECT: AlarmState.SUSPECT,
    Verdict.STALE: AlarmState.STALE,
    Verdict.UNKNOWN: AlarmState.UNKNOWN,
    Verdict.BELOW_CONTRACT: AlarmState.OK,
    Verdict.OK: AlarmState.OK,
}


def _since_ms(
    verdict: Verdict, rule: StateRow | None, *silence: StateRow | None
) -> int | None:
    """Return since when a line is so; None where no rule has a state for it."""
    if verdict is Verdict.STALE:
        silent = (row for row in silence if row is not None and row.state in _SILENT)
        if (row := next(silent, None)) is not None:
            return row.since_ms
    if rule is None or rule.state is not _STATES.get(verdict):
        return None
    return rule.since_ms


def _said(statement: Statement | None, moment: Moment) -> Reading:
    """Return the rate or lower bound of a statement."""
    if statement is None:
        return NO_READING
    return Reading(
        value=statement.shown_bps,
        at_ms=statement.at_ms,
        stale=moment.is_stale("throughput", statement.at_ms),
        generated=statement.generated,
    )


def rules_of(line: Line, facts: Facts) -> tuple[StateRow | None, ...]:
    """Return what the rules hold of a line: target, silence, outage."""
    target = f"line:{line.id}"
    rules = (LINE_RULE, NO_DATA_RULE, LINE_DOWN_RULE)
    return tuple([facts.states.get((rule, target)) for rule in rules])


def line_view(line: Line, facts: Facts, moment: Moment) -> LineView:
    """Return a line with its newest values and its verdict."""
    rule, no_data, down = rules_of(line, facts)
    kinds = facts.by_line.get(line.id, {})
    latency = kinds.get("latency", ())
    measured = gather_facts(
        line,
        chain.from_iterable(kinds.values()),
        moment.now_ms,
        facts.recorded.get(line.id, ()),
        facts.blamed.get(line.id),
    )
    judged = judge_line(
        line,
        _alarms(rule, no_data, down),
        measured,
        facts.media.get(line.id),
        moment.now_ms,
        valid_s=moment.no_data_after_s,
    )
    verdict = LOOKS[judged.verdict]
    failed, echoes = measured.failed, newest_failure(latency)
    return LineView(
        line=line,
        verdict=verdict,
        since_ms=_since_ms(verdict, rule, down, no_data),
        watched=rule is not None
        or no_data is not None
        # What its modem tells is no measurement of the line.
        or bool(kinds.keys() - set(MEDIUM_KINDS)),
        judged=judged,
        facts=measured,
        down=_said(measured.capacity, moment),
        proof=_said(measured.proof, moment),
        up=_said(measured.up, moment),
        up_proof=_said(measured.up_proof, moment),
        rtt=newest(latency, "rtt_s", moment),
        jitter=newest(latency, "jitter_s", moment),
        loss=newest(latency, "loss_ratio", moment),
        failure=failed.failure if failed else echoes.failure if echoes else None,
        failure_at_ms=failed.at_ms if failed else echoes.ts_ms if echoes else None,
    )
