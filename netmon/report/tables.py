"""The two tables as the annual report prints them: pure, from counts.

Beside them, from netmon's own measuring, the covered rooms (`rooms_export`) and the
further tables (`further`), which are kept as they were counted.

Rows: the eight school types in printed order, the sum, the change to the year
before. Columns: as printed; classes the report has no column for are shown
behind them where a building is in them, so that every total matches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
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
from netmon.report.figures import FigureTable
from netmon.report.rooms import CoveredRooms
from netmon.report.rooms_export import NoRooms, RoomsPart, rooms_part
from netmon.report.snapshot import FrozenYear
from netmon.texts import Texts

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


class NoFigures(StrEnum):
    """Why a report has no further tables."""

    FROZEN_BEFORE = "frozen_before"
    IMPORTED = "imported"
    NO_STORE = "no_store"


@dataclass(frozen=True, slots=True)
class Basis:
    """Where the numbers of a year come from, and by which rules they were counted.

    ``frozen_at`` and ``sha256`` are None for a year that is not frozen. ``rules`` are the
    rules of the printed tables in words. ``warnings`` is None unless the numbers are
    those of a printed report: they stay as printed then, and nothing has to add up.
    """

    about: str = ""
    frozen_at: datetime | None = None
    sha256: str | None = None
    rules_version: str = RULES_VERSION
    rules: tuple[str, ...] = ()
    warnings: Mapping[TableName, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class AnnualReport:
    """All tables of a year; ``compared_with`` is None without a frozen year before.

    ``tables`` are the two that the report prints, ``rooms`` is what was measured,
    ``figures`` are the further tables, none where ``figures_note`` says why.
    """

    year: int
    buildings: int
    compared_with: FrozenYear | None
    tables: tuple[Table, ...]
    rooms: RoomsPart
    basis: Basis = Basis()
    figures: tuple[FigureTable, ...] = ()
    figures_note: str = ""

    def figure(self, name: str) -> FigureTable | None:
        """Return a further table; None where the report lacks it."""
        return next((each for each in self.figures if each.name == name), None)


def counting_rules(texts: Texts) -> tuple[str, ...]:
    """Return the rules of version `RULES_VERSION` in words: frozen with a year."""
    return tuple(texts(f"report.rule.{name}") for name in (*TABLE_NAMES, "rooms"))


def annual_report(
    counts: Counts,
    year: int,
    previous: FrozenYear | None,
    texts: Texts,
    rooms: CoveredRooms | NoRooms = NoRooms.NO_STORE,
    figures: tuple[FigureTable, ...] | NoFigures = NoFigures.NO_STORE,
    basis: Basis | None = None,
) -> AnnualReport:
    """Return the tables of a year.

    Args:
        counts: what was counted for the year.
        year: the year reported on.
        previous: the frozen year before; None leaves the changes empty.
        texts: language of captions and notes (labels are always as printed).
        rooms: the covered rooms of the year, or why there are none.
        figures: the further tables of the year, or why there are none.
        basis: where the counts are from; None: counted now.

    Raises:
        CountingError: ``previous`` is not the year before ``year``, or the rooms
            are of another number of buildings.
    """
    basis = basis or Basis(rules=counting_rules(texts))
    if previous is not None and previous.year != year - 1:
        raise CountingError(f"{previous.year} is not the year before {year}")
    tables = tuple(
        _table(name, counts, basis, year, previous, texts) for name in TABLE_NAMES
    )
    if (
        isinstance(rooms, CoveredRooms)
        and rooms.rows[SUM].buildings != counts.buildings
    ):
        raise CountingError(
            f"rooms of {rooms.rows[SUM].buildings} buildings, but there are "
            f"{counts.buildings}"
        )
    missing = isinstance(figures, NoFigures)
    return AnnualReport(
        year=year,
        buildings=counts.buildings,
        compared_with=previous,
        tables=tables,
        rooms=rooms_part(rooms, texts),
        basis=basis,
        figures=() if isinstance(figures, NoFigures) else figures,
        figures_note=texts(f"figures.missing.{figures}") if missing else "",
    )


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
                counts.table(name)[SUM].get(column)
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
    if stated is not None or column in PRINTED_COLUMNS[name]:
        return stated
    group = next(group for group in GROUPS[name] if column in group)
    if any(
        previous.total(name, each) is None
        for each in PRINTED_COLUMNS[name]
        if each in group
    ):
        return None
    # A year kept as totals states only what was printed. What the printed columns
    # of coverage leave open is "keine Angabe"; a class of lines not printed had none.
    return previous.buildings - previous.base(name, group)


def _table(
    name: TableName,
    counts: Counts,
    basis: Basis,
    year: int,
    previous: FrozenYear | None,
    texts: Texts,
) -> Table:
    cells = counts.table(name)
    columns = _columns(name, counts, previous)
    rows = []
    for label in (*SchoolType, SUM):
        known = cells.get(label, {})
        values = [known.get(column) for column in columns]
        if name == "connection":
            added = sum(value or 0 for value in values) if known else None
            values.append(known.get(SUM, added))
        kind: RowKind = "sum" if label == SUM else "school_type"
        rows.append(Row(str(label), kind, tuple(values)))
    changes: list[int | None] = []
    for column in columns:
        before, now = _previous_total(name, column, previous), cells[SUM].get(column)
        changes.append(None if before is None or now is None else now - before)
    if name == "connection":
        # As printed: the number of buildings has no change beside it.
        columns = (*columns, SUM)
        changes.append(None)
    rows.append(Row(CHANGE, "change", tuple(changes)))
    notes = _notes(name, counts, basis, year, previous, texts)
    printed = basis.warnings
    table = Table(
        name,
        texts(f"report.{name}.caption", buildings=texts.number(counts.buildings)),
        CORNERS[name],
        columns,
        tuple(rows),
        notes if printed is None else (*notes, *printed.get(name, ())),
    )
    if printed is None:
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
    basis: Basis,
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
    # What was printed before netmon was counted by rules that nobody has written down;
    # its bases below say more of it than a number.
    if PRINTED_RULES not in {previous.rules_version, basis.rules_version} and (
        previous.rules_version != basis.rules_version
    ):
        notes.append(
            texts(
                "report.note.rules",
                year=previous.year,
                before=previous.rules_version,
                now=basis.rules_version,
            )
        )
    if name == "connection":
        if bases != [previous.buildings]:
            notes.append(
                texts(
                    "report.note.connection_base",
                    year=previous.year,
                    found=texts.number(bases[0]),
                    buildings=texts.number(previous.buildings),
                )
            )
    elif any(base != previous.buildings for base in bases):
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
