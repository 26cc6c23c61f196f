"""The poller against real agents: rhythm, silence, partial answers, the spool."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from collectors.base import NoReplyError, Session, Timing, Value
from collectors.credentials import Credential, Credentials
from collectors.platforms import load_platforms
from collectors.poll import Poller, planned_for
from collectors.snmp import open_session
from netmon.clock import SystemClock
from netmon.config import Secret
from netmon.demo.agent_data import Row
from netmon.demo.agents import (
    AgentFleet,
    AgentSpec,
    RecordedModel,
    SnmpAgent,
    SwitchModel,
)
from netmon.errors import ConfigError
from netmon.model import Device, FailureReason, Inventory
from netmon.spool import Spool
from netmon.spool_record import SpoolRecord

FAST = Timing(timeout_s=1.0, backoff_s=(0.01,))
AP_TABLE = "1.3.6.1.4.1.14823.2.3.3.1.2.1.1"
RADIO_NOISE = "1.3.6.1.4.1.14823.2.3.3.1.2.2.1.6"


class Sessions:
    """Opens real sessions and remembers them."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def __call__(self, device: Device, credential: Credential) -> Session:
        self.opened.append(device.id)
        return open_session(
            device.address, credential, clock=SystemClock(), timing=FAST
        )


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool.sqlite3")


@pytest.fixture
async def make_poller(
    credentials: Credentials, spool: Spool, sessions: Sessions
) -> AsyncIterator[Callable[[float], Poller]]:
    made: list[Poller] = []

    def make(interval_s: float) -> Poller:
        poller = Poller(
            platforms=load_platforms(),
            credentials=credentials,
            spool=spool,
            clock=SystemClock(),
            wake=asyncio.Event(),
            interval_s=interval_s,
            concurrency=2,
            session_factory=sessions,
        )
        made.append(poller)
        return poller

    yield make
    for poller in made:
        await poller.aclose()
    spool.close()


@pytest.fixture
def poller(make_poller: Callable[[float], Poller]) -> Poller:
    """For single polls: a busy machine must not use up a device's time."""
    return make_poller(60.0)


@pytest.fixture
def running(make_poller: Callable[[float], Poller]) -> Poller:
    """For the loop: comes round in a moment."""
    return make_poller(0.2)


async def poll(poller: Poller, city: Inventory, device_id: str) -> list[SpoolRecord]:
    device = city.device_by_id[device_id]
    return await poller.poll(device, planned_for(city, device))


def ups(records: Sequence[SpoolRecord]) -> dict[str, float | None]:
    return {r.tags["ap"]: r.values.get("up") for r in records if r.kind == "wlan_ap"}


async def test_a_controller_gives_points_radios_and_ports(
    poller: Poller, city: Inventory
) -> None:
    records = await poll(poller, city, "vc1")
    kinds = [record.kind for record in records]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "device": 1,
        "wlan_ap": 4,
        "wlan_radio": 8,
        "lan_port": 1,
    }
    assert ups(records) == {f"b1-ap{n}": 1.0 for n in range(1, 5)}


async def test_a_broken_and_a_vanished_point_are_down(
    poller: Poller, city: Inventory, fleet: AgentFleet
) -> None:
    fleet.set_ap("b1", "GS07-R1", up=False)
    fleet.set_ap("b1", "GS07-R2", present=False)
    assert ups(await poll(poller, city, "vc1")) == {
        "b1-ap1": 0.0,
        "b1-ap2": 0.0,
        "b1-ap3": 1.0,
        "b1-ap4": 1.0,
    }


async def test_a_silent_controller_says_nothing_about_its_points(
    poller: Poller, city: Inventory, fleet: AgentFleet, sessions: Sessions
) -> None:
    assert len(await poll(poller, city, "vc1")) > 1
    fleet.set_device("vc1", answers=False)
    for _ in range(2):
        (record,) = await poll(poller, city, "vc1")
        assert (record.kind, record.failure) == ("device", FailureReason.NO_REPLY)
        assert record.values == {}
    fleet.set_device("vc1", answers=True)
    assert len(await poll(poller, city, "vc1")) == 14
    # After two failed polls the session was made anew.
    assert sessions.opened == ["vc1", "vc1"]


