"""Light by sensors of no known family: units, places, and what stays unsaid."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from collectors.decode import Row
from collectors.line_records import line_records
from collectors.optics import optics_of, sensor_dbm
from collectors.records import DeviceResult
from collectors.values import dbm_of_milliwatt
from netmon.model import FailureReason
from tests.city import a_router

Ask = Callable[..., Awaitable[DeviceResult]]
SENSOR = "1.3.6.1.2.1.99.1.1.1"
CISCO = "1.3.6.1.4.1.9.9.91.1.1.1.1"
ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
ALIAS = "1.3.6.1.2.1.47.1.3.2.1.2"
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"
WATTS, DBM, MILLI, MICRO, NANO, UNITS = 6, 14, 8, 7, 6, 9


def sensor(value: int, kind: int, scale: int = UNITS, precision: int = 0) -> Row:
    numbers: dict[str, float | None] = {
        "type": kind,
        "scale": scale,
        "precision": precision,
        "value": value,
        "status": 1,
    }
    return Row({"entity": "1"}, numbers, {})


@pytest.mark.parametrize(
    ("row", "power_dbm"),
    [
        (sensor(-64, DBM, UNITS, 1), -6.4),
        (sensor(-23980, DBM, MILLI), -23.98),
        (sensor(-2398, DBM, MILLI, -1), -23.98),
        (sensor(-5, DBM), -5.0),
        (sensor(500, WATTS, MICRO), -3.01),
        (sensor(5308, WATTS, MILLI, 4), -2.75),
        (sensor(250_000, WATTS, NANO), -6.02),
        (sensor(0, WATTS, MICRO), -40.0),
        # Less than nothing is no power; volts and degrees are no light.
        (sensor(-3, WATTS, MICRO), None),
        (sensor(33, 8), None),
        (sensor(3, 4), None),
    ],
)
def test_a_power_in_whatever_unit_becomes_dbm(
    row: Row, power_dbm: float | None
) -> None:
    assert sensor_dbm(row) == power_dbm


def test_a_sensor_that_does_not_work_says_nothing() -> None:
    row = sensor(-64, DBM, UNITS, 1)
    assert sensor_dbm(Row(row.parts, {**row.numbers, "status": 2}, {})) is None
    assert sensor_dbm(Row(row.parts, {**row.numbers, "value": None}, {})) is None
    assert sensor_dbm(Row(row.parts, {**row.numbers, "status": None}, {})) == -6.4


def test_milliwatts() -> None:
    assert [dbm_of_milliwatt(mw) for mw in (1.0, 2.0, 0.0, -1.0)] == [
        0,
        3.01,
        -40,
        None,
    ]


def entity(number: int, within: int, name: str, kind: int = 8) -> str:
    text = name.encode().hex()
    return f"""
        {ENTITY}.4.{number}|2|{within}
        {ENTITY}.5.{number}|2|{kind}
        {ENTITY}.7.{number}|4x|{text}
    """


def told(root: str, number: int, value: int, kind: int = DBM, status: int = 1) -> str:
    columns = (kind, UNITS, 1, value, status)
    return "\n".join(
        f"{root}.{column}.{number}|2|{said}"
        for column, said in enumerate(columns, start=1)
    )


MODULE = (
    entity(10, 1, "slot", 5)
    + entity(20, 10, "Ethernet1/1", 10)
    + entity(30, 20, "module", 9)
    + entity(31, 30, "Ethernet1/1 Receive Power Sensor")
    + entity(32, 30, "Ethernet1/1 Transmit Power Sensor")
    + entity(33, 30, "Ethernet1/1 Bias Current Sensor")
    + f"{ALIAS}.20.0|6|1.3.6.1.2.1.2.2.1.1.7\n"
    + f"1.3.6.1.2.1.2.2.1.3.7|2|6\n1.3.6.1.2.1.2.2.1.8.7|2|1\n{IF_NAME}.7|4|Et1/1\n"
)
VALUES = [told(SENSOR, 31, -64), told(SENSOR, 32, -25), told(SENSOR, 33, 340, 5)]

ROUTER = a_router()


def light(result: DeviceResult) -> dict[str, dict[str, float | None]]:
    (table,) = [table for table in result.tables if table.result == "optics"]
    assert table.complete
    return {
        row.words["name"] or row.parts["port"]: dict(row.numbers) for row in table.rows
    }


async def test_a_sensor_belongs_to_the_port_it_sits_in(ask: Ask) -> None:
    assert light(await ask(MODULE + "\n".join(VALUES))) == {
        "Et1/1": {"rx_dbm": -6.4, "tx_dbm": -2.5}
    }


async def test_ciscos_older_table_counts_where_the_standard_one_is_empty(
    ask: Ask,
) -> None:
    values = "\n".join([told(CISCO, 31, -64), told(CISCO, 32, -25)])
    assert light(await ask(MODULE + values)) == {
        "Et1/1": {"rx_dbm": -6.4, "tx_dbm": -2.5}
    }


async def test_of_several_lanes_the_weakest_counts(ask: Ask) -> None:
    lane = entity(34, 30, "Ethernet1/1 Lane 2 Receive Power Sensor")
    result = await ask(MODULE + lane + "\n".join([*VALUES, told(SENSOR, 34, -101)]))
    assert light(result)["Et1/1"]["rx_dbm"] == -10.1


async def test_what_cannot_be_is_left_out(ask: Ask) -> None:
    """65.5 dBm would melt the fibre; a name with both ways says neither."""
    both = entity(34, 30, "Tx and Rx Power")
    values = [told(SENSOR, 31, 655), told(SENSOR, 32, -25), told(SENSOR, 34, -60)]
    result = await ask(MODULE + both + "\n".join(values))
    assert light(result) == {"Et1/1": {"tx_dbm": -2.5}}


async def test_without_an_interface_the_port_bears_its_own_name(ask: Ask) -> None:
    plain = MODULE.replace(f"{ALIAS}.20.0|6|1.3.6.1.2.1.2.2.1.1.7", "")
    assert list(light(await ask(plain + "\n".join(VALUES)))) == ["Ethernet1/1"]


async def test_without_entity_mib_no_port_gets_a_wrong_value(ask: Ask) -> None:
    result = await ask(MODULE + "\n".join(VALUES))
    tables = [
        type(table)(table.name, table.result) if table.result == "entity" else table
        for table in result.tables
        if table.name != "sensor_optics"
    ]
    (table,) = optics_of(tables)
    assert (table.rows, table.complete) == ((), False)
    _, seen = line_records(ROUTER, result.tables, 1, ())
    records, _ = line_records(ROUTER, [*tables, table], 2, seen)
    (record,) = [record for record in records if record.kind == "line_optics"]
    assert record.failure is FailureReason.PARTIAL
    assert record.tags["port"] == "Et1/1"


async def test_a_device_without_sensors_has_no_optics(ask: Ask) -> None:
    result = await ask("")
    assert light(result) == {}
    assert optics_of([t for t in result.tables if t.result == "port"]) == []


HUAWEI = "1.3.6.1.4.1.2011.5.25.31.1.1.3.1"


@pytest.mark.parametrize(
    ("rx", "tx", "rx_high", "wanted"),
    [
        (-742, -251, -300, (-7.42, -2.51)),
        # The sign of one tells the unit of both.
        (-742, 150, -300, (-7.42, 1.5)),
        (320, 1_200, None, (-4.95, 0.79)),
        # Two small ones: micro watts if there are no limits in dBm, or if 3.2 dBm is
        # above them. A negative and a large one contradict each other.
        (320, 450, None, (-4.95, -3.47)),
        (320, 450, -100, (-4.95, -3.47)),
        (-742, 1_200, None, None),
        # No module, none that measures, a sentinel, and a negative one as unsigned.
        (0, -1, None, None),
        (2_147_483_647, 4_294_967_045, None, (None, -2.51)),
    ],
)
async def test_huaweis_two_units(
    ask: Ask,
    rx: int,
    tx: int,
    rx_high: int | None,
    wanted: tuple[float | None, float | None] | None,
) -> None:
    said = entity(9, 1, "GigabitEthernet0/0/9", 10)
    said += f"{HUAWEI}.8.9|66|{rx % 2**32}\n{HUAWEI}.9.9|66|{tx % 2**32}\n"
    if rx_high is not None:
        said += f"{HUAWEI}.14.9|2|{rx_high}\n{HUAWEI}.13.9|2|-2300\n"
    told = light(await ask(said, object_id="1.3.6.1.4.1.2011.2.23.291"))
    found = [
        (numbers.get("rx_dbm"), numbers.get("tx_dbm")) for numbers in told.values()
    ]
    assert found == ([wanted] if wanted else [])
