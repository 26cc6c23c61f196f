"""How fast is the line: the decision from samples to a number with an interval; pure.

Samples are octets seen at a point of the path at a time. After the ramp they are
cut into batches; the test may stop when the batches agree, not when time is up.
The rate is L2 (without FCS) where the octets are; `rate_ip_bps` converts.

Method and constants: measured with the lab of this project (bench/uplink.py); the
names of the constants say what they bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from statistics import fmean, median

BATCH_S = 0.060
MIN_BATCHES = 6
RAMP_MIN_S = 0.120
RAMP_MIN_RTTS = 5
RAMP_GROWTH = 0.06
HALF_WIDTH = 0.015
HALVES_DIFFER = 0.03
UNSATURATED_S = 1.0
LIMIT_S = 4.0
QUEUE_MIN_S = 0.002
QUEUE_MIN_SHARE = 0.3
RETRANS_SHARE = 0.0005

# Student's t, two-sided 95 %, by degrees of freedom; beyond the table 1.96 rounds up.
_T95 = (
    *(0.0, 12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
)

PAYLOAD_BYTES, IP_BYTES, FRAME_BYTES = 1448, 1500, 1514


class ResultKind(StrEnum):
    """What a number means. Only ``capacity`` may ever raise an alarm."""

    CAPACITY = "capacity"
    AT_LEAST = "at_least"
    NO_VERDICT = "no_verdict"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Sample:
    """Octets seen so far, and when. ``error_s`` bounds how wrong the time is."""

    at_s: float
    octets: float
    error_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate in bit/s at L2 with its 95 % interval; ``window_s`` is what it rests on."""

    kind: ResultKind
    rate_bps: float
    low_bps: float
    high_bps: float
    window_s: float
    batches: int


def rate_ip_bps(rate_l2_bps: float) -> float:
    """Return the IP-layer rate of full frames at an L2 rate (without FCS)."""
    return rate_l2_bps * IP_BYTES / FRAME_BYTES


def rate_payload_bps(rate_l2_bps: float) -> float:
    """Return the TCP payload rate (IPv4, timestamps) of full frames at an L2 rate."""
    return rate_l2_bps * PAYLOAD_BYTES / FRAME_BYTES


def t95(freedom: int) -> float:
    """Return Student's t for a two-sided 95 % interval; infinite below 1."""
    if freedom < 1:
        return math.inf
    return _T95[freedom] if freedom < len(_T95) else 2.0


# Ticks come every 20 ms, now and then a little early.
_NEARLY = 0.95


def batch_rates(samples: Sequence[Sample], batch_s: float = BATCH_S) -> list[float]:
    """Return bit/s of successive batches of (nearly) at least that length."""
    rates: list[float] = []
    if not samples:
        return rates
    first = samples[0]
    for sample in samples[1:]:
        if sample.at_s - first.at_s >= _NEARLY * batch_s:
            bits = 8 * (sample.octets - first.octets)
            rates.append(bits / (sample.at_s - first.at_s))
            first = sample
    return rates


def half_width(rates: Sequence[float]) -> float:
    """Return half of the 95 % interval of the mean, in bit/s; infinite for < 3.

    Neighbouring batches hang together (queues, bursts), so the standard error is
    widened by their lag-1 correlation; a negative one is not used to narrow it.
    """
    n = len(rates)
    if n < 3:
        return math.inf
    mean = fmean(rates)
    deviations = [rate - mean for rate in rates]
    square = sum(d * d for d in deviations)
    if square == 0:
        return 0.0
    lag = sum(a * b for a, b in pairwise(deviations)) / square
    lag = min(0.9, max(0.0, lag))
    variance = square / (n - 1)
    return t95(n - 1) * math.sqrt(variance / n * (1 + lag) / (1 - lag))


def ramp_is_over(samples: Sequence[Sample], started_s: float, rtt_s: float) -> bool:
    """Say whether the newest 60 ms brought hardly more than the 60 ms before."""
    if not samples:
        return False
    now_s = samples[-1].at_s
    if now_s - started_s < max(RAMP_MIN_S, RAMP_MIN_RTTS * rtt_s) + BATCH_S:
        return False
    recent = [s for s in samples if s.at_s >= now_s - 3.4 * BATCH_S]
    rates = batch_rates(recent)
    return len(rates) >= 2 and rates[-1] < rates[-2] * (1 + RAMP_GROWTH)


