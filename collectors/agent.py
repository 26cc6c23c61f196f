"""The collector process: polls, spools and sends until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from collectors.credentials import load_credentials
from collectors.health import EVERY_S, report_health
from collectors.platforms import load_platforms
from collectors.poll import Poller, pollable
from netmon import __version__
from netmon.clock import Clock, SystemClock
from netmon.config import Settings, read_secret
from netmon.errors import ConfigError, StorageError
from netmon.garbage import collect_seldom
from netmon.model import Inventory
from netmon.push import Pusher
from netmon.refused import refused
from netmon.running import told_to_stop, until_one_ends
from netmon.spool import Spool

if TYPE_CHECKING:
    from collectors.traps import TrapReceiver

log = logging.getLogger(__name__)

SPOOL_NAME = "collector.spool.sqlite3"
INVENTORY_CHECK_S = 30.0
HTTP_TIMEOUT_S = 20.0
# Two hours of a city that is polled every 300 s, some 700 MB: it has a server's disk.
SPOOL_RECORDS = 2_000_000
# A poll of a switch makes fifty records: fewer requests, and still short commits there.
BATCH_RECORDS = 2_000

# Returns the inventory and what tells one version from another.
InventorySource = Callable[[], tuple[Inventory, object]]


async def run_collector(
    settings: Settings,
    inventory: InventorySource,
    stop: asyncio.Event,
    *,
    clock: Clock | None = None,
    check_s: float = INVENTORY_CHECK_S,
) -> None:
    """Poll and send until ``stop`` is set; then end at once.

    A poll that runs at that moment is dropped, spooled records are kept. A new
    version of the inventory is taken over within ``check_s`` seconds; one that
    names what is not there is refused and the old one stays.

    Raises:
        ConfigError: a file of secrets is missing or wrong, or the first
            inventory names a credential or platform that is not there.
        StorageError: the spool cannot be opened.
    """
    collector = settings.collector
    clock = clock or SystemClock()
    token = read_secret(collector.token_file, setting="collector.token_file")
    if token is None:
        raise _empty("token_file")
    if not collector.credentials_file:
        raise _empty("credentials_file")
    credentials = load_credentials(Path(collector.credentials_file))
    wake = asyncio.Event()
    path = Path(settings.data_dir) / SPOOL_NAME
    spool = await asyncio.to_thread(Spool, path, max_records=SPOOL_RECORDS)
    with spool:
        platforms = load_platforms()
        poller = Poller(
            platforms=platforms,
            credentials=credentials,
            spool=spool,
            clock=clock,
            wake=wake,
            interval_s=collector.interval_s,
            concurrency=collector.concurrency,
            structure_s=collector.structure_s,
            known_hosts=collector.known_hosts_file,
        )
        traps = None
        if collector.traps_listen:
            # Importing pysnmp costs 30 MB; whoever takes no traps never needs it.
            from collectors.traps import TrapReceiver  # noqa: PLC0415

            traps = TrapReceiver(
                traps=platforms.traps,
                credentials=credentials,
                hurry=poller.hurry,
                tally=poller.tally,
                clock=clock,
            )
            log.info("traps at %s", await traps.listen(collector.traps_listen))
        async with httpx.AsyncClient(timeout=HTTP_TIMEOUT_S) as client:
            pusher = Pusher(
                spool,
                collector.gateway_url,
                token,
                collector.source,
                client,
                clock,
                batch_limit=BATCH_RECORDS,
                agent=f"netmon/{__version__}",
            )
            health_s = min(EVERY_S, collector.interval_s)
            try:
                await until_one_ends(
                    stop.wait(),
                    pusher.run(stop, wake),
                    _follow(poller, traps, inventory, check_s),
                    report_health(collector.source, poller, spool, clock, health_s),
                )
            finally:
                if traps is not None:
                    await traps.aclose()
                await poller.aclose()


async def serve(settings: Settings, inventory: InventorySource) -> None:
    """Run the collector until SIGTERM or SIGINT; raises as `run_collector`."""
    collect_seldom()
    await run_collector(settings, inventory, told_to_stop())


def _empty(key: str) -> ConfigError:
    return ConfigError(
        [refused("netmon collect", f"collector.{key}", "file_not_named")]
    )


async def _follow(
    poller: Poller,
    traps: TrapReceiver | None,
    source: InventorySource,
    check_s: float,
) -> None:
    """Poll the newest inventory; begin anew when there is a newer one."""
    inventory, version = await asyncio.to_thread(source)
    while True:
        stop = asyncio.Event()
        polling = asyncio.create_task(poller.run(inventory, stop))
        if traps is not None:
            traps.know(pollable(inventory))
        try:
            inventory, version = await _newer(poller, source, version, check_s, polling)
        finally:
            # In this order: see `Poller.run` for what may become of a cancellation.
            stop.set()
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)


async def _newer(
    poller: Poller,
    source: InventorySource,
    version: object,
    check_s: float,
    polling: asyncio.Task[None],
) -> tuple[Inventory, object]:
    """Wait for a version that can be polled; raises what ended the polling."""
    while True:
        await asyncio.wait([polling], timeout=check_s)
        if polling.done():
            polling.result()
        try:
            inventory, newest = await asyncio.to_thread(source)
            if newest == version:
                continue
            # Refused or not: the same version is looked at once.
            version = newest
            poller.check(pollable(inventory))
        except (StorageError, ConfigError) as error:
            log.error("the new inventory is not taken over: %s", error)  # noqa: TRY400
            continue
        return inventory, version
