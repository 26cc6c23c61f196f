"""The measurement server: the peer of throughput, latency and link tests.

See `probes.measure_protocol` for what it speaks. One process carries several
Gbit/s: data goes in large blocks straight through the socket, and one random
block, made at the start, serves all tests (no device on the way can compress it).

For a demo and for tests a line can be given a rate. Downloads are paced by the
sender; uploads by reading no faster, with a small receive buffer so that the
sender feels it. What is paced is TCP payload, see `probes.pacing`.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import math
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from netmon.config import Secret
from netmon.lease_token import looks_like_lease
from netmon.model import FailureReason
from probes.echo import open_port
from probes.failures import ProbeFailedError, classify
from probes.lease_token import LeaseGate
from probes.measure_protocol import (
    CHUNK_BYTES,
    STALL_S,
    VERSION,
    Reply,
    Report,
    Request,
    decode_request,
    encode_line,
    read_line,
)
from probes.pacing import TokenBucket
from probes.window import SteadyWindow

log = logging.getLogger(__name__)

HANDSHAKE_S = 5.0
# A probe's upload may come before the server has seen its download end.
SLOT_WAIT_S = 0.5
_DRAIN_S = 5.0
_FULL_WAIT_S = 0.1
_MAX_PACING = 47  # SO_MAX_PACING_RATE, asm-generic/socket.h
# Holds a twentieth of a second at the line's rate, within what Linux allows
# without being root; less than a loopback segment would stall the sender.
_RCVBUF_MIN, _RCVBUF_MAX = 256 * 1024, 4 * 1024 * 1024


class Limits(Struct, frozen=True, kw_only=True):
    """What one test may ask for, and how many run at once."""

    max_tests: int = 8
    max_connections: int = 256
    max_seconds: float = 30.0
    max_bytes: int = 4 * 1024**3


class _Line:
    """The two buckets of a paced line."""

    def __init__(self, down_bps: float, up_bps: float, now_s: float) -> None:
        self.up_bps = up_bps
        self.down = TokenBucket(down_bps, now_s)
        self.up = TokenBucket(up_bps, now_s)


class MeasureServer:
    """Serves tests on one port, TCP and UDP.

    ``rates`` maps a line to its down and up rate in bit/s; a line that is not
    named is not paced. With ``leases`` a lease's token is good as well.
    """

    def __init__(
        self,
        token: Secret,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        rates: Mapping[str, tuple[float, float]] | None = None,
        leases: LeaseGate | None = None,
    ) -> None:
        self.host, self.port = "", 0
        self._token = token
        self._leases = leases
        self._limits = limits
        self._lines: dict[str, _Line] = {}
        self._block = memoryview(os.urandom(CHUNK_BYTES))
        self._running = 0
        self._slots = asyncio.Semaphore(limits.max_tests)
        self._listener: socket.socket | None = None
        self._echo: asyncio.DatagramTransport | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()
        for line, (down_bps, up_bps) in (rates or {}).items():
            self.set_rate(line, down_bps, up_bps)

    @property
    def running_tests(self) -> int:
        """How many transfers run now."""
        return self._running

    def set_rate(self, line: str, down_bps: float, up_bps: float) -> None:
        """Pace a line, also under a running test; 0 cuts it off."""
        now_s = time.monotonic()
        known = self._lines.get(line)
        if known is None:
            self._lines[line] = _Line(down_bps, up_bps, now_s)
            return
        known.up_bps = up_bps
        known.down.set_rate(down_bps, now_s)
        known.up.set_rate(up_bps, now_s)

    async def start(self, host: str, port: int) -> None:
        """Listen on TCP and UDP; port 0 takes one that is free for both.

        Raises:
            OSError: the port is taken or the address is not this machine's.
        """
        self._listener, self._echo = await open_port(host, port)
        self.host, self.port = self._listener.getsockname()[:2]
        self._accepting = asyncio.create_task(self._accept(self._listener))

    async def stop(self) -> None:
        """Break off running tests and close everything."""
        tasks = [*self._connections]
        if self._accepting is not None:
            tasks.append(self._accepting)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._echo is not None:
            self._echo.close()
        if self._listener is not None:
            self._listener.close()

    async def __aenter__(self) -> Self:
        """Return the server; it has to be started already."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        await self.stop()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                conn, _ = await loop.sock_accept(listener)
            except OSError:
                # Out of file descriptors: running tests will give some back.
                log.exception("cannot accept a connection")
                await asyncio.sleep(_FULL_WAIT_S)
                continue
            if len(self._connections) >= self._limits.max_connections:
                conn.close()
                continue
            task = asyncio.create_task(self._serve(conn))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _serve(self, conn: socket.socket) -> None:
        try:
            conn.setblocking(False)
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(HANDSHAKE_S):
                asked = decode_request(await read_line(conn))
            with self._admitted(asked) as request:
                await self._answer(conn, request)
        except ProbeFailedError as error:
            await _say(conn, Reply(error=error.reason, message=error.detail))
        except msgspec.DecodeError:
            text = "the request could not be read"
            await _say(conn, Reply(error=FailureReason.PROTOCOL, message=text))
        except (OSError, EOFError) as error:
            # The client closes when it has seen enough: no fault of anybody.
            log.debug("test ended: %s", classify(error)[1])
        finally:
            conn.close()

    @contextmanager
    def _admitted(self, request: Request) -> Iterator[Request]:
        """Give the request within what its token allows.

        Raises:
            ProbeFailedError: no right.
        """
        if self._leases is not None and looks_like_lease(request.token):
            with self._leases.admit(request) as bounded:
                yield bounded
            return
        right = self._token.reveal().encode()
        if not hmac.compare_digest(request.token.encode(), right):
            raise ProbeFailedError(FailureReason.DENIED, "the token is not known here")
        yield request

    async def _answer(self, conn: socket.socket, request: Request) -> None:
        loop = asyncio.get_running_loop()
        agreed = self._agree(request)
        if request.op == "ping":
            await loop.sock_sendall(conn, encode_line(agreed))
            return
        line = self._lines.get(request.line)
        _tune(conn, request)
        async with self._slot():
            if request.op == "up":
                if line is not None:
                    _shrink_buffer(conn, line.up_bps)
                await loop.sock_sendall(conn, encode_line(agreed))
                if request.silent:
                    async with asyncio.timeout(agreed.seconds + 2 * STALL_S):
                        await _drain(conn, line.up if line else None, agreed.bytes)
                    return
                await self._receive(conn, request, agreed, line.up if line else None)
            else:
                await loop.sock_sendall(conn, encode_line(agreed))
                await self._send(conn, agreed, line.down if line else None)

    def _agree(self, request: Request) -> Reply:
        """Return the bounds of a test.

        Raises:
            ProbeFailedError: another version, or a senseless wish.
        """
        if request.v != VERSION:
            raise ProbeFailedError(
                FailureReason.PROTOCOL, f"this server speaks version {VERSION}"
            )
        if request.op == "ping":
            return Reply(ok=True)
        seconds = min(request.seconds, self._limits.max_seconds)
        if not 0 <= request.warmup_s < seconds or request.bytes <= 0:
            raise ProbeFailedError(
                FailureReason.PROTOCOL,
                "0 <= warmup_s < seconds and 0 < bytes needed, with at most"
                f" {self._limits.max_seconds:g} seconds",
            )
        return Reply(
            ok=True,
            seconds=seconds,
            bytes=min(request.bytes, self._limits.max_bytes),
        )

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(SLOT_WAIT_S):
                await self._slots.acquire()
        except TimeoutError:
            raise ProbeFailedError(
                FailureReason.BUSY, "too many tests at once"
            ) from None
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self._slots.release()

    async def _send(
        self, conn: socket.socket, agreed: Reply, bucket: TokenBucket | None
    ) -> None:
        """Send random bytes until the client closes or time is up."""
        pouring = asyncio.create_task(self._pour(conn, agreed.bytes, bucket))
        try:
            # The client waits for the arrival that closes its window.
            async with asyncio.timeout(agreed.seconds + 2 * STALL_S):
                # It says nothing more; what can be read is that it has closed.
                await asyncio.get_running_loop().sock_recv(conn, 1)
        finally:
            pouring.cancel()
            await asyncio.gather(pouring, return_exceptions=True)

    async def _pour(
        self, conn: socket.socket, left: int, bucket: TokenBucket | None
    ) -> None:
        loop = asyncio.get_running_loop()
        while left > 0:
            size = min(left, CHUNK_BYTES)
            if bucket is not None:
                size = await _granted(bucket, size)
            await loop.sock_sendall(conn, self._block[:size])
            await asyncio.sleep(0)  # a socket that is never full never yields
            left -= size
        # Closing altogether could overtake a reset with data still in flight.
        conn.shutdown(socket.SHUT_WR)

    async def _receive(
        self,
        conn: socket.socket,
        request: Request,
        agreed: Reply,
        bucket: TokenBucket | None,
    ) -> None:
        """Count what arrives, report it, and drain until the client closes."""
        try:
            async with asyncio.timeout(STALL_S) as silence:
                window = await _count_arrivals(conn, request, agreed, bucket, silence)
            report = Report(
                ok=True,
                counted_bytes=window.counted_bytes,
                duration_s=window.duration_s,
                total_bytes=window.total_bytes,
            )
        except TimeoutError:
            text = "nothing arrived for too long"
            report = Report(error=FailureReason.TIMEOUT, message=text)
        await _say(conn, report)
        # Closing with unread data sends a reset, which could destroy the report.
        async with asyncio.timeout(_DRAIN_S):
            await _drain(conn)


