"""The floor test: is the line at least so fast? Answered with a few megabytes.

One stream, paced just above the threshold less what lessons already move. It ends as
soon as the interval lies above the threshold (pass), or below it while the line was
full (miss). A miss never alarms by itself: it asks for the capacity test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from probes.base import MeasureAddress
from probes.capacity import CapacityOptions, CapacityResult, CapacityTest
from probes.counters import CounterSource, Refresh
from probes.estimate import Progress, Sample, estimate, full_since_s
from probes.measure_protocol import Operation

METHOD = "tcp-floor/1"
OVER = 1.08
LEAST_SHARE = 0.25
MIN_FULL_S = 0.6
# Echoes close together show that the line had no pause between two of them.
TICK_S = 0.005
LIMIT_S = 2.5
# Fewer batches than this have an interval too wide or, by luck, too narrow.
MIN_BATCHES = 4


class Floor(StrEnum):
    """The answer."""

    PASS = "pass"  # noqa: S105 - no password
    MISS = "miss"
    NO_VERDICT = "no_verdict"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class FloorResult:
    """The answer and the run it rests on; ``threshold_bps`` is at L2 without FCS."""

    verdict: Floor
    threshold_bps: float
    run: CapacityResult


def pacing_bps(threshold_bps: float, cross_bps: float) -> float:
    """Return how fast the stream may send; pure."""
    wanted = OVER * threshold_bps - cross_bps
    return max(wanted, LEAST_SHARE * threshold_bps)


def judge(
    samples: Sequence[Sample], threshold_bps: float, full_from_s: float
) -> Floor | None:
    """Return the answer as soon as the samples carry one; None before; pure.

    ``full_from_s`` is since when every echo had to queue (infinite: it has not).
    Only what was counted while the line was full can show that it is too slow: a
    stream that lessons push aside leaves room nobody uses.
    """
    found = estimate(samples, saturated=True)
    if found.batches >= MIN_BATCHES and found.low_bps > threshold_bps:
        return Floor.PASS
    full = [sample for sample in samples if sample.at_s >= full_from_s]
    found = estimate(full, saturated=True)
    if found.window_s >= MIN_FULL_S and found.high_bps < threshold_bps:
        return Floor.MISS
    return None


class FloorTest(CapacityTest):
    """Asks the question of one direction; blocking, for a thread of its own."""

    def __init__(  # noqa: PLR0913 - the capacity test's, and what is asked
        self,
        server: MeasureAddress,
        *,
        line: str,
        interface: str,
        threshold_bps: float,
        cross_bps: float = 0.0,
        counters: CounterSource | None = None,
        refresh: Refresh | None = None,
        options: CapacityOptions | None = None,
    ) -> None:
        options = options or CapacityOptions(congestion="cubic")
        super().__init__(
            server,
            line=line,
            interface=interface,
            counters=counters,
            refresh=refresh,
            options=replace(
                options,
                streams=1,
                limit_s=LIMIT_S,
                tick_s=TICK_S,
                pacing_bps=pacing_bps(threshold_bps, cross_bps),
            ),
        )
        self._threshold_bps = threshold_bps
        self._verdict: Floor | None = None

    def ask(self, direction: Operation) -> FloorResult:
        """Return the answer for a direction; raises as `CapacityTest.run`."""
        self._verdict = None  # set by `_enough` while the test runs
        run = self.run(direction)
        found: Floor | None = self._verdict
        if run.limited_by:
            found = Floor.INVALID
        return FloorResult(found or Floor.NO_VERDICT, self._threshold_bps, run)

    def _enough(
        self, samples: list[Sample], progress: Progress, *, saturated: bool
    ) -> bool:
        full_from_s = full_since_s(progress.echoes, progress.idle_rtt_s, TICK_S)
        self._verdict = judge(samples, self._threshold_bps, full_from_s)
        return self._verdict is not None
