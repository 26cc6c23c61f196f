"""The tables as words and numbers for people: on a screen and in documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from netmon.report.figures import Cell, CellUnit, FigureTable
from netmon.report.rooms_export import RoomsPart, rooms_text
from netmon.report.tables import AnnualReport, Row, Table
from netmon.texts import NO_VALUE, Texts


def row_texts(row: Row, texts: Texts) -> list[str]:
    """Return a row of a printed table, changes in the report's words."""
    is_change = row.kind == "change"
    return [
        row.label,
        *(
            change_text(cell, texts) if is_change else texts.number(cell)
            for cell in row.cells
        ),
    ]


def cell_text(cell: Cell, unit: CellUnit, texts: Texts) -> str:
    """Return a cell for people; ``–`` where nothing is known."""
    if cell is None:
        return NO_VALUE
    if isinstance(cell, str):
        return texts.date(date.fromisoformat(cell)) if unit is CellUnit.DATE else cell
    if unit is CellUnit.RATIO:
        # 100 % only of all: 99,97 % would be rounded to it.
        decimals = 2 if 0.999 <= cell < 1 else 1
        return texts.percent(cell, decimals)
    return texts.rate(cell) if unit is CellUnit.RATE else texts.number(cell)


def origin_lines(report: AnnualReport, texts: Texts) -> list[str]:
    """Return where the numbers are from, and the rules of the printed tables."""
    basis = report.basis
    lines = [basis.about] if basis.about else []
    if basis.sha256 is not None:
        lines.append(texts("report.basis.seal", sha256=basis.sha256))
    return [
        *lines,
        texts("report.basis.version", version=basis.rules_version),
        *basis.rules,
    ]


def basis_lines(report: AnnualReport, texts: Texts) -> list[str]:
    """Return how all the numbers came about, line by line."""
    rules = [
        f"{table.caption}: {rule}" for table in report.figures for rule in table.rules
    ]
    missing = [report.figures_note] if report.figures_note else []
    return [*origin_lines(report, texts), *rules, *missing]


def print_figure(table: FigureTable, texts: Texts) -> str:
    """Return a further table for a screen."""
    head = [table.corner, *(column.label for column in table.columns)]
    body = [
        [
            row.label,
            *(
                cell_text(cell, column.unit, texts)
                for cell, column in zip(row.cells, table.columns, strict=True)
            ),
        ]
        for row in table.rows
    ]
    return _aligned(table.caption, head, body, table.notes)


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
    body = [row_texts(row, texts) for row in table.rows]
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
