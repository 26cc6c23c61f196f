"""What a line carried in a year, day by day; pure.

A day has a rate, or only a lower bound: short tests stop as soon as they have shown
what was asked, and no test shows more than the probe's own port can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from msgspec import Struct

from netmon.storage.records import Rollup

# Metrics of a day: a rate of the download, and what bounds it from below.
RATE = "rate_down_bps"
LOWER_BOUNDS = ("at_least_down_bps", "rate_down_low_bps")
RATE_METRICS = (RATE, *LOWER_BOUNDS)


class Rate(Struct, frozen=True, order=True):
    """A rate; ``at_least``: the truth may be more."""

    rate_bps: float
    at_least: bool = False


def day_rates(rollups: Mapping[str, Iterable[Rollup]]) -> dict[int, Rate]:
    """Return a rate for each day on which something was measured.

    The mean of the day's rates, over all series; without one the highest lower bound.
    ``rollups`` are those of a line's series by metric, ``bucket`` the day.
    """
    sums: dict[int, tuple[float, int]] = {}
    for each in rollups.get(RATE, ()):
        total, n = sums.get(each.bucket, (0.0, 0))
        sums[each.bucket] = (total + each.total, n + each.n)
    found = {day: Rate(total / n) for day, (total, n) in sums.items()}
    bounds: dict[int, float] = {}
    for metric in LOWER_BOUNDS:
        for each in rollups.get(metric, ()):
            if each.bucket not in found:
                bounds[each.bucket] = max(each.high, bounds.get(each.bucket, 0.0))
    return found | {day: Rate(high, at_least=True) for day, high in bounds.items()}


def quantile(rates: Sequence[Rate], share: float) -> Rate | None:
    """Return the value at rank ``ceil(share * n)``; None without any.

    A lower bound below that value may in truth lie above it: then the quantile is
    itself only a lower bound. One above it leaves it as it is.
    """
    if not rates:
        return None
    ordered = sorted(rates)
    found = ordered[max(1, ceil(share * len(ordered))) - 1]
    open_below = any(
        rate.at_least for rate in ordered if rate.rate_bps < found.rate_bps
    )
    return Rate(found.rate_bps, at_least=found.at_least or open_below)
