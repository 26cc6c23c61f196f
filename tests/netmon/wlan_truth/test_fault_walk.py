"""What devices answer changes, is polled, taken and stored: is the state named right?"""

from __future__ import annotations

import httpx
import pytest
from msgspec.structs import replace

from alerts.engine import Engine
from alerts.evidence import decode
from dashboards.app import create_app
from netmon.config import Settings
from netmon.demo.agents import (
    ApSpec,
    Attached,
    ControllerModel,
    SwitchModel,
)
from netmon.demo.faults import ApFault
from netmon.login_settings import LoginSettings
from netmon.model import DeviceKind
from netmon.school_calendar import SchoolCalendar
from netmon.storage.records import AlarmState, StateRow
from netmon.texts import Texts
from netmon.wlan_truth import (
    ApState,
    Change,
    PlaceSource,
    TrailEnd,
    UnknownReason,
    trail_text,
)

from .conftest import (
    HOUR_AND_A_HALF_S,
    MINUTE_S,
    School,
    point,
)

DAY_S = 24 * 3600.0
OPEN_SITE = Settings(login=LoginSettings(required=False))
NEWCOMER = ApSpec("neu", "b1", "GS07-NEU", "CNTEST9999")


def controller(school: School) -> ControllerModel:
    model = school.fleet.model("vc1")
    assert isinstance(model, ControllerModel)
    return model


def switch(school: School) -> SwitchModel:
    model = school.fleet.model("sw1")
    assert isinstance(model, SwitchModel)
    return model


def states(school: School) -> dict[str, ApState]:
    return {truth.ap: truth.state for truth in school.truth().points}


async def test_all_is_in_order_and_its_place_is_seen(school: School) -> None:
    assert set(states(school).values()) == {ApState.IN_ORDER}
    first, last = school.of("ap1"), school.of("ap4")
    assert (first.switch_id, first.port, first.place) == (
        "sw1",
        "Gi1/0/1",
        PlaceSource.LLDP,
    )
    assert (first.port_up, first.poe_on, first.poe_w) == (True, True, 9.2)
    assert (first.radios_on_count, first.works) == (2, True)
    # Nobody has written down where this one is.
    assert (last.port, last.place) == ("Gi1/0/24", PlaceSource.LLDP)
    assert sum(school.truth().counts.values()) == 4


@pytest.mark.parametrize(
    ("fault", "state", "end"),
    [
        (ApFault.POWER, ApState.DOWN, TrailEnd.NO_POWER),
        (ApFault.CABLE, ApState.DOWN, TrailEnd.PORT_DOWN),
        (ApFault.JOIN, ApState.DOWN, TrailEnd.NOT_JOINED),
        (ApFault.RADIO, ApState.DOWN, TrailEnd.RADIO_OFF),
        (ApFault.SLOW, ApState.SLOW_PORT, None),
        (ApFault.SWAP, ApState.REPLACED, None),
    ],
)
# One whose port is planned, and one whose port only LLDP has told.
@pytest.mark.parametrize("ap", ["ap2", "ap4"])
async def test_each_fault_is_named_by_the_next_poll_and_heals(
    school: School, fault: ApFault, state: ApState, end: TrailEnd | None, ap: str
) -> None:
    school.fleet.break_ap("b1", ap, fault)
    # Serial numbers belong to what is read now and then only.
    is_word = fault is ApFault.SWAP
    await school.poll(after_s=HOUR_AND_A_HALF_S if is_word else MINUTE_S)
    truth = school.of(ap)
    assert (truth.state, truth.end) == (state, end)
    assert set(states(school).values()) == {ApState.IN_ORDER, state}
    # The same an hour and a half later, when nobody names a neighbour any more.
    await school.poll(after_s=HOUR_AND_A_HALF_S)
    truth = school.of(ap)
    assert (truth.state, truth.end) == (state, end)
    if fault in {ApFault.POWER, ApFault.CABLE}:
        source = PlaceSource.PLAN if ap == "ap2" else PlaceSource.LEARNED
        assert truth.place is source
    school.fleet.break_ap("b1", ap, None)
    await school.poll(after_s=HOUR_AND_A_HALF_S if is_word else MINUTE_S)
    assert set(states(school).values()) == {ApState.IN_ORDER}


