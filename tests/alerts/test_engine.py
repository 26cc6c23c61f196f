"""The engine on a real store: steps, restarts, what it knows of targets."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from alerts import engine as engine_module
from alerts.evidence import Evidence, decode
from netmon.inventory import content_hash, encode
from netmon.line_verdict import ReasonCode, VerdictClass
from netmon.model import Device, DeviceKind, FailureReason, Inventory
from netmon.storage.records import (
    AlarmState,
)
from netmon.storage.sqlite import SqliteStore
from tests.alerts.site import Site


def test_idle_means_idle(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = site.engine()
    site.lines(240)
    site.aps({"gs-07-ap-1": 1.0})
    engine.run_once()

    def never(*args: object, **kwargs: object) -> Any:
        raise AssertionError("an idle evaluation writes and reads no states")

    monkeypatch.setattr(site.store.measurements, "chunks_after", never)
    monkeypatch.setattr(site.store.alarms, "commit", never)
    monkeypatch.setattr(site.store.alarms, "states", never)
    site.clock.advance(60)
    evaluation = engine.run_once()
    assert evaluation.records == 0
    assert evaluation.caught_up


def test_what_no_rule_reads_only_moves_the_cursor(site: Site) -> None:
    engine = site.engine()
    site.ports()
    assert engine.run_once().records == 0
    assert site.store.cursors.get("alerts").position == 1
    assert site.store.alarms.states() == []


def test_small_steps_decide_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "RECORDS_A_STEP", 1)
    monkeypatch.setattr(engine_module, "STEPS_AN_EVALUATION", 4)
    for mbits in (240, 10, 10, 240, 10, 10):
        site.clock.advance(60)
        site.lines(mbits)
    engine = site.engine()
    first = engine.run_once()
    assert not first.caught_up
    assert first.records == 4
    second = engine.run_once()
    assert second.caught_up
    found = site.store.alarms.transitions_of("line:gs-07-main")
    states = [t.to_state for t in found if t.rule == "line_below_target"]
    assert " ".join(reversed(states)) == "ok suspect bad ok suspect bad"


def test_two_engines_one_after_the_other_see_each_others_work(site: Site) -> None:
    first, second = site.engine(), site.engine()
    site.lines(240)
    first.run_once()
    site.lines(10)
    second.run_once()
    site.lines(10)
    first.run_once()
    assert len(site.store.alarms.incidents()) == 1
    second.run_once()
    assert len(site.store.alarms.incidents()) == 1


def test_access_points_are_known_by_their_planned_id_or_not_at_all(site: Site) -> None:
    engine = site.engine()
    for up in (1.0, 0.0, 0.0):
        site.aps({"gs-07-ap-1": up})
        # Name and serial number of a plan: matching them is the collectors' work.
        site.aps({"wlc-07/Aula": up}, {"name": "AP-02", "serial": "CN2"})
        site.aps({"wlc-07/AP/1:2": up}, {"name": "AP/1:2"})
        site.aps({"wlc-07/CN9": up})
        engine.run_once()
        site.clock.advance(60)
    found = {i.target: decode(i.evidence) for i in site.store.alarms.incidents()}
    assert {target: _named(evidence) for target, evidence in found.items()} == {
        "ap:gs-07-ap-1": ("gs-07-ap-1", "AP-01", "r112", "wlc-gs-07"),
        "ap:wlc-07/Aula": ("wlc-07/Aula", "AP-02", "", "wlc-gs-07"),
        "ap:wlc-07/AP/1:2": ("wlc-07/AP/1:2", "AP/1:2", "", "wlc-gs-07"),
        "ap:wlc-07/CN9": ("wlc-07/CN9", "wlc-07/CN9", "", "wlc-gs-07"),
    }


def _named(evidence: Evidence) -> tuple[str, str, str, str]:
    return (
        evidence.ap,
        evidence.ap_name,
        evidence.room,
        evidence.controller_name,
    )


def test_an_access_point_that_moved_takes_its_state_along(
    site: Site, city: Inventory
) -> None:
    other = structs.replace(city.buildings[0], id="gs-08", name="Grundschule 08 (Demo)")
    both = structs.replace(city, buildings=(*city.buildings, other))
    site.store.inventories.save(content_hash(both), encode(both), 1)
    engine = site.engine()
    site.aps({"gs-07-ap-1": 1.0})
    engine.run_once()
    for _ in range(2):
        site.clock.advance(60)
        site.aps({"gs-07-ap-1": 0.0}, building="gs-08")
        engine.run_once()
    (row,) = site.store.alarms.states()
    assert (row.target, row.building_id) == ("ap:gs-07-ap-1", "gs-08")
    (incident,) = site.store.alarms.incidents()
    assert incident.building_id == "gs-08"


def test_an_unplanned_access_point_that_vanished_is_dropped_with_the_next_import(
    site: Site, city: Inventory
) -> None:
    engine = site.engine()
    site.aps({"gs-07-ap-1": 1.0, "wlc-07/fremd": 1.0})
    site.clock.advance(60)
    for _ in range(2):
        site.aps({"gs-07-ap-1": 0.0, "wlc-07/fremd": 0.0})
        engine.run_once()
        site.clock.advance(60)
    site.clock.advance(3600)
    engine.run_once()
    assert len(site.store.alarms.incidents(open_only=True)) == 2
    newer = Inventory(
        buildings=city.buildings,
        lines=city.lines,
        devices=city.devices,
        access_points=city.access_points,
    )
    site.store.inventories.save(content_hash(newer), encode(newer), 1)
    engine.run_once()
    (still,) = site.store.alarms.incidents(open_only=True)
    assert still.target == "ap:gs-07-ap-1"
    (row,) = [r for r in site.store.alarms.states() if r.target == "ap:wlc-07/fremd"]
    assert row.state is AlarmState.UNKNOWN


def test_a_failure_among_numbers_is_in_the_evidence(site: Site) -> None:
    engine = site.engine()
    site.lines(10)
    series = site._series(
        "throughput",
        {"line": "gs-07-main", "method": "tcp"},
        {"rate_down_bps": [None]},
        {},
    )
    series.failure = [FailureReason.BUSY]
    site._write([series])
    site.lines(20)
    engine.run_once()
    (incident,) = site.store.alarms.incidents()
    evidence = decode(incident.evidence)
    assert [r.value for r in evidence.results] == [10e6, None, 20e6]
    assert evidence.failure is FailureReason.BUSY
    assert evidence.measured_bps == 20e6


MODEM = Device(
    id="rt-07",
    building_id="gs-07",
    kind=DeviceKind.ROUTER,
    name="rt-07",
    address="192.0.2.8:161",
    line_id="gs-07-main",
)


@pytest.mark.parametrize("has_modem", [True, False])
def test_an_alarm_keeps_how_the_line_itself_was(
    store: SqliteStore, city: Inventory, has_modem: bool
) -> None:
    devices = (*city.devices, MODEM) if has_modem else city.devices
    site = Site(store, structs.replace(city, devices=devices))
    engine = site.engine()
    site.lines(240)
    site.modem(rate_down_bps=250e6)
    engine.run_once()
    for _ in range(2):
        site.clock.advance(60)
        site.modem(rate_down_bps=45e6)
        site.lines(43)
        engine.run_once()
    (incident,) = store.alarms.incidents(open_only=True)
    medium = decode(incident.evidence).medium
    # Only what the inventory calls the line's device may speak for it.
    assert (medium is not None) is has_modem
    if medium is not None:
        assert [finding.code for finding in medium.findings] == ["dsl_rate_low"]
    verdict = decode(incident.evidence).verdict
    assert verdict is not None
    assert verdict.verdict is VerdictClass.BELOW_TARGET
    first = verdict.reasons[0]
    assert first.code is (ReasonCode.BELOW_MEDIUM if has_modem else ReasonCode.BELOW)
    assert first.numbers == {"rate_bps": 43e6, "contracted_bps": 250e6}
    site.clock.advance(60)
    site.lines(240)
    engine.run_once()
    assert store.alarms.incidents(open_only=True) == []
    last = store.alarms.transitions_of("line:gs-07-main")[0]
    assert decode(last.evidence).medium is None
    assert decode(last.evidence).verdict is None


def test_a_silent_line_keeps_its_last_number_and_the_guilty_segment(
    store: SqliteStore, city: Inventory
) -> None:
    site = Site(store, city)
    engine = site.engine()
    site.lines(240)
    engine.run_once()
    site.clock.advance(3 * 3600 + 1)
    site.way("gateway", 0.001)
    site.way("provider", FailureReason.NO_REPLY)
    engine.run_once()
    incidents = store.alarms.incidents(open_only=True)
    (silent,) = (i for i in incidents if i.target == "line:gs-07-main")
    verdict = decode(silent.evidence).verdict
    assert verdict is not None
    assert verdict.verdict is VerdictClass.NOT_MEASURED
    assert verdict.reasons[0].code is ReasonCode.UNMEASURED_PATH
    assert ReasonCode.MEASURED in {reason.code for reason in verdict.reasons}
