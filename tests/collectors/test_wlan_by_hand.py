"""WLAN controllers and ports as their MIBs have them, where no recording shows it.

Values are made up; types, units, codes and indexes are the MIBs'.
"""

from __future__ import annotations

import pytest

from collectors.decode import Remark, Row
from collectors.records import DeviceResult, Known, to_records
from collectors.wlan import controller_totals
from netmon.model import AccessPoint
from tests.collectors.wlan_rows import CONTROLLER, MAC, OTHER, Ask


def rows(result: DeviceResult, kind: str) -> list[Row]:
    tables = [table for table in result.tables if table.result == kind]
    return [row for table in tables for row in table.rows]


def known(row: Row) -> dict[str, float | str]:
    numbers = {name: value for name, value in row.numbers.items() if value is not None}
    return {**numbers, **{name: text for name, text in row.words.items() if text}}


async def test_cisco_access_points_with_state_uptime_and_uplink(ask: Ask) -> None:
    ap, lwapp = "1.3.6.1.4.1.14179.2.2.1.1", "1.3.6.1.4.1.9.9.513.1"
    radio = "1.3.6.1.4.1.14179.2.2.2.1"
    result = await ask(
        f"""
        1.3.6.1.2.1.1.1.0|4|C9800
        {ap}.3.{MAC}|4|AP-R101
        {ap}.3.{OTHER}|4|AP-R102
        {ap}.6.{MAC}|2|1
        {ap}.6.{OTHER}|2|3
        {ap}.8.{MAC}|4|17.9.4.27
        {ap}.16.{MAC}|4|C9120AXI-E
        {ap}.17.{MAC}|4|FGL0000X0AB
        {lwapp}.1.1.1.6.{MAC}|67|8640000
        {lwapp}.2.2.1.11.{MAC}.0|66|1000
        {lwapp}.2.2.1.11.{MAC}.1|66|0
        {lwapp}.2.2.1.11.{OTHER}.0|66|100
        {radio}.2.{MAC}.0|2|1
        {radio}.4.{MAC}.0|2|6
        {radio}.15.{MAC}.0|65|7
        {radio}.2.{MAC}.1|2|2
        {radio}.4.{MAC}.1|2|100
        {radio}.15.{MAC}.1|65|12
        """,
        object_id="1.3.6.1.4.1.9.1.2861",
    )
    assert result.platform == "cisco_wlc"
    first, second = rows(result, "access_point")
    assert known(first) == {
        "name": "AP-R101",
        "up": 1.0,
        "model": "C9120AXI-E",
        "serial": "FGL0000X0AB",
        "firmware": "17.9.4.27",
        "uptime_s": 86400.0,
        # The second socket is empty.
        "uplink_speed_bps": 1e9,
    }
    assert (second.numbers["up"], second.numbers["uplink_speed_bps"]) == (0.0, 1e8)
    records, _ = to_records(CONTROLLER, [], result, Known())
    points = {r.info["name"]: r.values for r in records if r.kind == "wlan_ap"}
    assert points["AP-R101"]["clients_count"] == 19.0
    # What is down has neither clients nor a port.
    assert {v for n, v in points["AP-R102"].items() if n != "up"} == {None}


async def test_arubaos_beside_its_own_scalars(ask: Ask) -> None:
    ap, radio = "1.3.6.1.4.1.14823.2.2.1.5.2.1.4.1", "1.3.6.1.4.1.14823.2.2.1.5.2.1.5.1"
    stats, scalars = "1.3.6.1.4.1.14823.2.2.1.5.3.1.6.1", "1.3.6.1.4.1.14823.2.2.1.1.3"
    result = await ask(
        f"""
        {scalars}.1.0|66|3
        {scalars}.2.0|66|40
        {ap}.3.{MAC}|4|AP-R201
        {ap}.6.{MAC}|4|CN00000001
        {ap}.12.{MAC}|67|360000
        {ap}.13.{MAC}|4|AP-515
        {ap}.19.{MAC}|2|1
        {ap}.34.{MAC}|4|8.10.0.6
        {ap}.3.{OTHER}|4|AP-R202
        {ap}.19.{OTHER}|2|2
        {radio}.2.{MAC}.1|2|1
        {radio}.3.{MAC}.1|2|116
        {radio}.4.{MAC}.1|2|38
        {radio}.6.{MAC}.1|2|12
        {radio}.7.{MAC}.1|2|23
        {radio}.15.{MAC}.1|4|116+
        {radio}.17.{MAC}.1|2|185
        {stats}.9.{MAC}.1|2|93
        {stats}.12.{MAC}.1|2|8
        """,
        object_id="1.3.6.1.4.1.14823.1.1.32",
    )
    assert result.platform == "arubaos"
    first, second = rows(result, "access_point")
    assert known(first)["firmware"] == "8.10.0.6"
    assert (first.numbers["up"], second.numbers["up"]) == (1.0, 0.0)
    assert [known(row) for row in rows(result, "radio")] == [
        {
            "channel": 116.0,
            "band_hz": 5e9,
            "width_hz": 40e6,
            "tx_power_dbm": 18.5,
            "utilisation_ratio": 0.12,
            "clients_count": 23.0,
            "noise_dbm": -93.0,
            "retries_ratio": 0.08,
        }
    ]
    assert controller_totals(result.tables) == {
        "aps_count": 3.0,
        "aps_total_count": None,
        "clients_count": 40.0,
        "listed_aps_count": 1.0,
        "listed_clients_count": 23.0,
    }


