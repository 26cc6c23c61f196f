"""Access points at another controller than the planned one: as quiet as at their own."""

from __future__ import annotations

from msgspec import structs

from netmon.storage.records import AlarmState

POINTS = 40


def with_standby(found):
    town = found(2, points=POINTS)
    plan = town.inventory
    standby = structs.replace(plan.devices[0], id="wlc2", name="wlc2")
    town.plan(structs.replace(plan, devices=(*plan.devices, standby)))
    town.minutes(10)
    return town


def told(town):
    return [line.partition(" ")[2] for line in town.told()]


def move(town, host: str):
    town.hosts = {ap.id: host for ap in town.inventory.access_points}


def test_a_dead_controller_is_one_alarm_and_its_points_go_on(found):
    town = with_standby(found)
    town.broken = {"wlc"}
    town.minutes(10)
    move(town, "wlc2")
    town.minutes(60)
    assert told(town) == ["device_down device:wlc"]
    # One of them drops out where it is now: what is down elsewhere explains nothing.
    town.broken |= {"gs-00-ap-7"}
    town.minutes(15)
    assert told(town) == ["device_down device:wlc", "ap_down ap:gs-00-ap-7"]
    town.broken = set()
    town.minutes(5)
    move(town, "wlc")
    town.minutes(30)
    assert not town.store.alarms.incidents(open_only=True)
    assert len(town.told()) == 2
    ap = town.held("ap_down", "ap:gs-00-ap-7")
    assert (ap.watched.state, ap.via) == (AlarmState.OK, "")


def test_a_dead_standby_explains_what_it_had(found):
    town = with_standby(found)
    move(town, "wlc2")
    town.minutes(10)
    town.broken = {"wlc2"}
    town.minutes(10)
    # The planned one says that it does not have them; whoever asks it knows no better.
    town.hosts = {}
    town.broken |= {ap.id for ap in town.inventory.access_points}
    town.minutes(40)
    assert told(town) == ["device_down device:wlc2"]
    ap = town.held("ap_down", "ap:gs-01-ap-3")
    assert ap.held_by == ("device_down", "device:wlc2")
    town.broken = set()
    town.minutes(10)
    assert not town.store.alarms.incidents(open_only=True)
    assert len(town.told()) == 1
