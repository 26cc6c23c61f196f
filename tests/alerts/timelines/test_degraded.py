"""Access points that work, but badly: told late and quietly, and never when unknown."""

from __future__ import annotations

from msgspec.structs import replace

from alerts.evidence import decode
from netmon.storage.records import AlarmState
from netmon.wlan_verdict import ApClass, ApReason

SLOW, FULL = "ap:gs-00-ap-0", "ap:gs-00-ap-1"


def test_what_lasts_an_hour_is_told_with_its_reason(found):
    town = found(1, points=3)
    town.broken = {"slow gs-00-ap-0", "full gs-00-ap-1"}
    town.minutes(45)
    assert town.told() == []
    town.minutes(25)
    assert sorted(told.partition(" ")[2] for told in town.told()) == [
        f"ap_degraded {SLOW}",
        f"ap_degraded {FULL}",
    ]
    reasons = {}
    for incident in town.store.alarms.incidents():
        verdict = decode(incident.evidence).ap_verdict
        assert verdict is not None
        assert verdict.verdict is ApClass.DEGRADED
        reasons[incident.target] = verdict.reason
    assert reasons == {SLOW: ApReason.SLOW_PORT, FULL: ApReason.CHANNEL_FULL}
    town.broken = set()
    town.minutes(50)
    assert all(incident.ended_ms for incident in town.store.alarms.incidents())


def test_a_channel_that_fills_now_and_then_is_nobodys_business(found):
    town = found(1, points=1)
    for _ in range(6):
        town.broken = {"full gs-00-ap-0"}
        town.minutes(20)
        town.broken = set()
        town.minutes(20)
    assert town.told() == []


def test_one_that_is_gone_is_down_and_not_degraded(found):
    town = found(1, points=2)
    town.broken = {"gs-00-ap-0", "slow gs-00-ap-0"}
    town.minutes(90)
    assert [told.partition(" ")[2] for told in town.told()] == [f"ap_down {SLOW}"]


def test_behind_a_dead_line_nothing_is_said_of_it(found):
    town = found(1, points=3)
    town.broken = {"slow gs-00-ap-0"}
    town.minutes(40)
    town.broken |= {"line gs-00"}
    town.minutes(180)
    rules = {told.split()[1] for told in town.told()}
    assert "ap_degraded" not in rules
    assert "ap_down" not in rules
    assert "line_down" in rules
    assert town.held("ap_degraded", SLOW).watched.state is AlarmState.STALE


def test_one_that_is_planned_and_was_never_there_is_no_outage(found):
    town = found(1, points=2)
    town.broken = {"gs-00-ap-9"}
    plan = town.inventory
    new = replace(plan.access_points[0], id="gs-00-ap-9", name="AP-9")
    town.plan(replace(plan, access_points=(*plan.access_points, new)))
    town.minutes(60)
    assert town.told() == []
    (row,) = (
        r
        for r in town.store.alarms.states(rule="ap_down")
        if r.target == "ap:gs-00-ap-9"
    )
    assert (row.state, row.held_by) == (
        AlarmState.SUSPECT,
        "never_seen ap:gs-00-ap-9",
    )
    town.broken = set()
    town.minutes(10)
    town.broken = {"gs-00-ap-9"}
    town.minutes(15)
    assert [told.partition(" ")[2] for told in town.told()] == ["ap_down ap:gs-00-ap-9"]
