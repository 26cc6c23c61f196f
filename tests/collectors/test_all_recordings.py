"""Every recording against everything LibreNMS reads out of it, and what differs and why.

A sensor of LibreNMS names the object it reads. If a platform reads that object,
its number must be the same; if not, or if it is another number, `DIFFERENCES`
says why. So a new recording shows at once what is not read of it.
"""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from collectors.base import Timing
from collectors.columns import pick
from collectors.guards import GuardedSession
from collectors.platform_model import Column, Table
from collectors.platforms import load_platforms
from collectors.poll import decode
from collectors.read import Reading, read_device
from collectors.recorded import RawRow, RecordedLink, read_recording
from collectors.records import Known, to_records
from collectors.snmp import open_recording
from collectors.values import number
from collectors.wlan import controller_totals
from netmon.clock import SystemClock
from netmon.metrics import KINDS
from netmon.model import Device, DeviceKind

NAMES = (
    "airos-af",
    "airos_airos8",
    "aruba-instant",
    "arubaos",
    "arubaos-cx_10.07",
    "ceraos",
    "ciscowlc_cbw240ac",
    "draytek_vdsl",
    "edgeswitch_es-24-250w",
    "hiveos-wireless_650ax",
    "iosxe_c9300",
    "lcos_oap1700b",
    "lcoslx_ox6400",
    "procurve_2520",
    "ruckuswireless-sz",
    "siklu",
    "unifi_nanohd",
    "vrp_ac6605-26",
    "xos_sfp",
    "zyxelwlc_nxc2500",
)
NOT_OURS = "no quantity of netmon's"
A_CLIENT = "a row of the table of clients, which is never asked"
SUM_OF_PARTS = "the parts that make up the total that is taken"
SIX_GHZ = "channels 53 and 69 are 6 GHz, which LibreNMS has as 0 MHz"
# Recording, class and name of the sensor, or "*": why it is not what LibreNMS says.
DIFFERENCES = {
    ("airos-af", "distance", "*"): NOT_OURS,
    ("airos-af", "frequency", "*"): "of radio links the frequency is not kept",
    ("airos_airos8", "capacity", "*"): "a percentage of what is not said",
    ("airos_airos8", "ccq", "*"): NOT_OURS,
    ("airos_airos8", "distance", "*"): NOT_OURS,
    ("airos_airos8", "rssi", "*"): "the chip's figure above its noise floor, no dBm",
    ("aruba-instant", "frequency", "PHRCKYJ2RR Radio 2"): SIX_GHZ,
    ("aruba-instant", "frequency", "PHRCKYJ4N1 Radio 2"): SIX_GHZ,
    ("aruba-instant", "ap-count", "Total APs"): "the number of rows, see its own test",
    ("ceraos", "frequency", "*"): "of radio links the frequency is not kept",
    ("ceraos", "xpi", "*"): NOT_OURS,
    ("ceraos", "mse", "Radio: Slot 1, port 2"): "-99 is nothing received, not the best",
    ("lcos_oap1700b", "ccq", "*"): A_CLIENT,
    ("lcos_oap1700b", "rate", "*"): A_CLIENT,
    ("lcos_oap1700b", "rssi", "*"): A_CLIENT,
    ("siklu", "frequency", "*"): "of radio links the frequency is not kept",
    ("unifi_nanohd", "utilization", "Other BSS Util (ng)"): SUM_OF_PARTS,
    ("unifi_nanohd", "utilization", "Other BSS Util (na)"): SUM_OF_PARTS,
    ("unifi_nanohd", "utilization", "Self Rx Util (ng)"): SUM_OF_PARTS,
    ("unifi_nanohd", "utilization", "Self Rx Util (na)"): SUM_OF_PARTS,
    ("unifi_nanohd", "utilization", "Self Tx Util (ng)"): SUM_OF_PARTS,
    ("unifi_nanohd", "utilization", "Self Tx Util (na)"): SUM_OF_PARTS,
}
# What a controller says of itself and what its tables list; LibreNMS has the first.
TOTALS = {
    "arubaos": {
        "aps_count": 1386,
        "clients_count": 2654,
        # 690 access points with two radios each have 6,695 clients: neither is corrected.
        "listed_clients_count": 6695,
    },
    "ciscowlc_cbw240ac": {
        "aps_count": 4,
        "clients_count": 23,
        "listed_aps_count": 4,
        "listed_clients_count": 23,
    },
    "ruckuswireless-sz": {
        "aps_count": 36,
        "aps_total_count": 40,
        "clients_count": 146,
    },
    "vrp_ac6605-26": {"aps_count": 1, "clients_count": 7},
    "zyxelwlc_nxc2500": {"aps_count": 35, "clients_count": 45},
}


