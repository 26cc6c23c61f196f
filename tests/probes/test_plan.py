"""The plan of a day: every lesson hour is covered, and nothing costs too much."""

from __future__ import annotations

from datetime import date, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from netmon.assignment_wire import LineAssignment
from netmon.model import LineRole, Technology
from netmon.school_calendar import (
    Holidays,
    Lessons,
    Protected,
    SchoolCalendar,
    Span,
    Weekday,
    lesson_time,
    protected_time,
    whole_day,
    without,
)
from netmon.units import GBIT, MBIT
from probes.plan import (
    SLOT_MS,
    Action,
    Costs,
    PlannedTest,
    Situation,
    TestKind,
    costs_of,
    due_tests,
    next_action,
    plan_day,
)

FRIDAY = date(2026, 11, 20)
MINUTE_MS = 60_000
ENOUGH = Costs(floor_bytes=10, full_bytes=100, budget_bytes=10_000)


def _line(down_mbits: int, up_mbits: int) -> LineAssignment:
    down_bps, up_bps = down_mbits * MBIT, up_mbits * MBIT
    threshold_bps = min(100 * MBIT, 0.9 * down_bps)
    return LineAssignment(
        id="l1",
        role=LineRole.MAIN,
        technology=Technology.VDSL,
        contracted_down_bps=down_bps,
        contracted_up_bps=up_bps,
        threshold_down_bps=threshold_bps,
        clear_down_bps=threshold_bps,
        threshold_up_bps=min(threshold_bps, 0.9 * up_bps),
    )


