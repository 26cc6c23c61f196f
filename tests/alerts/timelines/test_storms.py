"""What depends on what: one cause is one incident, whatever else is dark."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec import structs

from alerts.evidence import decode
from netmon.storage.records import AlarmState


def test_a_dead_line_is_one_incident_whatever_stands_behind_it(found):
    town = found(2, points=40)
    town.broken = {"line gs-00"}
    town.minutes(60)
    assert town.told() == ["07:20- line_down line:gs-00-main"]
    ap = town.held("ap_down", "ap:gs-00-ap-7")
    assert ap.watched.state is AlarmState.SUSPECT
    assert ap.held_by == ("line_down", "line:gs-00-main")
    router = town.held("device_down", "device:rt-gs-00")
    assert router.held_by == ("line_down", "line:gs-00-main")
    switch = town.held("device_down", "device:sw-gs-00")
    assert switch.held_by == ("line_down", "line:gs-00-main")
    town.broken.clear()
    town.minutes(20)
    assert town.told() == ["07:20-08:11 line_down line:gs-00-main"]
    assert town.mails() == [
        "07:21 alarm cm3+noc+service: line_down gs-00",
        "08:11 recovery cm3+noc+service: line_down gs-00",
    ]
    assert town.held("ap_down", "ap:gs-00-ap-7").watched.state is AlarmState.OK


def test_a_power_cut_of_a_district_is_one_incident_a_building(found):
    town = found(20, points=3)
    dark = [f"gs-{n:02}" for n in range(4)]
    town.broken = {f"power {id_}" for id_ in dark}
    town.minutes(45)
    assert town.told() == [f"07:20- line_down line:{id_}-main" for id_ in dark]
    town.broken.clear()
    town.minutes(15)
    assert town.told() == [f"07:20-07:56 line_down line:{id_}-main" for id_ in dark]
    # One mail for the Campusbezirk, not one a building.
    assert town.mails() == [
        "07:21 alarm cm3+noc+service: line_down gs-00",
        "07:56 recovery cm3+noc+service: line_down gs-00",
    ]


def test_an_unplugged_probe_is_not_measured_but_no_dead_line(found):
    town = found(2, points=3)
    town.broken = {"probe gs-00"}
    town.minutes(200)
    assert town.told() == ["10:10- no_data line:gs-00-main"]


def test_a_dead_switch_explains_its_access_points(found):
    town = found(1, points=3)
    town.broken = {"sw-gs-00"}
    town.minutes(40)
    assert town.told() == ["07:25- device_down device:sw-gs-00"]
    # The switch is back, one access point is not: told once it was measured again.
    town.broken = {"gs-00-ap-1"}
    town.minutes(4)
    assert len(town.told()) == 1
    town.minutes(11)
    assert town.told() == [
        "07:25-07:55 device_down device:sw-gs-00",
        "08:00- ap_down ap:gs-00-ap-1",
    ]


def test_a_dead_router_explains_the_switch_behind_it(found):
    town = found(1, points=2)
    town.broken = {"rt-gs-00"}
    town.minutes(40)
    assert town.told() == ["07:25- device_down device:rt-gs-00"]
    town.broken.clear()
    town.minutes(10)
    assert town.told() == ["07:25-07:55 device_down device:rt-gs-00"]


def test_a_dead_router_explains_access_points_at_no_known_switch(found):
    town = found(1, points=3)
    points = tuple(
        structs.replace(ap, switch_id=None) for ap in town.inventory.access_points
    )
    town.plan(structs.replace(town.inventory, access_points=points))
    town.minutes(5)
    town.broken = {"rt-gs-00"}
    town.minutes(40)
    assert town.told() == ["07:30- device_down device:rt-gs-00"]
    town.broken.clear()
    town.minutes(20)
    assert town.told() == ["07:30-08:00 device_down device:rt-gs-00"]


def test_recovery_in_the_wrong_order_raises_nothing(found):
    """The line is back, what stands behind it boots for longer than N polls."""
    town = found(1, points=6)
    town.broken = {"line gs-00", "sw-gs-00"}
    town.minutes(60)
    town.broken = {"sw-gs-00"}
    town.minutes(9)
    assert town.told() == ["07:20-08:11 line_down line:gs-00-main"]
    town.broken.clear()
    town.minutes(30)
    assert town.told() == ["07:20-08:11 line_down line:gs-00-main"]
    assert town.mails() == [
        "07:21 alarm cm3+noc+service: line_down gs-00",
        "08:11 recovery cm3+noc+service: line_down gs-00",
    ]


def test_access_points_alone_are_told_of(found):
    town = found(1, points=5)
    town.broken = {"gs-00-ap-1", "gs-00-ap-3"}
    town.minutes(15)
    town.broken = {"gs-00-ap-3"}
    town.minutes(10)
    assert town.told() == [
        "07:20-07:30 ap_down ap:gs-00-ap-1",
        "07:20- ap_down ap:gs-00-ap-3",
    ]


def test_a_controller_that_restarts_explains_nothing_that_was_gone_before(found):
    town = found(1, points=4)
    town.broken = {"gs-00-ap-1"}
    town.minutes(20)
    town.broken |= {"wlc"}
    town.minutes(25)
    town.broken = {"gs-00-ap-1", "gs-00-ap-2"}
    town.minutes(20)
    town.broken = set()
    town.minutes(10)
    assert town.told() == [
        "07:20-08:20 ap_down ap:gs-00-ap-1",
        "07:45-08:00 device_down device:wlc",
        "08:05-08:20 ap_down ap:gs-00-ap-2",
    ]


def test_an_access_point_that_moves_while_it_is_down_depends_on_its_new_place(found):
    town = found(2, points=3)
    town.broken = {"gs-00-ap-1"}
    town.minutes(20)
    points = tuple(
        structs.replace(ap, building_id="gs-01", switch_id="sw-gs-01")
        if ap.id == "gs-00-ap-1"
        else ap
        for ap in town.inventory.access_points
    )
    town.plan(structs.replace(town.inventory, access_points=points))
    town.minutes(10)
    town.broken = {"sw-gs-00"}
    town.minutes(25)
    town.broken = {"sw-gs-01"}
    town.minutes(30)
    assert town.told() == [
        "07:20-07:45 ap_down ap:gs-00-ap-1",
        "07:55-08:10 device_down device:sw-gs-00",
        "08:20- device_down device:sw-gs-01",
    ]
    moved = town.held("ap_down", "ap:gs-00-ap-1")
    assert moved.held_by == ("device_down", "device:sw-gs-01")


def test_an_incident_that_was_there_before_its_parent_fell_ends_on_its_own(found):
    town = found(1, points=4)
    town.broken = {"gs-00-ap-1"}
    town.minutes(15)
    town.broken = {"gs-00-ap-1", "sw-gs-00"}
    town.minutes(30)
    town.broken = set()
    town.minutes(10)
    assert town.told() == [
        "07:20-08:00 ap_down ap:gs-00-ap-1",
        "07:40-08:00 device_down device:sw-gs-00",
    ]


def test_who_catches_up_tells_of_nothing_that_is_long_over(found, monkeypatch):
    """The alarm process was down for a day; it needs several evaluations for that."""
    town = found(1, points=4)
    town.unwatched = True
    town.broken = {"gs-00-ap-1"}
    town.minutes(240)
    town.broken = {"gs-00-ap-2"}
    town.minutes(60)
    monkeypatch.setattr("alerts.engine.STEPS_AN_EVALUATION", 1)
    monkeypatch.setattr("alerts.engine.RECORDS_A_STEP", 200)
    town.unwatched = False
    for _ in range(30):
        town.evaluate()
    assert town.told() == [
        "07:20-11:15 ap_down ap:gs-00-ap-1",
        "11:20- ap_down ap:gs-00-ap-2",
    ]
    assert town.mails() == ["12:10 alarm cm3+service: ap_down gs-00"]


@pytest.mark.parametrize("watched", [True, False])
def test_the_gateways_own_outage_is_one_incident_about_itself(found, watched):
    town = found(8, points=2)
    town.unwatched = not watched
    town.broken = {"gateway"}
    town.minutes(240)
    # Power failed in one building meanwhile.
    town.broken = {"power gs-03"}
    town.minutes(30)
    town.unwatched = False
    town.evaluate()
    opened, *others = town.told()
    assert opened == "07:15-11:11 monitor netmon:self"
    assert others == ["11:21- line_down line:gs-03-main"]
    incident = town.store.alarms.incidents()[-1]
    evidence = decode(incident.evidence)
    assert incident.building_id == ""
    assert (evidence.silent_count, evidence.speaking_count) == (8, 8)


def test_netmons_own_uplink_is_one_incident_though_the_collector_speaks(found):
    town = found(8, points=2)
    town.broken = {"uplink"}
    town.minutes(240)
    assert town.told() == ["07:15- monitor netmon:self"]
    town.broken.clear()
    town.minutes(30)
    assert town.told() == ["07:15-11:11 monitor netmon:self"]
    assert town.mails() == [
        "07:16 alarm noc+service: monitor",
        "11:11 recovery noc+service: monitor",
    ]


def test_a_contract_below_the_target_is_told_of_until_the_inventory_is_better(found):
    town = found(2)
    line = structs.replace(town.inventory.lines[0], contracted_down_bps=50_000_000)
    slow = structs.replace(town.inventory, lines=(line, *town.inventory.lines[1:]))
    fast = town.inventory
    town.plan(slow)
    town.minutes(5)
    assert town.told() == ["07:11- below_by_contract line:gs-00-main"]
    town.plan(fast)
    town.minutes(5)
    assert town.told() == ["07:11-07:16 below_by_contract line:gs-00-main"]


@pytest.mark.parametrize(
    ("start", "told"),
    [
        # 2026-03-29: 2 o'clock is 3; 2026-10-25: 3 o'clock is 2.
        (datetime(2026, 3, 28, 23, 50, tzinfo=UTC), "05:00"),
        (datetime(2026, 10, 24, 23, 50, tzinfo=UTC), "04:00"),
    ],
)
def test_three_hours_are_three_hours_when_clocks_change(found, start, told):
    town = found(1, start=start)
    town.broken = {"probe gs-00"}
    town.minutes(200)
    assert town.told() == [f"{told}- no_data line:gs-00-main"]
    # It is Sunday: told by the digest of the next school morning.
    assert town.mails() == []


def test_who_waits_for_what_left_the_inventory_waits_no_more(found):
    town = found(1, points=3)
    town.broken = {"sw-gs-00", "gs-00-ap-1"}
    town.minutes(40)
    devices = tuple(d for d in town.inventory.devices if d.id != "sw-gs-00")
    points = tuple(
        structs.replace(ap, switch_id=None) for ap in town.inventory.access_points
    )
    newer = structs.replace(town.inventory, devices=devices, access_points=points)
    town.plan(newer)
    town.broken = {"gs-00-ap-1"}
    town.minutes(15)
    assert town.told() == [
        "07:25-07:51 device_down device:sw-gs-00",
        "08:00- ap_down ap:gs-00-ap-1",
    ]
