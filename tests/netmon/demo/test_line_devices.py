"""The demo's routers: chosen by the plan, played over UDP, ill with their line."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from collectors.platforms import load_platforms
from collectors.poll import decode
from collectors.read import read_device
from collectors.records import Known, to_records
from collectors.snmp import open_session
from netmon.clock import SystemClock
from netmon.demo import city
from netmon.demo.agents import DEMO_CREDENTIAL, AgentFleet, specs_for
from netmon.demo.plan import Plan, broken_rates, healthy_rates, make_plan
from netmon.medium import JUDGES, Baseline, MediumHealth, MediumState
from netmon.model import Device, DeviceKind, Technology
from netmon.spool_record import SpoolRecord
from tests.patience import PATIENT


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(city.load())


def routers(plan: Plan) -> dict[Technology, Device]:
    found = {}
    for device in plan.city.devices:
        if device.kind is DeviceKind.ROUTER:
            line = plan.city.line_by_id[device.line_id or ""]
            assert line.building_id == device.building_id
            found[line.technology] = device
    return found


def test_one_live_line_of_each_technology_has_a_router(plan: Plan) -> None:
    found = routers(plan)
    assert set(found) == set(Technology)
    assert {d.building_id for d in found.values()} <= {b.id for b in plan.live}
    assert len(plan.city.devices) == len(city.load().devices) + 3


@pytest.fixture
async def addresses(plan: Plan, fleet: AgentFleet) -> dict[str, str]:
    names = {device.id for device in routers(plan).values()}
    specs = specs_for(plan.city, [b.id for b in plan.live])
    return await fleet.start([spec for spec in specs if spec.device_id in names])


@pytest.fixture
async def fleet() -> AsyncIterator[AgentFleet]:
    started = AgentFleet()
    yield started
    await started.stop()


async def poll(device: Device, address: str) -> SpoolRecord:
    clock = SystemClock()
    session = open_session(address, DEMO_CREDENTIAL, clock=clock, timing=PATIENT)
    try:
        reading = await read_device(
            session, load_platforms(), clock=clock, budget_s=30.0, line=True
        )
    finally:
        await session.aclose()
    records, _ = to_records(device, [], decode(reading), Known())
    (record,) = [record for record in records if record.kind.startswith("line_")]
    return record


@pytest.mark.parametrize("technology", list(Technology))
async def test_a_broken_line_shows_in_what_its_router_says(
    plan: Plan, fleet: AgentFleet, addresses: dict[str, str], technology: Technology
) -> None:
    device = routers(plan)[technology]
    line = plan.city.line_by_id[device.line_id or ""]

    def judged(record: SpoolRecord, usual: Baseline | None = None) -> MediumHealth:
        return JUDGES[record.kind](record.values, usual, line)

    well = await poll(device, addresses[device.id])
    assert judged(well).state is MediumState.OK
    carried = well.values.get("rate_down_bps") or well.values.get("capacity_down_bps")
    assert carried is None or carried > healthy_rates(line)[0]

    assert fleet.set_line(line.id, broken=True)
    usual = Baseline({name: v for name, v in well.values.items() if v is not None})
    ill = await poll(device, addresses[device.id])
    health = judged(ill, usual)
    if technology is Technology.FIBRE:
        # The fault lies behind the light.
        assert health.state is MediumState.OK
    else:
        assert health.state is MediumState.CRITICAL
        carried = ill.values.get("rate_down_bps") or ill.values["capacity_down_bps"]
        assert carried is not None
        # The modem or radio lets through what the pacing does, and hardly more.
        assert 1.0 < carried / broken_rates(line)[0] < 1.2
        expected = {
            Technology.VDSL: "dsl_rate_fell",
            Technology.RADIO: "radio_modulation_low",
        }
        assert health.findings[0].code == expected[technology]
    if technology is Technology.VDSL:
        assert (well.values["snr_margin_down_db"] or 0) > 7
        assert "dsl_margin_down_low" in {found.code for found in health.findings}

    assert fleet.set_line(line.id, broken=False)
    assert judged(await poll(device, addresses[device.id])).state is MediumState.OK


async def test_a_line_without_router_cannot_fall_ill(fleet: AgentFleet) -> None:
    assert not fleet.set_line("nobody", broken=True)
