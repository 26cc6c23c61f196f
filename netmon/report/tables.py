"""The two tables as the annual report prints them: pure, from counts.

Beside them, from netmon's own measuring, the covered rooms (`rooms_export`).

Rows: the eight school types in printed order, the sum, the change to the year
before. Columns: as printed; classes the report has no column for are shown
behind them where a building is in them, so that every total matches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from netmon.model import SchoolType
from netmon.report.counting import (
    CHANGE,
    GROUPS,
    PRINTED_COLUMNS,
    PRINTED_RULES,
    RULES_VERSION,
    SUM,
    TABLE_NAMES,
    CountingError,
    Counts,
    TableName,
)
from netmon.report.rooms import CoveredRooms
from netmon.report.rooms_export import NoRooms, RoomsPart, rooms_part, rooms_text
from netmon.report.snapshot import FrozenYear
from netmon.texts import NO_VALUE, Texts

# Like the labels: as printed, in every language, because machines read them too.
CORNERS: dict[TableName, str] = {
    "connection": "Schulform/Anbindung",
    "coverage": "Schulform/Ausbaustatus",
}
RowKind = Literal["school_type", "sum", "change"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a cell is None where the report prints none."""

    label: str
    kind: RowKind
    cells: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One table with caption, head of the first column, and notes below."""

    name: TableName
    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnnualReport:
    """All tables of a year; ``compared_with`` is None without a frozen year before.

    ``tables`` are the two that the report prints, ``rooms`` is what was measured.
    """

    year: int
    buildings: int
    compared_with: FrozenYear | None
    tables: tuple[Table, ...]
    rooms: RoomsPart


def annual_report(
    counts: Counts,
    year: int,
    previous: FrozenYear | None,
    texts: Texts,
    rooms: CoveredRooms | NoRooms = NoRooms.NO_STORE,
) -> AnnualReport:
    """Return the tables of a year.

    Args:
        counts: what was counted for the year.
        year: the year reported on.
        previous: the frozen year before; None leaves the changes empty.
        texts: language of captions and notes (labels are always as printed).
        rooms: the covered rooms of the year, or why there are none.

    Raises:
        CountingError: ``previous`` is not the year before ``year``, or the rooms
            are of another number of buildings.
    """
    if previous is not None and previous.year != year - 1:
        raise CountingError(f"{previous.year} is not the year before {year}")
    tables = tuple(_table(name, counts, year, previous, texts) for name in TABLE_NAMES)
    if (
        isinstance(rooms, CoveredRooms)
        and rooms.rows[SUM].buildings != counts.buildings
    ):
        raise CountingError(
            f"rooms of {rooms.rows[SUM].buildings} buildings, but there are "
            f"{counts.buildings}"
        )
    part = rooms_part(rooms, texts)
    return AnnualReport(year, counts.buildings, previous, tables, part)


def _columns(
    name: TableName, counts: Counts, previous: FrozenYear | None
) -> tuple[str, ...]:
    """Return printed columns, each group's further ones behind its own if used."""
    columns: list[str] = []
    for group in GROUPS[name]:
        printed = [column for column in PRINTED_COLUMNS[name] if column in group]
        further = [
            column
            for column in group
            if column not in printed
            and (
                counts.table(name)[SUM][column]
                or (previous is not None and previous.total(name, column))
            )
        ]
        columns += [*printed, *further]
    return tuple(str(column) for column in columns)


def _previous_total(
    name: TableName, column: str, previous: FrozenYear | None
) -> int | None:
    """Return a column's total a year ago; None where that is not known."""
    if previous is None:
        return None
    stated = previous.total(name, column)
    if stated is not None:
        return stated
    group = next(group for group in GROUPS[name] if column in group)
    # A year kept as totals states only what was printed. What the printed columns
    # of coverage leave open is "keine Angabe"; a class of lines not printed had none.
    return previous.buildings - previous.base(name, group)


