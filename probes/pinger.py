"""UDP echoes to the measurement server, asked for and read without waiting."""

from __future__ import annotations

import math
import os
import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from probes.base import MeasureAddress
from probes.measure_protocol import (
    ECHO_CLOCK,
    ECHO_CLOCK_AT,
    ECHO_MIN_BYTES,
    ECHO_REQUEST,
    Direction,
)

_ECHO = struct.Struct("!4sIdI")
# The kernel's own time of arrival, asm-generic/socket.h and socket(7): exact even when
# this program reads late.
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@ll")


@dataclass(frozen=True, slots=True)
class EchoTime:
    """One echo: when it came and went, and how much longer than ever each way took."""

    sent_s: float
    back_s: float
    down_wait_s: float
    up_wait_s: float

    @property
    def rtt_s(self) -> float:
        """The round trip."""
        return self.back_s - self.sent_s

    def wait_s(self, direction: Direction) -> float:
        """Return how long it waited on the way that a test loads."""
        return self.down_wait_s if direction == "down" else self.up_wait_s

    def queued(
        self, direction: Direction, base_rtt_s: float | None
    ) -> tuple[float, float]:
        """Return from when to when it stood in the queue of a direction.

        ``base_rtt_s`` is the line's empty round trip where it is known better: what
        exceeds it was waiting too, though the shortest echo seen had to wait.
        """
        wait_s = self.wait_s(direction)
        if base_rtt_s is not None:
            other_s = self.up_wait_s if direction == "down" else self.down_wait_s
            wait_s = max(wait_s, self.rtt_s - base_rtt_s - other_s)
        if direction == "down":
            return self.back_s - wait_s, self.back_s
        return self.sent_s, self.sent_s + wait_s


class Pinger:
    """Echoes with sequence numbers.

    The server's clock in the reply splits the round trip. The clocks' offset is
    unknown but constant for the seconds of a test, so the shortest way seen is the
    empty one and the rest is waiting.
    """

    def __init__(self, server: MeasureAddress) -> None:
        """Make the socket; OSError where the server's name is not known."""
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_DGRAM)
        family, kind, proto, _, address = found[0]
        self._sock = socket.socket(family, kind, proto)
        self._sock.connect(address)
        self._sock.setblocking(False)
        with suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
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
                body, notes, _, _ = self._sock.recvmsg(2048, 64)
            except OSError:
                return found
            now_s = _arrived_s(notes)
            if len(body) < ECHO_MIN_BYTES:
                continue
            _, _, sent_s, session = _ECHO.unpack_from(body)
            if session == self.session:
                (server_s,) = ECHO_CLOCK.unpack_from(body, ECHO_CLOCK_AT)
                found.append(self._split(sent_s, server_s, now_s))

    def collect(self, wanted: int, limit_s: float) -> Iterable[EchoTime]:
        """Wait for echoes until that many have come back, or time is up."""
        deadline_s = time.monotonic() + limit_s
        while self.answered < wanted and time.monotonic() < deadline_s:
            yield from self.receive()
            time.sleep(0.002)

    def _split(self, sent_s: float, server_s: float, now_s: float) -> EchoTime:
        self.answered += 1
        up_s, down_s = server_s - sent_s, now_s - server_s
        self._shortest_up_s = min(self._shortest_up_s, up_s)
        self._shortest_down_s = min(self._shortest_down_s, down_s)
        return EchoTime(
            sent_s,
            now_s,
            down_s - self._shortest_down_s,
            up_s - self._shortest_up_s,
        )

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()


def _arrived_s(notes: list[tuple[int, int, bytes]]) -> float:
    """Return when the kernel took a datagram in, by the monotonic clock."""
    now_s = time.monotonic()
    for level, kind, data in notes:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanos = _TIMESPEC.unpack_from(data)
            ago_s = (time.time_ns() - seconds * 1_000_000_000 - nanos) / 1e9
            # A clock that is set just now would put it into the future or far back.
            return now_s - ago_s if 0 <= ago_s < 1 else now_s
    return now_s
