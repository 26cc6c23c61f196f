"""One verdict on a line with its reasons; a pure judgement.

Whether a line is below its target is the alarm machine's word alone. Here is
added why, and what the machine has no state for: a line that is fine but full, one
that little is asked of, one whose probe was the limit.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from netmon.line_verdict.facts import LineFacts, Statement, Worth, telling
from netmon.line_verdict.reasons import (
    Reason,
    about_failure,
    after,
    below,
    contract,
    full,
    suspected,
    unmeasured,
)
from netmon.line_verdict.reasons import ReasonCode as Code
from netmon.medium import MediumHealth, MediumState
from netmon.metrics import KINDS
from netmon.model import FailureReason, Line, below_by_contract, expected_down_bps
from netmon.storage.records import AlarmState

VALID_S = KINDS["throughput"].stale_after_s
# A quiet line is believed on the strength of a proof not older than this
# (docs/decisions/011).
PROVEN_FOR_S = 24 * 3600.0
# From this share of the line on, what others move is what makes it slow.
FULL_SHARE = 0.8
# When round trips say that packets queue, as the capacity test has it
# (`probes.estimate.queueing_from_s`).
_QUEUE_S, _QUEUE_SHARE = 0.002, 0.3
_SILENT = (AlarmState.BAD, AlarmState.STALE)


class VerdictClass(StrEnum):
    """What a line is."""

    IN_ORDER = "in_order"
    BELOW_TARGET = "below_target"
    SATURATED = "saturated"
    BELOW_BY_CONTRACT = "below_by_contract"
    NOT_MEASURED = "not_measured"
    PROBE_LIMITED = "probe_limited"
    SUSPECT = "suspect"
    UNKNOWN = "unknown"


# States that say themselves that nothing is decided.
_OPEN = {
    AlarmState.SUSPECT: VerdictClass.SUSPECT,
    AlarmState.UNKNOWN: VerdictClass.UNKNOWN,
    None: VerdictClass.UNKNOWN,
}


class LineVerdict(Struct, frozen=True):
    """The verdict; the first reason is its headline, and there is always one."""

    verdict: VerdictClass
    reasons: tuple[Reason, ...]


class LineAlarms(Struct, frozen=True):
    """What the alarm machine holds of a line; None where a rule has no state yet.

    ``below_target``, ``no_data`` and ``line_down`` are the states of these rules,
    ``incident_open`` is about the first.
    """

    below_target: AlarmState | None = None
    no_data: AlarmState | None = None
    incident_open: bool = False
    line_down: AlarmState | None = None


def judge_line(
    line: Line,
    alarms: LineAlarms,
    measured: LineFacts,
    medium: MediumHealth | None,
    now_ms: int,
    *,
    valid_s: float = VALID_S,
) -> LineVerdict:
    """Return the verdict on a line.

    A number older than ``valid_s`` says nothing about now. ``medium`` is None
    where no device tells of it.
    """
    valid_ms = round(valid_s * 1000)
    verdict = _decide(line, alarms, measured, now_ms, valid_ms)
    medium = medium or MediumHealth(MediumState.UNKNOWN)
    return LineVerdict(verdict, _reasons(verdict, line, measured, medium))


def _decide(
    line: Line, alarms: LineAlarms, measured: LineFacts, now_ms: int, valid_ms: int
) -> VerdictClass:
    """Return the class; the order of the questions is the precedence."""
    newest, state = measured.newest, alarms.below_target
    # The machine itself raises no silence behind a line that is down.
    if alarms.line_down in _SILENT:
        return VerdictClass.NOT_MEASURED
    if state is AlarmState.BAD:
        return VerdictClass.BELOW_TARGET
    if alarms.no_data in _SILENT:
        return VerdictClass.NOT_MEASURED
    if newest is not None and state in _OPEN:
        return _OPEN[state]
    fresh = newest is not None and now_ms - newest.at_ms <= valid_ms
    quiet = not alarms.incident_open and is_quiet(line, measured, now_ms)
    if not fresh or (state is AlarmState.STALE and not quiet):
        return _without_numbers(measured)
    return _good(line, measured, now_ms, valid_ms)


def _without_numbers(measured: LineFacts) -> VerdictClass:
    """Return why there is no number of now."""
    failed = measured.failed
    limited = failed is not None and failed.failure is FailureReason.PROBE_LIMITED
    return VerdictClass.PROBE_LIMITED if limited else VerdictClass.NOT_MEASURED


def _good(line: Line, measured: LineFacts, now_ms: int, valid_ms: int) -> VerdictClass:
    """Return what a line that reaches its target is besides."""
    told = occupied(measured)
    if told and now_ms - told[0].at_ms <= valid_ms and is_full(measured):
        return VerdictClass.SATURATED
    if below_by_contract(line):
        return VerdictClass.BELOW_BY_CONTRACT
    return VerdictClass.IN_ORDER


def is_quiet(line: Line, measured: LineFacts, now_ms: int) -> bool:
    """Say whether little is asked of a line that was proven not long ago.

    To the machine a demand says nothing, so it calls such a line stale.
    """
    newest, proven = measured.newest, telling(line, measured)
    return (
        newest is not None
        and newest.worth is Worth.DEMAND
        and proven is not None
        and now_ms - proven.at_ms <= PROVEN_FOR_S * 1000
        and (proven.shown_bps or 0.0) >= expected_down_bps(line)
    )


def occupied(measured: LineFacts) -> tuple[Statement, float, float] | None:
    """Return who says it, what others move and what the line carries, IP layer.

    It is the newest statement that tells. None where nothing tells, or no test has
    filled the line yet: without its capacity nobody knows what full is.
    """
    capacity = measured.capacity
    carries_bps = None if capacity is None else capacity.values.get("capacity_bps")
    if not carries_bps:
        return None
    for each in measured.told:
        used_bps = each.values.get("cross_bps", each.values.get("demand_bps"))
        if used_bps is not None:
            return each, used_bps, carries_bps
    return None


def is_full(measured: LineFacts) -> bool:
    """Say whether others use most of the line and packets queue for it."""
    found = occupied(measured)
    if found is None:
        return False
    statement, used_bps, carries_bps = found
    if used_bps < FULL_SHARE * carries_bps:
        return False
    # A capacity test has filled the line, whatever the round trips were.
    return statement.worth is Worth.CAPACITY or _queues(statement, measured)


def _queues(statement: Statement, measured: LineFacts) -> bool:
    """Say whether packets waited; what others fill is not idle before a test."""
    names = ("rtt_idle_s", "rtt_loaded_s")
    own_s = [statement.values[name] for name in names if name in statement.values]
    idle_s = [
        each.values["rtt_idle_s"]
        for each in measured.told
        if "rtt_idle_s" in each.values
    ]
    if not own_s or not idle_s:
        return False
    base_s = min(idle_s)
    return max(own_s) > base_s + max(_QUEUE_S, _QUEUE_SHARE * base_s)


def _reasons(
    verdict: VerdictClass, line: Line, measured: LineFacts, medium: MediumHealth
) -> tuple[Reason, ...]:
    """Return the reasons in the order in which they are told."""
    head: list[Reason] = []
    match verdict:
        case VerdictClass.BELOW_TARGET:
            head = below(line, measured, medium)
        case VerdictClass.SUSPECT:
            head = suspected(line, measured, medium)
        case VerdictClass.SATURATED:
            found = occupied(measured)
            head = [] if found is None else [full(*found)]
        case VerdictClass.BELOW_BY_CONTRACT:
            head = [contract(line)]
        case VerdictClass.NOT_MEASURED:
            head = unmeasured(measured, medium)
        case VerdictClass.PROBE_LIMITED:
            head = [about_failure(Code.PROBE_LIMITED, measured.failed)]
        case VerdictClass.UNKNOWN:
            head = [Reason(code=Code.NOT_JUDGED)]
        case VerdictClass.IN_ORDER:
            # What was measured last is its headline.
            pass
    told_failure = verdict in {VerdictClass.NOT_MEASURED, VerdictClass.PROBE_LIMITED}
    return (*head, *after(head, line, measured, medium, told_failure=told_failure))
