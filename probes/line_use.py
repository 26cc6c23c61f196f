"""How the router counts, and what others move, just before a test; blocking.

Done before a slot is asked for: a router that refreshes its counters rarely needs many
seconds to show anything.
"""

from __future__ import annotations

import time
from itertools import pairwise
from statistics import fmean, pstdev

from msgspec import Struct

from probes.base import Emit, MeasureAddress
from probes.counters import (
    CounterSource,
    Reading,
    Refresh,
    edges,
    learn_refresh,
)
from probes.measure_protocol import Direction
from probes.pinger import Pinger

# Three refreshes of a slow router, with a margin.
LEARN_S = 18.0
LIVE_WINDOWS, LIVE_WINDOW_S = 5, 0.1
# A full line carries the same in each window; lessons with room to spare don't.
STEADY_SPREAD = 0.02
_POLL_S = 0.020


class LineUse(Struct, frozen=True, kw_only=True):
    """``refresh`` None: no counters to go by. ``cross_bps`` is L2, None if unknown.

    ``is_steady``: it was the same all the time, as on a line that is full.
    """

    refresh: Refresh | None = None
    cross_bps: float | None = None
    is_steady: bool = False


def line_use(
    counters: CounterSource | None,
    direction: Direction,
    server: MeasureAddress,
    emit: Emit,
) -> LineUse:
    """Return how the router counts and what others move; never raises.

    ``server`` only gets some small packets, so that there is something to count; an
    address that cannot be reached leaves the counters to what others move.
    """
    if counters is None:
        return LineUse()
    emit("counters_asked", {})
    refresh = _refresh(counters, direction, server)
    if refresh is None:
        emit("counters_unreadable", {})
        return LineUse()
    if refresh.is_live:
        return _live_use(counters, direction, refresh)
    return LineUse(refresh=refresh, cross_bps=_cross_bps(counters, direction, refresh))


def _live_use(
    counters: CounterSource, direction: Direction, refresh: Refresh
) -> LineUse:
    readings: list[Reading] = []
    for number in range(LIVE_WINDOWS + 1):
        if number:
            time.sleep(LIVE_WINDOW_S)
        reading = counters.read()
        if reading is not None:
            readings.append(reading)
    rates = [
        8
        * (after.octets(direction) - before.octets(direction))
        / (after.at_s - before.at_s)
        for before, after in pairwise(readings)
        if after.at_s > before.at_s
    ]
    if not rates or min(rates) < 0:
        return LineUse(refresh=refresh)
    mean_bps = fmean(rates)
    steady = len(rates) == LIVE_WINDOWS and pstdev(rates) <= STEADY_SPREAD * mean_bps
    return LineUse(refresh=refresh, cross_bps=mean_bps, is_steady=steady)


def _refresh(
    counters: CounterSource, direction: Direction, server: MeasureAddress
) -> Refresh | None:
    try:
        pinger = Pinger(server)
    except OSError:
        return learn_refresh(counters, direction, limit_s=LEARN_S)
    try:
        return learn_refresh(counters, direction, limit_s=LEARN_S, poke=pinger.send)
    finally:
        pinger.close()


def _cross_bps(
    counters: CounterSource, direction: Direction, refresh: Refresh
) -> float | None:
    """Return what the line carries now, between two values that are its own."""
    if not refresh.is_usable:
        return None
    readings: list[Reading] = []
    deadline_s = time.monotonic() + 2.2 * refresh.period_s
    while time.monotonic() < deadline_s:
        reading = counters.read()
        if reading is not None:
            readings.append(reading)
        found = edges(readings, direction)
        if len(found) >= 2:
            octets = found[-1].octets - found[0].octets
            return 8 * octets / (found[-1].at_s - found[0].at_s)
        time.sleep(_POLL_S)
    # Nothing passed in two refreshes.
    return 0.0 if len(readings) > 1 else None
