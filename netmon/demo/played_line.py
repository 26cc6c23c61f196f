"""A line of the demo, played in user space: what the measurement server asks.

The model is `netmon.demo.line_fluid`; here is only what needs a clock and a loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from msgspec import Struct

from netmon.demo.line_fluid import Way
from netmon.demo.line_traffic import Others, Traffic
from probes.measure_protocol import Direction

# Schools send less than they fetch.
_UP_WEIGHT = 0.5


class LineShape(Struct, frozen=True, kw_only=True):
    """How a line is when it is in order. Rates are bit/s of TCP payload.

    ``base_rtt_s`` is the empty round trip, ``queue_s`` the buffer before the line,
    ``refresh_s`` how often its router renews its counters (0: always fresh, None:
    they cannot be read).
    """

    id: str
    down_bps: float
    up_bps: float
    base_rtt_s: float
    queue_s: float
    traffic: Traffic = Traffic.NONE
    refresh_s: float | None = 0.0


class PlayedLine:
    """Plays one line; belongs to one event loop. A `probes.paced_line.PacedLine`.

    Its id is the seed of the other traffic, ``day_s`` the time of day it begins at.
    """

    def __init__(
        self,
        shape: LineShape,
        *,
        day_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.shape = shape
        self._clock = clock
        self._began_s = clock()
        self._day_s = day_s
        rates: dict[Direction, float] = {"down": shape.down_bps, "up": shape.up_bps}
        self._ways = {
            direction: Way(
                rate_bps,
                self._others(direction, shape.traffic),
                queue_s=shape.queue_s,
                now_s=self._began_s,
                refresh_s=shape.refresh_s or 0.0,
            )
            for direction, rate_bps in rates.items()
        }

    def set_rate(self, down_bps: float, up_bps: float) -> None:
        """Change the rates, also under a running test; 0 lets nothing pass."""
        self._ways["down"].set_rate(down_bps, self._clock())
        self._ways["up"].set_rate(up_bps, self._clock())

    def set_traffic(self, traffic: Traffic) -> None:
        """Change what others do."""
        for direction, way in self._ways.items():
            way.set_others(self._others(direction, traffic), self._clock())

    async def granted(self, direction: Direction, want: int) -> int:
        """Wait until some of the wanted bytes may pass; return how many."""
        way = self._ways[direction]
        while True:
            size, wait_s = way.take(self._clock(), want)
            if size:
                return size
            await asyncio.sleep(wait_s)

    def give_back(self, direction: Direction, size: int) -> None:
        """Take back granted bytes that did not pass."""
        self._ways[direction].give_back(size)

    def rate_bps(self, direction: Direction) -> float:
        """Return the direction's rate, everybody's together."""
        return self._ways[direction].rate_bps

    def echo_wait_s(self, direction: Direction) -> float:
        """Return how long a packet that comes now is on its way.

        The whole empty round trip lies between the queue up and the queue down: so a
        packet leaves the queue down when it arrives, as what the counters count does.
        """
        base_s = self.shape.base_rtt_s if direction == "up" else 0.0
        return base_s + self._ways[direction].wait_s(self._clock())

    def counters(self) -> tuple[int, int]:
        """Return octets in and out as the router's WAN port shows them."""
        now_s = self._clock()
        down, up = self._ways["down"], self._ways["up"]
        return down.shown_octets(now_s), up.shown_octets(now_s)

    def _others(self, direction: Direction, traffic: Traffic) -> Others:
        weight = _UP_WEIGHT if direction == "up" else 1.0
        return Others(traffic, f"{self.shape.id}/{direction}", self._day_s, weight)
