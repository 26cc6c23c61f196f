"""What became of a train of numbered echoes: pure counting, times are given.

Each datagram has the same time to come back: an answer later than that is *late*
and counts as lost, whichever number it has. Of answers to one number the first
counts, the others are duplicates. An answer is *reordered* when a higher number
was answered before it (RFC 4737).

Which way a lost datagram was lost on can't be told from here: a missing answer
looks the same either way, so loss has no direction. The waiting has one: the
server's clock in the answer splits the round trip, and though the offset of the
two clocks is unknown it stays the same for the second a train takes (crystals
differ by less than 100 ppm: a tenth of a millisecond), so it cancels out of a
difference between two datagrams of one way.
"""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

# Fewer datagrams than this have no 95th percentile worth the name.
MIN_FOR_SPREAD = 5


class Train:
    """Datagrams sent and answered; all times in seconds of one monotonic clock."""

    def __init__(self, wait_s: float) -> None:
        self.rtts_s: dict[int, float] = {}
        self.late_count = 0
        self.duplicate_count = 0
        self.reordered_count = 0
        self._wait_s = wait_s
        self._sent_s: dict[int, float] = {}
        self._answered: set[int] = set()
        self._highest = -1
        self._up_s: list[float] = []
        self._down_s: list[float] = []

    def __len__(self) -> int:
        """Return how many were sent."""
        return len(self._sent_s)

    def sent(self, number: int, at_s: float) -> None:
        """Note that a datagram leaves."""
        self._sent_s[number] = at_s

    def received(self, number: int, at_s: float, server_s: float) -> None:
        """Note an answer. ``server_s`` is the server's clock, 0 of one without.

        A number that was never sent is somebody else's and is ignored.
        """
        sent_s = self._sent_s.get(number)
        if sent_s is None:
            return
        if number in self._answered:
            self.duplicate_count += 1
            return
        self.reordered_count += number < self._highest
        self._highest = max(self._highest, number)
        self._answered.add(number)
        if at_s - sent_s > self._wait_s:
            self.late_count += 1
            return
        self.rtts_s[number] = at_s - sent_s
        if server_s > 0:
            self._up_s.append(server_s - sent_s)
            self._down_s.append(at_s - server_s)

    def complete(self, count: int) -> bool:
        """Say whether all ``count`` datagrams have an answer."""
        return len(self._answered) == count

    def values(self) -> dict[str, float | None]:
        """Return the metrics of the kind ``latency``.

        ``jitter_s`` is None where no two neighbours came back in time (it is the
        mean absolute difference of their round trips: RFC 3550's quantity as a
        plain mean), the spreads where fewer than five did or the server tells no
        clock.

        Raises:
            ValueError: no answer came in time.
        """
        if not self.rtts_s:
            raise ValueError("no round trip, no values")
        rtts_s = self.rtts_s
        steps = [
            abs(rtts_s[after] - rtts_s[before])
            for before, after in pairwise(sorted(rtts_s))
            if after == before + 1
        ]
        return {
            "rtt_s": statistics.median(rtts_s.values()),
            "rtt_min_s": min(rtts_s.values()),
            "rtt_max_s": max(rtts_s.values()),
            "jitter_s": statistics.fmean(steps) if steps else None,
            "spread_down_s": spread_s(self._down_s),
            "spread_up_s": spread_s(self._up_s),
            "loss_ratio": (len(self) - len(rtts_s)) / len(self),
            "late_count": float(self.late_count),
            "duplicate_count": float(self.duplicate_count),
            "reordered_count": float(self.reordered_count),
        }


def spread_s(ways_s: list[float]) -> float | None:
    """Return the 95th percentile minus the shortest of one way's times.

    None for fewer than five. The percentile is the nearest rank: a time that one
    of the datagrams really took.
    """
    if len(ways_s) < MIN_FOR_SPREAD:
        return None
    ordered = sorted(ways_s)
    return ordered[math.ceil(0.95 * len(ordered)) - 1] - ordered[0]
