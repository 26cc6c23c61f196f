"""The collector process: from a device to the gateway's receipt."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from collectors.agent import SPOOL_NAME, run_collector
from netmon import wire
from netmon.config import CollectorSettings, Settings
from netmon.demo.agents import AgentFleet
from netmon.errors import ConfigError, StorageError
from netmon.ingest import check_batch
from netmon.model import Inventory
from netmon.spool import Spool
from netmon.storage.records import Source, SourceKind

# SNMPv2-MIB linkDown
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"


class Gateway:
    """Takes batches over HTTP, keeps them and answers with receipts."""

    def __init__(self) -> None:
        self.batches: list[wire.Batch] = []
        self.tokens: set[str | None] = set()
        self.taken = threading.Event()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                batch = wire.decode_batch(gzip.decompress(body))
                gateway.batches.append(batch)
                gateway.tokens.add(self.headers["Authorization"])
                count = sum(len(series.seq) for series in batch.series)
                answer = wire.encode(wire.Receipt(accepted=count, duplicates=0))
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                gateway.taken.set()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def seen(self) -> set[tuple[str, str]]:
        """Kind and device (or collector) of all series so far."""
        return {
            (series.kind, series.tags.get("device") or series.tags["collector"])
            for batch in self.batches
            for series in batch.series
        }

    async def until(self, wanted: set[tuple[str, str]]) -> None:
        async with asyncio.timeout(20):
            while not wanted <= self.seen():
                await asyncio.to_thread(self.taken.wait, 5)
                self.taken.clear()


class LogWatch(logging.Handler):
    """Lets a test wait for a line of the log."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: asyncio.Queue[str] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.put_nowait(record.getMessage())

    async def until(self, text: str) -> None:
        async with asyncio.timeout(20):
            while text not in await self._lines.get():
                pass


@pytest.fixture
async def log_watch() -> AsyncIterator[LogWatch]:
    watch = LogWatch()
    logger = logging.getLogger("collectors.agent")
    logger.addHandler(watch)
    yield watch
    logger.removeHandler(watch)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    opened = Gateway()
    yield opened
    opened.close()


@pytest.fixture
def settings(tmp_path: Path, gateway: Gateway) -> Settings:
    credentials = tmp_path / "snmp.toml"
    credentials.write_text(
        '[default]\nversion = "v2c"\ncommunity = "netmon-demo"\n', encoding="utf-8"
    )
    credentials.chmod(0o600)
    token = tmp_path / "token"
    token.write_text("the-token\n", encoding="utf-8")
    return Settings(
        data_dir=str(tmp_path),
        collector=CollectorSettings(
            source="collector-1",
            interval_s=0.3,
            credentials_file=str(credentials),
            gateway_url=gateway.url,
            token_file=str(token),
        ),
    )


