"""Controllers that stand in for each other: the access point is where it is, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from alerts.engine import Engine
from dashboards.app import create_app
from netmon.config import Settings
from netmon.coverage import read_coverage
from netmon.demo.agents import ApSpec, ControllerModel
from netmon.demo.faults import ApFault
from netmon.login_settings import LoginSettings
from netmon.proposal import ChangeKind, read_proposal
from netmon.wlan_truth import ApState, TrailEnd, UnknownReason

from .conftest import HOUR_AND_A_HALF_S, School, make_school, open_school, point

OPEN_SITE = Settings(login=LoginSettings(required=False))
MOVED = ("ap1", "ap2", "ap3", "ap4")


class Pair:
    """A school with a controller, a standby in the centre, and the alarms' engine."""

    def __init__(self, school: School) -> None:
        self.school = school
        self.engine = Engine(
            school.store, lambda: school.inventory, Settings(), school.clock
        )

    def model(self, name: str) -> ControllerModel:
        model = self.school.fleet.model(name)
        assert isinstance(model, ControllerModel)
        return model

    async def minutes(self, count: int) -> None:
        for _ in range(count):
            await self.school.poll()
            self.engine.run_once()

    def join(self, name: str, *points: str) -> None:
        """Let access points join a controller; the other one forgets them."""
        other = {"vc1": "vc2", "vc2": "vc1"}[name]
        for ap in points:
            plan = self.school.inventory.access_point_by_id[ap]
            if self.model(name).find("b1", ap) is None:
                self.model(name).add_ap(ApSpec(ap, "b1", plan.name, plan.serial))
            self.model(name).set_ap(ap, present=True, up=True)
            if self.model(other).find("b1", ap) is not None:
                self.model(other).set_ap(ap, present=False)

    def told(self) -> list[str]:
        incidents = self.school.store.alarms.incidents()
        return sorted(f"{i.rule} {i.target}" for i in incidents)

    def states(self) -> dict[str, ApState]:
        return {truth.ap: truth.state for truth in self.school.truth().points}


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    planned = make_school()
    vc1, *others = planned.devices
    # An Aruba Instant always has itself as an access point.
    both = (
        replace(vc1, building_id=None),
        replace(vc1, id="vc2", name="VC2", building_id=None),
    )
    points = (*planned.access_points, point(5, room_id="r1", controller_id="vc2"))
    planned = replace(planned, devices=(*both, *others), access_points=points)
    async with open_school(tmp_path, planned) as school:
        made = Pair(school)
        await made.minutes(2)
        yield made


async def test_what_joins_the_standby_is_in_order_there(pair: Pair) -> None:
    school = pair.school
    school.fleet.set_device("vc1", answers=False)
    pair.join("vc2", *MOVED)
    await pair.minutes(3)
    assert pair.states() == dict.fromkeys((*MOVED, "ap5"), ApState.IN_ORDER)
    truth = school.of("ap2")
    assert (truth.works, truth.controller_id) == (True, "vc2")
    # One alarm of the controller, none of its access points.
    assert pair.told() == ["device_down device:vc1"]
    assert len(school.store.measurements.access_points()) == 5
    covered = read_coverage(school.store, school.inventory, "b1", school.now_ms)
    assert (covered.wlan.covered_count, covered.wlan.open_count) == (4, 0)
    proposal = read_proposal(school.store, school.inventory, school.now_ms)
    found = [(c.kind, c.what, c.before, c.after) for c in proposal.changes]
    assert (ChangeKind.AP_ELSEWHERE, "GS07-R2", "vc1", "vc2") in found
    hosts = {ap.id: ap.controller_id for ap in proposal.inventory.access_points}
    assert hosts == {**dict.fromkeys(MOVED, "vc1"), "ap5": "vc2"}


