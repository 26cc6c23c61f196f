"""The measurement server's side of a test's connections: send, receive, tell."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from netmon.model import FailureReason
from probes.arrivals import count_arrivals, drain
from probes.measure_protocol import (
    CHUNK_BYTES,
    GO,
    STALL_S,
    STAT,
    Reply,
    Report,
    Request,
    Stat,
    encode_line,
    read_line,
    writable,
)
from probes.paced_line import Allowance
from probes.slots import RunningTest

_DRAIN_S = 5.0
SO_MAX_PACING_RATE = 47  # asm-generic/socket.h
# Holds a fiftieth of a second at the line's rate, within what Linux allows without
# being root; less than some segments would stall the sender.
_RCVBUF_S, _RCVBUF_SEGMENTS, _RCVBUF_MAX = 0.020, 4, 4 * 1024 * 1024
# Before a played line hardly anything may wait: it would be counted and not be there.
_SNDBUF_S, _SNDBUF_MIN, _SNDBUF_MAX = 0.004, 32 * 1024, 1024 * 1024


async def say(conn: socket.socket, message: Reply | Report | Stat) -> None:
    """Send a line; a client that has gone need not hear it."""
    with suppress(OSError):
        await asyncio.get_running_loop().sock_sendall(conn, encode_line(message))


async def tell_stats(conn: socket.socket, agreed: Reply, test: RunningTest) -> None:
    """Answer each ``stat`` until the client closes or time is up."""
    async with asyncio.timeout(2 * agreed.seconds + 2 * STALL_S):
        while await read_line(conn) == STAT:
            await say(conn, test.stat())


async def send(
    conn: socket.socket,
    request: Request,
    agreed: Reply,
    test: RunningTest,
    block: memoryview,
) -> None:
    """Send random bytes until the client closes or time is up.

    Raises:
        OSError: the connection broke.
        TimeoutError: the client neither began nor closed in time.
    """
    loop = asyncio.get_running_loop()
    _tune(conn, request)
    if test.line is not None:
        _shrink_send_buffer(conn, test.line.rate_bps("down"))
    await loop.sock_sendall(conn, encode_line(agreed))
    if request.held:
        async with asyncio.timeout(agreed.seconds + 2 * STALL_S):
            if await loop.sock_recv(conn, 1) != GO:
                return  # it was not needed
    with test.moving("down", conn):
        pouring = asyncio.create_task(
            _pour(conn, agreed.bytes, test.allowance("down"), block)
        )
        try:
            # The client waits for the arrival that closes its window.
            async with asyncio.timeout(agreed.seconds + 2 * STALL_S):
                # It says nothing more; what can be read is that it has closed.
                await loop.sock_recv(conn, 1)
        finally:
            pouring.cancel()
            await asyncio.gather(pouring, return_exceptions=True)


async def _pour(
    conn: socket.socket, left: int, allowance: Allowance | None, block: memoryview
) -> None:
    loop = asyncio.get_running_loop()
    while left > 0:
        size = min(left, CHUNK_BYTES)
        if allowance is None:
            await loop.sock_sendall(conn, block[:size])
        else:
            size = await _push(conn, block[:size], allowance)
        if not size:
            break
        await asyncio.sleep(0)  # a socket that is never full never yields
        left -= size
    # Closing altogether could overtake a reset with data still in flight.
    conn.shutdown(socket.SHUT_WR)


async def _push(conn: socket.socket, block: memoryview, allowance: Allowance) -> int:
    """Send what may pass and the socket takes at once; return it, 0: nothing ever may.

    What is granted has passed or is given back in the same moment: a line that is
    played must not count bytes that wait here for a sender paced below its rate.
    """
    while True:
        size = await allowance.granted(len(block))
        if not size:
            return 0
        try:
            sent = conn.send(block[:size])
        except BlockingIOError:
            sent = 0
        allowance.give_back(size - sent)
        if sent:
            return sent
        await writable(asyncio.get_running_loop(), conn)


async def receive(
    conn: socket.socket, request: Request, agreed: Reply, test: RunningTest
) -> None:
    """Take an upload: count and report it, or forget it where the client counts."""
    if test.line is not None:
        _shrink_buffer(conn, test.line.rate_bps("up"))
    await asyncio.get_running_loop().sock_sendall(conn, encode_line(agreed))
    with test.moving("up", conn):
        allowance = test.allowance("up")
        if request.silent:
            async with asyncio.timeout(agreed.seconds + 2 * STALL_S):
                await drain(conn, allowance, agreed.bytes)
            return
        await _count(conn, request, agreed, allowance)


async def _count(
    conn: socket.socket,
    request: Request,
    agreed: Reply,
    allowance: Allowance | None,
) -> None:
    try:
        window = await count_arrivals(
            conn,
            warmup_s=request.warmup_s,
            window_s=agreed.seconds - request.warmup_s,
            max_bytes=agreed.bytes,
            silence_s=STALL_S,
            allowance=allowance,
        )
        report = Report(
            ok=True,
            counted_bytes=window.counted_bytes,
            duration_s=window.duration_s,
            total_bytes=window.total_bytes,
        )
    except TimeoutError:
        text = "nothing arrived for too long"
        report = Report(error=FailureReason.TIMEOUT, message=text)
    await say(conn, report)
    # Closing with unread data sends a reset, which could destroy the report.
    async with asyncio.timeout(_DRAIN_S):
        await drain(conn)


def _tune(conn: socket.socket, request: Request) -> None:
    """Set what the client asked for the server's sending; both are Linux options."""
    if request.congestion:
        with suppress(OSError):  # not loaded here: the kernel's default does it
            conn.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_CONGESTION, request.congestion.encode()
            )
    if request.pacing_bps > 0:
        conn.setsockopt(
            socket.SOL_SOCKET, SO_MAX_PACING_RATE, int(request.pacing_bps / 8)
        )


def _shrink_buffer(conn: socket.socket, rate_bps: float) -> None:
    segment = conn.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
    least = _RCVBUF_SEGMENTS * segment
    size = int(min(max(rate_bps / 8 * _RCVBUF_S, least), _RCVBUF_MAX))
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def _shrink_send_buffer(conn: socket.socket, rate_bps: float) -> None:
    size = int(min(max(rate_bps / 8 * _SNDBUF_S, _SNDBUF_MIN), _SNDBUF_MAX))
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
