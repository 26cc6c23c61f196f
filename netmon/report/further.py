"""The further tables of the report: one line each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from netmon.model import Inventory
from netmon.report.availability import availability_table, days_table
from netmon.report.bandwidth import need_table, pupils_table, rates_table
from netmon.report.completeness import completeness_table
from netmon.report.facts import LineYear
from netmon.report.figures import FigureTable
from netmon.report.lists import below_table, buildings_table
from netmon.report.period import Period
from netmon.texts import Texts

# In the order in which they are printed.
FIGURES: tuple[Callable[[Sequence[LineYear], Texts], FigureTable], ...] = (
    availability_table,
    days_table,
    rates_table,
    pupils_table,
    below_table,
    need_table,
    buildings_table,
)


def further_tables(
    inventory: Inventory,
    facts: Sequence[LineYear],
    period: Period,
    texts: Texts,
    notes: tuple[str, ...] = (),
) -> tuple[FigureTable, ...]:
    """Return all further tables of a year, the completeness of the data last.

    ``notes`` are what else is to be said of the data.
    """
    counted = (make(facts, texts) for make in FIGURES)
    completeness = completeness_table(inventory, facts, period, texts)
    return (*counted, replace(completeness, notes=(*completeness.notes, *notes)))
