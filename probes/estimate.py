"""How fast is the line: the decision from samples to a number with an interval; pure.

Samples are octets seen at a point of the path at a time. Runs of them (stretches in
which the line was full, or all after the ramp) are cut into batches; the test may stop
when the batches agree, not when time is up.
The rate is L2 (without FCS) where the octets are; `rate_ip_bps` converts.

Method and constants: measured with the lab of this project (bench/uplink.py); the
names of the constants say what they bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from statistics import fmean

BATCH_S = 0.040
MIN_BATCHES = 7
RAMP_STEP_S = 0.060
RAMP_MIN_S = 0.120
RAMP_MIN_RTTS = 5
RAMP_GROWTH = 0.06
HALF_WIDTH = 0.015
HALVES_DIFFER = 0.03
LIMIT_S = 4.0
# A line that varies (radio) is never certain sooner; its fades last about so long.
VARYING_MIN_S = 2.0
VARYING_S = 3.0
# How full a line has to be between two refreshes of its counters.
EDGE_BUSY_SHARE = 0.97
FADE_S = (0.25, 0.5)

# Student's t, two-sided 95 %, by degrees of freedom; beyond the table 1.96 rounds up.
_T95 = (
    *(0.0, 12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
)

PAYLOAD_BYTES, IP_BYTES, FRAME_BYTES = 1448, 1500, 1514


class ResultKind(StrEnum):
    """What a number means. Only ``capacity`` may ever raise an alarm.

    ``range``: the line's rate itself varies; low and high hold its long-run mean.
    """

    CAPACITY = "capacity"
    RANGE = "range"
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

Run = Sequence[Sample]


def batch_rates(runs: Sequence[Run], batch_s: float = BATCH_S) -> list[float]:
    """Return bit/s of successive batches of (nearly) at least that length.

    A batch may be pieced together from several runs; the gaps do not count.
    """
    rates: list[float] = []
    octets = seconds = 0.0
    for run in runs:
        for before, after in pairwise(run):
            octets += after.octets - before.octets
            seconds += after.at_s - before.at_s
            if seconds >= _NEARLY * batch_s:
                rates.append(8 * octets / seconds)
                octets = seconds = 0.0
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


def ramp_is_over(samples: Run, started_s: float, rtt_s: float) -> bool:
    """Say whether the newest 60 ms brought hardly more than the 60 ms before."""
    if not samples:
        return False
    now_s = samples[-1].at_s
    if now_s - started_s < max(RAMP_MIN_S, RAMP_MIN_RTTS * rtt_s) + RAMP_STEP_S:
        return False
    recent = [s for s in samples if s.at_s >= now_s - 3.4 * RAMP_STEP_S]
    rates = batch_rates([recent], RAMP_STEP_S)
    return len(rates) >= 2 and rates[-1] < rates[-2] * (1 + RAMP_GROWTH)


def window_s(runs: Sequence[Run]) -> float:
    """Return how long the runs last together."""
    return sum(run[-1].at_s - run[0].at_s for run in runs if run)


def mean_rate_bps(runs: Sequence[Run]) -> float:
    """Return all octets of the runs over all their time; 0 where there is none."""
    seconds = window_s(runs)
    octets = sum(run[-1].octets - run[0].octets for run in runs if run)
    return 8 * octets / seconds if seconds > 0 else 0.0


def estimate(runs: Sequence[Run]) -> Estimate:
    """Return what runs on a full line say: capacity if their batches agree.

    No time at all says nothing: rate 0 with an infinite interval.
    """
    seconds = window_s(runs)
    if seconds <= 0:
        return Estimate(ResultKind.NO_VERDICT, 0.0, 0.0, math.inf, 0.0, 0)
    rate_bps = mean_rate_bps(runs)
    rates = batch_rates(runs)
    half_bps = half_width(rates) + clock_error_bps(runs)
    # The decision to stop took what the last echoes had not shown yet as full.
    is_certain = converged(rates, MIN_BATCHES - 2, 2 * HALF_WIDTH)
    kind = ResultKind.CAPACITY if is_certain else ResultKind.NO_VERDICT
    low_bps = max(0.0, rate_bps - half_bps)
    return Estimate(kind, rate_bps, low_bps, rate_bps + half_bps, seconds, len(rates))


def estimate_varying(runs: Sequence[Run]) -> Estimate:
    """Return the range that holds the long-run mean of a line whose rate varies.

    Its batches hang together for as long as a fade lasts, which nobody knows: the
    widest interval of several batch lengths is taken.
    """
    found = estimate(runs)
    if found.window_s < VARYING_MIN_S:
        return as_kind(found, ResultKind.NO_VERDICT)
    halves = [half_width(batch_rates(runs, length)) for length in (BATCH_S, *FADE_S)]
    half_bps = max(halves) + clock_error_bps(runs)
    return Estimate(
        ResultKind.RANGE,
        found.rate_bps,
        max(0.0, found.rate_bps - half_bps),
        found.rate_bps + half_bps,
        found.window_s,
        found.batches,
    )


def between_edges(run: Run, busy_share: float, wire_half_ratio: float) -> Estimate:
    """Return an estimate from counters that are refreshed rarely, first to last edge.

    ``busy_share`` of that time the line is known to have been full. In the rest it
    carried something between nothing and its rate, which bounds the error;
    ``wire_half_ratio`` is the scatter of our own octets meanwhile.
    """
    rate_bps, seconds = mean_rate_bps([run]), window_s([run])
    if seconds <= 0 or busy_share <= 0:
        return Estimate(ResultKind.NO_VERDICT, rate_bps, 0.0, math.inf, seconds, 0)
    half_bps = clock_error_bps([run]) + wire_half_ratio * rate_bps
    kind = ResultKind.CAPACITY if busy_share >= EDGE_BUSY_SHARE else ResultKind.AT_LEAST
    high_bps = rate_bps / busy_share + half_bps
    low_bps = max(0.0, rate_bps - half_bps)
    return Estimate(kind, rate_bps, low_bps, high_bps, seconds, len(run) - 1)


def as_kind(found: Estimate, kind: ResultKind) -> Estimate:
    """Return the same figures under another name."""
    return replace(found, kind=kind)


def clock_error_bps(runs: Sequence[Run]) -> float:
    """Return how wrong the rate may be because the times of the runs' ends are.

    Each end errs by itself, so several add up as independent errors do.
    """
    seconds = window_s(runs)
    if seconds <= 0:
        return 0.0
    errors = [run[0].error_s + run[-1].error_s for run in runs if run]
    return math.hypot(*errors) / seconds * mean_rate_bps(runs)


def converged(
    rates: Sequence[float],
    least: int = MIN_BATCHES,
    half_ratio: float = HALF_WIDTH,
) -> bool:
    """Say whether batches agree: enough of them, close together, no drift."""
    n = len(rates)
    if n < least:
        return False
    mean = fmean(rates)
    if mean <= 0 or half_width(rates) > half_ratio * mean:
        return False
    early, late = fmean(rates[: n // 2]), fmean(rates[-(n // 2) :])
    return abs(late - early) <= HALVES_DIFFER * mean


def trimmed_mean(values: Sequence[float], share: float = 0.95) -> float | None:
    """Return the mean of the smallest ``share`` of the values; None without any.

    As draft-ietf-ippm-responsiveness trims round trips.
    """
    ordered = sorted(values)
    kept = ordered[: max(1, int(len(ordered) * share))]
    return fmean(kept) if kept else None
