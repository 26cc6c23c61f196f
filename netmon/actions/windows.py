"""When a maintenance window counts; pure.

A weekly window is a rule about the clock on the wall, so its moments are made from
dates and times in Dortmund, one day at a time, and never by adding hours to an
earlier one: that moves windows by an hour after each change of clocks (icinga2
#7947, #7951).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from netmon.clock import BERLIN, berlin_day, to_ms
from netmon.school_calendar import Span, Weekday, joined
from netmon.storage.action_records import Maintenance, OneOff, Silence, Weekly

_DAYS = tuple(Weekday)
# How far ahead windows that follow each other without a gap count as one.
_AHEAD_DAYS = 15


def wall_ms(day: date, at: time, *, latest: bool = False) -> int:
    """Return when the wall clock in Dortmund shows a time on a day.

    A time that comes twice is its first coming, or its ``latest``. One that the
    change of clocks leaves out is the moment of the change.
    """
    wall = datetime.combine(day, at)
    before = wall.replace(tzinfo=BERLIN, fold=0)
    after = wall.replace(tzinfo=BERLIN, fold=1)
    if not is_left_out(wall):
        return to_ms(after if latest else before)
    # The change, at a whole second, lies between the two readings of a missing time.
    low_s, high_s = int(after.timestamp()), int(before.timestamp())
    while high_s - low_s > 1:
        middle_s = (low_s + high_s) // 2
        if _offset(middle_s) == _offset(low_s):
            low_s = middle_s
        else:
            high_s = middle_s
    return high_s * 1000


def _offset(at_s: int) -> timedelta | None:
    return datetime.fromtimestamp(at_s, BERLIN).utcoffset()


def is_left_out(wall: datetime) -> bool:
    """Say whether the wall clock in Dortmund never shows a time without zone."""
    there = wall.replace(tzinfo=BERLIN).astimezone(UTC).astimezone(BERLIN)
    return there.replace(tzinfo=None, fold=0) != wall.replace(fold=0)


def weekly_spans(window: Weekly, first: date, last: date) -> Iterator[Span]:
    """Yield the times that begin on days from ``first`` to ``last``, in order.

    Each lasts as long as the wall clock says: an hour less or more on the days on
    which it changes. One that falls wholly into the missing hour is left out.
    """
    day, last = max(first, window.first), min(last, window.last)
    over_night = window.end <= window.start
    while day <= last:
        if _DAYS[day.weekday()] in window.days and day not in window.excluded:
            end_day = day + timedelta(days=1) if over_night else day
            start_ms = wall_ms(day, window.start)
            end_ms = wall_ms(end_day, window.end, latest=True)
            if end_ms > start_ms:
                yield Span(start_ms, end_ms)
        day += timedelta(days=1)


def last_end_ms(when: OneOff | Weekly) -> int | None:
    """Return when the last time of a window is over; None where it has none."""
    if isinstance(when, OneOff):
        return when.ends_ms
    # Somewhere in the last eight days, unless those are excluded.
    for span in reversed(list(weekly_spans(when, when.first, when.last))):
        return span.end_ms
    return None


def counts_until_ms(window: Maintenance, now_ms: int) -> int | None:
    """Return until when a window counts without a break; None if it does not now."""
    if window.cancelled_ms is not None and window.cancelled_ms <= now_ms:
        return None
    if isinstance(window.when, OneOff):
        found = [Span(window.when.starts_ms, window.when.ends_ms)]
    else:
        # A time lasts a day at most: it began today or yesterday.
        today = berlin_day(now_ms)
        found = list(
            weekly_spans(
                window.when,
                today - timedelta(days=2),
                today + timedelta(days=_AHEAD_DAYS),
            )
        )
    return next((x.end_ms for x in joined(found) if x.holds(now_ms)), None)


def next_start_ms(window: Maintenance, now_ms: int) -> int | None:
    """Return when a window begins next; None where it never does again."""
    if window.cancelled_ms is not None:
        return None
    if isinstance(window.when, OneOff):
        starts_ms = window.when.starts_ms
        return starts_ms if starts_ms > now_ms else None
    spans = weekly_spans(window.when, berlin_day(now_ms), window.when.last)
    return next((x.start_ms for x in spans if x.start_ms > now_ms), None)


def silence_counts(silence: Silence, now_ms: int) -> bool:
    """Say whether a silence counts now."""
    if silence.cancelled_ms is not None and silence.cancelled_ms <= now_ms:
        return False
    return silence.starts_ms <= now_ms < silence.ends_ms
