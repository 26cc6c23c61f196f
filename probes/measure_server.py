"""The measurement server: the peer of throughput, latency and link tests.

See `probes.measure_protocol` for what it speaks. One process carries several
Gbit/s: data goes in large blocks straight through the socket, and one random
block, made at the start, serves all tests (no device on the way can compress it).

For a demo and for tests a line can be played, see `probes.paced_line`: downloads are
paced by the sender, uploads by reading no faster, with a small receive buffer so that
the sender feels it. What is paced is TCP payload.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
    MAX_TEST_CHARS,
    VERSION,
    Reply,
    Request,
    decode_request,
    read_line,
)
from probes.paced_line import PacedLine, PlainLine
from probes.slots import RunningTest, Slots
from probes.transfers import receive, say, send, tell_stats

log = logging.getLogger(__name__)

HANDSHAKE_S = 5.0
# As on Ethernet: loopback's 64 kB would come in lumps from a sender that is paced.
PLAYED_SEGMENT_BYTES = 1460
_FULL_WAIT_S = 0.1
# What a lease's streams may move together, of its rate: room for a pacer's slack.
_LEASE_SLACK = 1.1

Lines = Callable[[str], PacedLine | None]


class Limits(Struct, frozen=True, kw_only=True):
    """What one test may ask for, and how many run at once."""

    max_tests: int = 8
    max_connections: int = 256
    max_seconds: float = 30.0
    max_bytes: int = 4 * 1024**3


class MeasureServer:
    """Serves tests on one port, TCP and UDP.

    ``rates`` maps a line to its down and up rate in bit/s, ``lines`` to the line
    that plays it; one that is named in neither is not paced. ``echo_line`` says
    which line an echo of that address crosses, where no running test claims it.
    With ``leases`` a lease's token is good as well.
    """

    def __init__(
        self,
        token: Secret,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        rates: Mapping[str, tuple[float, float]] | None = None,
        lines: Mapping[str, PacedLine] | Lines | None = None,
        echo_line: Callable[[str, int], PacedLine | None] | None = None,
        leases: LeaseGate | None = None,
    ) -> None:
        self.host, self.port = "", 0
        self._token = token
        self._leases = leases
        self._limits = limits
        self._plain: dict[str, PlainLine] = {}
        given = lines or {}
        self._played: Lines = given.get if isinstance(given, Mapping) else given
        self._echo_line = echo_line
        self._segment_bytes = 0 if lines is None else PLAYED_SEGMENT_BYTES
        self._block = memoryview(os.urandom(CHUNK_BYTES))
        self._slots = Slots(limits.max_tests)
        self._listener: socket.socket | None = None
        self._echo: asyncio.DatagramTransport | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()
        for line, (down_bps, up_bps) in (rates or {}).items():
            self.set_rate(line, down_bps, up_bps)

    @property
    def running_tests(self) -> int:
        """How many tests run now."""
        return len(self._slots)

    def set_rate(self, line: str, down_bps: float, up_bps: float) -> None:
        """Pace a line, also under a running test; 0 cuts it off."""
        known = self._plain.get(line)
        if known is None:
            self._plain[line] = PlainLine(down_bps, up_bps)
        else:
            known.set_rate(down_bps, up_bps)

    async def start(self, host: str, port: int) -> None:
        """Listen on TCP and UDP; port 0 takes one that is free for both.

        Raises:
            OSError: the port is taken or the address is not this machine's.
        """
        self._listener, self._echo = await open_port(
            host, port, self._line_of, segment_bytes=self._segment_bytes
        )
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
        await self._slots.close()
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
                agreed = self._agree(request)
                if request.op == "ping":
                    await say(conn, agreed)
                    return
                async with self._slots.taken(_key(asked, request)) as test:
                    self._know(test, request)
                    await self._answer(conn, request, agreed, test)
        except ProbeFailedError as error:
            await say(conn, Reply(error=error.reason, message=error.detail))
        except msgspec.DecodeError:
            text = "the request could not be read"
            await say(conn, Reply(error=FailureReason.PROTOCOL, message=text))
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

    def _know(self, test: RunningTest, request: Request) -> None:
        """Note what a test's connections say of it."""
        test.line = self._plain.get(request.line) or self._played(request.line)
        test.echo = test.echo or request.echo
        if looks_like_lease(request.token) and test.bound is None:
            bound_bps = _LEASE_SLACK * request.pacing_bps
            test.bound = PlainLine(bound_bps, bound_bps)
            test.left_bytes = {"down": request.bytes, "up": request.bytes}

    def _line_of(self, session: int, host: str, port: int) -> PacedLine | None:
        """Return the played line that an echo crosses; None without."""
        test = self._slots.by_echo(session)
        line = None if test is None else test.line
        if line is None and self._echo_line is not None:
            line = self._echo_line(host, port)
        return line

    async def _answer(
        self, conn: socket.socket, request: Request, agreed: Reply, test: RunningTest
    ) -> None:
        match request.op:
            case "control":
                await say(conn, agreed)
                await tell_stats(conn, agreed, test)
            case "up":
                await receive(conn, request, agreed, test)
            case _:
                await send(conn, request, agreed, test, self._block)

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
        if len(request.test) > MAX_TEST_CHARS:
            raise ProbeFailedError(FailureReason.PROTOCOL, "test is too long a text")
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


def _key(asked: Request, request: Request) -> object:
    """Return what the connections of one test have in common."""
    if not request.test:
        return object()  # a test of its own
    return looks_like_lease(asked.token), request.line, request.test