@pytest.mark.parametrize("broken", [AP_TABLE, "1.3.6.1.4.1"])
async def test_a_table_that_does_not_answer_makes_nobody_down(
    poller: Poller,
    city: Inventory,
    fleet: AgentFleet,
    broken: str,
) -> None:
    await poll(poller, city, "vc1")
    fleet.agent("vc1").break_below(broken)
    records = await poll(poller, city, "vc1")
    assert records[0].values["up"] == 1.0
    points = [record for record in records if record.kind == "wlan_ap"]
    assert [point.failure for point in points] == [FailureReason.PARTIAL] * 4
    assert all(point.values == {} for point in points)
    radios = [record for record in records if record.kind == "wlan_radio"]
    assert [radio.values for radio in radios] == [{}] * 8
    assert {radio.failure for radio in radios} == {FailureReason.PARTIAL}


async def test_one_column_that_does_not_answer_costs_only_itself(
    poller: Poller, city: Inventory, fleet: AgentFleet
) -> None:
    fleet.agent("vc1").break_below(RADIO_NOISE)
    records = await poll(poller, city, "vc1")
    radios = [record for record in records if record.kind == "wlan_radio"]
    assert len(radios) == 8
    assert {radio.values["noise_dbm"] for radio in radios} == {None}
    assert all(radio.values["channel"] for radio in radios)


async def test_a_fault_of_our_own_is_a_record_too(
    poller: Poller,
    city: Inventory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def slip(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("collectors.meaning.decode_table", slip)
    (record,) = await poll(poller, city, "vc1")
    assert (record.kind, record.failure) == ("device", FailureReason.INTERNAL)
    assert "failed inside netmon" in caplog.text


async def test_a_moved_device_is_asked_at_its_new_address(
    poller: Poller, city: Inventory, sessions: Sessions
) -> None:
    switch, controller = city.device_by_id["sw1"], city.device_by_id["vc1"]
    first = await poller.poll(switch, [])
    moved = msgspec.structs.replace(switch, address=controller.address)
    second = await poller.poll(moved, [])
    assert (first[0].info["name"], second[0].info["name"]) == ("GS07-SW1", "GS07-VC")
    assert sessions.opened == ["sw1", "sw1"]


async def test_a_replaced_v3_device_is_found_again(
    spool: Spool, sessions: Sessions, city: Inventory
) -> None:
    """It comes with another engine id, to which the old keys do not belong."""
    secret = Credential(
        name="v3",
        version="v3",
        user="netmon",
        auth_secret=Secret("auth-secret-1"),
        priv_secret=Secret("priv-secret-1"),
    )
    poller = Poller(
        platforms=load_platforms(),
        credentials=Credentials("test", {"v3": secret}),
        spool=spool,
        clock=SystemClock(),
        wake=asyncio.Event(),
        interval_s=0.2,
        concurrency=1,
        session_factory=sessions,
    )
    model = SwitchModel("first", 2, "first")
    agent = SnmpAgent(model, secret)
    address = await agent.start()
    device = msgspec.structs.replace(
        city.device_by_id["sw1"], address=address, credential="v3"
    )
    assert (await poller.poll(device, []))[0].info["name"] == "first"
    await agent.stop()
    agent = SnmpAgent(
        SwitchModel("second", 2, "second"), secret, engine_id=b"\x80\x00\x7e\xd9\x05new"
    )
    await agent.start(int(address.rpartition(":")[2]))
    polls = [(await poller.poll(device, []))[0] for _ in range(3)]
    assert polls[-1].info.get("name") == "second"
    await poller.aclose()
    await agent.stop()


async def test_running_it_spools_all_devices_again_and_again(
    running: Poller, city: Inventory, spool: Spool
) -> None:
    stop = asyncio.Event()
    loop = asyncio.create_task(running.run(city, stop))
    seen: dict[str, int] = {}
    async with asyncio.timeout(20):
        while min(seen.get("vc1", 0), seen.get("sw1", 0)) < 3:
            await running.wake.wait()
            running.wake.clear()
            records = [item.record for item in spool.batch(10_000)]
            devices = [r.tags["device"] for r in records if r.kind == "device"]
            seen = {name: devices.count(name) for name in set(devices)}
    stop.set()
    async with asyncio.timeout(5):
        await loop


async def test_no_device_no_work_and_a_clean_end(
    running: Poller, city: Inventory
) -> None:
    stop = asyncio.Event()
    empty = msgspec.structs.replace(city, devices=())
    loop = asyncio.create_task(running.run(empty, stop))
    await asyncio.sleep(0)
    assert not loop.done()
    stop.set()
    await loop


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"credential": "nobody"}, "no credential called 'nobody'"),
        ({"platform": "typewriter"}, "'typewriter' is no platform"),
    ],
)
async def test_what_a_device_names_must_be_there(
    running: Poller, city: Inventory, change: dict[str, str], message: str
) -> None:
    wrong = msgspec.structs.replace(city.devices[0], **change)
    with pytest.raises(ConfigError, match=message):
        await running.run(
            msgspec.structs.replace(city, devices=(wrong,)), asyncio.Event()
        )


