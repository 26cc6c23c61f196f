"""Latency, jitter and loss: numbered UDP datagrams to the echo and back.

The round trip is measured on the probe alone, so no two clocks have to agree.
Jitter is the mean absolute difference of the round trips of neighbouring
numbers that both came back (RFC 3550's quantity, as a plain mean).
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import statistics
import struct
import time
from collections.abc import Mapping
from itertools import pairwise
from typing import cast

from msgspec import Struct

from netmon.model import FailureReason
from probes.base import ProbeContext, ProbeResult, failed, measured
from probes.failures import classify
from probes.measure_protocol import ECHO_REPLY, ECHO_REQUEST
from probes.sockets import CONNECT_S, resolve

# Magic, session, number; padded to the smallest size the echo takes.
_HEAD = struct.Struct("!4s8sI")


class LatencySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How many datagrams, how far apart, and how long to wait for the last."""

    interval_s: float = 60.0
    count: int = 20
    spacing_s: float = 0.05
    wait_s: float = 1.0
    size_bytes: int = 64


class LatencyProbe:
    """Measures the round trip to the measurement server."""

    name = "latency"
    kind = "latency"

    def __init__(self, settings: LatencySettings | None = None) -> None:
        self._settings = settings or LatencySettings()
        load_s = self._settings.count * self._settings.spacing_s
        self.limit_s = CONNECT_S + 2 * load_s + self._settings.wait_s + 5.0

    def tags(self, context: ProbeContext) -> dict[str, str]:
        """Return building and line."""
        return {"building": context.building, "line": context.line}

    async def run(self, context: ProbeContext) -> ProbeResult:
        """Send all datagrams, wait for the answers, and sum up."""
        settings = self._settings
        context.emit(
            "echo_start", {"server": context.server.host, "count": settings.count}
        )
        try:
            async with asyncio.timeout(CONNECT_S):
                (family, target), *_ = await resolve(context.server, socket.SOCK_DGRAM)
            loop = asyncio.get_running_loop()
            transport, echoes = await loop.create_datagram_endpoint(
                lambda: _Echoes(settings),
                remote_addr=(target[0], target[1]),
                family=family,
            )
        except OSError as error:
            return failed(*classify(error))
        try:
            await echoes.exchange()
        finally:
            transport.close()
        context.emit("echo_done", {"replies": len(echoes.rtts_s)})
        if not echoes.rtts_s:
            if echoes.error is not None:
                return failed(*classify(echoes.error))
            return failed(
                FailureReason.NO_REPLY, f"none of {settings.count} datagrams came back"
            )
        return measured(summarise(echoes.rtts_s, settings.count))


def summarise(rtts_s: Mapping[int, float], sent: int) -> dict[str, float | None]:
    """Return the values of a run from round trips in seconds by number.

    ``jitter_s`` is None where no two neighbours came back.

    Raises:
        ValueError: there are no round trips.
    """
    if not rtts_s:
        raise ValueError("no round trip, no values")
    steps = [
        abs(rtts_s[after] - rtts_s[before])
        for before, after in pairwise(sorted(rtts_s))
        if after == before + 1
    ]
    return {
        "rtt_s": statistics.median(rtts_s.values()),
        "rtt_min_s": min(rtts_s.values()),
        "rtt_max_s": max(rtts_s.values()),
        "jitter_s": statistics.fmean(steps) if steps else None,
        "loss_ratio": (sent - len(rtts_s)) / sent,
    }


class _Echoes(asyncio.DatagramProtocol):
    """Sends numbered datagrams and notes when each came back first."""

    def __init__(self, settings: LatencySettings) -> None:
        self.rtts_s: dict[int, float] = {}
        self.error: Exception | None = None
        self._settings = settings
        # Late datagrams of an earlier run, or a stranger's, carry another one.
        self._session = secrets.token_bytes(8)
        self._sent_s: dict[int, float] = {}
        self._complete = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        now_s = time.monotonic()
        if len(data) != self._settings.size_bytes:
            return
        magic, session, number = _HEAD.unpack_from(data)
        if magic != ECHO_REPLY or session != self._session:
            return
        sent_s = self._sent_s.pop(number, None)
        if sent_s is None:
            return
        self.rtts_s[number] = now_s - sent_s
        if len(self.rtts_s) == self._settings.count:
            self._complete.set()

    def error_received(self, exc: Exception) -> None:
        # An ICMP answer to one datagram; the others may still arrive.
        self.error = exc

    async def exchange(self) -> None:
        """Send all datagrams and wait until all are back or time is up."""
        settings = self._settings
        started_s = time.monotonic()
        for number in range(settings.count):
            # By the clock, not by adding sleeps: lateness must not add up.
            due_s = started_s + number * settings.spacing_s
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            head = _HEAD.pack(ECHO_REQUEST, self._session, number)
            self._sent_s[number] = time.monotonic()
            self._transport.sendto(head.ljust(settings.size_bytes, b"\0"))
        try:
            async with asyncio.timeout(settings.wait_s):
                await self._complete.wait()
        except TimeoutError:
            return
