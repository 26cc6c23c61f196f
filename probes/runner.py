"""Runs the probes when they are due, one at a time, and spools what they found.

One at a time, because a throughput test would spoil the latency beside it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from msgspec import Struct

from netmon.clock import to_ms
from netmon.errors import StorageError
from netmon.model import FailureReason
from netmon.spool import Spool, SpoolStats
from netmon.spool_record import SpoolRecord
from probes.base import Probe, ProbeContext, ProbeResult, failed
from probes.certificate import attach
from probes.schedule import is_lost, next_instant_ms

log = logging.getLogger(__name__)

# The wall clock may be set while waiting; so often the schedule is looked at anew.
MAX_WAIT_S = 5.0
# Kept in memory while the disk takes nothing.
MAX_UNSAVED = 1_000
# The gateway takes texts of 256 characters.
MAX_INFO_CHARS = 200


class Planned(Struct, frozen=True):
    """A probe and the length of its slot in seconds."""

    probe: Probe
    interval_s: float


class _Job(Struct):
    name: str
    interval_ms: int
    due_ms: int
    work: Callable[[], Awaitable[list[SpoolRecord]]]


class Runner:
    """Runs planned probes until told to stop.

    ``wake`` is set after records were added, for the pusher. Whoever else loads the
    line holds ``lock`` meanwhile; ``saw`` is told every record.
    """

    def __init__(
        self,
        plan: Sequence[Planned],
        context: ProbeContext,
        spool: Spool,
        wake: asyncio.Event,
        *,
        health_interval_s: float = 60.0,
        lock: asyncio.Lock | None = None,
    ) -> None:
        self._plan = plan
        self._context = context
        self._spool = spool
        self._wake = wake
        self._health_interval_s = health_interval_s
        self._lock = lock or asyncio.Lock()
        self.saw: Callable[[SpoolRecord], None] | None = None
        self._unsaved: deque[SpoolRecord] = deque(maxlen=MAX_UNSAVED)
        # Two that save at once: what one adds must not be cleared by the other.
        self._saving = asyncio.Lock()

    async def run(self, stop: asyncio.Event) -> None:
        """Run what is due, until ``stop`` is set between two runs.

        Cancelling it drops the measurement that is running, nothing else.
        """
        jobs = self._jobs()
        if not jobs:
            await stop.wait()
        while not stop.is_set():
            now_ms = to_ms(self._context.clock.now())
            for job in jobs:
                if is_lost(job.due_ms, now_ms, job.interval_ms):
                    job.due_ms = self._next_ms(job, now_ms)
            job = min(jobs, key=lambda each: each.due_ms)
            if job.due_ms > now_ms:
                await wait(min((job.due_ms - now_ms) / 1000, MAX_WAIT_S), stop)
                continue
            async with self._lock:
                records = await job.work()
            if records:
                await self.save(records)
            after_ms = max(to_ms(self._context.clock.now()), job.due_ms)
            job.due_ms = self._next_ms(job, after_ms)

    async def measure(self, probe: Probe) -> list[SpoolRecord]:
        """Run a probe once and return its records; never raises."""
        context = self._context
        started_ms = to_ms(context.clock.now())
        result = await run_guarded(probe, context)
        return [to_record(probe, context, each, started_ms) for each in result.all]

    async def health(self) -> list[SpoolRecord]:
        """Return a record of how the spool does; none if it cannot be asked."""
        try:
            stats = await asyncio.to_thread(self._spool.stats)
        except StorageError:
            log.exception("the spool cannot be asked for its counters")
            return []
        context = self._context
        return [
            SpoolRecord(
                kind="probe_health",
                tags={"building": context.building, "probe": context.probe},
                ts_ms=to_ms(context.clock.now()),
                values=health_values(stats),
                info={"spool_files_damaged": str(stats.damaged)},
            )
        ]

    def _jobs(self) -> list[_Job]:
        now_ms = to_ms(self._context.clock.now())
        jobs = [
            _Job(
                each.probe.name,
                round(each.interval_s * 1000),
                0,
                partial(self.measure, each.probe),
            )
            for each in self._plan
            if each.interval_s > 0
        ]
        if self._health_interval_s > 0:
            interval_ms = round(self._health_interval_s * 1000)
            jobs.append(_Job("health", interval_ms, 0, self.health))
        for job in jobs:
            job.due_ms = self._next_ms(job, now_ms)
        return jobs

    def _next_ms(self, job: _Job, after_ms: int) -> int:
        key = f"{self._context.probe}/{job.name}"
        return next_instant_ms(key, job.interval_ms, after_ms)

    async def save(self, records: list[SpoolRecord]) -> None:
        """Spool records; while the disk takes nothing, keep the newest thousand."""
        for record in records:
            if self.saw is not None:
                self.saw(record)
        async with self._saving:
            self._unsaved.extend(records)
            try:
                await asyncio.to_thread(self._spool.add_many, list(self._unsaved))
            except StorageError:
                log.exception("%d records wait in memory", len(self._unsaved))
                return
            self._unsaved.clear()
        self._wake.set()


async def run_guarded(probe: Probe, context: ProbeContext) -> ProbeResult:
    """Run a probe once and answer with a result whatever happens."""
    try:
        async with asyncio.timeout(probe.limit_s):
            return await probe.run(context)
    except TimeoutError:
        return failed(
            FailureReason.TIMEOUT, f"not finished after {probe.limit_s:.0f} s"
        )
    # The one broad except: a mistake in one probe must not stop the others, and
    # a building that was not measured for our fault must say so.
    except Exception as error:
        log.exception("probe %s failed by itself", probe.name)
        return failed(FailureReason.INTERNAL, type(error).__name__)


def to_record(
    probe: Probe, context: ProbeContext, result: ProbeResult, ts_ms: int
) -> SpoolRecord:
    """Return the record of a result; a failure's text travels as info.

    With a throughput travels what the probe could have shown (`certificate.attach`).
    """
    info = dict(result.info)
    values = result.values
    if result.failure is not None:
        info["last_failure"] = result.detail[:MAX_INFO_CHARS]
        values = {}
    elif probe.kind == "throughput":
        values = attach(values, context.certify())
    return SpoolRecord(
        kind=probe.kind,
        tags={**_carried(probe, context), **result.tags},
        ts_ms=ts_ms if result.at_ms is None else result.at_ms,
        values=values,
        failure=result.failure,
        info=info,
    )


def _carried(probe: Probe, context: ProbeContext) -> dict[str, str]:
    """Return a probe's tags with the line that really carries what it sends.

    Tests of the line itself say by themselves which one that was.
    """
    tags, carrier = probe.tags(context), context.carrier()
    if not carrier or "line" not in tags or probe.kind == "throughput":
        return tags
    return {**tags, "line": carrier}


def health_values(stats: SpoolStats) -> dict[str, float | None]:
    """Return the counters of a spool as the metrics of ``probe_health``."""
    return {
        "spool_records_count": float(stats.length),
        "spool_added_total": float(stats.added),
        "spool_sent_total": float(stats.sent),
        "spool_dropped_total": float(stats.dropped),
        "spool_rejected_total": float(stats.rejected),
        "spool_bytes": float(stats.bytes),
    }


async def wait(limit_s: float, stop: asyncio.Event) -> None:
    """Return when ``stop`` is set or the time is up."""
    try:
        async with asyncio.timeout(limit_s):
            await stop.wait()
    except TimeoutError:
        return
