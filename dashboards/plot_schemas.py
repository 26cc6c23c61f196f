"""What the JSON API answers for drawing: columns instead of points, to be small."""

from __future__ import annotations

from dashboards.history import Grain, HistoryMetric, Span
from dashboards.plots import PlotName
from dashboards.schema_base import Generated, Moment, Reply


class PlotSeriesReply(Reply):
    """One metric; the lists are parallel, numbers have six digits.

    ``at_s`` are seconds since 1970 in UTC, at which a mean begins. A null number
    ends a line: there is a gap, or a measurement failed. ``low`` and ``high`` are
    null where every point is one measurement.
    """

    metric: HistoryMetric
    at_s: list[int]
    mean: list[float | None]
    low: list[float | None] | None
    high: list[float | None] | None


class PlotMarkReply(Reply):
    """A value across the whole plot, e.g. the contracted rate."""

    name: str
    value: float


class PlotReply(Reply):
    """A plot of a line; a time without any measurement has no point.

    ``step_s`` is how long a mean lasts, 0 for single measurements. ``failed_at_s``
    are times at which a measurement failed.
    """

    building_id: str
    line_id: str
    plot: PlotName
    unit: str
    span: Span
    grain: Grain
    step_s: int
    first_at: Moment
    last_at: Moment
    generated: Generated
    series: list[PlotSeriesReply]
    failed_at_s: list[int]
    marks: list[PlotMarkReply]
