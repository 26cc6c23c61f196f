"""A test with everything around it: counters learnt, slot waited for, server chosen."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from msgspec.structs import replace

from netmon.clock import Clock, to_ms
from netmon.config import Secret
from netmon.lease_wire import Direction, LeaseAsk, LeaseGranted, ServerAddress
from netmon.model import FailureReason
from probes.address import parse_address
from probes.background import in_thread
from probes.base import Emit, MeasureAddress, ProbeResult, failed
from probes.failures import ProbeFailedError
from probes.lease_client import LeaseClient, without
from probes.line_use import LineUse, line_use
from probes.nearest import Nearest
from probes.uplink_run import Bench, Job, Ran, attribute, run_test

# A test at its limit, and what goes before and after it.
LENGTH_S, EXPECTED_S = 6.0, 0.9
STREAMS = 4
# Another server may do where this one gives these answers.
_SERVER_AWAY = (
    FailureReason.REFUSED,
    FailureReason.UNREACHABLE,
    FailureReason.DNS,
    FailureReason.TIMEOUT,
)


# Waiting for the line longer than this eats up the slot.
LOCK_WAIT_S = 3.0
_SLOTS_A_TEST = 3
_NO_TIME = "the line was in use by another measurement"

Anew = Callable[[], Job | None]


class Tester:
    """Runs tests one after the other; ``lock`` keeps others off the line meanwhile.

    ``leases`` None: this probe asks nobody and uses the server of its settings.
    """

    def __init__(
        self,
        bench: Bench,
        server: MeasureAddress,
        leases: LeaseClient | None,
        lock: asyncio.Lock,
        clock: Clock,
    ) -> None:
        self.bench = bench
        self._server = server
        self._leases = leases
        self._lock = lock
        self._clock = clock
        self._nearest = Nearest()
        # What the last look at the router's counters has learnt, None if nothing.
        self.refresh_s: float | None = None

    async def look(self, job: Job, emit: Emit) -> LineUse:
        """Return how the router counts and what others move now."""
        counters = self.bench.wan.source(job.line.id)
        use = await in_thread(line_use, counters, job.direction, self._server, emit)
        self.refresh_s = None if use.refresh is None else use.refresh.period_s
        return use

    async def measure(
        self, job: Job, patience_s: float, emit: Emit, anew: Anew | None = None
    ) -> ProbeResult | None:
        """Return the result of a test, or why there is none; never raises for that.

        ``anew`` is asked just before the line is loaded, minutes later perhaps: it
        answers with the job as it is then, or None if the line must not be loaded any
        more. None then: nothing was measured, and nothing is to be said of it.
        """
        use = await self.look(job, emit)
        try:
            ran, last = await self._slotted(job, use, patience_s, emit, anew)
        except ProbeFailedError as error:
            return replace(failed(error.reason, error.detail), tags=job.tags)
        if ran is None:
            return None
        # Without the slot: the counters of a slow router show it late.
        return await in_thread(attribute, ran, last, self.bench, emit)

    async def _slotted(
        self,
        job: Job,
        use: LineUse,
        patience_s: float,
        emit: Emit,
        anew: Anew | None,
    ) -> tuple[Ran | None, Job]:
        """Run the test within a slot, at another server if the first is away.

        Raises:
            ProbeFailedError: no slot.
        """
        if self._leases is None:
            return await self._run(job, self._server, use, emit, anew)
        ask = self._ask(job, use, patience_s)
        tries = 0
        while True:
            tries += 1
            async with self._leases.slot(ask, patience_s, emit) as granted:
                if granted is None:
                    return await self._run(job, self._server, use, emit, anew)
                found, last = await self._with(granted, job, use, emit, anew)
            if found is None:
                return None, last
            now_s = self._clock.monotonic_s()
            await in_thread(self._nearest.update, granted.servers, now_s)
            result, others = found.result, granted.servers[1:]
            may_help = result.failure in _SERVER_AWAY and others
            if tries == _SLOTS_A_TEST or not (may_help or result.detail == _NO_TIME):
                return found, last
            if may_help:
                # Given back before another server is asked for: it is the same test.
                ask = without(ask, granted.servers[0].id)

    async def _with(
        self,
        granted: LeaseGranted,
        job: Job,
        use: LineUse,
        emit: Emit,
        anew: Anew | None,
    ) -> tuple[Ran | None, Job]:
        server = _address(granted.servers[0], Secret(granted.token))
        emit("lease_granted", {"server": granted.servers[0].id})
        job = replace(job, cap_bps=float(granted.rate_cap_bps))
        return await self._run(job, server, use, emit, anew)

    async def _run(
        self,
        job: Job,
        server: MeasureAddress,
        use: LineUse,
        emit: Emit,
        anew: Anew | None,
    ) -> tuple[Ran | None, Job]:
        try:
            async with asyncio.timeout(LOCK_WAIT_S if self._leases else None):
                await self._lock.acquire()
        except TimeoutError:
            late = replace(failed(FailureReason.BUSY, _NO_TIME), tags=job.tags)
            return Ran(result=late), job
        try:
            if anew is not None:
                now = anew()
                if now is None:
                    return None, job
                job = replace(now, cap_bps=job.cap_bps)
            if (server.host, server.port) != (self._server.host, self._server.port):
                # The remembered round trip is that to the server of the settings.
                job = replace(job, base_rtt_s=None)
            at_ms = to_ms(self._clock.now())
            ran = await in_thread(run_test, job, server, self.bench, use, emit)
        finally:
            self._lock.release()
        return replace(ran, result=replace(ran.result, at_ms=at_ms)), job

    def _ask(self, job: Job, use: LineUse, patience_s: float) -> LeaseAsk:
        refresh, is_floor = use.refresh, job.kind == "floor"
        wait_s = 0.0 if refresh is None else 2 * refresh.period_s
        now_ms = to_ms(self._clock.now())
        return LeaseAsk(
            line=job.line.id,
            purpose=job.purpose,
            directions=(Direction(job.direction),),
            length_s=LENGTH_S + wait_s,
            expected_s=EXPECTED_S + wait_s,
            rate_cap_bps=job.floor_cap_bps if is_floor else 0,
            # With less the question could not be answered.
            least_bps=math.ceil(job.threshold_l2_bps) if is_floor else 0,
            streams_count=STREAMS,
            latest_start_ms=now_ms + round(patience_s * 1000),
            nearest=self._nearest.order,
        )


def _address(server: ServerAddress, token: Secret) -> MeasureAddress:
    """Return where a server of a lease is.

    Raises:
        ProbeFailedError: the gateway names no address.
    """
    try:
        host, port = parse_address(server.address)
    except ValueError as error:
        text = f"the gateway's address of {server.id} is none"
        raise ProbeFailedError(FailureReason.PROTOCOL, text) from error
    return MeasureAddress(host, port, token)
