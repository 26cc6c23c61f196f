"""A radio line: its rate is drawn anew several times a second."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from netmon.demo.lab.topology import Lab, LineShape

EVERY_S = 0.250


@dataclass(frozen=True, slots=True)
class Fade:
    """Between which rates the line fades, evenly; in bit/s at L2."""

    low_bps: float
    high_bps: float

    @property
    def mean_bps(self) -> float:
        """What the line carries in the long run."""
        return (self.low_bps + self.high_bps) / 2


@contextmanager
def fading(lab: Lab, shape: LineShape, fade: Fade, seed: int) -> Iterator[None]:
    """Let a lab's line fade while the body runs."""
    dice, ended = random.Random(seed), threading.Event()

    # Queue and bucket stay as they are, only the rate changes.
    shape = replace(
        shape,
        burst_bytes=shape.burst_at(fade.high_bps),
        limit_bytes=shape.limit_at(fade.high_bps),
    )

    def draw() -> None:
        while not ended.wait(EVERY_S):
            rate_bps = dice.uniform(fade.low_bps, fade.high_bps)
            lab.shape(replace(shape, down_bps=rate_bps, up_bps=rate_bps))

    thread = threading.Thread(target=draw, name="fading")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