async def test_the_trail_in_words(school: School) -> None:
    school.fleet.break_ap("b1", "ap4", ApFault.POWER)
    await school.poll(after_s=HOUR_AND_A_HALF_S)
    assert trail_text(school.of("ap4"), school.inventory, Texts("de")) == (
        "Port Gi1/0/24 an SW1 (dort zuletzt per LLDP gesehen) gibt keinen Strom ab: "
        "Access Point nicht angeschlossen, Kabel unterbrochen oder PoE gestört"
    )


async def test_a_port_that_somebody_switched_off(school: School) -> None:
    school.fleet.set_ap("b1", "ap2", up=False)
    school.fleet.set_port("sw1", "Gi1/0/2", admin_up=False)
    await school.poll()
    assert school.of("ap2").end is TrailEnd.PORT_DISABLED


async def test_a_silent_switch_ends_the_trail(school: School) -> None:
    school.fleet.set_ap("b1", "ap2", up=False)
    school.fleet.set_device("sw1", answers=False)
    await school.poll()
    truth = school.of("ap2")
    assert (truth.state, truth.end) == (ApState.DOWN, TrailEnd.SWITCH_SILENT)
    # Those that work need no switch to say so.
    assert school.of("ap1").state is ApState.IN_ORDER


async def test_a_silent_controller_leaves_all_unknown(school: School) -> None:
    school.fleet.break_ap("b1", "ap2", ApFault.POWER)
    school.fleet.set_device("vc1", answers=False)
    await school.poll()
    for ap in ("ap1", "ap2"):
        truth = school.of(ap)
        assert truth.state is ApState.UNKNOWN
        assert truth.unknown is UnknownReason.CONTROLLER_SILENT
        assert truth.works is None
    # What the switch says is shown all the same.
    assert school.of("ap2").end is TrailEnd.NO_POWER
    school.fleet.set_device("vc1", answers=True)
    await school.poll()
    assert school.of("ap1").state is ApState.IN_ORDER


async def alone_school(school: School) -> School:
    """Make the controller the one access point that is planned there."""
    vc1, *others = school.inventory.devices
    alone = replace(vc1, kind=DeviceKind.ACCESS_POINT)
    first, *_ = school.inventory.access_points
    school.take(
        replace(school.inventory, devices=(alone, *others), access_points=(first,))
    )
    await school.poll()
    return school


async def test_an_access_point_without_controller_is_its_own_witness(
    school: School,
) -> None:
    await alone_school(school)
    assert school.of("ap1").state is ApState.IN_ORDER
    school.fleet.set_device("vc1", answers=False)
    await school.poll()
    truth = school.of("ap1")
    assert (truth.state, truth.unknown) == (ApState.UNKNOWN, UnknownReason.AP_SILENT)
    # The switch answers all the time, and says that the port is up.
    await school.poll(after_s=16 * MINUTE_S)
    truth = school.of("ap1")
    assert (truth.state, truth.works) == (ApState.DOWN, False)
    assert truth.end is TrailEnd.NO_ANSWER
    # With the switch silent too it may be anything.
    school.fleet.set_device("sw1", answers=False)
    await school.poll()
    assert school.of("ap1").unknown is UnknownReason.AP_SILENT


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        (ApFault.POWER, TrailEnd.NO_POWER),
        (ApFault.CABLE, TrailEnd.PORT_DOWN),
        (None, TrailEnd.NO_ANSWER),
    ],
)
async def test_one_without_controller_is_alarmed_with_its_trail(
    school: School, fault: ApFault | None, end: TrailEnd
) -> None:
    await alone_school(school)
    engine = Engine(school.store, lambda: school.inventory, Settings(), school.clock)
    engine.run_once()
    school.fleet.set_device("vc1", answers=False)
    school.fleet.break_ap("b1", "ap1", fault)
    for _ in range(2):
        await school.poll()
        engine.run_once()
    # One alarm, as of any access point; where it ends is known at once.
    (incident,) = school.store.alarms.incidents()
    assert (incident.rule, incident.target) == ("ap_down", "ap:ap1")
    truth = decode(incident.evidence).truth
    assert truth is not None
    assert (truth.state, truth.end) == (ApState.DOWN, end)
    assert (school.of("ap1").state, school.of("ap1").end) == (ApState.DOWN, end)
    school.fleet.set_device("vc1", answers=True)
    school.fleet.break_ap("b1", "ap1", None)
    await school.poll()
    engine.run_once()
    assert not school.store.alarms.incidents(open_only=True)
    assert school.of("ap1").works is True


