"""A history as table rows beside its chart: the same numbers, for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.chart import Chart
from dashboards.history import Grain, History, Point


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One time; ``points`` are parallel to the plot's metrics, None for no value."""

    at_ms: int
    points: tuple[Point | None, ...]
    failures: int


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart in two sizes and the same numbers as rows, newest first.

    ``charts`` is empty where there is nothing to draw. ``unit`` ends the
    metrics' names and says how the axis is written.
    """

    name: str
    kind: str
    unit: str
    metrics: tuple[str, ...]
    grain: Grain
    generated: bool
    rows: tuple[HistoryRow, ...]
    charts: tuple[Chart, ...]


def history_rows(history: History, metrics: Sequence[str]) -> list[HistoryRow]:
    """Return one row for each time at which any of the metrics has a point."""
    columns = [{p.at_ms: p for p in history.points.get(name, ())} for name in metrics]
    times = sorted({at_ms for column in columns for at_ms in column}, reverse=True)
    rows = []
    for at_ms in times:
        points = tuple(column.get(at_ms) for column in columns)
        # The metrics of a kind share their records, so failures are not summed.
        failures = max((p.failures for p in points if p is not None), default=0)
        rows.append(HistoryRow(at_ms, points, failures))
    return rows