async def test_a_device_without_address_is_not_polled(
    running: Poller, city: Inventory
) -> None:
    hidden = tuple(
        msgspec.structs.replace(device, address="", credential="nobody")
        for device in city.devices
    )
    stop = asyncio.Event()
    stop.set()
    await running.run(msgspec.structs.replace(city, devices=hidden), stop)
    assert running.open_sessions == 0


async def test_a_device_that_left_the_inventory_is_forgotten(
    running: Poller, city: Inventory
) -> None:
    for device in city.devices:
        await running.poll(device, [])
    assert (running.known_devices, running.open_sessions) == (2, 2)
    stop = asyncio.Event()
    stop.set()
    left = msgspec.structs.replace(city, devices=city.devices[:1])
    await running.run(left, stop)
    assert (running.known_devices, running.open_sessions) == (1, 1)


class Counting:
    """A session that knows how many are in use at once."""

    def __init__(self, now: list[int]) -> None:
        self._now = now

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        self._now.append(self._now[-1] + 1)
        await asyncio.sleep(0.01)
        self._now.append(self._now[-1] - 1)
        return dict.fromkeys(oids, 0)

    async def walk(self, root: str, **_: object) -> list[tuple[str, Value]]:
        return []

    async def aclose(self) -> None:
        pass


async def test_at_most_so_many_devices_are_in_flight(
    credentials: Credentials, spool: Spool, city: Inventory
) -> None:
    now = [0]
    make: Callable[..., Session] = lambda *_: Counting(now)  # noqa: E731
    wake = asyncio.Event()
    poller = Poller(
        platforms=load_platforms(),
        credentials=credentials,
        spool=spool,
        clock=SystemClock(),
        wake=wake,
        interval_s=0.05,
        concurrency=3,
        session_factory=make,
    )
    many = tuple(
        msgspec.structs.replace(city.devices[0], id=f"d{n}", address=f"10.0.0.{n}")
        for n in range(12)
    )
    stop = asyncio.Event()
    loop = asyncio.create_task(
        poller.run(msgspec.structs.replace(city, devices=many), stop)
    )
    async with asyncio.timeout(20):
        while spool.stats().added < 40:
            await wake.wait()
            wake.clear()
    stop.set()
    await loop
    assert max(now) == 3
    spool.close()


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("10.0.0.1:161", "10.0.0.1:161"),
        ("10.0.0.1", "10.0.0.1:161"),
        ("Switch.example", "switch.EXAMPLE:161"),
        ("[2001:db8::1]:161", "2001:DB8:0::1"),
    ],
)
async def test_one_device_is_never_asked_twice_at_once(
    credentials: Credentials, spool: Spool, city: Inventory, address: str, same: str
) -> None:
    """Nor is one that stands in the inventory under two names."""
    now = [0]
    make: Callable[..., Session] = lambda *_: Counting(now)  # noqa: E731
    poller = Poller(
        platforms=load_platforms(),
        credentials=credentials,
        spool=spool,
        clock=SystemClock(),
        wake=asyncio.Event(),
        interval_s=60.0,
        concurrency=8,
        session_factory=make,
    )
    one = msgspec.structs.replace(city.devices[0], address=address)
    twin = msgspec.structs.replace(one, id="twin", address=same)
    await asyncio.gather(*(poller.poll(each, []) for each in (one, one, twin, twin)))
    assert max(now) == 1


