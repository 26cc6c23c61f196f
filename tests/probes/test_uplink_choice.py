"""What the uplink measures at which moment, as a table; and how doubt comes and goes."""

from __future__ import annotations

from datetime import date, time

import pytest
from msgspec.structs import replace

from netmon.assignment_wire import Assignment, CampaignTask, LineAssignment
from netmon.lease_wire import Purpose
from netmon.model import LineRole, Technology
from netmon.school_calendar import Lessons, Protected, SchoolCalendar, whole_day
from netmon.units import MBIT
from probes.passive import Passive
from probes.plan import TestKind, costs_of, plan_day
from probes.uplink_choice import (
    Present,
    Spacing,
    choose,
)
from probes.uplink_state import UplinkState

FRIDAY = date(2026, 11, 20)
MINUTE_MS = 60_000
THRESHOLD = 100.0 * MBIT
LINE = LineAssignment(
    id="gs-07-l1",
    role=LineRole.MAIN,
    technology=Technology.FIBRE,
    contracted_down_bps=250 * MBIT,
    contracted_up_bps=50 * MBIT,
    threshold_down_bps=THRESHOLD,
    clear_down_bps=105.0 * MBIT,
    threshold_up_bps=45.0 * MBIT,
)
CALENDAR = SchoolCalendar(lessons=(Lessons(start=time(8), end=time(16)),))
TOLD = Assignment(
    probe="gs-07-p1",
    building="gs-07",
    line=LINE.id,
    lines=(LINE,),
    calendar=CALENDAR,
    budget_share=0.001,
    full_tests_per_day=2,
)
COSTS = costs_of(LINE, TOLD.budget_share)
PLAN = plan_day(LINE.id, FRIDAY, CALENDAR, COSTS)
SPACING = Spacing(
    confirm_ms=MINUTE_MS, proof_ms=180 * MINUTE_MS, slot_ms=60 * MINUTE_MS
)
FIRST = next(one for one in PLAN.tests if one.kind is TestKind.STATEMENT)
NIGHT = next(one for one in PLAN.tests if one.kind is TestKind.FULL)


def decide(at_ms, *, told=TOLD, plan=PLAN, passive=Passive.NOTHING, **known):
    state_fields = {
        name: known.pop(name)
        for name in ("statement_ms", "proof_ms", "tried_ms", "doubt", "done_ms")
        if name in known
    }
    present = replace(
        Present(
            now_ms=at_ms,
            spent_bytes=0,
            passive=passive,
            busy_ratio=None,
            closed=(),
            failed_tries=0,
        ),
        **known,
    )
    state = UplinkState(line=LINE.id, **state_fields)
    return choose(told, plan, COSTS, state, present, SPACING)


def kind_of(choice):
    return None if choice is None else (choice.kind, choice.purpose)


FLOOR = ("floor", Purpose.FLOOR)
CONFIRM = ("full", Purpose.CONFIRMATION)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, FLOOR),
        # The slot has its statement.
        ({"statement_ms": FIRST.at_ms - 1}, None),
        # One of the hour before does not count.
        ({"statement_ms": FIRST.slot.start_ms - 1}, FLOOR),
        # Nobody needs more, and the line was shown to do it an hour ago.
        (
            {"passive": Passive.QUIET, "proof_ms": FIRST.at_ms - 60 * MINUTE_MS},
            ("quiet", Purpose.FLOOR),
        ),
        # The last proof is too old for that: quiet proves nothing.
        ({"passive": Passive.QUIET, "proof_ms": FIRST.at_ms - 181 * MINUTE_MS}, FLOOR),
        ({"passive": Passive.QUIET}, FLOOR),
        # Tried a minute ago, to nothing: not at once again.
        ({"tried_ms": FIRST.at_ms - MINUTE_MS}, None),
        # A missed floor test asks for a full one, at once.
        ({"doubt": 1}, CONFIRM),
        # The same while the last confirmation is younger than a minute.
        ({"doubt": 1, "tried_ms": FIRST.at_ms - MINUTE_MS // 2}, None),
        # Tests that come to nothing are repeated ever more seldom.
        (
            {"doubt": 1, "tried_ms": FIRST.at_ms - 3 * MINUTE_MS, "failed_tries": 2},
            None,
        ),
        (
            {"doubt": 1, "tried_ms": FIRST.at_ms - 4 * MINUTE_MS, "failed_tries": 2},
            CONFIRM,
        ),
        # Known to be below: shown so once a slot, by a full test.
        ({"doubt": 2}, CONFIRM),
        ({"doubt": 2, "statement_ms": FIRST.slot.start_ms}, None),
        # No bytes left for today.
        ({"spent_bytes": COSTS.budget_bytes}, None),
        # Busy, and the slot is young: it waits for quiet.
        ({"busy_ratio": 0.7}, None),
    ],
)
def test_what_a_lesson_slot_gets(known, expected):
    assert kind_of(decide(FIRST.at_ms, **known)) == expected