async def test_a_table_that_breaks_off_leaves_the_missing_unknown(
    school: School,
) -> None:
    # The names come, and nobody says any more which of them work.
    school.fleet.agent("vc1").break_below("1.3.6.1.4.1.14823.2.3.3.1.2.1.1")
    await school.poll()
    truth = school.of("ap1")
    assert (truth.state, truth.unknown) == (
        ApState.UNKNOWN,
        UnknownReason.INCOMPLETE,
    )
    # Not that it had not joined: of a list with holes nobody knows.
    said = trail_text(truth, school.inventory, Texts("de"))
    assert said == "Der Controller hat seine Liste nicht vollständig geliefert"


async def test_a_planned_one_that_never_came(school: School) -> None:
    more = (*school.inventory.access_points, point(5, room_id="r1"))
    school.take(replace(school.inventory, access_points=more))
    await school.poll()
    truth = school.of("ap5")
    assert truth.state is ApState.NEVER_SEEN
    assert truth.works is False
    # Its cable ends at a port where nothing draws power.
    school.fleet.set_port("sw1", "Gi1/0/5", oper_up=False)
    await school.poll()
    assert school.of("ap5").end is TrailEnd.NO_POWER


async def test_an_unplanned_one_is_shown_with_its_port(school: School) -> None:
    controller(school).add_ap(NEWCOMER)
    switch(school).attach("Gi1/0/20", Attached("neu", "GS07-NEU"))
    school.fleet.set_port("sw1", "Gi1/0/20", oper_up=True)
    await school.poll(after_s=HOUR_AND_A_HALF_S)
    truth = school.of("vc1/GS07-NEU")
    assert (truth.state, truth.name, truth.works) == (
        ApState.UNPLANNED,
        "GS07-NEU",
        True,
    )
    assert (truth.port, truth.place) == ("Gi1/0/20", PlaceSource.LLDP)
    # It vanishes, and stays on the list until somebody decides.
    controller(school).set_ap("neu", present=False)
    await school.poll(after_s=HOUR_AND_A_HALF_S)
    truth = school.of("vc1/GS07-NEU")
    assert (truth.state, truth.works) == (ApState.UNPLANNED, False)


@pytest.mark.parametrize(
    ("port", "change"),
    [("Gi1/0/2", Change.SAME_PORT), ("Gi1/0/12", Change.SAME_ROOM)],
)
async def test_another_one_in_its_place(
    school: School, port: str, change: Change
) -> None:
    controller(school).set_ap("ap2", present=False)
    controller(school).add_ap(NEWCOMER)
    switch(school).attach("Gi1/0/2", None)
    switch(school).attach(port, Attached("neu", "GS07-NEU"))
    school.fleet.set_port("sw1", port, oper_up=True)
    await school.poll(after_s=HOUR_AND_A_HALF_S)
    truth = school.of("ap2")
    assert (truth.state, truth.change, truth.other) == (
        ApState.REPLACED,
        change,
        "GS07-NEU",
    )
    stranger = school.of("vc1/GS07-NEU")
    assert (stranger.state, stranger.other) == (ApState.UNPLANNED, "GS07-R2")