async def test_ruckus_smartzone_and_zonedirector(ask: Ask) -> None:
    sz, zd = "1.3.6.1.4.1.25053.1.4.2.1.1.2.2.1", "1.3.6.1.4.1.25053.1.2.2.1.1.2"
    smart = await ask(
        f"""
        {sz}.5.{MAC}|4|AP-R301
        {sz}.6.{MAC}|67|100
        {sz}.7.{MAC}|4|5.2.2.0.301
        {sz}.8.{MAC}|4|R650
        {sz}.9.{MAC}|4|302000000001
        {sz}.15.{MAC}|66|14
        {sz}.16.{MAC}|4|Connect
        {sz}.5.{OTHER}|4|AP-R302
        {sz}.15.{OTHER}|66|3
        {sz}.16.{OTHER}|4|Disconnect
        """,
        object_id="1.3.6.1.4.1.25053.3.1.11.1",
    )
    first, second = rows(smart, "access_point")
    assert known(first) == {
        "name": "AP-R301",
        "up": 1.0,
        "uptime_s": 1.0,
        "firmware": "5.2.2.0.301",
        "model": "R650",
        "serial": "302000000001",
        "clients_count": 14.0,
    }
    assert second.numbers["up"] == 0.0
    # A ZoneDirector puts the length of the address before it.
    director = await ask(
        f"""
        {zd}.1.1.2.6.{MAC}|4|AP-R303
        {zd}.1.1.3.6.{MAC}|2|1
        {zd}.1.1.5.6.{MAC}|4|302000000002
        {zd}.1.1.15.6.{MAC}|66|9
        {zd}.2.1.4.6.{MAC}.0|66|11
        {zd}.2.1.8.6.{MAC}.0|66|9
        """,
        object_id="1.3.6.1.4.1.25053.3.1.5.15",
    )
    records, _ = to_records(CONTROLLER, [], director, Known())
    assert [
        (r.tags["ap"], r.values["clients_count"])
        for r in records
        if r.kind == "wlan_ap"
    ] == [("wlc/AP-R303", 9.0)]
    (radio,) = [record for record in records if record.kind == "wlan_radio"]
    assert radio.tags == {
        "building": "b1",
        "device": "wlc",
        "ap": "wlc/AP-R303",
        "radio": "0",
    }


async def test_a_zyxel_access_point_reports_itself(ask: Ask) -> None:
    wlan, management = "1.3.6.1.4.1.890.1.15.3.5.1.1", "1.3.6.1.4.1.890.1.15.3.1"
    result = await ask(
        f"""
        1.3.6.1.2.1.1.1.0|4|WAX610D
        1.3.6.1.2.1.1.5.0|4|ap-aula
        1.3.6.1.2.1.31.1.1.1.1.1|4|lan1
        1.3.6.1.2.1.2.2.1.5.1|66|100000000
        {management}.11.0|4|WAX610D
        {management}.12.0|4|S212L00000001
        {management}.6.0|4|V6.70
        {wlan}.1.5|2|6
        {wlan}.2.5|66|4
        {wlan}.5.5|2|1
        {wlan}.2.6|66|0
        {wlan}.5.6|2|2
        {wlan}.6.6|2|44
        """,
        object_id="1.3.6.1.4.1.890.1.15",
        line=False,
    )
    assert result.platform == "zyxel_ap"
    planned = AccessPoint(
        id="b1-aula",
        building_id="b1",
        name="?",
        controller_id="wlc",
        serial="S212L00000001",
    )
    records, _ = to_records(CONTROLLER, [planned], result, Known())
    (point,) = [record for record in records if record.kind == "wlan_ap"]
    assert point.tags["ap"] == "b1-aula"
    assert point.values == {
        "up": 1.0,
        "clients_count": 4.0,
        "uptime_s": 42.0,
        "uplink_speed_bps": 1e8,
    }
    radios = {r.tags["radio"]: r.values for r in records if r.kind == "wlan_radio"}
    assert {name: (v["band_hz"], v["channel"]) for name, v in radios.items()} == {
        "5": (2.4e9, 6.0),
        "6": (5e9, 44.0),
    }


