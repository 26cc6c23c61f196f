"""The load of a capacity test: TCP streams to the measurement server in one thread.

Blocking sockets under one epoll, because a tick must come when it is due and an
event loop shared with others can't promise that. What is transferred is counted
elsewhere (`probes.wirelevel`, router counters), never here.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from probes.base import MeasureAddress
from probes.failures import ProbeFailedError
from probes.measure_protocol import (
    CHUNK_BYTES,
    GO,
    MAX_LINE_BYTES,
    STAT,
    Request,
    Side,
    Stat,
    decode_reply,
    decode_stat,
    encode_line,
)
from probes.pinger import EchoTime, Pinger
from probes.wirelevel import TcpInfo, tcp_info

CONNECT_S = 5.0
TICK_S = 0.005
_READ_BYTES = CHUNK_BYTES
# A reset at the end: nothing that is still queued keeps the line busy (socket(7)).
_RESET = struct.pack("ii", 1, 0)
_SO_MAX_PACING_RATE = 47  # asm-generic/socket.h


def _opened(server: MeasureAddress, request: Request) -> socket.socket:
    """Return a connection whose request the server has agreed to.

    Raises:
        OSError, EOFError: not reached. ProbeFailedError: the server refused.
        ValueError: the answer could not be read.
    """
    sock = socket.create_connection((server.host, server.port), CONNECT_S)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(encode_line(request))
        decode_reply(_line(sock))
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _line(sock: socket.socket) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        got = sock.recv(1)
        if not got or len(line) > MAX_LINE_BYTES:
            raise EOFError
        line += got
    return bytes(line[:-1])


def _reset(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()


class Control:
    """The control connection of a test: asks the server what it knows of it."""

    def __init__(self, server: MeasureAddress, request: Request) -> None:
        """Open it; raises as `Streams.open`."""
        self._sock = _opened(server, request)
        self._part = bytearray()
        self._asked = False
        self.stats: list[Stat] = []

    def fileno(self) -> int:
        """Return the socket's number, for a poller."""
        return self._sock.fileno()

    def ask(self) -> None:
        """Ask, unless an answer is still awaited; a broken connection gives none."""
        if self._asked:
            return
        self._asked = True
        with suppress(OSError):
            self._sock.send(STAT + b"\n")

    def receive(self) -> bool:
        """Take what the server said; False once it says nothing any more."""
        try:
            got = self._sock.recv(MAX_LINE_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._part += got
        while b"\n" in self._part:
            line, _, rest = bytes(self._part).partition(b"\n")
            self._part = bytearray(rest)
            self._asked = False
            with suppress(msgspec.DecodeError, ProbeFailedError):
                self.stats.append(decode_stat(line))
        return bool(got)

    def last(self, limit_s: float = 1.0) -> Stat | None:
        """Ask once more and wait for it; the newest answer, None without any."""
        deadline_s = time.monotonic() + limit_s
        for _ in range(2):  # one may be on its way, from before the end
            self.ask()
            count = len(self.stats)
            while len(self.stats) == count and time.monotonic() < deadline_s:
                wait_s = max(0.0, deadline_s - time.monotonic())
                if not select.select([self._sock], [], [], wait_s)[0]:
                    break
                if not self.receive():
                    return self.stats[-1] if self.stats else None
        return self.stats[-1] if self.stats else None

    def close(self) -> None:
        """Close it, which ends the test for the server."""
        _reset(self._sock)


class Streams:
    """The streams of one direction; opened held, they move once released."""

    def __init__(self, server: MeasureAddress, request: Request) -> None:
        self._server = server
        self._request = request
        self._direction = "down" if request.op == "down" else "up"
        self._held: list[socket.socket] = []
        self._poller: select.epoll | None = None
        self._released_s: list[float] = []
        self._block = memoryview(os.urandom(CHUNK_BYTES))
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self.sockets: list[socket.socket] = []
        self.broken = False
        self.moved_bytes = 0

    def __len__(self) -> int:
        return len(self.sockets)

    @property
    def held(self) -> int:
        """How many more could be released."""
        return len(self._held)

    def open(self, count: int) -> None:
        """Open that many streams; they are held. Fewer where the server says so.

        Raises:
            OSError, EOFError: not reached. ProbeFailedError: the server refused.
        """
        for _ in range(count):
            try:
                sock = _opened(self._server, self._request)
            except ProbeFailedError:
                if not self._held:
                    raise
                return  # a lease with fewer streams
            self._held.append(sock)
            if self._direction == "up":
                self._tune(sock)

    def _tune(self, sock: socket.socket) -> None:
        if self._request.congestion:
            with suppress(OSError):  # the kernel's default is fine too
                sock.setsockopt(
                    socket.IPPROTO_TCP,
                    socket.TCP_CONGESTION,
                    self._request.congestion.encode(),
                )
        if self._request.pacing_bps:
            rate = int(self._request.pacing_bps / 8)
            sock.setsockopt(socket.SOL_SOCKET, _SO_MAX_PACING_RATE, rate)

    def attach(self, poller: select.epoll) -> None:
        """Name the poller that released streams belong to."""
        self._poller = poller
        for sock in self.sockets:
            self._register(sock)

    def _register(self, sock: socket.socket) -> None:
        event = select.EPOLLIN if self._direction == "down" else select.EPOLLOUT
        if self._poller is not None:
            self._poller.register(sock.fileno(), event)

    def release(self, count: int = 1) -> int:
        """Let that many more streams move; return how many could."""
        released = 0
        while self._held and released < count:
            sock = self._held.pop(0)
            if self._request.held:
                with suppress(OSError):
                    sock.send(GO)
            self.sockets.append(sock)
            self._released_s.append(time.monotonic())
            self._register(sock)
            released += 1
        return released

    def move(self, number: int) -> None:
        """Receive or send what the socket of that number can take now."""
        sock = next((s for s in self.sockets if s.fileno() == number), None)
        if sock is None:
            return
        try:
            if self._direction == "up":
                self.moved_bytes += sock.send(self._block)
                return
            got = sock.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            self.broken = True
            return
        self.moved_bytes += got
        self.broken |= not got

    def side(self) -> Side:
        """Return what this machine's kernel knows of the streams as their sender."""
        now_s = time.monotonic()
        infos: list[TcpInfo] = []
        with suppress(OSError):
            infos = [tcp_info(sock) for sock in self.sockets]
        return Side(
            streams=len(infos),
            bytes=sum(info.acked_bytes for info in infos),
            delivered=sum(info.delivered for info in infos),
            retransmitted=sum(info.retransmitted for info in infos),
            stream_s=sum(now_s - at_s for at_s in self._released_s),
            busy_s=sum(info.busy_us for info in infos) / 1e6,
            rwnd_limited_s=sum(info.rwnd_limited_us for info in infos) / 1e6,
            sndbuf_limited_s=sum(info.sndbuf_limited_us for info in infos) / 1e6,
        )

    def close(self) -> None:
        """Reset all streams."""
        for sock in (*self.sockets, *self._held):
            _reset(sock)
        self.sockets.clear()
        self._held.clear()


def pump(
    streams: Streams | None,
    pinger: Pinger,
    on_echo: Callable[[EchoTime], None],
    on_tick: Callable[[float], bool],
    *,
    tick_s: float = TICK_S,
    control: Control | None = None,
) -> float:
    """Move data and ping until ``on_tick`` (every ``tick_s``) says False.

    Returns the worst delay of a tick in seconds: how late this machine was.
    """
    late_s = 0.0
    with select.epoll() as poller:
        poller.register(pinger.fileno(), select.EPOLLIN)
        if control is not None:
            poller.register(control.fileno(), select.EPOLLIN)
        if streams is not None:
            streams.attach(poller)
        due_s = time.monotonic()
        while True:
            now_s = time.monotonic()
            if now_s >= due_s:
                late_s = max(late_s, now_s - due_s)
                due_s = max(due_s + tick_s, now_s + tick_s / 2)
                pinger.send()
                if not on_tick(now_s):
                    return late_s
            for number, _ in poller.poll(max(0.0, due_s - time.monotonic())):
                if number == pinger.fileno():
                    for echo in pinger.receive():
                        on_echo(echo)
                elif not _taken(number, streams, control):
                    poller.unregister(number)


def _taken(number: int, streams: Streams | None, control: Control | None) -> bool:
    """Let a ready connection move; False once it is of no further use."""
    if control is not None and number == control.fileno():
        return control.receive()
    if streams is None:
        return False
    streams.move(number)
    return not streams.broken
