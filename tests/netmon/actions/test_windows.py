"""Windows by the clock on the wall, on both days on which it is changed as well."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.actions.windows import (
    counts_until_ms,
    is_left_out,
    last_end_ms,
    next_start_ms,
    silence_counts,
    wall_ms,
    weekly_spans,
)
from netmon.clock import BERLIN, from_ms, to_ms
from netmon.school_calendar import Weekday
from netmon.storage.action_records import (
    Maintenance,
    MaintenanceScope,
    OneOff,
    Silence,
    Weekly,
)

FORWARD, BACK = date(2026, 3, 29), date(2026, 10, 25)
EVERY_DAY = tuple(Weekday)
HOUR_MS = 3_600_000


def weekly(start: str, end: str, **more: Any) -> Weekly:
    fields: dict[str, Any] = {
        "days": EVERY_DAY,
        "first": date(2026, 1, 1),
        "last": date(2026, 12, 31),
    }
    return Weekly(
        start=time.fromisoformat(start), end=time.fromisoformat(end), **fields | more
    )


def window(when: OneOff | Weekly, **more: Any) -> Maintenance:
    return Maintenance(
        id=1,
        scope=MaintenanceScope.BUILDING,
        value="gs-07",
        when=when,
        ends_ms=last_end_ms(when) or 0,
        reason="Umbau",
        author="anna",
        created_ms=0,
        **more,
    )


def utc(text: str) -> int:
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


def local(at_ms: int) -> datetime:
    return from_ms(at_ms).astimezone(BERLIN).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("day", "start", "end", "first", "last"),
    [
        (date(2026, 3, 28), "22:00", "04:00", "2026-03-28 21:00", "2026-03-29 02:00"),
        (FORWARD, "22:00", "04:00", "2026-03-29 20:00", "2026-03-30 02:00"),
        (FORWARD, "01:00", "04:00", "2026-03-29 00:00", "2026-03-29 02:00"),
        # It starts in the hour that is left out: at the change.
        (FORWARD, "02:30", "05:00", "2026-03-29 01:00", "2026-03-29 03:00"),
        (FORWARD, "01:30", "02:30", "2026-03-29 00:30", "2026-03-29 01:00"),
        (date(2026, 10, 24), "22:00", "04:00", "2026-10-24 20:00", "2026-10-25 03:00"),
        (BACK, "22:00", "04:00", "2026-10-25 21:00", "2026-10-26 03:00"),
        # The hour comes twice: from its first to its last coming.
        (BACK, "02:15", "02:45", "2026-10-25 00:15", "2026-10-25 01:45"),
        (BACK, "00:00", "00:00", "2026-10-24 22:00", "2026-10-25 23:00"),
        (FORWARD, "00:00", "00:00", "2026-03-28 23:00", "2026-03-29 22:00"),
    ],
)
def test_the_days_on_which_clocks_change(day, start, end, first, last):
    (span,) = weekly_spans(weekly(start, end), day, day)
    assert (span.start_ms, span.end_ms) == (utc(first), utc(last))


def test_a_window_within_the_hour_that_is_left_out_does_not_come():
    assert not list(weekly_spans(weekly("02:10", "02:50"), FORWARD, FORWARD))


minutes = st.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))


@settings(deadline=None)
@given(start=minutes, end=minutes, change=st.sampled_from([FORWARD, BACK]))
def test_each_recurrence_lasts_its_span_on_the_wall_clock(start, end, change):
    """Both ends show the times asked for, whatever the offset is."""
    first, last = change - timedelta(days=9), change + timedelta(days=9)
    when = weekly(start.isoformat(), end.isoformat(), first=first, last=last)
    wall = timedelta(
        minutes=((end.hour - start.hour) * 60 + end.minute - start.minute - 1) % 1440
        + 1
    )
    spans = list(weekly_spans(when, when.first, when.last))
    for span in spans:
        begins, ends = local(span.start_ms), local(span.end_ms)
        if begins.date() == FORWARD and time(2) <= start < time(3):
            assert begins.time() == time(3)
        elif ends.date() == FORWARD and time(2) <= end < time(3):
            assert ends.time() == time(3)
        else:
            assert (begins.time(), ends.time()) == (start, end)
            assert ends - begins == wall
        changed_ms = span.end_ms - span.start_ms - wall / timedelta(milliseconds=1)
        assert abs(changed_ms) <= HOUR_MS
    # Only a window wholly within the missing hour may be left out, on that day.
    assert len(spans) >= 18
    starts = [local(span.start_ms).date() for span in spans]
    assert starts == sorted(set(starts))


@settings(deadline=None)
@given(
    at_ms=st.integers(utc("2026-10-20 00:00"), utc("2026-10-30 00:00")),
    start=minutes,
    end=minutes,
)
def test_asking_now_agrees_with_the_list(at_ms, start, end):
    when = weekly(
        start.isoformat(),
        end.isoformat(),
        first=date(2026, 10, 18),
        last=date(2026, 11, 1),
    )
    spans = weekly_spans(when, when.first, when.last)
    holds = any(span.holds(at_ms) for span in spans)
    until_ms = counts_until_ms(window(when), at_ms)
    assert (until_ms is not None) is holds
    assert until_ms is None or until_ms > at_ms


@settings(deadline=None)
@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), minutes)
def test_a_time_on_the_wall_comes_back_unless_it_is_left_out(day, at):
    wall = datetime.combine(day, at)
    if is_left_out(wall):
        assert wall.date() == FORWARD
        assert wall.hour == 2
    else:
        for latest in (False, True):
            assert local(wall_ms(wall.date(), wall.time(), latest=latest)) == wall


def test_first_last_and_excluded_days_count():
    when = weekly(
        "18:00",
        "20:00",
        days=(Weekday.MO, Weekday.WE),
        first=date(2026, 11, 30),
        last=date(2026, 12, 9),
        excluded=(date(2026, 12, 7),),
    )
    found = weekly_spans(when, date(2026, 1, 1), date(2027, 1, 1))
    days = [local(span.start_ms).date().isoformat() for span in found]
    assert days == ["2026-11-30", "2026-12-02", "2026-12-09"]
    assert last_end_ms(when) == utc("2026-12-09 19:00")
    assert next_start_ms(window(when), utc("2026-12-03 00:00")) == utc(
        "2026-12-09 17:00"
    )
    assert next_start_ms(window(when), utc("2026-12-09 17:00")) is None


def test_windows_that_follow_without_a_gap_count_as_one():
    when = weekly("00:00", "00:00", first=date(2026, 11, 2), last=date(2026, 11, 4))
    until_ms = counts_until_ms(window(when), utc("2026-11-02 12:00"))
    assert until_ms == utc("2026-11-04 23:00")


def test_a_one_off_window_counts_up_to_its_end_and_until_it_is_cancelled():
    one = window(OneOff(starts_ms=10, ends_ms=20))
    assert [counts_until_ms(one, at) for at in (9, 10, 19, 20)] == [None, 20, 20, None]
    assert next_start_ms(one, 9) == 10
    ended = window(one.when, cancelled_ms=15, cancelled_by="anna")
    assert [counts_until_ms(ended, at) for at in (14, 15)] == [20, None]
    assert next_start_ms(ended, 9) is None


def test_a_silence_counts_up_to_its_end_and_until_it_is_ended():
    base: dict[str, Any] = {"id": 1, "matchers": (), "reason": "", "author": ""}
    one = Silence(starts_ms=10, ends_ms=20, created_ms=0, **base)
    assert [silence_counts(one, at) for at in (9, 10, 19, 20)] == [
        False,
        True,
        True,
        False,
    ]
    ended = Silence(starts_ms=10, ends_ms=20, created_ms=0, cancelled_ms=15, **base)
    assert [silence_counts(ended, at) for at in (14, 15)] == [True, False]
