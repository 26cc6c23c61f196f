"""Latency, jitter, loss and one-way spread: numbered UDP datagrams and their echoes.

The round trip is measured on the probe alone, so no two clocks have to agree.
What is counted, and why loss has no direction: `probes.train`.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
import time
from typing import cast

from msgspec import Struct

from netmon.model import FailureReason
from probes.base import ProbeContext, ProbeResult, failed, measured
from probes.failures import classify
from probes.measure_protocol import (
    ECHO_CLOCK,
    ECHO_CLOCK_AT,
    ECHO_REPLY,
    ECHO_REQUEST,
)
from probes.sockets import CONNECT_S, resolve
from probes.train import Train

# Magic, session, number; padded to the smallest size the echo takes.
_HEAD = struct.Struct("!4s8sI")


class LatencySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How many datagrams, how far apart, and how long to wait for each of them."""

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
        train = echoes.train
        context.emit("echo_done", {"replies": len(train.rtts_s)})
        if train.rtts_s:
            return measured(train.values())
        if train.late_count:
            late = f"all of {train.late_count} answers came after {settings.wait_s:g} s"
            return failed(FailureReason.TIMEOUT, late)
        if echoes.error is not None:
            return failed(*classify(echoes.error))
        return failed(
            FailureReason.NO_REPLY, f"none of {settings.count} datagrams came back"
        )


class _Echoes(asyncio.DatagramProtocol):
    """Sends numbered datagrams and notes what came back, and when."""

    def __init__(self, settings: LatencySettings) -> None:
        self.train = Train(settings.wait_s)
        self.error: Exception | None = None
        self._settings = settings
        # Late datagrams of an earlier run, or a stranger's, carry another one.
        self._session = secrets.token_bytes(8)
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
        (server_s,) = ECHO_CLOCK.unpack_from(data, ECHO_CLOCK_AT)
        self.train.received(number, now_s, server_s)
        if self.train.complete(self._settings.count):
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
            self.train.sent(number, time.monotonic())
            self._transport.sendto(head.ljust(settings.size_bytes, b"\0"))
        try:
            async with asyncio.timeout(settings.wait_s):
                await self._complete.wait()
        except TimeoutError:
            return
