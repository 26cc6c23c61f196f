"""Shares of a reference time: available, down, without data; pure.

What nobody measured is neither available nor down: it has a share of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from netmon.school_calendar import Span, joined
from netmon.storage.records import AlarmState
from netmon.units import HOUR_S

_HOUR_MS = int(HOUR_S * 1000)
# One good hour in a year makes no availability of 100 %.
KNOWN_SHARE = 0.5


class TimeShares(Struct, frozen=True, kw_only=True):
    """Milliseconds of a reference time; the three add up to it."""

    available_ms: int = 0
    down_ms: int = 0
    unknown_ms: int = 0

    @property
    def total_ms(self) -> int:
        """The reference time."""
        return self.available_ms + self.down_ms + self.unknown_ms

    def __add__(self, other: TimeShares) -> TimeShares:
        """Return the shares of both reference times together."""
        return TimeShares(
            available_ms=self.available_ms + other.available_ms,
            down_ms=self.down_ms + other.down_ms,
            unknown_ms=self.unknown_ms + other.unknown_ms,
        )

    @property
    def availability(self) -> float | None:
        """Available of what is known; None where less than half is."""
        known_ms = self.available_ms + self.down_ms
        if not known_ms or known_ms < KNOWN_SHARE * self.total_ms:
            return None
        return self.available_ms / known_ms


class StateChange(Struct, frozen=True, kw_only=True):
    """A transition: from ``at_ms`` on it is ``state``, which began ``since_ms``."""

    state: AlarmState
    at_ms: int
    since_ms: int


def down_spans(changes: Iterable[StateChange], until_ms: int) -> list[Span]:
    """Return when it was down for certain; ``changes`` in order of time.

    It began with the last sign of life and not when that was noticed; it ends with the
    next state, be it that nothing is known any more.
    """
    found: list[Span] = []
    began_ms: int | None = None
    for change in changes:
        if change.state is AlarmState.BAD:
            began_ms = change.since_ms if began_ms is None else began_ms
        elif began_ms is not None:
            found.append(Span(began_ms, change.at_ms))
            began_ms = None
    if began_ms is not None:
        found.append(Span(began_ms, until_ms))
    return joined(found)


def hour_spans(hours: Collection[int]) -> list[Span]:
    """Return the hours that begin at these moments, neighbours as one."""
    # A year has thousands: only where a run begins and ends is worth an object.
    known = set(hours)
    starts = sorted(hour for hour in known if hour - _HOUR_MS not in known)
    ends = sorted(hour + _HOUR_MS for hour in known if hour + _HOUR_MS not in known)
    return [Span(*pair) for pair in zip(starts, ends, strict=True)]


def both(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Return what lies in both; each is in order and without overlaps."""
    found: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start_ms = max(one[i].start_ms, other[j].start_ms)
        end_ms = min(one[i].end_ms, other[j].end_ms)
        if start_ms < end_ms:
            found.append(Span(start_ms, end_ms))
        if one[i].end_ms < other[j].end_ms:
            i += 1
        else:
            j += 1
    return found


def time_shares(
    reference: Sequence[Span], down: Sequence[Span], measured: Sequence[Span]
) -> TimeShares:
    """Return the shares of a reference time.

    What was down is down, whatever else was measured in that hour. Of the rest the
    measured hours were available.
    """
    seen = both(reference, measured)
    down_ms = _length_ms(both(reference, down))
    available_ms = _length_ms(seen) - _length_ms(both(seen, down))
    return TimeShares(
        available_ms=available_ms,
        down_ms=down_ms,
        unknown_ms=_length_ms(reference) - down_ms - available_ms,
    )


def _length_ms(spans: Iterable[Span]) -> int:
    return sum(span.length_ms for span in spans)
