"""The poller's loop: rhythm, places, the silent, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import msgspec
import pytest

from collectors.base import NoReplyError, Value
from collectors.poll import Poller
from netmon.errors import ConfigError
from netmon.model import Device, Inventory
from netmon.spool import Spool
from tests.collectors.polling import MakePoller


@pytest.fixture
def running(make_poller: MakePoller) -> Poller:
    """Comes round in a moment."""
    return make_poller(0.2)


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
    async with asyncio.timeout(30):
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
    make_poller: MakePoller, spool: Spool, city: Inventory
) -> None:
    now = [0]
    poller = make_poller(0.05, concurrency=3, session_factory=lambda *_: Counting(now))
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
            await poller.wake.wait()
            poller.wake.clear()
    stop.set()
    await loop
    assert max(now) == 3


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
    make_poller: MakePoller, city: Inventory, address: str, same: str
) -> None:
    """Nor is one that stands in the inventory under two names."""
    now = [0]
    poller = make_poller(60.0, concurrency=8, session_factory=lambda *_: Counting(now))
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
    make_poller: MakePoller, city: Inventory
) -> None:
    """More dead devices than places: the living still have their turns."""
    go = asyncio.Event()
    polled: list[str] = []
    poller = make_poller(
        0.05, session_factory=lambda device, _: Half(device, go, polled)
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
    async with asyncio.timeout(30):
        await loop


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
    make_poller: MakePoller, city: Inventory
) -> None:
    session = Deaf()
    poller = make_poller(3600.0, concurrency=1, session_factory=lambda *_: session)
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
