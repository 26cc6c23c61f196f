"""The tests a measurement server runs: one slot each, however many connections.

A test is the connections of one client that name the same random text. It lasts from
the first of them to the last. While it runs, its streams' kernels are asked for
what only a sender knows, and the server watches itself.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from netmon.model import FailureReason
from probes.failures import ProbeFailedError
from probes.link import default_interface
from probes.machine import MAX_BUSY_RATIO, Watch
from probes.measure_protocol import Direction, Side, Stat
from probes.paced_line import Allowance, PacedLine
from probes.wirelevel import TcpInfo, tcp_info

# A probe's upload may come before the server has seen its download end.
SLOT_WAIT_S = 0.5
MAX_CONNECTIONS_A_TEST = 20
_TICK_S = 0.010
# How long a look at the server's own load goes back.
_LOAD_S = 0.5

TestKey = object


@dataclass
class _Stream:
    """A stream that moves: its socket, since when, and what came before that."""

    direction: Direction
    sock: socket.socket
    began_s: float
    before: TcpInfo | None


@dataclass
class RunningTest:
    """One test: what it has moved, and how the server was meanwhile.

    ``bound`` holds all its streams together to their lease's rate, ``left_bytes``
    to its bytes each way.
    """

    line: PacedLine | None = None
    echo: int = 0
    bound: PacedLine | None = None
    left_bytes: dict[Direction, int] | None = None
    connections: int = 0
    late_s: float = 0.0
    watch: Watch = field(default_factory=Watch)
    _open: list[_Stream] = field(default_factory=list)
    _ended: dict[Direction, Side] = field(default_factory=dict)

    def allowance(self, direction: Direction) -> Allowance | None:
        """Return what a stream may move; None: as much as it can."""
        # The played line last: what it grants passes at once.
        lines = [line for line in (self.bound, self.line) if line is not None]
        return Allowance(direction, lines, self.left_bytes) if lines else None

    @contextmanager
    def moving(self, direction: Direction, sock: socket.socket) -> Iterator[None]:
        """Count a stream, also after it has ended."""
        stream = _Stream(direction, sock, time.monotonic(), _info(sock))
        self._open.append(stream)
        try:
            yield
        finally:
            self._open.remove(stream)
            before = self._ended.get(direction, Side())
            self._ended[direction] = _sum(before, _side(stream))

    def stat(self) -> Stat:
        """Return what is known now."""
        sides: dict[Direction, Side] = dict(self._ended)
        for stream in self._open:
            before = sides.get(stream.direction, Side())
            sides[stream.direction] = _sum(before, _side(stream))
        health = self.watch.health(self.late_s)
        return Stat(
            ok=True,
            down=sides.get("down", Side()),
            up=sides.get("up", Side()),
            late_s=health.late_s,
            cpu_busy_ratio=health.thread_ratio,
            cpu_steal_ratio=health.steal_ratio,
            port_use_ratio=health.port_use_ratio,
        )


def _info(sock: socket.socket) -> TcpInfo | None:
    """Return TCP_INFO; None for a socket that is closed or a kernel too old."""
    with suppress(OSError):
        return tcp_info(sock)
    return None


def _side(stream: _Stream) -> Side:
    """Return one stream's figures; without TCP_INFO only its time."""
    lasted_s = time.monotonic() - stream.began_s
    info, before = _info(stream.sock), stream.before
    if info is None or before is None:
        return Side(streams=1, stream_s=lasted_s)
    if stream.direction == "up":
        got = info.received_bytes - before.received_bytes
        return Side(streams=1, bytes=got, stream_s=lasted_s)
    return Side(
        streams=1,
        bytes=info.acked_bytes - before.acked_bytes,
        delivered=info.delivered,
        retransmitted=info.retransmitted,
        stream_s=lasted_s,
        busy_s=info.busy_us / 1e6,
        rwnd_limited_s=info.rwnd_limited_us / 1e6,
        sndbuf_limited_s=info.sndbuf_limited_us / 1e6,
    )


def _sum(one: Side, other: Side) -> Side:
    return Side(
        **{
            name: getattr(one, name) + getattr(other, name)
            for name in Side.__struct_fields__
        }
    )


class Slots:
    """How many tests may run, and which do; belongs to one event loop.

    A test is refused as busy while the slots are full, and while others run on a
    server whose thread has no time left: it would harm their figures.
    """

    def __init__(self, max_tests: int) -> None:
        self._max_tests = max_tests
        self._tests: dict[TestKey, RunningTest] = {}
        self._left = asyncio.Event()
        self._ticking: asyncio.Task[None] | None = None
        self._load_ratio = 0.0
        self._interface = default_interface(Path("/")) or ""

    def __len__(self) -> int:
        return len(self._tests)

    async def close(self) -> None:
        """Stop watching the loop."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)

    def by_echo(self, session: int) -> RunningTest | None:
        """Return the running test whose echoes carry that number; None where none does."""
        if not session:
            return None
        return next((t for t in self._tests.values() if t.echo == session), None)

    @asynccontextmanager
    async def taken(self, key: TestKey) -> AsyncIterator[RunningTest]:
        """Give the test of that key; its first connection takes a slot.

        Raises:
            ProbeFailedError: busy, or too many connections for one test.
        """
        test = self._tests.get(key) or await self._new(key)
        if test.connections >= MAX_CONNECTIONS_A_TEST:
            raise ProbeFailedError(FailureReason.DENIED, "too many streams for a test")
        test.connections += 1
        try:
            yield test
        finally:
            test.connections -= 1
            if not test.connections:
                del self._tests[key]
                self._left.set()

    async def _new(self, key: TestKey) -> RunningTest:
        try:
            async with asyncio.timeout(SLOT_WAIT_S):
                while not self._has_room(key):
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            raise ProbeFailedError(
                FailureReason.BUSY, "too many tests at once"
            ) from None
        test = self._tests.setdefault(key, RunningTest(watch=Watch(self._interface)))
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick())
        return test

    def _has_room(self, key: TestKey) -> bool:
        if key in self._tests:
            return True
        if self._tests and self._load_ratio > MAX_BUSY_RATIO:
            return False
        return len(self._tests) < self._max_tests

    async def _tick(self) -> None:
        """Note how late the loop is and how busy, for as long as a test runs."""
        looked_s, used_s = time.monotonic(), time.thread_time()
        self._load_ratio = 0.0
        while self._tests:
            due_s = time.monotonic() + _TICK_S
            await asyncio.sleep(_TICK_S)
            now_s = time.monotonic()
            for test in self._tests.values():
                test.late_s = max(test.late_s, now_s - due_s)
            if now_s - looked_s >= _LOAD_S:
                self._load_ratio = (time.thread_time() - used_s) / (now_s - looked_s)
                looked_s, used_s = now_s, time.thread_time()