async def test_what_devices_say_reaches_the_gateway_and_leaves_the_spool(
    settings: Settings, gateway: Gateway, city: Inventory, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(run_collector(settings, lambda: (city, 1), stop))
    await gateway.until(
        {
            ("device", "vc1"),
            ("wlan_ap", "vc1"),
            ("wlan_radio", "vc1"),
            ("lan_port", "sw1"),
            ("collector_health", "collector-1"),
        }
    )
    # The next batch comes after the receipt of this one has been settled.
    count = len(gateway.batches)
    async with asyncio.timeout(20):
        while len(gateway.batches) == count:
            await asyncio.to_thread(gateway.taken.wait, 5)
            gateway.taken.clear()
    stop.set()
    async with asyncio.timeout(20):
        await running
    assert {batch.source for batch in gateway.batches} == {"collector-1"}
    assert gateway.tokens == {"Bearer the-token"}
    for batch in gateway.batches:
        source = Source(
            id=1,
            name="collector-1",
            kind=SourceKind.COLLECTOR,
            building_id=None,
            generated=False,
        )
        checked = check_batch(batch, source, batch.sent_ms, {"b1"}.__contains__)
        assert checked.quarantined == []
    with Spool(tmp_path / SPOOL_NAME) as spool:
        stats = spool.stats()
    assert stats.sent > 0
    assert stats.dropped == stats.rejected == 0


async def test_a_new_inventory_is_taken_over_and_a_wrong_one_is_not(
    settings: Settings,
    gateway: Gateway,
    city: Inventory,
    log_watch: LogWatch,
) -> None:
    controller, switch = city.devices
    replace = msgspec.structs.replace
    versions = [
        replace(city, devices=(controller,)),
        replace(city, devices=(replace(switch, credential="nobody"),)),
        replace(city, devices=(switch,)),
    ]
    newest = 0
    stop = asyncio.Event()

    def source() -> tuple[Inventory, object]:
        if newest == 3:
            raise StorageError("locked")
        return versions[newest], newest

    running = asyncio.create_task(run_collector(settings, source, stop, check_s=0.05))
    await gateway.until({("device", "vc1")})
    newest = 1
    await log_watch.until("no credential called 'nobody'")
    newest = 3
    await log_watch.until("locked")
    gateway.batches.clear()
    await gateway.until({("device", "vc1")})
    newest = 2
    await gateway.until({("device", "sw1")})
    stop.set()
    await running


async def test_stopping_does_not_wait_for_a_dead_device(
    settings: Settings, city: Inventory
) -> None:
    patient = msgspec.structs.replace(settings.collector, interval_s=3.0)
    settings = msgspec.structs.replace(settings, collector=patient)
    stop = asyncio.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind(("127.0.0.1", 0))
        dead.setblocking(False)
        device = msgspec.structs.replace(
            city.devices[0], address=f"127.0.0.1:{dead.getsockname()[1]}"
        )
        alone = msgspec.structs.replace(city, devices=(device,))
        running = asyncio.create_task(run_collector(settings, lambda: (alone, 1), stop))
        async with asyncio.timeout(20):
            assert await asyncio.get_running_loop().sock_recv(dead, 2000)
        stop.set()
        # Far less than the retries of a dead device take.
        async with asyncio.timeout(1):
            await running


@pytest.mark.parametrize("key", ["token_file", "credentials_file"])
async def test_a_secret_that_is_not_set_is_named(
    settings: Settings, city: Inventory, key: str
) -> None:
    collector = msgspec.structs.replace(settings.collector, **{key: ""})
    wrong = msgspec.structs.replace(settings, collector=collector)
    with pytest.raises(ConfigError, match=f"collector.{key}") as caught:
        await run_collector(wrong, lambda: (city, 1), asyncio.Event())
    assert len(caught.value.problems) == 1


async def test_a_first_inventory_that_is_wrong_ends_it(
    settings: Settings, city: Inventory
) -> None:
    device = msgspec.structs.replace(city.devices[0], credential="nobody")
    wrong = msgspec.structs.replace(city, devices=(device,))
    with pytest.raises(ConfigError, match="no credential called 'nobody'"):
        await run_collector(settings, lambda: (wrong, 1), asyncio.Event())


async def test_a_trap_reaches_the_gateway_as_a_poll(
    settings: Settings,
    gateway: Gateway,
    fleet: AgentFleet,
    city: Inventory,
    log_watch: LogWatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The turns are an hour apart: without the trap nothing would come."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    collector = msgspec.structs.replace(
        settings.collector, interval_s=3600.0, traps_listen=f"127.0.0.1:{port}"
    )
    slow = msgspec.structs.replace(settings, collector=collector)
    caplog.set_level(logging.INFO, logger="collectors.agent")
    stop = asyncio.Event()
    running = asyncio.create_task(run_collector(slow, lambda: (city, 1), stop))
    try:
        await log_watch.until(f"traps at 127.0.0.1:{port}")
        wanted = {("device", "vc1"), ("lan_port", "sw1")}
        async with asyncio.timeout(20):
            # Until the inventory is there, whoever sends is a stranger.
            while not wanted <= gateway.seen():
                for name in ("vc1", "sw1"):
                    fleet.agent(name).send_trap(LINK_DOWN, ("127.0.0.1", port))
                await asyncio.to_thread(gateway.taken.wait, 0.5)
                gateway.taken.clear()
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await running
