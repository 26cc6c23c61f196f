"""A real gateway with one building and its probe, and the world of alarm timelines."""

from __future__ import annotations

import asyncio
import socket
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from dashboards.app import create_app
from netmon.clock import SystemClock, to_ms
from netmon.config import MeasureServerSettings, MeasureSettings, Secret, Settings
from netmon.ingest import new_token, token_hash
from netmon.inventory import content_hash, encode
from netmon.model import (
    Inventory,
    ProbeUnit,
    Technology,
)
from netmon.storage.records import SourceKind
from netmon.storage.sqlite import SqliteStore
from probes.measure_server import MeasureServer
from tests.acceptance.alert_world import Postbox, World
from tests.city import a_building, a_line

KEY = "k" * 64
BUILDING, LINE, PROBE = "gs-07", "gs-07-l1", "gs-07-p1"


def inventory(down_mbits: int = 250, up_mbits: int = 50) -> Inventory:
    building = a_building(BUILDING, name="Grundschule 7", street="Weg 7")
    line = a_line(BUILDING, down_mbits, up_mbits, Technology.FIBRE, id=LINE)
    probe = ProbeUnit(id=PROBE, building_id=BUILDING, line_id=LINE)
    return Inventory(buildings=(building,), lines=(line,), probes=(probe,))


@dataclass
class Centre:
    """A running gateway: its store, its address, and a token of the probe.

    ``server`` is the measurement server, where a test runs one beside it.
    """

    store: SqliteStore
    settings: Settings
    url: str
    token: Secret
    server: MeasureServer | None = None

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=10)

    def new_probe(self, name: str = PROBE, building: str | None = BUILDING) -> Secret:
        token = new_token()
        kind = SourceKind.PROBE if building else SourceKind.COLLECTOR
        self.store.sources.create(name, kind, building, token_hash(token))
        return Secret(token)


StartCentre = Callable[..., Any]


@pytest.fixture
def start_centre(tmp_path: Path) -> StartCentre:
    """Give a context manager that runs a gateway with these measurement servers."""

    @asynccontextmanager
    async def start(
        *servers: tuple[str, str, int], city: Inventory | None = None, **measure: Any
    ) -> AsyncIterator[Centre]:
        key = tmp_path / "measure.key"
        key.write_text(KEY)
        rooms = tuple(
            MeasureServerSettings(
                id=name, address=where, capacity="1 Gbit/s", max_tests=n
            )
            for name, where, n in servers
        )
        settings = Settings(
            data_dir=str(tmp_path),
            measure=MeasureSettings(
                key_file=str(key) if rooms else "", servers=rooms, **measure
            ),
        )
        store = SqliteStore(tmp_path / "state.sqlite3")
        told = city or inventory()
        store.inventories.save(
            content_hash(told), encode(told), to_ms(SystemClock().now())
        )
        app = create_app(settings, store, SystemClock())
        listening = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        centre = Centre(store, settings, url, Secret(""))
        centre.token = centre.new_probe()
        try:
            yield centre
        finally:
            server.should_exit = True
            await serving
            listening.close()
            store.close()

    return start


@pytest.fixture
def until() -> Callable[[Callable[[], bool], float], Awaitable[None]]:
    """Wait for what another task or process does, which no event announces."""

    async def wait(condition: Callable[[], bool], limit_s: float = 120.0) -> None:
        async with asyncio.timeout(limit_s):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    return wait


@pytest.fixture(params=[False, True], ids=["one engine", "restarted each time"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with warnings.catch_warnings():
        # aiosmtpd tells of its own use of names that Python will drop.
        warnings.simplefilter("ignore")
        from aiosmtpd.controller import Controller  # noqa: PLC0415

    class FreePort(Controller):  # type: ignore[misc]
        def _trigger_server(self) -> None:
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    postbox = Postbox()
    controller = FreePort(postbox, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        found = World(tmp_path, controller.port, restarting=request.param)
        found.postbox = postbox
        yield found
        # What the store calls sent and what the server took are the same mails.
        ids = [message["Message-ID"] for _, message in postbox.mails]
        assert len(ids) == len(set(ids)) == len(found.sent(known=True))
        found.store.close()
    finally:
        controller.stop()
