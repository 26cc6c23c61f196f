"""The further tables in every format, and frozen for good."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import docx
import msgspec
import pytest
from msgspec import UNSET
from openpyxl import load_workbook
from pypdf import PdfReader

from netmon.cli.report import Progress
from netmon.clock import ManualClock
from netmon.model import Inventory
from netmon.report import AnnualReport, annual_report, count, freeze
from netmon.report.differences import differences, summary
from netmon.report.export import annual_files, annual_zip
from netmon.storage.action_records import Actor, Via
from netmon.texts import Texts

AFTER = datetime(2026, 1, 5, 12, tzinfo=UTC)
CLERK = Actor("ada", Via.SHELL)


def test_every_format_has_every_table(
    measured_report: AnnualReport, measured_files: dict[str, bytes]
) -> None:
    document = json.loads(measured_files["report_2025.json"])
    book = load_workbook(io.BytesIO(measured_files["report_2025.xlsx"]))
    for table in measured_report.figures:
        told = next(f for f in document["figures"] if f["figure"] == table.name)
        assert told["rules"] == list(table.rules)
        rows = list(
            csv.reader(measured_files[f"{table.name}.csv"].decode().splitlines())
        )
        assert rows[0] == ["label", *(column.key for column in table.columns)]
        assert len(rows) == len(table.rows) + 1 == len(told["rows"]) + 1
        sheet = book[table.sheet]
        assert [cell.value for cell in sheet[2]] == [
            table.corner,
            *(column.label for column in table.columns),
        ]
        assert sheet.cell(3, 1).value == table.rows[0].label


def test_cells_have_types(measured_files: dict[str, bytes]) -> None:
    book = load_workbook(io.BytesIO(measured_files["report_2025.xlsx"]))
    below = book["Unter 100 Mbit"]
    name, *_, contract, measured, _, planned = below[3]
    assert (name.value, name.data_type) == ("=Schule", "s")
    assert (contract.value, contract.number_format) == (50, '#,##0.0" Mbit/s"')
    assert measured.value is None
    assert planned.value == datetime(2026, 9, 30)  # noqa: DTZ001 - as XLSX has it
    share = book["Verfügbarkeit"].cell(4, 3)
    assert (share.value, share.number_format) == (0.375, "0.00%")


def test_excel_opens_the_csv_as_a_german_would(
    measured_files: dict[str, bytes],
) -> None:
    raw = measured_files["excel/below_100.csv"]
    assert raw.startswith("\ufeffGebäude;Kennung;".encode())
    assert raw.endswith(b"\r\n")
    # No text of ours becomes a formula; a rate is in Mbit/s.
    assert raw.decode("utf-8-sig").splitlines()[1] == (
        "'=Schule;b2;Grundschule;25 bis 50 Mbit;50;;Vertrag;30.09.2026"
    )
    assert "37,5" in measured_files["excel/availability.csv"].decode("utf-8-sig")
    connection = measured_files["excel/connection.csv"].decode("utf-8-sig").splitlines()
    assert connection[1].startswith("Grundschule;0;0;1;1;")


def test_word_gets_the_two_tables_ready_to_paste(
    measured_files: dict[str, bytes],
) -> None:
    word = docx.Document(io.BytesIO(measured_files["report_2025.docx"]))
    assert len(word.tables) == 2
    captions = [
        p.text for p in word.paragraphs if p.style and p.style.name == "Caption"
    ]
    assert captions == [
        "Abbildung 2 – Internetanschluss nach Schulform (4 zu vernetzende Gebäude)",
        "Abbildung 3 – LAN-/WLAN-Ausbau nach Schulform (4 zu vernetzende Gebäude)",
    ]
    first = [[cell.text for cell in row.cells] for row in word.tables[0].rows]
    assert first[0][:3] == ["Schulform/Anbindung", "Glasfaser", "Richtfunk"]
    assert first[9][0] == "Summe"
    header = word.tables[0].rows[0]._tr.xpath("./w:trPr/w:tblHeader")
    assert header


def test_the_fixed_copy_is_tagged_and_says_the_rules(
    measured_files: dict[str, bytes],
) -> None:
    reader = PdfReader(io.BytesIO(measured_files["report_2025.pdf"]))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "de"
    text = " ".join(page.extract_text() for page in reader.pages).replace("\n", " ")
    for told in (
        "Verfügbarkeit der Anbindung",
        "vorläufig, Stand",
        "≥ 940",
        "Bezugszeit",
    ):
        assert told in text


def test_the_same_year_gives_the_same_bytes(
    measured_city: Any,
    measured_files: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    again = measured_city.report()
    assert annual_files(again, Texts()) == measured_files
    archive = annual_zip(again, Texts())
    assert annual_zip(again, Texts()) == archive
    assert set(zipfile.ZipFile(io.BytesIO(archive)).namelist()) == set(measured_files)


def test_nothing_that_comes_later_changes_a_frozen_year(
    new_city: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other inventory, other measurements, other rules, and years later."""
    city = new_city()
    inventory = city.inventory
    poor: list[str] = []
    reader = city.reader()
    frozen = reader.freeze(
        2025, AFTER, CLERK, lambda rows: poor.extend(r.label for r in rows)
    )
    assert "Gebäudetage mit gültiger Messung" in poor
    assert frozen.figures is not UNSET
    before = annual_files(city.report(), Texts())
    city.save(msgspec.structs.replace(inventory, lines=inventory.lines[1:], probes=()))
    city.measure(0, "throughput", rate_down_bps={12.0: 5e6})
    monkeypatch.setattr("netmon.report.tables.RULES_VERSION", "2")
    monkeypatch.setattr("netmon.report.shares.KNOWN_SHARE", 0.0)
    later = city.report(now=datetime(2029, 1, 1, tzinfo=UTC))
    assert annual_files(later, Texts()) == before
    assert later.basis.sha256 == frozen.sha256
    # The next year is compared with it, and says what has changed.
    lines = summary(city.report(2026, AFTER), Texts())
    assert lines[0] == "Veränderungen gegenüber 2025:"
    assert "  Glasfaser: 1 → 0 (minus 1)" in lines
    assert lines[-2].startswith("  Die Daten des Jahres 2025 waren lückenhaft")
    told = " ".join(differences(city.report(2026, AFTER), Texts())).replace("\xa0", " ")
    assert "Schnelle Anbindung, Anteil Schüler*innen: 90,9 % → 18,2 %" in told


