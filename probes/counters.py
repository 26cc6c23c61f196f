"""The router's octet counters during a test, and how often they are refreshed.

A reading is one SNMP answer with both 64-bit counters and sysUpTime. Its time is
the middle of asking and answer; half of that is how wrong the time may be. Real
agents refresh the counters only every few seconds, so the edges where the value
changes are what carries information.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol

from probes.estimate import Sample
from probes.measure_protocol import Direction

LIVE_BELOW_S = 0.050
LIVE_POLL_S = 0.020
# Rare refreshes are seen as exactly as they are looked for.
EDGE_POLL_S = 0.005
LONGEST_REFRESH_S = 5.0
# A router that has not answered for so long will not.
SILENT_S = 3.0


@dataclass(frozen=True, slots=True)
class Reading:
    """Octets received and sent by the WAN port, and when; ``error_s`` bounds the time.

    ``uptime_ticks`` is sysUpTime, ``discontinuity_ticks`` what sysUpTime was when the
    counters last began anew (IF-MIB); None where the router tells neither.
    """

    at_s: float
    error_s: float
    in_octets: int
    out_octets: int
    uptime_ticks: int | None = None
    discontinuity_ticks: int | None = None

    def octets(self, direction: Direction) -> int:
        """Return the counter of a direction as the school sees it."""
        return self.in_octets if direction == "down" else self.out_octets


class CounterSource(Protocol):
    """Reads the WAN port's counters once; may block for its time-out."""

    def read(self) -> Reading | None:
        """Return a reading; None where the router gave no answer."""


Trouble = Literal["", "silent", "reset", "stale"]
# Fewer polls than this that bring a new value: not the live counters they were.
_FRESH_SHARE = 0.5
_FEW_POLLS = 8


def trouble(
    readings: Sequence[Reading],
    direction: Direction,
    polls: int,
    *,
    live_from_s: float | None,
) -> Trouble:
    """Return why the readings of a test cannot be used; empty: they can; pure.

    ``silent``: hardly any answer. ``reset``: the router or its counters began anew.
    ``stale``: counters that were live are refreshed rarely now; ``live_from_s`` is
    since when the line has carried enough to show it (None: they are not live).
    """
    if polls >= _FEW_POLLS and len(readings) < polls * _FRESH_SHARE:
        return "silent"
    if any(_is_reset(before, after) for before, after in pairwise(readings)):
        return "reset"
    if live_from_s is None:
        return ""
    loaded = [reading for reading in readings if reading.at_s >= live_from_s]
    fresh = len(edges(loaded, direction))
    if len(loaded) >= _FEW_POLLS and fresh < _FRESH_SHARE * (len(loaded) - 1):
        return "stale"
    return ""


def _is_reset(before: Reading, after: Reading) -> bool:
    if after.in_octets < before.in_octets or after.out_octets < before.out_octets:
        return True
    if after.discontinuity_ticks != before.discontinuity_ticks:
        return True
    if after.uptime_ticks is None or before.uptime_ticks is None:
        return False
    return after.uptime_ticks < before.uptime_ticks


class CounterPoller:
    """Reads a source in a thread as fast as asked; keeps the edges per direction."""

    def __init__(self, source: CounterSource, interval_s: float = LIVE_POLL_S) -> None:
        self._source = source
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="counters")
        self._lock = threading.Lock()
        self._readings: list[Reading] = []
        self.polls = 0

    def start(self) -> None:
        """Start polling."""
        self._thread.start()

    def stop(self) -> None:
        """Stop polling and wait for the thread."""
        self._stop.set()
        self._thread.join()

    def readings(self) -> list[Reading]:
        """Return all readings so far."""
        with self._lock:
            return list(self._readings)

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._stop.is_set():
            reading = self._source.read()
            self.polls += 1
            if reading is not None:
                with self._lock:
                    self._readings.append(reading)
            due_s = max(due_s + self._interval_s, time.monotonic())
            self._stop.wait(max(0.0, due_s - time.monotonic()))


def edges(readings: Sequence[Reading], direction: Direction) -> list[Sample]:
    """Return where the counter's value changed; the first reading is no edge.

    An edge lies between the last old and the first new reading: its time is the
    middle, its error half of that plus the reading's own.
    """
    found = []
    for before, after in pairwise(readings):
        octets = after.octets(direction)
        if octets == before.octets(direction):
            continue
        gap_s = after.at_s - before.at_s
        found.append(Sample(after.at_s - gap_s / 2, octets, gap_s / 2 + after.error_s))
    return found


def live(readings: Sequence[Reading], direction: Direction) -> list[Sample]:
    """Return every reading as a sample: for counters that are always fresh."""
    return [Sample(r.at_s, r.octets(direction), r.error_s) for r in readings]


@dataclass(frozen=True, slots=True)
class Refresh:
    """How a router refreshes: every ``period_s``, last at ``edge_s`` (monotonic)."""

    period_s: float
    edge_s: float

    @property
    def is_live(self) -> bool:
        """Say whether every poll brings a new value."""
        return self.period_s < LIVE_BELOW_S

    @property
    def is_usable(self) -> bool:
        """Say whether a test may wait for two refreshes."""
        return self.period_s <= LONGEST_REFRESH_S * 1.05

    def next_edge_s(self, after_s: float) -> float:
        """Return when the first refresh after a time is due."""
        if self.is_live:
            return after_s
        missing = max(0.0, after_s - self.edge_s)
        periods = int(missing / self.period_s) + 1
        return self.edge_s + periods * self.period_s


def learn_refresh(
    source: CounterSource,
    direction: Direction,
    *,
    limit_s: float,
    poke: Callable[[], None] | None = None,
) -> Refresh | None:
    """Poll until the period is known; None where the counter never moved.

    A router that answers nothing at all is given up after some seconds.

    Asking moves the WAN counter itself only if the asker sits behind it: ``poke``
    sends a small packet over the line, so that there is something to count.
    """
    readings: list[Reading] = []
    started_s = time.monotonic()
    while (passed_s := time.monotonic() - started_s) < limit_s:
        if not readings and passed_s > SILENT_S:
            return None
        if poke is not None:
            poke()
        reading = source.read()
        if reading is not None:
            readings.append(reading)
        found = edges(readings, direction)
        fresh = len(found) / max(1, len(readings))
        if len(readings) >= 12 and fresh > 0.8:
            return Refresh(0.0, readings[-1].at_s)
        if len(found) >= 3:
            gaps = [b.at_s - a.at_s for a, b in pairwise(found)]
            return Refresh(sorted(gaps)[len(gaps) // 2], found[-1].at_s)
        time.sleep(0.020)
    return None
