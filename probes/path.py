"""The way to the internet in five segments, all asked within a second or two.

Own port: link and damaged frames, from the kernel. Gateway and provider edge: two
routers, by small TTL. Data centre: the measurement server's echo. Internet: the
time a TCP connection to an anchor takes. A segment without an answer is a failure
with its reason; who is to blame is `netmon.path`'s to say.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from netmon.config import Secret
from netmon.model import FailureReason
from netmon.path import Reading, Segment
from probes.address import parse_address
from probes.base import MeasureAddress, ProbeContext, ProbeResult, failed, measured
from probes.failures import classify
from probes.hops import Answer, Target, Told, ask_hop, has_error_queue
from probes.latency import LatencyProbe, LatencySettings
from probes.link import Frames, LinkSettings, damaged_ratio, read_frames
from probes.sockets import CONNECT_S, resolve

# The first address may be of a family that has no way out.
_ADDRESSES_TRIED = 2
# Linux answers six in a row and then one a second, to all questions together.
MAX_TO_ROUTER = 3
_Found = TypeVar("_Found")
_VALUES = ("rtt_s", "rtt_min_s", "jitter_s", "loss_ratio")


class PathSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How often, how many packets a segment, and what stands for the internet.

    Routers get three packets at most. ``provider_hop`` is the provider's first router, counted from the probe; 2
    where the gateway is the school's only own router. ``anchors`` are
    ``host:port`` that take TCP connections; without one there is no such segment.
    """

    interval_s: float = 120.0
    count: int = 5
    spacing_s: float = 0.1
    wait_s: float = 1.0
    provider_hop: int = 2
    anchors: tuple[str, ...] = ("www.dortmund.de:443",)


class PathProbe:
    """Asks all segments; the data centre's is the run's own result.

    ``root`` is where ``/proc`` and ``/sys`` are found.
    """

    name = "path"
    kind = "path"

    def __init__(
        self,
        settings: PathSettings | None = None,
        link: LinkSettings | None = None,
        *,
        root: Path = Path("/"),
    ) -> None:
        self._settings = settings or PathSettings()
        self._link = link or LinkSettings()
        self._root = root
        self._frames: Frames | None = None
        load_s = self._settings.count * self._settings.spacing_s
        tries_s = _ADDRESSES_TRIED * (load_s + self._settings.wait_s)
        self.limit_s = 3 * CONNECT_S + 2 * tries_s

    def tags(self, context: ProbeContext) -> dict[str, str]:
        """Return building, line and the segment all others lead to."""
        return {
            "building": context.building,
            "line": context.line,
            "segment": Segment.DATA_CENTRE.value,
        }

    async def run(self, context: ProbeContext) -> ProbeResult:
        """Ask all segments within a second or two; each answers for itself."""
        context.emit("path_start", {"server": context.server.host})
        before: Frames | ProbeResult | None = self._frames
        before = before or read_frames(self._link, self._root)
        # Routers first: what a dead way makes them say would use up the few ICMP
        # answers they allow themselves.
        gateway, provider = await self._routers(context)
        centre, internet = await asyncio.gather(self._echo(context), self._internet())
        after = read_frames(self._link, self._root)
        self._frames = after if isinstance(after, Frames) else None
        more = {
            Segment.PORT: judge_port(before, after),
            Segment.GATEWAY: gateway,
            Segment.PROVIDER: provider,
            Segment.INTERNET: internet,
        }
        return replace(
            _of(Segment.DATA_CENTRE, centre),
            more=tuple(
                _of(segment, result)
                for segment, result in more.items()
                if result is not None
            ),
        )

    async def _echo(self, context: ProbeContext) -> ProbeResult:
        settings = self._settings
        train = LatencySettings(
            count=settings.count, spacing_s=settings.spacing_s, wait_s=settings.wait_s
        )
        quiet = replace(context, emit=lambda *_: None)
        result = await LatencyProbe(train).run(quiet)
        values = {n: v for n, v in result.values.items() if n in _VALUES}
        return replace(result, values=values)

    async def _routers(self, context: ProbeContext) -> tuple[ProbeResult, ProbeResult]:
        """Return the results of the gateway and of the provider's edge."""
        if not has_error_queue():
            result = failed(FailureReason.UNSUPPORTED, "needs Linux' error queue")
            return result, result
        try:
            async with asyncio.timeout(CONNECT_S):
                (family, target), *_ = await resolve(context.server, socket.SOCK_DGRAM)
        except OSError as error:
            result = failed(*classify(error))
            return result, result
        near, far = await asyncio.gather(
            self._hop(family, target, 1),
            self._hop(family, target, self._settings.provider_hop),
        )
        nearer = frozenset(answer.router for answer in near if answer.router)
        return judge_hop(near), judge_hop(far, nearer)

    async def _hop(
        self, family: socket.AddressFamily, target: Target, ttl: int
    ) -> list[Answer]:
        settings = self._settings
        return await self._spaced(
            lambda: ask_hop(family, target, ttl, settings.wait_s), MAX_TO_ROUTER
        )

    async def _internet(self) -> ProbeResult | None:
        """Return the best anchor's result: one that is down is not the internet."""
        results = await asyncio.gather(*map(self._anchor, self._settings.anchors))
        return min(results, key=_badness, default=None)

    async def _anchor(self, text: str) -> ProbeResult:
        host, port = parse_address(text)
        address = MeasureAddress(host, port, Secret(""))
        result = failed(FailureReason.DNS, "the name has no address")
        try:
            async with asyncio.timeout(CONNECT_S):
                found = await resolve(address, socket.SOCK_STREAM)
        except OSError as error:
            return failed(*classify(error))
        for family, target in found[:_ADDRESSES_TRIED]:
            result = await self._connects(family, target)
            if result.failure is None:
                break
        return result

    async def _connects(
        self, family: socket.AddressFamily, target: Target
    ) -> ProbeResult:
        """Connect ``count`` times and close at once; nothing is sent."""
        errors: list[OSError] = []

        async def connect() -> float | None:
            started_s = time.monotonic()
            try:
                with socket.socket(family, socket.SOCK_STREAM) as sock:
                    sock.setblocking(False)
                    async with asyncio.timeout(self._settings.wait_s):
                        await asyncio.get_running_loop().sock_connect(sock, target)
                return time.monotonic() - started_s
            except OSError as error:
                errors.append(error)
                return None

        values = summary(await self._spaced(connect))
        return failed(*classify(errors[0])) if values is None else measured(values)

    async def _spaced(
        self, ask: Callable[[], Awaitable[_Found]], most: int = 20
    ) -> list[_Found]:
        async def one(index: int) -> _Found:
            await asyncio.sleep(index * self._settings.spacing_s)
            return await ask()

        return await asyncio.gather(*map(one, range(min(most, self._settings.count))))


