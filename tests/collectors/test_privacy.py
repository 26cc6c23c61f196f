"""Counts only: nothing of a client leaves a collector, in records, words or logs.

Every recording is played; what comes out is searched for everything in the
recording that belongs to clients, and for hardware and network addresses at all.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import pytest

from collectors.lan import with_lan
from collectors.platforms import load_platforms
from collectors.poll import decode
from collectors.read import read_device
from collectors.recorded import read_recording
from collectors.records import Known, to_records
from collectors.snmp import open_recording
from netmon.clock import SystemClock
from netmon.model import Device, DeviceKind

HERE = Path(__file__).parent / "data"
DEVICE = Device(
    id="d1",
    building_id="b1",
    kind=DeviceKind.CONTROLLER,
    name="d1",
    address="127.0.0.1:161",
    line_id="b1-main",
)
MAC = re.compile(
    r"(?<![0-9a-f])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![0-9a-f])", re.IGNORECASE
)
MAC_DOTTED = re.compile(r"(?<![\d.])(?:\d{1,3}\.){5}\d{1,3}(?![\d.])")
# Four numbers that no version has: versions are told as such and left out.
IP = re.compile(r"(?<![\d.])(?:10|127|169|172|192)\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])")
# Tables with a row for each client or address: what stands in them must not come out.
CLIENTS = (
    "1.3.6.1.2.1.4.22.1.",
    "1.3.6.1.2.1.4.35.1.",
    "1.3.6.1.2.1.17.4.3.1.",
    "1.3.6.1.2.1.17.7.1.2.2.1.",
    "1.3.6.1.4.1.2356.11.1.3.44.1.",
    "1.3.6.1.4.1.2356.13.1.3.32.1.",
    "1.3.6.1.4.1.14179.2.1.4.1.",
    "1.3.6.1.4.1.14823.2.3.3.1.2.4.1.",
    "1.3.6.1.4.1.41112.1.4.7.1.",
)


def recordings() -> list[Path]:
    shared = Path(os.environ.get("NETMON_SHARED", HERE.parents[3] / "shared"))
    return [
        *sorted(HERE.glob("*.snmprec")),
        *sorted((shared / "devices").glob("*.snmprec")),
    ]


def client_addresses(path: Path) -> set[str]:
    """Return the addresses in client tables, as they could be written."""
    found = set()
    for key, _, value in read_recording(path):
        oid = ".".join(map(str, key))
        if not oid.startswith(CLIENTS):
            continue
        for octets in (value, bytes(k for k in key[-6:] if k < 256)):
            if len(octets) == 6:
                found |= {octets.hex(":"), octets.hex("-"), octets.hex()}
                found.add(".".join(map(str, octets)))
    return found - {
        "",
        "00:00:00:00:00:00",
        "00-00-00-00-00-00",
        "0" * 12,
        "0.0.0.0.0.0",
    }


@pytest.mark.parametrize("path", recordings(), ids=lambda path: path.stem)
async def test_nothing_of_a_client_comes_out(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session = open_recording(path, clock=SystemClock())
    reading = await read_device(
        session, load_platforms(), clock=SystemClock(), budget_s=60.0
    )
    result = decode(reading)
    records, known = to_records(DEVICE, [], result, Known())
    assert records
    chassis = {record.info.pop("neighbour_chassis", "") for record in records}
    chassis |= {record.info.pop("neighbour_port", "") for record in records}
    for record in records:
        # "9.0.0.0.0.295" is a version.
        record.info.pop("firmware", None)
    said = "\n".join(
        [
            *(repr((record.kind, record.tags, record.info)) for record in records),
            repr(known),
            *(record.getMessage() for record in caplog.records),
        ]
    ).lower()
    assert not MAC.search(said)
    assert not MAC_DOTTED.search(said)
    assert not IP.search(said)
    clients = client_addresses(path)
    assert not [address for address in clients if address in said]
    # A neighbour may show its address, but it must be no client's.
    assert not {text.lower() for text in chassis} & clients


NEIGHBOURS = "1.0.8802.1.1.2.1.4.1.1"


async def test_an_endpoint_on_a_port_is_dropped(tmp_path: Path) -> None:
    rows = [
        "1.3.6.1.2.1.1.1.0|4|Switch",
        "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.32473.9",
        "1.3.6.1.2.1.1.3.0|67|4200",
    ]
    # An access point, a switch, a telephone (which has a bridge too), a computer, a
    # computer that runs a bridge beside being a station, and one that says nothing.
    said = {1: "10", 2: "28", 3: "24", 4: "01", 5: "21", 6: ""}
    for port, bits in said.items():
        rows += [
            f"1.3.6.1.2.1.2.2.1.3.{port}|2|6",
            f"1.3.6.1.2.1.2.2.1.8.{port}|2|1",
            f"1.3.6.1.2.1.31.1.1.1.1.{port}|4|Gi1/0/{port}",
            f"1.3.6.1.2.1.17.1.4.1.2.{port}|2|{port}",
            f"{NEIGHBOURS}.5.0.{port}.1|4x|02000000000{port}",
            f"{NEIGHBOURS}.7.0.{port}.1|4x|02000000001{port}",
            f"{NEIGHBOURS}.9.0.{port}.1|4|name-{port}",
            f"{NEIGHBOURS}.12.0.{port}.1|4x|{bits}",
        ]
    path = tmp_path / "switch.snmprec"
    path.write_text("\n".join(rows), encoding="utf-8")
    session = open_recording(path, clock=SystemClock())
    result = decode(
        await read_device(session, load_platforms(), clock=SystemClock(), budget_s=9.0)
    )
    names = {
        row.parts["port"]: row.words.get("neighbour")
        for table in with_lan(result.tables)
        if table.result == "port"
        for row in table.rows
    }
    assert names == {
        "1": "name-1",
        "2": "name-2",
        "3": None,
        "4": None,
        "5": None,
        "6": None,
    }
    kept = repr(result)
    assert not [port for port in range(3, 7) if f"name-{port}" in kept]
    assert not [port for port in range(3, 7) if f"02:00:00:00:00:0{port}" in kept]
