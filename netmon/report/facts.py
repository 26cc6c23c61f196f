"""What is known of each building's main line in a year: read from the store.

Read are the transitions, which are kept for good, and the hourly and daily rollups,
which are, too; single measurements may have been deleted long ago.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from msgspec import Struct

from netmon.clock import day_bucket
from netmon.model import Building, Inventory, Line
from netmon.report.period import LessonTime, Period, lessons_in
from netmon.report.rates import RATE_METRICS, Rate, day_rates
from netmon.report.shares import (
    StateChange,
    TimeShares,
    down_spans,
    hour_spans,
    time_shares,
)
from netmon.school_calendar import SchoolCalendar
from netmon.storage.ports import Resolution, Store
from netmon.storage.records import Rollup, SeriesRef, Transition

# The rule that proves the total loss of a building (`alerts.rules.LINE_DOWN`).
LINE_DOWN = "line_down"
# One of these numbers proves that the line carried something in that hour.
_SIGNS: Mapping[str, tuple[str, ...]] = {
    "latency": ("rtt_s",),
    "throughput": RATE_METRICS,
}
_ALL = 10_000_000
_HOUR_MS = 3_600_000

Progress = Callable[[int, int], None]
CalendarOf = Callable[[str], SchoolCalendar]


class _Seen(Struct):
    """What is needed of a transition's evidence."""

    since_ms: int


class LineYear(Struct, frozen=True, kw_only=True):
    """A building's year.

    ``rates`` are those of the days with a valid measurement, ``days`` all days of the
    period. ``generated`` says that some of it is made-up data of the demo. So many
    losses that people marked as false alarms are left out: ``false_alarms``.
    """

    building: Building
    line: Line | None
    lesson: TimeShares
    always: TimeShares
    days: int
    lesson_days: frozenset[int]
    rates: Mapping[int, Rate]
    has_holidays: bool
    generated: bool
    false_alarms: int

    @property
    def measured_lesson_days(self) -> int:
        """On how many days with lessons something was measured."""
        return len(self.lesson_days & self.rates.keys())


def read_facts(
    store: Store,
    inventory: Inventory,
    period: Period,
    calendar_of: CalendarOf,
    progress: Progress = lambda _done, _all: None,
) -> list[LineYear]:
    """Return the year of each building, in the inventory's order.

    ``calendar_of`` gives a building's calendar; ``progress`` is told how many buildings
    of how many are read.

    Raises:
        StorageError: the store refused.
    """
    lessons: dict[SchoolCalendar, LessonTime] = {}
    marked = store.actions.false_marks().keys()
    found = []
    for number, building in enumerate(inventory.buildings, start=1):
        calendar = calendar_of(building.id)
        if calendar not in lessons:
            lessons[calendar] = lessons_in(period, calendar)
        line = inventory.main_line(building.id)
        losses = _losses(store, line, period, marked)
        found.append(_year_of(store, building, line, period, lessons[calendar], losses))
        progress(number, len(inventory.buildings))
    return found


def _year_of(
    store: Store,
    building: Building,
    line: Line | None,
    period: Period,
    lessons: LessonTime,
    losses: _Losses,
) -> LineYear:
    days = [day_bucket(day) for day in period.days]
    series = [] if line is None else _series(store, line)
    span = (period.start_ms, period.end_ms)
    measured = hour_spans(_hours(store, series, span))
    down = down_spans(losses.changes, period.end_ms)
    rates: dict[int, Rate] = {}
    if days:
        rates = day_rates(_by_metric(store, series, days[0], days[-1]))
    return LineYear(
        building=building,
        line=line,
        lesson=time_shares(lessons.spans, down, measured),
        always=time_shares(period.whole, down, measured),
        days=len(days),
        lesson_days=lessons.days,
        rates=rates,
        has_holidays=lessons.has_holidays,
        generated=any(ref.generated for ref in series),
        false_alarms=losses.false_alarms,
    )


def _series(store: Store, line: Line) -> list[SeriesRef]:
    return [
        item.series
        for kind in _SIGNS
        for item in store.measurements.latest(kind=kind, building_id=line.building_id)
        if item.series.tags.get("line") == line.id
    ]


def _hours(
    store: Store, series: Sequence[SeriesRef], span: tuple[int, int]
) -> set[int]:
    start_ms, end_ms = span
    first_ms = start_ms - start_ms % _HOUR_MS
    return {
        each.bucket
        for ref in series
        for metric in _SIGNS[ref.kind]
        for each in _rollups(store, ref, metric, "hour", (first_ms, end_ms - 1))
    }


def _by_metric(
    store: Store, series: Sequence[SeriesRef], first: int, last: int
) -> dict[str, list[Rollup]]:
    found: dict[str, list[Rollup]] = defaultdict(list)
    for ref in series:
        if ref.kind == "throughput":
            for metric in RATE_METRICS:
                found[metric] += _rollups(store, ref, metric, "day", (first, last))
    return found


def _rollups(
    store: Store,
    ref: SeriesRef,
    metric: str,
    resolution: Resolution,
    span: tuple[int, int],
) -> list[Rollup]:
    return store.measurements.rollups(ref.id, metric, resolution, *span)


class _Losses(Struct, frozen=True):
    """What the rule said of a line, oldest first, but for false alarms."""

    changes: tuple[StateChange, ...] = ()
    false_alarms: int = 0


def _losses(
    store: Store, line: Line | None, period: Period, marked: Collection[int]
) -> _Losses:
    if line is None:
        return _Losses()
    told = [
        each
        for each in reversed(store.alarms.transitions_of(f"line:{line.id}", _ALL))
        if each.rule == LINE_DOWN
    ]
    marked_ids = {
        each.incident_id
        for each in told
        if each.incident_id in marked and period.start_ms <= each.at_ms < period.end_ms
    }
    kept = (each for each in told if each.incident_id not in marked)
    return _Losses(tuple(map(_change, kept)), len(marked_ids))


def _change(transition: Transition) -> StateChange:
    try:
        since_ms = msgspec.json.decode(transition.evidence, type=_Seen).since_ms
    except msgspec.DecodeError:
        # Evidence without a beginning: it began when it was noticed.
        since_ms = transition.at_ms
    return StateChange(
        state=transition.to_state, at_ms=transition.at_ms, since_ms=since_ms
    )
