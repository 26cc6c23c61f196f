"""Every recording with one column gone wrong: less is said, and nothing else.

Each column that a platform asks for is lost, broken off, emptied, filled with text or
told under another index. What is still said of a row is what was said before; tables
that do not use the column are untouched; and nobody is called down for it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.asker import Asker, Asking
from collectors.base import Timing, oid_key
from collectors.guards import GuardedSession
from collectors.meaning import decode
from collectors.plan import Planner
from collectors.platform_model import Platform
from collectors.platforms import load_platforms
from collectors.read import read_device
from collectors.recorded import RawRow, RecordedLink, read_recording
from collectors.records import DeviceResult, Known, to_records
from collectors.tally import Tally
from netmon.clock import ManualClock, SystemClock
from netmon.metrics import KINDS
from netmon.model import AccessPoint, Device, DeviceKind
from netmon.spool_record import SpoolRecord

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
SYSTEM = (1, 3, 6, 1, 2, 1, 1)
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


def users_of(platform: Platform) -> dict[str, set[str]]:
    """Return what kinds of tables each column is asked for."""
    users: dict[str, set[str]] = {}
    for table in platform.tables:
        for column in table.columns:
            users.setdefault(column.oid, set()).add(table.result)
    return users


def needed(rows: list[RawRow], oids: Iterable[str]) -> list[RawRow]:
    """Return what is asked for, of large switches a quarter of the ports."""
    roots = [SYSTEM, *map(oid_key, oids)]
    keys = {row[0] for root in roots for row in rows if row[0][: len(root)] == root}
    found = [row for row in rows if row[0] in keys]
    if len(found) <= 1_000:
        return found
    return [row for row in found if row[0][:7] == SYSTEM or row[0][-1] % 4 == 1]


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
    recorded = read_recording(recordings / f"{name}.snmprec")
    platform, _ = await asked(recorded)
    users = users_of(platform)
    rows = needed(thinned(name, recorded), users)
    _, whole = await asked(rows)
    before, plans = cells(whole), planned(whole)
    known_down = down(to_records(DEVICE, plans, whole, Known())[0])
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
            touched = results | {kind for kind, by in JOINED.items() if by & results}
            others = {table.name: table for table in told.tables}
            for table in whole.tables:
                if table.name == "sensor_optics" or table.result in touched:
                    continue
                # Some tables are asked for only beside another one.
                assert others.get(table.name, table) == table, where
            if how != "all text":
                # A text is another name, and one by another name is another one.
                records, _ = to_records(DEVICE, plans, told, Known())
                assert down(records) <= known_down, where


# Numbers at and behind all ends, and texts where numbers are wanted.
ODD: list[tuple[str, bytes]] = [
    *(("2", str(sign * 2**bits).encode()) for bits in (0, 31, 63) for sign in (1, -1)),
    ("2", b"0"),
    ("2", b"99"),
    ("2", str(10**30).encode()),
    ("65", str(2**32 - 1).encode()),
    ("70", str(2**64 - 1).encode()),
    ("4", b""),
    ("4", TEXT),
    ("4", b"1e308"),
    ("4", b"1,2,3"),
    ("4", b"A" * 5000),
    ("6", b"1.3.6.1.2.1.2.2.1.1.99"),
]


def garbled(rows: list[RawRow], chance: random.Random, share: float) -> list[RawRow]:
    """Return a device of which a share of all objects says something else, or is gone."""
    changed: dict[tuple[int, ...], RawRow] = {}
    for key, tag, value in rows:
        fate = 1.0 if key[:7] == SYSTEM else chance.random() / share
        if fate < 0.7:
            changed[key] = (key, *chance.choice(ODD))
        elif 0.8 <= fate < 0.9:
            other = (*key[:-1], key[-1] + chance.choice((1, 7, 2**31)))
            changed[other] = (other, tag, value)
        elif fate >= 0.9:
            changed[key] = (key, tag, value)
    return [changed[key] for key in sorted(changed)]


@pytest.mark.parametrize("name", NAMES)
async def test_nonsense_from_poll_to_poll_never_leaves_the_collector(
    recordings: Path, name: str
) -> None:
    """By plan and in full: no crash, no number that the door would refuse."""
    rows = thinned(name, read_recording(recordings / f"{name}.snmprec"))
    chance = random.Random(name)
    clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
    asker = Asker(Asking(load_platforms(), Planner(), Tally(), clock, 60.0))
    plans = [AccessPoint(id="p", building_id="b1", name="AP", controller_id="d1")]
    known = Known()
    for share in (0.02, 0.02, 0.4, 0.4, 0.02):
        link = RecordedLink(garbled(rows, chance, share))
        session = GuardedSession(link, clock=clock, timing=Timing(), always_up=False)
        result = await asker.ask(DEVICE, session)
        records, known = to_records(DEVICE, plans, result, known)
        tags = [(record.kind, *sorted(record.tags.items())) for record in records]
        assert len(set(tags)) == len(tags)
        for record in records:
            for metric in KINDS[record.kind].metrics:
                value = record.values.get(metric.name)
                assert value is None or metric.low <= value <= metric.high
        clock.advance(60.0)
