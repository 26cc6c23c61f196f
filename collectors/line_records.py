"""Records about the medium of the line that a device ends: pure.

Only devices the inventory gives a line make them. What did not come is a
failure for the things known from earlier polls, as everywhere; a link that is
down has no rate, whatever the device still remembers of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from collectors.decode import Row, TableResult
from collectors.results import KIND_OF, ResultKind
from netmon.metrics import KINDS
from netmon.model import Device, FailureReason
from netmon.spool_record import SpoolRecord

Tags = Mapping[str, str]
# Kind and tags of one thing that was seen.
KnownLine = tuple[str, Tags]

_RESULTS: tuple[ResultKind, ...] = ("dsl", "optics", "radio_link")
_TAG = {"line_dsl": "port", "line_optics": "port", "line_radio": "radio"}
_SNR = next(metric for metric in KINDS["line_radio"].metrics if metric.name == "snr_db")
# What still means something while there is no synchronisation or no link.
_KEPT_WHILE_DOWN = {"up", "resyncs_day_count", "tx_power_dbm", "noise_dbm"}


def line_records(
    device: Device,
    tables: Sequence[TableResult],
    at_ms: int,
    known: Sequence[KnownLine],
) -> tuple[list[SpoolRecord], tuple[KnownLine, ...]]:
    """Return the records of a poll that was answered, and what is known after it."""
    if device.line_id is None or device.building_id is None:
        return [], ()
    base = {
        "building": device.building_id,
        "device": device.id,
        "line": device.line_id,
    }
    records: list[SpoolRecord] = []
    known_now: list[KnownLine] = []
    ports = [row for table in tables if table.result == "port" for row in table.rows]
    for result in _RESULTS:
        own = [table for table in tables if table.result == result]
        if not own:
            continue
        kind = KIND_OF[result] or ""
        before = [tags for name, tags in known if name == kind]
        rows = _named([row for table in own for row in table.rows], ports)
        if kind == "line_dsl":
            rows = fold(rows)
        rows = _carrying(rows, device.line_port, ports, _names(before, kind))
        complete = all(table.complete for table in own)
        made = [
            _record(kind, tags, row, at_ms) for tags, row in _tagged(kind, base, rows)
        ]
        if before and not _names_came(tables, own):
            # Under another name it would be another thing.
            made, complete = [r for r in made if r.tags in before], False
        if complete and not rows and any(table.none_is_down for table in own):
            gone = Row({}, {"up": 0.0}, {})
            made = [_record(kind, tags, gone, at_ms) for tags in before]
        seen = [record.tags for record in made]
        lost = [] if complete else [tags for tags in before if tags not in seen]
        if not made and not before and not complete and kind == "line_dsl":
            lost = [base]
        records += made
        records += [_failed(kind, tags, at_ms, FailureReason.PARTIAL) for tags in lost]
        known_now += [(kind, tags) for tags in (*seen, *lost)]
    return records, tuple(known_now)


def fold(rows: Sequence[Row]) -> list[Row]:
    """Return rows that complete each other as one.

    Some agents number a line and its channel as two interfaces, so that one row
    has the margins and the other one the rates.
    """
    by_part: dict[str, Row] = {}
    for row in rows:
        # A router with several modems in the same place uses one of them.
        if _part(row) not in by_part or row.numbers.get("up") == 1:
            by_part[_part(row)] = row
    rows = list(by_part.values())
    if len(rows) < 2:
        return rows
    merged: dict[str, float | None] = dict(rows[0].numbers)
    for row in rows[1:]:
        for name, value in row.numbers.items():
            if value is None or name == "up":
                continue
            if merged.get(name) is not None:
                return rows
            merged[name] = value
    words = {"name": next((r.words["name"] for r in rows if r.words.get("name")), "")}
    return [Row(rows[0].parts, merged, words)]


def _named(rows: Iterable[Row], ports: Sequence[Row]) -> list[Row]:
    """Return the rows with the name of their interface where they have none."""
    names = {row.parts["port"]: row.words.get("name", "") for row in ports}
    return [
        row
        if row.words.get("name") or "port" not in row.parts
        else Row(row.parts, row.numbers, {"name": names.get(_part(row), "")})
        for row in rows
    ]


def _names_came(tables: Iterable[TableResult], own: Sequence[TableResult]) -> bool:
    lost = [
        remark
        for table in own
        for remark in table.remarks
        if remark.key == "lost_column" and remark.values.get("field") == "name"
    ]
    return not lost and all(
        table.complete for table in tables if table.result == "port"
    )


def _part(row: Row) -> str:
    return next(iter(row.parts.values()))


def _names(tags: Iterable[Tags], kind: str) -> set[str]:
    return {each[_TAG[kind]] for each in tags if _TAG[kind] in each}


def _carrying(
    rows: Sequence[Row], wanted: str, ports: Sequence[Row], before: set[str]
) -> list[Row]:
    """Return the rows that tell of the line.

    The inventory decides. Where it does not, and there is a choice, a port that
    is down carries nothing, unless it did before.
    """
    if wanted:
        named = wanted.casefold()
        return [
            row
            for row in rows
            if named in {row.words.get("name", "").casefold(), _part(row).casefold()}
        ]
    if len(rows) < 2:
        return list(rows)
    down = {row.parts["port"] for row in ports if row.numbers.get("oper_up") == 0}
    return [
        row
        for row in rows
        if "port" not in row.parts
        or row.parts["port"] not in down
        or before & {row.words.get("name", ""), _part(row)}
    ]


def _tagged(
    kind: str, base: Tags, rows: Sequence[Row]
) -> Iterable[tuple[dict[str, str], Row]]:
    names = [row.words.get("name", "") for row in rows]
    for number, (row, name) in enumerate(zip(rows, names, strict=True), start=1):
        if kind == "line_dsl" and len(rows) == 1:
            yield dict(base), row
            continue
        # A part of several numbers is a hardware address: it stays here.
        part = str(number) if "." in _part(row) else _part(row)
        unique = name if name and names.count(name) == 1 else part
        yield {**base, _TAG[kind]: unique}, row


def _record(kind: str, tags: Tags, row: Row, at_ms: int) -> SpoolRecord:
    values = {m.name: row.numbers.get(m.name) for m in KINDS[kind].metrics}
    if values.get("up") == 0:
        values = {
            name: value if name in _KEPT_WHILE_DOWN or name.endswith("_total") else None
            for name, value in values.items()
        }
    level, noise = values.get("rx_level_dbm"), values.get("noise_dbm")
    if (
        kind == "line_radio"
        and values["snr_db"] is None
        and level is not None
        and noise is not None
        and _SNR.low <= level - noise <= _SNR.high
    ):
        values["snr_db"] = level - noise
    if all(value is None for value in values.values()):
        return _failed(kind, tags, at_ms, FailureReason.UNSUPPORTED)
    name = row.words.get("name", "")
    info = {"name": name} if name else {}
    return SpoolRecord(
        kind=kind, tags=dict(tags), ts_ms=at_ms, values=values, info=info
    )


def _failed(kind: str, tags: Tags, at_ms: int, reason: FailureReason) -> SpoolRecord:
    return SpoolRecord(kind=kind, tags=dict(tags), ts_ms=at_ms, failure=reason)
