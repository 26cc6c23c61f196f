"""Moments: whatever the start, the calendar and the clocks, the rule's distances hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon.clock import BERLIN, berlin_day, from_ms, to_ms
from netmon.evidence.plan import (
    EARLY_MS,
    LATE_MS,
    LEAD_MS,
    MINUTE_MS,
    MOMENTS,
    SPAN_DAYS,
    TRIES_MS,
    WINDOW_MS,
    NoPlanError,
    day_moments,
    free_hours,
    make_plan,
    next_try,
    spacing_faults,
)
from netmon.school_calendar import Holidays, Protected, SchoolCalendar
from probes.uplink import UplinkSettings
from probes.uplink_choice import CAMPAIGN_LATE_MS

FREE = free_hours(SchoolCalendar())
SUMMER_BEGINS = date(2027, 3, 28)
WINTER_BEGINS = date(2026, 10, 25)


def _ms(day: date, at: time = time(0)) -> int:
    return to_ms(datetime.combine(day, at, BERLIN))


def _whole_day(day: date) -> Sequence[tuple[int, int]]:
    return [(_ms(day), _ms(day + timedelta(days=1)))]


starts = st.one_of(
    st.integers(_ms(date(2026, 1, 1)), _ms(date(2028, 12, 31))).map(from_ms),
    # Both changes of the clocks, in every place of the 14 days.
    st.builds(
        lambda day, ahead, minutes: (
            datetime.combine(day, time(0), BERLIN)
            + timedelta(days=ahead, minutes=minutes)
        ),
        st.sampled_from([SUMMER_BEGINS, WINTER_BEGINS]),
        st.integers(-14, 0),
        st.integers(0, 24 * 60 - 1),
    ),
).map(to_ms)
delays = st.lists(
    st.integers(-EARLY_MS, WINDOW_MS - 1), min_size=MOMENTS, max_size=MOMENTS
)


@given(starts, st.text(max_size=8), st.sampled_from([FREE, _whole_day]), delays)
def test_whatever_happens_in_the_windows_the_distances_hold(start, seed, allowed, late):
    moments = make_plan(seed, start, allowed)
    assert len(moments) == MOMENTS
    assert list(moments) == sorted(set(moments))
    assert spacing_faults(moments) == []
    within = [at for at in moments if any(a <= at <= b for a, b in allowed(_day(at)))]
    assert len(within) == MOMENTS
    assert min(moments) >= start + LEAD_MS
    assert berlin_day(max(moments)) < berlin_day(start) + timedelta(days=SPAN_DAYS)
    assert all(at % MINUTE_MS == 0 for at in moments)
    actual = [at + delay for at, delay in zip(moments, late, strict=True)]
    assert spacing_faults(actual) == []


def _day(at_ms: int) -> date:
    return berlin_day(at_ms)


@given(starts, st.text(max_size=8))
def test_the_same_seed_draws_the_same_moments(start, seed):
    assert make_plan(seed, start, FREE) == make_plan(seed, start, FREE)


def test_seeds_differ_in_days_and_times():
    start = _ms(date(2026, 12, 1))
    plans = [make_plan(f"ev-{n}", start, FREE) for n in range(200)]
    assert len({tuple({_day(at) for at in plan}) for plan in plans}) > 50
    hours = Counter(
        from_ms(at).astimezone(BERLIN).hour for plan in plans for at in plan
    )
    # Evenings, when the provider's net is full, are in it as much as mornings.
    assert all(hours[hour] > 50 for hour in (5, 6, 17, 18, 19, 20))


@given(
    st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    st.lists(
        st.tuples(st.integers(0, 1439), st.integers(1, 400)), min_size=1, max_size=6
    ),
    st.text(max_size=4),
)
def test_ten_moments_are_found_wherever_ten_fit(day, parts, seed):
    start, spans, end = _ms(day), [], 0
    for offset, length in sorted(parts):
        begin = max(offset, end + 1)
        end = begin + length
        spans.append((start + begin * MINUTE_MS, start + end * MINUTE_MS))
    found = day_moments(seed, day, spans)
    assert (found is not None) == _fits_greedily(spans)
    for at in found or ():
        assert any(a <= at - EARLY_MS and at + WINDOW_MS <= b for a, b in spans)


def _fits_greedily(spans: Sequence[tuple[int, int]]) -> bool:
    """Take each moment as early as can be, minute by minute: the plain way."""
    usable = {
        at for a, b in spans for at in range(a + EARLY_MS, b - WINDOW_MS + 1, MINUTE_MS)
    }
    taken: list[int] = []
    for at in sorted(usable):
        minutes = 3 * 60 + 21 if len(taken) == 5 else 26
        if not taken or at - taken[-1] >= minutes * MINUTE_MS:
            taken.append(at)
    return len(taken) >= 10


def test_a_day_too_short_for_ten_is_no_measuring_day():
    day = date(2026, 12, 1)
    # 9 distances (8 of 26 and one of 201 minutes) and a window: 430 minutes.
    room = [(_ms(day, time(8)), _ms(day, time(8)) + 430 * MINUTE_MS)]
    short = [(room[0][0], room[0][1] - MINUTE_MS)]
    assert day_moments("x", day, room) is not None
    assert day_moments("x", day, short) is None
    with pytest.raises(NoPlanError):
        make_plan("x", _ms(day), lambda _: [])


def test_two_free_days_side_by_side_are_not_enough():
    first = date(2026, 12, 1)
    days = {first, first + timedelta(days=1), first + timedelta(days=3)}
    with pytest.raises(NoPlanError):
        make_plan("x", _ms(first), lambda d: _whole_day(d) if d in days else [])
    days.add(first + timedelta(days=5))
    plan = make_plan("x", _ms(first), lambda d: _whole_day(d) if d in days else [])
    assert spacing_faults(plan) == []


def test_lessons_and_protected_times_are_left_alone():
    exam = date(2026, 12, 5)
    calendar = SchoolCalendar(
        holidays=(Holidays(first=date(2026, 12, 1), last=date(2026, 12, 2)),),
        protected=(Protected(day=exam, start=time(9), end=time(13)),),
    )
    allowed = free_hours(calendar)
    school_day, holiday = date(2026, 12, 3), date(2026, 12, 1)
    assert allowed(holiday) == [(_ms(holiday, time(5)), _ms(holiday, time(22)))]
    assert allowed(school_day) == [
        (_ms(school_day, time(5)), _ms(school_day, time(7, 30))),
        (_ms(school_day, time(16, 30)), _ms(school_day, time(22))),
    ]
    assert allowed(exam) == [
        (_ms(exam, time(5)), _ms(exam, time(9))),
        (_ms(exam, time(13)), _ms(exam, time(22))),
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda m: (m[0], m[0] + 4 * MINUTE_MS, *m[2:]), "gap"),
        (lambda m: (*m[:5], m[4] + 179 * MINUTE_MS, *m[6:]), "pause"),
        (lambda m: m[:-1], "count"),
        (lambda m: m[:20], "days"),
    ],
)
def test_each_broken_distance_is_named(change, fault):
    day = date(2026, 12, 1)
    plan = make_plan("ev-1", _ms(day), _whole_day)
    assert fault in spacing_faults(change(plan))


def test_neighbouring_days_and_too_long_a_time_are_named():
    day = date(2026, 12, 1)
    spans = {d: _whole_day(day + timedelta(days=d)) for d in (0, 1, 14)}
    times = [
        at
        for d, one in spans.items()
        for at in day_moments("x", day + timedelta(days=d), one) or ()
    ]
    assert spacing_faults(times) == ["free_day", "span"]


def test_a_probe_that_is_late_still_finds_the_moment():
    minutes = {0: 0, 3.9: 0, 4: 5, 8.9: 5, 9: 10, 13.9: 10, 14: None}
    for now, expected in minutes.items():
        found = next_try(0, 0, round(now * MINUTE_MS))
        assert found == (None if expected is None else expected * MINUTE_MS), now


def test_what_failed_is_tried_again_and_not_for_ever():
    found = [next_try(0, tries, 1000) for tries in range(4)]
    assert found == [0, 5 * MINUTE_MS, 10 * MINUTE_MS, None]


def test_every_try_and_its_waits_have_room_in_the_window():
    assert LATE_MS == CAMPAIGN_LATE_MS
    patience_ms = UplinkSettings().patience_s * 1000
    assert TRIES_MS[-1] + LATE_MS + patience_ms < WINDOW_MS
