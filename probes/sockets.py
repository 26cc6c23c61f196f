"""Sockets of the probes: connecting with a limit, closing without a tail."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from probes.base import MeasureAddress

CONNECT_S = 5.0


async def resolve(
    address: MeasureAddress, kind: socket.SocketKind
) -> list[tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]]:
    """Return the addresses of the measurement server, best first.

    Raises:
        socket.gaierror: the name is not known.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(address.host, address.port, type=kind)
    # Numbers in the third place would be a family Python was built without.
    return [(entry[0], entry[4]) for entry in found if isinstance(entry[4][0], str)]


@asynccontextmanager
async def connected(address: MeasureAddress) -> AsyncIterator[socket.socket]:
    """Yield a non-blocking TCP connection to the measurement server.

    At the end it is reset, so that nothing still queued goes over the line.

    Raises:
        OSError: no address of the name answered; the last one's error.
        TimeoutError: not connected within five seconds.
    """
    sock: socket.socket | None = None
    async with asyncio.timeout(CONNECT_S):
        candidates = await resolve(address, socket.SOCK_STREAM)
        for index, (family, target) in enumerate(candidates):
            try:
                sock = await _connect(family, target)
                break
            except OSError:
                if index == len(candidates) - 1:
                    raise
    if sock is None:
        raise socket.gaierror
    try:
        yield sock
    finally:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


async def _connect(
    family: socket.AddressFamily, target: tuple[str, int] | tuple[str, int, int, int]
) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, target)
    except BaseException:
        sock.close()
        raise
    return sock
