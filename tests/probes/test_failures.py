"""Which error stands for which reason, and that no address is in the text."""

from __future__ import annotations

import errno
import socket

import msgspec
import pytest

from netmon.model import FailureReason as Reason
from probes.failures import ProbeFailedError, classify


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('10.1.2.3', 80)"), Reason.REFUSED),
        (TimeoutError(), Reason.TIMEOUT),
        (TimeoutError(errno.ETIMEDOUT, "10.1.2.3"), Reason.TIMEOUT),
        (ConnectionResetError(errno.ECONNRESET, "10.1.2.3"), Reason.BROKEN_OFF),
        (BrokenPipeError(errno.EPIPE, "10.1.2.3"), Reason.BROKEN_OFF),
        (EOFError(), Reason.BROKEN_OFF),
        (OSError(errno.ENETUNREACH, "10.1.2.3"), Reason.UNREACHABLE),
        (OSError(errno.EHOSTUNREACH, "10.1.2.3"), Reason.UNREACHABLE),
        (socket.gaierror(-2, "secret.example.org"), Reason.DNS),
        (PermissionError(errno.EPERM, "10.1.2.3"), Reason.DENIED),
        (msgspec.DecodeError("10.1.2.3"), Reason.PROTOCOL),
        (ProbeFailedError(Reason.BUSY, "too many"), Reason.BUSY),
        (OSError(errno.EMFILE, "10.1.2.3"), Reason.INTERNAL),
        (KeyError("10.1.2.3"), Reason.INTERNAL),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_reason_of_an_error(error, reason):
    found, text = classify(error)
    assert found is reason
    assert text
    assert "10.1.2.3" not in text
    assert "example" not in text
