"""Points in time and the geometry drawn from them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dashboards.chart import (
    MEDIUM,
    NARROW,
    WIDE,
    axis,
    build,
    nice_step,
    pieces,
    thinned,
    time_ticks,
)
from dashboards.history import (
    BIN_MS,
    DAY_MS,
    HOUR_MS,
    MAX_RAW_POINTS,
    Grain,
    History,
    HistoryMetric,
    Point,
    Span,
    day_number,
    day_start_ms,
    grouped,
    read_history,
    span_start_ms,
)
from dashboards.tables import MAX_ROWS, history_rows, shortened
from netmon.clock import to_ms

NOW = to_ms(datetime(2026, 11, 20, 7, 12, tzinfo=UTC))


def point(at_ms: int, value: float | None = 1.0, failures: int = 0) -> Point:
    n = 0 if value is None else 1
    return Point(at_ms, n, value, value, value, failures)


def history(points: list[Point], span: Span = Span.DAY, grain=Grain.RAW) -> History:
    start = span_start_ms(span, NOW)
    return History(span, grain, start, NOW, {"rate_down_bps": tuple(points)}, False)


def test_means_are_weighted_by_the_number_of_measurements():
    joined = grouped(
        [Point(0, 3, 10.0, 8.0, 12.0, 0), Point(60_000, 1, 20.0, 20.0, 20.0, 2)], BIN_MS
    )
    assert joined == (Point(0, 4, 12.5, 8.0, 20.0, 2),)


def test_a_bin_of_failures_has_no_number():
    joined = grouped([point(0, None, 1), point(1, None, 1)], BIN_MS)
    assert joined == (Point(0, 0, None, None, None, 2),)


@pytest.mark.parametrize(
    ("number", "start"),
    [
        (20261120, datetime(2026, 11, 19, 23, tzinfo=UTC)),
        (20260701, datetime(2026, 6, 30, 22, tzinfo=UTC)),
        (20261025, datetime(2026, 10, 24, 22, tzinfo=UTC)),  # summer time ends
        (20260329, datetime(2026, 3, 28, 23, tzinfo=UTC)),  # and begins
    ],
)
def test_days_are_those_of_dortmund(number, start):
    assert day_start_ms(number) == to_ms(start)
    assert day_number(to_ms(start)) == number
    assert day_number(to_ms(start) - 1) < number


def test_spans_begin_at_whole_hours_and_days():
    assert span_start_ms(Span.DAY, NOW) == NOW - DAY_MS
    assert span_start_ms(Span.WEEK, NOW) % HOUR_MS == 0
    assert day_number(span_start_ms(Span.MONTH, NOW)) == 20261022
    assert day_number(span_start_ms(Span.YEAR, NOW)) == 20251121


def test_many_raw_points_are_joined_to_five_minutes(city):
    ages = [30.0 * n for n in range(MAX_RAW_POINTS + 10)]
    city.throughput("b-ost", *((age_s, (240, 40)) for age_s in ages))
    latest = city.store.measurements.latest(building_id="b-ost")
    found = read_history(
        city.store.measurements,
        [item.series for item in latest],
        [HistoryMetric.RATE_DOWN],
        Span.DAY,
        city.now_ms,
    )
    assert found.grain is Grain.FIVE_MINUTES
    points = found.points["rate_down_bps"]
    assert sum(p.n for p in points) == len(ages)
    assert all(p.at_ms % BIN_MS == 0 for p in points)


def test_two_series_of_a_line_become_one_history(city):
    city.throughput("b-ost", (7200, (100, 10)), generated=True)
    city.throughput("b-ost", (7100, (200, 20)))
    latest = city.store.measurements.latest(building_id="b-ost")
    found = read_history(
        city.store.measurements,
        [item.series for item in latest],
        [HistoryMetric.RATE_DOWN],
        Span.MONTH,
        city.now_ms,
    )
    (day,) = found.points["rate_down_bps"]
    assert (day.n, day.low, day.high) == (2, 100e6, 200e6)
    assert found.generated


@pytest.mark.parametrize(
    ("high", "step"),
    [(100e6, 25e6), (93e6, 25e6), (1e9, 250e6), (0.02, 0.005), (0.0, 1.0), (7.0, 2.0)],
)
def test_axes_have_round_steps(high, step):
    assert nice_step(high) == pytest.approx(step)


def test_a_gap_and_a_failure_end_the_line():
    hour = [point(n * HOUR_MS) for n in (0, 1, 2, 6, 7)]
    assert [len(run) for run in pieces(hour, Grain.HOUR)] == [3, 2]
    failed = [point(0), point(HOUR_MS, None, 1), point(2 * HOUR_MS)]
    assert [len(run) for run in pieces(failed, Grain.HOUR)] == [1, 1]


def test_what_is_measured_seldom_is_joined_at_its_own_rhythm():
    """A test every six hours, drawn by the hour: a line, with a gap where one is not."""
    tests = [point(n * 6 * HOUR_MS) for n in (0, 1, 2, 3, 6, 7)]
    assert [len(run) for run in pieces(tests, Grain.HOUR)] == [4, 2]


def test_levels_have_an_axis_around_them_and_not_from_zero():
    first, last, step = axis([-12.3, -11.0], [-21.0], from_zero=False)
    assert first * step <= -21.0
    assert -11.0 <= last * step <= 0
    assert axis([8.0], [], from_zero=True)[0] == 0
    flat = axis([-3.0], [], from_zero=False)
    assert flat[0] < flat[1]


def test_a_narrow_drawing_joins_neighbours_and_keeps_the_range():
    run = [Point(n, 1, float(n), float(n), float(n), 0) for n in range(7)]
    few = thinned(run, 3)
    assert [(p.low, p.high, p.n) for p in few] == [(0, 2, 3), (3, 5, 3), (6, 6, 1)]
    assert thinned(run, 1) == run


def test_many_rows_are_put_together_and_counted():
    days = [point(NOW - n * DAY_MS, float(n)) for n in range(300)]
    rows = history_rows(history(days[::-1], Span.YEAR, Grain.DAY), ["rate_down_bps"])
    months = shortened(rows, Span.YEAR)
    assert len(months) == 11
    assert sum(row.points[0].n for row in months) == 300
    assert months[0].points[0].low == 0.0
    assert [row.at_ms for row in months] == sorted(
        (r.at_ms for r in months), reverse=True
    )
    assert shortened(rows[:MAX_ROWS], Span.YEAR) == tuple(rows[:MAX_ROWS])


def test_raw_points_know_their_own_rhythm():
    regular = [point(n * 60_000) for n in range(10)] + [point(60 * 60_000)]
    assert [len(run) for run in pieces(regular, Grain.RAW)] == [10, 1]


@pytest.mark.parametrize("size", [WIDE, MEDIUM, NARROW])
def test_everything_lies_inside_the_drawing(size):
    points = [point(NOW - n * HOUR_MS, 240e6 - n * 1e6) for n in range(23, 0, -1)]
    points[5] = point(points[5].at_ms, None, 1)
    chart = build(history(points), ["rate_down_bps"], [("contract", 250e6)], size)
    assert chart is not None
    (curve,) = chart.curves
    places = [tuple(map(float, p.split(","))) for q in curve.pieces for p in q.split()]
    assert len(places) == 22
    assert all(size.left <= x <= size.x_end for x, _ in places)
    assert all(size.top <= y <= size.y_end for _, y in places)
    assert len(chart.failures) == 1
    assert chart.marks[0].y < min(y for _, y in places)
    assert chart.y_ticks[0].value == 0
    assert chart.y_ticks[-1].value >= 250e6


def test_nothing_measured_draws_nothing():
    assert build(history([]), ["rate_down_bps"], [("contract", 1e8)], WIDE) is None


def test_only_failures_are_drawn_as_failures():
    chart = build(history([point(NOW, None, 1)]), ["rate_down_bps"], [], WIDE)
    assert chart is not None
    assert chart.curves[0].pieces == chart.curves[0].dots == ()
    assert chart.failures


def test_a_lone_point_is_a_dot():
    chart = build(history([point(NOW - HOUR_MS)]), ["rate_down_bps"], [], WIDE)
    assert chart is not None
    assert len(chart.curves[0].dots) == 1


@pytest.mark.parametrize("span", list(Span))
@pytest.mark.parametrize("narrow", [True, False])
def test_time_ticks_are_inside_the_span_and_few(span, narrow):
    start = span_start_ms(span, NOW)
    ticks = time_ticks(start, NOW, span, narrow)
    assert 2 <= len(ticks) <= (5 if narrow else 13)
    assert all(start <= at_ms <= NOW for at_ms in ticks)
    assert ticks == sorted(set(ticks))
