"""From what a device wrote to what it means: TextFSM by netmiko, then pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files

from netmiko.utilities import clitable_to_dict
from textfsm.clitable import CliTable, CliTableError
from textfsm.parser import TextFSMError

from collectors.decode import Remark, Row, TableResult, limits_of
from collectors.results import RESULT_FIELDS, RESULT_PARTS
from collectors.ssh_model import SshColumn, SshPlatform, SshTable, folder
from collectors.values import clean_text

Record = Mapping[str, str]

_UNITS_S = {
    "y": 31_536_000,
    "w": 604_800,
    "d": 86_400,
    "h": 3600,
    "m": 60,
    "s": 1,
    "year": 31_536_000,
    "week": 604_800,
    "day": 86_400,
    "days": 86_400,
    "hour": 3600,
    "hr": 3600,
    "min": 60,
    "minute": 60,
    "sec": 1,
    "second": 1,
}
_DURATION = re.compile(r"(\d+)\s*([a-z]+)", re.IGNORECASE)


def parse(platform: SshPlatform, command: str, text: str) -> list[Record] | None:
    """Return the records in a command's output; None if no template fits it.

    Values that come several times are joined by spaces.
    """
    own = platform.template_of(command)
    try:
        if own:
            table = CliTable(template_dir=str(folder()))
            table.ParseCmd(text, {}, templates=own)
        else:
            templates = str(files("ntc_templates").joinpath("templates"))
            table = CliTable(f"{templates}/index", templates)
            asked = {"Command": command, "Platform": platform.templates}
            table.ParseCmd(text, asked)
    except (CliTableError, TextFSMError):
        # No template for the command, or one that came upon its own "Error".
        return None
    rows = clitable_to_dict(table)
    # A command that shows nothing it should is taken for one that was not understood.
    return [{k: _joined(v) for k, v in row.items()} for row in rows] or None


def facts_of(
    platform: SshPlatform, parsed: Mapping[str, Sequence[Record] | None]
) -> tuple[dict[str, str], float | None]:
    """Return words about the device, and for how many seconds it runs.

    The seconds are None where it does not say so.
    """
    words: dict[str, str] = {}
    uptime: float | None = None
    for fact in platform.facts:
        for record in parsed.get(fact.command) or ():
            text = clean_text(record.get(fact.column, "").encode())
            if not text:
                continue
            if fact.name == "uptime":
                uptime = duration_s(text)
            else:
                # A stack tells of each member; the first is the device.
                first = text.split()[0] if fact.name in _FIRST else text
                words.setdefault(fact.name, first)
    return words, uptime


_FIRST = {"model", "serial"}


def tables_of(
    platform: SshPlatform,
    parsed: Mapping[str, Sequence[Record] | None],
    texts: Mapping[str, str],
) -> list[TableResult]:
    """Return the tables of all commands that were sent."""
    done: dict[str, TableResult] = {}
    for table in platform.tables:
        result = table_of(
            table, parsed.get(table.command), texts.get(table.command, "")
        )
        if table.adds_to:
            first = done[table.adds_to]
            done[table.adds_to] = replace(first, rows=_added(first.rows, result.rows))
        else:
            done[table.name] = result
    return list(done.values())


def table_of(
    table: SshTable, records: Sequence[Record] | None, text: str
) -> TableResult:
    """Return one table; incomplete if it was not understood or rows are missing."""
    if records is None:
        remark = Remark("unparsed", {"command": table.command})
        return TableResult(table.name, table.result, remarks=(remark,))
    rows: dict[str, Row] = {}
    remarks: list[Remark] = []
    for record in records:
        key = record.get(table.key, "")
        if key and _is_kept(table, record):
            row, odd = _row(table, key, record)
            rows.setdefault(key, row)
            remarks.extend(odd)
    counted = re.search(table.counted, text) if table.counted else None
    complete = not table.counted or (
        counted is not None and int(counted[1]) == len(rows)
    )
    if not complete:
        remarks.append(Remark("uneven"))
    if not rows and table.result == "port":
        complete = False
        remarks.append(Remark("empty"))
    return TableResult(
        table.name, table.result, tuple(rows.values()), complete, tuple(remarks)
    )


def duration_s(text: str) -> float | None:
    """Return "2 weeks, 1 day" or "1d:4h:3m:2s" in seconds; None if it is none."""
    parts = [
        int(count) * _UNITS_S[name]
        for count, unit in _DURATION.findall(text)
        if (name := _unit(unit))
    ]
    return float(sum(parts)) if parts else None


def _unit(word: str) -> str:
    word = word.casefold()
    for name in (word, word.removesuffix("s")):
        if name in _UNITS_S:
            return name
    return ""


def _is_kept(table: SshTable, record: Record) -> bool:
    return all(re.search(p, record.get(c, "")) for c, p in table.keep.items())


def _row(table: SshTable, key: str, record: Record) -> tuple[Row, list[Remark]]:
    fields = RESULT_FIELDS[table.result]
    limits = limits_of(table.result)
    numbers: dict[str, float | None] = {}
    words: dict[str, str] = {}
    odd: list[Remark] = []
    for column in table.columns:
        text = record.get(column.column, "").strip()
        if fields[column.field] == "text":
            words[column.field] = words.get(column.field) or clean_text(text.encode())
        elif numbers.get(column.field) is None:
            value = _number(column, text)
            metric = limits.get(column.field)
            if value is not None and metric and not metric.low <= value <= metric.high:
                said: dict[str, str | int] = {
                    "field": column.field,
                    "value": f"{value:g}",
                }
                odd.append(Remark("out_of_range", said))
                value = None
            numbers[column.field] = value
    # What a port that is down is told to run at is what it would, or did.
    if numbers.get("oper_up") == 0:
        numbers = {n: None if n in _OF_A_LINK else v for n, v in numbers.items()}
    return Row({RESULT_PARTS[table.result][0]: key}, numbers, words), odd


_OF_A_LINK = {"speed_bps", "full_duplex"}


def _number(column: SshColumn, text: str) -> float | None:
    if column.pattern:
        found = re.search(column.pattern, text, re.IGNORECASE)
        if found is None:
            return None
        text = found[1]
    if column.words:
        return column.words.get(text.casefold())
    if column.duration:
        return duration_s(text)
    try:
        # A template may count in several places.
        return (
            sum(float(part) for part in text.split()) * column.scale if text else None
        )
    except ValueError:
        return None


def _added(rows: Iterable[Row], more: Iterable[Row]) -> tuple[Row, ...]:
    """Return rows with what others know about the same keys; nobody is added."""
    by_key = {tuple(row.parts.values()): row for row in more}
    return tuple(
        Row(row.parts, {**other.numbers, **_known(row)}, {**other.words, **row.words})
        if (other := by_key.get(tuple(row.parts.values())))
        else row
        for row in rows
    )


def _known(row: Row) -> dict[str, float | None]:
    return {name: value for name, value in row.numbers.items() if value is not None}


def _joined(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