def is_saturated(
    loaded_rtt_s: Sequence[float], idle_rtt_s: float, retrans_share: float
) -> bool:
    """Say whether the line was full: its queue grew, or it dropped packets."""
    if retrans_share > RETRANS_SHARE:
        return True
    return bool(loaded_rtt_s) and median(loaded_rtt_s) > queueing_from_s(idle_rtt_s)


def queueing_from_s(idle_rtt_s: float) -> float:
    """Return from which round trip on packets have waited in the line's queue."""
    return idle_rtt_s + max(QUEUE_MIN_S, QUEUE_MIN_SHARE * idle_rtt_s)


def full_since_s(
    echoes: Sequence[tuple[float, float]], idle_rtt_s: float, spacing_s: float
) -> float:
    """Return since when the line had no pause; infinite if the newest echo shows one.

    ``echoes`` are (time, round trip) in order, ``spacing_s`` apart. A queue that is
    longer than the time to the next echo can't run empty in between: that is what
    each has to show.
    """
    from_s = max(queueing_from_s(idle_rtt_s), idle_rtt_s + spacing_s)
    since = math.inf
    for at_s, rtt_s in reversed(echoes):
        if rtt_s <= from_s:
            break
        since = at_s
    return since


def estimate(samples: Sequence[Sample], *, saturated: bool) -> Estimate:
    """Return what a window of samples says; the kind is what it may be called.

    Fewer than two samples say nothing: rate 0 with an infinite interval.
    """
    rates = batch_rates(samples)
    if len(samples) < 2 or samples[-1].at_s <= samples[0].at_s:
        return Estimate(ResultKind.NO_VERDICT, 0.0, 0.0, math.inf, 0.0, 0)
    window_s = samples[-1].at_s - samples[0].at_s
    rate_bps = 8 * (samples[-1].octets - samples[0].octets) / window_s
    half_bps = half_width(rates) + clock_error_bps(samples)
    if not converged(rates):
        kind = ResultKind.NO_VERDICT
    elif saturated:
        kind = ResultKind.CAPACITY
    else:
        kind = ResultKind.AT_LEAST
    low_bps = max(0.0, rate_bps - half_bps)
    return Estimate(kind, rate_bps, low_bps, rate_bps + half_bps, window_s, len(rates))


def clock_error_bps(samples: Sequence[Sample]) -> float:
    """Return how wrong the rate may be because the ends' times are."""
    first, last = samples[0], samples[-1]
    window_s = last.at_s - first.at_s
    rate_bps = 8 * (last.octets - first.octets) / window_s
    return (first.error_s + last.error_s) / window_s * rate_bps


def converged(rates: Sequence[float]) -> bool:
    """Say whether batches agree: enough of them, close together, no drift."""
    n = len(rates)
    if n < MIN_BATCHES:
        return False
    mean = fmean(rates)
    if mean <= 0 or half_width(rates) > HALF_WIDTH * mean:
        return False
    early, late = fmean(rates[: n // 2]), fmean(rates[-(n // 2) :])
    return abs(late - early) <= HALVES_DIFFER * mean


@dataclass
class Progress:
    """The running test: feed it samples, ask whether it may stop."""

    started_s: float
    idle_rtt_s: float
    limit_s: float = LIMIT_S
    samples: list[Sample] = field(default_factory=list)
    window_from: int | None = None
    echoes: list[tuple[float, float]] = field(default_factory=list)

    def add(self, sample: Sample) -> None:
        """Take a sample; notices by itself when the ramp is over."""
        self.samples.append(sample)
        if self.window_from is None and ramp_is_over(
            self.samples, self.started_s, self.idle_rtt_s
        ):
            self.window_from = len(self.samples) - 1

    def add_rtt(self, rtt_s: float) -> None:
        """Take a round trip under load; those of the ramp are not counted."""
        if self.window_from is not None:
            self.echoes.append((self.samples[-1].at_s, rtt_s))

    @property
    def loaded_rtt_s(self) -> list[float]:
        """Round trips under load, in order."""
        return [rtt_s for _, rtt_s in self.echoes]

    def window(self) -> list[Sample]:
        """Return the samples after the ramp."""
        return [] if self.window_from is None else self.samples[self.window_from :]
