"""Time: aware UTC for timestamps, monotonic seconds for durations."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")


class Clock(Protocol):
    """What the rest of netmon knows of time; tests pass a `ManualClock`."""

    def now(self) -> datetime:
        """Return the time as aware UTC."""

    def monotonic_s(self) -> float:
        """Return seconds that never jump; only differences mean something."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Return the wall clock as aware UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return `time.monotonic`."""
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told, so that a week takes a millisecond."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._mono = 0.0

    def now(self) -> datetime:
        """Return the time last set."""
        return self._now

    def monotonic_s(self) -> float:
        """Return the seconds advanced since the start."""
        return self._mono

    def advance(self, seconds: float) -> datetime:
        """Move both clocks forward and return the new time."""
        self._now += timedelta(seconds=seconds)
        self._mono += seconds
        return self._now


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """This machine's clock minus a peer's, give or take ``uncertainty_s``."""

    offset_s: float
    uncertainty_s: float


def clock_offset(asked_ms: int, answered_ms: int, peer_ms: int) -> ClockOffset:
    """Return the offset from one question: when asked, answered, and what was said.

    The peer looked at its clock at an unknown moment in between, so the middle is
    the best guess and half of the round trip its uncertainty (Cristian 1989), plus
    the half millisecond that each time was rounded by.
    """
    middle_ms = (asked_ms + answered_ms) / 2
    half_ms = max(0, answered_ms - asked_ms) / 2
    return ClockOffset((middle_ms - peer_ms) / 1000, (half_ms + 1) / 1000)


def to_ms(moment: datetime) -> int:
    """Return milliseconds since 1970 for an aware time.

    Raises:
        ValueError: the time carries no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without zone has no place in netmon")
    return round(moment.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    """Return the aware UTC time of milliseconds since 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def berlin_day(ms: int) -> date:
    """Return the calendar day in Dortmund at that moment."""
    return datetime.fromtimestamp(ms / 1000, BERLIN).date()


def day_bucket(day: date) -> int:
    """Return a day as the daily rollups write it, e.g. 20261120."""
    return day.year * 10_000 + day.month * 100 + day.day
