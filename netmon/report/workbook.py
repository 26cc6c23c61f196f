"""The report as XLSX: one sheet a table, typed cells; same report, same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import date, datetime
from math import ceil
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from netmon.archives import with_fixed_times
from netmon.report.figures import Cell, CellUnit, FigureTable
from netmon.report.rooms_export import fill_contradictions, fill_rooms
from netmon.report.screen import basis_lines
from netmon.report.tables import AnnualReport, Table
from netmon.texts import Texts
from netmon.units import to_mbits

_CAPTION_ROW, _HEAD_ROW = 1, 2
# Widths in characters, the height of a line in points.
_LABEL_WIDTH, _WIDTH, _LINE_PT = 38.0, 17.0, 15.0
# Numbers stay numbers; only their look is the report's wording.
_CHANGE_FORMAT = '"plus "#,##0;"minus "#,##0;"±"0'
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_FORMATS = {
    CellUnit.COUNT: "#,##0",
    CellUnit.RATIO: "0.00%",
    CellUnit.RATE: '#,##0.0" Mbit/s"',
    CellUnit.DATE: "DD.MM.YYYY",
    CellUnit.TEXT: "@",
}


def _fill(sheet: Worksheet, table: Table, texts: Texts) -> None:
    bold = Font(bold=True)
    sheet.title = texts(f"report.{table.name}.sheet")
    sheet.cell(_CAPTION_ROW, 1, table.caption).font = bold
    for index, text in enumerate((table.corner, *table.columns), start=1):
        cell = sheet.cell(_HEAD_ROW, index, text)
        cell.font = bold
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        width = 28.0 if index == 1 else 16.0
        sheet.column_dimensions[get_column_letter(index)].width = width
    for number, row in enumerate(table.rows, start=_HEAD_ROW + 1):
        weight = bold if row.kind == "sum" else Font()
        sheet.cell(number, 1, row.label).font = weight
        for index, value in enumerate(row.cells, start=2):
            cell = sheet.cell(number, index, value)
            cell.font = weight
            cell.number_format = _CHANGE_FORMAT if row.kind == "change" else "#,##0"
    below = _HEAD_ROW + len(table.rows) + 2
    for number, note in enumerate(table.notes, start=below):
        sheet.cell(number, 1, note)
    # Labels and head stay in sight; printing repeats the head.
    sheet.freeze_panes = f"B{_HEAD_ROW + 1}"
    sheet.print_title_rows = f"{_CAPTION_ROW}:{_HEAD_ROW}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0


def _fill_figure(sheet: Worksheet, table: FigureTable) -> None:
    bold = Font(bold=True)
    sheet.title = table.sheet
    _text(sheet, _CAPTION_ROW, table.caption).font = bold
    head = (table.corner, *(column.label for column in table.columns))
    for index, text in enumerate(head, start=1):
        cell = sheet.cell(_HEAD_ROW, index, text)
        cell.font = bold
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        width = _LABEL_WIDTH if index == 1 else _WIDTH
        sheet.column_dimensions[get_column_letter(index)].width = width
    for number, row in enumerate(table.rows, start=_HEAD_ROW + 1):
        weight = bold if row.kind == "sum" else Font()
        _text(sheet, number, row.label).font = weight
        for index, (value, column) in enumerate(
            zip(row.cells, table.columns, strict=True), start=2
        ):
            cell = sheet.cell(number, index, _typed(value, column.unit))
            if isinstance(value, str) and column.unit is CellUnit.TEXT:
                cell.data_type = "s"
            cell.number_format = _FORMATS[column.unit]
            cell.font = weight
    below = _HEAD_ROW + len(table.rows) + 2
    _notes(sheet, below, len(head), (*table.notes, *table.rules))
    sheet.freeze_panes = f"B{_HEAD_ROW + 1}"
    sheet.print_title_rows = f"{_CAPTION_ROW}:{_HEAD_ROW}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0


def _typed(value: Cell, unit: CellUnit) -> Cell | date:
    if isinstance(value, str):
        return date.fromisoformat(value) if unit is CellUnit.DATE else value
    # For people, so in the unit of people.
    rate = unit is CellUnit.RATE and value is not None
    return to_mbits(value) if rate and value is not None else value


def _text(sheet: Worksheet, row: int, text: str) -> Any:
    cell = sheet.cell(row, 1, text)
    # A name that begins with "=" is a name and no formula.
    cell.data_type = "s"
    return cell


def _notes(sheet: Worksheet, first: int, width: int, notes: Sequence[str]) -> None:
    """Write notes below a table of so many columns, each as wide as the table."""
    for number, note in enumerate(notes, start=first):
        cell = _text(sheet, number, note)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.merge_cells(
            start_row=number, end_row=number, start_column=1, end_column=width
        )
        # Office programs fit no row to cells that were joined.
        characters = _LABEL_WIDTH + _WIDTH * (width - 1)
        sheet.row_dimensions[number].height = _LINE_PT * ceil(len(note) / characters)


def _fill_basis(sheet: Worksheet, report: AnnualReport, texts: Texts) -> None:
    """Write how the numbers came about: where from, by which rules, under which seal."""
    sheet.title = texts("report.basis.sheet")
    _text(sheet, 1, texts("report.basis.caption")).font = Font(bold=True)
    sheet.column_dimensions["A"].width = 120.0
    rows = basis_lines(report, texts)
    for number, line in enumerate(rows, start=2):
        _text(sheet, number, line).alignment = Alignment(wrap_text=True, vertical="top")


def workbook_bytes(report: AnnualReport, texts: Texts) -> bytes:
    """Return the report as XLSX, one sheet a table, numbers as numbers.

    openpyxl writes the present time into the file and the archive; both are
    set to the report's own day (31 December), so that equal reports are equal.
    """
    book = Workbook()
    day = datetime(report.year, 12, 31)  # noqa: DTZ001 - XLSX knows no zones
    book.properties.creator = "netmon"
    book.properties.title = texts("report.title", year=report.year)
    book.properties.language = texts.language
    book.properties.created = day
    for index, table in enumerate(report.tables):
        sheet = book.active if index == 0 else book.create_sheet()
        if isinstance(sheet, Worksheet):
            _fill(sheet, table, texts)
    fill_rooms(book.create_sheet(), report.rooms, texts)
    if report.rooms.counted is not None:
        fill_contradictions(book.create_sheet(), report.rooms, texts)
    for figure in report.figures:
        _fill_figure(book.create_sheet(), figure)
    _fill_basis(book.create_sheet(), report, texts)
    raw = io.BytesIO()
    book.save(raw)
    modified = f"{day.isoformat()}Z".encode()
    return with_fixed_times(
        raw.getvalue(),
        lambda name, body: (
            _MODIFIED.sub(rb"\g<1>" + modified + rb"\g<2>", body)
            if name == "docProps/core.xml"
            else body
        ),
    )
