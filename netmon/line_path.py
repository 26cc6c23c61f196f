"""What the store knows of the way from a line's probe to the internet.

The newest run is held to what the days before were like; who is to blame says
`netmon.path`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from statistics import median

from netmon.clock import berlin_day, day_bucket
from netmon.metrics import FAILURES, KINDS
from netmon.model import Line
from netmon.path import MIN_HISTORY, Reading, Segment, Usual, Verdict, guilty
from netmon.storage.ports import MeasurementStore
from netmon.storage.records import Latest, Rollup

_KIND = "path"
USUAL_DAYS = 7
# The records of one run bear the same time; a younger one is of the next run.
_RUN_MS = 1000


def read_path(
    measurements: MeasurementStore,
    line: Line,
    latest: Iterable[Latest],
    now_ms: int,
) -> Verdict | None:
    """Return who is to blame on a line's way; None where nobody is, or all is old.

    ``latest`` are newest values of the line's building, or all.

    Raises:
        StorageError: the store refused.
    """
    oldest_ms = now_ms - round(KINDS[_KIND].stale_after_s * 1000)
    own = [
        item
        for item in latest
        if item.series.kind == _KIND
        and item.series.tags.get("line") == line.id
        and item.series.tags["segment"] in set(Segment)
        and item.ts_ms >= oldest_ms
    ]
    newest_ms = max((item.ts_ms for item in own), default=0)
    run = [item for item in own if newest_ms - item.ts_ms < _RUN_MS]
    today = berlin_day(now_ms)
    baseline = {
        Segment(item.series.tags["segment"]): found
        for item in run
        if (found := _usual(measurements, item.series.id, today)) is not None
    }
    return guilty([_reading(item) for item in run], baseline)


def _reading(item: Latest) -> Reading:
    segment = Segment(item.series.tags["segment"])
    if item.failure is not None:
        return Reading(segment, failure=item.failure)
    values = item.values
    return Reading(segment, values.get("rtt_s"), values.get("loss_ratio"))


def _usual(measurements: MeasurementStore, series: int, today: date) -> Usual | None:
    """Return what a segment's days before today were like; None if too little is known.

    A failed reading counts as a loss of everything.
    """
    first = day_bucket(today - timedelta(days=USUAL_DAYS))
    last = day_bucket(today - timedelta(days=1))

    def days(metric: str) -> list[Rollup]:
        return measurements.rollups(series, metric, "day", first, last)

    lost, silent, rtts = days("loss_ratio"), days(FAILURES), days("rtt_s")
    failures = sum(rollup.total for rollup in silent)
    readings = sum(rollup.n for rollup in lost) + failures
    if readings < MIN_HISTORY:
        return None
    total = sum(rollup.total for rollup in lost) + failures
    rtt_s = median([rollup.mean for rollup in rtts]) if rtts else None
    return Usual(rtt_s, total / readings)
