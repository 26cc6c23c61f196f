"""Years before netmon: taken over as printed, gaps and slips become warnings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from netmon.demo import city
from netmon.errors import InputError
from netmon.report import FrozenYear, decode_year, encode_year
from netmon.report.history import read_history
from netmon.report.machine import long_csv, table_csv
from netmon.report.reading import frozen_report
from netmon.texts import Texts
from tests.netmon.report.totals import TOTALS

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
# As in the report for 2023: sites and WLAN of one school type do not fit together.
PRINTED = """\
Schulform/Anbindung;Glasfaser;Richtfunk;ab 100 Mbit;25 bis 50 Mbit;T@School (16 Mbit);Summe
Gymnasium;9;1;3;0;;13
Realschule;8;;5;1;0;14
Summe;17;1;8;2;0;27
Veränderungen zum Vorjahr;+ 10;plus 1;minus 1;- 4;minus 8;
"""
COVERAGE = """\
Schulform/Ausbaustatus;LAN flächendeckend;LAN partiell;WLAN flächendeckend;WLAN partiell
Gymnasium;12;2;16;0
Realschule;13;0;13;
Summe;25;2;29;0
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., FrozenYear]:
    def read(*texts: str, year: int = 2023) -> FrozenYear:
        paths = [tmp_path / f"t{n}.csv" for n in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        return read_history(paths, year, NOW)

    return read


def test_the_printed_report_comes_back_as_it_was(
    shared_dir: Path, read: Callable[..., FrozenYear]
) -> None:
    """2025 and the 2024 that follows from it, out of one file."""
    path = shared_dir / "data" / "report_tables_2025.csv"
    before = read_history([path], 2024, NOW)
    year = read_history([path], 2025, NOW)
    shipped = city.load_previous_year()
    assert before.buildings == shipped.buildings
    for column, number in shipped.connection["Summe"].items():
        assert before.total("connection", column) == number
    assert year.warnings == {
        "connection": (),
        "coverage": ("Leere Zelle in der Quelle: Realschule, WLAN partiell.",),
    }
    report = frozen_report(year, before, Texts())
    lines = table_csv(report.tables[0]).splitlines()
    assert lines[1] == "Grundschule,30,4,59,4,97"
    assert lines[-1] == "Veränderungen zum Vorjahr,12,4,-15,-1,"
    coverage = table_csv(report.tables[1]).splitlines()
    assert coverage[3] == "Realschule,13,0,13,"
    assert coverage[-1] == "Veränderungen zum Vorjahr,26,-8,10,2"
    # What was exported can be taken over again.
    again = read(long_csv(report), year=2025)
    assert (again.connection, again.coverage) == (year.connection, year.coverage)


def test_totals_are_enough(read: Callable[..., FrozenYear]) -> None:
    year = read(TOTALS, year=2024)
    shipped = city.load_previous_year()
    assert year.connection == shipped.connection
    assert year.coverage == shipped.coverage
    assert year.buildings == 178
    assert decode_year(encode_year(year)) == year


def test_what_does_not_add_up_is_kept_and_said(read: Callable[..., FrozenYear]) -> None:
    year = read(PRINTED, COVERAGE)
    assert year.buildings == 27
    assert year.connection["Gymnasium"] == {
        "Glasfaser": 9,
        "Richtfunk": 1,
        "ab 100 Mbit": 3,
        "25 bis 50 Mbit": 0,
        "Summe": 13,
    }
    # T@School had 16 Mbit/s.
    assert year.connection["Realschule"]["unter 25 Mbit"] == 0
    assert year.warnings
    assert year.warnings["connection"] == (
        "Leere Zelle in der Quelle: Gymnasium, unter 25 Mbit.",
        "Leere Zelle in der Quelle: Realschule, Richtfunk.",
        "Die Quelle nennt nur 2 der acht Schulformen.",
        "Summe: „Glasfaser“ bis „25 bis 50 Mbit“ ergeben 28, gezählt sind 27 Gebäude.",
    )
    assert year.warnings["coverage"] == (
        "Leere Zelle in der Quelle: Realschule, WLAN partiell.",
        "Die Quelle nennt nur 2 der acht Schulformen.",
        "Gymnasium: „LAN flächendeckend“ bis „LAN partiell“ ergeben 14, gezählt sind 13 "
        "Gebäude.",
        "Gymnasium: „WLAN flächendeckend“ bis „WLAN partiell“ ergeben 16, gezählt sind "
        "13 Gebäude.",
        "Realschule: „LAN flächendeckend“ und „LAN partiell“ nennen 13 von 14 Gebäuden; "
        "die übrigen sind ohne Angabe.",
        "Realschule: „WLAN flächendeckend“ und „WLAN partiell“ nennen 13 von 14 "
        "Gebäuden; die übrigen sind ohne Angabe.",
        "Summe: „WLAN flächendeckend“ bis „WLAN partiell“ ergeben 29, gezählt sind 27 "
        "Gebäude.",
    )
    report = frozen_report(year, None, Texts())
    assert report.tables[0].notes[1:] == year.warnings["connection"]
    printed = table_csv(report.tables[0]).splitlines()
    assert printed[2] == "Gymnasium,9,1,3,0,13"
    assert printed[9] == "Summe,17,1,8,2,27"


def test_a_year_without_coverage_has_none(read: Callable[..., FrozenYear]) -> None:
    year = read(PRINTED)
    assert year.warnings
    assert year.warnings["coverage"] == ("Die Tabelle fehlt in der Quelle.",)
    cells = frozen_report(year, None, Texts()).tables[1].rows[8].cells
    assert set(cells) == {None}


def test_a_missing_sum_follows_from_the_rows(read: Callable[..., FrozenYear]) -> None:
    rows = PRINTED.splitlines()
    year = read("\n".join([*rows[:3], rows[4]]))
    assert year.total("connection", "Glasfaser") == 17
    assert year.warnings
    told = " ".join(year.warnings["connection"])
    assert "keine Summe von „Glasfaser“; aus den Zeilen ergibt sie sich zu 17" in told


def test_a_gap_before_leaves_the_change_open(read: Callable[..., FrozenYear]) -> None:
    """Nothing is subtracted from a number that nobody printed."""
    gap = TOTALS.replace("connection,Richtfunk,14", "connection,Richtfunk,")
    gap = gap.replace("coverage,WLAN partiell,9\n", "")
    before, year = read(gap, year=2024), read(TOTALS, year=2025)
    report = frozen_report(year, before, Texts())
    assert report.tables[0].rows[-1].cells == (0, None, 0, 0, None)
    assert report.tables[1].rows[-1].cells == (0, 0, 0, None)
    assert "Im Jahr 2024 wurden 164 Gebäude gezählt" in report.tables[0].notes[0]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("links,Glasfaser,1", "t0.csv:10 [table]: Tabelle „links“"),
        ("coverage,Glasfaser,1", "t0.csv:10 [column]: Spalte „Glasfaser“"),
        ("connection,Glasfaser,66", "t0.csv:10 [column]: „Summe“, „Glasfaser“ kommt"),
        ("connection,unter 25 Mbit,-1", "t0.csv:10 [value]: „-1“ ist keine Anzahl"),
    ],
)
def test_what_cannot_be_read_is_named(
    read: Callable[..., FrozenYear], more: str, problem: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(f"{TOTALS}{more}\n")
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b,c\n", "Kopfzeile ist unbekannt"),
        (COVERAGE, "Tabelle der Anbindungen fehlt"),
        ("year,table,column,value\n2022,connection,Glasfaser,57\n", "nur von 2022"),
        (
            PRINTED.replace("Realschule", "Waldorfschule"),
            "keine Schulform des Berichts",
        ),
    ],
)
def test_other_files_are_refused(
    read: Callable[..., FrozenYear], text: str, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        read(text)


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nicht lesbar"):
        read_history([tmp_path / "missing.csv"], 2023, NOW)


def test_the_origin_names_every_file(read: Callable[..., FrozenYear]) -> None:
    connection = "Schulform/Anbindung;Glasfaser;Summe\nSumme;178;178\n"
    coverage = "Schulform/Ausbaustatus;LAN flächendeckend\nSumme;166\n"
    assert "t0.csv, t1.csv" in read(connection, coverage).origin
