"""A line's history as points in time: raw, hourly or daily; pure but for one reader.

A point without numbers but with failures is a gap with a reason; a time without
any record is no point at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from netmon.clock import BERLIN, berlin_day, to_ms
from netmon.metrics import FAILURES
from netmon.storage.ports import MeasurementStore, Resolution
from netmon.storage.records import Chunk, Rollup, SeriesRef

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BIN_MS = 300_000
# More raw points than this are hard to draw and to read; then 5-minute means.
MAX_RAW_POINTS = 300


class Span(StrEnum):
    """How far back a history goes."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    YEAR = "1y"


class Grain(StrEnum):
    """What one point of a history stands for."""

    RAW = "raw"
    FIVE_MINUTES = "5min"
    HOUR = "hour"
    DAY = "day"


class HistoryMetric(StrEnum):
    """The quantities of a line that have a history."""

    RATE_DOWN = "rate_down_bps"
    RATE_UP = "rate_up_bps"
    RTT = "rtt_s"
    JITTER = "jitter_s"
    LOSS = "loss_ratio"
    DNS = "dns_duration_s"


# Where each quantity is measured: kind and metric of the catalogue.
HISTORY_METRICS: Mapping[HistoryMetric, tuple[str, str]] = {
    HistoryMetric.RATE_DOWN: ("throughput", "rate_down_bps"),
    HistoryMetric.RATE_UP: ("throughput", "rate_up_bps"),
    HistoryMetric.RTT: ("latency", "rtt_s"),
    HistoryMetric.JITTER: ("latency", "jitter_s"),
    HistoryMetric.LOSS: ("latency", "loss_ratio"),
    HistoryMetric.DNS: ("dns", "duration_s"),
}

# A test of the one direction says nothing of the other, nor does its failure.
_WAYS: Mapping[HistoryMetric, str] = {
    HistoryMetric.RATE_DOWN: "down",
    HistoryMetric.RATE_UP: "up",
}

_SPAN_MS: Mapping[Span, int] = {
    Span.DAY: DAY_MS,
    Span.WEEK: 7 * DAY_MS,
    Span.MONTH: 30 * DAY_MS,
    Span.YEAR: 365 * DAY_MS,
}


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured in a time that begins at ``at_ms``.

    ``mean``, ``low`` and ``high`` are None where every measurement failed;
    ``n`` counts those that did not.
    """

    at_ms: int
    n: int
    mean: float | None
    low: float | None
    high: float | None
    failures: int


@dataclass(frozen=True, slots=True)
class History:
    """Points of several metrics over one span, in order of time."""

    span: Span
    grain: Grain
    first_ms: int
    last_ms: int
    points: Mapping[str, tuple[Point, ...]]
    generated: bool


def span_start_ms(span: Span, now_ms: int) -> int:
    """Return where a span that ends now begins.

    Days are whole days in Dortmund, today being the last, hours whole hours.
    """
    start_ms = now_ms - _SPAN_MS[span]
    if span is Span.DAY:
        return start_ms
    if span is Span.WEEK:
        return start_ms - start_ms % HOUR_MS
    day = berlin_day(start_ms) + timedelta(days=1)
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=BERLIN))


def day_number(at_ms: int) -> int:
    """Return the Berlin day as the daily rollups write it, e.g. 20261120."""
    day = berlin_day(at_ms)
    return day.year * 10_000 + day.month * 100 + day.day


def day_start_ms(number: int) -> int:
    """Return when the Berlin day of such a number begins."""
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    return to_ms(datetime(year, month, day, tzinfo=BERLIN))


def _joined(at_ms: int, points: Sequence[Point]) -> Point:
    counted = [p for p in points if p.mean is not None]
    n = sum(p.n for p in counted)
    return Point(
        at_ms=at_ms,
        n=n,
        mean=sum((p.mean or 0.0) * p.n for p in counted) / n if n else None,
        low=min((p.low for p in counted if p.low is not None), default=None),
        high=max((p.high for p in counted if p.high is not None), default=None),
        failures=sum(p.failures for p in points),
    )


def grouped(points: Iterable[Point], width_ms: int) -> tuple[Point, ...]:
    """Return points joined within bins; a width of 0 joins equal times only."""
    bins: dict[int, list[Point]] = {}
    for point in points:
        start = point.at_ms - (point.at_ms % width_ms if width_ms else 0)
        bins.setdefault(start, []).append(point)
    return tuple(_joined(at_ms, bins[at_ms]) for at_ms in sorted(bins))


def raw_points(
    chunks: Iterable[Chunk], metric: str, first_ms: int, last_ms: int
) -> list[Point]:
    """Return one point a record within the span, failed ones without numbers."""
    found = []
    for chunk in chunks:
        points = chunk.points
        column = points.values.get(metric)
        for index, at_ms in enumerate(points.ts):
            if not first_ms <= at_ms <= last_ms:
                continue
            failed = points.failure is not None and points.failure[index] is not None
            value = None if column is None or failed else column[index]
            if failed:
                found.append(Point(at_ms, 0, None, None, None, 1))
            elif value is not None:
                found.append(Point(at_ms, 1, value, value, value, 0))
    return found


def rollup_points(
    buckets: Iterable[Rollup], failures: Iterable[Rollup], grain: Grain
) -> list[Point]:
    """Return the points of one series' rollups and of its failure counts."""

    def start(bucket: int) -> int:
        return day_start_ms(bucket) if grain is Grain.DAY else bucket

    found = [
        Point(start(r.bucket), r.n, r.mean, r.low, r.high, 0) for r in buckets if r.n
    ]
    found += [
        Point(start(r.bucket), 0, None, None, None, round(r.total)) for r in failures
    ]
    return found


