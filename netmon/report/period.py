"""The part of a year that a report speaks of, and its lesson time; pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cached_property

from msgspec import Struct

from netmon.clock import BERLIN, day_bucket, to_ms
from netmon.school_calendar import SchoolCalendar, Span, joined, lesson_time, whole_day


class Period(Struct, frozen=True, kw_only=True, dict=True):
    """From New Year's Day to the end of the year, or to now while it runs.

    Both are UTC milliseconds, and ``end_ms`` is not part of it. A year that has not
    begun is empty.
    """

    year: int
    start_ms: int
    end_ms: int

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The calendar days in Dortmund, the one that still runs included."""
        first = date(self.year, 1, 1)
        days = (first + timedelta(n) for n in range(366))
        return tuple(
            day
            for day in days
            if day.year == self.year and whole_day(day).start_ms < self.end_ms
        )

    @property
    def whole(self) -> tuple[Span, ...]:
        """All of it, day and night."""
        return (Span(self.start_ms, self.end_ms),) if self.days else ()

    @property
    def year_days(self) -> int:
        """How many days the year has."""
        return (date(self.year + 1, 1, 1) - date(self.year, 1, 1)).days


class LessonTime(Struct, frozen=True, kw_only=True):
    """When a calendar has lessons within a period, and on which days.

    ``has_holidays`` says whether it names holidays in the year at all: without them
    the summer counts as lesson time.
    """

    spans: tuple[Span, ...]
    days: frozenset[int]
    has_holidays: bool


def period_of(year: int, now: datetime) -> Period:
    """Return what of a year has passed by ``now``."""
    start_ms = to_ms(datetime(year, 1, 1, tzinfo=BERLIN))
    end_ms = to_ms(datetime(year + 1, 1, 1, tzinfo=BERLIN))
    return Period(
        year=year, start_ms=start_ms, end_ms=max(start_ms, min(end_ms, to_ms(now)))
    )


def lessons_in(period: Period, calendar: SchoolCalendar) -> LessonTime:
    """Return the lesson time of a calendar within a period."""
    found: list[Span] = []
    days: list[int] = []
    for day in period.days:
        spans = [_until(span, period.end_ms) for span in lesson_time(calendar, day)]
        spans = [span for span in spans if span.length_ms > 0]
        if spans:
            found += spans
            days.append(day_bucket(day))
    return LessonTime(
        spans=tuple(joined(found)),
        days=frozenset(days),
        has_holidays=_names_holidays(calendar, period.year),
    )


def _until(span: Span, end_ms: int) -> Span:
    return Span(span.start_ms, min(span.end_ms, end_ms))


def _names_holidays(calendar: SchoolCalendar, year: int) -> bool:
    days: Iterable[date] = (
        day for one in calendar.holidays for day in (one.first, one.last)
    )
    return any(day.year == year for day in days)
