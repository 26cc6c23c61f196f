"""What the collectors' tests share: agents on free ports, a small city."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from collectors.base import Session, Timing
from collectors.credentials import Credentials
from collectors.guards import GuardedSession
from collectors.platforms import load_platforms
from collectors.poll import Poller, decode
from collectors.read import read_device
from collectors.recorded import RecordedLink, parse_recording
from collectors.records import DeviceResult
from netmon.clock import SystemClock
from netmon.demo.agents import (
    DEMO_CREDENTIAL,
    AgentFleet,
    AgentSpec,
    ApSpec,
    ControllerModel,
    SwitchModel,
)
from netmon.model import (
    AccessPoint,
    Device,
    DeviceKind,
    Inventory,
    Technology,
)
from netmon.spool import Spool
from tests.city import a_building, a_line
from tests.collectors.polling import MakePoller, Sessions


@pytest.fixture
def recordings(shared_dir: Path) -> Path:
    folder = shared_dir / "devices"
    if not folder.is_dir():
        pytest.skip("the folder with recordings of devices is not here")
    return folder


@pytest.fixture
def credentials() -> Credentials:
    return Credentials("test", {DEMO_CREDENTIAL.name: DEMO_CREDENTIAL})


@pytest.fixture
async def fleet() -> AsyncIterator[AgentFleet]:
    started = AgentFleet()
    yield started
    await started.stop()


@pytest.fixture
def points() -> list[ApSpec]:
    return [
        ApSpec(f"b1-ap{n}", "b1", f"GS07-R{n}", f"CNTEST000{n}") for n in range(1, 5)
    ]


@pytest.fixture
async def addresses(fleet: AgentFleet, points: list[ApSpec]) -> dict[str, str]:
    """A controller with four access points and a switch with 24 ports, answering."""
    return await fleet.start(
        [
            AgentSpec("vc1", ControllerModel("GS07-VC", points, "vc1")),
            AgentSpec("sw1", SwitchModel("GS07-SW1", 24, "sw1")),
        ]
    )


@pytest.fixture
def city(addresses: dict[str, str], points: list[ApSpec]) -> Inventory:
    building = a_building()
    kinds = {"vc1": DeviceKind.CONTROLLER, "sw1": DeviceKind.SWITCH}
    line = a_line(down_mbits=1000, up_mbits=1000, technology=Technology.FIBRE)
    return Inventory(
        buildings=(building,),
        lines=(line,),
        devices=tuple(
            Device(
                id=name, building_id="b1", kind=kind, name=name, address=addresses[name]
            )
            for name, kind in kinds.items()
        ),
        access_points=tuple(
            AccessPoint(
                id=spec.id,
                building_id="b1",
                name=spec.name,
                controller_id="vc1",
                serial=spec.serial,
            )
            for spec in points
        ),
    )


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool.sqlite3") as made:
        yield made


@pytest.fixture
async def make_poller(
    credentials: Credentials, spool: Spool, sessions: Sessions
) -> AsyncIterator[MakePoller]:
    made: list[Poller] = []

    def make(
        interval_s: float,
        *,
        concurrency: int = 2,
        session_factory: Callable[..., Session] = sessions,
        credentials: Credentials = credentials,
    ) -> Poller:
        poller = Poller(
            platforms=load_platforms(),
            credentials=credentials,
            spool=spool,
            clock=SystemClock(),
            wake=asyncio.Event(),
            interval_s=interval_s,
            concurrency=concurrency,
            session_factory=session_factory,
        )
        made.append(poller)
        return poller

    yield make
    for poller in made:
        await poller.aclose()


@pytest.fixture
def poller(make_poller: MakePoller) -> Poller:
    """For single polls: a busy machine must not use up a device's time."""
    return make_poller(60.0)


Ask = Callable[..., Awaitable[DeviceResult]]


@pytest.fixture
def ask() -> Ask:
    """Poll a device that says these lines of a recording."""

    async def poll(
        said: str, *, object_id: str = "1.3.6.1.4.1.32473.9", line: bool | None = True
    ) -> DeviceResult:
        system = [
            f"1.3.6.1.2.1.1.2.0|6|{object_id}",
            "1.3.6.1.2.1.1.3.0|67|4200",
            "1.3.6.1.2.1.2.2.1.3.1|2|6",
            "1.3.6.1.2.1.2.2.1.8.1|2|1",
        ]
        clock = SystemClock()
        link = RecordedLink(parse_recording([*system, *said.split()], "said"))
        session = GuardedSession(link, clock=clock, timing=Timing())
        reading = await read_device(
            session, load_platforms(), clock=clock, budget_s=30.0, line=line
        )
        return decode(reading)

    return poll
