"""Rates by class, pupils with a fast line, and need against contract; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from netmon.model import (
    REPORT_CLASSES,
    ConnectionClass,
    Line,
    Technology,
    connection_class,
)
from netmon.need import needed_down_bps
from netmon.report.availability import columns, rows_by_type
from netmon.report.facts import LineYear
from netmon.report.figures import (
    Cell,
    CellUnit,
    FigureRow,
    FigureTable,
    ratio,
)
from netmon.report.rates import Rate, quantile
from netmon.texts import Texts
from netmon.units import MBIT

# "Glasfaseranschluss oder vergleichbarer Anschluss mit mindestens 200 Mbit/s", as the
# city's report for 2023 puts it.
FAST_DOWN_BPS = 200 * MBIT

MEDIAN, LOW = 0.5, 0.1
ALL = "Alle"
EXACT, AT_LEAST = "genau", "mindestens"
# Such a column says of the one before whether it is exact or a lower bound.
BOUND_SUFFIX = "_is"


def is_fast(line: Line | None) -> bool:
    """Say whether a line is of fibre or has at least 200 Mbit/s by contract."""
    return line is not None and (
        line.technology is Technology.FIBRE or line.contracted_down_bps >= FAST_DOWN_BPS
    )


def median_of(one: LineYear) -> Rate | None:
    """Return the median of a building's days; None without a measurement."""
    return quantile(list(one.rates.values()), MEDIAN)


def rate_cells(rate: Rate | None) -> tuple[Cell, Cell]:
    """Return a rate in bit/s, and whether it is exact or a lower bound."""
    if rate is None:
        return None, None
    return round(rate.rate_bps), AT_LEAST if rate.at_least else EXACT


def rates_table(facts: Sequence[LineYear], texts: Texts) -> FigureTable:
    """Return median and 10th percentile of the days' rates by class."""
    of_class: dict[ConnectionClass, list[LineYear]] = {c: [] for c in ConnectionClass}
    for one in facts:
        of_class[connection_class(one.line)].append(one)
    rows = [
        FigureRow(label=str(each), kind="class", cells=_rate_row(found))
        for each, found in of_class.items()
        if found or each in REPORT_CLASSES
    ]
    rows.append(FigureRow(label=ALL, kind="sum", cells=_rate_row(facts)))
    return FigureTable(
        name="measured_rates",
        rules_version="1",
        caption=texts("figures.rates.caption"),
        sheet=texts("figures.rates.sheet"),
        corner="Anbindung",
        columns=columns(
            ("buildings_count", "Gebäude", CellUnit.COUNT),
            ("measured_buildings_count", "davon gemessen", CellUnit.COUNT),
            ("days_count", "Messtage", CellUnit.COUNT),
            ("lower_bound_days_count", "davon Untergrenze", CellUnit.COUNT),
            ("median_down_bps", "Median", CellUnit.RATE),
            ("median_is", "Median gilt", CellUnit.TEXT),
            ("p10_down_bps", "10. Perzentil", CellUnit.RATE),
            ("p10_is", "10. Perzentil gilt", CellUnit.TEXT),
        ),
        rows=tuple(rows),
        rules=(texts("figures.rates.rule"), texts("figures.rates.at_least")),
    )


def _rate_row(facts: Sequence[LineYear]) -> tuple[Cell, ...]:
    rates = [rate for one in facts for rate in one.rates.values()]
    return (
        len(facts),
        sum(bool(one.rates) for one in facts),
        len(rates),
        sum(rate.at_least for rate in rates),
        *rate_cells(quantile(rates, MEDIAN)),
        *rate_cells(quantile(rates, LOW)),
    )


