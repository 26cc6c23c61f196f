"""The moment of one decision about the uplink, and what holds for it; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from netmon.assignment_wire import Assignment, LineAssignment
from netmon.clock import berlin_day
from netmon.school_calendar import SchoolCalendar, Span, lesson_time, protected_time
from probes.plan import Costs, DayPlan, TestKind, costs_of, plan_day
from probes.uplink_state import UplinkState


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, with the line's assignment and the day's plan.

    ``ms`` is UTC, ``mono_s`` the monotonic clock. ``lessons`` and ``closed`` are the
    lesson and the protected times of the day.
    """

    ms: int
    mono_s: float
    assignment: Assignment
    line: LineAssignment
    lessons: tuple[Span, ...]
    closed: tuple[Span, ...]
    costs: Costs
    plan: DayPlan

    @property
    def in_lessons(self) -> bool:
        """Whether there are lessons now."""
        return any(span.holds(self.ms) for span in self.lessons)

    def may_load(self, at_ms: int) -> bool:
        """Say whether a test may load the line at a time of this day."""
        return not any(span.holds(at_ms) for span in self.closed)

    @property
    def open_for_s(self) -> float:
        """Seconds until the next protected time of this day; infinite for none."""
        starts = [span.start_ms for span in self.closed if span.start_ms > self.ms]
        return (min(starts) - self.ms) / 1000 if starts else math.inf

    @property
    def slot_since_s(self) -> float:
        """The monotonic time at which the slot began that we are in.

        What the counters showed before it is no statement of this slot.
        """
        starts = [
            one.slot.start_ms
            for one in self.plan.tests
            if one.kind is not TestKind.FULL and one.slot.holds(self.ms)
        ]
        began_ms = max(starts, default=self.ms)
        return self.mono_s - (self.ms - began_ms) / 1000

    def owes(self, state: UplinkState) -> bool:
        """Say whether the slot we are in has no statement yet.

        A line in doubt owes full tests, which nothing else can replace.
        """
        if state.doubt:
            return False
        made_ms = state.statement_ms
        return any(
            one.slot.holds(self.ms) and (made_ms is None or made_ms < one.slot.start_ms)
            for one in self.plan.tests
        )


def moment_of(
    told: Assignment, line_id: str, now_ms: int, mono_s: float
) -> Moment | None:
    """Return what holds at a time; None where the centre knows no such line."""
    line = next((each for each in told.lines if each.id == line_id), None)
    if line is None:
        return None
    day = berlin_day(now_ms)
    costs = costs_of(line, told.budget_share)
    slot_ms = round(told.slot_s * 1000)
    return Moment(
        ms=now_ms,
        mono_s=mono_s,
        assignment=told,
        line=line,
        lessons=tuple(lesson_time(told.calendar, day)),
        closed=tuple(protected_time(told.calendar, day)),
        costs=costs,
        plan=_plan(
            line.id, day, told.calendar, costs, told.full_tests_per_day, slot_ms
        ),
    )


@lru_cache(maxsize=4)
def _plan(
    line: str,
    day: date,
    calendar: SchoolCalendar,
    costs: Costs,
    full_tests: int,
    slot_ms: int,
) -> DayPlan:
    return plan_day(line, day, calendar, costs, full_tests, slot_ms)
