"""The demo's devices over real UDP: they drift, they break, they heal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from collectors.platforms import load_platforms
from collectors.poll import decode
from collectors.read import read_device
from collectors.records import DeviceResult
from collectors.snmp import open_session
from netmon.clock import ManualClock, SystemClock
from netmon.demo.agents import (
    DEMO_CREDENTIAL,
    AgentFleet,
    AgentSpec,
    ApSpec,
    ControllerModel,
    SnmpAgent,
    SwitchModel,
    specs_for,
)
from netmon.model import Inventory
from tests.patience import PATIENT


async def poll(address: str) -> DeviceResult:
    clock = SystemClock()
    session = open_session(address, DEMO_CREDENTIAL, clock=clock, timing=PATIENT)
    try:
        return decode(
            await read_device(session, load_platforms(), clock=clock, budget_s=30.0)
        )
    finally:
        await session.aclose()


def values(result: DeviceResult, kind: str, field: str) -> dict[str, float | None]:
    (table,) = [table for table in result.tables if table.result == kind]
    assert table.complete
    return {
        row.words.get("name") or ".".join(row.parts.values()): row.numbers.get(field)
        for row in table.rows
    }


async def test_a_controller_says_what_it_has(addresses: dict[str, str]) -> None:
    result = await poll(addresses["vc1"])
    assert result.platform == "aruba_instant"
    assert result.words["name"] == "GS07-VC"
    assert values(result, "access_point", "up") == {
        f"GS07-R{n}": 1.0 for n in range(1, 5)
    }
    assert len(values(result, "radio", "channel")) == 8
    assert [table.remarks for table in result.tables] == [()] * 6


async def test_a_point_goes_down_and_comes_back(
    fleet: AgentFleet, addresses: dict[str, str]
) -> None:
    before = await poll(addresses["vc1"])
    assert fleet.set_ap("b1", "GS07-R2", up=False) == "b1-ap2"
    broken = await poll(addresses["vc1"])
    assert values(broken, "access_point", "up")["GS07-R2"] == 0.0
    assert len(values(broken, "radio", "channel")) == 6
    fleet.set_ap("b1", "b1-ap2", up=True)
    healed = await poll(addresses["vc1"])
    assert values(healed, "access_point", "up") == values(before, "access_point", "up")
    # The others are where they were; the healed one has just started.
    channels = values(before, "radio", "channel")
    assert values(healed, "radio", "channel") == channels
    uptimes = values(healed, "access_point", "uptime_s")
    assert uptimes["GS07-R2"] is not None
    assert uptimes["GS07-R2"] < 10
    assert all(s is not None and s > 1000 for n, s in uptimes.items() if n != "GS07-R2")


async def test_a_point_can_vanish_and_clients_can_be_set(
    fleet: AgentFleet, addresses: dict[str, str]
) -> None:
    fleet.set_ap("b1", "GS07-R1", present=False)
    for n in range(2, 5):
        fleet.set_ap("b1", f"GS07-R{n}", clients_count=7)
    result = await poll(addresses["vc1"])
    assert sorted(values(result, "access_point", "up")) == [
        "GS07-R2",
        "GS07-R3",
        "GS07-R4",
    ]
    assert set(values(result, "radio", "clients_count").values()) == {7.0}
    assert values(result, "network", "clients_count") == {"Schule-Demo": 42.0}


async def test_a_port_goes_down_and_its_counter_never_falls(
    fleet: AgentFleet, addresses: dict[str, str]
) -> None:
    before = await poll(addresses["sw1"])
    assert before.platform == "if_mib"
    octets = values(before, "port", "in_octets_total")
    assert len(octets) == 26  # 24 and two uplinks; the VLAN interface is no port
    fleet.set_port("sw1", "Te1/0/25", oper_up=False)
    after = await poll(addresses["sw1"])
    assert values(after, "port", "oper_up")["Te1/0/25"] == 0.0
    assert values(after, "port", "admin_up")["Te1/0/25"] == 1.0
    now = values(after, "port", "in_octets_total")
    assert all((now[name] or 0) >= (octets[name] or 0) for name in octets)
    assert (now["Te1/0/26"] or 0) > (octets["Te1/0/26"] or 0)
    fleet.set_port("sw1", "Te1/0/26", speed_bps=1_000_000_000, admin_up=False)
    again = await poll(addresses["sw1"])
    assert values(again, "port", "speed_bps")["Te1/0/26"] == 1e9
    assert values(again, "port", "oper_up")["Te1/0/26"] == 0.0


async def test_what_is_not_there_cannot_be_broken(
    fleet: AgentFleet, addresses: dict[str, str]
) -> None:
    assert set(addresses) == {"vc1", "sw1"}
    wrong: list[Callable[[], object]] = [
        lambda: fleet.set_ap("b1", "nobody", up=False),
        lambda: fleet.set_ap("b2", "GS07-R1", up=False),
        lambda: fleet.set_port("vc1", "eth0", oper_up=False),
        lambda: fleet.set_port("sw1", "Gi9/9/9", oper_up=False),
        lambda: fleet.set_device("sw9", answers=False),
    ]
    for change in wrong:
        with pytest.raises(KeyError):
            change()


async def test_values_drift_with_the_clock_only(points: list[ApSpec]) -> None:
    clock = ManualClock(datetime(2026, 11, 20, 8, tzinfo=UTC))
    fleet = AgentFleet(clock=clock)
    spec = AgentSpec("vc", ControllerModel("VC", points, "seed"))
    address = (await fleet.start([spec]))["vc"]
    try:
        first = values(await poll(address), "radio", "utilisation_ratio")
        assert values(await poll(address), "radio", "utilisation_ratio") == first
        clock.advance(40)
        assert values(await poll(address), "radio", "utilisation_ratio") != first
    finally:
        await fleet.stop()


async def test_specs_are_made_of_the_inventory(city: Inventory) -> None:
    specs = {spec.device_id: spec.model for spec in specs_for(city, ["b1"])}
    assert set(specs) == {"vc1", "sw1"}
    assert isinstance(specs["vc1"], ControllerModel)
    assert [ap.name for ap in specs["vc1"].aps] == [f"GS07-R{n}" for n in range(1, 5)]
    assert isinstance(specs["sw1"], SwitchModel)
    assert specs_for(city, ["b2"]) == []


async def test_a_fleet_starts_quickly_and_answers_cheaply(points: list[ApSpec]) -> None:
    """Bounds are ten times what was measured: they catch a slip, not a busy day."""
    fleet = AgentFleet()
    specs = [
        AgentSpec(f"vc{n}", ControllerModel(f"VC{n}", points, f"vc{n}"))
        for n in range(5)
    ]
    began_s = time.process_time()
    addresses = await fleet.start(specs)
    assert time.process_time() - began_s < 5
    began_s = time.process_time()
    for address in addresses.values():
        assert (await poll(address)).failure is None
    assert time.process_time() - began_s < 5
    await fleet.stop()
    await fleet.stop()


async def test_an_agent_that_is_asked_while_it_stops_fails_nowhere() -> None:
    wrong: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: wrong.append(context))
    agent = SnmpAgent(SwitchModel("sw1", 2, "sw1"))
    await agent.start()
    asked = bytes.fromhex(
        "302902010104066e65746d6f6ea01c02010102010002010030113000060a"
    )
    agent._transport.datagram_received(asked, ("127.0.0.1", 9))
    await agent.stop()
    assert wrong == []
