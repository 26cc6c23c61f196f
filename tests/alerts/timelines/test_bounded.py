"""What is only suspected explains its children for a while, not for ever."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from netmon.rule_overrides import RuleOverride
from netmon.storage.records import AlarmState

AP = "ap_down ap:gs-00-ap-1"
SWITCH = "sw-gs-00"


def told(town):
    return [line.partition(" ")[2] for line in town.told()]


@pytest.mark.parametrize("after_minutes", [5, 120])
def test_a_switch_that_refuses_hides_nobody(found, after_minutes):
    town = found(1, points=3)
    town.broken = {f"password {SWITCH}"}
    town.minutes(after_minutes)
    town.broken |= {"gs-00-ap-1"}
    town.minutes(15)
    assert told(town) == [AP]


def test_a_switch_that_forwards_and_does_not_answer_hides_nobody_for_long(found):
    """With SNMP v2c a wrong community is silence: it has its alarm, and works."""
    town = found(1, points=3)
    town.broken = {f"deaf {SWITCH}"}
    town.minutes(120)
    assert told(town) == [f"device_down device:{SWITCH}"]
    town.broken |= {"gs-00-ap-1"}
    town.minutes(15)
    assert told(town) == [f"device_down device:{SWITCH}", AP]


def test_a_dead_switch_explains_those_behind_it_beside_one_that_is_not(found):
    """What is patched to another switch than planned goes on, and is watched."""
    town = found(1, points=3)
    town.elsewhere = {"gs-00-ap-1"}
    town.broken = {SWITCH}
    town.minutes(120)
    assert told(town) == [f"device_down device:{SWITCH}"]
    town.broken |= {"gs-00-ap-1"}
    town.minutes(15)
    assert told(town) == [f"device_down device:{SWITCH}", AP]


def test_a_switch_that_came_back_with_another_password_is_back(found):
    town = found(1, points=3)
    town.broken = {SWITCH}
    town.minutes(40)
    assert told(town) == [f"device_down device:{SWITCH}"]
    town.broken = {f"password {SWITCH}"}
    town.minutes(60)
    town.broken |= {"gs-00-ap-1"}
    town.minutes(15)
    assert told(town) == [f"device_down device:{SWITCH}", AP]
    assert town.store.alarms.incidents(open_only=True)[0].rule == "ap_down"


def test_a_switch_that_answers_every_other_time_hides_nobody_for_long(found):
    town = found(1, points=3)
    town.broken = {"gs-00-ap-1"}
    for _ in range(4):
        for deaf in (set(), {f"deaf {SWITCH}"}):
            town.broken = {"gs-00-ap-1"} | deaf
            town.minutes(5)
    # It may be the switch, until that would have an incident of its own.
    ap = town.held("ap_down", "ap:gs-00-ap-1")
    assert ap.held_by == ("device_down", f"device:{SWITCH}")
    assert told(town) == []
    for deaf in (set(), {f"deaf {SWITCH}"}) * 2:
        town.broken = {"gs-00-ap-1"} | deaf
        town.minutes(5)
    assert told(town) == [AP]
    town.broken = set()
    town.minutes(5)
    assert not town.store.alarms.incidents(open_only=True)


@pytest.mark.parametrize("later", [{"after_s": 3000.0}, {"confirm_count": 20}])
def test_a_dead_switch_is_one_incident_however_long_it_is_only_suspected(found, later):
    """Its incident comes late, by its own settings; the access points wait for it."""
    town = found(1, points=3)
    slow = RuleOverride(rule="device_down", **later)
    alerts = replace(town.settings.alerts, rules=(slow,))
    town.use(replace(town.settings, alerts=alerts))
    town.broken = {SWITCH}
    town.minutes(180)
    assert told(town) == [f"device_down device:{SWITCH}"]


def test_lost_answers_between_refusals_are_no_outage(found):
    town = found(1, points=3)
    for _ in range(8):
        town.broken = {f"deaf {SWITCH}"}
        town.minutes(5)
        town.broken = {f"password {SWITCH}"}
        town.minutes(10)
    assert told(town) == []
    assert town.held("device_down", f"device:{SWITCH}").watched.state is AlarmState.OK
