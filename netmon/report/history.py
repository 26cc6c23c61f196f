"""Years before netmon, from the tables of their reports as CSV: pure but for the file.

Two forms, with comma or semicolon: long, with a header that names the columns (``table,
school_type,column,value``, the German words do as well; ``year`` and other columns may be
there), and as printed, one table with the school types in the first column.

What a source prints is kept as it is: a blank cell, a building without a statement, a sum
that does not add up become warnings. Refused is only what cannot be read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from netmon.errors import InputError, Problem
from netmon.model import ConnectionClass, SchoolType
from netmon.report.counting import (
    CHANGE,
    GROUPS,
    PRINTED_COLUMNS,
    SUM,
    TABLE_NAMES,
    TableName,
)
from netmon.report.snapshot import FrozenYear, as_printed
from netmon.report.tables import CORNERS
from netmon.texts import Texts

_HEADS = {
    "year": ("year", "jahr"),
    "table": ("table", "tabelle"),
    "row": ("school_type", "schulform"),
    "column": ("column", "spalte"),
    "value": ("value", "wert", "anzahl"),
}
# How reports called a table; the first that is found in its title counts.
_TABLE_WORDS: tuple[tuple[str, TableName], ...] = (
    ("connection", "connection"),
    ("coverage", "coverage"),
    ("lan", "coverage"),
    ("anbindung", "connection"),
    ("internetanschluss", "connection"),
)
_CHANGES = (CHANGE, "Veränderung zum Vorjahr")
# Columns of older reports: T@School lines had 16 Mbit/s.
_OLD_COLUMNS = {"T@School": str(ConnectionClass.BELOW_25)}
_ROWS = (*map(str, SchoolType), SUM)

# What a source says, by table, row and column; None where the cell is blank.
_Tables = dict[TableName, dict[str, dict[str, int | None]]]


@dataclass(slots=True)
class _Reading:
    """What was read so far, and what is wrong."""

    texts: Texts
    source: str
    tables: _Tables = field(default_factory=lambda: {n: {} for n in TABLE_NAMES})
    years: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def refuse(
        self, line: int | None, name: str | None, code: str, **v: object
    ) -> None:
        key = f"report.history.{code}"
        what, fix = self.texts(key, **v), self.texts(f"{key}_fix", **v)
        self.problems.append(Problem(self.source, line, name, what, fix))


def read_history(
    paths: Sequence[Path], year: int, now: datetime, texts: Texts | None = None
) -> FrozenYear:
    """Return the year that these files tell of, sealed as printed, with its warnings.

    Raises:
        InputError: with every problem of the files; nothing is taken over.
    """
    texts = texts or Texts()
    sources = ", ".join(path.name for path in paths)
    reading = _Reading(texts, sources)
    for path in paths:
        _read_file(reading, path, year)
    reading.source = sources
    if not reading.problems and not reading.tables["connection"]:
        years = ", ".join(sorted(reading.years - {str(year)}))
        code = "other_years" if years else "no_connection"
        reading.refuse(None, None, code, year=year, years=years)
    if reading.problems:
        raise InputError(reading.problems)
    warnings: dict[TableName, list[str]] = {name: [] for name in TABLE_NAMES}
    cells = {
        name: _settled(name, reading.tables[name], warnings[name], texts)
        for name in TABLE_NAMES
    }
    buildings = _buildings(reading.tables["connection"], cells["connection"])
    bases = _bases(reading.tables["connection"], cells["connection"], buildings)
    for name in TABLE_NAMES:
        _compare(name, cells[name], bases, warnings[name], texts)
    return as_printed(
        year,
        now,
        buildings=buildings,
        tables=cells,
        origin=texts("report.history.origin", file=sources),
        warnings={name: tuple(found) for name, found in warnings.items()},
    )


def _read_file(reading: _Reading, path: Path, year: int) -> None:
    reading.source = path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "UTF-8"
        reading.refuse(None, None, "unreadable", reason=reason)
        return
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    head = [cell.strip() for cell in next(rows, [])]
    names = [cell.lower() for cell in head]
    places = {
        key: next((names.index(word) for word in words if word in names), None)
        for key, words in _HEADS.items()
    }
    corner = next((n for n, c in CORNERS.items() if head and head[0] == c), None)
    if corner is not None:
        _read_printed(reading, rows, corner, head)
    elif None in {places["table"], places["column"], places["value"]}:
        reading.refuse(1, None, "header", corners=" / ".join(CORNERS.values()))
    else:
        _read_long(reading, rows, places, year)


def _read_printed(
    reading: _Reading, rows: Iterator[list[str]], name: TableName, head: Sequence[str]
) -> None:
    for line, cells in enumerate(rows, start=2):
        if any(cells):
            for column, value in zip(head[1:], cells[1:], strict=False):
                _take(reading, line, (name, cells[0].strip(), column), value)


def _read_long(
    reading: _Reading,
    rows: Iterator[list[str]],
    places: Mapping[str, int | None],
    year: int,
) -> None:
    for line, cells in enumerate(rows, start=2):
        if not any(cells):
            continue

        def told(key: str, cells: Sequence[str] = cells) -> str:
            place = places[key]
            return "" if place is None or place >= len(cells) else cells[place].strip()

        stated = told("year")
        reading.years |= {stated} if stated else set()
        if stated and stated != str(year):
            continue
        title = told("table").lower()
        name = next((n for word, n in _TABLE_WORDS if word in title), None)
        if name is None:
            allowed = ", ".join(TABLE_NAMES)
            value = told("table")
            reading.refuse(line, "table", "table", value=value, allowed=allowed)
            continue
        row = told("row") or SUM
        _take(reading, line, (name, row, told("column")), told("value"))


def _take(
    reading: _Reading, line: int, place: tuple[TableName, str, str], value: str
) -> None:
    name, row, column = place
    value = value.strip()
    if row in _CHANGES:
        # Changes are computed from the years themselves.
        return
    column = next((new for old, new in _OLD_COLUMNS.items() if old in column), column)
    known = [str(each) for group in GROUPS[name] for each in group]
    if name == "connection":
        known.append(SUM)
    cells = reading.tables[name].setdefault(row, {})
    if row not in _ROWS:
        reading.refuse(line, "school_type", "row", value=row, allowed=", ".join(_ROWS))
    elif column not in known:
        allowed = ", ".join(known)
        reading.refuse(line, "column", "column", value=column, allowed=allowed)
    elif column in cells:
        reading.refuse(line, "column", "twice", row=row, column=column)
    elif value and not (value.isascii() and value.isdecimal()):
        reading.refuse(line, "value", "number", value=value)
    else:
        cells[column] = int(value) if value else None


def _settled(
    name: TableName,
    told: Mapping[str, Mapping[str, int | None]],
    warnings: list[str],
    texts: Texts,
) -> dict[str, dict[str, int]]:
    """Return the cells that have a number, with a row of sums."""
    if not told:
        warnings.append(texts("report.history.warning.no_table"))
    found: dict[str, dict[str, int]] = {}
    for row in _ROWS:
        cells = told.get(row, {})
        found |= (
            {row: {c: n for c, n in cells.items() if n is not None}} if cells else {}
        )
        warnings += [
            texts("report.history.warning.blank", row=row, column=column)
            for column, number in cells.items()
            if number is None and column != SUM
        ]
    sums = found.setdefault(SUM, {})
    by_type = {row: cells for row, cells in found.items() if row != SUM}
    if told and len(by_type) < len(SchoolType):
        code = "some_rows" if by_type else "only_sums"
        warnings.append(texts(f"report.history.warning.{code}", n=len(by_type)))
    for column in (str(each) for group in GROUPS[name] for each in group):
        numbers = [cells[column] for cells in by_type.values() if column in cells]
        if not numbers:
            continue
        added = sum(numbers)
        if column not in sums:
            sums[column] = added
            code = "no_sum"
        elif sums[column] != added and len(by_type) == len(SchoolType):
            code = "sum"
        else:
            continue
        values = {"column": column, "stated": sums[column], "found": added}
        warnings.append(texts(f"report.history.warning.{code}", **values))
    return found


def _buildings(
    told: Mapping[str, Mapping[str, int | None]], cells: Mapping[str, Mapping[str, int]]
) -> int:
    """Return the number of buildings as printed, else as the classes add up."""
    stated = told.get(SUM, {}).get(SUM)
    return _added(cells[SUM]) if stated is None else stated


def _added(cells: Mapping[str, int]) -> int:
    return sum(number for column, number in cells.items() if column != SUM)


def _bases(
    told: Mapping[str, Mapping[str, int | None]],
    cells: Mapping[str, Mapping[str, int]],
    buildings: int,
) -> dict[str, int]:
    """Return the number of buildings of each row of the connection table."""
    bases = {SUM: buildings}
    for row in cells.keys() - {SUM}:
        stated = told[row].get(SUM)
        bases[row] = _added(cells[row]) if stated is None else stated
    return bases


def _compare(
    name: TableName,
    cells: Mapping[str, Mapping[str, int]],
    bases: Mapping[str, int],
    warnings: list[str],
    texts: Texts,
) -> None:
    """Say where a group of columns speaks of another number of buildings."""
    for row in (row for row in _ROWS if row in cells and row in bases):
        for group in GROUPS[name]:
            stated = [cells[row][column] for column in group if column in cells[row]]
            if not stated or sum(stated) == bases[row]:
                continue
            printed = [c for c in PRINTED_COLUMNS[name] if c in group]
            values = {
                "row": row,
                "first": printed[0],
                "last": printed[-1],
                "found": sum(stated),
                "buildings": bases[row],
            }
            less = name == "coverage" and sum(stated) < bases[row]
            code = "unstated" if less else "base"
            warnings.append(texts(f"report.history.warning.{code}", **values))
