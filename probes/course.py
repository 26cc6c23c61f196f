"""The course of a capacity test: go on, add a stream, or stop; pure, it is told the time.

Fed with samples and echoes while the test runs; the test itself (`probes.capacity`)
only moves data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from probes.estimate import (
    LIMIT_S,
    VARYING_S,
    Run,
    Sample,
    batch_rates,
    converged,
    mean_rate_bps,
    ramp_is_over,
    window_s,
)
from probes.limits import RETRANS_SHARE
from probes.spans import BusySpans, full_runs

# What one stream is trusted to keep on its way: less than common buffers hold.
WINDOW_BYTES = 250_000
# A line that is full for less of the time is not filled by so few streams.
FULL_SHARE = 0.5
# Streams that bring less than this more: not the number of streams is the limit.
GROWTH = 0.03
# How long a level is watched after its ramp.
LOOK_S = 0.12
UNSATURATED_S = 1.0
# Two samples and a little.
RECENT_S = 0.045
# Counters count up to now, echoes prove up to a round trip ago.
SEEN_S = 0.200


class Step(StrEnum):
    """What the test does next."""

    GO_ON = "go_on"
    GROW = "grow"
    STOP = "stop"


class Why(StrEnum):
    """Why a test stopped; texts under ``probe.event``."""

    CERTAIN = "certain"
    LOSSES = "losses"
    NOT_FULL = "not_full"
    TIME = "time"
    BYTES = "bytes"
    ASKED = "asked"


@dataclass
class Course:
    """One running test, up to its decision.

    ``idle_rtt_s`` is the empty round trip, ``most_streams`` what may be released.
    ``by_edges``: the counters are refreshed rarely, two refreshes have to be awaited.
    ``own`` is the growing list of our own octets, where others are counted too.
    """

    started_s: float
    idle_rtt_s: float
    limit_s: float = LIMIT_S
    most_streams: int = 1
    is_varying: bool = False
    by_edges: bool = False
    spans: BusySpans = field(default_factory=BusySpans)
    own: Run | None = None
    streams: int = 1
    ramp_over_s: float | None = None
    full_s: float | None = None
    why: Why = Why.TIME
    _level_s: float = 0.0
    _levels: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._level_s = self.started_s

    def grew(self, now_s: float, streams: int) -> None:
        """Note that more streams move from now on."""
        self.streams = streams
        self._level_s = now_s
        self.ramp_over_s = None

    def runs(self, samples: Run, now_s: float) -> list[list[Sample]]:
        """Return the stretches of the samples in which the line was full.

        What the newest echoes have not shown yet is taken as the last ones showed it.
        """
        spans = self.spans
        last_s = spans.last_s
        if spans.is_busy and last_s is not None and now_s - last_s < self._unseen_s():
            spans = spans.reaching(now_s)
        return full_runs(samples, spans)

    def _unseen_s(self) -> float:
        return min(SEEN_S, 2 * self.idle_rtt_s + 0.05)

    def decide(self, now_s: float, samples: Run, retransmitted: float | None) -> Step:
        """Say what to do; ``samples`` are all octets on the line, or else our own."""
        if self.full_s is None and self.spans.first_s is not None:
            self.full_s = self.spans.first_s
        if now_s - self.started_s >= self.limit_s:
            return self._stop(Why.TIME)
        if self.by_edges:
            return self._between_edges(now_s, samples)
        runs = self.runs(samples, now_s)
        if self._is_certain(runs):
            return self._stop(Why.CERTAIN)
        if self.ramp_over_s is None:
            level = [s for s in samples if s.at_s >= self._level_s]
            if not ramp_is_over(level, self._level_s, self.idle_rtt_s):
                return self._early_growth(samples if self.own is None else self.own)
            self.ramp_over_s = now_s
        return self._watch_level(now_s, samples, retransmitted)

    def _is_certain(self, runs: Sequence[Run]) -> bool:
        if self.is_varying:
            return window_s(runs) >= VARYING_S
        return converged(batch_rates(runs))

    def _stop(self, why: Why) -> Step:
        self.why = why
        return Step.STOP

    def _between_edges(self, now_s: float, samples: Run) -> Step:
        inside = [s for s in samples if self.full_s and s.at_s >= self.full_s]
        if len(inside) >= 2:
            return self._stop(Why.CERTAIN)
        if self.ramp_over_s is None and now_s - self.started_s > 0.2 + LOOK_S:
            self.ramp_over_s = now_s
            if self._share(now_s) < FULL_SHARE and self.streams < self.most_streams:
                return Step.GROW
        return Step.GO_ON

    def _early_growth(self, own: Run) -> Step:
        """Add a stream before the first one's buffers can become the limit."""
        recent = [s for s in own[-4:] if s.at_s >= own[-1].at_s - RECENT_S]
        held_bytes = mean_rate_bps([recent]) * self.idle_rtt_s / 8
        if held_bytes > WINDOW_BYTES * self.streams and self._may_grow():
            return Step.GROW
        return Step.GO_ON

    def _may_grow(self) -> bool:
        return self.streams < self.most_streams

    def _share(self, now_s: float) -> float:
        from_s = self.ramp_over_s or self._level_s
        spans = self.spans
        seen_s = now_s - self.idle_rtt_s - 0.01
        if spans.last_s is not None:
            seen_s = max(seen_s, min(spans.last_s, now_s))
        return spans.share(min(from_s, seen_s - LOOK_S), seen_s)

    def _watch_level(
        self, now_s: float, samples: Run, retransmitted: float | None
    ) -> Step:
        ramp_over_s = self.ramp_over_s or now_s
        if now_s - ramp_over_s < max(LOOK_S, 2 * self.idle_rtt_s):
            return Step.GO_ON
        if self._share(now_s) >= FULL_SHARE:
            return Step.GO_ON  # only more of it is needed
        after = [s for s in samples if s.at_s >= ramp_over_s]
        rate_bps = mean_rate_bps([after])
        brought = not self._levels or rate_bps > self._levels[-1] * (1 + GROWTH)
        if self._may_grow() and brought:
            self._levels.append(rate_bps)
            return Step.GROW
        if converged(batch_rates([after])):
            if not brought and (retransmitted or 0.0) > RETRANS_SHARE:
                return self._stop(Why.LOSSES)
            if window_s([after]) >= UNSATURATED_S:
                return self._stop(Why.NOT_FULL)
        return Step.GO_ON