def test_an_alarm_in_the_making_is_confirmed_at_any_time_but_not_in_an_exam():
    told = replace(TOLD, confirm=True)
    at_ms = whole_day(FRIDAY).start_ms + 5 * 60 * MINUTE_MS
    quiet = {"statement_ms": at_ms, "done_ms": [NIGHT.at_ms]}
    assert decide(at_ms, **quiet) is None
    assert kind_of(decide(at_ms, told=told, **quiet)) == CONFIRM
    recently = {**quiet, "tried_ms": at_ms - MINUTE_MS // 2}
    assert decide(at_ms, told=told, **recently) is None
    exam = whole_day(FRIDAY)
    assert decide(at_ms, told=told, closed=(exam,), **quiet) is None


def test_what_is_asked_of_another_line_is_not_done_on_this_one():
    other = replace(TOLD, line="gs-07-l2", confirm=True)
    task = CampaignTask(id="k7", moments_ms=(FIRST.at_ms,))
    settled = {"statement_ms": FIRST.at_ms}
    assert decide(FIRST.at_ms, told=replace(other, campaign=task), **settled) is None


def test_an_exam_leaves_what_the_counters_show():
    exam = Protected(day=FRIDAY, start=time(8), end=time(9))
    plan = plan_day(LINE.id, FRIDAY, replace(CALENDAR, protected=(exam,)), COSTS)
    test = next(one for one in plan.tests if one.kind is TestKind.STATEMENT)
    closed = test.no_load
    assert decide(test.at_ms, plan=plan, closed=closed) is None
    known = {"passive": Passive.QUIET, "proof_ms": test.at_ms - MINUTE_MS}
    found = decide(test.at_ms, plan=plan, closed=closed, **known)
    assert kind_of(found) == ("quiet", Purpose.FLOOR)
    assert decide(test.at_ms, plan=plan, closed=closed, doubt=1) is None


def test_full_tests_run_both_ways_once():
    found = decide(NIGHT.at_ms, statement_ms=NIGHT.at_ms)
    assert found is not None
    assert kind_of(found) == ("full", Purpose.ROUTINE)
    assert found.directions == ("down", "up")
    done = {"statement_ms": NIGHT.at_ms, "done_ms": [NIGHT.at_ms]}
    assert decide(NIGHT.at_ms, **done) is None


def test_a_campaigns_moment_is_met_or_missed_and_never_repeated():
    moments = (FIRST.at_ms, FIRST.at_ms + 30 * MINUTE_MS)
    told = replace(TOLD, campaign=CampaignTask(id="k7", moments_ms=moments))
    found = decide(FIRST.at_ms + MINUTE_MS, told=told)
    assert found is not None
    assert (found.purpose, found.campaign) == (Purpose.CAMPAIGN, "k7")
    assert (found.directions, found.moment_ms) == (("down", "up"), FIRST.at_ms)
    settled = {"statement_ms": FIRST.at_ms}
    assert decide(FIRST.at_ms + 4 * MINUTE_MS, told=told, **settled) is None
    done = {**settled, "done_ms": [FIRST.at_ms]}
    assert decide(FIRST.at_ms + MINUTE_MS, told=told, **done) is None
    day = whole_day(FRIDAY)
    closed = {**settled, "closed": (day,)}
    assert decide(FIRST.at_ms, told=told, **closed) is None


def test_a_line_that_looks_capped_is_tested_at_once_but_once_a_slot():
    settled = {"statement_ms": FIRST.at_ms, "passive": Passive.SUSPICIOUS}
    assert kind_of(decide(FIRST.at_ms + MINUTE_MS, **settled)) == FLOOR
    tried = {**settled, "tried_ms": FIRST.at_ms}
    assert decide(FIRST.at_ms + MINUTE_MS, **tried) is None
