"""How the collector itself does, as a measurement like any other."""

from __future__ import annotations

import asyncio
import logging

from collectors.poll import Poller
from netmon.clock import Clock, to_ms
from netmon.errors import StorageError
from netmon.spool import Spool, SpoolStats
from netmon.spool_record import SpoolRecord

log = logging.getLogger(__name__)

EVERY_S = 60.0


def health_record(
    source: str, poller: Poller, stats: SpoolStats, at_ms: int
) -> SpoolRecord:
    """Return the record of kind ``collector_health`` of one moment."""
    return SpoolRecord(
        kind="collector_health",
        tags={"collector": source},
        ts_ms=at_ms,
        values={
            "devices_count": float(poller.known_devices),
            "silent_devices_count": float(poller.silent_devices),
            **poller.tally.figures(),
            "spool_records_count": float(stats.length),
            "spool_dropped_total": float(stats.dropped),
            "spool_rejected_total": float(stats.rejected),
        },
    )


async def report_health(
    source: str, poller: Poller, spool: Spool, clock: Clock, every_s: float = EVERY_S
) -> None:
    """Add a record to the spool every so often, until cancelled."""
    while True:
        await asyncio.sleep(every_s)
        try:
            stats = await asyncio.to_thread(spool.stats)
            record = health_record(source, poller, stats, to_ms(clock.now()))
            await poller.stock.add([record])
        except StorageError:
            log.exception("the collector's own figures are lost")
        else:
            poller.wake.set()