async def test_radios_that_know_more_access_points_than_the_table(ask: Ask) -> None:
    """An agent that breaks off early must not make planned access points down."""
    ap, radio = "1.3.6.1.4.1.14179.2.2.1.1", "1.3.6.1.4.1.14179.2.2.2.1"
    result = await ask(
        f"""
        1.3.6.1.2.1.1.1.0|4|C9800
        {ap}.3.{MAC}|4|AP-R101
        {radio}.4.{MAC}.0|2|6
        {radio}.4.{OTHER}.0|2|11
        """,
        object_id="1.3.6.1.4.1.9.1.2861",
    )
    planned = AccessPoint(
        id="b1-r102", building_id="b1", name="AP-R102", controller_id="wlc"
    )
    records, _ = to_records(CONTROLLER, [planned], result, Known())
    (missing,) = [record for record in records if record.tags.get("ap") == "b1-r102"]
    assert missing.failure == "partial"


IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"
POE = "1.3.6.1.2.1.105.1.1.1.6"


def ports(names: dict[int, str]) -> str:
    return "\n".join(
        f"1.3.6.1.2.1.2.2.1.3.{index}|2|6\n1.3.6.1.2.1.2.2.1.8.{index}|2|1\n"
        f"{IF_NAME}.{index}|4|{name}"
        for index, name in names.items()
    )


@pytest.mark.parametrize(
    ("names", "group", "number", "wanted"),
    [
        ({10101: "Gi1/0/7", 10102: "Gi1/1/7", 10201: "Gi2/0/7"}, 1, 7, "10101"),
        ({10101: "Gi1/0/7", 10201: "Gi2/0/7"}, 2, 7, "10201"),
        ({7: "7", 8: "8"}, 1, 7, "7"),
        ({7: "1/1/7", 57: "1/1/57"}, 1, 7, "7"),
        ({1007: "1:7", 2007: "2:7"}, 2, 7, "2007"),
        ({7: "0/7", 8: "0/8"}, 1, 7, "7"),
        # Of two modules in the same unit nobody can tell which.
        ({11: "Gi1/1/7", 12: "Gi1/2/7"}, 1, 7, None),
        # A number alone means nothing.
        ({7: "eth-a", 8: "eth-b"}, 1, 7, None),
    ],
)
async def test_power_finds_its_port_or_none(
    ask: Ask, names: dict[int, str], group: int, number: int, wanted: str | None
) -> None:
    result = await ask(f"{ports(names)}\n{POE}.{group}.{number}|2|3")
    powered = [
        row.parts["port"]
        for row in rows(result, "port")
        if row.numbers.get("poe_on") == 1
    ]
    assert powered == ([wanted] if wanted else [])
    (table,) = [table for table in result.tables if table.result == "port"]
    assert (Remark("poe_unplaced", {"n": 1}) in table.remarks) is (wanted is None)


@pytest.mark.parametrize(
    "vendor",
    [
        "1.3.6.1.4.1.9.9.402.1.2.1.9",
        "1.3.6.1.4.1.11.2.14.11.1.9.1.1.1.8",
        "1.3.6.1.4.1.47196.4.1.1.3.8.1.1.1.7",
        "1.3.6.1.4.1.1916.1.27.2.1.1.6",
    ],
)
async def test_watts_by_vendor_and_duplex(ask: Ask, vendor: str) -> None:
    result = await ask(
        f"""
        {ports({7: "1/0/7", 8: "1/0/8"})}
        {POE}.1.7|2|3
        {POE}.1.8|2|2
        {vendor}.1.7|66|12800
        {vendor}.1.8|66|0
        1.3.6.1.2.1.10.7.2.1.19.7|2|3
        1.3.6.1.2.1.10.7.2.1.19.8|2|1
        """
    )
    found = {
        row.parts["port"]: (
            row.numbers["poe_on"],
            row.numbers["poe_w"],
            row.numbers["full_duplex"],
        )
        for row in rows(result, "port")
        if row.parts["port"] in {"7", "8"}
    }
    assert found == {"7": (1.0, 12.8, 1.0), "8": (0.0, 0.0, None)}


async def test_neighbours_are_found_by_the_name_of_the_port(ask: Ask) -> None:
    remote, local = "1.0.8802.1.1.2.1.4.1.1", "1.0.8802.1.1.2.1.3.7.1"
    result = await ask(
        f"""
        {ports({10101: "Gi1/0/1", 10102: "Gi1/0/2"})}
        {remote}.12.0.1.1|4x|10
        {remote}.9.0.1.1|4|AP-R101
        {remote}.7.0.1.1|4|1/1/17
        {remote}.5.0.1.1|4x|020000000001
        {remote}.12.0.9.1|4x|28
        {remote}.9.0.9.1|4|Core
        {local}.3.1|4|Gi1/0/1
        {local}.3.9|4|mgmt
        """
    )
    words = {row.parts["port"]: known(row) for row in rows(result, "port")}
    assert words["10101"]["neighbour"] == "AP-R101"
    # Six characters are no hardware address.
    assert words["10101"]["neighbour_port"] == "1/1/17"
    assert words["10101"]["neighbour_chassis"] == "02:00:00:00:00:01"
    assert "neighbour" not in words["10102"]
    (table,) = [table for table in result.tables if table.result == "port"]
    assert Remark("neighbours_unplaced", {"n": 1}) in table.remarks
