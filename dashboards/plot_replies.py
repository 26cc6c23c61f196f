"""From a history to the columns that a browser draws; pure."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards import plot_schemas as s
from dashboards.chart import STEP_MS, pieces
from dashboards.history import Grain, History, HistoryMetric, Point
from dashboards.plots import PLOT_METRICS, Mark, PlotName, unit_of
from dashboards.replies import UNITS
from netmon.clock import from_ms

# Whoever asks twice within it, and nothing was measured, has the same answer.
_WINDOW_MS = 60_000


def window_end_ms(now_ms: int) -> int:
    """Return the end of the minute, so that answers within it are the same."""
    return now_ms - now_ms % _WINDOW_MS + _WINDOW_MS


def _six_digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def series(
    metric: HistoryMetric, points: Sequence[Point], grain: Grain
) -> s.PlotSeriesReply:
    """Return a metric's points; between two runs of them stands a null."""
    drawn: list[tuple[int, Point | None]] = []
    for run in pieces(points, grain):
        if drawn:
            drawn.append((drawn[-1][0] + 1, None))
        drawn += [(point.at_ms // 1000, point) for point in run]
    known = [point for _, point in drawn]
    ranged = any(p is not None and p.low != p.high for p in known)

    def column(name: str) -> list[float | None]:
        return [None if p is None else _six_digits(getattr(p, name)) for p in known]

    return s.PlotSeriesReply(
        metric=metric,
        at_s=[at_s for at_s, _ in drawn],
        mean=column("mean"),
        low=column("low") if ranged else None,
        high=column("high") if ranged else None,
    )


def plot(
    found: History, building_id: str, line_id: str, name: PlotName, marks: list[Mark]
) -> s.PlotReply:
    """Return a plot's columns."""
    metrics = PLOT_METRICS[name]
    columns = [found.points[metric] for metric in metrics]
    failed = {p.at_ms // 1000 for points in columns for p in points if p.failures}
    return s.PlotReply(
        building_id=building_id,
        line_id=line_id,
        plot=name,
        unit=UNITS[unit_of(name)],
        span=found.span,
        grain=found.grain,
        step_s=STEP_MS.get(found.grain, 0) // 1000,
        first_at=from_ms(found.first_ms),
        last_at=from_ms(found.last_ms),
        generated=found.generated,
        series=[
            series(metric, points, found.grain)
            for metric, points in zip(metrics, columns, strict=True)
        ],
        failed_at_s=sorted(failed),
        marks=[s.PlotMarkReply(name=mark.name, value=mark.value) for mark in marks],
    )
