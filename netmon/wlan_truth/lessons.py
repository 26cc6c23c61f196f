"""How many clients an access point had in the lessons of the last school days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from netmon.clock import berlin_day
from netmon.school_calendar import SchoolCalendar, Span, lesson_time
from netmon.storage.ports import MeasurementStore
from netmon.wlan_truth.judge import LESSON_DAYS

_HOUR_MS = 3_600_000
# The summer holidays have six weeks and a half.
_LOOK_BACK_DAYS = 60


def lesson_days(
    calendar: SchoolCalendar, now_ms: int, count: int = LESSON_DAYS
) -> list[list[Span]]:
    """Return the lessons of the last days before today that had any, newest first."""
    today = berlin_day(now_ms)
    days = []
    for back in range(1, _LOOK_BACK_DAYS + 1):
        if spans := lesson_time(calendar, today - timedelta(days=back)):
            days.append(spans)
            if len(days) == count:
                break
    return days


def most_clients(
    measurements: MeasurementStore,
    series_ids: Iterable[int],
    calendar: SchoolCalendar,
    now_ms: int,
) -> float | None:
    """Return the most clients at a time; None unless something is known of each day.

    Whole hours are kept: one that is only partly lesson time counts as well.

    Raises:
        StorageError: the store refused.
    """
    days = lesson_days(calendar, now_ms)
    if len(days) < LESSON_DAYS:
        return None
    first_ms = days[-1][0].start_ms - _HOUR_MS
    buckets = [
        rollup
        for series_id in series_ids
        for rollup in measurements.rollups(
            series_id, "clients_count", "hour", first_ms, now_ms
        )
    ]
    most = 0.0
    for spans in days:
        here = [
            rollup.high
            for rollup in buckets
            if any(
                rollup.bucket + _HOUR_MS > span.start_ms and rollup.bucket < span.end_ms
                for span in spans
            )
        ]
        if not here:
            return None
        most = max(most, *here)
    return most