async def test_page_and_api_say_where_it_is_and_count_it_once(pair: Pair) -> None:
    school = pair.school
    # The standby has none of its own.
    plans = school.inventory.access_points
    school.take(replace(school.inventory, access_points=plans[:-1]))
    pair.join("vc2", "ap2")
    await pair.minutes(1)
    app = create_app(OPEN_SITE, school.store, school.clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://netmon.test"
        ) as client,
    ):
        page = (await client.get("/gebaeude/b1")).text
        told = (await client.get("/api/v1/buildings/b1")).json()
        pair.join("vc1", "ap2")
        await pair.minutes(1)
        await school.poll(after_s=HOUR_AND_A_HALF_S)
        later = (await client.get("/api/v1/buildings/b1")).json()
    assert "Am Controller VC2 statt VC1" in page
    # Two radios each, not those of both controllers.
    assert page.count('class="radio"') == 8
    points = {ap["id"]: ap["finding"] for ap in told["access_point_list"]}
    assert tuple(sorted(points)) == MOVED
    assert points["ap2"]["state"] == "in_order"
    assert points["ap2"]["controller_id"] == "vc2"
    assert points["ap1"]["controller_id"] == ""
    counts = told["access_points"]
    assert (counts["total_count"], counts["ok_count"]) == (4, 4)
    assert told["access_point_findings"] == {"in_order": 4}
    # A controller is the building's for as long as it has something of it.
    assert {each["id"] for each in told["devices"]} == {"vc1", "vc2", "sw1"}
    assert {each["id"] for each in later["devices"]} == {"vc1", "sw1"}


async def test_a_controller_that_comes_back_empty_misses_nobody(pair: Pair) -> None:
    school = pair.school
    pair.join("vc2", "ap2", "ap3", "ap4")
    await pair.minutes(4)
    assert {school.of(ap).controller_id for ap in MOVED[1:]} == {"vc2"}
    # A collector that knows nothing yet concludes nothing from one table.
    await school.restart_collector()
    await pair.minutes(4)
    assert set(pair.states().values()) == {ApState.IN_ORDER}
    assert pair.told() == []
    states = school.store.alarms.states(rule="ap_down")
    assert {row.state for row in states} == {"ok"}
    # And back again.
    pair.join("vc1", "ap2", "ap3", "ap4")
    await pair.minutes(4)
    assert set(pair.states().values()) == {ApState.IN_ORDER}
    assert {truth.controller_id for truth in school.truth().points} == {""}
    assert pair.told() == []
    states = school.store.alarms.states(rule="ap_down")
    assert {row.target for row in states} == {f"ap:ap{n}" for n in range(1, 6)}


async def test_one_that_dies_at_the_standby_is_missed(pair: Pair) -> None:
    school = pair.school
    pair.join("vc2", "ap2", "ap3", "ap4")
    await pair.minutes(2)
    school.fleet.break_ap("b1", "ap2", ApFault.POWER)
    pair.model("vc2").set_ap("ap2", up=False)
    pair.model("vc2").set_ap("ap4", present=False)
    await pair.minutes(3)
    assert pair.told() == ["ap_down ap:ap2", "ap_down ap:ap4"]
    assert pair.states()["ap4"] is ApState.DOWN
    assert school.of("ap2").end is TrailEnd.NO_POWER
    school.fleet.break_ap("b1", "ap2", None)
    pair.model("vc2").set_ap("ap2", up=True)
    pair.join("vc1", "ap4")
    await pair.minutes(2)
    assert not school.store.alarms.incidents(open_only=True)
    assert set(pair.states().values()) == {ApState.IN_ORDER}


async def test_a_standby_that_dies_with_them_explains_them(pair: Pair) -> None:
    school = pair.school
    pair.join("vc2", "ap2", "ap3", "ap4")
    await pair.minutes(2)
    school.fleet.set_device("vc2", answers=False)
    await pair.minutes(1)
    assert school.of("ap2").unknown is UnknownReason.CONTROLLER_SILENT
    # The planned one answers; a collector that was restarted knows only that.
    await school.restart_collector()
    await pair.minutes(4)
    assert pair.told() == ["device_down device:vc2"]
    school.fleet.set_device("vc2", answers=True)
    await pair.minutes(2)
    assert set(pair.states().values()) == {ApState.IN_ORDER}
    assert not school.store.alarms.incidents(open_only=True)