class Half:
    """Half of the devices hang until they are let go; the others answer at once."""

    def __init__(self, device: Device, go: asyncio.Event, polled: list[str]) -> None:
        self._device = device
        self._go = go
        self._polled = polled

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        self._polled.append(self._device.id)
        if self._device.id.startswith("dead"):
            if self._polled.count(self._device.id) > 1:
                await self._go.wait()
            raise NoReplyError("no reply")
        return dict.fromkeys(oids, 0)

    async def walk(self, root: str, **_: object) -> list[tuple[str, Value]]:
        return []

    async def aclose(self) -> None:
        pass


async def test_the_silent_wait_for_each_other_and_delay_nobody(
    credentials: Credentials, spool: Spool, city: Inventory
) -> None:
    """More dead devices than places: the living still have their turns."""
    go = asyncio.Event()
    polled: list[str] = []
    poller = Poller(
        platforms=load_platforms(),
        credentials=credentials,
        spool=spool,
        clock=SystemClock(),
        wake=asyncio.Event(),
        interval_s=0.05,
        concurrency=2,
        session_factory=lambda device, _: Half(device, go, polled),
    )
    names = [f"dead{n}" for n in range(6)] + ["alive0", "alive1"]
    devices = tuple(
        msgspec.structs.replace(city.devices[0], id=name, address=f"10.0.0.{n}")
        for n, name in enumerate(names)
    )
    stop = asyncio.Event()
    many = msgspec.structs.replace(city, devices=devices)
    loop = asyncio.create_task(poller.run(many, stop))
    async with asyncio.timeout(20):
        while min(polled.count("alive0"), polled.count("alive1")) < 30:
            await poller.wake.wait()
            poller.wake.clear()
    assert poller.silent_devices == 6
    assert max(polled.count(f"dead{n}") for n in range(6)) <= 2
    stop.set()
    go.set()
    async with asyncio.timeout(5):
        await loop
    await poller.aclose()


async def test_the_second_poll_asks_for_values_only(
    poller: Poller, city: Inventory, fleet: AgentFleet
) -> None:
    first = await poll(poller, city, "sw1")
    full = poller.tally.structures
    fleet.set_port("sw1", "Gi1/0/1", admin_up=False, oper_up=False)
    second = await poll(poller, city, "sw1")
    assert poller.tally.structures == full == 1
    assert [r.tags for r in second] == [r.tags for r in first]
    assert [r.info for r in second] == [r.info for r in first]
    port = next(r for r in second if r.tags.get("port") == "Gi1/0/1")
    assert (port.values["oper_up"], port.values["admin_up"]) == (0.0, 0.0)


async def test_a_new_access_point_is_named_in_the_poll_that_sees_it(
    poller: Poller, city: Inventory, fleet: AgentFleet
) -> None:
    fleet.set_ap("b1", "GS07-R2", present=False)
    before = ups(await poll(poller, city, "vc1"))
    assert before["b1-ap2"] == 0.0
    fleet.set_ap("b1", "GS07-R2", present=True)
    records = await poll(poller, city, "vc1")
    assert ups(records)["b1-ap2"] == 1.0
    assert poller.tally.structures == 2
    fleet.set_ap("b1", "GS07-R2", present=False)
    assert ups(await poll(poller, city, "vc1"))["b1-ap2"] == 0.0
    fleet.set_ap("b1", "GS07-R2", present=True)
    # It came back under the name it had: nothing has to be asked anew.
    assert ups(await poll(poller, city, "vc1"))["b1-ap2"] == 1.0
    assert poller.tally.structures == 2


