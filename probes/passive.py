"""What a line shows without any test: passive proof, quiet, and suspicion; pure.

Lessons load the line anyway. If the router's counters show more than the threshold,
that is proof, and no test is needed; if they show little and packets don't wait,
nobody lacks anything. What looks capped (a flat rate below the threshold while packets
queue) proves nothing, but asks for a test at once.

All rates are L2 without FCS, as the counters count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import fmean, median, pstdev

from probes.counters import Reading
from probes.measure_protocol import Direction

METHOD = "passive/1"
# A rate below this share of the threshold is "far below": nobody came near it.
QUIET_SHARE = 0.3
# So many intervals of the same rate look like a cap.
PLATEAU_INTERVALS = 6
PLATEAU_SPREAD = 0.02
# A plateau of a trickle is no cap.
PLATEAU_SHARE = 0.1
# From so much more than the empty round trip on, packets waited in a queue.
QUEUE_MIN_S = 0.002
QUEUE_MIN_SHARE = 0.3
# An answer of the echoes says something about so few intervals only.
MIN_INTERVALS = 2


class Passive(StrEnum):
    """What counters and echoes together say."""

    PROVEN = "proven"
    QUIET = "quiet"
    SUSPICIOUS = "suspicious"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class PassiveView:
    """A stretch of counter readings in one direction; rates in bit/s at L2.

    ``bound_bps`` never overstates: the line could do at least this at ``bound_at_s``
    (monotonic). ``peak_bps`` is the highest plain rate, ``mean_bps`` that of the whole
    stretch.
    """

    bound_bps: float
    bound_at_s: float
    peak_bps: float
    mean_bps: float
    rates_bps: tuple[float, ...]
    span_s: float


def look(
    readings: Sequence[Reading],
    direction: Direction,
    refresh_s: float,
    most_bps: float = math.inf,
) -> PassiveView | None:
    """Return what the readings show; None for fewer than two usable intervals.

    A counter that shows its value late moved what it shows within an interval that is
    longer by at most ``refresh_s``: adding it keeps the bound below the truth. Where
    the counter went back (a restart) or shows more than ``most_bps``, which no such
    line can carry (another device answers), the interval says nothing.
    """
    bounds: list[tuple[float, float]] = []
    rates: list[float] = []
    octets_sum, span_s = 0, 0.0
    for before, after in pairwise(readings):
        octets = after.octets(direction) - before.octets(direction)
        gap_s = after.at_s - before.at_s
        if octets < 0 or gap_s <= 0 or 8 * octets > most_bps * (gap_s + refresh_s):
            continue
        error_s = before.error_s + after.error_s
        bounds.append((8 * octets / (gap_s + refresh_s + error_s), after.at_s))
        rates.append(8 * octets / gap_s)
        octets_sum += octets
        span_s += gap_s
    if len(rates) < MIN_INTERVALS:
        return None
    bound_bps, bound_at_s = max(bounds)
    return PassiveView(
        bound_bps=bound_bps,
        bound_at_s=bound_at_s,
        peak_bps=max(rates),
        mean_bps=8 * octets_sum / span_s,
        rates_bps=tuple(rates),
        span_s=span_s,
    )


def judge(
    view: PassiveView | None,
    threshold_bps: float,
    rtts_s: Sequence[float],
    base_rtt_s: float | None,
) -> Passive:
    """Return what a view and the round trips of the same time say together.

    Args:
        view: of the counters; None says nothing.
        threshold_bps: what the line must reach, L2.
        rtts_s: round trips of that time; none: quiet and suspicion can't be told.
        base_rtt_s: the line's empty round trip; None: as for no round trips.
    """
    if view is None:
        return Passive.NOTHING
    if view.bound_bps >= threshold_bps:
        return Passive.PROVEN
    if not rtts_s or base_rtt_s is None:
        return Passive.NOTHING
    waits = median(rtts_s) > queueing_from_s(base_rtt_s)
    if not waits and view.peak_bps <= QUIET_SHARE * threshold_bps:
        return Passive.QUIET
    if waits and is_plateau(view.rates_bps, threshold_bps):
        return Passive.SUSPICIOUS
    return Passive.NOTHING


def queueing_from_s(base_rtt_s: float) -> float:
    """Return from which round trip on packets have waited in the line's queue."""
    return base_rtt_s + max(QUEUE_MIN_S, QUEUE_MIN_SHARE * base_rtt_s)


def is_plateau(rates_bps: Sequence[float], threshold_bps: float) -> bool:
    """Say whether the newest rates are flat and below the threshold."""
    newest = rates_bps[-PLATEAU_INTERVALS:]
    if len(newest) < PLATEAU_INTERVALS:
        return False
    mean = fmean(newest)
    if not PLATEAU_SHARE * threshold_bps <= mean < threshold_bps:
        return False
    return pstdev(newest) <= PLATEAU_SPREAD * mean