def test_figures_counted_by_other_rules_are_not_compared(
    measured_inventory: Inventory, measured_report: AnnualReport
) -> None:
    fewer = tuple(
        msgspec.structs.replace(
            table,
            rows=[
                msgspec.structs.replace(r, cells=(0.1,) * len(r.cells))
                for r in table.rows
            ],
        )
        for table in measured_report.figures
    )

    def told(version: str) -> list[str]:
        figures = tuple(
            msgspec.structs.replace(table, rules_version=version) for table in fewer
        )
        before = freeze(
            measured_inventory, 2024, AFTER, inventory_sha256="x", figures=figures
        )
        counts = count(measured_inventory)
        compared = annual_report(
            counts, 2025, before, Texts(), figures=measured_report.figures
        )
        return [line.replace("\xa0", " ") for line in summary(compared, Texts())]

    assert told("0") == ["Gegenüber 2024 ist keine Summe verändert."]
    assert "  Verfügbarkeit, Unterricht: verfügbar: 10,0 % → 34,4 %" in told("1")
    # Nothing is known of its data: nothing is said of them.
    assert not any("lückenhaft" in line for line in told("1"))


def test_progress_is_told_of_long_work_only() -> None:
    clock = ManualClock(AFTER)
    out = io.StringIO()
    progress = Progress(Texts(), out, clock.monotonic_s)
    for done in range(1, 5):
        progress(done, 4)
    assert not out.getvalue()
    for done in range(1, 5):
        clock.advance(0.6)
        progress(done, 4)
    assert out.getvalue().splitlines() == [
        "2 von 4 Gebäuden ausgewertet",
        "4 von 4 Gebäuden ausgewertet",
    ]
