"""The load of a capacity test: TCP streams to the measurement server in one thread.

Blocking sockets under one epoll, because a tick must come when it is due and an
event loop shared with others can't promise that. What is transferred is counted
elsewhere (`probes.wirelevel`, router counters), never here.
"""

from __future__ import annotations

import math
import os
import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from probes.base import MeasureAddress
from probes.measure_protocol import (
    CHUNK_BYTES,
    ECHO_CLOCK,
    ECHO_CLOCK_AT,
    ECHO_MIN_BYTES,
    ECHO_REQUEST,
    Congestion,
    Operation,
    Request,
    decode_reply,
    encode_line,
)
from probes.wirelevel import HEADER_BYTES, tcp_info

CONNECT_S = 5.0
TICK_S = 0.020
_READ_BYTES = CHUNK_BYTES
# A reset at the end: nothing that is still queued keeps the line busy (socket(7)).
_RESET = struct.pack("ii", 1, 0)
_ECHO = struct.Struct("!4sIdI")


class Streams:
    """The open streams of one direction; ``close`` resets them all."""

    def __init__(
        self,
        server: MeasureAddress,
        direction: Operation,
        *,
        line: str,
        max_s: float,
        max_bytes: int,
        congestion: Congestion = "",
        pacing_bps: float = 0.0,
    ) -> None:
        self._server = server
        self._request = Request(
            op=direction,
            token=server.token.reveal(),
            line=line,
            seconds=max_s,
            warmup_s=0.0,
            bytes=max_bytes,
            congestion=congestion,
            pacing_bps=pacing_bps,
            silent=True,
        )
        self._direction = direction
        self._sockets: list[socket.socket] = []
        self._block = memoryview(os.urandom(CHUNK_BYTES))
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self.app_bytes = 0
        self.broken = False

    def __len__(self) -> int:
        return len(self._sockets)

    def open(self, count: int) -> None:
        """Open that many streams and start their load.

        Raises:
            OSError: not reached. ProbeFailedError: the server refused.
        """
        for _ in range(count):
            sock = socket.create_connection(
                (self._server.host, self._server.port), CONNECT_S
            )
            self._sockets.append(sock)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._direction == "up" and self._request.congestion:
                with suppress(OSError):  # the kernel's default is fine too
                    sock.setsockopt(
                        socket.IPPROTO_TCP,
                        socket.TCP_CONGESTION,
                        self._request.congestion.encode(),
                    )
            if self._direction == "up" and self._request.pacing_bps:
                rate = int(self._request.pacing_bps / 8)
                # SO_MAX_PACING_RATE, asm-generic/socket.h
                sock.setsockopt(socket.SOL_SOCKET, 47, rate)
            sock.sendall(encode_line(self._request))
            decode_reply(_line(sock))
            sock.setblocking(False)

    def register(self, poller: select.epoll) -> dict[int, socket.socket]:
        """Add the streams to a poller; return them by file number."""
        event = select.EPOLLIN if self._direction == "down" else select.EPOLLOUT
        for sock in self._sockets:
            with suppress(FileExistsError):
                poller.register(sock.fileno(), event)
        return {sock.fileno(): sock for sock in self._sockets}

    def move(self, sock: socket.socket) -> None:
        """Receive or send what the socket can take now."""
        try:
            if self._direction == "up":
                self.app_bytes += sock.send(self._block)
                return
            got = sock.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            self.broken = True
            return
        self.app_bytes += got
        self.broken |= not got

    def sent_octets(self) -> float:
        """Return L2 octets of segments that have arrived (uploads only)."""
        total = 0.0
        for sock in self._sockets:
            info = tcp_info(sock)
            total += info.delivered * (info.mss_bytes + HEADER_BYTES)
        return total

    def retransmitted_share(self) -> float:
        """Return retransmitted of delivered segments (uploads; 0 for downloads)."""
        if self._direction == "down":
            return 0.0
        infos = [tcp_info(sock) for sock in self._sockets]
        delivered = sum(info.delivered for info in infos)
        return sum(info.retransmitted for info in infos) / delivered if delivered else 0

    def close(self) -> None:
        """Reset all streams."""
        for sock in self._sockets:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            sock.close()
        self._sockets.clear()


