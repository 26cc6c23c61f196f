"""Writing the annual report: XLSX, CSV and JSON; same input, same bytes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from netmon.archives import with_fixed_times
from netmon.report.counting import RULES_VERSION
from netmon.report.rooms_export import (
    contradiction_rows,
    fill_contradictions,
    fill_rooms,
    rooms_document,
    rooms_rows,
)
from netmon.report.tables import AnnualReport, Table
from netmon.texts import Texts

_CAPTION_ROW, _HEAD_ROW = 1, 2
# Numbers stay numbers; only their look is the report's wording.
_CHANGE_FORMAT = '"plus "#,##0;"minus "#,##0;"±"0'
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")


def write_annual(report: AnnualReport, folder: Path, texts: Texts) -> list[Path]:
    """Write all files of a report and return their paths.

    Machine formats carry changes as signed numbers and the labels as printed.
    There is no CSV of rooms where none were counted; JSON and XLSX say why.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {f"report_{report.year}.xlsx": workbook_bytes(report, texts)}
    for table in report.tables:
        files[f"{table.name}.csv"] = table_csv(table).encode()
    files["tables.csv"] = long_csv(report).encode()
    if (counted := report.rooms.counted) is not None:
        files["rooms.csv"] = _csv_text(rooms_rows(report.rooms)).encode()
        contradictions = contradiction_rows(counted.contradictions)
        files["contradictions.csv"] = _csv_text(contradictions).encode()
    files[f"report_{report.year}.json"] = report_json(report)
    paths = []
    for name, body in files.items():
        path = folder / name
        # Whole or not at all: a reader never sees half a report.
        partial = folder / f".{name}.part"
        partial.write_bytes(body)
        partial.replace(path)
        paths.append(path)
    return paths


def _csv_text(rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def table_csv(table: Table) -> str:
    """Return a table as printed: header, school types, sum, change."""
    head = (table.corner, *table.columns)
    return _csv_text([head, *((row.label, *row.cells) for row in table.rows)])


def long_csv(report: AnnualReport) -> str:
    """Return all cells in long form; an empty value is an empty cell."""
    head = ("table", "school_type", "column", "value")
    rows = [
        (table.name, row.label, column, cell)
        for table in report.tables
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
    ]
    return _csv_text([head, *rows])


def report_json(report: AnnualReport) -> bytes:
    """Return the report as JSON; cells without a value are null."""
    previous = report.compared_with
    document = {
        "year": report.year,
        "buildings": report.buildings,
        "rules_version": RULES_VERSION,
        "compared_with": previous
        and {
            "year": previous.year,
            "buildings": previous.buildings,
            "rules_version": previous.rules_version,
            "sha256": previous.sha256,
        },
        "tables": [
            {
                "table": table.name,
                "caption": table.caption,
                "columns": table.columns,
                "rows": [
                    {
                        "school_type": row.label,
                        "kind": row.kind,
                        "values": dict(zip(table.columns, row.cells, strict=True)),
                    }
                    for row in table.rows
                ],
                "notes": table.notes,
            }
            for table in report.tables
        ],
        "rooms": rooms_document(report.rooms),
        "rooms_missing": None if report.rooms.counted else report.rooms.notes[0],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


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
