"""The further tables: what is counted of a real store, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from netmon.report import AnnualReport, facts
from netmon.report.completeness import poor_rows
from netmon.report.figures import Cell, FigureTable
from netmon.report.period import lessons_in, period_of
from netmon.school_calendar import SchoolCalendar
from netmon.storage.action_records import Actor, Mark, Via

HOUR = 3_600_000
MBIT = 1_000_000


def cells(table: FigureTable | None, label: str) -> dict[str, Cell]:
    assert table is not None
    row = next(row for row in table.rows if row.label == label)
    keys = [column.key for column in table.columns]
    return dict(zip(keys, row.cells, strict=True))


def test_lesson_time_has_three_shares(measured_report: AnnualReport) -> None:
    """Eight to twelve: 1.5 h measured, 1.5 h down, 1 h of which nothing is known."""
    found = cells(measured_report.figure("availability"), "Gymnasium")
    assert found["lesson_available_ratio"] == 0.375
    assert found["lesson_down_ratio"] == 0.375
    assert found["lesson_unknown_ratio"] == 0.25
    assert found["lesson_availability_ratio"] == 0.5
    hours = 365 * 24
    assert found["always_available_ratio"] == round(9.5 / hours, 4)
    assert found["always_down_ratio"] == round(1.5 / hours, 4)
    # Of a year of which hardly anything is known no availability is stated.
    assert found["always_availability_ratio"] is None


def test_a_false_alarm_is_no_outage(new_city: Callable[[], Any]) -> None:
    """What it covered was measured, or nothing is known of it; the number is told."""
    city = new_city()
    incident = next(
        one for one in city.store.alarms.incidents() if one.rule == facts.LINE_DOWN
    )
    mark = Mark(incident_id=incident.id, at_ms=incident.started_ms, author="A", note="")
    assert city.store.actions.mark_false(mark, Actor("A", Via.SHELL))
    table = city.report().figure("availability")
    found = cells(table, "Gymnasium")
    assert found["lesson_down_ratio"] == 0.0
    assert found["lesson_available_ratio"] == 0.5
    assert table.notes == (
        "Als Fehlalarm vermerkte Ausfälle, die darum nicht als gestört zählen: 1.",
    )


def test_without_data_nothing_is_available(measured_report: AnnualReport) -> None:
    found = cells(measured_report.figure("availability"), "Grundschule")
    assert found["lesson_available_ratio"] == round(1 / 3, 4)
    assert found["lesson_down_ratio"] == 0.0
    assert found["lesson_unknown_ratio"] == round(2 / 3, 4)
    nobody = cells(measured_report.figure("availability"), "Realschule")
    assert nobody.pop("buildings_count") == 0
    assert set(nobody.values()) == {None}


def test_days_count_where_something_was_measured(measured_report: AnnualReport) -> None:
    found = cells(measured_report.figure("measured_days"), "Summe")
    assert list(found.values()) == [4, 2, 4 * 365, 2, 0.0014, 4, 2, 0.5]


def test_rates_by_class_say_what_is_only_a_lower_bound(
    measured_report: AnnualReport,
) -> None:
    table = measured_report.figure("measured_rates")
    fibre = cells(table, "Glasfaser")
    assert (fibre["median_down_bps"], fibre["median_is"]) == (940 * MBIT, "mindestens")
    assert fibre["lower_bound_days_count"] == 1
    vdsl = cells(table, "ab 100 Mbit")
    assert (vdsl["p10_down_bps"], vdsl["p10_is"]) == (90 * MBIT, "genau")
    slow = cells(table, "25 bis 50 Mbit")
    assert (slow["buildings_count"], slow["measured_buildings_count"]) == (1, 0)
    assert slow["median_down_bps"] is None
    assert cells(table, "Richtfunk")["buildings_count"] == 0


def test_pupils_weigh_the_share(measured_report: AnnualReport) -> None:
    found = cells(measured_report.figure("fast_pupils"), "Summe")
    assert list(found.values()) == [4, 2, 0.5, 1, 1100, 1000, 0.9091]
    # Nobody has stated how many pupils there are: no number, and above all no 0.
    assert (
        cells(measured_report.figure("fast_pupils"), "Realschule")["pupils_count"]
        is None
    )


def test_need_contract_and_measurement_stand_beside_each_other(
    measured_report: AnnualReport,
) -> None:
    table = measured_report.figure("need")
    assert list(cells(table, "Gymnasium").values()) == [
        *(1, 1, 930 * MBIT, 1000 * MBIT),
        *(1, 0, 1, 0, 0),
    ]
    # 270 and 150 Mbit/s of need: contracts of 250 and 50, one of them measured.
    assert list(cells(table, "Grundschule").values()) == [
        *(3, 2, 150 * MBIT, 50 * MBIT),
        *(0, 2, 0, 1, 1),
    ]


def test_who_is_below_100_stands_in_the_list_with_the_reason(
    measured_report: AnnualReport,
) -> None:
    table = measured_report.figure("below_100")
    assert table is not None
    assert [(row.label, row.cells[5], row.cells[6]) for row in table.rows] == [
        ("=Schule", "Vertrag", "2026-09-30"),
        ("Schule b1", "Messung", None),
        ("Schule b3", "ohne Anschluss", None),
    ]
    assert table.notes[0] == "Ohne Glasfaser und ohne Termin dafür: 2 Gebäude."


def test_completeness_says_where_too_much_is_missing(
    measured_report: AnnualReport,
) -> None:
    table = measured_report.figure("completeness")
    assert table is not None
    assert [row.label for row in poor_rows(table)] == [
        "Gebäude mit Hauptanbindung im Bestand",
        "Gebäude mit Angabe zum WLAN",
        "Gebäude mit Zahl der Schüler*innen",
        "Gebäude mit Klassenzahl",
        "Gebäude mit Unterrichtsräumen im Bestand",
        "Gebäude mit mindestens einer gültigen Messung",
        "Gebäudetage mit gültiger Messung",
        "Unterrichtsstunden mit Daten",
    ]


def test_a_running_year_ends_now() -> None:
    """And the hour that a clock change takes away is no hour of the year."""
    period = period_of(2025, datetime(2025, 3, 31, 10, tzinfo=UTC))
    assert len(period.days) == 31 + 28 + 31
    assert sum(span.length_ms for span in period.whole) == (89 * 24 - 1 + 12) * HOUR
    lessons = lessons_in(period, SchoolCalendar())
    # Today's lessons until noon only.
    assert lessons.spans[-1].length_ms == 4 * HOUR
    assert not lessons.has_holidays
    assert period_of(2026, datetime(2025, 3, 31, tzinfo=UTC)).days == ()
