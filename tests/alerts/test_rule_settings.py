"""What counts for a target and why: table, places, contracts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec.structs import replace as with_

from alerts.classes import Audience, Delivery, RuleName, Severity
from alerts.rule_settings import (
    SETTINGS,
    EffectiveRules,
    Kind,
    Origin,
    effective,
    strangers,
)
from alerts.rules import RULES, Scope
from netmon.config import AlertSettings
from netmon.model import Building, Inventory, Line, SchoolType, Technology
from netmon.rule_overrides import FIELDS, Field, RuleOverride
from netmon.units import MBIT

BELOW = RULES["line_below_target"]


def entry(rule: str = "line_below_target", **fields: object) -> RuleOverride:
    return with_(RuleOverride(rule=RuleName(rule), enabled=True), **fields)


def settings(*entries: RuleOverride, **fields: object) -> AlertSettings:
    return with_(AlertSettings(), rules=entries, **fields)


@pytest.fixture
def building(city: Inventory) -> Building:
    return city.buildings[0]


@pytest.fixture
def line(city: Inventory, building: Building) -> Line:
    found = city.main_line(building.id)
    assert found is not None
    return with_(found, contracted_down_bps=250 * MBIT, technology=Technology.VDSL)


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_says_where_each_field_comes_from(
    name: str, building: Building, line: Line
) -> None:
    rule = RULES[name]
    here = line if rule.scope is Scope.LINE else None
    found = effective(rule, building, here, AlertSettings())
    assert found.enabled
    assert found.limits == replace(
        rule.limits(AlertSettings(), here), confirm_of=found.limits.confirm_of
    )
    assert set(found.origins) == set(FIELDS[RuleName(name)])
    assert (found.severity, found.delivery) == (rule.severity, rule.delivery)
    assert found.audiences == rule.audiences
    assert Audience.SERVICE in found.audiences
    assert not any(one.kind is Kind.OVERRIDE for one in found.origins.values())


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_setting_of_a_rule_reaches_it(
    name: str, building: Building, line: Line
) -> None:
    here = line if RULES[name].scope is Scope.LINE else None
    for field, setting in SETTINGS.get(name, {}).items():
        value = getattr(AlertSettings(), setting) + 1
        found = effective(RULES[name], building, here, settings(**{setting: value}))
        got = found.after_s if field is Field.AFTER_S else getattr(found.limits, field)
        assert got == value
        assert found.origins[field] == Origin(Kind.SETTING, setting=f"alerts.{setting}")
        before = effective(RULES[name], building, here, AlertSettings())
        assert before.origins[field].kind is Kind.DEFAULT


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_field_of_a_rule_can_be_changed(
    name: str, building: Building, line: Line
) -> None:
    here = line if RULES[name].scope is Scope.LINE else None
    changed: dict[Field, object] = {
        Field.ENABLED: False,
        Field.RAISE_BELOW: "70 Mbit/s",
        Field.CLEAR_FROM: "75 Mbit/s",
        Field.CONFIRM_COUNT: 5,
        Field.CONFIRM_OF: 9,
        Field.CLEAR_COUNT: 6,
        Field.AFTER_S: 1234.0,
        Field.SEVERITY: Severity.INFO,
        Field.DELIVERY: Delivery.DIGEST,
        Field.AUDIENCES: (Audience.SERVICE, Audience.NOC),
    }
    fields = {str(x): changed[x] for x in FIELDS[RuleName(name)]}
    place = {} if name == "monitor" else {"building": building.id}
    found = effective(
        RULES[name], building, here, settings(entry(name, **place, **fields))
    )
    got = {
        Field.ENABLED: found.enabled,
        Field.RAISE_BELOW: "70 Mbit/s"
        if found.limits.raise_below == 70e6
        else found.limits.raise_below,
        Field.CLEAR_FROM: "75 Mbit/s"
        if found.limits.clear_from == 75e6
        else found.limits.clear_from,
        Field.CONFIRM_COUNT: found.limits.confirm_count,
        Field.CONFIRM_OF: found.limits.confirm_of,
        Field.CLEAR_COUNT: found.limits.clear_count,
        Field.AFTER_S: found.after_s,
        Field.SEVERITY: found.severity,
        Field.DELIVERY: found.delivery,
        Field.AUDIENCES: found.audiences,
    }
    assert {str(x): got[x] for x in FIELDS[RuleName(name)]} == fields
    expected = Origin(Kind.OVERRIDE, entry=0, place=tuple(place.items()))
    assert set(found.origins.values()) == {expected}


def test_a_narrower_place_goes_before_a_wider_one(
    building: Building, line: Line
) -> None:
    wide = (
        entry(confirm_count=7),
        entry(school_type=building.school_type, confirm_count=6, clear_count=6),
        entry(technology=line.technology, confirm_count=5),
        entry(campus_district=building.campus_district, confirm_count=4),
        entry(building=building.id, confirm_count=2),
    )
    counts = []
    for most in range(len(wide), -1, -1):
        found = effective(BELOW, building, line, settings(*wide[:most]))
        counts.append(found.limits.confirm_count)
        # One result more is looked at than has to be bad, whoever says how many.
        assert found.limits.confirm_of == found.limits.confirm_count + 1
    assert counts == [2, 4, 5, 6, 7, 3]
    # What the narrowest does not say a wider one may say.
    all_of_them = effective(BELOW, building, line, settings(*wide))
    assert all_of_them.limits.clear_count == 6
    assert all_of_them.origins[Field.CLEAR_COUNT].place == (
        ("school_type", building.school_type),
    )


def test_an_entry_counts_only_where_all_it_asks_is_so(
    building: Building, line: Line
) -> None:
    there = entry(
        school_type=building.school_type, technology=line.technology, enabled=False
    )
    assert not effective(BELOW, building, line, settings(there)).enabled
    fibre = with_(line, technology=Technology.FIBRE)
    assert effective(BELOW, building, fibre, settings(there)).enabled
    other = next(x for x in SchoolType if x is not building.school_type)
    elsewhere = with_(building, school_type=other)
    assert effective(BELOW, elsewhere, line, settings(there)).enabled
    assert effective(RULES["no_data"], building, line, settings(there)).enabled


@pytest.mark.parametrize(
    ("contract", "fields", "raised", "clear", "bounded"),
    [
        (250, {"raise_below": "80 Mbit/s"}, 80, 84, False),
        (250, {"raise_below": "80 Mbit/s", "clear_from": "90 Mbit/s"}, 80, 90, False),
        (50, {"raise_below": "80 Mbit/s"}, 45, 46, True),
        (50, {"raise_below": "80 Mbit/s", "clear_from": "90 Mbit/s"}, 45, 46, True),
        (250, {"raise_below": "200 Mbit/s"}, 200, 210, False),
        (250, {"raise_below": "240 Mbit/s"}, 225, 230, True),
    ],
)
def test_another_target_is_bounded_by_the_contract(
    building: Building,
    line: Line,
    contract: int,
    fields: dict[str, str],
    raised: float,
    clear: float,
    bounded: bool,
) -> None:
    here = with_(line, contracted_down_bps=contract * MBIT)
    found = effective(BELOW, building, here, settings(entry(**fields)))
    assert found.limits.raise_below == pytest.approx(raised * MBIT)
    assert found.limits.clear_from == pytest.approx(clear * MBIT)
    assert found.origins[Field.RAISE_BELOW].contract is bounded


def test_a_contract_decides_where_it_is_less_than_the_target(
    building: Building, line: Line
) -> None:
    for contract, kind in ((250, Kind.TARGET), (50, Kind.CONTRACT)):
        here = with_(line, contracted_down_bps=contract * MBIT)
        found = effective(BELOW, building, here, AlertSettings())
        assert found.origins[Field.RAISE_BELOW] == Origin(kind)


def test_silence_is_judged_by_its_own_time(building: Building, line: Line) -> None:
    longer = settings(entry("no_data", after_s=7200.0))
    assert (
        effective(RULES["no_data"], building, line, longer).limits.valid_for_s == 7200
    )
    slow = settings(entry("ap_down", after_s=600.0))
    limits = effective(RULES["ap_down"], building, None, slow).limits
    assert limits.confirm_for_s == 600
    assert limits.valid_for_s == RULES["ap_down"].valid_for_s(slow)


def test_each_target_is_worked_out_once_and_off_means_none(city: Inventory) -> None:
    building = city.buildings[0]
    line = city.main_line(building.id)
    off = settings(entry("ap_down", building=building.id, enabled=False))
    rules = EffectiveRules(off, city)
    assert rules.of(BELOW, building.id, line) is rules.of(BELOW, building.id, line)
    assert rules.limits(RULES["ap_down"], building.id, None) is None
    assert rules.limits(RULES["ap_down"], "elsewhere", None) is not None
    assert rules.limits(BELOW, building.id, line) is not None


def test_entries_for_nobody_are_named(city: Inventory) -> None:
    technologies = {line.technology for line in city.lines}
    entries = [
        entry(building="gs-99"),
        entry(campus_district="Campusbezirk 99"),
        entry(),
        entry("ap_down", building=city.buildings[0].id),
        entry(school_type=SchoolType.WEITERBILDUNGSKOLLEG),
        *(entry(technology=x) for x in technologies),
    ]
    found = list(strangers(settings(*entries), city))
    assert [text.partition(": ")[0] for text in found] == [
        f"alerts.rules[{n}] (line_below_target)" for n in (0, 1, 4)
    ]
    assert "no building is called 'gs-99'" in found[0]
    assert list(strangers(settings(*entries), Inventory(buildings=()))) == []
