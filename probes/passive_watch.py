"""Reads the WAN counters now and then, so that lessons themselves prove the line."""

from __future__ import annotations

from collections import deque

from probes.counters import (
    LIVE_BELOW_S,
    LONGEST_REFRESH_S,
    CounterSource,
    Reading,
)
from probes.measure_protocol import Direction
from probes.passive import PassiveView, look

# Before a test has learnt how often the router refreshes: as rarely as any we know.
UNKNOWN_REFRESH_S = 2 * LONGEST_REFRESH_S
_KEPT = 240
_MISSED_IN_A_ROW = 3


class PassiveWatch:
    """Keeps the newest readings of one line; not for several threads at once."""

    def __init__(self, source: CounterSource | None) -> None:
        self._source = source
        self._readings: deque[Reading] = deque(maxlen=_KEPT)
        self._missed = 0
        self._has_learnt = False
        self.refresh_s = UNKNOWN_REFRESH_S

    @property
    def is_deaf(self) -> bool:
        """Whether there are counters, but they don't answer."""
        return self._missed >= _MISSED_IN_A_ROW

    def sample(self) -> None:
        """Read once; blocks for the router's time-out at most."""
        if self._source is None:
            return
        reading = self._source.read()
        if reading is None:
            self._missed += 1
            return
        self._missed = 0
        self._readings.append(reading)

    @property
    def wants_to_learn(self) -> bool:
        """Whether nobody has asked yet how often the router refreshes."""
        return self._source is not None and not self._has_learnt

    def learnt(self, refresh_s: float | None) -> None:
        """Take how often the router refreshes; 0 for always, None for unknown."""
        self._has_learnt = True
        if refresh_s is not None:
            self.refresh_s = max(refresh_s, LIVE_BELOW_S)

    def forget(self) -> None:
        """Begin anew: what a test moved is not what lessons did."""
        self._readings.clear()

    def view(
        self, direction: Direction, since_s: float, most_bps: float
    ) -> PassiveView | None:
        """Return what the readings since a monotonic time show; None for too few."""
        readings = [each for each in self._readings if each.at_s >= since_s]
        return look(readings, direction, self.refresh_s, most_bps)

    def now_bps(self, direction: Direction, not_before_s: float) -> float | None:
        """Return what the line carries now, L2; None where it isn't known.

        Readings from before a monotonic time say nothing about now.
        """
        if len(self._readings) < 2 or self._readings[-2].at_s < not_before_s:
            return None
        before, last = self._readings[-2], self._readings[-1]
        octets = last.octets(direction) - before.octets(direction)
        gap_s = last.at_s - before.at_s
        return 8 * octets / gap_s if octets >= 0 and gap_s > 0 else None
