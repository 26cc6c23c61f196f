"""The floor test: is the line at least so fast? Answered with a few megabytes.

One stream, paced just above the threshold less what lessons already move. It ends as
soon as the interval lies above the threshold (pass), or below it while the line was
full (miss). A miss never alarms by itself: it asks for the capacity test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from probes.base import Emit, MeasureAddress, say_nothing
from probes.capacity import CapacityOptions, CapacityTest
from probes.counters import CounterSource, Refresh
from probes.course import Course, Step, Why
from probes.estimate import (
    Run,
    Sample,
    batch_rates,
    clock_error_bps,
    half_width,
    mean_rate_bps,
    rate_payload_bps,
    window_s,
)
from probes.measure_protocol import Direction
from probes.outcome import CapacityResult
from probes.wirelevel import OwnSource

METHOD = "tcp-floor/2"
OVER = 1.08
LEAST_SHARE = 0.25
# So long a line has to be seen full, and too slow, before that counts as a miss.
MIN_FULL_S = 0.6
LIMIT_S = 2.5
# Fewer batches than this have an interval too wide or, by luck, too narrow.
MIN_BATCHES = 4
BATCH_S = 0.060
# What the test may take beside lessons that move more than this share of it.
LOADED_SHARE = 0.5
# Payload; with headers 3 MB on the wire.
MAX_BYTES_LOADED = 2_800_000
MAX_BYTES = 60_000_000


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


def max_bytes(threshold_bps: float, cross_bps: float) -> int:
    """Return what the test may move: little beside lessons; pure."""
    is_loaded = cross_bps > LOADED_SHARE * threshold_bps
    return MAX_BYTES_LOADED if is_loaded else MAX_BYTES


def bounds(runs: Sequence[Run]) -> tuple[float, float]:
    """Return the 95 % interval of what the runs carried; 0 to infinite if too short."""
    rates = batch_rates(runs, BATCH_S)
    if len(rates) < MIN_BATCHES:
        return 0.0, math.inf
    rate_bps = mean_rate_bps(runs)
    half_bps = half_width(rates) + clock_error_bps(runs)
    return rate_bps - half_bps, rate_bps + half_bps


def judge(carried: Run, full: Sequence[Run], threshold_bps: float) -> Floor | None:
    """Return the answer as soon as the samples carry one; None before; pure.

    ``carried`` is all since the ramp, ``full`` the runs in which the line had no
    pause. Only the latter can show that it is too slow: a stream that lessons push
    aside leaves room nobody uses.
    """
    full_low, full_high = bounds(full)
    if max(bounds([carried])[0], full_low) > threshold_bps:
        return Floor.PASS
    if window_s(full) >= MIN_FULL_S and full_high < threshold_bps:
        return Floor.MISS
    return None


class FloorTest(CapacityTest):
    """Asks the question of one direction; blocking, for a thread of its own."""

    method = METHOD

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
        own: OwnSource | None = None,
        emit: Emit = say_nothing,
    ) -> None:
        options = options or CapacityOptions(congestion="cubic")
        most = min(options.max_bytes, max_bytes(threshold_bps, cross_bps))
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
                max_bytes=most,
                pacing_bps=pacing_bps(threshold_bps, cross_bps),
            ),
            own=own,
            # The answer is told, not the rate that it was found at.
            emit=lambda event, fields: (
                None if event.startswith("found_") else emit(event, fields)
            ),
        )
        self._threshold_bps = threshold_bps
        self._verdict: Floor | None = None

    def ask(self, direction: Direction) -> FloorResult:
        """Return the answer for a direction; raises as `CapacityTest.run`."""
        self._verdict = None  # set by `_decide` while the test runs
        run = self.run(direction)
        found: Floor | None = self._verdict
        if run.weakness:
            found = Floor.INVALID
        verdict = found or Floor.NO_VERDICT
        asked_bps = rate_payload_bps(self._threshold_bps)
        self._emit(f"floor_{verdict}", {"threshold_bps": asked_bps})
        return FloorResult(verdict, self._threshold_bps, run)

    def _decide(
        self, course: Course, now_s: float, samples: list[Sample], lost: float | None
    ) -> Step:
        step = course.decide(now_s, samples, lost)
        carried: list[Sample] = []
        if course.ramp_over_s is not None:
            carried = [s for s in samples if s.at_s >= course.ramp_over_s]
        runs = course.runs(samples, now_s)
        self._verdict = judge(carried, runs, self._threshold_bps)
        if self._verdict is not None:
            course.why = Why.ASKED
            return Step.STOP
        # The capacity test's other reasons to stop are none here.
        return step if course.why is Why.TIME else Step.GO_ON
