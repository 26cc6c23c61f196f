"""What the uplink needs measured at this moment; pure.

In this order: a campaign's moment; a confirmation that an alarm or an all-clear waits
for; what the plan of the day owes. Nothing loads a line in a protected time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from netmon.assignment_wire import Assignment, CampaignTask
from netmon.lease_wire import Purpose
from netmon.school_calendar import Span
from probes.measure_protocol import Direction
from probes.passive import Passive
from probes.plan import (
    Action,
    Costs,
    DayPlan,
    PlannedTest,
    Situation,
    TestKind,
    due_tests,
    next_action,
)
from probes.uplink_state import RETRY_SHARE, UplinkState

# A campaign's moment that is missed by more is a gap; the report says so.
CAMPAIGN_LATE_MS = 240_000

BOTH: tuple[Direction, ...] = ("down", "up")
DOWN: tuple[Direction, ...] = ("down",)


_Kind = Literal["full", "floor", "quiet"]
_LOADS: Mapping[Action, tuple[_Kind, Purpose, tuple[Direction, ...]]] = {
    Action.FLOOR: ("floor", Purpose.FLOOR, BOTH),
    Action.CONFIRM: ("full", Purpose.CONFIRMATION, DOWN),
    Action.FULL: ("full", Purpose.ROUTINE, BOTH),
}


class Choice(Struct, frozen=True, kw_only=True):
    """What to do now. ``quiet``: record that nobody needs more, without a test.

    ``planned`` is the item of the plan that it serves, ``moment_ms`` that of a
    campaign; None where there is none.
    """

    kind: _Kind
    directions: tuple[Direction, ...]
    purpose: Purpose
    planned: PlannedTest | None = None
    campaign: str = ""
    moment_ms: int | None = None


class Spacing(Struct, frozen=True, kw_only=True):
    """How far apart things are, in milliseconds.

    ``confirm_ms`` lies between confirmations, ``proof_ms`` is how long a proof lets
    quiet count as a statement, ``slot_ms`` is a slot of lesson time.
    """

    confirm_ms: int
    proof_ms: int
    slot_ms: int


class Present(Struct, frozen=True, kw_only=True):
    """What is known at this moment.

    ``busy_ratio`` is the share of the contract that others use, None if unknown.
    ``closed`` are the protected times of the day, ``failed_tries`` the tests in a row
    that gave no answer.
    """

    now_ms: int
    spent_bytes: int
    passive: Passive
    busy_ratio: float | None
    closed: Sequence[Span]
    failed_tries: int


def choose(
    assignment: Assignment,
    plan: DayPlan,
    costs: Costs,
    state: UplinkState,
    present: Present,
    spacing: Spacing,
) -> Choice | None:
    """Return what to do now; None for nothing."""
    now_ms = present.now_ms
    is_closed = any(span.holds(now_ms) for span in present.closed)
    # Both are meant for the line that the centre gives this probe.
    is_meant = assignment.line == state.line
    task = assignment.campaign if is_meant and not is_closed else None
    if task is not None and (due_ms := _campaign_due(task, state, now_ms)) is not None:
        return Choice(
            kind="full",
            directions=BOTH,
            purpose=Purpose.CAMPAIGN,
            campaign=task.id,
            moment_ms=due_ms,
        )
    asked = is_meant and assignment.confirm
    if not is_closed and _wants_confirmation(state, present, spacing, asked=asked):
        return Choice(kind="full", directions=DOWN, purpose=Purpose.CONFIRMATION)
    for test in due_tests(plan, now_ms):
        found = _planned(test, costs, state, present, spacing)
        if found is not None:
            return found
    if not is_closed and _wants_look(state, present, spacing):
        return Choice(kind="floor", directions=DOWN, purpose=Purpose.FLOOR)
    return None


def _campaign_due(task: CampaignTask, state: UplinkState, now_ms: int) -> int | None:
    for moment_ms in task.moments_ms:
        if moment_ms <= now_ms < moment_ms + CAMPAIGN_LATE_MS and not state.is_done(
            moment_ms
        ):
            return moment_ms
    return None


def _wants_confirmation(
    state: UplinkState, present: Present, spacing: Spacing, *, asked: bool
) -> bool:
    """Say whether somebody waits for a full test.

    A line known to be below is not tested more often than its slots ask for; tests
    without an answer are repeated ever more seldom, at last once a slot.
    """
    if not asked and state.doubt != 1:
        return False
    wait_ms = min(
        spacing.slot_ms, spacing.confirm_ms * 2 ** min(present.failed_tries, 8)
    )
    return state.tried_ms is None or present.now_ms - state.tried_ms >= wait_ms


def _planned(
    test: PlannedTest,
    costs: Costs,
    state: UplinkState,
    present: Present,
    spacing: Spacing,
) -> Choice | None:
    now_ms = present.now_ms
    if test.kind is TestKind.FULL and state.is_done(test.at_ms):
        return None
    made_ms = state.statement_ms
    if state.doubt and made_ms is not None and made_ms >= test.slot.start_ms:
        return None  # a line known to be below is shown so once a slot
    situation = Situation(
        now_ms=now_ms,
        spent_bytes=present.spent_bytes,
        statement_ms=state.statement_ms,
        busy_ratio=present.busy_ratio,
        floor_missed=state.doubt > 0,
    )
    action = next_action(test, situation, costs)
    is_quiet = present.passive is Passive.QUIET and _is_proven(state, now_ms, spacing)
    if is_quiet and action in (Action.PASSIVE, Action.FLOOR):
        return Choice(
            kind="quiet", directions=DOWN, purpose=Purpose.FLOOR, planned=test
        )
    if state.tried_ms is not None and state.tried_ms >= test.slot.start_ms:
        # It was tried in this slot and came to nothing: not at once again.
        wait_ms = RETRY_SHARE * test.slot.length_ms * 2 ** min(present.failed_tries, 8)
        if now_ms - state.tried_ms < wait_ms:
            return None
    if action not in _LOADS:
        return None
    kind, purpose, directions = _LOADS[action]
    return Choice(kind=kind, directions=directions, purpose=purpose, planned=test)


def _is_proven(state: UplinkState, now_ms: int, spacing: Spacing) -> bool:
    proven_ms = state.proof_ms
    return proven_ms is not None and now_ms - proven_ms <= spacing.proof_ms


def _wants_look(state: UplinkState, present: Present, spacing: Spacing) -> bool:
    """Say whether the counters look capped; asked for at most once a slot."""
    if present.passive is not Passive.SUSPICIOUS or state.doubt:
        return False
    tried_ms = state.tried_ms
    return tried_ms is None or present.now_ms - tried_ms >= spacing.slot_ms
