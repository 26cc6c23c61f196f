"""A test with everything around it: counters learnt, slot waited for, server chosen."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from netmon.clock import Clock, to_ms
from netmon.config import Secret
from netmon.lease_wire import Direction, LeaseAsk, LeaseGranted, ServerAddress
from netmon.model import FailureReason
from probes.address import parse_address
from probes.background import in_thread
from probes.base import Emit, MeasureAddress, ProbeResult, failed
from probes.counters import Refresh
from probes.failures import ProbeFailedError
from probes.lease_client import LeaseClient, without
from probes.nearest import Nearest
from probes.uplink_run import Bench, Job, learn, run_test

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
        # What the last test learnt of the router's counters.
        self.refresh_s: float | None = None

    async def learn(self, job: Job, emit: Emit) -> Refresh | None:
        """Return how the router refreshes its counters; None if they are no use."""
        return await in_thread(learn, job, self._server, self.bench, emit)

    async def measure(self, job: Job, patience_s: float, emit: Emit) -> ProbeResult:
        """Return the result of a test, or why there is none; never raises for that."""
        refresh = await self.learn(job, emit)
        self.refresh_s = None if refresh is None else refresh.period_s
        if self._leases is None:
            return await self._run(job, self._server, refresh, emit)
        try:
            return await self._leased(self._leases, job, refresh, patience_s, emit)
        except ProbeFailedError as error:
            return replace(failed(error.reason, error.detail), tags=job.tags)

    async def _leased(
        self,
        leases: LeaseClient,
        job: Job,
        refresh: Refresh | None,
        patience_s: float,
        emit: Emit,
    ) -> ProbeResult:
        ask = self._ask(job, refresh, patience_s)
        async with leases.slot(ask, patience_s, emit) as granted:
            if granted is None:
                return await self._run(job, self._server, refresh, emit)
            found = await self._with(granted, job, refresh, emit)
        now_s = self._clock.monotonic_s()
        await in_thread(self._nearest.update, granted.servers, now_s)
        if found.failure not in _SERVER_AWAY or len(granted.servers) < 2:
            return found
        # Given back before another server is asked for: it is the same test.
        other = without(ask, granted.servers[0].id)
        async with leases.slot(other, patience_s, emit) as granted:
            if granted is None:
                return found
            return await self._with(granted, job, refresh, emit)

    async def _with(
        self, granted: LeaseGranted, job: Job, refresh: Refresh | None, emit: Emit
    ) -> ProbeResult:
        server = _address(granted.servers[0], Secret(granted.token))
        emit("lease_granted", {"server": granted.servers[0].id})
        capped = replace(job, cap_bps=float(granted.rate_cap_bps))
        return await self._run(capped, server, refresh, emit)

    async def _run(
        self, job: Job, server: MeasureAddress, refresh: Refresh | None, emit: Emit
    ) -> ProbeResult:
        async with self._lock:
            return await in_thread(run_test, job, server, self.bench, refresh, emit)

    def _ask(self, job: Job, refresh: Refresh | None, patience_s: float) -> LeaseAsk:
        wait_s = 0.0 if refresh is None else 2 * refresh.period_s
        now_ms = to_ms(self._clock.now())
        return LeaseAsk(
            line=job.line.id,
            purpose=job.purpose,
            directions=(Direction(job.direction),),
            length_s=LENGTH_S + wait_s,
            expected_s=EXPECTED_S + wait_s,
            rate_cap_bps=0 if job.kind == "full" else job.floor_cap_bps,
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