def judge_hop(
    answers: Sequence[Answer], nearer: frozenset[str] = frozenset()
) -> ProbeResult:
    """Return a router's result from what came back of each datagram, in order.

    A router without a route says so instead of "time exceeded": it answered all
    the same, unless it was one of the ``nearer`` ones that said it.
    """

    def heard(answer: Answer) -> bool:
        if answer.told is Told.ERROR:
            return bool(answer.router) and answer.router not in nearer
        return answer.told is Told.EXCEEDED

    values = summary([a.rtt_s if heard(a) else None for a in answers])
    if values is not None:
        return measured(values)
    if any(answer.told is Told.REACHED for answer in answers):
        detail = "the measurement server stands before this router"
        return failed(FailureReason.UNSUPPORTED, detail)
    error = next((answer.error for answer in answers if answer.error), None)
    if error is not None:
        return failed(*classify(error))
    return failed(FailureReason.NO_REPLY, f"none of {len(answers)} was answered")


def judge_port(
    before: Frames | ProbeResult, after: Frames | ProbeResult
) -> ProbeResult:
    """Return the own port's result: damaged frames between two readings."""
    if isinstance(after, ProbeResult):
        return after
    if isinstance(before, ProbeResult):
        before = after  # it came up in between
    return measured({"loss_ratio": damaged_ratio(before, after)})


def summary(rtts_s: Sequence[float | None]) -> dict[str, float | None] | None:
    """Return the metrics of a segment; None where nothing was answered."""
    known = [rtt_s for rtt_s in rtts_s if rtt_s is not None]
    if not known:
        return None
    steps = [
        abs(after - before)
        for before, after in pairwise(rtts_s)
        if before is not None and after is not None
    ]
    return {
        "rtt_s": statistics.median(known),
        "rtt_min_s": min(known),
        "jitter_s": statistics.fmean(steps) if steps else None,
        "loss_ratio": 1 - len(known) / len(rtts_s),
    }


def reading_of(segment: Segment, result: ProbeResult) -> Reading:
    """Return a result as the judgement reads it."""
    values = result.values
    return Reading(
        segment, values.get("rtt_s"), values.get("loss_ratio"), result.failure
    )


def _badness(result: ProbeResult) -> tuple[bool, float, float]:
    values = result.values
    return (
        result.failure is not None,
        values.get("loss_ratio") or 0.0,
        values.get("rtt_s") or 0.0,
    )


def _of(segment: Segment, result: ProbeResult) -> ProbeResult:
    return replace(result, tags={"segment": segment.value})
