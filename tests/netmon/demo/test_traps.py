"""What is broken in the demo is told by the devices that notice, and by no others."""

from __future__ import annotations

import asyncio

import pytest

from collectors.credentials import Credentials
from collectors.platforms import load_platforms
from collectors.tally import Tally
from collectors.traps import TrapReceiver
from netmon.clock import SystemClock
from netmon.demo.agents import (
    DEMO_CREDENTIAL,
    AgentFleet,
    AgentSpec,
    ApFault,
    ApSpec,
    Attached,
    ControllerModel,
    SwitchModel,
)
from netmon.demo.files import trap_address
from netmon.model import Device, DeviceKind

POINT = ApSpec("ap1", "b1", "AP-1", "S1")


# Broken and healed.
@pytest.mark.parametrize("fault", [ApFault.POWER, None])
async def test_a_fault_is_told_by_controller_and_switch(
    fault: ApFault | None,
) -> None:
    callers = {"vc1", "sw1"}
    called: set[str] = set()
    complete = asyncio.Event()

    def hurry(device_id: str) -> None:
        called.add(device_id)
        if called >= callers:
            complete.set()

    tally = Tally()
    receiver = TrapReceiver(
        traps=load_platforms().traps,
        credentials=Credentials("test", {DEMO_CREDENTIAL.name: DEMO_CREDENTIAL}),
        hurry=hurry,
        tally=tally,
        clock=SystemClock(),
    )
    host, _, port = (await receiver.listen("127.0.0.1:0")).rpartition(":")
    fleet = AgentFleet(traps_to=(host, int(port)))
    models = {
        "vc1": ControllerModel("VC", [POINT], "vc1"),
        "sw1": SwitchModel("SW1", 4, "sw1", {"Gi1/0/1": Attached("ap1", "AP-1")}),
        "sw2": SwitchModel("SW2", 4, "sw2"),
    }
    try:
        addresses = await fleet.start([AgentSpec(*item) for item in models.items()])
        receiver.know(
            Device(
                id=name,
                building_id="b1",
                kind=DeviceKind.SWITCH,
                name=name,
                address=address,
            )
            for name, address in addresses.items()
        )
        async with asyncio.timeout(20):
            fleet.break_ap("b1", "ap1", fault)
            await complete.wait()
        assert called == callers
        assert (tally.traps_refused, tally.traps_strange) == (0, 0)
    finally:
        await fleet.stop()
        await receiver.aclose()


def test_the_address_for_traps_is_of_loopback() -> None:
    host, _, port = trap_address().rpartition(":")
    assert host.startswith("127.")
    assert int(port) < 32768  # no port that the system gives out