async def test_a_mark_that_never_rests_is_left_alone_for_a_while(
    poller: Poller, city: Inventory
) -> None:
    """Some devices count ifTableLastChange like a clock."""
    rows = [
        ((1, 3, 6, 1, 2, 1, 1, 2, 0), "6", b"1.3.6.1.4.1.4711"),
        ((1, 3, 6, 1, 2, 1, 1, 3, 0), "67", b"100"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 3, 1), "2", b"117"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 1), "2", b"1"),
    ]
    mark, ticks = (1, 3, 6, 1, 2, 1, 31, 1, 5, 0), itertools.count()

    class Restless(RecordedModel):
        def rows(self) -> Sequence[Row]:
            return [*super().rows(), (mark, "ticks", lambda _: next(ticks))]

    agent = SnmpAgent(Restless(rows))
    address = await agent.start()
    device = msgspec.structs.replace(city.device_by_id["sw1"], id="x", address=address)
    structures = []
    try:
        for _ in range(7):
            assert (await poller.poll(device, []))[0].values["up"] == 1.0
            structures.append(poller.tally.structures)
    finally:
        await agent.stop()
    assert structures == [1, 2, 3, 4, 4, 4, 4]


async def test_ports_tell_their_rates_from_the_second_poll_on(
    poller: Poller, city: Inventory
) -> None:
    rates = []
    for _ in range(2):
        records = await poll(poller, city, "sw1")
        ports = [r for r in records if r.kind == "lan_port"]
        rates.append({r.values["in_rate_bps"] for r in ports})
    assert rates[0] == {None}
    assert any(rate for rate in rates[1] if rate is not None)


async def test_a_stranger_gives_its_ports(poller: Poller, city: Inventory) -> None:
    """A device no platform knows still speaks IF-MIB."""
    rows = [
        ((1, 3, 6, 1, 2, 1, 1, 2, 0), "6", b"1.3.6.1.4.1.4711"),
        ((1, 3, 6, 1, 2, 1, 1, 3, 0), "67", b"100"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 2, 1), "4", b"lan\x001"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 3, 1), "2", b"117"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 5, 1), "66", b"100000000"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 1), "2", b"1"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 10, 1), "65", b"4294967295"),
    ]
    agent = SnmpAgent(RecordedModel(rows))
    address = await agent.start()
    device = msgspec.structs.replace(city.device_by_id["sw1"], id="x", address=address)
    try:
        records = await poller.poll(device, [])
    finally:
        await agent.stop()
    (port,) = [record for record in records if record.kind == "lan_port"]
    assert port.tags == {"building": "b1", "device": "x", "port": "lan1"}
    assert port.values["speed_bps"] == 1e8
    assert port.values["in_octets_total"] == 2**32 - 1
    assert port.values["out_octets_total"] is None
    assert port.values["admin_up"] is None


async def test_a_device_without_uptime_breaks_the_protocol(
    poller: Poller, city: Inventory, fleet: AgentFleet
) -> None:
    spec = AgentSpec("again", RecordedModel([]))
    addresses = await fleet.start([spec])
    device = msgspec.structs.replace(
        city.device_by_id["sw1"], id="again", address=addresses["again"]
    )
    (record,) = await poller.poll(device, [])
    # An agent that has not even an uptime does not speak SNMP as we need it.
    assert record.failure is FailureReason.PROTOCOL


class Deaf:
    """A session that swallows its first cancellation, as gufo-snmp may."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        if not self.asked.is_set():
            self.asked.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        raise NoReplyError("no reply")

    async def walk(
        self, root: str, *, max_repetitions: int, max_rows: int, deadline_s: float
    ) -> list[tuple[str, Value]]:
        return []

    async def aclose(self) -> None:
        pass


async def test_polling_ends_though_a_cancellation_is_swallowed(
    credentials: Credentials, spool: Spool, city: Inventory
) -> None:
    session = Deaf()
    poller = Poller(
        platforms=load_platforms(),
        credentials=credentials,
        spool=spool,
        clock=SystemClock(),
        wake=asyncio.Event(),
        interval_s=3600.0,
        concurrency=1,
        session_factory=lambda *_: session,
    )
    stop = asyncio.Event()
    polling = asyncio.create_task(poller.run(city, stop))
    await asyncio.sleep(0)
    poller.hurry("sw1")
    async with asyncio.timeout(20):
        await session.asked.wait()
        stop.set()
        polling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await polling
    await poller.aclose()
    spool.close()
