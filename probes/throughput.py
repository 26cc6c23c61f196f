"""Throughput down and up: one TCP stream each, counted by the receiver.

Plain and correct: a warm-up that is thrown away, then a steady window. Counted
is TCP payload. The upload is counted by the server and reported back. A
transfer that broke off has no number at all, neither has the run as a whole.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time

from msgspec import Struct

from netmon.model import FailureReason
from probes.arrivals import count_arrivals
from probes.base import ProbeContext, ProbeResult, failed, measured
from probes.failures import ProbeFailedError, classify
from probes.measure_protocol import (
    CHUNK_BYTES,
    STALL_S,
    Operation,
    Reply,
    Report,
    Request,
    decode_reply,
    decode_report,
    encode_line,
    read_line,
)
from probes.sockets import CONNECT_S, connected

# Kept beside each number, so that results of two methods never mix.
METHOD = "tcp-plain/1"
REPLY_S = 5.0
# A window shorter than this (the byte limit came first) says too little.
MIN_WINDOW_S = 0.05


class ThroughputSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How long and how much. ``max_bytes`` is for one direction.

    ``interval_s`` is the length of the slot in which one run takes place; 0 for never,
    since `probes.uplink` measures the line.
    """

    interval_s: float = 0.0
    warmup_s: float = 1.0
    window_s: float = 3.0
    max_bytes: int = 600_000_000


class _Transfer(Struct, frozen=True):
    rate_bps: float
    total_bytes: int
    duration_s: float


class ThroughputProbe:
    """Measures download, then upload, against the measurement server."""

    name = "throughput"
    kind = "throughput"

    def __init__(self, settings: ThroughputSettings | None = None) -> None:
        self._settings = settings or ThroughputSettings()
        load_s = self._settings.warmup_s + self._settings.window_s + 3 * STALL_S
        self.limit_s = 2 * (CONNECT_S + REPLY_S + load_s)

    def tags(self, context: ProbeContext) -> dict[str, str]:
        """Return building, line and method."""
        return {
            "building": context.building,
            "line": context.line,
            "method": METHOD,
        }

    async def run(self, context: ProbeContext) -> ProbeResult:
        """Measure both directions; a failure in either is the run's failure."""
        done: dict[Operation, _Transfer] = {}
        directions: tuple[Operation, ...] = ("down", "up")
        for direction in directions:
            context.emit(f"{direction}_start", {"server": context.server.host})
            try:
                transfer = await self._transfer(context, direction)
            except (OSError, EOFError, ValueError, ProbeFailedError) as error:
                reason, text = classify(error)
                return failed(reason, f"{direction}: {text}")
            context.emit(
                f"{direction}_done",
                {
                    "rate_bps": transfer.rate_bps,
                    "bytes": float(transfer.total_bytes),
                    "duration_s": transfer.duration_s,
                },
            )
            done[direction] = transfer
        down, up = done["down"], done["up"]
        return measured(
            {
                "rate_down_bps": down.rate_bps,
                "rate_up_bps": up.rate_bps,
                "transferred_bytes": float(down.total_bytes + up.total_bytes),
                "duration_s": down.duration_s + up.duration_s,
            }
        )

    async def _transfer(self, context: ProbeContext, direction: Operation) -> _Transfer:
        settings = self._settings
        async with connected(context.server) as sock:
            request = Request(
                op=direction,
                token=context.server.token.reveal(),
                line=context.line,
                seconds=settings.warmup_s + settings.window_s,
                warmup_s=settings.warmup_s,
                bytes=settings.max_bytes,
            )
            agreed = await _ask(sock, request)
            context.emit(
                "agreed", {"seconds": agreed.seconds, "bytes": float(agreed.bytes)}
            )
            started_s = time.monotonic()
            if direction == "down":
                window = await count_arrivals(
                    sock,
                    warmup_s=request.warmup_s,
                    window_s=agreed.seconds - request.warmup_s,
                    max_bytes=agreed.bytes,
                    silence_s=STALL_S,
                )
                counted = window.counted_bytes, window.duration_s, window.total_bytes
            else:
                report = await _send(sock, agreed)
                counted = report.counted_bytes, report.duration_s, report.total_bytes
            load_s = time.monotonic() - started_s
        counted_bytes, duration_s, total_bytes = counted
        if duration_s < MIN_WINDOW_S or counted_bytes <= 0:
            raise ProbeFailedError(
                FailureReason.PARTIAL,
                f"the byte limit was reached after {duration_s:.2f} s of the window",
            )
        return _Transfer(8 * counted_bytes / duration_s, total_bytes, load_s)


async def _ask(sock: socket.socket, request: Request) -> Reply:
    async with asyncio.timeout(REPLY_S):
        await asyncio.get_running_loop().sock_sendall(sock, encode_line(request))
        return decode_reply(await read_line(sock))


async def _send(sock: socket.socket, agreed: Reply) -> Report:
    """Send until the server reports; raises as `decode_report` and `read_line`."""
    sender = asyncio.create_task(_pour(sock, agreed.bytes))
    try:
        async with asyncio.timeout(agreed.seconds + 3 * STALL_S):
            return decode_report(await read_line(sock))
    finally:
        sender.cancel()
        # Its errors are the connection's, which reading has met as well.
        await asyncio.gather(sender, return_exceptions=True)


async def _pour(sock: socket.socket, left: int) -> None:
    loop = asyncio.get_running_loop()
    block = memoryview(os.urandom(CHUNK_BYTES))
    while left > 0:
        size = min(left, CHUNK_BYTES)
        await loop.sock_sendall(sock, block[:size])
        await asyncio.sleep(0)  # a socket that is never full would never yield
        left -= size