async def _count_arrivals(
    conn: socket.socket,
    request: Request,
    agreed: Reply,
    bucket: TokenBucket | None,
    silence: asyncio.Timeout,
) -> SteadyWindow:
    """Return the window once it is closed or all agreed bytes have come.

    Raises:
        EOFError: the client closed before.
    """
    loop = asyncio.get_running_loop()
    buffer = memoryview(bytearray(CHUNK_BYTES))
    window: SteadyWindow | None = None
    while True:
        size = CHUNK_BYTES
        if bucket is not None:
            size = await _granted(bucket, size)
        got = await loop.sock_recv_into(conn, buffer[:size])
        if bucket is not None and got < size:
            bucket.give_back(size - got)
        if not got:
            raise EOFError
        now_s = time.monotonic()
        silence.reschedule(loop.time() + STALL_S)
        if window is None:
            window_s = agreed.seconds - request.warmup_s
            window = SteadyWindow(
                now_s,
                warmup_s=request.warmup_s,
                window_s=window_s,
                max_bytes=agreed.bytes,
            )
        if window.add(now_s, got):
            return window
        await asyncio.sleep(0)  # a socket that is never empty would never yield


async def _drain(
    conn: socket.socket, bucket: TokenBucket | None = None, left: float = math.inf
) -> None:
    """Read and forget until the client closes or no bytes are left to it.

    No faster than the bucket allows.
    """
    loop = asyncio.get_running_loop()
    buffer = memoryview(bytearray(CHUNK_BYTES))
    got = 1
    while got and left > 0:
        size = CHUNK_BYTES
        if bucket is not None:
            size = await _granted(bucket, size)
        got = await loop.sock_recv_into(conn, buffer[:size])
        if bucket is not None and got < size:
            bucket.give_back(size - got)
        left -= got
        await asyncio.sleep(0)  # as above


async def _granted(bucket: TokenBucket, want: int) -> int:
    """Wait until some of the wanted bytes may pass; return how many."""
    while True:
        size, wait_s = bucket.take(time.monotonic(), want)
        if size:
            return size
        await asyncio.sleep(wait_s)


async def _say(conn: socket.socket, message: Reply | Report) -> None:
    with suppress(OSError):
        await asyncio.get_running_loop().sock_sendall(conn, encode_line(message))


def _tune(conn: socket.socket, request: Request) -> None:
    """Set what the client asked for the server's sending; both are Linux options."""
    if request.op != "down":
        return
    if request.congestion:
        with suppress(OSError):  # not loaded here: the kernel's default does it
            conn.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_CONGESTION, request.congestion.encode()
            )
    if request.pacing_bps > 0:
        conn.setsockopt(socket.SOL_SOCKET, _MAX_PACING, int(request.pacing_bps / 8))


def _shrink_buffer(conn: socket.socket, rate_bps: float) -> None:
    size = int(min(max(rate_bps / 8 / 20, _RCVBUF_MIN), _RCVBUF_MAX))
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
