"""The sockets of the measurement server: TCP listener and UDP echo on one port."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Protocol, cast

from probes.measure_protocol import (
    ECHO_CLOCK,
    ECHO_CLOCK_AT,
    ECHO_MAX_BYTES,
    ECHO_MIN_BYTES,
    ECHO_REPLY,
    ECHO_REQUEST,
    ECHO_SESSION,
    ECHO_SESSION_AT,
    Direction,
)

_BACKLOG = 256
_PORT_TRIES = 20


class EchoLine(Protocol):
    """A played line, as an echo meets it."""

    def echo_wait_s(self, direction: Direction) -> float:
        """Return how long a packet that comes now is on its way."""


# From an echo's session number and the address it came from; None: no played line.
LineOf = Callable[[int, str, int], EchoLine | None]


def no_line(session: int, host: str, port: int) -> EchoLine | None:
    """Return None: between real ends the line itself makes packets wait."""
    return None


async def open_port(
    host: str, port: int, line_of: LineOf = no_line, *, segment_bytes: int = 0
) -> tuple[socket.socket, asyncio.DatagramTransport]:
    """Return a TCP listener and a running echo; port 0 takes one free for both.

    ``segment_bytes`` bounds TCP's segments in both directions, headers excluded.

    Raises:
        OSError: the port is taken or the address is not this machine's.
    """
    tries_left = 1 if port else _PORT_TRIES
    while True:
        listener = _listen(host, port, segment_bytes)
        try:
            return listener, await _open_echo(listener, line_of)
        except OSError:
            listener.close()
            tries_left -= 1
            if not tries_left:
                raise


def _listen(host: str, port: int, segment_bytes: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, kind, proto, _, address = found[0]
    listener = socket.socket(family, kind, proto)
    try:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if segment_bytes:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment_bytes)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


async def _open_echo(
    listener: socket.socket, line_of: LineOf
) -> asyncio.DatagramTransport:
    sock = socket.socket(listener.family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind(listener.getsockname())
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Echo(line_of), sock=sock
        )
    except OSError:
        sock.close()
        raise
    return transport


class Echo(asyncio.DatagramProtocol):
    """Answers echo requests and nothing else, with exactly as many bytes."""

    def __init__(self, line_of: LineOf = no_line) -> None:
        self._line_of = line_of

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        """Answer a request, on a played line after its waits."""
        if not ECHO_MIN_BYTES <= len(data) <= ECHO_MAX_BYTES:
            return
        if not data.startswith(ECHO_REQUEST):
            return
        (session,) = ECHO_SESSION.unpack_from(data, ECHO_SESSION_AT)
        line = self._line_of(session, str(addr[0]), int(addr[1]))
        if line is None:
            self._transport.sendto(_reply(data), addr)
            return
        loop = asyncio.get_running_loop()
        loop.call_later(line.echo_wait_s("up"), self._stamp, data, addr, line)

    def _stamp(self, data: bytes, addr: tuple[str | int, ...], line: EchoLine) -> None:
        # Asked only now: the way down is as full as it is when the reply comes to it.
        loop = asyncio.get_running_loop()
        wait_s = line.echo_wait_s("down")
        loop.call_later(wait_s, self._answer, _reply(data), addr)

    def _answer(self, reply: bytes, addr: tuple[str | int, ...]) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(reply, addr)


def _reply(data: bytes) -> bytes:
    reply = bytearray(data)
    reply[: len(ECHO_REPLY)] = ECHO_REPLY
    ECHO_CLOCK.pack_into(reply, ECHO_CLOCK_AT, time.monotonic())
    return bytes(reply)
