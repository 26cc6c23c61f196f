"""Counting and forgetting what arrives on a socket; for both ends of a transfer."""

from __future__ import annotations

import asyncio
import math
import socket
import time

from probes.measure_protocol import CHUNK_BYTES, readable
from probes.paced_line import Allowance
from probes.window import SteadyWindow


async def count_arrivals(
    sock: socket.socket,
    *,
    warmup_s: float,
    window_s: float,
    max_bytes: int,
    silence_s: float,
    allowance: Allowance | None = None,
) -> SteadyWindow:
    """Return the window once it is closed or all agreed bytes have come.

    Raises:
        EOFError: the stream ended before that.
        TimeoutError: nothing arrived for ``silence_s``.
    """
    loop = asyncio.get_running_loop()
    buffer = memoryview(bytearray(CHUNK_BYTES))
    window: SteadyWindow | None = None
    async with asyncio.timeout(silence_s) as silence:
        while True:
            got = await _arrived(loop, sock, buffer, allowance)
            if not got:
                raise EOFError
            now_s = time.monotonic()
            silence.reschedule(loop.time() + silence_s)
            if window is None:
                window = SteadyWindow(
                    now_s, warmup_s=warmup_s, window_s=window_s, max_bytes=max_bytes
                )
            if window.add(now_s, got):
                return window
            await asyncio.sleep(0)  # a socket that is never empty would never yield


async def drain(
    sock: socket.socket, allowance: Allowance | None = None, left: float = math.inf
) -> None:
    """Read and forget until the peer closes or no bytes are left to it."""
    loop = asyncio.get_running_loop()
    buffer = memoryview(bytearray(CHUNK_BYTES))
    got = 1
    while got and left > 0:
        got = await _arrived(loop, sock, buffer, allowance)
        left -= got
        await asyncio.sleep(0)  # as above


async def _arrived(
    loop: asyncio.AbstractEventLoop,
    sock: socket.socket,
    buffer: memoryview,
    allowance: Allowance | None,
) -> int:
    if allowance is None:
        return await loop.sock_recv_into(sock, buffer)
    while True:
        # Asked for only when something is here: what is granted has passed at once.
        await readable(loop, sock)
        size = await allowance.granted(len(buffer))
        try:
            got = sock.recv_into(buffer[:size])
        except BlockingIOError:
            got = -1
        allowance.give_back(size - max(0, got))
        if got >= 0:
            return got
