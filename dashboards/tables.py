"""A history as table rows beside its chart: the same numbers, for everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dashboards.chart import Chart
from dashboards.history import DAY_MS, HOUR_MS, Grain, History, Point, Span, joined
from netmon.clock import berlin_day

# More rows than this are hard to read beside a chart; they have a page of their own.
MAX_ROWS = 48


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
    metrics' names and says how the axis is written. ``rows`` are put together to
    few if there are more than `MAX_ROWS`; there are ``complete_count`` of them.
    """

    name: str
    kind: str
    unit: str
    metrics: tuple[str, ...]
    grain: Grain
    generated: bool
    rows: tuple[HistoryRow, ...]
    complete_count: int
    charts: tuple[Chart, ...]

    @property
    def is_short(self) -> bool:
        """Whether rows were put together."""
        return len(self.rows) < self.complete_count


def history_rows(history: History, metrics: Sequence[str]) -> list[HistoryRow]:
    """Return one row for each time at which any of the metrics has a point."""
    columns = [{p.at_ms: p for p in history.points.get(name, ())} for name in metrics]
    times = sorted({at_ms for column in columns for at_ms in column}, reverse=True)
    rows = []
    for at_ms in times:
        points = tuple([column.get(at_ms) for column in columns])
        # The metrics of a kind share their records, so failures are not summed.
        failures = max([p.failures for p in points if p is not None], default=0)
        rows.append(HistoryRow(at_ms, points, failures))
    return rows


def _month(at_ms: int) -> int:
    day = berlin_day(at_ms)
    return day.year * 12 + day.month


# What is put together of a span, so that few rows are left.
_BINS: Mapping[Span, Callable[[int], int]] = {
    Span.DAY: lambda at_ms: at_ms // HOUR_MS,
    Span.WEEK: lambda at_ms: berlin_day(at_ms).toordinal(),
    Span.MONTH: lambda at_ms: at_ms // DAY_MS,
    Span.YEAR: _month,
}


def shortened(rows: Sequence[HistoryRow], span: Span) -> tuple[HistoryRow, ...]:
    """Return the rows, by hour, day or month if there are more than `MAX_ROWS`."""
    if len(rows) <= MAX_ROWS:
        return tuple(rows)
    bins: dict[int, list[HistoryRow]] = {}
    for row in rows:
        bins.setdefault(_BINS[span](row.at_ms), []).append(row)
    return tuple(_together(found) for found in bins.values())


def _together(rows: Sequence[HistoryRow]) -> HistoryRow:
    """Return rows, newest first, as one that begins with the oldest of them."""
    at_ms = rows[-1].at_ms
    points = []
    for column in zip(*(row.points for row in rows), strict=True):
        known = [point for point in column if point is not None]
        points.append(joined(at_ms, known) if known else None)
    return HistoryRow(at_ms, tuple(points), sum(row.failures for row in rows))