async def test_no_client_in_the_lessons_of_a_school_week(school: School) -> None:
    for ap in ("ap1", "ap2", "ap3", "ap4"):
        school.fleet.set_ap("b1", ap, clients_count=0 if ap == "ap3" else 4)
    # From Friday on, a weekend between, on each day one poll in the second lesson.
    for _ in range(8):
        await school.poll(after_s=DAY_S)
        empty = {ap for ap, state in states(school).items() if state != "in_order"}
        assert empty == set()  # without a calendar nobody knows lessons
    assert school.of("ap3").state is ApState.NO_CLIENTS
    assert school.of("ap1").state is ApState.IN_ORDER
    said = trail_text(school.of("ap3"), school.inventory, Texts("de"))
    assert said == (
        "In der Unterrichtszeit der letzten 5 Schultage kein einziges Endgerät"
    )
    # One client is enough.
    school.fleet.set_ap("b1", "ap3", clients_count=1)
    await school.poll()
    assert school.of("ap3").state is ApState.IN_ORDER


async def test_too_few_days_say_nothing_of_clients(school: School) -> None:
    school.fleet.set_ap("b1", "ap3", clients_count=0)
    for _ in range(3):
        await school.poll(after_s=DAY_S)
    assert school.of("ap3").state is ApState.IN_ORDER
    assert school.truth(SchoolCalendar()).by_ap["ap3"].silent_days_count is None


async def test_one_leaves_the_list_by_a_decision(school: School) -> None:
    controller(school).set_ap("ap3", present=False)
    await school.poll(after_s=HOUR_AND_A_HALF_S)
    assert school.of("ap3").state is ApState.DOWN
    kept = [ap for ap in school.inventory.access_points if ap.id != "ap3"]
    school.take(replace(school.inventory, access_points=tuple(kept)))
    await school.poll()
    assert [truth.ap for truth in school.truth().points] == ["ap1", "ap2", "ap4"]


async def test_page_api_and_mail_name_the_trail(school: School) -> None:
    engine = Engine(school.store, lambda: school.inventory, Settings(), school.clock)
    engine.run_once()
    faults = {"ap1": ApFault.POWER, "ap2": ApFault.RADIO, "ap3": ApFault.SLOW}
    for ap, fault in faults.items():
        school.fleet.break_ap("b1", ap, fault)
    for _ in range(3):
        await school.poll()
        engine.run_once()
    # An alarm is only for what its controller calls down.
    (incident,) = school.store.alarms.incidents()
    evidence = decode(incident.evidence)
    assert (incident.target, evidence.truth) == ("ap:ap1", school.of("ap1"))
    app = create_app(OPEN_SITE, school.store, school.clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://netmon.test"
        ) as client,
    ):
        told = (await client.get("/api/v1/buildings/b1")).json()
        page = (await client.get("/gebaeude/b1")).text
    found = {ap["id"]: ap["finding"] for ap in told["access_point_list"]}
    assert {ap: (f["state"], f["end"]) for ap, f in found.items()} == {
        "ap1": ("down", "no_power"),
        "ap2": ("down", "radio_off"),
        "ap3": ("slow_port", None),
        "ap4": ("in_order", None),
    }
    assert told["access_point_findings"] == {"in_order": 1, "down": 2, "slow_port": 1}
    assert found["ap1"]["poe_w"] == 0.0
    assert found["ap3"]["port_speed_bps"] == 100e6
    for ap in ("ap1", "ap2", "ap3"):
        assert found[ap]["trail"] in page
    assert 'Ausgefallen: <span class="num">2</span>' in page
    assert "Laut Controller 3 von 4 in Ordnung" in page
    # Of the four two work, each with two radios; the others' were told once.
    assert page.count('class="radio"') == 4
    lan, wlan = told["coverage"]["lan"], told["coverage"]["wlan"]
    assert (wlan["measured"], wlan["covered_count"]) == ("partial", 2)
    assert (wlan["declared"], wlan["contradicts"]) == ("full", True)
    assert (lan["measured"], lan["contradicts"]) == ("full", False)
    assert "Widerspruch" in page


async def test_a_page_whose_findings_are_bad_is_not_green(school: School) -> None:
    """No alarm says so: for its controller an access point without radios is up."""
    engine = Engine(school.store, lambda: school.inventory, Settings(), school.clock)
    school.fleet.break_ap("b1", "ap2", ApFault.RADIO)
    for _ in range(3):
        await school.poll()
        engine.run_once()
    app = create_app(OPEN_SITE, school.store, school.clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://netmon.test"
        ) as client,
    ):
        page = (await client.get("/gebaeude/b1")).text
    heading = page.partition('<h2 id="h-wlan">')[2].partition("</h2>")[0]
    assert "Auffällig" in heading


