"""Names to addresses, with the errors of the device port."""

from __future__ import annotations

import asyncio
import errno
import socket

from collectors.base import (
    NoReplyError,
    RefusedError,
    SessionError,
    UnknownHostError,
    UnreachableError,
)

_NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}


async def resolve(host: str, port: int) -> str:
    """Return the first IP address of a host, without holding up the loop.

    Raises:
        UnknownHostError: the name means nothing, or nobody could be asked.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_DGRAM
        )
    except OSError as error:
        raise UnknownHostError(f"{host}: {error.strerror}") from error
    return str(found[0][4][0])


def socket_error(error: OSError) -> SessionError:
    """Return what a socket's error means for the device."""
    if isinstance(error, TimeoutError):
        return NoReplyError("no reply")
    if isinstance(error, ConnectionRefusedError):
        return RefusedError("nobody listens on the port")
    if error.errno in _NO_WAY:
        return UnreachableError(error.strerror or "no way to the address")
    return NoReplyError(error.strerror or type(error).__name__)
