"""Access points and neighbours at ports, as every state store remembers them."""

from __future__ import annotations

from msgspec.structs import replace

from netmon.model import FailureReason
from netmon.storage.ports import Store
from netmon.storage.records import (
    CheckedSeries,
)

from .conftest import NOON_MS, a_batch, a_series, a_source

# --- access points -----------------------------------------------------------


def _ap(seq: int, *, at_ms: int, up: float | None, **info: str) -> CheckedSeries:
    return a_series(
        [seq],
        kind="wlan_ap",
        ts=[at_ms],
        tags={"building": "gs-07", "device": "wlc-1", "ap": "ap-1"},
        values={"up": [up], "clients_count": [None if up is None else 12.0]},
        failure=None if up is not None else [FailureReason.NO_REPLY],
        info=info,
    )


def test_an_access_point_is_as_last_reported(store: Store) -> None:
    source = a_source(store)
    full = {"name": "AP-1.02", "model": "AP-515", "serial": "S1", "firmware": "8.10"}
    store.measurements.write([a_batch(source, _ap(1, at_ms=NOON_MS, up=1.0, **full))])
    (seen,) = store.measurements.access_points()
    assert (seen.building_id, seen.ap, seen.device) == ("gs-07", "ap-1", "wlc-1")
    assert (seen.name, seen.model, seen.serial, seen.firmware) == tuple(full.values())
    assert (seen.up, seen.clients_count) == (True, 12)
    assert seen.first_seen_ms == seen.last_seen_ms == NOON_MS
    later = NOON_MS + 60_000
    store.measurements.write([a_batch(source, _ap(2, at_ms=later, up=0.0, **full))])
    older = _ap(3, at_ms=NOON_MS + 1, up=1.0, **(full | {"firmware": "old"}))
    store.measurements.write([a_batch(source, older)])
    (seen,) = store.measurements.access_points("gs-07")
    assert (seen.up, seen.firmware) == (False, "8.10")
    assert (seen.first_seen_ms, seen.last_seen_ms) == (NOON_MS, later)
    assert store.measurements.access_points("gym-01") == []


def test_an_access_point_that_could_not_be_asked_is_neither_up_nor_down(
    store: Store,
) -> None:
    source = a_source(store)
    store.measurements.write([a_batch(source, _ap(1, at_ms=NOON_MS, up=1.0))])
    store.measurements.write([a_batch(source, _ap(2, at_ms=NOON_MS + 1, up=None))])
    (seen,) = store.measurements.access_points()
    assert (seen.up, seen.clients_count) == (None, None)


def test_what_a_report_does_not_repeat_about_an_access_point_stays(
    store: Store,
) -> None:
    source = a_source(store)
    for seq, info in ((1, {}), (2, {"name": "AP-1.02", "serial": "S1"}), (3, {})):
        report = _ap(seq, at_ms=NOON_MS + seq, up=1.0, **info)
        store.measurements.write([a_batch(source, report)])
        (seen,) = store.measurements.access_points()
        assert seen.name == ("ap-1" if seq == 1 else "AP-1.02")
    assert (seen.serial, seen.model) == ("S1", "")


def test_access_points_come_by_building_and_name(store: Store) -> None:
    source = a_source(store)
    places = [("gym-01", "b"), ("gs-07", "a"), ("gym-01", "a"), ("gs-07", 'ä "1"\n')]
    for seq, (building_id, ap) in enumerate(places, 1):
        told = replace(_ap(seq, at_ms=NOON_MS, up=1.0), building_id=building_id)
        told.tags = {"building": building_id, "device": "wlc-1", "ap": ap}
        # No device has half a client; a number of one must still not hide the rest.
        told.values["clients_count"] = [2.6]
        store.measurements.write([a_batch(source, told)])
    found = store.measurements.access_points()
    assert [(ap.building_id, ap.ap) for ap in found] == sorted(places)
    assert {(ap.clients_count, ap.up, ap.generated) for ap in found} == {
        (3, True, False)
    }
    assert store.measurements.access_points("gym-01") == found[2:]


# --- neighbours at ports -----------------------------------------------------


def _port(seq: int, *, at_ms: int, up: float | None, **info: str) -> CheckedSeries:
    return a_series(
        [seq],
        kind="lan_port",
        ts=[at_ms],
        tags={"building": "gs-07", "device": "sw-1", "port": "Gi1/0/7"},
        values={"oper_up": [up]},
        failure=None if up is not None else [FailureReason.NO_REPLY],
        info=info,
        keep_rollups=False,
    )


def test_what_was_plugged_in_is_remembered(store: Store) -> None:
    source = a_source(store)
    steps = [
        (1.0, {"neighbour": "AP-1.02", "neighbour_chassis": "02:00:00:00:00:01"}),
        (1.0, {"neighbour": "AP-1.02", "neighbour_chassis": "02:00:00:00:00:01"}),
        # What a switch still tells of a port that is down is no news.
        (0.0, {"neighbour": "AP-1.02", "neighbour_chassis": "02:00:00:00:00:01"}),
        (None, {}),
        (1.0, {"neighbour": "AP-NEW"}),
        (1.0, {"name": "Gi1/0/7"}),
    ]
    for seq, (up, info) in enumerate(steps, 1):
        series = _port(seq, at_ms=NOON_MS + seq, up=up, **info)
        store.measurements.write([a_batch(source, series)])
    new, old = store.measurements.neighbours("gs-07")
    assert (new.name, new.chassis, new.device, new.port) == (
        "AP-NEW",
        "",
        "sw-1",
        "Gi1/0/7",
    )
    assert new.first_seen_ms == new.last_seen_ms == NOON_MS + 5
    assert (old.name, old.chassis) == ("AP-1.02", "02:00:00:00:00:01")
    assert (old.first_seen_ms, old.last_seen_ms) == (NOON_MS + 1, NOON_MS + 2)
    assert store.measurements.neighbours("gym-01") == []
