"""Which of what a router says is about the line, and under which name it travels."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from collectors.decode import Remark, Row, TableResult
from collectors.line_records import KnownLine, fold, line_records
from collectors.records import DeviceResult, Known, to_records
from netmon.model import Device, FailureReason
from tests.city import a_router

AT_MS = 1_700_000_000_000
ROUTER = a_router()


def light(port: str, rx_dbm: float | None, name: str = "") -> Row:
    return Row({"port": port}, {"rx_dbm": rx_dbm}, {"name": name})


def port(index: str, name: str, up: float = 1.0) -> Row:
    return Row({"port": index}, {"oper_up": up}, {"name": name})


def optics(*rows: Row, complete: bool = True) -> TableResult:
    return TableResult("sensor_optics", "optics", rows, complete)


def ports(*rows: Row, complete: bool = True) -> TableResult:
    return TableResult("interfaces", "port", rows, complete)


def radio(part: str, name: str = "", **numbers: float) -> Row:
    return Row({"radio": part}, dict(numbers), {"name": name})


def radios(*rows: Row, complete: bool = True, **more: Any) -> TableResult:
    return TableResult("radios", "radio_link", rows, complete, **more)


def told(
    *tables: TableResult, known: tuple[KnownLine, ...] = (), device: Device = ROUTER
) -> dict[str, float | FailureReason | None]:
    """Return what was recorded: a level or a failure by port or radio."""
    records, _ = line_records(device, tables, AT_MS, known)
    return {
        record.tags.get("port", record.tags.get("radio", "")): record.failure
        or record.values.get("rx_dbm", record.values.get("rx_level_dbm"))
        for record in records
    }


def test_only_a_device_that_ends_a_line_speaks_of_it() -> None:
    tables = (optics(light("1", -8.0)),)
    assert told(*tables) == {"1": -8.0}
    assert told(*tables, device=replace(ROUTER, line_id=None)) == {}


def test_a_port_is_called_as_the_device_calls_it() -> None:
    named = ports(port("1", "Gi0/1"), port("2", "Te1"), port("3", "Te1"))
    rows = (light("1", -8.0), light("2", -7.0), light("3", -6.0))
    assert told(named, optics(*rows)) == {"Gi0/1": -8.0, "2": -7.0, "3": -6.0}


def test_the_inventory_says_which_port_carries_the_line() -> None:
    tables = (
        ports(port("1", "LAN"), port("25", "WAN")),
        optics(light("1", -5.0), light("25", -8.0)),
    )
    for wanted in ("WAN", "wan", "25"):
        assert told(*tables, device=replace(ROUTER, line_port=wanted)) == {"WAN": -8.0}
    assert told(*tables, device=replace(ROUTER, line_port="DSL")) == {}


def test_an_empty_cage_is_no_dark_line() -> None:
    up = ports(port("1", "A"), port("2", "B"))
    dark = ports(port("1", "A"), port("2", "B", up=0.0))
    rows = optics(light("1", -8.0), light("2", -40.0))
    assert told(dark, rows) == {"A": -8.0}
    # The one that carried light before is the line that broke.
    _, known = line_records(ROUTER, (up, rows), AT_MS, ())
    assert told(dark, rows, known=known) == {"A": -8.0, "B": -40.0}
    # Where there is no choice, down is no reason.
    assert told(dark, optics(light("2", -40.0))) == {"B": -40.0}


def test_without_names_nothing_gets_another_name() -> None:
    whole = (ports(port("1", "WAN")), optics(light("1", -8.0)))
    _, known = line_records(ROUTER, whole, AT_MS, ())
    torn = (ports(complete=False), optics(light("1", -8.0)))
    assert told(*torn, known=known) == {"WAN": FailureReason.PARTIAL}
    lost = Remark("lost_column", {"field": "name", "oid": "1.3.6"})
    _, known = line_records(
        ROUTER, (radios(radio("7", "Slot 1", rx_level_dbm=-40.0)),), AT_MS, ()
    )
    table = radios(radio("7", rx_level_dbm=-40.0), remarks=(lost,))
    assert told(table, known=known) == {"Slot 1": FailureReason.PARTIAL}


def test_an_address_never_becomes_a_name() -> None:
    far = radio("120.69.88.1.2.3", rx_level_dbm=-50.0)
    assert told(radios(far)) == {"1": -50.0}


def test_a_link_that_is_down_has_no_capacity() -> None:
    row = radio("1", up=0.0, capacity_down_bps=4e8, tx_power_dbm=20.0)
    (record,), _ = line_records(ROUTER, (radios(row),), AT_MS, ())
    known = {name: v for name, v in record.values.items() if v is not None}
    assert known == {"up": 0.0, "tx_power_dbm": 20.0}


@pytest.mark.parametrize(
    ("level", "snr", "wanted"),
    # What cannot be would have the whole record refused at the door.
    [(-70.0, None, 21.0), (-70.0, 18.0, 18.0), (-1.0, None, None)],
)
def test_level_and_noise_make_a_ratio_where_none_is_told(
    level: float, snr: float | None, wanted: float | None
) -> None:
    numbers = {"rx_level_dbm": level, "noise_dbm": -91.0, "snr_db": snr}
    row = Row({"radio": "1"}, numbers, {})
    (record,), _ = line_records(ROUTER, (radios(row),), AT_MS, ())
    assert record.values["snr_db"] == wanted


def test_what_says_nothing_at_all_is_a_failure() -> None:
    assert told(optics(light("1", None))) == {"1": FailureReason.UNSUPPORTED}


def test_a_pair_of_dsl_lines_stays_a_pair() -> None:
    rows = [
        Row({"port": str(n)}, {"up": 1.0, "rate_down_bps": 5e7 + n}, {}) for n in (1, 2)
    ]
    assert fold(rows) == rows
    table = TableResult("dsl", "dsl", tuple(rows), complete=True)
    records, _ = line_records(ROUTER, (table,), AT_MS, ())
    assert [record.tags["port"] for record in records] == ["1", "2"]


def test_a_device_that_does_not_answer_says_nothing_of_its_line() -> None:
    known = Known(lines=(("line_dsl", {"line": "b1-main"}),))
    result = DeviceResult(AT_MS, 2.0, failure=FailureReason.NO_REPLY)
    records, after = to_records(ROUTER, [], result, known)
    assert [record.kind for record in records] == ["device"]
    assert after == known


def test_a_link_whose_row_went_with_it_is_down_and_comes_back() -> None:
    """A table of other ends (airFiber LTU and 60) has no row without a link."""
    there = radios(radio("2.0.0.0.0.1", up=1.0, rx_level_dbm=-57.0), none_is_down=True)
    gone = radios(none_is_down=True)
    _, known = line_records(ROUTER, [there], AT_MS, ())
    for _ in range(2):
        (record,), known = line_records(ROUTER, [gone], AT_MS, known)
        assert record.tags["radio"] == "1"
        assert {n: v for n, v in record.values.items() if v is not None} == {"up": 0.0}
    (record,), _ = line_records(ROUTER, [there], AT_MS, known)
    assert record.values["up"] == 1.0
    # What did not come whole says nothing, nor does a unit that never had a link.
    torn = radios(complete=False, none_is_down=True)
    assert told(torn, known=known) == {"1": FailureReason.PARTIAL}
    assert told(gone) == {}
