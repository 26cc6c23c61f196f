"""From decoded tables to the records that travel: pure, and sure of what silence means.

A device that did not answer says nothing about its parts: one failure record
for the device, none for its children, so that they become stale and never
"down". A planned access point that is missing in a table read to the end is
down; where the table did not come it is a failure without a number.

A controller without building (it serves several) is reported in each building
it has access points in; what it shows that is nowhere planned has no building
and makes no record. A device that is an access point itself is up if it answers, and
its silence is the access point's. An access point that has joined another controller than the
planned one is reported by that one (`collectors.hosts`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collectors.decode import Row, TableResult
from collectors.hosts import ALONE, Roster
from collectors.line_records import KnownLine, line_records
from collectors.matching import (
    match_points,
    may_be,
    shown_twice,
    without_standbys,
)
from collectors.wlan import (
    OWN_AP,
    bare_points,
    checked_points,
    controller_totals,
    counts_others,
    total,
)
from netmon.metrics import KINDS
from netmon.model import AccessPoint, Device, DeviceKind, FailureReason
from netmon.spool_record import SpoolRecord

_AP_WORDS = ("name", "model", "serial", "firmware")
_PORT_WORDS = ("alias", "neighbour", "neighbour_port", "neighbour_chassis")
# How access points call their sockets; bridges and virtual interfaces are told as
# Ethernet too.
_SOCKET = re.compile(r"(eth|lan|ge|uplink)[-_ ]?\d*$", re.IGNORECASE)

Tags = Mapping[str, str]
_AP_NUMBERS = tuple(metric.name for metric in KINDS["wlan_ap"].metrics)
_ANSWERS = {**dict.fromkeys(_AP_NUMBERS), "up": 1.0}


@dataclass(frozen=True, slots=True)
class DeviceResult:
    """One poll of one device, decoded.

    ``failure`` is set where the device did not answer; then ``tables`` is empty.
    """

    at_ms: int
    duration_s: float
    failure: FailureReason | None = None
    reason: str = ""
    platform: str = ""
    uptime_s: float | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[TableResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What the last complete polls of a device found: tags of radios, ports, lines.

    Without it nobody could tell whose numbers are missing when a table fails.
    ``up`` are the planned access points that the last poll showed up, ``twice`` those
    that others showed up as well, or whose name one bears here.
    """

    radios: tuple[Tags, ...] = ()
    ports: tuple[Tags, ...] = ()
    lines: tuple[KnownLine, ...] = ()
    up: frozenset[str] = frozenset()
    twice: frozenset[str] = frozenset()


def to_records(
    device: Device,
    planned: Sequence[AccessPoint],
    result: DeviceResult,
    known: Known,
    roster: Roster = ALONE,
) -> tuple[list[SpoolRecord], Known]:
    """Return the records of one poll, and what is known after it.

    ``planned`` are the access points the inventory gives this controller, ``roster``
    says who of other controllers' may be there.
    """
    home = device.building_id
    if result.failure is not None:
        alone = device.kind is DeviceKind.ACCESS_POINT
        homes = _homes(home, (*planned, *roster.guests))
        failed = [_device(device, building, result) for building in homes]
        for plan in planned if alone else ():
            tags = _tags(device, plan)
            failed.append(_failed("wlan_ap", tags, result.at_ms, result.failure))
        return failed, known
    tables = {table.result: table for table in result.tables}
    ports = tables.get("port")
    records, known, visitors = _wlan(device, planned, result, known, roster)
    homes = _homes(home, (*planned, *roster.guests, *visitors))
    about = [_device(device, building, result) for building in homes]
    if totals := controller_totals(result.tables):
        about += [
            _measured("wlan_controller", record.tags, result.at_ms, totals, {})
            for record in about[:]
        ]
    records = about + records
    if home and ports is not None:
        made, tags_now = _ports(device.id, home, ports, known, result.at_ms)
        records += made
        known = replace(known, ports=tags_now)
    made, lines = line_records(device, result.tables, result.at_ms, known.lines)
    return records + made, replace(known, lines=lines)


