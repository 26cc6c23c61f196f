"""Devices of known families as no recording has them: less is said, nothing wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from collectors.compare import Before, compare
from collectors.decode import Row, TableResult
from collectors.plan import Counters
from collectors.platform_model import Column
from collectors.platforms import load_platforms
from collectors.records import DeviceResult, Known, to_records
from collectors.values import number
from netmon.model import AccessPoint, Device, DeviceKind, FailureReason

Ask = Callable[..., Awaitable[DeviceResult]]

IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"
POE = "1.3.6.1.2.1.105.1.1.1.6"
REMOTE = "1.0.8802.1.1.2.1.4.1.1"
LOCAL = "1.0.8802.1.1.2.1.3.7.1"
BRIDGE = "1.3.6.1.2.1.17.1.4.1.2"
AIRESPACE = "1.3.6.1.4.1.14179.2"


def rows(result: DeviceResult, kind: str) -> list[Row]:
    return [row for t in result.tables if t.result == kind for row in t.rows]


def ports(names: dict[int, str]) -> str:
    return "\n".join(
        f"1.3.6.1.2.1.2.2.1.3.{index}|2|6\n1.3.6.1.2.1.2.2.1.8.{index}|2|1\n"
        f"{IF_NAME}.{index}|4|{name}"
        for index, name in names.items()
    )


@pytest.mark.parametrize(
    ("object_id", "descr", "name"),
    [
        ("1.3.6.1.4.1.9.6.1.37.145.1", "Cisco Business Wireless", "cisco_wlc"),
        ("1.3.6.1.4.1.9.6.1.38.1.1", "Cisco Controller", "cisco_wlc"),
        ("1.3.6.1.4.1.9.12.3.1.3.2110", "Cisco Controller", "cisco_wlc"),
        (
            "1.3.6.1.4.1.9.1.2530",
            "Cisco IOS Software [Bengaluru], C9800 Software",
            "cisco_wlc",
        ),
        ("1.3.6.1.4.1.9.1.2494", "Cisco IOS Software, Catalyst L3 Switch", "if_mib"),
        ("1.3.6.1.4.1.6486.800.1.1.2.2.2.1.1", "ArubaOS (MODEL: OAW-4550)", "arubaos"),
        ("1.3.6.1.4.1.890.1.6", "NXC5500", "zyxel_nxc"),
        ("1.3.6.1.4.1.890.1.6", "ZyWALL USG 100", "if_mib"),
        ("1.3.6.1.4.1.2281.2.1", "IP-50E", "ceragon"),
        ("1.3.6.1.4.1.41112.1.4", "Linux", "ubiquiti_radio"),
        *(
            ("1.3.6.1.4.1.41112", descr, "unifi")
            for descr in (
                "U6+ 6.5.28.14491",
                "U6-LR 5.60.9",
                "U7 Pro 7.0.50",
                "E7 8.0.1",
                "UK-Ultra 6.6.55",
                "UAP-AC-Pro-Gen2 4.3.28",
            )
        ),
        ("1.3.6.1.4.1.41112", "USW-24-PoE 6.5.59", "if_mib"),
        ("1.3.6.1.4.1.8072.3.2.10", "Linux UKS-HOST 6.1", "if_mib"),
    ],
)
def test_models_of_a_family_that_bear_other_numbers(
    object_id: str, descr: str, name: str
) -> None:
    assert load_platforms().choose(object_id, descr).name == name


async def test_cisco_power_is_the_place_in_the_list_of_powers(ask: Ask) -> None:
    """bsnAPIfPhyTxPowerLevel in bsnAPIfAbsolutePowerList, as the recording has them."""
    ap = "2.0.0.0.0.1"
    told = {
        0: ("3", "20,17,14,11,8,5,2,-1"),
        1: ("1", "23,20,17"),
        # Behind the end, at the filling, at what is no list, and without a level.
        2: ("4", "23,20,17"),
        3: ("7", "16,13,10,7,4,1,-1"),
        4: ("1", "N/A"),
        5: ("0", "20,17"),
        6: ("1", "99,17"),
    }
    lines = [f"{AIRESPACE}.2.1.1.3.{ap}|4|AP1"]
    for slot, (level, powers) in told.items():
        lines += [
            f"{AIRESPACE}.2.2.1.4.{ap}.{slot}|2|36",
            f"{AIRESPACE}.2.2.1.6.{ap}.{slot}|2|{level}",
            f"{AIRESPACE}.2.2.1.22.{ap}.{slot}|4|{powers}",
        ]
    result = await ask(
        "\n".join(["1.3.6.1.2.1.1.1.0|4|Airespace", *lines]),
        object_id="1.3.6.1.4.1.9.1.1069",
    )
    found = {
        row.parts["radio"]: row.numbers.get("tx_power_dbm")
        for row in rows(result, "radio")
    }
    assert found == {"0": 14.0, "1": 23.0, **dict.fromkeys("23456")}


@pytest.mark.parametrize(
    ("names", "groups", "wanted"),
    [
        # Two units whose ports bear the same numbers, and only one of them is told.
        ({1: "1", 2: "2"}, [(1, 1), (2, 1)], []),
        ({1: "1", 2: "2"}, [(1, 1), (2, 2)], ["1", "2"]),
        # Power is counted from 1 (RFC 3621), these ports from 0.
        ({1: "ge-0/0/0", 2: "ge-0/0/1"}, [(1, 1)], []),
        # A management port at 0 is of another kind.
        ({1: "Gi0/0", 2: "Gi1/0/1"}, [(1, 1)], ["2"]),
    ],
)
async def test_power_of_stacks_and_of_ports_counted_from_0(
    ask: Ask, names: dict[int, str], groups: list[tuple[int, int]], wanted: list[str]
) -> None:
    told = "\n".join(f"{POE}.{group}.{port}|2|3" for group, port in groups)
    result = await ask(f"{ports(names)}\n{told}")
    on = [r.parts["port"] for r in rows(result, "port") if r.numbers.get("poe_on")]
    assert on == wanted


NEIGHBOUR = f"{REMOTE}.12.0.{{n}}.1|4x|20\n{REMOTE}.9.0.{{n}}.1|4|Core\n"


@pytest.mark.parametrize(
    ("local", "bridge", "number", "wanted"),
    [
        # LLDP calls its ports by address: the number is that of the bridge's port.
        ({1: "4x|0200000000A1", 2: "4x|0200000000A2"}, {1: 101, 2: 102}, 2, "102"),
        # A radio that is no port of Ethernet must not become port 3, whose number it
        # has (LANCOM LCOS).
        ({1: "4|LAN-1", 2: "4|LAN-2", 3: "4|WLAN-1"}, {}, 3, None),
        # A bridge that counts otherwise than LLDP gives itself away.
        ({1: "4|LAN-1", 9: "4x|0200000000A1"}, {1: 102, 9: 101}, 9, None),
        # No bridge: the number is the interface's, if all of them are.
        ({3: "4|x", 101: "4|y", 102: "4|z"}, {}, 101, "101"),
        ({7: "4|x", 101: "4|y"}, {}, 101, None),
        # Nobody says what LLDP calls its ports.
        ({}, {}, 101, None),
        ({}, {7: 101}, 7, "101"),
    ],
)
async def test_the_port_of_a_neighbour_where_names_do_not_tell(
    ask: Ask,
    local: dict[int, str],
    bridge: dict[int, int],
    number: int,
    wanted: str | None,
) -> None:
    result = await ask(
        "\n".join(
            [
                ports({3: "X-3", 101: "LAN-1", 102: "LAN-2"}),
                NEIGHBOUR.format(n=number),
                *(f"{LOCAL}.3.{n}|{said}" for n, said in local.items()),
                *(f"{BRIDGE}.{n}|2|{index}" for n, index in bridge.items()),
            ]
        )
    )
    found = [r.parts["port"] for r in rows(result, "port") if r.words.get("neighbour")]
    assert found == ([wanted] if wanted else [])


def test_what_is_no_word_and_no_number() -> None:
    columns = {
        (table.name, column.field, place): column
        for name in ("aruba_instant", "unifi", "ubiquiti_radio")
        for table in load_platforms().get(name).tables
        for place, column in enumerate(table.columns)
    }
    width = columns["radios", "width_hz", 1]
    # A radio without a channel is not one of 20 MHz.
    assert number(width, b"") is None
    bands = [c for (_, name, _), c in columns.items() if name == "band_hz"]
    # Neither a text where a frequency stands, nor a number where a word stands.
    assert {number(band, b"Stra\xdfe") for band in bands} == {None}
    assert {number(band, 4294967295) for band in bands} == {None}
    noise = [c for (_, name, _), c in columns.items() if name == "noise_dbm"]
    assert all(number(column, 0) is None for column in noise)


@pytest.mark.parametrize(
    "text", [b"1_0", "\u0661".encode(), b"0x10", b"1.5", b"1e400", 10**400]
)
def test_what_only_looks_like_a_code_is_none(text: bytes | int) -> None:
    column = Column("up", "1.3.6.1", enumeration={1: 1, 10: 1, 16: 1})
    assert number(column, text) is None


@pytest.mark.parametrize(
    ("scale", "precision"),
    [(2**31 - 1, 0), (-(2**31), 0), (9, 2**31 - 1), (9, -(2**31)), (0, 0), (18, 0)],
)
async def test_a_sensor_of_impossible_scale_costs_only_itself(
    ask: Ask, scale: int, precision: int
) -> None:
    sensor, entity = "1.3.6.1.2.1.99.1.1.1", "1.3.6.1.2.1.47.1.1.1.1"
    said = "\n".join(
        f"{sensor}.1.{n}|2|14\n{sensor}.2.{n}|2|{told}\n{sensor}.3.{n}|2|{places}\n"
        f"{sensor}.4.{n}|2|-64\n{sensor}.5.{n}|2|1\n{entity}.7.{n}|4|{way}\n"
        f"{entity}.4.{n}|2|1"
        for n, told, places, way in ((2, scale, precision, "Rx"), (3, 9, 1, "Tx"))
    )
    (port,) = rows(await ask(said), "optics")
    assert (port.numbers.get("rx_dbm"), port.numbers["tx_dbm"]) == (None, -6.4)


DEVICE = Device(
    id="vc1",
    building_id="b1",
    kind=DeviceKind.CONTROLLER,
    name="vc1",
    address="127.0.0.1:161",
)


def plan(name: str, serial: str = "") -> AccessPoint:
    return AccessPoint(
        id=f"id-{name}",
        building_id="b1",
        name=name,
        controller_id="vc1",
        serial=serial,
    )


def point(index: str, name: str, up: float = 1.0, serial: str = "") -> Row:
    return Row({"ap": index}, {"up": up}, {"name": name, "serial": serial})


def ups(
    points: list[Row], planned: list[AccessPoint], counted: float | None = None
) -> dict[str, float | FailureReason | None]:
    tables = [TableResult("points", "access_point", tuple(points), complete=True)]
    if counted is not None:
        own = Row({"controller": "0"}, {"aps_count": counted}, {})
        tables.append(TableResult("totals", "controller", (own,), complete=True))
    result = DeviceResult(0, 0.1, tables=tuple(tables))
    records, _ = to_records(DEVICE, planned, result, Known())
    return {
        r.tags["ap"]: r.failure or r.values["up"]
        for r in records
        if r.kind == "wlan_ap" and r.tags["ap"].startswith("id-")
    }


@pytest.mark.parametrize(
    ("counted", "wanted"),
    [(36.0, FailureReason.PARTIAL), (None, FailureReason.PARTIAL), (0.0, 0.0)],
)
def test_an_empty_table_of_access_points_is_not_an_outage_of_all(
    counted: float | None, wanted: float | FailureReason
) -> None:
    """Firmware without the table, or a view that hides it: SmartZone, Unleashed."""
    assert ups([], [plan("R1")], counted) == {"id-R1": wanted}


def test_of_two_access_points_of_one_name_none_is_guessed() -> None:
    both = [point("1", "R1"), point("2", "R1")]
    assert ups(both, [plan("R1")]) == {"id-R1": FailureReason.PARTIAL}
    # The entry of the one that was replaced stays behind for a while.
    left = [point("1", "R1", up=0.0), point("2", "R1")]
    assert ups(left, [plan("R1")]) == {"id-R1": 1.0}
    known = [point("1", "R1", up=0.0, serial="A"), point("2", "R1", serial="B")]
    assert ups(known, [plan("R1", "A")]) == {"id-R1": 0.0}


def test_one_without_name_and_number_may_be_the_missing_one() -> None:
    told = [point("1", "R1"), point("2", "")]
    assert ups(told, [plan("R1"), plan("R2")]) == {
        "id-R1": 1.0,
        "id-R2": FailureReason.PARTIAL,
    }


def test_a_device_that_is_an_access_point_is_the_planned_one_by_any_name() -> None:
    assert ups([point("0", "ap")], [plan("R1")]) == {"id-R1": 1.0}


def test_a_port_called_by_the_number_of_another_one_stays_itself() -> None:
    named = [("1", "2"), ("2", ""), ("3", "")]
    table = tuple(Row({"port": i}, {"oper_up": 1.0}, {"name": n}) for i, n in named)
    result = DeviceResult(
        0, 0.1, tables=(TableResult("ports", "port", table, complete=True),)
    )
    records, _ = to_records(DEVICE, [], result, Known())
    tags = [r.tags["port"] for r in records if r.kind == "lan_port"]
    assert tags == ["2", "#2", "3"]


async def test_networks_of_no_known_radio_leave_the_clients_open(ask: Ask) -> None:
    vap = "1.3.6.1.4.1.41112.1.6.1.2.1"
    said = """
        1.3.6.1.2.1.1.1.0|4|U6-LR
        1.3.6.1.4.1.41112.1.6.1.1.1.3.1|4|ng
        1.3.6.1.4.1.41112.1.6.1.1.1.3.2|4|na
    """ + "\n".join(
        f"{vap}.9.{n}|4|{key}\n{vap}.8.{n}|2|{count}"
        for n, key, count in ((1, "ng", 4), (2, "na", 5), (3, "??", 6))
    )
    result = await ask(said, object_id="1.3.6.1.4.1.41112")
    counts = [row.numbers.get("clients_count") for row in rows(result, "radio")]
    assert counts == [None, None]


async def test_dsl_rates_that_may_be_in_kilobits_are_left_out(ask: Ask) -> None:
    rate = "1.3.6.1.2.1.10.251.1.2.2.1.2.1"
    result = await ask(f"{rate}.1|66|110200\n{rate}.2|66|33000000")
    (line,) = rows(result, "dsl")
    assert line.numbers["rate_down_bps"] is None
    assert line.numbers["rate_up_bps"] == 33_000_000


async def test_a_64_bit_counter_that_stands_at_0_is_none(ask: Ask) -> None:
    """As the Ceragon recording has it: 0 beside 3,791,568,331."""
    result = await ask(
        "1.3.6.1.2.1.31.1.1.1.6.1|70|0\n1.3.6.1.2.1.2.2.1.10.1|65|3791568331"
    )
    (port,) = rows(result, "port")
    assert port.numbers["in_octets_total"] == 3_791_568_331


def test_the_rate_is_not_that_of_a_counter_that_stands_at_0() -> None:
    counters = [
        Counters("in_octets_total", f"c{bits}", bits, ("1",), (f"c{bits}.1",))
        for bits in (64, 32)
    ]
    table = TableResult(
        "ports", "port", (Row({"port": "1"}, {"speed_bps": 1e8}, {}),), complete=True
    )

    def rate(was: tuple[int, int], now: tuple[int, int]) -> float | None:
        before = Before(0.0, None, dict(zip(("c64.1", "c32.1"), was, strict=True)))
        answer = dict(zip(("c64.1", "c32.1"), now, strict=True))
        found = compare([table], counters, answer, before, 10.0, None)
        return found.tables[0].rows[0].numbers["in_rate_bps"]

    assert rate((0, 1000), (0, 2250)) == 1000.0
    # Where both count, the wider one tells.
    assert rate((1000, 2**32 - 1), (2250, 0)) == 1000.0
    assert rate((0, 0), (0, 0)) == 0.0
