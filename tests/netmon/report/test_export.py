"""The files of the report, held to the printed report cell by cell."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from openpyxl import load_workbook

from netmon.demo import city
from netmon.model import Coverage, Inventory, SchoolType, Technology
from netmon.report import AnnualReport, annual_report, count
from netmon.report.export import machine_files, write_annual
from netmon.texts import Texts

Key = tuple[str, str, str]
PRINTED_TABLES = {
    "Breitbandanbindung (Abb. 2)": "connection",
    "LAN-/WLAN-Verfügbarkeit (Abb. 3)": "coverage",
}


@pytest.fixture(scope="module")
def report_2025(shipped: Inventory) -> AnnualReport:
    return annual_report(count(shipped), 2025, city.load_previous_year(), Texts())


@pytest.fixture(scope="module")
def exported(
    report_2025: AnnualReport, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The files of 2025; tests only read them."""
    folder = tmp_path_factory.mktemp("exported")
    write_annual(report_2025, folder, Texts())
    return folder


@pytest.fixture(scope="module")
def printed(shared_dir: Path) -> dict[Key, int | None]:
    """The cells of the printed report; None where it is empty by rule.

    Of the two empty cells (status ``leer``) one is Realschule/WLAN partiell: it
    stands among zeros and its row and column only add up with 0, so it is 0
    here. The other is the change of the number of buildings, which the report
    does not state: it stays empty.
    """
    path = shared_dir / "data" / "report_tables_2025.csv"
    cells: dict[Key, int | None] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["year"] != "2025":
                continue
            # The list has the singular; the report's row has the plural.
            label = row["schulform"].replace("Veränderung zum", "Veränderungen zum")
            key = (PRINTED_TABLES[row["table"]], label, row["column"])
            if row["status"] == "leer":
                is_rule = key == ("connection", "Veränderungen zum Vorjahr", "Summe")
                assert is_rule or key[1:] == ("Realschule", "WLAN partiell")
                cells[key] = None if is_rule else 0
            else:
                cells[key] = int(row["value"])
    assert len(cells) == 10 * 5 + 10 * 4
    return cells


def test_the_long_form_equals_the_printed_report(
    exported: Path, printed: dict[Key, int | None]
) -> None:
    raw = (exported / "tables.csv").read_bytes()
    assert raw.startswith(b"table,school_type,column,value\n")
    assert b"\r" not in raw
    rows = list(csv.DictReader(raw.decode().splitlines()))
    found = {
        (row["table"], row["school_type"], row["column"]): (
            int(row["value"]) if row["value"] else None
        )
        for row in rows
    }
    assert len(found) == len(rows)
    assert found == printed


def test_the_workbook_equals_the_printed_report(
    exported: Path, printed: dict[Key, int | None]
) -> None:
    book = load_workbook(exported / "report_2025.xlsx")
    *printed_sheets, _, _ = book.worksheets
    assert book.sheetnames == [
        *("Internetanschluss", "LAN und WLAN", "Räume", "Zählregeln")
    ]
    found: dict[Key, int | None] = {}
    for name, sheet in zip(("connection", "coverage"), printed_sheets, strict=True):
        head = [cell.value for cell in sheet[2]]
        for number in range(3, 13):
            label, *values = [cell.value for cell in sheet[number]]
            for column, value in zip(head[1:], values, strict=True):
                assert value is None or type(value) is int
                found[name, str(label), str(column)] = value
    assert found == printed


