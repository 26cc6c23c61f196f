"""The recorded Aruba Instant controller, held to what LibreNMS reads out of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collectors.decode import Row
from collectors.platforms import load_platforms
from collectors.poll import decode
from collectors.read import read_device
from collectors.records import DeviceResult, Known, to_records
from collectors.snmp import open_recording
from netmon.clock import SystemClock
from netmon.metrics import KINDS
from netmon.model import AccessPoint, Device, DeviceKind

DEVICE = Device(
    id="vc",
    building_id="b1",
    kind=DeviceKind.CONTROLLER,
    name="vc",
    address="recorded",
)
# LibreNMS knows the channels of 2.4 and 5 GHz and gives 0 MHz for the others;
# these two are channels 53 and 69 of the 6 GHz band ("53S", "69S").
SIX_GHZ = {("PHRCKYJ2RR", "2"): 53.0, ("PHRCKYJ4N1", "2"): 69.0}


@pytest.fixture
async def result(recordings: Path) -> DeviceResult:
    session = open_recording(recordings / "aruba-instant.snmprec", clock=SystemClock())
    reading = await read_device(
        session, load_platforms(), clock=SystemClock(), budget_s=30.0
    )
    return decode(reading)


@pytest.fixture
def expected(recordings: Path) -> dict[str, Any]:
    text = (recordings / "aruba-instant.expected.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def rows(result: DeviceResult, kind: str) -> list[Row]:
    (table,) = [table for table in result.tables if table.result == kind]
    assert table.complete
    assert table.remarks == ()
    return list(table.rows)


def radios(result: DeviceResult) -> dict[tuple[str, str], Row]:
    """Radios by serial number of the access point and number of the radio."""
    serials = {
        row.parts["ap"]: row.words["serial"] for row in rows(result, "access_point")
    }
    return {
        (serials[row.parts["ap"]], row.parts["radio"]): row
        for row in rows(result, "radio")
    }


def sensors(expected: dict[str, Any], kind: str) -> dict[tuple[str, str], float]:
    """LibreNMS names a radio "SERIAL Radio N", for power ": Tx Power" behind it."""
    found = {}
    for sensor in expected["wireless"]:
        words = sensor["descr"].removesuffix(": Tx Power").split(" ")
        if sensor["class"] == kind and words[1:2] == ["Radio"]:
            found[words[0], words[2]] = float(sensor["value"])
    assert len(found) == 8
    return found


async def test_system(result: DeviceResult, expected: dict[str, Any]) -> None:
    assert result.platform == "aruba_instant"
    assert result.words["model"] == expected["system"]["hardware"]
    assert result.words["descr"] == expected["system"]["sysDescr"]
    # LibreNMS cuts the build number off.
    assert result.words["firmware"] == expected["system"]["version"] + "_68230"
    assert result.uptime_s == 865026.82


async def test_three_access_points(
    result: DeviceResult, expected: dict[str, Any]
) -> None:
    points = rows(result, "access_point")
    (count,) = [s["value"] for s in expected["wireless"] if s["class"] == "ap-count"]
    assert len(points) == count == 3
    found = {
        (
            row.words["name"],
            row.words["serial"],
            row.words["model"],
            row.numbers["up"],
            row.numbers["uptime_s"],
        )
        for row in points
    }
    assert found == {
        ("ECA-Ultimo-L11-AP06", "PHRCKYJ2RR", "635", 1.0, 1220178.0),
        ("ECA-Ultimo-L11-AP14", "PHRCKYJ4N1", "635", 1.0, 1646526.0),
        ("instant-ap-src-1", "CNBJHMV0WN", "225", 1.0, 865175.0),
    }


@pytest.mark.parametrize(
    ("sensor", "field", "factor"),
    [
        ("clients", "clients_count", 1),
        ("noise-floor", "noise_dbm", 1),
        ("power", "tx_power_dbm", 1),
        ("utilization", "utilisation_ratio", 0.01),
    ],
)
async def test_radio_values_are_exactly_the_expected_ones(
    result: DeviceResult,
    expected: dict[str, Any],
    sensor: str,
    field: str,
    factor: float,
) -> None:
    wanted = {
        key: round(value * factor, 9)
        for key, value in sensors(expected, sensor).items()
    }
    found = {key: row.numbers[field] for key, row in radios(result).items()}
    assert found == wanted


async def test_channels_are_the_expected_frequencies(
    result: DeviceResult, expected: dict[str, Any]
) -> None:
    def channel(key: tuple[str, str], megahertz: float) -> float:
        if key in SIX_GHZ:
            assert megahertz == 0
            return SIX_GHZ[key]
        start = 5000 if megahertz > 5000 else 2407
        return (megahertz - start) / 5

    frequencies = sensors(expected, "frequency")
    wanted = {key: channel(key, value) for key, value in frequencies.items()}
    found = {key: row.numbers["channel"] for key, row in radios(result).items()}
    assert found == wanted


async def test_clients_of_networks(
    result: DeviceResult, expected: dict[str, Any]
) -> None:
    wanted = {
        sensor["descr"].removeprefix("SSID ").removesuffix(" Clients"): sensor["value"]
        for sensor in expected["wireless"]
        if sensor["descr"].startswith("SSID")
    }
    found = {
        row.words["name"]: row.numbers["clients_count"]
        for row in rows(result, "network")
    }
    assert found == wanted


async def test_only_the_physical_ports_of_thirteen_interfaces(
    result: DeviceResult, expected: dict[str, Any]
) -> None:
    wanted = {
        port["ifName"]: (
            port["ifSpeed"],
            port["ifOperStatus"] == "up",
            port["ifAdminStatus"] == "up",
        )
        for port in expected["ports"]
        if port["ifType"] == "fastEther"
    }
    found = {
        row.words["name"]: (
            row.numbers["speed_bps"],
            row.numbers["oper_up"] == 1,
            row.numbers["admin_up"] == 1,
        )
        for row in rows(result, "port")
    }
    assert found == wanted
    assert len(expected["ports"]) == 13
    assert len(found) == 2


async def test_records_carry_counts_and_no_hardware_addresses(
    result: DeviceResult,
) -> None:
    planned = AccessPoint(
        id="b1-ap1", building_id="b1", name="?", controller_id="vc", serial="cnbjhmv0wn"
    )
    records, _ = to_records(DEVICE, [planned], result, Known())
    kinds = [record.kind for record in records]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert counts == {"device": 1, "wlan_ap": 3, "wlan_radio": 8, "lan_port": 2}
    assert {r.tags["ap"] for r in records if r.kind == "wlan_ap"} == {
        "b1-ap1",
        "vc/ECA-Ultimo-L11-AP06",
        "vc/ECA-Ultimo-L11-AP14",
    }
    for record in records:
        kind = KINDS[record.kind]
        assert set(record.tags) == set(kind.tags)
        assert set(record.values) <= {metric.name for metric in kind.metrics}
        said = "".join([*record.tags.values(), *record.info.values()]).lower()
        for trace in ("112.58.14", "703a0e", "10.128.0", "192.168."):
            assert trace not in said