def _is_of(ref: SeriesRef, metric: HistoryMetric) -> bool:
    """Say whether a series may hold a metric, by its kind and direction."""
    way = _WAYS.get(metric)
    fits = way is None or ref.tags.get("direction", way) == way
    return fits and ref.kind == HISTORY_METRICS[metric][0]


def read_history(
    store: MeasurementStore,
    series: Sequence[SeriesRef],
    metrics: Sequence[HistoryMetric],
    span: Span,
    now_ms: int,
) -> History:
    """Return the history of a line over all its series.

    Of rates only what the line can carry: lower bounds are no part of it.
    ``series`` may hold series of every kind; each metric takes those of its own.
    """
    first_ms = span_start_ms(span, now_ms)
    if span is Span.DAY:
        grain, points = _read_raw(store, series, metrics, first_ms, now_ms)
    else:
        grain = Grain.HOUR if span is Span.WEEK else Grain.DAY
        points = _read_rollups(store, series, metrics, grain, first_ms, now_ms)
    kinds = {HISTORY_METRICS[metric][0] for metric in metrics}
    shown = any(points.values())
    return History(
        span=span,
        grain=grain,
        first_ms=first_ms,
        last_ms=now_ms,
        points=points,
        generated=shown and any(s.generated for s in series if s.kind in kinds),
    )


def _read_raw(
    store: MeasurementStore,
    series: Sequence[SeriesRef],
    metrics: Sequence[HistoryMetric],
    first_ms: int,
    last_ms: int,
) -> tuple[Grain, dict[str, tuple[Point, ...]]]:
    kinds = {HISTORY_METRICS[metric][0] for metric in metrics}
    wanted = [ref.id for ref in series if ref.kind in kinds]
    chunks = store.chunks(wanted, first_ms, last_ms)
    raw: dict[str, list[Point]] = {}
    for metric in metrics:
        own = [chunk for chunk in chunks if _is_of(chunk.series, metric)]
        name = HISTORY_METRICS[metric][1]
        raw[metric] = raw_points(own, name, first_ms, last_ms)
    many = max(map(len, raw.values()), default=0) > MAX_RAW_POINTS
    width_ms = BIN_MS if many else 0
    points = {metric: grouped(found, width_ms) for metric, found in raw.items()}
    return (Grain.FIVE_MINUTES if many else Grain.RAW), points


def _read_rollups(
    store: MeasurementStore,
    series: Sequence[SeriesRef],
    metrics: Sequence[HistoryMetric],
    grain: Grain,
    first_ms: int,
    last_ms: int,
) -> dict[str, tuple[Point, ...]]:
    resolution: Resolution = "hour" if grain is Grain.HOUR else "day"
    first, last = first_ms, last_ms
    if grain is Grain.DAY:
        first, last = day_number(first_ms), day_number(last_ms)
    points: dict[str, tuple[Point, ...]] = {}
    for metric in metrics:
        name = HISTORY_METRICS[metric][1]
        found: list[Point] = []
        for ref in series:
            if _is_of(ref, metric):
                buckets = store.rollups(ref.id, name, resolution, first, last)
                failed = store.rollups(ref.id, FAILURES, resolution, first, last)
                found += rollup_points(buckets, failed, grain)
        points[metric] = grouped(found, 0)
    return points