def test_the_wide_csv_and_the_json_equal_the_printed_report(
    exported: Path, printed: dict[Key, int | None]
) -> None:
    wide: dict[Key, int | None] = {}
    for name in ("connection", "coverage"):
        with (exported / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        for label, *values in rows:
            for column, value in zip(head[1:], values, strict=True):
                wide[name, label, column] = int(value) if value else None
    assert wide == printed
    document = json.loads((exported / "report_2025.json").read_bytes())
    assert {
        (table["table"], row["school_type"], column): value
        for table in document["tables"]
        for row in table["rows"]
        for column, value in row["values"].items()
    } == printed
    assert document["compared_with"]["year"] == 2024


def test_word_and_excel_equal_the_printed_report(
    exported: Path, printed: dict[Key, int | None]
) -> None:
    """Changes stand in Word as the report has them: "plus 12", "minus 15"."""
    word = docx.Document(str(exported / "report_2025.docx"))
    in_word: dict[Key, int | None] = {}
    for name, table in zip(("connection", "coverage"), word.tables, strict=True):
        head, *rows = [[cell.text for cell in row.cells] for row in table.rows]
        for label, *values in rows:
            for column, value in zip(head[1:], values, strict=True):
                number = value.replace("plus ", "").replace("minus ", "-")
                in_word[name, label, column] = None if value == "–" else int(number)
    assert in_word == printed
    assert "minus 15" in [cell.text for cell in word.tables[0].rows[-1].cells]
    in_excel: dict[Key, int | None] = {}
    for name in ("connection", "coverage"):
        text = (exported / "excel" / f"{name}.csv").read_text("utf-8-sig")
        head, *rows = csv.reader(text.splitlines(), delimiter=";")
        for label, *values in rows:
            for column, value in zip(head[1:], values, strict=True):
                in_excel[name, label, column] = int(value) if value else None
    assert in_excel == printed


def test_the_workbook_is_laid_out_for_people(exported: Path) -> None:
    sheet = load_workbook(exported / "report_2025.xlsx").worksheets[1]
    assert sheet["A1"].value == (
        "Abbildung 3 – LAN-/WLAN-Ausbau nach Schulform (178 zu vernetzende Gebäude)"
    )
    assert sheet.freeze_panes == "B3"
    assert all(cell.font.b for cell in sheet[2])
    assert all(cell.font.b for cell in sheet[11])
    assert not sheet["B3"].font.b
    assert sheet["B12"].number_format.startswith('"plus "')
    assert sheet["A14"].value == (
        "Im Jahr 2024 lagen von 178 Gebäuden nur für 160 Angaben zum LAN und für 166 "
        "Angaben zum WLAN vor; die Veränderungen beziehen sich auf diese Grundlagen."
    )


def test_the_same_input_gives_the_same_bytes(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = annual_report(count(city.load()), 2025, city.load_previous_year(), Texts())
    # Another zone stands for another machine: no clock may get into a file.
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    for path in write_annual(again, tmp_path, Texts()):
        name = path.relative_to(tmp_path)
        assert (exported / name).read_bytes() == path.read_bytes(), name


def test_no_present_time_is_in_the_workbook(exported: Path) -> None:
    with zipfile.ZipFile(exported / "report_2025.xlsx") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {
            (1980, 1, 1, 0, 0, 0)
        }
        core = archive.read("docProps/core.xml").decode()
    assert core.count("2025-12-31T00:00:00Z") == 2


def test_no_partial_files_stay(exported: Path) -> None:
    files = [path for path in exported.rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(exported)) for path in files) == [
        "connection.csv",
        "coverage.csv",
        "excel/connection.csv",
        "excel/coverage.csv",
        "report_2025.docx",
        "report_2025.json",
        "report_2025.pdf",
        "report_2025.xlsx",
        "tables.csv",
    ]


def test_further_columns_reach_every_format(
    make_city: Callable[..., Inventory], tmp_path: Path
) -> None:
    site = (
        SchoolType.GYMNASIUM,
        Technology.VDSL,
        75,
        Coverage.FULL,
        Coverage.UNKNOWN,
    )
    report = annual_report(count(make_city([site])), 2025, None, Texts())
    write_annual(report, tmp_path, Texts())
    long = (tmp_path / "tables.csv").read_text(encoding="utf-8")
    assert "connection,Gymnasium,über 50 bis unter 100 Mbit,1\n" in long
    assert "coverage,Summe,WLAN keine Angabe,1\n" in long
    assert "coverage,Veränderungen zum Vorjahr,WLAN keine Angabe,\n" in long


def test_labels_are_as_printed_in_every_language(
    report_2025: AnnualReport, shipped: Inventory
) -> None:
    english = annual_report(
        count(shipped), 2025, city.load_previous_year(), Texts("en")
    )
    assert machine_files(english) == machine_files(report_2025)