def pupils_table(facts: Sequence[LineYear], texts: Texts) -> FigureTable:
    """Return the share of pupils in buildings with a fast line."""
    return FigureTable(
        name="fast_pupils",
        rules_version="1",
        caption=texts("figures.pupils.caption"),
        sheet=texts("figures.pupils.sheet"),
        corner="Schulform",
        columns=columns(
            ("buildings_count", "Gebäude", CellUnit.COUNT),
            ("fast_buildings_count", "davon schnell", CellUnit.COUNT),
            ("fast_buildings_ratio", "Anteil Gebäude", CellUnit.RATIO),
            ("without_pupils_count", "Gebäude ohne Angabe", CellUnit.COUNT),
            ("pupils_count", "Schüler*innen", CellUnit.COUNT),
            ("fast_pupils_count", "davon schnell (Schüler*innen)", CellUnit.COUNT),
            ("fast_pupils_ratio", "Anteil Schüler*innen", CellUnit.RATIO),
        ),
        rows=rows_by_type(facts, _pupil_cells),
        rules=(texts("figures.pupils.rule"),),
    )


def _pupil_cells(facts: Sequence[LineYear]) -> tuple[Cell, ...]:
    fast = [one for one in facts if is_fast(one.line)]
    known = sum(one.building.pupils is not None for one in facts)
    # Where nobody has stated a number there is none, above all no 0.
    pupils = _pupils(facts) if known else None
    fast_pupils = _pupils(fast) if known else None
    return (
        len(facts),
        len(fast),
        ratio(len(fast), len(facts)),
        len(facts) - known,
        pupils,
        fast_pupils,
        None if pupils is None else ratio(fast_pupils or 0, pupils),
    )


def _pupils(facts: Iterable[LineYear]) -> int:
    return sum(one.building.pupils or 0 for one in facts)


def need_table(facts: Sequence[LineYear], texts: Texts) -> FigureTable:
    """Return in how many buildings contract and measurement reach the need."""
    return FigureTable(
        name="need",
        rules_version="1",
        caption=texts("figures.need.caption"),
        sheet=texts("figures.need.sheet"),
        corner="Schulform",
        columns=columns(
            ("buildings_count", "Gebäude", CellUnit.COUNT),
            ("with_classes_count", "mit Klassenzahl", CellUnit.COUNT),
            ("median_need_down_bps", "Bedarf (Median)", CellUnit.RATE),
            ("median_contracted_down_bps", "Vertrag (Median)", CellUnit.RATE),
            ("contract_reaches_count", "Vertrag deckt Bedarf", CellUnit.COUNT),
            ("contract_below_count", "Vertrag darunter", CellUnit.COUNT),
            ("measured_reaches_count", "Messung deckt Bedarf", CellUnit.COUNT),
            ("measured_below_count", "Messung darunter", CellUnit.COUNT),
            ("measured_open_count", "Messung offen", CellUnit.COUNT),
        ),
        rows=rows_by_type(facts, _need_cells),
        rules=(texts("figures.need.rule"),),
    )


def _need_cells(facts: Sequence[LineYear]) -> tuple[Cell, ...]:
    judged = [
        (need_bps, 0 if one.line is None else one.line.contracted_down_bps, one)
        for one in facts
        if (need_bps := needed_down_bps(one.building)) is not None
    ]
    contract = [contract_bps >= need_bps for need_bps, contract_bps, _ in judged]
    measured = [_measured_reaches(need_bps, one) for need_bps, _, one in judged]
    return (
        len(facts),
        len(judged),
        rate_cells(quantile([Rate(need) for need, _, _ in judged], MEDIAN))[0],
        rate_cells(quantile([Rate(rate) for _, rate, _ in judged], MEDIAN))[0],
        contract.count(True),
        contract.count(False),
        measured.count(True),
        measured.count(False),
        measured.count(None),
    )


def _measured_reaches(need_bps: int, one: LineYear) -> bool | None:
    """Say whether the median reaches the need; None where that is not known."""
    found = median_of(one)
    if found is None:
        return None
    if found.rate_bps >= need_bps:
        return True
    # A lower bound below the need tells neither.
    return None if found.at_least else False
