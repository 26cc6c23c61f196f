"""When the line had no pause: what echoes prove about its queue; pure.

An echo that waited in the queue of a direction for W seconds was behind other packets
all that time, so the line sent without a pause from when it came to when it left.
Octets counted over such a stretch are the line's rate, whatever share of them is
ours, and need neither a ramp to be over nor a stream that wins against others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from probes.estimate import Sample

# Less waiting than this is the jitter of clocks and schedulers.
LEAST_WAIT_S = 0.0015
MOST_NOISE_S = 0.004
# Between two echoes that both waited nobody saw the queue for so long: half of what
# lies between two echoes.
JOIN_S = 0.0025
# How exact the times of echoes and counters are against each other.
EDGE_S = 0.0004


def least_wait_s(idle_rtts_s: Sequence[float]) -> float:
    """Return from which waiting on an echo has stood in a queue.

    Twice the spread of the quicker half of the idle echoes, within bounds: the slower
    half may have met other traffic.
    """
    if len(idle_rtts_s) < 4:
        return LEAST_WAIT_S
    ordered = sorted(idle_rtts_s)
    noise_s = 2 * (ordered[len(ordered) // 4] - ordered[0])
    return min(max(noise_s, LEAST_WAIT_S), MOST_NOISE_S)


@dataclass
class BusySpans:
    """The stretches without a pause, in order and apart from each other."""

    least_s: float = LEAST_WAIT_S
    join_s: float = JOIN_S
    is_busy: bool = False
    _spans: list[tuple[float, float]] = field(default_factory=list)

    def add(self, from_s: float, to_s: float) -> None:
        """Take an echo that was in the queue over that time; echoes come in order.

        ``is_busy`` says whether the newest one had to wait.
        """
        self.is_busy = to_s - from_s >= self.least_s
        if not self.is_busy:
            return
        spans = self._spans
        while spans and spans[-1][1] >= from_s - self.join_s:
            if spans[-1][0] > to_s + self.join_s:
                break
            last = spans.pop()
            from_s, to_s = min(from_s, last[0]), max(to_s, last[1])
        spans.append((from_s, to_s))

    @property
    def last_s(self) -> float | None:
        """Until when the line is known to have been busy last; None: never yet."""
        return self._spans[-1][1] if self._spans else None

    @property
    def first_s(self) -> float | None:
        """When the line was first seen busy; None: never yet."""
        return self._spans[0][0] if self._spans else None

    def reaching(self, until_s: float) -> BusySpans:
        """Return the same with the last stretch reaching on to that time."""
        longer = BusySpans(self.least_s, self.join_s, self.is_busy, list(self._spans))
        if longer._spans and longer._spans[-1][1] < until_s:
            longer._spans[-1] = (longer._spans[-1][0], until_s)
        return longer

    def cover(self, from_s: float, to_s: float) -> bool:
        """Say whether one stretch holds all of that time."""
        at = bisect_right(self._spans, (from_s + EDGE_S, float("inf"))) - 1
        return at >= 0 and self._spans[at][1] >= to_s - EDGE_S

    def share(self, from_s: float, to_s: float) -> float:
        """Return which share of that time was without a pause."""
        if to_s <= from_s:
            return 0.0
        covered = sum(
            max(0.0, min(end, to_s) - max(begin, from_s)) for begin, end in self._spans
        )
        return min(1.0, covered / (to_s - from_s))


def full_runs(samples: Sequence[Sample], spans: BusySpans) -> list[list[Sample]]:
    """Return the successive samples between which the line had no pause."""
    runs: list[list[Sample]] = []
    for before, after in pairwise(samples):
        if not spans.cover(before.at_s, after.at_s):
            continue
        if runs and runs[-1][-1] is before:
            runs[-1].append(after)
        else:
            runs.append([before, after])
    return runs
