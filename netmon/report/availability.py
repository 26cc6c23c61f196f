"""Availability and measured days by school type; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netmon.model import SchoolType
from netmon.report.counting import SUM
from netmon.report.facts import LineYear
from netmon.report.figures import (
    Cell,
    CellUnit,
    FigureColumn,
    FigureRow,
    FigureTable,
    by_school_type,
    ratio,
)
from netmon.report.shares import TimeShares
from netmon.texts import Texts

_CORNER = "Schulform"


def columns(*told: tuple[str, str, CellUnit]) -> tuple[FigureColumn, ...]:
    """Return columns of (key, label, unit)."""
    return tuple(FigureColumn(key=k, label=label, unit=u) for k, label, u in told)


def rows_by_type(
    facts: Sequence[LineYear], cells: Callable[[Sequence[LineYear]], tuple[Cell, ...]]
) -> tuple[FigureRow, ...]:
    """Return a row for the buildings of each school type, and one for all."""
    of_type: dict[str, list[LineYear]] = {str(kind): [] for kind in SchoolType}
    for one in facts:
        of_type[one.building.school_type].append(one)
    of_type[SUM] = list(facts)
    return tuple(
        by_school_type([(label, cells(found)) for label, found in of_type.items()])
    )


def availability_table(facts: Sequence[LineYear], texts: Texts) -> FigureTable:
    """Return the shares of lesson time and of all hours, and the availability."""
    return FigureTable(
        name="availability",
        rules_version="1",
        caption=texts("figures.availability.caption"),
        sheet=texts("figures.availability.sheet"),
        corner=_CORNER,
        columns=columns(
            ("buildings_count", "Gebäude", CellUnit.COUNT),
            *_time_columns("lesson", "Unterricht"),
            *_time_columns("always", "24/7"),
        ),
        rows=rows_by_type(facts, _availability_cells),
        rules=(texts("figures.availability.rule"),),
        notes=_notes(facts, texts),
    )


def _time_columns(key: str, label: str) -> list[tuple[str, str, CellUnit]]:
    return [
        (f"{key}_available_ratio", f"{label}: verfügbar", CellUnit.RATIO),
        (f"{key}_down_ratio", f"{label}: gestört", CellUnit.RATIO),
        (f"{key}_unknown_ratio", f"{label}: keine Daten", CellUnit.RATIO),
        (f"{key}_availability_ratio", f"{label}: Verfügbarkeit", CellUnit.RATIO),
    ]


def _availability_cells(facts: Sequence[LineYear]) -> tuple[Cell, ...]:
    lesson = sum((one.lesson for one in facts), TimeShares())
    always = sum((one.always for one in facts), TimeShares())
    return (len(facts), *_share_cells(lesson), *_share_cells(always))


def _share_cells(shares: TimeShares) -> tuple[Cell, ...]:
    total_ms, availability = shares.total_ms, shares.availability
    return (
        ratio(shares.available_ms, total_ms),
        ratio(shares.down_ms, total_ms),
        ratio(shares.unknown_ms, total_ms),
        None if availability is None else round(availability, 5),
    )


def _notes(facts: Sequence[LineYear], texts: Texts) -> tuple[str, ...]:
    told = {
        "no_holidays": sum(not one.has_holidays for one in facts),
        "false_alarms": sum(one.false_alarms for one in facts),
    }
    return tuple(
        texts(f"figures.availability.{key}", n=texts.number(n))
        for key, n in told.items()
        if n
    )


def days_table(facts: Sequence[LineYear], texts: Texts) -> FigureTable:
    """Return the share of days with a valid measurement."""
    return FigureTable(
        name="measured_days",
        rules_version="1",
        caption=texts("figures.days.caption"),
        sheet=texts("figures.days.sheet"),
        corner=_CORNER,
        columns=columns(
            ("buildings_count", "Gebäude", CellUnit.COUNT),
            ("never_measured_count", "nie gemessen", CellUnit.COUNT),
            ("days_count", "Gebäudetage", CellUnit.COUNT),
            ("measured_days_count", "mit Messung", CellUnit.COUNT),
            ("measured_days_ratio", "Anteil", CellUnit.RATIO),
            ("school_days_count", "Unterrichtstage", CellUnit.COUNT),
            ("measured_school_days_count", "mit Messung (Unterricht)", CellUnit.COUNT),
            ("measured_school_days_ratio", "Anteil (Unterricht)", CellUnit.RATIO),
        ),
        rows=rows_by_type(facts, _days_cells),
        rules=(texts("figures.days.rule"),),
    )


def _days_cells(facts: Sequence[LineYear]) -> tuple[Cell, ...]:
    days = sum(one.days for one in facts)
    measured = sum(len(one.rates) for one in facts)
    school = sum(len(one.lesson_days) for one in facts)
    measured_school = sum(one.measured_lesson_days for one in facts)
    return (
        len(facts),
        sum(not one.rates for one in facts),
        days,
        measured,
        ratio(measured, days),
        school,
        measured_school,
        ratio(measured_school, school),
    )