def _wlan(
    device: Device,
    planned: Sequence[AccessPoint],
    result: DeviceResult,
    known: Known,
    roster: Roster,
) -> tuple[list[SpoolRecord], Known, Sequence[AccessPoint]]:
    """Return records of access points and radios, and the planned ones that are up."""
    known = replace(known, up=frozenset(), twice=frozenset())
    tables = {table.result: table for table in result.tables}
    radios, points = tables.get("radio"), checked_points(result.tables)
    alone = device.kind is DeviceKind.ACCESS_POINT
    if alone and (points is None or not match_points(points.rows, planned)):
        # Its own table is hidden, or told by another one.
        records = [
            _measured("wlan_ap", _tags(device, plan), result.at_ms, _ANSWERS, {})
            for plan in planned
        ]
        return records, known, ()
    if points is None:
        return [], known, ()
    points = _with_uplink(points, tables.get("port"))
    itself = not counts_others(result.tables)
    matched = match_points(points.rows, planned, roster, alone=itself)
    twice = shown_twice(points.rows, matched, planned, roster)
    rows = without_standbys(points.rows, matched, planned, roster)
    points = replace(points, rows=rows)
    records, named = _points(
        device, planned, points, radios, matched, roster, result.at_ms
    )
    is_up = [row.parts["ap"] for row in rows if row.numbers.get("up") == 1]
    up = [matched[index] for index in is_up if index in matched]
    known = replace(known, up=frozenset(plan.id for plan in up), twice=twice)
    if radios is not None:
        # Radios of a point that did not come have lost their name with it. If all
        # came, only those of a point that is up and shows none are not gone.
        before = known.radios
        if radios.complete and points.complete:
            bare = bare_points(result.tables).intersection(named)
            aps = {named[index]["ap"] for index in bare}
            before = tuple(tags for tags in before if tags["ap"] in aps)
        made, tags_now = _radios(radios.rows, named, before, result.at_ms)
        records += made
        known = replace(known, radios=tags_now)
    return records, known, up


def _homes(home: str | None, points: Iterable[AccessPoint]) -> list[str]:
    """Return the buildings of which a device tells."""
    return [home] if home else list(dict.fromkeys(plan.building_id for plan in points))


def _device(device: Device, building: str, result: DeviceResult) -> SpoolRecord:
    tags = {"building": building, "device": device.id}
    if result.failure is not None:
        return _failed("device", tags, result.at_ms, result.failure)
    numbers = {
        "up": 1.0,
        "uptime_s": result.uptime_s,
        "poll_duration_s": result.duration_s,
    }
    return _measured("device", tags, result.at_ms, numbers, result.words)


def _points(
    device: Device,
    planned: Sequence[AccessPoint],
    points: TableResult,
    radios: TableResult | None,
    matched: Mapping[str, AccessPoint],
    roster: Roster,
    at_ms: int,
) -> tuple[list[SpoolRecord], dict[str, Tags]]:
    """Return records of access points, and the tags of each row's index."""
    records = []
    named: dict[str, Tags] = {}
    used: set[str] = set()
    speaks_of = [
        plan for plan in (*planned, *roster.guests) if plan.id not in roster.away
    ]
    spoken_of = {plan.id for plan in speaks_of}
    for row in points.rows:
        plan = matched.get(row.parts["ap"])
        building = plan.building_id if plan else device.building_id
        up = row.numbers.get("up")
        # What is down here and was up elsewhere is a place it has left.
        if building is None or (plan and up != 1 and plan.id not in spoken_of):
            continue
        tag = plan.id if plan else _free_tag(device.id, row, used)
        used.add(tag)
        tags: Tags = {"building": building, "device": device.id, "ap": tag}
        named[row.parts["ap"]] = tags
        numbers = dict.fromkeys(_AP_NUMBERS)
        if up != 0:
            numbers = {name: row.numbers.get(name) for name in _AP_NUMBERS}
            if numbers["clients_count"] is None:
                numbers["clients_count"] = _clients(row.parts["ap"], radios)
        numbers["up"] = up
        words = {name: row.words.get(name, "") for name in _AP_WORDS}
        records.append(_measured("wlan_ap", tags, at_ms, numbers, words))
    left = [row for row in points.rows if row.parts["ap"] not in matched]
    for plan in speaks_of:
        if plan.id in used:
            continue
        tags = _tags(device, plan)
        if points.complete and not any(may_be(row, plan) for row in left):
            numbers = {**dict.fromkeys(_AP_NUMBERS), "up": 0.0}
            words = {"name": plan.name}
            records.append(_measured("wlan_ap", tags, at_ms, numbers, words))
        else:
            records.append(_failed("wlan_ap", tags, at_ms, FailureReason.PARTIAL))
    return records, named


def _tags(device: Device, plan: AccessPoint) -> Tags:
    return {"building": plan.building_id, "device": device.id, "ap": plan.id}