@dataclass(frozen=True, slots=True)
class EchoTime:
    """One echo: its round trip, and how much longer than ever each way took."""

    rtt_s: float
    down_wait_s: float
    up_wait_s: float

    def wait_s(self, direction: Operation) -> float:
        """Return how long it waited on the way that a test loads."""
        return self.down_wait_s if direction == "down" else self.up_wait_s


class Pinger:
    """UDP echoes with sequence numbers, asked for and read without waiting.

    The server's clock in the reply splits the round trip. The clocks' offset is
    unknown but constant for the seconds of a test, so the shortest way seen is the
    empty one and the rest is waiting.
    """

    def __init__(self, server: MeasureAddress) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.connect((server.host, server.port))
        self._sock.setblocking(False)
        self.session = int.from_bytes(os.urandom(4), "big") or 1
        self._next = 0
        self._shortest_up_s = math.inf
        self._shortest_down_s = math.inf
        self.answered = 0

    def fileno(self) -> int:
        """Return the socket's number, for a poller."""
        return self._sock.fileno()

    @property
    def sent(self) -> int:
        """How many echoes were asked for."""
        return self._next

    def send(self) -> None:
        """Ask for one echo."""
        body = _ECHO.pack(ECHO_REQUEST, self._next, time.monotonic(), self.session)
        self._next += 1
        with suppress(OSError):
            self._sock.send(body.ljust(ECHO_MIN_BYTES, b"\0"))

    def receive(self) -> list[EchoTime]:
        """Return the echoes that are here."""
        found: list[EchoTime] = []
        while True:
            try:
                body = self._sock.recv(2048)
            except OSError:
                return found
            now_s = time.monotonic()
            if len(body) < ECHO_MIN_BYTES:
                continue
            _, _, sent_s, session = _ECHO.unpack_from(body)
            if session == self.session:
                (server_s,) = ECHO_CLOCK.unpack_from(body, ECHO_CLOCK_AT)
                found.append(self._split(sent_s, server_s, now_s))

    def _split(self, sent_s: float, server_s: float, now_s: float) -> EchoTime:
        self.answered += 1
        up_s, down_s = server_s - sent_s, now_s - server_s
        self._shortest_up_s = min(self._shortest_up_s, up_s)
        self._shortest_down_s = min(self._shortest_down_s, down_s)
        return EchoTime(
            now_s - sent_s, down_s - self._shortest_down_s, up_s - self._shortest_up_s
        )

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()


def pump(
    streams: Streams | None,
    pinger: Pinger,
    on_echo: Callable[[EchoTime], None],
    on_tick: Callable[[float], bool],
    tick_s: float = TICK_S,
) -> float:
    """Move data and ping until ``on_tick`` (every ``tick_s``) says False.

    Returns the worst delay of a tick in seconds: how late this machine was.
    """
    late_s = 0.0
    with select.epoll() as poller:
        poller.register(pinger.fileno(), select.EPOLLIN)
        by_number = {} if streams is None else streams.register(poller)
        due_s = time.monotonic()
        while True:
            now_s = time.monotonic()
            if now_s >= due_s:
                late_s = max(late_s, now_s - due_s)
                due_s = max(due_s + tick_s, now_s + tick_s / 2)
                pinger.send()
                if not on_tick(now_s):
                    return late_s
                if streams is not None and len(streams) != len(by_number):
                    by_number = streams.register(poller)
            for number, _ in poller.poll(max(0.0, due_s - time.monotonic())):
                if streams is not None and number in by_number:
                    streams.move(by_number[number])
                else:
                    for echo in pinger.receive():
                        on_echo(echo)


def _line(sock: socket.socket) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        got = sock.recv(1)
        if not got:
            raise EOFError
        line += got
    return bytes(line[:-1])
