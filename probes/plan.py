"""What a probe measures on a day, and what to do when its moment has come; pure.

Lesson time is cut into slots, of at most an hour unless told otherwise; each slot owes
one statement about the line: passive proof if the counters give it, else a floor test.
Outside lessons a statement is owed less often, only so that no night is blind, and full
tests lie there. Every moment is drawn at random within its slot, from the line's id
and the slot alone: a restart finds the same plan again, and no two lines fall into
step. All that is planned keeps to a budget of bytes per line and day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from netmon.assignment_wire import LineAssignment
from netmon.school_calendar import (
    SchoolCalendar,
    Span,
    lesson_time,
    protected_time,
    whole_day,
    without,
)

SLOT_MS = 3_600_000
# Two statements in slots of this length are at most 150 minutes apart: a value of
# throughput says nothing about now after 180.
REST_SLOT_MS = 90 * 60_000
FULL_TESTS_PER_DAY = 2
# Of what the contract could carry in a day: 1.08 GB at 100 Mbit/s.
BUDGET_SHARE = 0.001
_DAY_S = 86_400
# A floor test is paced a little above what it asks for, for about a second.
_FLOOR_PACE, _FLOOR_S = 1.08, 1.0
# A full test each way, until its interval closes.
_FULL_S = 0.9
# Above this share of the contract in use a test waits for quiet, if it can.
BUSY_RATIO = 0.5
# The last part of a slot is for those that waited in vain: then it is measured anyway.
LAST_CALL_SHARE = 1 / 6


class TestKind(StrEnum):
    """What is planned: a statement of lesson time or of the rest, or a full test."""

    __test__ = False  # pytest would take it for a test case

    STATEMENT = "statement"
    REST = "rest"
    FULL = "full"


class Action(StrEnum):
    """What to do now."""

    NOTHING = "nothing"
    WAIT = "wait"
    PASSIVE = "passive"
    FLOOR = "floor"
    CONFIRM = "confirm"
    FULL = "full"


class Costs(Struct, frozen=True, kw_only=True):
    """Bytes on the line, both directions together: of tests, and allowed in a day."""

    floor_bytes: int
    full_bytes: int
    budget_bytes: int


class PlannedTest(Struct, frozen=True, kw_only=True):
    """One item of a plan: due at ``at_ms``, pointless after its slot.

    ``may_load`` False: only passive proof is allowed, because the whole slot is
    protected or the budget is too small. ``no_load`` are protected times within the
    slot. ``cost_bytes`` is what is set aside for it.
    """

    kind: TestKind
    slot: Span
    at_ms: int
    may_load: bool
    cost_bytes: int
    no_load: tuple[Span, ...] = ()


class DayPlan(Struct, frozen=True):
    """A day in order of time.

    ``unpaid_count``: statements of lesson time and full tests that the budget had no
    bytes for.
    """

    tests: tuple[PlannedTest, ...]
    unpaid_count: int = 0


class Situation(Struct, frozen=True, kw_only=True):
    """What is known when an item is due.

    ``statement_ms`` is when the newest valid statement was made, passive ones
    included; None for none. ``busy_ratio`` is the share of the contract that others
    use by the counters; None if they cannot be read. ``floor_missed``: the newest
    floor test says below, which a full test has to confirm.
    """

    now_ms: int
    spent_bytes: int
    statement_ms: int | None = None
    busy_ratio: float | None = None
    floor_missed: bool = False


def costs_of(line: LineAssignment, budget_share: float = BUDGET_SHARE) -> Costs:
    """Return what tests of a line cost, and its budget for a day."""
    floor_bps = _FLOOR_PACE * (line.threshold_down_bps + line.threshold_up_bps)
    full_bps = line.contracted_down_bps + line.contracted_up_bps
    return Costs(
        floor_bytes=round(floor_bps * _FLOOR_S / 8),
        full_bytes=round(full_bps * _FULL_S / 8),
        budget_bytes=round(line.contracted_down_bps * _DAY_S * budget_share / 8),
    )


def plan_day(
    key: str,
    day: date,
    calendar: SchoolCalendar,
    costs: Costs,
    full_tests: int = FULL_TESTS_PER_DAY,
    slot_ms: int = SLOT_MS,
) -> DayPlan:
    """Return what is measured on a day.

    Args:
        key: id of the line; every line has its own moments.
        day: in Dortmund.
        calendar: lessons, holidays, protected times.
        costs: of a test of this line, and its budget.
        full_tests: how many, spread over the day outside lessons.
        slot_ms: the longest stretch of lesson time that owes one statement, above 0.
    """
    lessons, closed = lesson_time(calendar, day), protected_time(calendar, day)
    slots = [slot for span in lessons for slot in _cut(span, slot_ms)]
    paid = _paid_slots(key, slots, closed, costs)
    tests = [_statement(key, slot, closed, costs, slot in paid) for slot in slots]
    left_bytes = costs.budget_bytes - sum(test.cost_bytes for test in tests)
    free = without([whole_day(day)], [*lessons, *closed])
    affordable = left_bytes // costs.full_bytes if costs.full_bytes else full_tests
    fulls = _full_tests(key, free, min(full_tests, max(0, affordable)), costs, slot_ms)
    rest = _rest(key, free, costs, left_bytes - sum(test.cost_bytes for test in fulls))
    wanted = sum(_is_open(slot, closed) for slot in slots)
    unpaid = wanted - len(paid) + (full_tests - len(fulls) if free else 0)
    planned = sorted([*tests, *fulls, *rest], key=lambda x: x.at_ms)
    return DayPlan(tuple(planned), unpaid)


def due_tests(plan: DayPlan, now_ms: int) -> list[PlannedTest]:
    """Return what is due and not yet pointless, the most pressing first."""
    found = [one for one in plan.tests if one.at_ms <= now_ms < one.slot.end_ms]
    return sorted(found, key=lambda one: one.slot.end_ms)


def next_action(test: PlannedTest, situation: Situation, costs: Costs) -> Action:
    """Return what to do about an item now; `Action.WAIT` means: look again soon.

    A confirmation is never refused for want of budget: it is rare, and without it
    there is neither an alarm nor an all-clear.
    """
    now_ms = situation.now_ms
    if not test.at_ms <= now_ms < test.slot.end_ms or _is_settled(test, situation):
        return Action.NOTHING
    closed = next((span for span in test.no_load if span.holds(now_ms)), None)
    if closed is not None:
        opens_again = closed.end_ms < test.slot.end_ms
        return Action.WAIT if test.may_load and opens_again else Action.PASSIVE
    if situation.floor_missed:
        return Action.CONFIRM
    return _load_action(test, situation, costs)


def _is_settled(test: PlannedTest, situation: Situation) -> bool:
    """Say whether the slot has its statement, and nothing waits for confirmation."""
    if test.kind is TestKind.FULL or situation.floor_missed:
        return False
    made_ms = situation.statement_ms
    return made_ms is not None and made_ms >= test.slot.start_ms


def _load_action(test: PlannedTest, situation: Situation, costs: Costs) -> Action:
    """Return which test loads the line now, if any."""
    is_full = test.kind is TestKind.FULL
    cost_bytes = costs.full_bytes if is_full else costs.floor_bytes
    if not test.may_load or situation.spent_bytes + cost_bytes > costs.budget_bytes:
        return Action.NOTHING if is_full else Action.PASSIVE
    is_busy = (situation.busy_ratio or 0.0) >= BUSY_RATIO
    if is_busy and situation.now_ms < _last_call_ms(test):
        return Action.WAIT
    return Action.FULL if is_full else Action.FLOOR


def _last_call_ms(test: PlannedTest) -> int:
    """Return from when on a test no longer waits for quiet."""
    open_spans = without([test.slot], test.no_load)
    end_ms = open_spans[-1].end_ms if open_spans else test.slot.end_ms
    return end_ms - round(test.slot.length_ms * LAST_CALL_SHARE)


def _cut(span: Span, slot_ms: int) -> list[Span]:
    """Return a span in equal parts of at most ``slot_ms``."""
    count = -(-span.length_ms // slot_ms)
    edges = [span.start_ms + span.length_ms * n // count for n in range(count + 1)]
    return [Span(*pair) for pair in pairwise(edges)]


def _is_open(slot: Span, closed: Sequence[Span]) -> bool:
    return bool(without([slot], closed))


def _paid_slots(
    key: str, slots: Sequence[Span], closed: Sequence[Span], costs: Costs
) -> set[Span]:
    """Return the slots with bytes for a floor test; a lottery if there are too few."""
    opened = [slot for slot in slots if _is_open(slot, closed)]
    if costs.floor_bytes * len(opened) <= costs.budget_bytes:
        return set(opened)
    drawn = sorted(opened, key=lambda slot: _share(f"{key}/lot", slot.start_ms))
    return set(drawn[: costs.budget_bytes // costs.floor_bytes])


def _rest(
    key: str, free: Sequence[Span], costs: Costs, left_bytes: int
) -> list[PlannedTest]:
    """Return the statements of the time outside lessons, from what is left to pay."""
    slots = [slot for span in free for slot in _cut(span, REST_SLOT_MS)]
    left = replace(costs, budget_bytes=max(0, left_bytes))
    paid = _paid_slots(key, slots, (), left)
    return [
        replace(_statement(key, slot, (), left, slot in paid), kind=TestKind.REST)
        for slot in slots
    ]


def _statement(
    key: str, slot: Span, closed: Sequence[Span], costs: Costs, is_paid: bool
) -> PlannedTest:
    spans = without([slot], closed) if is_paid else [slot]
    # Early enough that there is time left to wait for quiet.
    latest = 1 - 2 * LAST_CALL_SHARE
    share = latest * _share(f"{key}/statement", slot.start_ms)
    return PlannedTest(
        kind=TestKind.STATEMENT,
        slot=slot,
        at_ms=_at_share(spans, share),
        may_load=is_paid,
        cost_bytes=costs.floor_bytes if is_paid else 0,
        no_load=_within(closed, slot),
    )


def _full_tests(
    key: str, free: Sequence[Span], count: int, costs: Costs, slot_ms: int
) -> list[PlannedTest]:
    """Return full tests, one at random in each equal part of the free time."""
    found = []
    for number in range(count if free else 0):
        share = (number + _share(f"{key}/full/{number}", free[0].start_ms)) / count
        at_ms = _at_share(free, share)
        slot = next(span for span in free if span.holds(at_ms))
        found.append(
            PlannedTest(
                kind=TestKind.FULL,
                slot=Span(at_ms, min(slot.end_ms, at_ms + slot_ms)),
                at_ms=at_ms,
                may_load=True,
                cost_bytes=costs.full_bytes,
            )
        )
    return found


def _within(spans: Sequence[Span], slot: Span) -> tuple[Span, ...]:
    return tuple(
        Span(max(span.start_ms, slot.start_ms), min(span.end_ms, slot.end_ms))
        for span in spans
        if span.start_ms < slot.end_ms and span.end_ms > slot.start_ms
    )


def _at_share(spans: Sequence[Span], share: float) -> int:
    """Return the moment after a share (0 up to 1) of all spans together."""
    into_ms = int(sum(span.length_ms for span in spans) * share)
    for span in spans:
        if into_ms < span.length_ms:
            return span.start_ms + into_ms
        into_ms -= span.length_ms
    return spans[-1].end_ms - 1


def _share(key: str, number: int) -> float:
    """Return a number from 0 up to 1 that depends on the arguments alone."""
    digest = hashlib.blake2b(f"{key}\0{number}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
