"""One place that says which reason an error of a measurement stands for.

The text kept beside the reason holds no addresses: it may be shown to anybody
who may see the measurement.
"""

from __future__ import annotations

import errno
import os
import socket

import msgspec

from netmon.errors import NetmonError
from netmon.model import FailureReason

_BY_ERRNO = {
    errno.ECONNREFUSED: FailureReason.REFUSED,
    errno.ETIMEDOUT: FailureReason.TIMEOUT,
    errno.ECONNRESET: FailureReason.BROKEN_OFF,
    errno.ECONNABORTED: FailureReason.BROKEN_OFF,
    errno.EPIPE: FailureReason.BROKEN_OFF,
    errno.ESHUTDOWN: FailureReason.BROKEN_OFF,
    errno.ENOTCONN: FailureReason.BROKEN_OFF,
    errno.ENETUNREACH: FailureReason.UNREACHABLE,
    errno.EHOSTUNREACH: FailureReason.UNREACHABLE,
    errno.ENETDOWN: FailureReason.UNREACHABLE,
    errno.EHOSTDOWN: FailureReason.UNREACHABLE,
    errno.EADDRNOTAVAIL: FailureReason.UNREACHABLE,
    # A packet filter on the probe itself answers so.
    errno.EPERM: FailureReason.DENIED,
    errno.EACCES: FailureReason.DENIED,
}

_BY_TYPE: tuple[tuple[type[Exception], FailureReason, str], ...] = (
    (socket.gaierror, FailureReason.DNS, "the name could not be resolved"),
    (TimeoutError, FailureReason.TIMEOUT, "timed out"),
    (EOFError, FailureReason.BROKEN_OFF, "the peer closed the connection"),
    (msgspec.DecodeError, FailureReason.PROTOCOL, "the answer could not be read"),
)


class ProbeFailedError(NetmonError):
    """A measurement came to no number; says why in the closed list and in words."""

    def __init__(self, reason: FailureReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def classify(error: Exception) -> tuple[FailureReason, str]:
    """Return the reason for an error and a short text without addresses.

    ``INTERNAL`` for what is no failure of the network but ours.
    """
    if isinstance(error, ProbeFailedError):
        return error.reason, error.detail
    for kind, reason, text in _BY_TYPE:
        if isinstance(error, kind):
            return reason, text
    if isinstance(error, OSError) and error.errno in _BY_ERRNO:
        # asyncio writes the address into the text, the system's text has none.
        return _BY_ERRNO[error.errno], os.strerror(error.errno)
    return FailureReason.INTERNAL, type(error).__name__
