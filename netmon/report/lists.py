"""Lists of buildings: those below 100 Mbit/s, and all with their figures; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from netmon.model import (
    ConnectionClass,
    Technology,
    below_by_contract,
    connection_class,
    expected_down_bps,
)
from netmon.need import needed_down_bps
from netmon.report.availability import columns
from netmon.report.bandwidth import (
    LOW,
    median_of,
    rate_cells,
)
from netmon.report.facts import LineYear
from netmon.report.figures import Cell, CellUnit, FigureRow, FigureTable, ratio
from netmon.report.rates import quantile
from netmon.texts import Texts

# Why a building stands in the list; data like the classes, the same in every language.
BY_CONTRACT = "Vertrag"
BY_MEASUREMENT = "Messung"
NO_LINE = str(ConnectionClass.NO_LINE)


def why_below(one: LineYear) -> str | None:
    """Return why a building is below 100 Mbit/s; None where it is not."""
    if one.line is None:
        return NO_LINE
    if below_by_contract(one.line):
        return BY_CONTRACT
    found = median_of(one)
    # A lower bound says nothing of what is above it.
    if found is None or found.at_least:
        return None
    return BY_MEASUREMENT if found.rate_bps < expected_down_bps(one.line) else None


def below_table(facts: Sequence[LineYear], texts: Texts) -> FigureTable:
    """Return the buildings below 100 Mbit/s, those that wait longest last."""
    below = [(one, why) for one in facts if (why := why_below(one)) is not None]
    below.sort(key=lambda pair: (_planned(pair[0]) or date.max, pair[0].building.id))
    unplanned = sum(_planned(one) is None and not _has_fibre(one) for one, _ in below)
    unmeasured = sum(not one.rates for one in facts)
    return FigureTable(
        name="below_100",
        rules_version="1",
        caption=texts("figures.below.caption", n=texts.number(len(below))),
        sheet=texts("figures.below.sheet"),
        corner="Gebäude",
        columns=columns(
            ("building_id", "Kennung", CellUnit.TEXT),
            ("school_type", "Schulform", CellUnit.TEXT),
            ("connection", "Anbindung", CellUnit.TEXT),
            ("contracted_down_bps", "Vertrag", CellUnit.RATE),
            ("median_down_bps", "gemessen (Median)", CellUnit.RATE),
            ("reason", "Grund", CellUnit.TEXT),
            ("fibre_planned_on", "Glasfaser geplant", CellUnit.DATE),
        ),
        rows=tuple(
            FigureRow(
                label=one.building.name, kind="item", cells=_below_cells(one, why)
            )
            for one, why in below
        ),
        rules=(texts("figures.below.rule"),),
        notes=(
            texts("figures.below.unplanned", n=texts.number(unplanned)),
            texts("figures.below.unmeasured", n=texts.number(unmeasured)),
        ),
    )


def _planned(one: LineYear) -> date | None:
    return None if one.line is None else one.line.fibre_planned_on


def _has_fibre(one: LineYear) -> bool:
    return one.line is not None and one.line.technology is Technology.FIBRE


def _below_cells(one: LineYear, why: str) -> tuple[Cell, ...]:
    planned = _planned(one)
    return (
        one.building.id,
        str(one.building.school_type),
        str(connection_class(one.line)),
        None if one.line is None else one.line.contracted_down_bps,
        rate_cells(median_of(one))[0],
        why,
        None if planned is None else planned.isoformat(),
    )


def buildings_table(facts: Sequence[LineYear], texts: Texts) -> FigureTable:
    """Return all buildings with what the other tables add up."""
    return FigureTable(
        name="buildings",
        rules_version="1",
        caption=texts("figures.buildings.caption"),
        sheet=texts("figures.buildings.sheet"),
        corner="Gebäude",
        columns=columns(
            ("building_id", "Kennung", CellUnit.TEXT),
            ("school_type", "Schulform", CellUnit.TEXT),
            ("connection", "Anbindung", CellUnit.TEXT),
            ("pupils_count", "Schüler*innen", CellUnit.COUNT),
            ("classes_count", "Klassen", CellUnit.COUNT),
            ("need_down_bps", "Bedarf", CellUnit.RATE),
            ("contracted_down_bps", "Vertrag", CellUnit.RATE),
            ("median_down_bps", "gemessen (Median)", CellUnit.RATE),
            ("median_is", "Median gilt", CellUnit.TEXT),
            ("p10_down_bps", "10. Perzentil", CellUnit.RATE),
            ("p10_is", "10. Perzentil gilt", CellUnit.TEXT),
            ("measured_days_count", "Messtage", CellUnit.COUNT),
            ("measured_days_ratio", "Anteil Messtage", CellUnit.RATIO),
            ("lesson_availability_ratio", "Verfügbarkeit Unterricht", CellUnit.RATIO),
            ("lesson_unknown_ratio", "Unterricht: keine Daten", CellUnit.RATIO),
            ("always_availability_ratio", "Verfügbarkeit 24/7", CellUnit.RATIO),
            ("always_unknown_ratio", "24/7: keine Daten", CellUnit.RATIO),
        ),
        rows=tuple(
            FigureRow(label=one.building.name, kind="item", cells=_building_cells(one))
            for one in facts
        ),
        rules=(texts("figures.buildings.rule"),),
        detail=True,
    )


def _building_cells(one: LineYear) -> tuple[Cell, ...]:
    lesson, always = one.lesson, one.always
    return (
        one.building.id,
        str(one.building.school_type),
        str(connection_class(one.line)),
        one.building.pupils,
        one.building.classes,
        needed_down_bps(one.building),
        None if one.line is None else one.line.contracted_down_bps,
        *rate_cells(median_of(one)),
        *rate_cells(quantile(list(one.rates.values()), LOW)),
        len(one.rates),
        ratio(len(one.rates), one.days),
        _rounded(lesson.availability),
        ratio(lesson.unknown_ms, lesson.total_ms),
        _rounded(always.availability),
        ratio(always.unknown_ms, always.total_ms),
    )


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 5)
