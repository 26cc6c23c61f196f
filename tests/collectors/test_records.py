"""What silence means: the records of one poll, case by case."""

from __future__ import annotations

import pytest

from collectors.decode import Row, TableResult
from collectors.matching import match_points
from collectors.records import DeviceResult, Known, to_records
from netmon.metrics import KINDS
from netmon.model import AccessPoint, Device, DeviceKind, FailureReason
from netmon.spool_record import SpoolRecord

AT_MS = 1_700_000_000_000


def device(building: str | None = "b1") -> Device:
    return Device(
        id="vc1",
        building_id=building,
        kind=DeviceKind.CONTROLLER,
        name="vc1",
        address="127.0.0.1:161",
    )


def plan(name: str, serial: str = "", building: str = "b1") -> AccessPoint:
    return AccessPoint(
        id=f"id-{name}",
        building_id=building,
        name=name,
        controller_id="vc1",
        serial=serial,
    )


def point(index: str, name: str, serial: str = "", up: float | None = 1.0) -> Row:
    return Row(
        {"ap": index}, {"up": up, "uptime_s": 60.0}, {"name": name, "serial": serial}
    )


def radio(index: str, number: str, clients: float | None = 3.0) -> Row:
    return Row(
        {"ap": index, "radio": number}, {"channel": 6.0, "clients_count": clients}, {}
    )


def port(index: str, name: str) -> Row:
    return Row({"port": index}, {"oper_up": 1.0}, {"name": name, "alias": ""})


def answered(
    points: TableResult | None = None,
    radios: TableResult | None = None,
    ports: TableResult | None = None,
) -> DeviceResult:
    tables = tuple(table for table in (points, radios, ports) if table is not None)
    return DeviceResult(AT_MS, 0.25, uptime_s=10.0, words={"name": "VC"}, tables=tables)


def points_table(*rows: Row, complete: bool = True) -> TableResult:
    return TableResult("points", "access_point", rows, complete)


def radios_table(*rows: Row, complete: bool = True) -> TableResult:
    return TableResult("radios", "radio", rows, complete)


def ports_table(*rows: Row, complete: bool = True) -> TableResult:
    return TableResult("ports", "port", rows, complete)


def by_point(records: list[SpoolRecord]) -> dict[str, SpoolRecord]:
    return {r.tags["ap"]: r for r in records if r.kind == "wlan_ap"}


def test_a_silent_device_says_nothing_about_its_parts() -> None:
    silent = DeviceResult(AT_MS, 9.0, failure=FailureReason.NO_REPLY, reason="no reply")
    known = Known(radios=({"building": "b1"},), ports=({"building": "b1"},))
    records, after = to_records(device(), [plan("R1")], silent, known)
    assert records == [
        SpoolRecord(
            kind="device",
            tags={"building": "b1", "device": "vc1"},
            ts_ms=AT_MS,
            failure=FailureReason.NO_REPLY,
        )
    ]
    assert after is known


def test_an_answering_device_is_up() -> None:
    (record,), _ = to_records(device(), [], answered(), Known())
    assert record.values == {"up": 1.0, "uptime_s": 10.0, "poll_duration_s": 0.25}
    assert record.info == {"name": "VC"}
    assert record.failure is None


def test_a_planned_point_missing_in_a_whole_table_is_down() -> None:
    result = answered(points_table(point("1", "R1")), radios_table(radio("1", "0")))
    records, _ = to_records(device(), [plan("R1"), plan("R2")], result, Known())
    found = by_point(records)
    assert found["id-R1"].values == {
        "up": 1.0,
        "clients_count": 3.0,
        "uptime_s": 60.0,
        "uplink_speed_bps": None,
    }
    assert found["id-R2"].values == {
        "up": 0.0,
        "clients_count": None,
        "uptime_s": None,
        "uplink_speed_bps": None,
    }
    assert found["id-R2"].failure is None


def test_a_planned_point_missing_in_a_broken_table_is_unknown() -> None:
    result = answered(points_table(point("1", "R1"), complete=False))
    records, _ = to_records(device(), [plan("R1"), plan("R2")], result, Known())
    found = by_point(records)
    assert found["id-R1"].values["up"] == 1.0
    assert found["id-R2"].values == {}
    assert found["id-R2"].failure is FailureReason.PARTIAL


def test_a_point_that_the_controller_calls_down_is_down_without_clients() -> None:
    result = answered(points_table(point("1", "R1", up=0.0)), radios_table())
    records, _ = to_records(device(), [plan("R1")], result, Known())
    assert by_point(records)["id-R1"].values == {
        "up": 0.0,
        "clients_count": None,
        "uptime_s": None,
        "uplink_speed_bps": None,
    }


