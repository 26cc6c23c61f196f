"""A line's history as points in time: raw, hourly or daily; pure but for one reader.

A point without numbers but with failures is a gap with a reason; a time without
any record is no point at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache, partial

from msgspec import Struct

from netmon.clock import BERLIN, berlin_day, to_ms
from netmon.metrics import FAILURES, MEDIUM_KINDS
from netmon.storage.ports import MeasurementStore, Resolution
from netmon.storage.records import Chunk, Points, Rollup, SeriesRef

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
    """The quantities of a line that have a history; each name ends in its unit."""

    RATE_DOWN = "rate_down_bps"
    RATE_UP = "rate_up_bps"
    RTT = "rtt_s"
    RTT_IDLE = "rtt_idle_s"
    RTT_LOADED = "rtt_loaded_s"
    JITTER = "jitter_s"
    LOSS = "loss_ratio"
    DNS = "dns_duration_s"
    # The line's own medium, as its device tells.
    OPTICS_RX = "line_optics_rx_dbm"
    OPTICS_TX = "line_optics_tx_dbm"
    RADIO_RX = "line_radio_rx_level_dbm"
    RADIO_RX_FAR = "line_radio_rx_level_far_dbm"
    RADIO_CAPACITY_DOWN = "line_radio_capacity_down_bps"
    RADIO_CAPACITY_UP = "line_radio_capacity_up_bps"
    DSL_DOWN = "line_dsl_rate_down_bps"
    DSL_UP = "line_dsl_rate_up_bps"
    DSL_MARGIN_DOWN = "line_dsl_snr_margin_down_db"
    DSL_MARGIN_UP = "line_dsl_snr_margin_up_db"


# Where each quantity is measured: kind and metric of the catalogue.
HISTORY_METRICS: Mapping[HistoryMetric, tuple[str, str]] = {
    HistoryMetric.RATE_DOWN: ("throughput", "rate_down_bps"),
    HistoryMetric.RATE_UP: ("throughput", "rate_up_bps"),
    HistoryMetric.RTT: ("latency", "rtt_s"),
    HistoryMetric.RTT_IDLE: ("throughput", "rtt_idle_s"),
    HistoryMetric.RTT_LOADED: ("throughput", "rtt_loaded_s"),
    HistoryMetric.JITTER: ("latency", "jitter_s"),
    HistoryMetric.LOSS: ("latency", "loss_ratio"),
    HistoryMetric.DNS: ("dns", "duration_s"),
    **{
        metric: (kind, metric.removeprefix(f"{kind}_"))
        for kind in MEDIUM_KINDS
        for metric in HistoryMetric
        if metric.startswith(f"{kind}_")
    },
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


class Point(Struct, frozen=True, gc=False):
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


@lru_cache(4096)
def day_start_ms(number: int) -> int:
    """Return when the Berlin day of such a number begins."""
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    return to_ms(datetime(year, month, day, tzinfo=BERLIN))


def joined(at_ms: int, points: Sequence[Point]) -> Point:
    """Return the points of a time as one that begins at ``at_ms``."""
    n, total, failures = 0, 0.0, 0
    low: float | None = None
    high: float | None = None
    for point in points:
        failures += point.failures
        if point.mean is None:
            continue
        n += point.n
        total += point.mean * point.n
        if low is None or (point.low is not None and point.low < low):
            low = point.low
        if high is None or (point.high is not None and point.high > high):
            high = point.high
    return Point(at_ms, n, total / n if n else None, low, high, failures)


def grouped(points: Iterable[Point], width_ms: int) -> tuple[Point, ...]:
    """Return points joined within bins; a width of 0 joins equal times only."""
    bins: dict[int, list[Point]] = {}
    for point in points:
        start = point.at_ms - (point.at_ms % width_ms if width_ms else 0)
        bins.setdefault(start, []).append(point)
    return tuple(
        found[0]
        if len(found) == 1 and found[0].at_ms == at_ms
        else joined(at_ms, found)
        for at_ms, found in sorted(bins.items())
    )


def raw_points(
    columns: Iterable[Points], metric: str, first_ms: int, last_ms: int
) -> list[Point]:
    """Return one point a record within the span, failed ones without numbers."""
    found = []
    for points in columns:
        column = points.values.get(metric)
        if column is None and points.failure is None:
            continue
        nothing = [None] * len(points.ts)
        for at_ms, value, failure in zip(
            points.ts, column or nothing, points.failure or nothing, strict=True
        ):
            if not first_ms <= at_ms <= last_ms:
                continue
            if failure is not None:
                found.append(Point(at_ms, 0, None, None, None, 1))
            elif value is not None:
                found.append(Point(at_ms, 1, value, value, value, 0))
    return found


def merged(chunks: Iterable[Chunk]) -> list[Points]:
    """Return the points of chunks of the same metrics in one: most hold a record."""
    found: dict[tuple[object, ...], Points] = {}
    for chunk in chunks:
        points = chunk.points
        key = (*points.values, points.failure is None)
        into = found.get(key)
        if into is None:
            copies = {name: list(column) for name, column in points.values.items()}
            failure = None if points.failure is None else list(points.failure)
            found[key] = Points([], list(points.ts), copies, failure)
            continue
        into.ts += points.ts
        for name, column in points.values.items():
            into.values[name] += column
        if into.failure is not None and points.failure is not None:
            into.failure += points.failure
    return list(found.values())


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


class HistoryReader:
    """Reads plot after plot of one line; what several of them need is read once.

    Of rates only what the line can carry: lower bounds are no part of it.
    ``series`` may hold series of every kind; each metric takes those of its own.
    """

    def __init__(
        self,
        store: MeasurementStore,
        series: Sequence[SeriesRef],
        span: Span,
        now_ms: int,
    ) -> None:
        self._store = store
        self._series = series
        self._span = span
        self._first_ms = span_start_ms(span, now_ms)
        self._last_ms = now_ms
        self._raw: dict[int, list[Points]] = {}
        self._failed: dict[int, list[Rollup]] = {}

    def read(self, metrics: Sequence[HistoryMetric]) -> History:
        """Return the history of some metrics, all of them of the same grain."""
        if self._span is Span.DAY:
            grain, points = self._read_raw(metrics)
        else:
            grain = Grain.HOUR if self._span is Span.WEEK else Grain.DAY
            points = self._read_rollups(metrics, grain)
        kinds = {HISTORY_METRICS[metric][0] for metric in metrics}
        made_up = {s.kind for s in self._series if s.generated and s.kind in kinds}
        return History(
            span=self._span,
            grain=grain,
            first_ms=self._first_ms,
            last_ms=self._last_ms,
            points=points,
            generated=any(points.values()) and bool(made_up),
        )

    def _read_raw(
        self, metrics: Sequence[HistoryMetric]
    ) -> tuple[Grain, dict[str, tuple[Point, ...]]]:
        raw: dict[str, list[Point]] = {}
        for metric in metrics:
            name = HISTORY_METRICS[metric][1]
            raw[metric] = [
                point
                for ref in self._series
                if _is_of(ref, metric)
                for point in raw_points(
                    self._columns(ref), name, self._first_ms, self._last_ms
                )
            ]
        many = max(map(len, raw.values()), default=0) > MAX_RAW_POINTS
        width_ms = BIN_MS if many else 0
        points = {metric: grouped(found, width_ms) for metric, found in raw.items()}
        return (Grain.FIVE_MINUTES if many else Grain.RAW), points

    def _columns(self, ref: SeriesRef) -> list[Points]:
        if ref.id not in self._raw:
            chunks = self._store.chunks([ref.id], self._first_ms, self._last_ms)
            self._raw[ref.id] = merged(chunks)
        return self._raw[ref.id]

    def _read_rollups(
        self, metrics: Sequence[HistoryMetric], grain: Grain
    ) -> dict[str, tuple[Point, ...]]:
        resolution: Resolution = "hour" if grain is Grain.HOUR else "day"
        first, last = self._first_ms, self._last_ms
        if grain is Grain.DAY:
            first, last = day_number(first), day_number(last)
        points: dict[str, tuple[Point, ...]] = {}
        for metric in metrics:
            name = HISTORY_METRICS[metric][1]
            found: list[Point] = []
            for ref in self._series:
                if not _is_of(ref, metric):
                    continue
                read = partial(self._store.rollups, ref.id)
                if ref.id not in self._failed:
                    self._failed[ref.id] = read(FAILURES, resolution, first, last)
                buckets = read(name, resolution, first, last)
                found += rollup_points(buckets, self._failed[ref.id], grain)
            points[metric] = grouped(found, 0)
        return points


def read_history(
    store: MeasurementStore,
    series: Sequence[SeriesRef],
    metrics: Sequence[HistoryMetric],
    span: Span,
    now_ms: int,
) -> History:
    """Return the history of a line over all its series; see `HistoryReader`."""
    return HistoryReader(store, series, span, now_ms).read(metrics)
