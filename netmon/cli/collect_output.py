"""What one polled device looks like on the screen, as JSON, and explained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from collectors.decode import Row, TableResult
from collectors.matching import match_points
from collectors.read import Reading
from collectors.records import DeviceResult
from collectors.results import KIND_OF
from collectors.wlan import counts_others
from netmon.medium import value_text
from netmon.metrics import MEDIUM_KINDS
from netmon.model import AccessPoint
from netmon.spool_record import SpoolRecord
from netmon.texts import NO_VALUE, Texts


def as_text(
    texts: Texts, name: str, result: DeviceResult, planned: Sequence[AccessPoint]
) -> str:
    """Return what a device said, in words."""
    return "\n".join(_lines(texts, name, result, planned))


def as_json(
    name: str,
    object_id: str,
    result: DeviceResult,
    records: Sequence[SpoolRecord],
) -> str:
    """Return it as one JSON object; numbers are in the units of the catalogue.

    ``object_id`` is its sysObjectID, empty where it is not known.
    """
    return msgspec.json.encode(
        {
            "device": name,
            "failure": result.failure,
            "reason": result.reason,
            "platform": result.platform or None,
            "sys_object_id": object_id or None,
            "uptime_s": result.uptime_s,
            "poll_duration_s": round(result.duration_s, 6),
            "info": result.words,
            "tables": {
                table.name: {
                    "complete": table.complete,
                    "rows": [
                        # Parts of an index may be hardware addresses: not shown.
                        {**row.words, **row.numbers}
                        for row in table.rows
                    ],
                }
                for table in result.tables
            },
            "records": records,
        }
    ).decode()


def explained(texts: Texts, reading: Reading, records: int) -> str:
    """Return what was asked and how much came."""
    return "\n".join(_explanation(texts, reading, records))


def _explanation(texts: Texts, reading: Reading, records: int) -> Iterator[str]:
    if reading.platform is not None:
        yield texts(
            "collect.explain.object_id",
            oid=reading.sys_object_id or NO_VALUE,
            platform=reading.platform.name,
        )
        for table in reading.platform.tables:
            yield texts("collect.explain.table", table=table.name)
            found = reading.tables.get(table.name)
            for column in table.columns if found else ():
                yield _column(texts, reading, table.name, column.field, column.oid)
    yield texts("collect.explain.records", n=records)


def _column(texts: Texts, reading: Reading, table: str, field: str, oid: str) -> str:
    found = reading.tables[table]
    if oid in found.failures:
        reason = texts(f"failure.{found.failures[oid]}")
        return texts(
            "collect.explain.column_failed", field=field, oid=oid, reason=reason
        )
    if oid not in found.columns:
        return texts("collect.explain.column_skipped", field=field, oid=oid)
    n = len(found.columns[oid])
    return texts("collect.explain.column", field=field, oid=oid, n=n)


def _lines(
    texts: Texts, name: str, result: DeviceResult, planned: Sequence[AccessPoint]
) -> Iterator[str]:
    if result.failure is not None:
        reason = texts(f"failure.{result.failure}")
        yield texts("collect.failed", device=name, reason=reason)
        if result.reason:
            yield texts("collect.failed_detail", detail=result.reason)
        return
    duration = texts.milliseconds(result.duration_s)
    yield texts("collect.polled", device=name, duration=duration)
    uptime = texts.duration(result.uptime_s)
    yield texts("collect.platform", platform=result.platform, uptime=uptime)
    for word, text in result.words.items():
        yield texts("collect.word", name=word, text=text)
    tables = {table.result: table for table in result.tables}
    if (points := tables.get("access_point")) is not None:
        alone = not counts_others(result.tables)
        matched = match_points(points.rows, planned, alone=alone)
        ids = {plan.id for plan in matched.values()}
        missing = [plan.name for plan in planned if plan.id not in ids]
        yield from _points(texts, points, tables.get("radio"), missing)
    if (networks := tables.get("network")) is not None:
        yield texts("collect.networks", n=len(networks.rows))
        for row in networks.rows:
            clients = texts.number(row.numbers.get("clients_count"))
            yield texts("collect.network", name=row.words["name"], clients=clients)
        yield from _trouble(texts, networks)
    for table in result.tables:
        if KIND_OF[table.result] in MEDIUM_KINDS:
            yield from _medium(texts, table)
    if (ports := tables.get("port")) is not None:
        yield from _ports(texts, ports)


def _medium(texts: Texts, table: TableResult) -> Iterator[str]:
    """Return what a device tells of a line; a table it has not is no word worth."""
    if table.rows:
        kind = texts(f"medium.kind.{KIND_OF[table.result]}")
        yield texts("collect.medium", kind=kind, n=len(table.rows))
    for row in table.rows:
        told = [
            f"{texts(f'medium.metric.{name}')} {value_text(name, value, texts)}"
            for name, value in row.numbers.items()
            if value is not None
        ]
        name = row.words.get("name") or ".".join(row.parts.values())
        if "." in name and not row.words.get("name"):
            name = NO_VALUE  # a hardware address
        yield texts("collect.medium_row", name=name, values="; ".join(told))
    if table.rows or not table.complete:
        yield from _trouble(texts, table)


def _points(
    texts: Texts,
    points: TableResult,
    radios: TableResult | None,
    missing: Sequence[str],
) -> Iterator[str]:
    yield texts("collect.points", n=len(points.rows))
    of_point: dict[str, list[Row]] = {}
    for radio in radios.rows if radios else ():
        of_point.setdefault(radio.parts["ap"], []).append(radio)
    for row in sorted(points.rows, key=lambda row: row.words.get("name", "")):
        own = of_point.get(row.parts["ap"], [])
        yield _point(texts, row, own)
        for radio in own:
            yield _radio(texts, radio)
    if missing:
        yield texts("collect.missing_points", names=", ".join(missing))
    yield from _trouble(texts, points)
    if radios is not None:
        yield from _trouble(texts, radios)


def _point(texts: Texts, row: Row, radios: Sequence[Row]) -> str:
    up = row.numbers.get("up")
    state = "unknown" if up is None else "up" if up else "down"
    counts = [radio.numbers.get("clients_count") for radio in radios]
    known = [count for count in counts if count is not None]
    return texts(
        f"collect.point_{state}",
        name=row.words.get("name") or NO_VALUE,
        model=row.words.get("model") or NO_VALUE,
        serial=row.words.get("serial") or NO_VALUE,
        clients=texts.number(sum(known)) if known else NO_VALUE,
        uptime=texts.duration(row.numbers.get("uptime_s")),
    )


def _radio(texts: Texts, row: Row) -> str:
    numbers = row.numbers
    return texts(
        "collect.radio",
        radio=row.parts["radio"],
        channel=texts.number(numbers.get("channel")),
        clients=texts.number(numbers.get("clients_count")),
        utilisation=texts.percent(numbers.get("utilisation_ratio"), 0),
        noise=texts.number(numbers.get("noise_dbm")),
        power=texts.number(numbers.get("tx_power_dbm")),
    )


def _ports(texts: Texts, ports: TableResult) -> Iterator[str]:
    connected = sum(1 for row in ports.rows if row.numbers.get("oper_up"))
    yield texts("collect.ports", n=len(ports.rows), up=connected)
    for row in ports.rows:
        yield texts(
            "collect.port",
            name=row.words.get("name") or row.parts["port"],
            state=texts(f"collect.port_{_port_state(row)}"),
            speed=texts.rate(row.numbers.get("speed_bps")),
            received=texts.number(row.numbers.get("in_octets_total")),
            sent=texts.number(row.numbers.get("out_octets_total")),
            alias=row.words.get("alias", ""),
        ).rstrip()
    yield from _trouble(texts, ports)


def _port_state(row: Row) -> str:
    if row.numbers.get("admin_up") == 0:
        return "off"
    up = row.numbers.get("oper_up")
    return "unknown" if up is None else "up" if up else "down"


def _trouble(texts: Texts, table: TableResult) -> Iterator[str]:
    if not table.complete:
        yield texts("collect.incomplete")
    for remark in table.remarks:
        text = texts(f"collect.remark.{remark.key}", **remark.values)
        yield texts("collect.remark_line", text=text)