def _times(low: int, high: int) -> st.SearchStrategy[time]:
    minutes = st.integers(low * 60, high * 60 - 1)
    return minutes.map(lambda n: time(n // 60, n % 60))


@st.composite
def calendars(draw: st.DrawFn) -> SchoolCalendar:
    days = tuple(Weekday)
    lessons = tuple(
        Lessons(start=start, end=end, days=days)
        for start, end in draw(
            st.lists(st.tuples(_times(5, 12), _times(12, 22)), max_size=3)
        )
    )
    protected = tuple(
        Protected(day=day, start=min(pair), end=max(pair))
        for day, *pair in draw(
            st.lists(
                st.tuples(days_of_year, _times(6, 20), _times(6, 20)).filter(
                    lambda row: row[1] != row[2]
                ),
                max_size=4,
            )
        )
    )
    return SchoolCalendar(lessons=lessons, protected=protected)


# The two Sundays on which clocks change, and some ordinary days.
days_of_year = st.sampled_from(
    [FRIDAY, date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1)]
)
costs = st.builds(
    Costs,
    floor_bytes=st.integers(1, 50),
    full_bytes=st.integers(1, 500),
    budget_bytes=st.integers(0, 2_000),
)
keys = st.text(max_size=8)


def _of_kind(tests, kind) -> list[PlannedTest]:
    return [one for one in tests if one.kind is kind]


def _statements(tests) -> list[PlannedTest]:
    return _of_kind(tests, TestKind.STATEMENT)


def _fulls(tests) -> list[PlannedTest]:
    return _of_kind(tests, TestKind.FULL)


@given(key=keys, day=days_of_year, calendar=calendars(), cost=costs)
def test_lesson_time_is_cut_into_slots_without_gap(key, day, calendar, cost):
    plan = plan_day(key, day, calendar, cost)
    slots = [one.slot for one in _statements(plan.tests)]
    assert all(slot.length_ms <= SLOT_MS for slot in slots)
    spans = sorted(slots)
    joined = []
    for span in spans:
        if joined and joined[-1].end_ms == span.start_ms:
            joined[-1] = Span(joined[-1].start_ms, span.end_ms)
        else:
            joined.append(span)
    assert joined == lesson_time(calendar, day)


@given(key=keys, day=days_of_year, calendar=calendars(), minutes=st.integers(1, 90))
def test_slots_are_as_long_as_asked_for(key, day, calendar, minutes):
    plan = plan_day(key, day, calendar, ENOUGH, slot_ms=minutes * MINUTE_MS)
    slots = [one.slot for one in plan.tests if one.kind is not TestKind.REST]
    assert all(slot.length_ms <= minutes * MINUTE_MS for slot in slots)
    wanted_ms = sum(span.length_ms for span in lesson_time(calendar, day))
    statements = _statements(plan.tests)
    assert sum(one.slot.length_ms for one in statements) == wanted_ms
    assert len(statements) >= wanted_ms / (minutes * MINUTE_MS)


@given(key=keys, day=days_of_year, calendar=calendars(), cost=costs)
def test_each_test_is_due_within_its_slot_where_it_may_load(key, day, calendar, cost):
    plan = plan_day(key, day, calendar, cost)
    closed = protected_time(calendar, day)
    lessons = lesson_time(calendar, day)
    for one in plan.tests:
        assert one.slot.holds(one.at_ms)
        if one.may_load:
            assert not any(span.holds(one.at_ms) for span in closed)
        if one.kind is TestKind.FULL:
            assert whole_day(day).holds(one.at_ms)
            assert not any(span.holds(one.at_ms) for span in lessons)
            assert without([one.slot], [*lessons, *closed]) == [one.slot]


@given(key=keys, day=days_of_year, calendar=calendars(), cost=costs)
def test_all_planned_keeps_to_the_budget(key, day, calendar, cost):
    plan = plan_day(key, day, calendar, cost)
    assert sum(one.cost_bytes for one in plan.tests) <= cost.budget_bytes
    closed = protected_time(calendar, day)
    owed = [one for one in plan.tests if one.kind is not TestKind.REST]
    loaded = [one for one in owed if one.may_load]
    could = [one for one in _statements(plan.tests) if without([one.slot], closed)]
    assert plan.unpaid_count == len(could) + 2 - len(loaded)
    if plan.unpaid_count == 0:
        assert all(one.may_load for one in could)


@given(key=keys, day=days_of_year, calendar=calendars())
def test_the_plan_is_found_again_and_lies_in_order(key, day, calendar):
    plan = plan_day(key, day, calendar, ENOUGH)
    assert plan_day(key, day, calendar, ENOUGH) == plan
    assert [one.at_ms for one in plan.tests] == sorted(one.at_ms for one in plan.tests)


@given(
    key=keys,
    day=days_of_year,
    calendar=calendars(),
    busy=st.lists(st.booleans(), min_size=7, max_size=7),
    proofs=st.sets(st.integers(0, 24 * 60)),
)
def test_every_lesson_hour_gets_its_statement(key, day, calendar, busy, proofs):
    """A probe that looks every minute, with traffic and passive proofs as they come.

    Each slot ends with a statement: a floor test, or a passive proof that saved it;
    protected slots owe what the counters give. Nothing is loaded in protected times.
    """
    plan = plan_day(key, day, calendar, ENOUGH)
    closed = protected_time(calendar, day)
    start_ms, end_ms = whole_day(day).start_ms, whole_day(day).end_ms
    statement_ms, spent_bytes = None, 0
    made: list[int] = []
    asked: set[Span] = set()
    for minute, now_ms in enumerate(range(start_ms, end_ms, MINUTE_MS)):
        if minute in proofs:
            made.append(now_ms)
            statement_ms = now_ms
        for test in due_tests(plan, now_ms):
            situation = Situation(
                now_ms=now_ms,
                spent_bytes=spent_bytes,
                statement_ms=statement_ms,
                busy_ratio=0.9 if busy[minute % 7] else 0.1,
            )
            action = next_action(test, situation, ENOUGH)
            if action is Action.FLOOR:
                assert not any(span.holds(now_ms) for span in closed)
                made.append(now_ms)
                statement_ms = now_ms
                spent_bytes += ENOUGH.floor_bytes
            elif action is Action.PASSIVE:
                asked.add(test.slot)
    for test in _statements(plan.tests):
        # The probe looks each minute: a stretch shorter than that may be missed.
        open_ms = [one.length_ms for one in without([test.slot], closed)]
        if any(length >= 10 * MINUTE_MS for length in open_ms):
            assert any(test.slot.holds(at_ms) for at_ms in made), test
        elif not open_ms and test.slot.length_ms >= 10 * MINUTE_MS:
            in_slot = any(test.slot.holds(at_ms) for at_ms in made)
            assert in_slot or test.slot in asked
    assert spent_bytes <= ENOUGH.budget_bytes


def test_a_school_day_of_eight_hours():
    plan = plan_day("gs-07-main", FRIDAY, SchoolCalendar(), ENOUGH)
    assert len(_statements(plan.tests)) == 8
    assert len(_fulls(plan.tests)) == 2
    assert plan.unpaid_count == 0
    # Sixteen hours without lessons in slots of at most ninety minutes.
    rest = _of_kind(plan.tests, TestKind.REST)
    assert len(rest) == 6 + 6
    assert sum(one.cost_bytes for one in plan.tests) == 20 * 10 + 2 * 100


def test_a_holiday_has_no_lesson_statements():
    holiday = Holidays(first=FRIDAY, last=FRIDAY)
    plan = plan_day("l1", FRIDAY, SchoolCalendar(holidays=(holiday,)), ENOUGH)
    assert not _statements(plan.tests)
    first, second = _fulls(plan.tests)
    noon_ms = whole_day(FRIDAY).start_ms + 12 * SLOT_MS
    assert first.at_ms < noon_ms <= second.at_ms


@given(key=keys, day=days_of_year)
def test_no_night_is_blind(key, day):
    tomorrow = plan_day(key, day + timedelta(days=1), SchoolCalendar(), ENOUGH)
    both = [*plan_day(key, day, SchoolCalendar(), ENOUGH).tests, *tomorrow.tests]
    times = [one.at_ms for one in both if one.kind is not TestKind.FULL]
    gaps_ms = [after - before for before, after in pairwise(sorted(times))]
    assert max(gaps_ms) <= 150 * MINUTE_MS


def test_what_is_left_of_a_budget_pays_for_the_rest_of_the_day():
    poor = replace(ENOUGH, budget_bytes=8 * 10 + 2 * 100 + 35)
    plan = plan_day("l1", FRIDAY, SchoolCalendar(), poor)
    assert plan.unpaid_count == 0
    paid = [one for one in _of_kind(plan.tests, TestKind.REST) if one.may_load]
    assert len(paid) == 3


def test_an_exam_leaves_passive_proof_only():
    exam = Protected(day=FRIDAY, start=time(8, 30), end=time(12))
    plan = plan_day("l1", FRIDAY, SchoolCalendar(protected=(exam,)), ENOUGH)
    first, *exams, noon = _statements(plan.tests)[:5]
    assert first.may_load
    assert first.slot.start_ms <= first.at_ms < first.slot.start_ms + 30 * MINUTE_MS
    assert [one.may_load for one in exams] == [False] * 3
    assert noon.may_load
    # What may not load is no want of money.
    assert plan.unpaid_count == 0


def test_too_small_a_budget_is_said_and_shared_by_lot():
    poor = replace(ENOUGH, budget_bytes=30)
    chosen: set[int] = set()
    for number in range(30):
        day = FRIDAY + timedelta(days=7 * number)
        tests = plan_day("l1", day, SchoolCalendar(), poor)
        assert tests.unpaid_count == 5 + 2
        loaded = [n for n, one in enumerate(_statements(tests.tests)) if one.may_load]
        assert len(loaded) == 3
        chosen.update(loaded)
    assert chosen == set(range(8))


def test_lines_do_not_fall_into_step():
    plans = [
        plan_day(f"line-{n}", FRIDAY, SchoolCalendar(), ENOUGH) for n in range(178)
    ]
    firsts = [_statements(plan.tests)[0] for plan in plans]
    assert len({one.at_ms for one in firsts}) == 178
    # Two thirds of the slot are drawn from: each sixth of the hour has its share.
    sixths = [(one.at_ms - one.slot.start_ms) * 6 // SLOT_MS for one in firsts]
    assert set(sixths) == {0, 1, 2, 3}
    assert min(sixths.count(n) for n in range(4)) >= 25


@pytest.mark.parametrize(
    ("down", "up", "least_full_days"),
    [(16, 2, 10), (50, 10, 20), (100, 40, 20), (250, 40, 20), (1000, 1000, 20)],
)
def test_the_default_budget_is_small_and_pays_for_the_day(down, up, least_full_days):
    line = _line(down, up)
    found = costs_of(line)
    assert found.budget_bytes == line.contracted_down_bps * 86_400 // 8_000
    day = 8 * found.floor_bytes + 2 * found.full_bytes
    assert day < found.budget_bytes
    assert found.budget_bytes / found.full_bytes > least_full_days


def test_costs_of_a_floor_test_follow_its_threshold():
    fast, slow = costs_of(_line(1000, 1000)), costs_of(_line(50, 10))
    assert fast.floor_bytes == round(1.08 * 2 * 100 * MBIT / 8)
    assert slow.floor_bytes == round(1.08 * (45 + 9) * MBIT / 8)
    assert fast.full_bytes == round(0.9 * 2 * GBIT / 8)


# --- what to do now -----------------------------------------------------------

SLOT = Span(0, 60 * MINUTE_MS)
TEST = PlannedTest(
    kind=TestKind.STATEMENT,
    slot=SLOT,
    at_ms=10 * MINUTE_MS,
    may_load=True,
    cost_bytes=10,
)
FULL = replace(TEST, kind=TestKind.FULL, cost_bytes=100)
UNPAID = replace(TEST, may_load=False, cost_bytes=0)
EXAM = replace(TEST, no_load=(Span(20 * MINUTE_MS, 40 * MINUTE_MS),))
EXAM_TO_THE_END = replace(TEST, no_load=(Span(20 * MINUTE_MS, 60 * MINUTE_MS),))

# A test of the plan, the minute, what is known, and what follows.
ACTIONS = [
    (TEST, 9, {}, Action.NOTHING),
    (TEST, 10, {}, Action.FLOOR),
    (TEST, 60, {}, Action.NOTHING),
    (TEST, 15, {"statement_ms": 0}, Action.NOTHING),
    (TEST, 15, {"statement_ms": -1}, Action.FLOOR),
    (TEST, 15, {"busy_ratio": 0.49}, Action.FLOOR),
    (TEST, 15, {"busy_ratio": 0.5}, Action.WAIT),
    (TEST, 49, {"busy_ratio": 1.0}, Action.WAIT),
    (TEST, 50, {"busy_ratio": 1.0}, Action.FLOOR),
    (TEST, 15, {"spent_bytes": 9_990}, Action.FLOOR),
    (TEST, 15, {"spent_bytes": 9_991}, Action.PASSIVE),
    (TEST, 15, {"floor_missed": True}, Action.CONFIRM),
    (TEST, 15, {"floor_missed": True, "statement_ms": 1}, Action.CONFIRM),
    (TEST, 15, {"floor_missed": True, "spent_bytes": 10**6}, Action.CONFIRM),
    (TEST, 15, {"floor_missed": True, "busy_ratio": 1.0}, Action.CONFIRM),
    (UNPAID, 15, {}, Action.PASSIVE),
    (UNPAID, 15, {"floor_missed": True}, Action.CONFIRM),
    (EXAM, 15, {}, Action.FLOOR),
    (EXAM, 25, {}, Action.WAIT),
    (EXAM, 25, {"floor_missed": True}, Action.WAIT),
    (EXAM, 40, {}, Action.FLOOR),
    (EXAM_TO_THE_END, 25, {}, Action.PASSIVE),
    (EXAM_TO_THE_END, 25, {"floor_missed": True}, Action.PASSIVE),
    (EXAM_TO_THE_END, 10, {"busy_ratio": 1.0}, Action.FLOOR),
    (FULL, 15, {}, Action.FULL),
    (FULL, 15, {"statement_ms": 1}, Action.FULL),
    (FULL, 15, {"busy_ratio": 0.6}, Action.WAIT),
    (FULL, 15, {"spent_bytes": 9_901}, Action.NOTHING),
]


@pytest.mark.parametrize(("test", "minute", "known", "action"), ACTIONS)
def test_what_to_do_now(test, minute, known, action):
    known = {"spent_bytes": 0} | known
    situation = Situation(now_ms=minute * MINUTE_MS, **known)
    assert next_action(test, situation, ENOUGH) is action


def test_the_slot_that_ends_first_is_the_most_pressing():
    late = replace(TEST, slot=Span(0, 90 * MINUTE_MS))
    plan = plan_day("l1", FRIDAY, SchoolCalendar(), ENOUGH)
    plan = type(plan)((late, TEST))
    assert due_tests(plan, 15 * MINUTE_MS) == [TEST, late]
    assert due_tests(plan, 60 * MINUTE_MS) == [late]
    assert due_tests(plan, 0) == []