def _table(
    name: TableName,
    counts: Counts,
    year: int,
    previous: FrozenYear | None,
    texts: Texts,
) -> Table:
    cells = counts.table(name)
    columns = _columns(name, counts, previous)
    rows = []
    for label in (*SchoolType, SUM):
        values: list[int | None] = [cells[label][column] for column in columns]
        if name == "connection":
            values.append(sum(value or 0 for value in values))
        kind: RowKind = "sum" if label == SUM else "school_type"
        rows.append(Row(str(label), kind, tuple(values)))
    changes: list[int | None] = []
    for column in columns:
        before = _previous_total(name, column, previous)
        changes.append(None if before is None else cells[SUM][column] - before)
    if name == "connection":
        # As printed: the number of buildings has no change beside it.
        columns = (*columns, SUM)
        changes.append(None)
    rows.append(Row(CHANGE, "change", tuple(changes)))
    table = Table(
        name,
        texts(f"report.{name}.caption", buildings=texts.number(counts.buildings)),
        CORNERS[name],
        columns,
        tuple(rows),
        _notes(name, counts, year, previous, texts),
    )
    _check_sums(table, counts.buildings)
    return table


def _check_sums(table: Table, buildings: int) -> None:
    """Hold the printed rows to their sum, and the sum to the buildings.

    Raises:
        CountingError: they do not match; the export must not happen.
    """
    by_type = [row for row in table.rows if row.kind == "school_type"]
    total = next(row for row in table.rows if row.kind == "sum")
    for index, column in enumerate(table.columns):
        found = sum(row.cells[index] or 0 for row in by_type)
        if found != total.cells[index]:
            raise CountingError(
                f"{table.name}, {column}: {found} is not {total.cells[index]}"
            )
    for group in GROUPS[table.name]:
        found = sum(
            total.cells[index] or 0
            for index, column in enumerate(table.columns)
            if column in group
        )
        if found != buildings:
            raise CountingError(
                f"{table.name}: {group[0]} to {group[-1]} show {found} of "
                f"{buildings} buildings"
            )


def _notes(
    name: TableName,
    counts: Counts,
    year: int,
    previous: FrozenYear | None,
    texts: Texts,
) -> tuple[str, ...]:
    if previous is None:
        return (texts("report.note.no_previous", year=year - 1),)
    notes = []
    bases = [previous.base(name, group) for group in GROUPS[name]]
    if previous.buildings != counts.buildings:
        notes.append(
            texts(
                "report.note.buildings",
                year=previous.year,
                before=texts.number(previous.buildings),
                now=texts.number(counts.buildings),
            )
        )
    if previous.rules_version not in {RULES_VERSION, PRINTED_RULES}:
        notes.append(
            texts(
                "report.note.rules",
                year=previous.year,
                before=previous.rules_version,
                now=RULES_VERSION,
            )
        )
    if any(base != previous.buildings for base in bases):
        lan, wlan = bases
        notes.append(
            texts(
                "report.note.coverage_base",
                year=previous.year,
                lan=texts.number(lan),
                wlan=texts.number(wlan),
                buildings=texts.number(previous.buildings),
            )
        )
    return tuple(notes)


def change_text(change: int | None, texts: Texts) -> str:
    """Return a change in the report's words: ``plus 12``, ``minus 15``."""
    if change is None:
        return NO_VALUE
    if change == 0:
        return texts("report.change.none")
    key = "report.change.plus" if change > 0 else "report.change.minus"
    return texts(key, n=texts.number(abs(change)))


def print_text(table: Table, texts: Texts) -> str:
    """Return the table for a screen, changes in words, columns aligned."""
    head = [table.corner, *table.columns]
    body = [
        [
            row.label,
            *(
                change_text(cell, texts) if row.kind == "change" else texts.number(cell)
                for cell in row.cells
            ),
        ]
        for row in table.rows
    ]
    return _aligned(table.caption, head, body, table.notes)


def print_rooms(part: RoomsPart, texts: Texts) -> str:
    """Return the covered rooms for a screen; without them only the note."""
    caption = texts("report.rooms.caption")
    if part.counted is None:
        return "\n".join([caption, *part.notes])
    head, body = rooms_text(part, texts)
    return _aligned(caption, head, body, part.notes)


def _aligned(
    caption: str,
    head: Sequence[str],
    body: Sequence[Sequence[str]],
    notes: Sequence[str],
) -> str:
    widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in (head, *body)
    ]
    return "\n".join([caption, *lines, *notes])
