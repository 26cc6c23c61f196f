"""Access points without a controller: their silence is an access point's outage."""

from __future__ import annotations

from msgspec import structs

from alerts.evidence import decode
from netmon.model import DeviceKind
from netmon.storage.records import AlarmState
from netmon.wlan_truth import ApState, TrailEnd

FIRST = "gs-00-ap-0"


def alone(town, *, others: bool = True):
    """Plan the town's access points without their controller."""
    plan = town.inventory
    devices = tuple(
        structs.replace(
            plan.devices[0],
            id=f"dev-{ap.id}",
            building_id=ap.building_id,
            kind=DeviceKind.ACCESS_POINT,
        )
        for ap in plan.access_points
    )
    points = tuple(
        structs.replace(ap, controller_id=device.id)
        for ap, device in zip(plan.access_points, devices, strict=True)
    )
    devices += plan.devices if others else ()
    if not others:
        points = tuple(structs.replace(ap, switch_id=None) for ap in points)
    town.plan(structs.replace(plan, devices=devices, access_points=points))
    town.minutes(10)


def told(town):
    return [line.partition(" ")[2] for line in town.told()]


def test_one_that_falls_silent_is_one_alarm(found):
    town = found(1, points=4)
    alone(town)
    town.at("10:00")
    town.broken = {f"dev-{FIRST}"}
    town.minutes(60)
    assert town.told() == [f"10:10- ap_down ap:{FIRST}"]
    (incident,) = town.store.alarms.incidents()
    truth = decode(incident.evidence).truth
    # No switch of the town tells of its ports.
    assert (truth.state, truth.end) == (ApState.DOWN, TrailEnd.SWITCH_SILENT)
    town.broken = set()
    town.minutes(5)
    assert town.told() == [f"10:10-11:05 ap_down ap:{FIRST}"]
    assert town.mails() == [
        "10:10 alarm cm3+service: ap_down gs-00",
        "11:05 recovery cm3+service: ap_down gs-00",
    ]
    text = town.store.outbox.mails()[-1].text
    assert "antwortet nicht mehr; er hat keinen Controller." in text
    assert "WLAN-Controller" not in text
    rules = {r.rule for r in town.store.alarms.states() if r.target.endswith(FIRST)}
    assert "ap_down" in rules
    assert "device_down" not in rules


def test_several_of_a_building_share_their_mail(found):
    town = found(1, points=4)
    alone(town)
    town.at("10:00")
    town.broken = {f"dev-gs-00-ap-{n}" for n in range(3)}
    town.minutes(30)
    assert told(town) == [f"ap_down ap:gs-00-ap-{n}" for n in (0, 1, 2)]
    assert town.mails() == ["10:10 alarm cm3+service: ap_down gs-00"]


def test_what_is_before_them_explains_them(found):
    town = found(1, points=3)
    alone(town)
    town.broken = {"sw-gs-00"}
    town.minutes(40)
    assert told(town) == ["device_down device:sw-gs-00"]
    # The switch is back, one of them is not.
    town.broken = {f"dev-{FIRST}"}
    town.minutes(25)
    assert told(town) == ["device_down device:sw-gs-00", f"ap_down ap:{FIRST}"]


def test_a_dead_line_is_one_incident_even_where_they_are_all_there_is(found):
    town = found(2, points=3)
    alone(town, others=False)
    town.broken = {"line gs-00"}
    town.minutes(60)
    assert told(town) == ["line_down line:gs-00-main"]
    town.broken = set()
    town.minutes(20)
    assert not town.store.alarms.incidents(open_only=True)
    ap = town.held("ap_down", f"ap:{FIRST}")
    assert ap.watched.state is AlarmState.OK


def test_one_that_refuses_runs(found):
    town = found(1, points=3)
    alone(town)
    town.broken = {f"password dev-{FIRST}"}
    town.minutes(60)
    assert told(town) == []


def test_an_incident_of_its_device_from_before_ends(found):
    """Which of them it was told as is a matter of the version that told it."""
    town = found(1, points=3)
    device = structs.replace(
        town.inventory.devices[0],
        id=f"dev-{FIRST}",
        building_id="gs-00",
        kind=DeviceKind.ACCESS_POINT,
    )
    plan = town.inventory
    town.plan(structs.replace(plan, devices=(*plan.devices, device)))
    town.broken = {device.id}
    town.minutes(20)
    assert told(town) == [f"device_down device:{device.id}"]
    first, *others = plan.access_points
    points = (structs.replace(first, controller_id=device.id), *others)
    devices = (*plan.devices, device)
    town.plan(structs.replace(plan, devices=devices, access_points=points))
    town.minutes(20)
    assert [i.rule for i in town.store.alarms.incidents(open_only=True)] == ["ap_down"]
