"""How a probe and the measurement server talk; version 1.

TCP: the client sends one JSON line (`Request`), the server answers with one
JSON line (`Reply`): ``{"ok":true,"seconds":..,"bytes":..}`` with the bounds it
agreed to, or ``{"error":"busy"}`` and closes.

- ``ping``: nothing follows.
- ``down``: the server sends random bytes until the agreed bytes are through.
  The client stops by closing once its window is full. An end of the stream
  before the agreed bytes is a transfer that broke off: a crash of the server
  looks exactly like that, so it never counts as an end.
- ``up``: the client sends until a second line (`Report`) tells what the server
  counted over the steady window, or until the agreed bytes are through. No
  report means that the transfer broke off.

- ``control``: opened before a test's streams and kept open. The client writes the
  line ``stat`` and gets a `Stat`: what the server knows of the test, which only
  the sending side's kernel can know of a download, and how the server itself is.

Connections with the same ``test`` are one test and share one slot. A ``held`` download
sends nothing until the client has written one byte (``GO``): a test can grow by a
stream without a round trip.

UDP on the same port number: a datagram of 32 to 1472 bytes that starts with
``ECHO_REQUEST`` comes back once, same size, starting with ``ECHO_REPLY``, with the
server's clock (a double, network order, seconds since an unknown moment) in bytes
24 to 31: its changes tell which direction packets wait in. A reply is never echoed,
so two servers cannot be made to talk to each other. Bytes 16 to 19 are a session
number: a test's requests name it as ``echo``, so that a played line can delay its own.

All rates count TCP payload. The token travels in the clear: it lets a probe
use the server and nothing more.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from netmon.model import FailureReason
from probes.failures import ProbeFailedError

VERSION = 1
MAX_LINE_BYTES = 4096
ECHO_REQUEST = b"NMq1"
ECHO_REPLY = b"NMr1"
ECHO_MIN_BYTES = 32
ECHO_CLOCK = struct.Struct("!d")
ECHO_CLOCK_AT = 24
ECHO_SESSION = struct.Struct("!I")
ECHO_SESSION_AT = 16
ECHO_MAX_BYTES = 1472
GO = b"g"
STAT = b"stat"
MAX_TEST_CHARS = 64
# A silence of this length in a transfer is a break, not a slow line.
STALL_S = 2.0
# Reads and writes of a transfer: large enough for several Gbit/s in Python.
CHUNK_BYTES = 256 * 1024

Direction = Literal["down", "up"]
Operation = Literal["down", "up", "ping", "control"]
Congestion = Literal["", "cubic", "bbr", "reno"]


class Request(Struct, frozen=True, kw_only=True):
    """What the client wants. ``seconds`` is warm-up and window together.

    ``congestion`` names the kernel's algorithm for what the server sends, empty
    for its default; ``pacing_bps`` bounds it (0: no bound). ``silent``: the client
    counts by itself, an upload gets no report. ``test`` is a random text that the
    connections of one test share (empty: a test of its own), ``echo`` the session
    number of its echoes (0: none). ``held``: a download waits for ``GO``.
    """

    op: Operation
    token: str = ""
    test: str = ""
    echo: int = 0
    held: bool = False
    line: str = ""
    seconds: float = 0.0
    warmup_s: float = 0.0
    bytes: int = 0
    congestion: Congestion = ""
    pacing_bps: float = 0.0
    silent: bool = False
    v: int = VERSION


class Reply(Struct, frozen=True, kw_only=True):
    """The server's answer: ``error`` is a `FailureReason` or None."""

    ok: bool = False
    error: str | None = None
    message: str = ""
    seconds: float = 0.0
    bytes: int = 0
    v: int = VERSION


class Report(Struct, frozen=True, kw_only=True):
    """What the server received: over the window, and altogether."""

    ok: bool = False
    error: str | None = None
    message: str = ""
    counted_bytes: int = 0
    duration_s: float = 0.0
    total_bytes: int = 0


