"""A school over real SNMP: agents, poller, the gateway's checks, the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from collectors.base import Session, Timing
from collectors.credentials import Credential, Credentials
from collectors.platforms import load_platforms
from collectors.poll import Poller, planned_for
from collectors.snmp import open_session
from netmon.clock import ManualClock, SystemClock, to_ms
from netmon.demo.agents import DEMO_CREDENTIAL, AgentFleet, specs_for
from netmon.ingest import check_batch
from netmon.inventory import content_hash, encode
from netmon.model import (
    AccessPoint,
    Device,
    DeviceKind,
    Inventory,
    Room,
    Socket,
    Technology,
)
from netmon.school_calendar import SchoolCalendar
from netmon.spool import Spool
from netmon.spool_record import Spooled, SpoolRecord, to_batch
from netmon.storage.records import SourceKind
from netmon.storage.sqlite import SqliteStore
from netmon.wlan_truth import ApTruth, WlanTruth, read_wlan_truth
from tests.city import a_building, a_line

# Friday 20.11.2026, 08:12 in Dortmund
START = datetime(2026, 11, 20, 7, 12, tzinfo=UTC)
MINUTE_S = 60.0
# By then the structure of a device is read again: its neighbours with it.
HOUR_AND_A_HALF_S = 5400.0


def point(number: int, **changes: str | None) -> AccessPoint:
    fields = {
        "serial": f"CNTEST000{number}",
        "room_id": f"r{number}",
        "switch_id": "sw1",
        "switch_port": f"Gi1/0/{number}",
        "controller_id": "vc1",
    }
    return AccessPoint(
        id=f"ap{number}",
        building_id="b1",
        name=f"GS07-R{number}",
        **(fields | changes),  # type: ignore[arg-type]
    )


def make_school() -> Inventory:
    return Inventory(
        buildings=(a_building(),),
        lines=(a_line(down_mbits=1000, up_mbits=1000, technology=Technology.FIBRE),),
        devices=tuple(
            Device(
                id=name,
                building_id="b1",
                kind=kind,
                name=name.upper(),
                address="demo.invalid:161",
                ports=24 if kind is DeviceKind.SWITCH else None,
            )
            for name, kind in (
                ("vc1", DeviceKind.CONTROLLER),
                ("sw1", DeviceKind.SWITCH),
            )
        ),
        rooms=tuple(
            Room(id=f"r{n}", building_id="b1", name=f"R{n}", floor="EG", teaching=True)
            for n in range(1, 5)
        ),
        # Where the fourth is patched nobody has written down.
        access_points=(
            *(point(n) for n in range(1, 4)),
            point(4, switch_id=None, switch_port=""),
        ),
        sockets=tuple(
            Socket(
                room_id=f"r{n}",
                name=f"{n}.1",
                switch_id="sw1",
                switch_port=f"Gi1/0/{n + 10}",
            )
            for n in range(1, 5)
        ),
    )


class School:
    """Agents that can be changed, and what the store then knows of them."""

    def __init__(
        self, folder: Path, inventory: Inventory, fleet: AgentFleet, clock: ManualClock
    ) -> None:
        self.clock = clock
        self.fleet = fleet
        self.store = SqliteStore(folder / "state.sqlite3")
        self._source = self.store.sources.create(
            "sammler", SourceKind.COLLECTOR, None, "a" * 64
        )
        self._spool = Spool(folder / "spool.sqlite3")
        self.inventory = inventory
        self._poller = self._new_poller()
        self.take(inventory)

    def _new_poller(self) -> Poller:
        poller = Poller(
            platforms=load_platforms(),
            credentials=Credentials("test", {DEMO_CREDENTIAL.name: DEMO_CREDENTIAL}),
            spool=self._spool,
            clock=self.clock,
            wake=asyncio.Event(),
            interval_s=MINUTE_S,
            concurrency=2,
            session_factory=_open,
        )
        poller.know(self.inventory)
        return poller

    def hear_probe(self) -> None:
        """Store a record of the building's probe, measured now."""
        tags = {"building": "b1", "line": "b1-main"}
        record = SpoolRecord(
            kind="latency", tags=tags, ts_ms=self.now_ms, values={"rtt_s": 0.01}
        )
        spooled = [Spooled("c" * 32, 1, record)]
        batch = to_batch("p1", spooled, sent_ms=self.now_ms)
        source = self.store.sources.create("p1", SourceKind.PROBE, "b1", "b" * 64)
        checked = check_batch(batch, source, self.now_ms, {"b1"}.__contains__)
        assert checked.quarantined == []
        self.store.measurements.write([checked])

    async def restart_collector(self) -> None:
        """Forget all that was seen of devices."""
        await self._poller.aclose()
        self._poller = self._new_poller()

    @property
    def now_ms(self) -> int:
        return to_ms(self.clock.now())

    def take(self, inventory: Inventory) -> None:
        """Import an inventory; addresses are those of the agents."""
        self.inventory = inventory
        self._poller.know(inventory)
        body = encode(inventory)
        self.store.inventories.save(content_hash(inventory), body, self.now_ms)

    async def poll(self, *, after_s: float = MINUTE_S) -> None:
        """Let time pass, then poll every device and send what came."""
        self.clock.advance(after_s)
        for device in self.inventory.devices:
            records = await self._poller.poll(
                device, planned_for(self.inventory, device)
            )
            self._spool.add_many(records)
        spooled = self._spool.batch(10_000)
        batch = to_batch("sammler", spooled, sent_ms=self.now_ms)
        known = self.inventory.building_by_id
        checked = check_batch(batch, self._source, self.now_ms, known.__contains__)
        assert checked.quarantined == []
        self.store.measurements.write([checked])
        self._spool.ack([each.seq for each in spooled])

    def truth(self, calendar: SchoolCalendar | None = None) -> WlanTruth:
        return read_wlan_truth(
            self.store, self.inventory, "b1", self.now_ms, calendar=calendar
        )

    def of(self, ap: str) -> ApTruth:
        return self.truth(SchoolCalendar()).by_ap[ap]

    async def aclose(self) -> None:
        await self._poller.aclose()
        self._spool.close()
        self.store.close()


def _open(device: Device, credential: Credential) -> Session:
    timing = Timing(timeout_s=1.0, backoff_s=(0.01,))
    return open_session(device.address, credential, clock=SystemClock(), timing=timing)


def with_addresses(inventory: Inventory, addresses: dict[str, str]) -> Inventory:
    devices = (
        replace(device, address=addresses[device.id]) for device in inventory.devices
    )
    return replace(inventory, devices=tuple(devices))


@pytest.fixture
async def school(tmp_path: Path) -> AsyncIterator[School]:
    async with open_school(tmp_path, make_school()) as made:
        yield made


@asynccontextmanager
async def open_school(tmp_path: Path, planned: Inventory) -> AsyncIterator[School]:
    clock = ManualClock(START)
    fleet = AgentFleet(clock=clock)
    addresses = await fleet.start(specs_for(planned, ["b1"]))
    made = School(tmp_path, with_addresses(planned, addresses), fleet, clock)
    await made.poll()
    yield made
    await made.aclose()
    await fleet.stop()
