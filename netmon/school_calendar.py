"""When a building has lessons, holidays, and times that no test may load; pure data.

A calendar is put together from what the state decides and from TOML files, one for
the city and perhaps one for a building, which says what differs there. Times in them
are those of Dortmund; what comes out are spans in UTC milliseconds, so that the days
on which clocks change have the hours they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from netmon.clock import BERLIN, berlin_day, to_ms
from netmon.errors import WrongValueError
from netmon.model import SchoolType
from netmon.strict_files import as_struct, read_toml

_T = TypeVar("_T")


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
# When the morning digest goes out.
SCHOOL_MORNING = time(7)
# The summer holidays have six weeks and a half.
_LONGEST_HOLIDAYS_DAYS = 90


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
        raise WrongValueError("ends_too_early", start=start, end=end)


class Lessons(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lesson time of some weekdays."""

    start: time
    end: time
    days: tuple[Weekday, ...] = _SCHOOL_DAYS

    def __post_init__(self) -> None:
        """Refuse a time that ends before it starts."""
        _in_order(self.start, self.end, strictly=True)


class FileLessons(Lessons, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lesson time as a file has it: of some school types, or of all others."""

    school_types: tuple[SchoolType, ...] = ()

    def plain(self) -> Lessons:
        """Return it as probes know it."""
        return Lessons(start=self.start, end=self.end, days=self.days)


class DayOff(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day that schools choose themselves: a movable holiday, one for teachers."""

    day: date
    name: str = ""

    def as_holidays(self) -> Holidays:
        """Return it as probes know it."""
        return Holidays(first=self.day, last=self.day, name=self.name)


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
    """All of it; without a file lessons are on weekdays from 8 to 16 o'clock.

    It goes to probes, and one that is older than the centre refuses what it does not
    know: what is new in a file has to end in these three lists.
    """

    lessons: tuple[Lessons, ...] = (Lessons(start=time(8), end=time(16)),)
    holidays: tuple[Holidays, ...] = ()
    protected: tuple[Protected, ...] = ()


class CalendarFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file says; None for what it does not have.

    ``state_holidays`` says whether those of the state count as well.
    """

    state_holidays: bool | None = None
    lessons: tuple[FileLessons, ...] | None = None
    holidays: tuple[Holidays, ...] | None = None
    days_off: tuple[DayOff, ...] | None = None
    protected: tuple[Protected, ...] | None = None

    def lessons_of(self, school_type: SchoolType | None) -> tuple[Lessons, ...] | None:
        """Return the lessons of a school type; None where the file leaves them open.

        An entry without types is for those that none names. None asks for the
        whole city: the entries without types, or all where there are no such.
        """
        if self.lessons is None:
            return None
        named = [x for x in self.lessons if school_type in x.school_types]
        others = [x for x in self.lessons if not x.school_types]
        found = named or others or ([] if school_type else self.lessons)
        if self.lessons and not found:
            return None
        return tuple(one.plain() for one in found)


def put_together(
    files: Sequence[CalendarFile],
    school_type: SchoolType | None = None,
    state: Sequence[Holidays] = (),
) -> SchoolCalendar:
    """Return the calendar of files, the widest first, and of the state's holidays.

    Lessons and holidays of a narrower file count instead of a wider one's. Days off
    and protected times add up: an exam of the whole city is not forgotten because a
    building has one of its own.
    """
    said = [file.lessons_of(school_type) for file in files]
    lessons = _last(said, SchoolCalendar().lessons)
    days_off = [x.as_holidays() for file in files for x in file.days_off or ()]
    holidays = (
        *(
            state
            if _last([file.state_holidays for file in files], default=True)
            else ()
        ),
        *_last([file.holidays for file in files], ()),
        *days_off,
    )
    return SchoolCalendar(
        lessons=lessons,
        holidays=tuple(sorted(holidays, key=lambda x: (x.first, x.last, x.name))),
        protected=tuple(x for file in files for x in file.protected or ()),
    )


def _last(said: Sequence[_T | None], default: _T) -> _T:
    return next((one for one in reversed(said) if one is not None), default)


def read_calendar(path: Path, *, setting: str | None = None) -> CalendarFile:
    """Return what a TOML file says; ``setting`` is where its name is written.

    Raises:
        ConfigError: the file is missing, no TOML, or keys or values are wrong.
    """
    return as_struct(
        read_toml(path, setting=setting),
        CalendarFile,
        source=str(path),
        see="docs/betrieb/kalender.md",
    )


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


def is_school_day(calendar: SchoolCalendar, day: date) -> bool:
    """Say whether there are lessons on a day."""
    return bool(lesson_time(calendar, day))


def in_lessons(calendar: SchoolCalendar, at_ms: int) -> bool:
    """Say whether there are lessons at a moment."""
    return any(span.holds(at_ms) for span in lesson_time(calendar, berlin_day(at_ms)))


def next_school_morning_ms(
    calendar: SchoolCalendar, now_ms: int, at: time = SCHOOL_MORNING
) -> int:
    """Return when it is next that time of a school day, later than now.

    Where there are no lessons for months, the next day from Monday to Friday counts:
    what waits for a school day must not wait for ever.
    """
    today = berlin_day(now_ms)
    days = [today + timedelta(days=n) for n in range(_LONGEST_HOLIDAYS_DAYS)]
    mornings = [(day, _local_ms(day, at)) for day in days]
    later = [(day, ms) for day, ms in mornings if ms > now_ms]
    found = next((ms for day, ms in later if is_school_day(calendar, day)), None)
    if found is None:
        return next(ms for day, ms in later if _DAYS[day.weekday()] in _SCHOOL_DAYS)
    return found


def around(calendar: SchoolCalendar, day: date) -> SchoolCalendar:
    """Return it with the holidays that touch the years before, of and after a day.

    A probe plans days, not years, and may hear nothing for months.
    """
    near = [
        one
        for one in calendar.holidays
        if one.first.year <= day.year + 1 and one.last.year >= day.year - 1
    ]
    return replace(calendar, holidays=tuple(near))


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
