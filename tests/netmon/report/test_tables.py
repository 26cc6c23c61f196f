"""The printed tables: rows, columns, changes and notes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest

from netmon.model import Coverage, Inventory, SchoolType, Technology
from netmon.report import (
    AnnualReport,
    CountingError,
    FrozenYear,
    annual_report,
    count,
    freeze,
    totals_only,
)
from netmon.report.screen import change_text, print_text
from netmon.texts import Texts

MakeCity = Callable[..., Inventory]
NOW = datetime(2024, 12, 31, 12, tzinfo=UTC)
GYM, REAL = SchoolType.GYMNASIUM, SchoolType.REALSCHULE
FULL, PARTIAL, UNKNOWN = Coverage.FULL, Coverage.PARTIAL, Coverage.UNKNOWN
FIBRE_SITE = (GYM, Technology.FIBRE, 1000, FULL, FULL)
SLOW_SITE = (REAL, Technology.VDSL, 16, PARTIAL, PARTIAL)


def _frozen(city: Inventory, year: int = 2024) -> FrozenYear:
    return freeze(city, year, NOW, inventory_sha256="x")


def _report(city: Inventory, previous: FrozenYear | None) -> AnnualReport:
    return annual_report(count(city), 2025, previous, Texts())


def _cells(report: AnnualReport, table: int, row: str) -> dict[str, int | None]:
    found = report.tables[table]
    cells = next(one.cells for one in found.rows if one.label == row)
    return dict(zip(found.columns, cells, strict=True))


def test_rows_stand_in_printed_order(make_city: MakeCity) -> None:
    for table in _report(make_city([FIBRE_SITE]), None).tables:
        assert [row.label for row in table.rows] == [
            "Grundschule",
            "Gymnasium",
            "Realschule",
            "Hauptschule",
            "Gesamtschule",
            "Förderschule",
            "Berufskolleg",
            "Weiterbildungskolleg",
            "Summe",
            "Veränderungen zum Vorjahr",
        ]


def test_columns_are_the_printed_ones_while_nothing_else_is_used(
    make_city: MakeCity,
) -> None:
    connection, coverage = _report(make_city([FIBRE_SITE]), None).tables
    assert connection.columns == (
        "Glasfaser",
        "Richtfunk",
        "ab 100 Mbit",
        "25 bis 50 Mbit",
        "Summe",
    )
    assert coverage.columns == (
        "LAN flächendeckend",
        "LAN partiell",
        "WLAN flächendeckend",
        "WLAN partiell",
    )


def test_what_is_in_no_class_gets_its_own_column(make_city: MakeCity) -> None:
    city = make_city(
        [
            FIBRE_SITE,
            SLOW_SITE,
            (GYM, Technology.VDSL, 75, UNKNOWN, FULL),
            (GYM, None, 0, FULL, UNKNOWN),
        ]
    )
    connection, coverage = _report(city, None).tables
    assert connection.columns[4:] == (
        "über 50 bis unter 100 Mbit",
        "unter 25 Mbit",
        "ohne Anschluss",
        "Summe",
    )
    # Each "keine Angabe" stands behind its own group.
    assert coverage.columns == (
        "LAN flächendeckend",
        "LAN partiell",
        "LAN keine Angabe",
        "WLAN flächendeckend",
        "WLAN partiell",
        "WLAN keine Angabe",
    )
    assert _cells(_report(city, None), 0, "Gymnasium")["Summe"] == 3


def test_changes_are_signed_numbers_and_the_sum_has_none(make_city: MakeCity) -> None:
    before = _frozen(make_city([FIBRE_SITE, (GYM, Technology.RADIO, 1, FULL, FULL)]))
    report = _report(make_city([FIBRE_SITE, FIBRE_SITE]), before)
    assert _cells(report, 0, "Veränderungen zum Vorjahr") == {
        "Glasfaser": 1,
        "Richtfunk": -1,
        "ab 100 Mbit": 0,
        "25 bis 50 Mbit": 0,
        "Summe": None,
    }


def test_a_class_that_emptied_is_still_shown(make_city: MakeCity) -> None:
    """T@School reached 0 in 2023: its last change belongs into the table."""
    before = _frozen(make_city([SLOW_SITE, FIBRE_SITE]))
    report = _report(make_city([FIBRE_SITE, FIBRE_SITE]), before)
    assert _cells(report, 0, "Summe")["unter 25 Mbit"] == 0
    assert _cells(report, 0, "Veränderungen zum Vorjahr")["unter 25 Mbit"] == -1


def test_a_new_further_class_is_compared_with_nothing_or_the_open_rest(
    make_city: MakeCity,
) -> None:
    """Totals state only printed columns: what coverage leaves open was unknown."""
    before = totals_only(
        2024,
        NOW,
        buildings=3,
        totals={
            "connection": {
                "Glasfaser": 3,
                "Richtfunk": 0,
                "ab 100 Mbit": 0,
                "25 bis 50 Mbit": 0,
            },
            "coverage": {
                "LAN flächendeckend": 1,
                "LAN partiell": 0,
                "WLAN flächendeckend": 3,
                "WLAN partiell": 0,
            },
        },
        origin="test",
    )
    city = make_city([FIBRE_SITE, SLOW_SITE, (GYM, None, 0, UNKNOWN, FULL)])
    report = _report(city, before)
    assert _cells(report, 0, "Veränderungen zum Vorjahr")["ohne Anschluss"] == 1
    assert _cells(report, 1, "Veränderungen zum Vorjahr")["LAN keine Angabe"] == -1


def test_without_a_year_before_changes_are_empty_with_a_note(
    make_city: MakeCity,
) -> None:
    report = _report(make_city([FIBRE_SITE]), None)
    for table in report.tables:
        assert set(table.rows[-1].cells) == {None}
        assert table.notes == (
            "Ohne Veränderungen zum Vorjahr: Das Jahr 2024 ist nicht festgeschrieben.",
        )


def test_only_the_year_before_is_compared(make_city: MakeCity) -> None:
    city = make_city([FIBRE_SITE])
    with pytest.raises(CountingError, match="2023 is not the year before 2025"):
        _report(city, _frozen(city, 2023))


def test_another_base_is_noted(make_city: MakeCity) -> None:
    before = _frozen(make_city([FIBRE_SITE, (GYM, Technology.FIBRE, 1, UNKNOWN, FULL)]))
    connection, coverage = _report(make_city([FIBRE_SITE]), before).tables
    assert connection.notes == (
        "Im Jahr 2024 wurden 2 Gebäude gezählt, jetzt 1; die Veränderungen beziehen "
        "sich auf diese verschiedenen Grundlagen.",
    )
    assert len(coverage.notes) == 1


def test_other_counting_rules_are_noted(make_city: MakeCity) -> None:
    city = make_city([FIBRE_SITE])
    before = msgspec.structs.replace(_frozen(city), rules_version="0")
    assert _report(city, before).tables[0].notes == (
        "Das Jahr 2024 wurde nach anderen Zählregeln gezählt (Fassung 0 statt 1).",
    )


def test_counts_that_do_not_add_up_are_not_printed(make_city: MakeCity) -> None:
    counts = count(make_city([FIBRE_SITE, SLOW_SITE]))
    wrong = msgspec.structs.replace(counts, buildings=3)
    with pytest.raises(CountingError, match="2 of 3"):
        annual_report(wrong, 2025, None, Texts())


@pytest.mark.parametrize(
    ("change", "text"),
    [(12, "plus 12"), (-15, "minus 15"), (0, "±0"), (1200, "plus 1.200"), (None, "–")],
)
def test_changes_are_told_in_the_reports_words(change: int | None, text: str) -> None:
    assert change_text(change, Texts()) == text


def test_the_screen_shows_words_and_caption(make_city: MakeCity) -> None:
    before = _frozen(make_city([(GYM, Technology.RADIO, 1, FULL, FULL)]))
    table = _report(make_city([FIBRE_SITE]), before).tables[0]
    lines = print_text(table, Texts()).splitlines()
    assert lines[0] == (
        "Abbildung 2 – Internetanschluss nach Schulform (1 zu vernetzende Gebäude)"
    )
    assert lines[-1].split("  ")[0] == "Veränderungen zum Vorjahr"
    assert "plus 1" in lines[-1]
    assert "minus 1" in lines[-1]
    assert len({len(line) for line in lines[1:]}) == 1
