"""A line that the measurement server plays: what may pass, and how long echoes wait.

Only for a demo and for tests, where no real line lies between the two. The server
asks before it sends (down) and before it reads (up).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from probes.measure_protocol import Direction
from probes.pacing import TokenBucket


class PacedLine(Protocol):
    """What a played line has to answer."""

    async def granted(self, direction: Direction, want: int) -> int:
        """Wait until some of the wanted bytes may pass; return how many, at least 1."""

    def give_back(self, direction: Direction, size: int) -> None:
        """Take back granted bytes that did not pass."""

    def rate_bps(self, direction: Direction) -> float:
        """Return what it gives a test now, in bit/s of TCP payload."""

    def echo_wait_s(self, direction: Direction) -> float:
        """Return how long a packet that comes to it now is on its way."""


class PlainLine:
    """A line with a rate each way and nothing else on it; 0 cuts it off."""

    def __init__(self, down_bps: float, up_bps: float) -> None:
        now_s = time.monotonic()
        self._rates: dict[Direction, float] = {"down": down_bps, "up": up_bps}
        self._buckets: dict[Direction, TokenBucket] = {
            "down": TokenBucket(down_bps, now_s),
            "up": TokenBucket(up_bps, now_s),
        }

    def set_rate(self, down_bps: float, up_bps: float) -> None:
        """Change the rates, also under a running test."""
        now_s = time.monotonic()
        self._rates = {"down": down_bps, "up": up_bps}
        self._buckets["down"].set_rate(down_bps, now_s)
        self._buckets["up"].set_rate(up_bps, now_s)

    async def granted(self, direction: Direction, want: int) -> int:
        """Wait until some of the wanted bytes may pass; return how many."""
        bucket = self._buckets[direction]
        while True:
            size, wait_s = bucket.take(time.monotonic(), want)
            if size:
                return size
            await asyncio.sleep(wait_s)

    def give_back(self, direction: Direction, size: int) -> None:
        """Take back granted bytes that did not pass."""
        self._buckets[direction].give_back(size)

    def rate_bps(self, direction: Direction) -> float:
        """Return the direction's rate."""
        return self._rates[direction]

    def echo_wait_s(self, direction: Direction) -> float:
        """Return 0: nothing queues here."""
        return 0.0


class Allowance:
    """What one stream may move: every line named has to agree.

    ``left_bytes`` is what all streams that share it may still move, by direction.
    """

    def __init__(
        self,
        direction: Direction,
        lines: Sequence[PacedLine],
        left_bytes: dict[Direction, int] | None = None,
    ) -> None:
        self._direction = direction
        self._lines = lines
        self._left = left_bytes

    async def granted(self, want: int) -> int:
        """Wait until some of the wanted bytes may pass; 0: none ever will."""
        size = want
        if self._left is not None:
            size = min(want, self._left[self._direction])
            self._left[self._direction] -= size
            if not size:
                return 0
        for index, line in enumerate(self._lines):
            less = await line.granted(self._direction, size)
            self._give_back(size - less, self._lines[:index])
            size = less
        return size

    def give_back(self, size: int) -> None:
        """Take back granted bytes that did not pass."""
        self._give_back(size, self._lines)

    def _give_back(self, size: int, lines: Sequence[PacedLine]) -> None:
        for line in lines:
            line.give_back(self._direction, size)
        if self._left is not None:
            self._left[self._direction] += size
