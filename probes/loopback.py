"""The loopback ceiling: what this machine can move at all, without any line.

A real TCP transfer over 127.0.0.1, both ends in this process. One machine does
the work of two here, so the ceiling errs on the safe side: what comes near it is
not the line's doing but the probe's.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec import Struct

from netmon.units import MAX_RATE_BPS
from probes.measure_protocol import CHUNK_BYTES

WARMUP_S = 0.05
WINDOW_S = 0.25
# Nothing that stalls may hold the caller for longer.
_STALL_S = 1.0
# Far above any machine's memory speed: a bound, not a target.
_MAX_BYTES = 8 * 1024**3


class Ceiling(Struct, frozen=True):
    """Payload in bit/s, and when it was measured (milliseconds since 1970)."""

    rate_bps: float
    measured_ms: int


def measure_ceiling(window_s: float = WINDOW_S) -> float:
    """Return the payload rate over loopback in bit/s; blocks for about 0.3 s.

    Raises:
        OSError: there is no loopback, or nothing moved for a second.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.settimeout(_STALL_S)
        receiver = socket.create_connection(listener.getsockname(), _STALL_S)
        stack.callback(receiver.close)
        sender, _ = listener.accept()
        stack.callback(sender.close)
        sender.settimeout(_STALL_S)
        thread = threading.Thread(target=_send, args=(sender,), name="loopback")
        thread.start()
        stack.callback(thread.join)
        # First of the callbacks: closing with unread data resets the connection,
        # which wakes the sender wherever it stands.
        stack.callback(receiver.close)
        return _receive(receiver, window_s)


def _send(sender: socket.socket) -> None:
    block = memoryview(os.urandom(CHUNK_BYTES))
    left = _MAX_BYTES
    try:
        while left > 0:
            left -= sender.send(block)
    except OSError:
        return  # the receiver has seen enough


def _receive(receiver: socket.socket, window_s: float) -> float:
    buffer = memoryview(bytearray(CHUNK_BYTES))
    started_s = opened_s = time.monotonic()
    counted = 0
    while True:
        got = receiver.recv_into(buffer)
        now_s = time.monotonic()
        if not got:
            raise OSError("the transfer over loopback broke off")
        if now_s - started_s < WARMUP_S:
            opened_s = now_s
            continue
        counted += got
        if now_s - opened_s >= window_s:
            return min(8 * counted / (now_s - opened_s), float(MAX_RATE_BPS))


def load_ceiling(file: Path) -> Ceiling | None:
    """Return the ceiling kept in the state file; None without a readable one."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Ceiling)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def save_ceiling(file: Path, ceiling: Ceiling) -> None:
    """Keep a ceiling; a reader sees the old or the new one, never half of it.

    Raises:
        OSError: the folder takes no file.
    """
    fresh = file.with_name(file.name + ".new")
    fresh.write_bytes(msgspec.json.encode(ceiling))
    fresh.replace(file)
