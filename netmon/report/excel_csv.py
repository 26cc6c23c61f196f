"""CSV as a German Excel opens it: ``;``, UTF-8 with BOM, decimal comma, CRLF."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

from netmon.report.figures import Cell, CellUnit, FigureTable
from netmon.report.rooms_export import RoomsPart, contradiction_rows, rooms_rows
from netmon.report.tables import Table
from netmon.units import to_mbits

# Excel takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HEAD_UNITS = {CellUnit.RATE: " (Mbit/s)", CellUnit.RATIO: " (%)"}


def excel_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as such a file; None is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}".replace(".", ",")
    text = str(value)
    is_formula = isinstance(value, str) and text.startswith(_FORMULA)
    return f"'{text}" if is_formula else text


def printed_table(table: Table) -> bytes:
    """Return a table as printed; changes are signed numbers."""
    head = (table.corner, *table.columns)
    return excel_bytes([head, *((row.label, *row.cells) for row in table.rows)])


def figure_table(table: FigureTable) -> bytes:
    """Return a further table: rates in Mbit/s, shares in percent, dates 20.11.2026."""
    units = [column.unit for column in table.columns]
    head = [c.label + _HEAD_UNITS.get(c.unit, "") for c in table.columns]
    rows = [
        (row.label, *(_for_people(c, u) for c, u in zip(row.cells, units, strict=True)))
        for row in table.rows
    ]
    return excel_bytes([(table.corner, *head), *rows])


def _for_people(cell: Cell, unit: CellUnit) -> Cell:
    if isinstance(cell, str):
        is_date = unit is CellUnit.DATE
        return date.fromisoformat(cell).strftime("%d.%m.%Y") if is_date else cell
    if cell is None:
        return None
    if unit is CellUnit.RATE:
        return round(to_mbits(cell), 3)
    return round(cell * 100, 3) if unit is CellUnit.RATIO else cell


def rooms_files(part: RoomsPart) -> dict[str, bytes]:
    """Return the tables of the rooms by name; none where nothing was counted."""
    if part.counted is None:
        return {}
    contradictions = contradiction_rows(part.counted.contradictions)
    return {
        "rooms": excel_bytes(rooms_rows(part)),
        "contradictions": excel_bytes(contradictions),
    }