def _with_uplink(points: TableResult, ports: TableResult | None) -> TableResult:
    """Return a device that is an access point itself with the speed of its port."""
    if ports is None or [row.parts["ap"] for row in points.rows] != [OWN_AP]:
        return points
    speeds = [
        row.numbers.get("speed_bps")
        for row in ports.rows
        if row.numbers.get("oper_up") == 1 and _SOCKET.match(row.words.get("name", ""))
    ]
    known = [speed for speed in speeds if speed is not None]
    (row,) = points.rows
    if not known or row.numbers.get("uplink_speed_bps") is not None:
        return points
    numbers = {**row.numbers, "uplink_speed_bps": min(known)}
    return replace(points, rows=(Row(row.parts, numbers, row.words),))


def _free_tag(device_id: str, row: Row, used: set[str]) -> str:
    """Return ``device/name``; serial or a number tell equal names apart."""
    name = row.words.get("name", "")
    serial = row.words.get("serial", "")
    for word in (name, serial):
        tag = f"{device_id}/{word}"[:128]
        if word and tag not in used:
            return tag
    number = 2
    while (tag := f"{device_id}/{name[:80] or 'AP'} #{number}") in used:
        number += 1
    return tag


def _clients(ap: str, radios: TableResult | None) -> float | None:
    """Return the clients on all radios of an access point; None if not known."""
    if radios is None or not radios.complete:
        return None
    counts = [
        row.numbers.get("clients_count") for row in radios.rows if row.parts["ap"] == ap
    ]
    return total(counts)


def _radios(
    rows: Sequence[Row],
    named: Mapping[str, Tags],
    before: tuple[Tags, ...],
    at_ms: int,
) -> tuple[list[SpoolRecord], tuple[Tags, ...]]:
    records = []
    for row in rows:
        # A radio of an access point nobody has named cannot be told apart.
        if (owner := named.get(row.parts["ap"])) is not None:
            tags = {**owner, "radio": row.parts["radio"]}
            numbers = _numbers_of("wlan_radio", row)
            records.append(_measured("wlan_radio", tags, at_ms, numbers, {}))
    return _with_lost("wlan_radio", records, complete=False, before=before, at_ms=at_ms)


def _ports(
    device_id: str, home: str, table: TableResult, known: Known, at_ms: int
) -> tuple[list[SpoolRecord], tuple[Tags, ...]]:
    names = [row.words.get("name", "") for row in table.rows]
    records = []
    once = {name for name, count in Counter(names).items() if name and count == 1}
    for row, name in zip(table.rows, names, strict=True):
        index = row.parts["port"]
        # One may be called by the number of another.
        unique = name if name in once else f"#{index}" if index in once else index
        tags = {"building": home, "device": device_id, "port": unique}
        words = {"name": name, **{w: row.words.get(w, "") for w in _PORT_WORDS}}
        numbers = _numbers_of("lan_port", row)
        records.append(_measured("lan_port", tags, at_ms, numbers, words))
    return _with_lost("lan_port", records, table.complete, known.ports, at_ms)


def _with_lost(
    kind: str,
    records: list[SpoolRecord],
    complete: bool,
    before: tuple[Tags, ...],
    at_ms: int,
) -> tuple[list[SpoolRecord], tuple[Tags, ...]]:
    """Add a failure for everything known that an incomplete table left out."""
    seen = [record.tags for record in records]
    if complete:
        return records, tuple(seen)
    lost = [dict(tags) for tags in before if tags not in seen]
    failures = [_failed(kind, tags, at_ms, FailureReason.PARTIAL) for tags in lost]
    return records + failures, (*seen, *lost)


def _numbers_of(kind: str, row: Row) -> dict[str, float | None]:
    return {metric.name: row.numbers.get(metric.name) for metric in KINDS[kind].metrics}


def _measured(
    kind: str,
    tags: Tags,
    at_ms: int,
    numbers: Mapping[str, float | None],
    words: Mapping[str, str],
) -> SpoolRecord:
    return SpoolRecord(
        kind=kind,
        tags=dict(tags),
        ts_ms=at_ms,
        values=dict(numbers),
        info={name: text for name, text in words.items() if text},
    )


def _failed(kind: str, tags: Tags, at_ms: int, reason: FailureReason) -> SpoolRecord:
    return SpoolRecord(kind=kind, tags=dict(tags), ts_ms=at_ms, failure=reason)
