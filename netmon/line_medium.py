"""What the store knows of a line's medium, with the judgement of it.

Only what is fresh is judged; older values are kept for showing, with their
time. What is usual comes from the daily rollups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from netmon.clock import berlin_day, day_bucket
from netmon.medium import JUDGES, Baseline, MediumHealth, at_place, combine, merge
from netmon.medium.limits import COUNTED_BY_DAY, TYPICAL_BY_HIGH, TYPICAL_BY_MEAN
from netmon.metrics import KINDS, MEDIUM_KINDS
from netmon.model import FailureReason, Line
from netmon.storage.ports import MeasurementStore
from netmon.storage.records import Latest, Rollup


@dataclass(frozen=True, slots=True)
class MediumReading:
    """What one port or radio of a device last told; times are UTC milliseconds.

    ``at_ms`` is None and ``values`` empty before it told anything. ``failure``
    is None unless the newest poll brought no number.
    """

    kind: str
    device: str
    where: str
    values: Mapping[str, float | None]
    at_ms: int | None
    stale: bool
    generated: bool
    failure: FailureReason | None = None
    failure_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class LineMedium:
    """The readings of a line, and what they mean together."""

    readings: tuple[MediumReading, ...]
    health: MediumHealth


def read_media(
    measurements: MeasurementStore,
    lines: Iterable[Line],
    latest: Sequence[Latest],
    now_ms: int,
) -> Mapping[str, LineMedium]:
    """Return the medium of each line that a device tells of, by line, as `read_medium`."""
    found = {line.id: read_medium(measurements, line, latest, now_ms) for line in lines}
    return {line_id: medium for line_id, medium in found.items() if medium is not None}


def read_medium(
    measurements: MeasurementStore,
    line: Line,
    latest: Iterable[Latest],
    now_ms: int,
) -> LineMedium | None:
    """Return a line's medium; None where no device tells of it.

    ``latest`` are the newest values of the line's building, or all.

    Raises:
        StorageError: the store refused.
    """
    own = [
        item
        for item in latest
        if item.series.kind in MEDIUM_KINDS and item.series.tags.get("line") == line.id
    ]
    if not own:
        return None
    # A port that was renamed, or a device that is gone, must not speak for ever.
    alive = [item for item in own if not _is_old(item, now_ms)]
    shown = alive or own
    fresh = [
        item for item in alive if item.failure is None and item.ok_ts_ms == item.ts_ms
    ]
    healths = []
    for kind in MEDIUM_KINDS:
        items = [item for item in fresh if item.series.kind == kind]
        if items:
            healths.append(_judge(measurements, kind, items, line, now_ms))
    readings = tuple(_reading(item, now_ms) for item in shown)
    return LineMedium(readings, combine(healths))


def _judge(
    measurements: MeasurementStore,
    kind: str,
    items: Sequence[Latest],
    line: Line,
    now_ms: int,
) -> MediumHealth:
    judge = JUDGES[kind]
    today = berlin_day(now_ms)
    baselines = [_baseline(measurements, item, today) for item in items]
    if len(items) == 1:
        return judge(items[0].values, baselines[0], line)
    if kind == "line_optics":
        # Each fibre for itself: two that are half dark don't make a bright one.
        return combine(
            at_place(judge(item.values, baseline, line), _where(item))
            for item, baseline in zip(items, baselines, strict=True)
        )
    values = merge([item.values for item in items])
    usual = Baseline(
        typical=_known(merge([b.typical for b in baselines])),
        at_midnight=_known(merge([b.at_midnight for b in baselines])),
    )
    return judge(values, usual, line)


def _known(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _is_old(item: Latest, now_ms: int) -> bool:
    stale_ms = KINDS[item.series.kind].stale_after_s * 1000
    return now_ms - item.ts_ms > stale_ms


def _where(item: Latest) -> str:
    tags = item.series.tags
    return tags.get("port") or tags.get("radio") or ""


def _reading(item: Latest, now_ms: int) -> MediumReading:
    stale_ms = KINDS[item.series.kind].stale_after_s * 1000
    at_ms = item.ok_ts_ms
    return MediumReading(
        kind=item.series.kind,
        device=item.series.tags["device"],
        where=_where(item),
        values=item.values,
        at_ms=at_ms,
        stale=at_ms is not None and now_ms - at_ms > stale_ms,
        generated=item.series.generated,
        failure=item.failure,
        failure_at_ms=None if item.failure is None else item.ts_ms,
    )


def _baseline(measurements: MeasurementStore, item: Latest, today: date) -> Baseline:
    kind = item.series.kind

    def days(metric: str, back: int) -> list[Rollup]:
        first = today - timedelta(days=back)
        return measurements.rollups(
            item.series.id, metric, "day", day_bucket(first), day_bucket(today)
        )

    typical: dict[str, float] = {}
    for metric, back in TYPICAL_BY_HIGH[kind].items():
        if found := days(metric, back):
            typical[metric] = median(rollup.high for rollup in found)
    for metric, back in TYPICAL_BY_MEAN[kind].items():
        # Today itself may be what is wrong.
        means = [r.mean for r in days(metric, back) if r.bucket != day_bucket(today)]
        if means:
            typical[metric] = median(means)
    at_midnight = {
        metric: found[-1].low
        for metric in COUNTED_BY_DAY.get(kind, ())
        if (found := days(metric, 0))
    }
    return Baseline(typical, at_midnight)