def test_a_point_of_unknown_state_is_neither_up_nor_down() -> None:
    result = answered(points_table(point("1", "R1", up=None)), radios_table())
    records, _ = to_records(device(), [plan("R1")], result, Known())
    assert by_point(records)["id-R1"].values["up"] is None


@pytest.mark.parametrize(
    "radios",
    [
        None,
        radios_table(complete=False),
        radios_table(radio("1", "0"), complete=False),
        radios_table(radio("1", "0"), radio("1", "1", clients=None)),
        radios_table(radio("2", "0")),
    ],
    ids=["not asked", "failed", "broken off", "one unknown", "none of its own"],
)
def test_clients_are_not_counted_from_half_a_list(radios: TableResult | None) -> None:
    result = answered(points_table(point("1", "R1"), point("2", "R2")), radios)
    records, _ = to_records(device(), [plan("R1")], result, Known())
    assert by_point(records)["id-R1"].values["clients_count"] is None


def test_serial_decides_before_name_and_no_plan_is_given_twice() -> None:
    rows = [point("1", "OLD", "CN1"), point("2", "R1", "CN2"), point("3", "R2", "CN3")]
    planned = [plan("R1", "cn1"), plan("R2")]
    matched = match_points(rows, planned)
    assert {index: ap.id for index, ap in matched.items()} == {
        "1": "id-R1",
        "3": "id-R2",
    }


def test_unplanned_points_are_named_after_the_device_and_stay_apart() -> None:
    rows = [point("1", "R9"), point("2", "R9", "CN2"), point("3", ""), point("4", "")]
    records, _ = to_records(device(), [], answered(points_table(*rows)), Known())
    assert sorted(by_point(records)) == [
        "vc1/AP #2",
        "vc1/AP #3",
        "vc1/CN2",
        "vc1/R9",
    ]


def test_a_controller_of_several_buildings_is_told_in_each() -> None:
    planned = [plan("R1", building="b1"), plan("R2", building="b2")]
    rows = points_table(point("1", "R1"), point("2", "R2"), point("3", "stranger"))
    result = answered(
        rows, radios_table(radio("3", "0")), ports_table(port("1", "eth0"))
    )
    records, _ = to_records(device(None), planned, result, Known())
    said = [(r.kind, r.tags["building"], r.tags.get("ap")) for r in records]
    assert sorted(said, key=str) == [
        ("device", "b1", None),
        ("device", "b2", None),
        ("wlan_ap", "b1", "id-R1"),
        ("wlan_ap", "b2", "id-R2"),
    ]


def test_ports_with_equal_or_no_names_are_told_apart_by_their_index() -> None:
    rows = [port("1", "Gi1"), port("2", "Gi1"), port("3", ""), port("4", "Gi4")]
    records, _ = to_records(device(), [], answered(ports=ports_table(*rows)), Known())
    ports = [r.tags["port"] for r in records if r.kind == "lan_port"]
    assert ports == ["1", "2", "3", "Gi4"]


def test_what_a_broken_table_left_out_becomes_a_failure_of_its_own() -> None:
    whole = answered(
        points_table(point("1", "R1")),
        radios_table(radio("1", "0"), radio("1", "1")),
        ports_table(port("1", "Gi1"), port("2", "Gi2")),
    )
    _, known = to_records(device(), [plan("R1")], whole, Known())
    broken = answered(
        points_table(point("1", "R1")),
        radios_table(radio("1", "0"), complete=False),
        ports_table(complete=False),
    )
    for _ in range(2):
        records, known = to_records(device(), [plan("R1")], broken, known)
        failed = {
            (r.kind, r.tags.get("radio"), r.tags.get("port"))
            for r in records
            if r.failure is FailureReason.PARTIAL
        }
        assert failed == {
            ("wlan_radio", "1", None),
            ("lan_port", None, "Gi1"),
            ("lan_port", None, "Gi2"),
        }
        assert all(r.values == {} for r in records if r.failure)


def test_what_is_gone_from_a_whole_table_is_forgotten() -> None:
    two = answered(ports=ports_table(port("1", "Gi1"), port("2", "Gi2")))
    _, known = to_records(device(), [], two, Known())
    one = answered(ports=ports_table(port("1", "Gi1")))
    records, known = to_records(device(), [], one, known)
    assert [r.tags["port"] for r in records if r.kind == "lan_port"] == ["Gi1"]
    assert len(known.ports) == 1


def test_all_records_are_in_the_catalogue() -> None:
    result = answered(
        points_table(point("1", "R1")),
        radios_table(radio("1", "0")),
        ports_table(port("1", "Gi1")),
    )
    records, _ = to_records(device(), [plan("R1")], result, Known())
    assert {r.kind for r in records} == {"device", "wlan_ap", "wlan_radio", "lan_port"}
    for record in records:
        kind = KINDS[record.kind]
        assert set(record.tags) == set(kind.tags)
        assert set(record.values) == {metric.name for metric in kind.metrics}
