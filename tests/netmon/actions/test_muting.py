"""What waits because of a window or silence, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from netmon.actions import Muted, MutedBy, Muting, muting
from netmon.actions.checks import parse_matcher
from netmon.alarm_classes import RuleName, Severity
from netmon.model import (
    Building,
    Coverage,
    Inventory,
    Line,
    LineRole,
    SchoolType,
    Technology,
)
from netmon.rule_overrides import RuleOverride
from netmon.storage.action_records import (
    Maintenance,
    MaintenanceScope,
    OneOff,
    Silence,
)
from netmon.storage.records import Incident


def _building(name: str, district: str) -> Building:
    return Building(
        id=name,
        name=name,
        school_type=SchoolType.GRUNDSCHULE,
        street="Weg 1",
        postcode="44319",
        city="Dortmund",
        campus_district=district,
        city_district="Brackel",
        latitude_deg=51.5,
        longitude_deg=7.6,
        lan=Coverage.FULL,
        wlan=Coverage.FULL,
    )


def _line(name: str, building: str, role: LineRole, provider: str) -> Line:
    return Line(
        id=name,
        building_id=building,
        role=role,
        technology=Technology.FIBRE,
        contracted_down_bps=10**9,
        contracted_up_bps=10**9,
        provider=provider,
    )


INVENTORY = Inventory(
    buildings=(_building("b1", "Campusbezirk 1"), _building("b2", "Campusbezirk 2")),
    lines=(
        _line("b1-backup", "b1", LineRole.BACKUP, "DSL West"),
        _line("b1-main", "b1", LineRole.MAIN, "DOKOM21"),
    ),
)


def incident(
    target: str = "line:b1-main", building: str = "b1", **more: Any
) -> Incident:
    fields: dict[str, Any] = {"rule": "line_down", "evidence": b"{}"}
    return Incident(
        id=1,
        target=target,
        building_id=building,
        started_ms=0,
        ended_ms=None,
        **fields | more,
    )


def window(scope: str, value: str, ends_ms: int = 100, number: int = 1) -> Maintenance:
    return Maintenance(
        id=number,
        scope=MaintenanceScope(scope),
        value=value,
        when=OneOff(starts_ms=10, ends_ms=ends_ms),
        ends_ms=ends_ms,
        reason="Umbau",
        author="anna",
        created_ms=0,
    )


def silence(*matchers: str, ends_ms: int = 100, number: int = 1) -> Silence:
    return Silence(
        id=number,
        matchers=tuple(parse_matcher(text) for text in matchers),
        starts_ms=10,
        ends_ms=ends_ms,
        reason="bekannt",
        author="bert",
        created_ms=0,
    )


def waits(
    one: Incident,
    windows: Sequence[Maintenance] = (),
    silences: Sequence[Silence] = (),
    now_ms: int = 50,
    severity: str | None = None,
) -> Muted | None:
    return muting(one, INVENTORY, windows, silences, now_ms, severity=severity)


@pytest.mark.parametrize(
    ("scope", "value", "mutes"),
    [
        ("building", "b1", True),
        ("building", "b2", False),
        ("campus_district", "Campusbezirk 1", True),
        ("campus_district", "Campusbezirk 2", False),
        ("provider", "DOKOM21", True),
        ("provider", "DSL West", False),
    ],
)
def test_a_window_mutes_its_place_or_provider(scope, value, mutes):
    found = waits(incident(), [window(scope, value)])
    expected = Muted(
        by=MutedBy.MAINTENANCE, id=1, reason="Umbau", author="anna", until_ms=100
    )
    assert found == (expected if mutes else None)


def test_the_provider_is_that_of_the_line_or_else_of_the_buildings_main_line():
    west, dokom = window("provider", "DSL West"), window("provider", "DOKOM21")
    backup = incident("line:b1-backup")
    assert waits(backup, [west])
    assert not waits(backup, [dokom])
    device = incident("device:b1-sw", rule="device_down")
    assert waits(device, [dokom])
    assert not waits(device, [west])


@pytest.mark.parametrize(
    ("matchers", "mutes"),
    [
        (["rule=line_down"], True),
        (["rule!=line_down"], False),
        (["rule=line_down", "building=b2"], False),
        (["rule=line_down", "building!=b2"], True),
        (["severity=critical"], True),
        (["severity!=critical"], False),
        (["target=line:b1-main", "provider=DOKOM21"], True),
        (["campus_district!=Campusbezirk 1"], False),
    ],
)
def test_a_silence_mutes_where_all_matchers_hold(matchers, mutes):
    found = waits(incident(), silences=[silence(*matchers)], severity="critical")
    assert (found is not None) is mutes
    if found is not None:
        assert (found.by, found.until_ms) == (MutedBy.SILENCE, 100)


@pytest.mark.parametrize("operator", ["=", "!="])
@pytest.mark.parametrize(
    "field", ["building", "campus_district", "provider", "severity"]
)
def test_what_is_not_known_matches_nothing(field, operator):
    own = incident("netmon:self", "", rule="of tomorrow")
    assert not waits(own, silences=[silence(f"{field}{operator}x")])


def test_the_severity_is_that_of_the_evidence_unless_it_is_given():
    told = incident(evidence=b'{"severity": "minor", "more": 1}')
    minor = silence("severity=minor")
    assert waits(told, silences=[minor])
    assert not waits(told, silences=[minor], severity="major")
    assert not waits(incident(evidence=b"no json"), silences=[minor])
    assert waits(incident(rule="ap_down"), silences=[minor])


def test_what_lasts_longest_counts():
    windows = [window("building", "b1", 60, 1), window("provider", "DOKOM21", 90, 2)]
    silences = [silence("building=b1", ends_ms=80)]
    found = waits(incident(), windows, silences)
    assert found is not None
    assert (found.by, found.id, found.until_ms) == (MutedBy.MAINTENANCE, 2, 90)
    later = waits(incident(), windows, [silence("building=b1", ends_ms=95)])
    assert later is not None
    assert later.by is MutedBy.SILENCE


def test_nothing_waits_outside_its_time():
    both = [window("building", "b1")], [silence("building=b1")]
    assert [bool(waits(incident(), *both, at)) for at in (9, 10, 99, 100)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_silence_by_severity_knows_how_bad_it_is_in_that_place():
    one = incident()
    milder = RuleOverride(
        rule=RuleName(one.rule), building="b1", severity=Severity.INFO
    )
    quiet = [silence("severity=info")]
    assert Muting([], quiet, 50).of(one, INVENTORY) is None
    assert Muting([], quiet, 50, (milder,)).of(one, INVENTORY) is not None


def test_a_building_is_in_maintenance_but_never_silenced():
    now = Muting([window("provider", "DOKOM21")], [silence("building=b2")], 50)
    found = now.of_building("b1", INVENTORY)
    assert found is not None
    assert found.by is MutedBy.MAINTENANCE
    assert now.of_building("b2", INVENTORY) is None
    assert now.of_building("unknown", INVENTORY) is None
