"""How the router counts, and what others move, just before a test; blocking.

Done before a slot is asked for: a router that refreshes its counters rarely needs many
seconds to show anything.
"""

from __future__ import annotations

import time

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
LIVE_WINDOW_S = 0.5
_POLL_S = 0.020


class LineUse(Struct, frozen=True, kw_only=True):
    """``refresh`` None: no counters to go by. ``cross_bps`` is L2, None if unknown."""

    refresh: Refresh | None = None
    cross_bps: float | None = None


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
    return LineUse(refresh=refresh, cross_bps=_cross_bps(counters, direction, refresh))


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
    if refresh.is_live:
        first = counters.read()
        time.sleep(LIVE_WINDOW_S)
        last = counters.read()
        if first is None or last is None:
            return None
        return _rate_bps(first, last, direction)
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


def _rate_bps(first: Reading, last: Reading, direction: Direction) -> float | None:
    octets = last.octets(direction) - first.octets(direction)
    gap_s = last.at_s - first.at_s
    return 8 * octets / gap_s if octets >= 0 and gap_s > 0 else None
