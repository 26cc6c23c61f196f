"""The sockets of the measurement server: TCP listener and UDP echo on one port."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import cast

from probes.measure_protocol import (
    ECHO_CLOCK,
    ECHO_CLOCK_AT,
    ECHO_MAX_BYTES,
    ECHO_MIN_BYTES,
    ECHO_REPLY,
    ECHO_REQUEST,
)

_BACKLOG = 256
_PORT_TRIES = 20


async def open_port(
    host: str, port: int
) -> tuple[socket.socket, asyncio.DatagramTransport]:
    """Return a TCP listener and a running echo; port 0 takes one free for both.

    Raises:
        OSError: the port is taken or the address is not this machine's.
    """
    tries_left = 1 if port else _PORT_TRIES
    while True:
        listener = _listen(host, port)
        try:
            return listener, await _open_echo(listener)
        except OSError:
            listener.close()
            tries_left -= 1
            if not tries_left:
                raise


def _listen(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, kind, proto, _, address = found[0]
    listener = socket.socket(family, kind, proto)
    try:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


async def _open_echo(listener: socket.socket) -> asyncio.DatagramTransport:
    sock = socket.socket(listener.family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind(listener.getsockname())
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            Echo, sock=sock
        )
    except OSError:
        sock.close()
        raise
    return transport


class Echo(asyncio.DatagramProtocol):
    """Answers echo requests and nothing else, with exactly as many bytes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        """Answer a request."""
        if ECHO_MIN_BYTES <= len(data) <= ECHO_MAX_BYTES and data.startswith(
            ECHO_REQUEST
        ):
            reply = bytearray(data)
            reply[: len(ECHO_REPLY)] = ECHO_REPLY
            ECHO_CLOCK.pack_into(reply, ECHO_CLOCK_AT, time.monotonic())
            self._transport.sendto(reply, addr)
