"""What ``[[alerts.rules]]`` says somewhere is what happens there, and as it is printed."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from alerts.rule_settings import effective
from alerts.rules import RULES
from netmon.rule_overrides import RuleOverride


def overridden(town, *entries: RuleOverride):
    alerts = replace(town.settings.alerts, rules=entries)
    town.use(replace(town.settings, alerts=alerts))
    return alerts


def explained_s(town, alerts, rule: str, number: int) -> float | None:
    """Return what is printed for a building: how long it must last."""
    building = town.inventory.buildings[number]
    line = town.inventory.main_line(building.id)
    return effective(RULES[rule], building, line, alerts).after_s


def test_a_line_is_down_after_what_counts_for_its_building(found):
    town = found(2, points=3)
    alerts = overridden(
        town, RuleOverride(rule="line_down", building="gs-00", after_s=1800.0)
    )
    town.broken = {"line gs-00", "line gs-01"}
    town.minutes(60)
    assert [explained_s(town, alerts, "line_down", n) for n in (0, 1)] == [1800, 600]
    assert town.told() == [
        "07:20- line_down line:gs-01-main",
        "07:40- line_down line:gs-00-main",
    ]


def test_who_waits_for_a_patient_rule_waits_as_long(found):
    """No device is told of just because its line is declared dead later than others."""
    town = found(1, points=3)
    overridden(town, RuleOverride(rule="line_down", after_s=4 * 3600.0))
    town.broken = {"line gs-00"}
    town.minutes(260)
    rules = [told.split()[1] for told in town.told()]
    assert rules == ["no_data", "line_down"]


@pytest.mark.parametrize("transit_s", [0, 5])
def test_silence_is_told_after_what_counts_for_its_building(found, transit_s):
    town = found(3)
    town.plan(replace(town.inventory, devices=()))
    alerts = overridden(
        town, RuleOverride(rule="no_data", building="gs-00", after_s=1800.0)
    )
    send = town.arrive

    def arrive(records, **more):
        for record in records:
            record.at_ms -= transit_s * 1000
        send(records, **more)

    town.arrive = arrive
    town.minutes(5)
    town.broken = {"probe gs-00", "probe gs-01"}
    town.minutes(60)
    assert explained_s(town, alerts, "no_data", 0) == 1800
    assert town.told() == ["07:45- no_data line:gs-00-main"]


def test_netmon_is_blind_after_what_counts_for_it(found):
    town = found(8)
    alerts = overridden(town, RuleOverride(rule="monitor", after_s=1200.0))
    town.broken = {"gateway"}
    town.minutes(18)
    assert town.told() == []
    town.minutes(22)
    assert explained_s(town, alerts, "monitor", 0) == 1200
    assert town.told() == ["07:30- monitor netmon:self"]


def test_a_rule_that_is_switched_off_ends_what_it_began(found):
    town = found(2, points=3)
    town.broken = {"gs-00-ap-1", "gs-01-ap-1"}
    town.minutes(20)
    overridden(town, RuleOverride(rule="ap_down", building="gs-00", enabled=False))
    town.minutes(20)
    assert town.told() == [
        "07:20-07:31 ap_down ap:gs-00-ap-1",
        "07:20- ap_down ap:gs-01-ap-1",
    ]


def test_three_of_five_finds_a_router_that_never_fails_three_polls_in_a_row(found):
    town = found(1)
    overridden(
        town,
        RuleOverride(rule="line_flapping", enabled=False),
        RuleOverride(rule="device_down", confirm_count=3, confirm_of=5),
    )
    for _ in range(8):
        town.broken ^= {"line gs-00"}
        town.minutes(4)
    assert town.told() == ["07:35-07:40 device_down device:rt-gs-00"]
