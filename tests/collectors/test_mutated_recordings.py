"""Every recording with one column gone wrong: less is said, and nothing else.

Each column that a platform asks for is lost, broken off, emptied, filled with text or
told under another index. What is still said of a row is what was said before; tables
that do not use the column are untouched; and nobody is called down for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from collectors.base import Timing, oid_key
from collectors.guards import GuardedSession
from collectors.meaning import decode
from collectors.platform_model import Platform
from collectors.platforms import load_platforms
from collectors.read import read_device
from collectors.recorded import RawRow, RecordedLink, read_recording
from collectors.records import DeviceResult, Known, to_records
from netmon.clock import SystemClock
from netmon.model import AccessPoint, Device, DeviceKind
from netmon.spool import SpoolRecord

from .test_all_recordings import NAMES

DEVICE = Device(
    id="d1",
    building_id="b1",
    kind=DeviceKind.CONTROLLER,
    name="d1",
    address="x",
    line_id="b1-main",
)
# A 32-bit counter tells instead of the lost 64-bit one: another counter, no other value.
OTHER_COUNTERS = {"in_octets_total", "out_octets_total"}
# What a table tells also depends on these.
JOINED = {"port": {"poe", "neighbour", "local_port", "bridge_port"}, "radio": {"vap"}}
TEXT = "Stra\u00dfe".encode("latin-1")
# What becomes of the value at a place of a column: gone, or this text.
MUTATIONS: Mapping[str, Callable[[int, int], bytes | bool | None]] = {
    "lost": lambda _place, _length: None,
    "broken off": lambda place, length: None if place >= length // 2 else True,
    "with holes": lambda place, _length: None if place % 2 else True,
    "emptied": lambda place, _length: b"" if place % 2 == 0 else True,
    "all text": lambda _place, _length: TEXT,
}


def thinned(name: str, rows: list[RawRow]) -> list[RawRow]:
    """Return a recording of 690 access points with a few of them."""
    if name != "arubaos":
        return rows
    radios = (1, 3, 6, 1, 4, 1, 14823, 2, 2, 1, 5)
    return [row for row in rows if row[0][:11] != radios or row[0][-2] % 64 == 8]


async def asked(rows: list[RawRow]) -> tuple[Platform, DeviceResult]:
    clock = SystemClock()
    session = GuardedSession(
        RecordedLink(rows), clock=clock, timing=Timing(), always_up=False
    )
    reading = await read_device(session, load_platforms(), clock=clock, budget_s=60.0)
    assert reading.platform is not None
    return reading.platform, decode(reading)


Cells = dict[tuple[str, tuple[tuple[str, str], ...], str], float | None]


def cells(result: DeviceResult) -> Cells:
    return {
        (table.name, tuple(row.parts.items()), field): value
        for table in result.tables
        for row in table.rows
        for field, value in row.numbers.items()
    }


def planned(result: DeviceResult) -> list[AccessPoint]:
    return [
        AccessPoint(
            id=f"p{number}",
            building_id="b1",
            name=row.words.get("name", ""),
            controller_id="d1",
            serial=row.words.get("serial", ""),
        )
        for table in result.tables
        if table.result == "access_point"
        for number, row in enumerate(table.rows)
    ] or [AccessPoint(id="p0", building_id="b1", name="AP", controller_id="d1")]


def down(records: list[SpoolRecord]) -> set[str]:
    return {r.tags["ap"] for r in records if r.kind == "wlan_ap" and not r.failure} - {
        r.tags["ap"] for r in records if r.kind == "wlan_ap" and r.values.get("up") != 0
    }


def mutated(rows: list[RawRow], oid: str) -> Iterator[tuple[str, list[RawRow]]]:
    key = oid_key(oid)
    places = [p for p, row in enumerate(rows) if row[0][: len(key)] == key]
    for name, fate in MUTATIONS.items():
        fates = {p: fate(n, len(places)) for n, p in enumerate(places)}
        changed: list[RawRow] = []
        for place, row in enumerate(rows):
            became = fates.get(place, True)
            if became is True:
                changed.append(row)
            elif isinstance(became, bytes):
                changed.append((row[0], "4", became))
        yield name, changed if places else []


@pytest.mark.parametrize("name", NAMES)
async def test_a_column_gone_wrong_makes_nothing_else_wrong(
    recordings: Path, name: str
) -> None:
    rows = thinned(name, read_recording(recordings / f"{name}.snmprec"))
    platform, whole = await asked(rows)
    before, plans = cells(whole), planned(whole)
    known_down = down(to_records(DEVICE, plans, whole, Known())[0])
    users: dict[str, set[str]] = {}
    for table in platform.tables:
        for column in table.columns:
            users.setdefault(column.oid, set()).add(table.result)
    for oid, results in users.items():
        for how, changed in mutated(rows, oid):
            if not changed:
                continue
            _, told = await asked(changed)
            after = cells(told)
            where = f"{name} {oid} {how}"
            wrong = {
                key: (before[key], value)
                for key, value in after.items()
                if value is not None
                and before.get(key, value) != value
                and key[2] not in OTHER_COUNTERS
            }
            assert wrong == {}, where
            for table, other in zip(whole.tables, told.tables, strict=False):
                if table.name == other.name == "sensor_optics":
                    continue
                touched = results | {
                    kind for kind, by in JOINED.items() if by & results
                }
                if table.name == other.name and table.result not in touched:
                    assert other == table, where
            if how != "all text":
                # A text is another name, and one by another name is another one.
                records, _ = to_records(DEVICE, plans, told, Known())
                assert down(records) <= known_down, where