class Side(Struct, frozen=True, kw_only=True):
    """What the server's kernel knows of a test's streams in one direction.

    Sums over the streams since each began to move; two answers can be subtracted.
    ``bytes`` is payload that arrived. The rest is the sender's, so 0 for ``up``:
    segments delivered and retransmitted, and of the ``stream_s`` seconds those with
    data on the way (``busy_s``), of these the ones in which the receiver's window
    or the server's own buffer was what stopped it.
    """

    streams: int = 0
    bytes: int = 0
    delivered: int = 0
    retransmitted: int = 0
    stream_s: float = 0.0
    busy_s: float = 0.0
    rwnd_limited_s: float = 0.0
    sndbuf_limited_s: float = 0.0


class Stat(Struct, frozen=True, kw_only=True):
    """A test as the server sees it, and the server itself since the test began.

    ``late_s`` is the worst delay of its event loop, ``cpu_busy_ratio`` the share of a
    core that its thread used, ``cpu_steal_ratio`` what a host withheld;
    ``port_use_ratio`` of the default route's port is None where its speed is unknown.
    """

    ok: bool = False
    error: str | None = None
    message: str = ""
    down: Side = Side()
    up: Side = Side()
    late_s: float = 0.0
    cpu_busy_ratio: float = 0.0
    cpu_steal_ratio: float = 0.0
    port_use_ratio: float | None = None


_Message = TypeVar("_Message", Request, Reply, Report, Stat)
_encode = msgspec.json.Encoder().encode


def encode_line(message: Request | Reply | Report | Stat) -> bytes:
    """Return the message as a line."""
    return _encode(message) + b"\n"


def decode_request(line: bytes) -> Request:
    """Return the request in a line; raises `msgspec.DecodeError`."""
    return _decode(line, Request)


def decode_reply(line: bytes) -> Reply:
    """Return a reply without error.

    Raises:
        msgspec.DecodeError: the line is no reply.
        ProbeFailedError: the server refused, with its reason.
    """
    reply = _decode(line, Reply)
    if reply.error is not None or not reply.ok:
        raise _refusal(reply.error, reply.message)
    return reply


def decode_report(line: bytes) -> Report:
    """Return a report without error; raises as `decode_reply`."""
    report = _decode(line, Report)
    if report.error is not None or not report.ok:
        raise _refusal(report.error, report.message)
    return report


def decode_stat(line: bytes) -> Stat:
    """Return a `Stat` without error; raises as `decode_reply`."""
    stat = _decode(line, Stat)
    if stat.error is not None or not stat.ok:
        raise _refusal(stat.error, stat.message)
    return stat


def _decode(line: bytes, kind: type[_Message]) -> _Message:
    try:
        return msgspec.json.decode(line, type=kind)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError("text that is not UTF-8") from error


def _refusal(error: str | None, message: str) -> ProbeFailedError:
    try:
        reason = FailureReason(error or "")
    except ValueError:
        reason = FailureReason.PROTOCOL
    return ProbeFailedError(reason, f"the server said: {message or error}"[:200])


async def read_line(sock: socket.socket) -> bytes:
    """Return one line without its end from a non-blocking socket.

    Reads not a byte more than the line.

    Raises:
        EOFError: the stream ended before the line did.
        ProbeFailedError: the line is too long.
    """
    loop = asyncio.get_running_loop()
    line = bytearray()
    while len(line) < MAX_LINE_BYTES:
        # Data may follow the line at once: a peek finds where the line ends.
        part = await _peek(loop, sock)
        end = part.find(b"\n")
        size = len(part) if end < 0 else end + 1
        line += await loop.sock_recv(sock, size)
        if end >= 0:
            return bytes(line[:-1])
    raise ProbeFailedError(FailureReason.PROTOCOL, "the peer's line is too long")


async def _peek(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> bytes:
    while True:
        try:
            part = sock.recv(MAX_LINE_BYTES, socket.MSG_PEEK)
        except BlockingIOError:
            await readable(loop, sock)
            continue
        if not part:
            raise EOFError
        return part


async def readable(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
    """Wait until there is something to read, an end or an error included."""
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock.fileno(), _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(sock.fileno())


async def writable(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
    """Wait until the socket takes more, or has an error to tell."""
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(sock.fileno(), _wake, ready)
    try:
        await ready
    finally:
        loop.remove_writer(sock.fileno())


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