@pytest.mark.parametrize(
    ("rule", "state"),
    [("no_data", AlarmState.STALE), ("line_down", AlarmState.BAD)],
)
async def test_a_central_controller_misses_all_behind_a_dead_line(
    school: School, rule: str, state: AlarmState
) -> None:
    devices = (
        replace(d, building_id=None) if d.id == "vc1" else d
        for d in school.inventory.devices
    )
    school.take(replace(school.inventory, devices=tuple(devices)))
    for ap in ("ap1", "ap2", "ap3", "ap4"):
        controller(school).set_ap(ap, present=False)
    # Those of other schools are there.
    controller(school).add_ap(NEWCOMER)
    row = StateRow(
        rule=rule,
        target="line:b1-main",
        building_id="b1",
        state=state,
        since_ms=school.now_ms,
        updated_ms=school.now_ms,
        incident_id=None,
        memory=b"{}",
    )
    school.store.alarms.commit(
        [row], [], reader="alerts", position=0, now_ms=school.now_ms
    )
    await school.poll()
    # Its switch answers: so the line carries, and they are really missing.
    assert set(states(school).values()) == {ApState.DOWN}
    school.fleet.set_device("sw1", answers=False)
    await school.poll()
    assert {point.unknown for point in school.truth().points} == {
        UnknownReason.LINE_DOWN
    }


async def test_radios_that_nobody_tells_of_are_not_off(school: School) -> None:
    # After an update the controller has no table of radios any more, and a collector
    # that was restarted does not miss what it has never seen.
    school.fleet.agent("vc1").break_below("1.3.6.1.4.1.14823.2.3.3.1.2.2")
    await school.restart_collector()
    await school.poll(after_s=HOUR_AND_A_HALF_S)
    assert set(states(school).values()) == {ApState.IN_ORDER}
    assert school.of("ap1").radios_on_count is None


async def test_two_that_took_each_others_names(school: School) -> None:
    for ap, number, name in (("ap3", 3, "GS07-R4"), ("ap4", 4, "GS07-R3")):
        controller(school).set_ap(ap, present=False)
        controller(school).add_ap(ApSpec(f"x{ap}", "b1", name, f"CNTEST000{number}"))
    switch(school).attach("Gi1/0/3", Attached("ap3", "GS07-R4"))
    switch(school).attach("Gi1/0/24", Attached("ap4", "GS07-R3"))
    await school.poll(after_s=HOUR_AND_A_HALF_S)
    third, last = school.of("ap3"), school.of("ap4")
    assert (third.change, third.other) == (Change.OTHER_NAME, "GS07-R4")
    assert (third.port, last.port) == ("Gi1/0/3", "Gi1/0/24")


async def test_the_speed_of_a_port_without_a_link_is_not_told(school: School) -> None:
    school.fleet.break_ap("b1", "ap2", ApFault.CABLE)
    await school.poll()
    truth = school.of("ap2")
    assert (truth.port_up, truth.port_speed_bps) == (False, None)


@pytest.mark.parametrize("probe_speaks", [False, True])
async def test_a_line_that_just_died_makes_nobody_down(
    school: School, probe_speaks: bool
) -> None:
    """No alarm of the line yet: only that nothing in the building answers any more."""
    devices = (
        replace(d, building_id=None) if d.id == "vc1" else d
        for d in school.inventory.devices
    )
    school.take(replace(school.inventory, devices=tuple(devices)))
    for ap in ("ap1", "ap2", "ap3", "ap4"):
        controller(school).set_ap(ap, present=False)
    controller(school).add_ap(NEWCOMER)
    school.fleet.set_device("sw1", answers=False)
    await school.poll()
    if probe_speaks:
        # The line carries: it is the switch that is off, and they with it.
        school.hear_probe()
    state = ApState.DOWN if probe_speaks else ApState.UNKNOWN
    assert set(states(school).values()) == {state}
