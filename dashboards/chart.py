"""A line chart as numbers for an SVG: pure geometry, no markup and no units.

The template writes presentation attributes and classes only, so that the page
needs no inline style.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from dashboards.history import (
    DAY_MS,
    HOUR_MS,
    Grain,
    History,
    Point,
    Span,
    joined,
)
from netmon.clock import BERLIN, from_ms, to_ms

# How long a mean lasts.
STEP_MS = {Grain.FIVE_MINUTES: 300_000, Grain.HOUR: HOUR_MS, Grain.DAY: DAY_MS}
_TICKS_WANTED = 4
Runs = Mapping[str, Sequence[Sequence[Point]]]
# Points closer than this are drawn as one: the eye sees no more, the page is smaller.
_APART = 4.0


@dataclass(frozen=True, slots=True)
class Size:
    """The drawing's size and the room for labels, in SVG units (about pixels).

    ``name`` is the style sheet's: it shows the one that fits the window.
    """

    name: str
    width: int
    height: int
    left: int
    right: int = 24
    top: int = 10
    bottom: int = 26

    @property
    def x_end(self) -> int:
        """Right edge of the plot."""
        return self.width - self.right

    @property
    def y_end(self) -> int:
        """Lower edge of the plot."""
        return self.height - self.bottom


WIDE = Size("wide", width=1320, height=300, left=52)
MEDIUM = Size("medium", width=680, height=240, left=52)
NARROW = Size("narrow", width=340, height=220, left=48)


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at a place; ``value`` is a time in ms or a number of the y axis."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric: line pieces between gaps, lone points, and the range behind."""

    name: str
    pieces: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    bands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A horizontal reference line."""

    name: str
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything the template draws; ``failures`` are places on the x axis."""

    size: Size
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...]
    failures: tuple[float, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def nice_step(high: float, wanted: int = _TICKS_WANTED) -> float:
    """Return a step of 1, 2, 2.5 or 5 times a power of ten for an axis up to high."""
    if high <= 0:
        return 1.0
    rough = high / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    return next(f * power for f in (1.0, 2.0, 2.5, 5.0, 10.0) if f * power >= rough)


def axis(
    values: Sequence[float], marks: Sequence[float], *, from_zero: bool
) -> tuple[int, int, float]:
    """Return the first and the last tick as multiples of a step, and the step.

    Levels in dBm have no zero to begin with: their axis ends around what there is.
    """
    every = [*values, *marks]
    high = max(every, default=1.0)
    if from_zero:
        step = nice_step(high)
        return 0, max(1, math.ceil(high / step - 1e-9)), step
    low = min(every, default=0.0)
    step = nice_step(max(high - low, 1.0))
    first = math.floor(low / step + 1e-9)
    return first, max(first + 1, math.ceil(high / step - 1e-9)), step


def gap_ms(points: Sequence[Point], grain: Grain) -> float:
    """Return the pause from which two points are not joined by a line.

    What is measured less often than a mean lasts has a rhythm of its own.
    """
    steps = sorted(b.at_ms - a.at_ms for a, b in pairwise(points))
    usual_ms = steps[len(steps) // 2] if steps else 0
    if grain in STEP_MS:
        return max(STEP_MS[grain], usual_ms) * 1.6
    return max(usual_ms * 2.5, 60_000.0) if steps else math.inf


def pieces(points: Sequence[Point], grain: Grain) -> list[list[Point]]:
    """Return runs of points with numbers; a failure or a long pause ends a run."""
    longest_ms = gap_ms(points, grain)
    runs: list[list[Point]] = []
    previous: Point | None = None
    for point in points:
        if point.mean is not None:
            joined = previous is not None and point.at_ms - previous.at_ms <= longest_ms
            if joined and previous is not None and previous.mean is not None:
                runs[-1].append(point)
            else:
                runs.append([point])
        previous = point
    return runs


def runs_of(history: History, metrics: Sequence[str]) -> Runs:
    """Return the pieces of some metrics."""
    return {
        name: pieces(history.points.get(name, ()), history.grain) for name in metrics
    }


def thinned(run: Sequence[Point], together: int) -> Sequence[Point]:
    """Return a run with so many neighbours joined to one; range and mean are kept."""
    if together < 2 or len(run) <= together:
        return run
    return [
        joined(some[len(some) // 2].at_ms, some)
        for n in range(0, len(run), together)
        if (some := run[n : n + together])
    ]


def time_ticks(first_ms: int, last_ms: int, span: Span, narrow: bool) -> list[int]:
    """Return times for the x axis: round hours, midnights or firsts of a month."""
    start = from_ms(first_ms).astimezone(BERLIN)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    days = (last_ms - first_ms) // DAY_MS + 2
    if span is Span.DAY:
        step = 6 if narrow else 3
        moments = [
            (midnight + timedelta(days=day)).replace(hour=hour)
            for day in range(3)
            for hour in range(0, 24, step)
        ]
    elif span is Span.YEAR:
        step = 3 if narrow else 1
        firsts = [
            datetime(midnight.year + (m // 12), m % 12 + 1, 1, tzinfo=BERLIN)
            for m in range(midnight.month - 1, midnight.month + 13)
        ]
        moments = [first for first in firsts if (first.month - 1) % step == 0]
    else:
        step = {Span.WEEK: 2 if narrow else 1}.get(span, 10 if narrow else 5)
        moments = [midnight + timedelta(days=day) for day in range(0, days, step)]
    ticks = [to_ms(moment) for moment in moments]
    return [at_ms for at_ms in ticks if first_ms <= at_ms <= last_ms]


def build(
    history: History,
    metrics: Sequence[str],
    marks: Sequence[tuple[str, float]],
    size: Size,
    *,
    from_zero: bool = True,
    runs: Runs | None = None,
) -> Chart | None:
    """Return the chart of some metrics; None where there is nothing to draw.

    ``marks`` are named values of the y axis, e.g. the contracted rate. The axis
    begins ``from_zero`` unless the numbers may be negative. ``runs`` are the pieces
    of each metric, where several sizes are drawn of them.
    """
    series = {name: history.points.get(name, ()) for name in metrics}
    values = [
        value
        for points in series.values()
        for p in points
        for value in ((p.high,) if from_zero else (p.low, p.high))
        if value is not None
    ]
    failed = [p.at_ms for points in series.values() for p in points if p.failures]
    if not values and not failed:
        return None
    shown = [value for _, value in marks]
    first, last, step = axis(values, shown, from_zero=from_zero)
    start, height = first * step, (last - first) * step
    width_ms = max(1, history.last_ms - history.first_ms)
    # A daily point stands for its whole day, so it is drawn in the middle of it.
    shift_ms = STEP_MS.get(history.grain, 0) / 2

    left, right, per_ms = size.left, size.x_end, (size.x_end - size.left) / width_ms
    per_unit = (size.y_end - size.top) / height
    zero = size.y_end + start * per_unit
    origin = left + (shift_ms - history.first_ms) * per_ms

    def x(at_ms: float) -> float:
        place = left + (at_ms - history.first_ms) * per_ms
        return round(min(max(place, left), right), 1)

    def y(value: float) -> float:
        return round(zero - value * per_unit, 1)

    def line(places: Sequence[float], values: Sequence[float | None]) -> str:
        return " ".join(
            [
                f"{at},{zero - (value or 0.0) * per_unit:.1f}"
                for at, value in zip(places, values, strict=True)
            ]
        )

    def curve(name: str, points: Sequence[Point]) -> Curve:
        lines, dots, bands = [], [], []
        together = math.ceil(len(points) * _APART / (right - left))
        for whole in pieces(points, history.grain) if runs is None else runs[name]:
            run = thinned(whole, together)
            places = [round(origin + p.at_ms * per_ms, 1) for p in run]
            # Half a day may lie behind now.
            places[0], places[-1] = max(places[0], left), min(places[-1], right)
            if len(run) == 1:
                dots.append((places[0], y(run[0].mean or 0.0)))
                continue
            lines.append(line(places, [p.mean for p in run]))
            lows, highs = [p.low for p in run], [p.high for p in run]
            if lows != highs:
                lower = line(places[::-1], lows[::-1])
                bands.append(f"{line(places, highs)} {lower}")
        return Curve(name, tuple(lines), tuple(dots), tuple(bands))

    narrow = size is NARROW
    ticks = time_ticks(history.first_ms, history.last_ms, history.span, narrow)
    return Chart(
        size=size,
        curves=tuple(curve(name, points) for name, points in series.items()),
        marks=tuple(Mark(name, y(value)) for name, value in marks),
        failures=tuple(sorted({x(at_ms + shift_ms) for at_ms in failed})),
        x_ticks=tuple(Tick(x(at_ms), at_ms) for at_ms in ticks),
        y_ticks=tuple(Tick(y(i * step), i * step) for i in range(first, last + 1)),
    )