@cache
def expected(folder: Path, name: str) -> dict[str, Any]:
    text = (folder / f"{name}.expected.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


async def read(folder: Path, name: str) -> Reading:
    session = open_recording(folder / f"{name}.snmprec", clock=SystemClock())
    return await read_device(
        session, load_platforms(), clock=SystemClock(), budget_s=60.0
    )


def told(reading: Reading, oid: str) -> list[tuple[Table, Column, float]]:
    """Return what the platform makes of an object, in the field's unit."""
    found = []
    assert reading.platform is not None
    for table in reading.platform.tables:
        columns = (
            reading.tables[table.name].columns if table.name in reading.tables else {}
        )
        for column in table.columns:
            for index, raw in columns.get(column.oid, {}).items():
                if f"{column.oid}.{'.'.join(map(str, index))}" != oid:
                    continue
                value = number(column, raw)
                if value is not None and index in {
                    *pick(table, column, columns, [index])
                }:
                    found.append((table, column, value))
    return found


def megahertz(channel: float) -> float:
    return 5000 + 5 * channel if channel > 14 else 2407 + 5 * channel


def in_librenms_units(sensor: str, field: str, value: float) -> float:
    if field == "channel":
        return megahertz(value) if sensor == "frequency" else value
    return round(value * 100, 6) if field.endswith("_ratio") else value


@pytest.mark.parametrize("name", NAMES)
async def test_every_sensor_is_read_or_its_difference_explained(
    recordings: Path, name: str
) -> None:
    reading = await read(recordings, name)
    differing = set()
    for sensor in expected(recordings, name)["wireless"]:
        if sensor["value"] is None:
            continue
        oids = [oid.removeprefix(".") for oid in sensor["oids"]]
        parts = [told(reading, oid) for oid in oids]
        values = {
            in_librenms_units(sensor["class"], column.field, value)
            for part in parts[:1]
            for _, column, value in part
        }
        if len(oids) > 1 and all(parts):
            values = {sum(part[0][2] for part in parts)}
        if float(sensor["value"]) not in values:
            differing.add((name, sensor["class"], sensor["descr"]))
    explained = {key for key in DIFFERENCES if key[0] == name}
    unexplained = {key for key in differing if not {key, (*key[:2], "*")} & explained}
    assert unexplained == set()
    # Nor is a difference listed that is none.
    needed = {(*key[:2], "*") for key in differing} | differing
    assert explained <= needed


@pytest.mark.parametrize("name", TOTALS)
async def test_what_controllers_count_and_what_they_list(
    recordings: Path, name: str
) -> None:
    totals = controller_totals(decode(await read(recordings, name)).tables)
    assert {key: value for key, value in totals.items() if value is not None} == TOTALS[
        name
    ]
    sensors = expected(recordings, name)["wireless"]
    counts = {float(s["value"]) for s in sensors if s["class"] == "ap-count"}
    assert {totals["aps_count"], totals["aps_total_count"]} >= counts
    clients = {float(s["value"]) for s in sensors if s["class"] == "clients"}
    assert totals["clients_count"] in clients


IN_DESCR = "sysDescr says it, which is passed on as it is"
NOT_PASSED_ON = "ENTITY-MIB is read for modules, not for the device"
# Recording and what is told otherwise than LibreNMS has it, or not at all, and why.
WORD_DIFFERENCES = {
    ("arubaos-cx_10.07", "model"): NOT_PASSED_ON,
    ("arubaos-cx_10.07", "firmware"): IN_DESCR,
    ("ceraos", "model"): "no object that was recorded says it",
    ("edgeswitch_es-24-250w", "model"): IN_DESCR,
    ("edgeswitch_es-24-250w", "firmware"): IN_DESCR,
    ("iosxe_c9300", "model"): NOT_PASSED_ON,
    ("iosxe_c9300", "firmware"): IN_DESCR,
    ("lcos_oap1700b", "model"): "without the maker's name before it",
    ("lcos_oap1700b", "firmware"): "without the day it was made",
    ("procurve_2520", "model"): IN_DESCR,
    ("procurve_2520", "firmware"): IN_DESCR,
    ("ruckuswireless-sz", "model"): "told by each node of a cluster, not by all",
    ("ruckuswireless-sz", "firmware"): "told by each node of a cluster, not by all",
    ("vrp_ac6605-26", "firmware"): "the release without the platform's version",
}


@pytest.mark.parametrize("name", NAMES)
async def test_model_and_version_are_told(recordings: Path, name: str) -> None:
    words = decode(await read(recordings, name)).words
    system = expected(recordings, name)["system"]
    differing = set()
    if (words.get("model") or "") != (system["hardware"] or ""):
        differing.add((name, "model"))
    # With "HiveOS" before it, or a build behind it.
    if system["version"] not in words.get("firmware", ""):
        differing.add((name, "firmware"))
    explained = {key: why for key, why in WORD_DIFFERENCES.items() if key[0] == name}
    assert differing == explained.keys()
    for (_, field), why in explained.items():
        if why is IN_DESCR:
            told = system["hardware" if field == "model" else "version"].split()[-1]
            assert told in words["descr"]


# Recording and ifIndex of ports with another state than LibreNMS has, and why.
PORT_DIFFERENCES = {
    ("airos-af", "3"): "ifOperStatus is down(2) in the recording itself",
}
# As LibreNMS and as IF-MIB call the types that are ports.
PHYSICAL = {
    "ethernetCsmacd",
    "iso88023Csmacd",
    "fastEther",
    "fastEtherFX",
    "gigabitEthernet",
}


@pytest.mark.parametrize("name", NAMES)
async def test_ports_have_the_expected_states_and_speeds(
    recordings: Path, name: str
) -> None:
    result = decode(await read(recordings, name))
    (table,) = [table for table in result.tables if table.result == "port"]
    found = {
        row.parts["port"]: (
            row.numbers["oper_up"] == 1,
            row.numbers["speed_bps"],
        )
        for row in table.rows
    }
    wanted = {
        str(port["ifIndex"]): (port["ifOperStatus"] == "up", port["ifSpeed"] or None)
        for port in expected(recordings, name)["ports"]
        if port["ifType"] in PHYSICAL
    }
    differing = {key for key in wanted if found.get(key) != wanted[key]}
    assert differing == {key for device, key in PORT_DIFFERENCES if device == name}


def garbled(rows: list[RawRow], seed: int) -> list[RawRow]:
    """Return a device that says the same objects with other values, some not at all."""
    chance = random.Random(seed)
    odd = [
        ("4", "Stra\u00dfe".encode("latin-1")),
        ("4", b"\x00\xff\xfe\x80"),
        ("4", b""),
        ("4", b"1e999"),
        ("4", b"nan"),
        ("2", b"-2147483648"),
        ("2", b"2147483647"),
        ("70", str(2**64 - 1).encode()),
        ("2", b"0"),
        ("6", b"1.3.6.1"),
    ]
    changed = []
    for key, tag, value in rows:
        fate = chance.random()
        if key[:7] == (1, 3, 6, 1, 2, 1, 1) or fate < 0.6:
            changed.append((key, tag, value))
        elif fate < 0.8:
            changed.append((key, *chance.choice(odd)))
        elif fate < 0.85:
            # An index that is longer than it should be.
            changed.append(((*key, 7), tag, value))
    return sorted(changed)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", NAMES)
async def test_a_device_that_talks_nonsense_gives_less_but_nothing_impossible(
    recordings: Path, name: str, seed: int
) -> None:
    link = RecordedLink(garbled(read_recording(recordings / f"{name}.snmprec"), seed))
    session = GuardedSession(
        link, clock=SystemClock(), timing=Timing(), always_up=False
    )
    reading = await read_device(
        session, load_platforms(), clock=SystemClock(), budget_s=60.0
    )
    device = Device(
        id="d1",
        building_id="b1",
        kind=DeviceKind.CONTROLLER,
        name="d1",
        address="x",
        line_id="b1-main",
    )
    records, known = to_records(device, [], decode(reading), Known())
    again, _ = to_records(device, [], decode(reading), known)
    tags = [(record.kind, *sorted(record.tags.items())) for record in records]
    assert len(set(tags)) == len(tags)
    assert len(again) == len(records)
    for record in records:
        for metric in KINDS[record.kind].metrics:
            value = record.values.get(metric.name)
            assert value is None or metric.low <= value <= metric.high
        assert all(
            len(word) <= 256 for word in (*record.info.values(), *record.tags.values())
        )
