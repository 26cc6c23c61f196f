"""CSV as a German Excel opens it: ``;``, UTF-8 with BOM, decimal comma, CRLF."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

from netmon.report.figures import Cell, CellUnit, FigureTable
from netmon.report.rooms_export import (
    RoomsPart,
    contradictions_for_people,
    rooms_rows,
)
from netmon.report.tables import Table
from netmon.texts import Texts
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


def rooms_files(part: RoomsPart, texts: Texts) -> dict[str, bytes]:
    """Return the tables of the rooms by name; none where nothing was counted."""
    if part.counted is None:
        return {}
    (corner, *names), *rows = rooms_rows(part)
    shares = ["Anteil" in str(name) for name in names]
    head = [f"{n} (%)" if share else n for n, share in zip(names, shares, strict=True)]
    body = [(label, *map(_in_percent, cells)) for label, *cells in rows]
    titles, *found = contradictions_for_people(part, texts)
    titles = [f"{t} (%)" if n > len(titles) - 3 else t for n, t in enumerate(titles)]
    return {
        "rooms": excel_bytes([(corner, *head), *body]),
        "contradictions": excel_bytes(
            [titles, *(tuple(map(_in_percent, row)) for row in found)]
        ),
    }


def _in_percent(cell: object) -> object:
    """Return a share in percent; of rooms only shares are no whole numbers."""
    return round(cell * 100, 2) if isinstance(cell, float) else cell
