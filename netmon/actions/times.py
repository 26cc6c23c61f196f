"""Times as people type them: ``jetzt``, ``+2h``, ``2026-12-01 18:00``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from netmon.actions.windows import is_left_out
from netmon.clock import BERLIN
from netmon.school_calendar import Weekday

_NOW = {"jetzt", "now"}
_LATER = re.compile(r"\+(\d{1,5})(min|m|h|d|t)")
_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}),? (\d{1,2}:\d{2})")
_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_WEEKDAYS = {
    **{day.value: day for day in Weekday},
    **dict(zip(("mo", "di", "mi", "do", "fr", "sa", "so"), Weekday, strict=True)),
}


class TimeTextError(ValueError):
    """A text that is no time; ``code`` ends the key that says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_moment(text: str, base: datetime, *, latest: bool = False) -> datetime:
    """Return the UTC time a text means; ``+2h`` counts from ``base``.

    ``+1d`` is the same time of day a day later. A time without zone is that of
    Dortmund; one that comes twice is its first coming, or its ``latest``.

    Raises:
        TimeTextError: no time, or one that the change of clocks leaves out.
    """
    text = text.strip()
    if text.lower() in _NOW:
        return base
    if later := _LATER.fullmatch(text):
        return _later(base, int(later[1]), later[2])
    if german := _GERMAN.fullmatch(text):
        text = f"{german[3]}-{german[2]:0>2}-{german[1]:0>2} {german[4]:0>5}"
    if len(text) < len("2026-12-01 18:00"):
        raise TimeTextError("no_time")
    try:
        found = datetime.fromisoformat(text)
        left_out = found.tzinfo is None and is_left_out(found)
        zoned = found if found.tzinfo else found.replace(tzinfo=BERLIN, fold=latest)
        in_utc = zoned.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise TimeTextError("no_time") from error
    if left_out:
        raise TimeTextError("left_out")
    return in_utc


def _later(base: datetime, number: int, unit: str) -> datetime:
    if unit in {"d", "t"}:
        there = base.astimezone(BERLIN) + timedelta(days=number)
        return there.astimezone(UTC)
    length = timedelta(hours=number) if unit == "h" else timedelta(minutes=number)
    return base + length


def parse_date(text: str) -> date:
    """Return the day of ``2026-12-24`` or ``24.12.2026``.

    Raises:
        TimeTextError: no day.
    """
    if german := _DAY.fullmatch(text.strip()):
        text = f"{german[3]}-{german[2]:0>2}-{german[1]:0>2}"
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise TimeTextError("no_day") from error


def parse_hours(text: str) -> tuple[time, time]:
    """Return start and end of ``22:00-04:00``.

    Raises:
        TimeTextError: no two times of day.
    """
    parts = [_CLOCK.fullmatch(part.strip()) for part in text.split("-")]
    found = [time(int(part[1]), int(part[2])) for part in parts if part is not None]
    if len(parts) != 2 or len(found) != 2:
        raise TimeTextError("no_hours")
    return found[0], found[1]


def parse_weekdays(text: str) -> tuple[Weekday, ...]:
    """Return the days of ``mo,di,fr``, Monday first.

    Raises:
        TimeTextError: not a weekday.
    """
    names = [name.strip().lower() for name in text.split(",")]
    if not all(name in _WEEKDAYS for name in names):
        raise TimeTextError("no_weekday")
    found = {_WEEKDAYS[name] for name in names}
    return tuple(day for day in Weekday if day in found)
