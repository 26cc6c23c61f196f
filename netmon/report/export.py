"""Writing the annual report in every format; same report, same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from netmon.archives import with_fixed_times
from netmon.documents.pdf import pdf_bytes
from netmon.documents.word import docx_bytes
from netmon.report import excel_csv
from netmon.report.document import report_document, tables_document
from netmon.report.machine import csv_text, figure_csv, long_csv, report_json, table_csv
from netmon.report.rooms_export import contradiction_rows, rooms_rows
from netmon.report.tables import AnnualReport
from netmon.report.workbook import workbook_bytes
from netmon.texts import Texts

EXCEL_FOLDER = "excel"


def machine_files(report: AnnualReport) -> dict[str, bytes]:
    """Return the CSV files for machines: UTF-8, comma, point, ISO dates.

    They carry changes as signed numbers and the labels as printed. There is no file of
    what the report lacks (rooms, further tables); JSON and XLSX say why.
    """
    files = {f"{table.name}.csv": table_csv(table) for table in report.tables}
    files["tables.csv"] = long_csv(report)
    if (counted := report.rooms.counted) is not None:
        files["rooms.csv"] = csv_text(rooms_rows(report.rooms))
        contradictions = contradiction_rows(counted.contradictions)
        files["contradictions.csv"] = csv_text(contradictions)
    files |= {f"{figure.name}.csv": figure_csv(figure) for figure in report.figures}
    return {name: text.encode() for name, text in files.items()}


def excel_files(report: AnnualReport, texts: Texts) -> dict[str, bytes]:
    """Return the same tables as CSV for Excel."""
    files: dict[str, bytes] = {
        table.name: excel_csv.printed_table(table) for table in report.tables
    }
    files |= excel_csv.rooms_files(report.rooms, texts)
    files |= {f.name: excel_csv.figure_table(f) for f in report.figures}
    return {f"{EXCEL_FOLDER}/{name}.csv": body for name, body in files.items()}


# The single files, by their ending.
DOCUMENTS: Mapping[str, Callable[[AnnualReport, Texts], bytes]] = {
    "xlsx": workbook_bytes,
    "docx": lambda report, texts: docx_bytes(tables_document(report, texts)),
    "pdf": lambda report, texts: pdf_bytes(report_document(report, texts)),
    "json": lambda report, _: report_json(report),
}


def annual_files(report: AnnualReport, texts: Texts) -> dict[str, bytes]:
    """Return all files of a report by their path in its folder."""
    documents = {
        f"report_{report.year}.{ending}": make(report, texts)
        for ending, make in DOCUMENTS.items()
    }
    return documents | machine_files(report) | excel_files(report, texts)


def annual_zip(report: AnnualReport, texts: Texts) -> bytes:
    """Return all files of a report as one archive."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, body in annual_files(report, texts).items():
            archive.writestr(name, body)
    return with_fixed_times(raw.getvalue())


def write_annual(report: AnnualReport, folder: Path, texts: Texts) -> list[Path]:
    """Write all files of a report and return their paths.

    Raises:
        OSError: the folder cannot be written.
    """
    paths = []
    for name, body in annual_files(report, texts).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: a reader never sees half a report.
        partial = path.with_name(f".{path.name}.part")
        partial.write_bytes(body)
        partial.replace(path)
        paths.append(path)
    return paths
