"""When a building has lessons, holidays, and times that no test may load; pure data.

A calendar is a TOML file, one for the city and perhaps one for a building, which
says what differs there. Times in it are
those of Dortmund; what comes out are spans in UTC milliseconds, so that the days on
which clocks change have the hours they have.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from netmon.clock import BERLIN, to_ms
from netmon.errors import ConfigError, Problem


class Weekday(StrEnum):
    """Days as the calendar writes them, Monday first."""

    MO = "mo"
    TU = "tu"
    WE = "we"
    TH = "th"
    FR = "fr"
    SA = "sa"
    SU = "su"


_SCHOOL_DAYS = (Weekday.MO, Weekday.TU, Weekday.WE, Weekday.TH, Weekday.FR)
_DAYS = tuple(Weekday)


class Span(Struct, frozen=True, order=True):
    """From ``start_ms`` up to, not with, ``end_ms``; UTC milliseconds."""

    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.end_ms - self.start_ms

    def holds(self, at_ms: int) -> bool:
        """Say whether a moment lies in it."""
        return self.start_ms <= at_ms < self.end_ms


def _in_order(start: time | date, end: time | date, *, strictly: bool) -> None:
    if end < start or (strictly and end == start):  # type: ignore[operator]
        raise ValueError(f"{end} is not after {start}")


class Lessons(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lesson time of some weekdays."""

    start: time
    end: time
    days: tuple[Weekday, ...] = _SCHOOL_DAYS

    def __post_init__(self) -> None:
        """Refuse a time that ends before it starts."""
        _in_order(self.start, self.end, strictly=True)


class Holidays(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days without lessons, the last one included."""

    first: date
    last: date
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse holidays that end before they begin."""
        _in_order(self.first, self.last, strictly=False)


class Protected(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time, such as an exam, in which no test may load the line."""

    day: date
    start: time
    end: time
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse a time that ends before it starts."""
        _in_order(self.start, self.end, strictly=True)


class SchoolCalendar(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it; without a file lessons are on weekdays from 8 to 16 o'clock."""

    lessons: tuple[Lessons, ...] = (Lessons(start=time(8), end=time(16)),)
    holidays: tuple[Holidays, ...] = ()
    protected: tuple[Protected, ...] = ()


class CalendarFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file says; None for a list that it does not have."""

    lessons: tuple[Lessons, ...] | None = None
    holidays: tuple[Holidays, ...] | None = None
    protected: tuple[Protected, ...] | None = None

    def over(self, wider: SchoolCalendar) -> SchoolCalendar:
        """Return the calendar where this file's lists count before a wider one's.

        Protected times add up: an exam of the whole city is not forgotten because a
        building has one of its own.
        """
        return SchoolCalendar(
            lessons=wider.lessons if self.lessons is None else self.lessons,
            holidays=wider.holidays if self.holidays is None else self.holidays,
            protected=wider.protected + (self.protected or ()),
        )


def read_calendar(path: Path, *, setting: str | None = None) -> CalendarFile:
    """Return what a TOML file says; ``setting`` is where its name is written.

    Raises:
        ConfigError: the file is missing, no TOML, or keys or values are wrong.
    """
    fix = "see docs/betrieb/kalender.md for names and types"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(raw, CalendarFile)
    except OSError as error:
        text = error.strerror or "cannot be read"
        problem = Problem(str(path), None, setting, text, "name a readable file")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem = Problem(str(path), None, None, f"no TOML: {error}", fix)
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at `")
        field = where.rstrip("`").removeprefix("$.") or None
        problem = Problem(str(path), None, field, text, fix)
    raise ConfigError([problem])


def load_calendar(path: Path) -> SchoolCalendar:
    """Return the calendar of one file alone; raises as `read_calendar`."""
    return read_calendar(path).over(SchoolCalendar())


def whole_day(day: date) -> Span:
    """Return a day in Dortmund: 23, 24 or 25 hours."""
    return Span(_local_ms(day, time(0)), _local_ms(day + timedelta(days=1), time(0)))


def lesson_time(calendar: SchoolCalendar, day: date) -> list[Span]:
    """Return when there are lessons on a day; nothing on holidays."""
    if any(one.first <= day <= one.last for one in calendar.holidays):
        return []
    weekday = _DAYS[day.weekday()]
    return joined(
        Span(_local_ms(day, one.start), _local_ms(day, one.end))
        for one in calendar.lessons
        if weekday in one.days
    )


def protected_time(calendar: SchoolCalendar, day: date) -> list[Span]:
    """Return when no test may load the line on a day."""
    return joined(
        Span(_local_ms(day, one.start), _local_ms(day, one.end))
        for one in calendar.protected
        if one.day == day
    )


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, those that touch or overlap as one."""
    found: list[Span] = []
    for span in sorted(span for span in spans if span.length_ms > 0):
        if found and span.start_ms <= found[-1].end_ms:
            last = found.pop()
            span = Span(last.start_ms, max(last.end_ms, span.end_ms))  # noqa: PLW2901
        found.append(span)
    return found


def without(spans: Iterable[Span], holes: Sequence[Span]) -> list[Span]:
    """Return what is left of the spans outside the holes."""
    left = joined(spans)
    for hole in holes:
        left = [
            part
            for span in left
            for part in (
                Span(span.start_ms, min(span.end_ms, hole.start_ms)),
                Span(max(span.start_ms, hole.end_ms), span.end_ms),
            )
            if part.length_ms > 0
        ]
    return left


def _local_ms(day: date, at: time) -> int:
    return to_ms(datetime.combine(day, at, BERLIN))
