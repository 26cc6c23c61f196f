"""The covered rooms as sheets, CSV, JSON and text; see `netmon.report.export`.

A report may lack them: of a year that was frozen before they were counted, or where
there is no store to read. Then workbook, JSON and terminal say why, and there is no CSV.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from netmon.model import SchoolType
from netmon.report.counting import SUM
from netmon.report.rooms import COLUMNS, Cell, Contradiction, CoveredRooms
from netmon.texts import NO_VALUE, Texts

CORNER = "Schulform/Räume"
_CONTRADICTION_COLUMNS = (
    "building_id",
    "name",
    "school_type",
    "network",
    "declared",
    "measured",
    "teaching_rooms",
    "covered_rooms",
    "unknown_rooms",
    "low_ratio",
    "high_ratio",
)
_Value = str | Cell
_CAPTION_ROW, _HEAD_ROW = 1, 2
_COUNT_FORMAT, _SHARE_FORMAT = "#,##0", "0.0%"
_WIDE = 28.0
_NARROW = 16.0


class NoRooms(StrEnum):
    """Why a report has no covered rooms."""

    FROZEN_BEFORE = "frozen_before"
    NO_STORE = "no_store"


@dataclass(frozen=True, slots=True)
class RoomsPart:
    """The report's part on rooms: what was counted, and the notes below it."""

    counted: CoveredRooms | None
    notes: tuple[str, ...]

    def rows(self) -> list[tuple[str, tuple[Cell, ...]]]:
        """Return label and cells of each row, the sum last."""
        if self.counted is None:
            return []
        labels = [*map(str, SchoolType), SUM]
        return [(label, self.counted.rows[label].cells()) for label in labels]


def rooms_part(rooms: CoveredRooms | NoRooms, texts: Texts) -> RoomsPart:
    """Return the part with its notes in the given language."""
    if isinstance(rooms, NoRooms):
        return RoomsPart(None, (texts(f"report.rooms.missing.{rooms}"),))
    full = texts.percent(rooms.full_ratio, 0)
    number = texts.number(len(rooms.contradictions))
    notes = [
        texts("report.rooms.note.ends"),
        texts("report.rooms.note.without"),
        texts("report.rooms.note.contradictions", n=number, full=full),
    ]
    return RoomsPart(rooms, tuple(notes))


def rooms_rows(part: RoomsPart) -> list[Sequence[_Value]]:
    """Return the rows of ``rooms.csv``; what is not known is an empty cell."""
    return [(CORNER, *COLUMNS), *((label, *cells) for label, cells in part.rows())]


def contradiction_rows(found: Iterable[Contradiction]) -> list[Sequence[_Value]]:
    """Return the rows of ``contradictions.csv``, in the inventory's words."""
    return [_CONTRADICTION_COLUMNS, *(_told(one) for one in found)]


def rooms_document(part: RoomsPart) -> dict[str, Any] | None:
    """Return the part for JSON; None where there is none."""
    if part.counted is None:
        return None
    names = _CONTRADICTION_COLUMNS
    return {
        "full_ratio": part.counted.full_ratio,
        "columns": COLUMNS,
        "rows": [
            {
                "school_type": label,
                "kind": "sum" if label == SUM else "school_type",
                "values": dict(zip(COLUMNS, cells, strict=True)),
            }
            for label, cells in part.rows()
        ],
        "contradictions": [
            dict(zip(names, _told(one), strict=True))
            for one in part.counted.contradictions
        ],
        "notes": part.notes,
    }


def _told(one: Contradiction) -> tuple[_Value, ...]:
    return (
        one.building_id,
        one.name,
        one.school_type.value,
        one.network,
        one.declared.value,
        one.measured.value,
        one.rooms,
        one.covered,
        one.open,
        *(round(share, 4) for share in one.shares),
    )


def _for_people(one: Contradiction, texts: Texts) -> tuple[_Value, ...]:
    id_, name, kind, _, _, _, *numbers = _told(one)
    return (
        id_,
        name,
        kind,
        one.network.upper(),
        texts(f"coverage.{one.declared}"),
        texts(f"coverage_figure.class.{one.measured}"),
        *numbers,
    )


def contradictions_for_people(part: RoomsPart, texts: Texts) -> list[Sequence[_Value]]:
    """Return head and rows of the contradictions in the report's words."""
    found = part.counted.contradictions if part.counted else ()
    head = [texts(f"report.contradictions.{name}") for name in _CONTRADICTION_COLUMNS]
    return [head, *(_for_people(one, texts) for one in found)]


def fill_rooms(sheet: Worksheet, part: RoomsPart, texts: Texts) -> None:
    """Write the covered rooms into a sheet; without them only the note."""
    sheet.title = texts("report.rooms.sheet")
    rows = [(label, *cells) for label, cells in part.rows()]
    head = (CORNER, *COLUMNS) if rows else ()
    _fill(sheet, texts("report.rooms.caption"), head, rows, part.notes, wide=1)


def fill_contradictions(sheet: Worksheet, part: RoomsPart, texts: Texts) -> None:
    """Write the contradictions into a sheet, one row each."""
    sheet.title = texts("report.contradictions.sheet")
    head, *rows = contradictions_for_people(part, texts)
    notes = (
        texts("report.contradictions.note" if rows else "report.contradictions.none"),
    )
    caption = texts("report.contradictions.caption")
    _fill(sheet, caption, [str(name) for name in head], rows, notes, wide=3)


def _fill(
    sheet: Worksheet,
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[_Value]],
    notes: Sequence[str],
    *,
    wide: int,
) -> None:
    bold = Font(bold=True)
    sheet.cell(_CAPTION_ROW, 1, caption).font = bold
    for index, text in enumerate(head, start=1):
        cell = sheet.cell(_HEAD_ROW, index, text)
        cell.font = bold
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        width = _WIDE if index <= wide else _NARROW
        sheet.column_dimensions[get_column_letter(index)].width = width
    for number, row in enumerate(rows, start=_HEAD_ROW + 1):
        for index, value in enumerate(row, start=1):
            cell = sheet.cell(number, index, value)
            if isinstance(value, str):
                # A name that begins with "=" is a name and no formula.
                cell.data_type = "s"
            if row[0] == SUM:
                cell.font = bold
            if isinstance(value, int | float):
                is_share = isinstance(value, float)
                cell.number_format = _SHARE_FORMAT if is_share else _COUNT_FORMAT
    below = _HEAD_ROW + (len(rows) + 2 if head else 0)
    for number, note in enumerate(notes, start=below):
        sheet.cell(number, 1, note)
    if head:
        sheet.freeze_panes = f"B{_HEAD_ROW + 1}"
        sheet.print_title_rows = f"{_CAPTION_ROW}:{_HEAD_ROW}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0


def rooms_text(part: RoomsPart, texts: Texts) -> tuple[list[str], list[list[str]]]:
    """Return head and body of the table for a screen."""

    def shown(cell: Cell) -> str:
        if isinstance(cell, float):
            return texts.percent(cell, 1)
        return NO_VALUE if cell is None else texts.number(cell)

    body = [[label, *map(shown, cells)] for label, cells in part.rows()]
    return [CORNER, *COLUMNS], body
