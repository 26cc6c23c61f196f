"""What changed since the year before, in a few lines; pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from netmon.report.completeness import COMPLETENESS, poor_rows
from netmon.report.figures import CellUnit, FigureTable
from netmon.report.screen import cell_text, change_text
from netmon.report.snapshot import FrozenYear
from netmon.report.tables import AnnualReport
from netmon.texts import Texts

# So many are told on a screen; all are in the files.
TOLD = 8


def differences(report: AnnualReport, texts: Texts) -> list[str]:
    """Return every difference of a sum to the year before, as printed.

    Figures are compared only where both years counted them by the same rules.
    """
    previous = report.compared_with
    if previous is None:
        return []
    return [*_counts(report, texts), *_figures(report, texts)]


def summary(report: AnnualReport, texts: Texts) -> list[str]:
    """Return the first differences for a screen, and how many more there are."""
    previous = report.compared_with
    if previous is None:
        return [texts("report.differences.no_previous", year=report.year - 1)]
    found = differences(report, texts)
    if not found:
        return [texts("report.differences.none", year=previous.year)]
    lines = [texts("report.differences.head", year=previous.year), *found[:TOLD]]
    if _was_poor(previous):
        lines.append(texts("report.differences.poor", year=previous.year))
    if len(found) > TOLD:
        lines.append(texts("report.differences.more", n=len(found) - TOLD))
    return lines


def _was_poor(previous: FrozenYear) -> bool:
    """Say whether a year was frozen although too much was missing in its data."""
    tables = () if previous.figures is UNSET else previous.figures
    return any(poor_rows(table) for table in tables if table.name == COMPLETENESS)


def _counts(report: AnnualReport, texts: Texts) -> Iterator[str]:
    for table in report.tables:
        total = next(row for row in table.rows if row.kind == "sum")
        change = next(row for row in table.rows if row.kind == "change")
        for column, now, delta in zip(
            table.columns, total.cells, change.cells, strict=True
        ):
            if delta and now is not None:
                yield texts(
                    "report.differences.count",
                    column=column,
                    before=texts.number(now - delta),
                    now=texts.number(now),
                    change=change_text(delta, texts),
                )


def _figures(report: AnnualReport, texts: Texts) -> Iterator[str]:
    previous = report.compared_with
    if previous is None or previous.figures is UNSET:
        return
    before = {table.name: table for table in previous.figures}
    for table in report.figures:
        known = before.get(table.name)
        if known is not None and known.rules_version == table.rules_version:
            yield from _figure(known, table, texts)


def _figure(before: FigureTable, now: FigureTable, texts: Texts) -> Iterator[str]:
    if before.total is None or now.total is None:
        return
    known = {
        column.key: cell
        for column, cell in zip(before.columns, before.total.cells, strict=True)
    }
    for column, cell in zip(now.columns, now.total.cells, strict=True):
        was = known.get(column.key)
        # Counts follow from the inventory and the days; shares and rates are the news.
        told = column.unit in {CellUnit.RATIO, CellUnit.RATE}
        if told and was is not None and cell is not None and was != cell:
            yield texts(
                "report.differences.figure",
                table=now.sheet,
                column=column.label,
                before=cell_text(was, column.unit, texts),
                now=cell_text(cell, column.unit, texts),
            )
