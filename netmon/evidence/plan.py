"""When a campaign measures: three days of ten moments, spaced as the rule asks; pure.

After Vfg. 99/2021 of the Bundesnetzagentur and its Handreichung: 30 measurements on
three calendar days within 14 days, ten a day, a free day between measuring days, at
least 5 minutes between measurements and 3 hours between the fifth and the sixth.

A measurement may start later than planned (a slot has to be had, a test is tried
again), so planned moments lie further apart by that much: whatever happens inside the
windows, the rule's distances hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from itertools import combinations, pairwise

from netmon.clock import BERLIN, berlin_day, to_ms
from netmon.errors import NetmonError
from netmon.school_calendar import (
    SchoolCalendar,
    Span,
    lesson_time,
    protected_time,
    without,
)

DAYS = 3
MOMENTS_A_DAY = 10
MOMENTS = DAYS * MOMENTS_A_DAY
SPAN_DAYS = 14
FREE_DAYS_BETWEEN = 1
MINUTE_MS = 60_000
MIN_GAP_MS = 5 * MINUTE_MS
MIN_PAUSE_MS = 3 * 60 * MINUTE_MS
# The pause lies before this moment of a day (counted from 0): the sixth.
AFTER_PAUSE = 5
# A measurement belongs to its moment from a little before (the probe's clock) until
# so much later; both directions of a measurement lie in it.
EARLY_MS = MINUTE_MS
WINDOW_MS = 20 * MINUTE_MS
# When a measurement is tried, after its moment, and how much later a probe may begin.
# Then it waits for a slot, twice: all of that has room in the window.
TRIES_MS = (0, 5 * MINUTE_MS, 10 * MINUTE_MS)
LATE_MS = 4 * MINUTE_MS
# Not sooner than so long after the order: the probe has to hear of it.
LEAD_MS = 15 * MINUTE_MS

# Hours in Dortmund: late evenings and nights tell little of what a school needs.
WAKING_HOURS = (time(5), time(22))
AROUND_LESSONS_MS = 30 * MINUTE_MS

# (from, up to) in UTC milliseconds, in order, apart from each other
Spans = Sequence[tuple[int, int]]
Allowed = Callable[[date], Spans]


class NoPlanError(NetmonError):
    """Within 14 days there are no three days with room for ten measurements."""


def free_hours(calendar: SchoolCalendar) -> Allowed:
    """Return when a school's line may be loaded: 5 to 22 o'clock outside lessons.

    Half an hour around lessons is left free, and every protected time.
    """

    def allowed(day: date) -> Spans:
        lessons = [
            Span(span.start_ms - AROUND_LESSONS_MS, span.end_ms + AROUND_LESSONS_MS)
            for span in lesson_time(calendar, day)
        ]
        first, last = (to_ms(datetime.combine(day, at, BERLIN)) for at in WAKING_HOURS)
        holes = [*lessons, *protected_time(calendar, day)]
        left = without([Span(first, last)], holes)
        return [(span.start_ms, span.end_ms) for span in left]

    return allowed


def planned_gap_ms(index: int) -> int:
    """Return the least distance of a day's moment (from 1 on) to the one before."""
    least = MIN_PAUSE_MS if index == AFTER_PAUSE else MIN_GAP_MS
    return least + WINDOW_MS + EARLY_MS


def _fraction(*words: object) -> float:
    """Return a number from 0 up to 1 that the words decide, on every machine."""
    text = "/".join(map(str, words)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:6]) / 2**48


def _first_allowed(spans: Spans, from_ms_: int) -> int | None:
    return next((max(a, from_ms_) for a, b in spans if from_ms_ <= b), None)


def _last_allowed(spans: Spans, up_to_ms: int) -> int | None:
    return next((min(b, up_to_ms) for a, b in reversed(spans) if a <= up_to_ms), None)


def _latest(spans: Spans) -> list[int] | None:
    """Return the latest moment for each measurement so that the rest still fits."""
    latest: list[int] = []
    limit = spans[-1][1] if spans else 0
    for index in range(MOMENTS_A_DAY - 1, -1, -1):
        at = _last_allowed(spans, limit)
        if at is None:
            return None
        latest.append(at)
        limit = at - planned_gap_ms(index)
    return latest[::-1]


def _between(spans: Spans, first: int, last: int, fraction: float) -> int:
    """Return the full minute that lies so far into the allowed time from first to last."""
    parts = [
        (max(a, first), min(b, last)) for a, b in spans if b >= first and a <= last
    ]
    wish = int(fraction * sum(b - a for a, b in parts))
    for a, b in parts:
        if wish <= b - a:
            return a + wish - wish % MINUTE_MS
        wish -= b - a
    return last


def day_moments(seed: str, day: date, spans: Spans) -> tuple[int, ...] | None:
    """Return ten moments in the spans, full minutes; None where ten do not fit.

    Windows lie within the spans. The same seed, day and spans give the same moments.
    """
    # Full minutes only, and room for the window around each moment.
    whole = [
        (-(-(a + EARLY_MS) // MINUTE_MS), (b - WINDOW_MS) // MINUTE_MS)
        for a, b in spans
    ]
    usable = [(a * MINUTE_MS, b * MINUTE_MS) for a, b in whole if b >= a]
    latest = _latest(usable)
    if latest is None:
        return None
    moments: list[int] = []
    for index, last in enumerate(latest):
        earliest = moments[-1] + planned_gap_ms(index) if moments else usable[0][0]
        first = _first_allowed(usable, earliest)
        if first is None or first > last:
            return None
        # An even share of what is left to spread, else the last ones would crowd.
        share = 2 / (MOMENTS_A_DAY - index + 1)
        fraction = share * _fraction(seed, day, index)
        moments.append(_between(usable, first, last, fraction))
    return tuple(moments)


def _without_past(spans: Iterable[tuple[int, int]], from_: int) -> Spans:
    return [(max(a, from_), b) for a, b in spans if b > from_]


def make_plan(seed: str, start_ms: int, allowed: Allowed) -> tuple[int, ...]:
    """Return 30 moments in UTC milliseconds, in order.

    Days and times are drawn from the seed (the campaign's id), so that nobody picks
    them and anybody can draw them again.

    Raises:
        NoPlanError: the allowed times leave no three days.
    """
    first = berlin_day(start_ms)
    days: dict[date, tuple[int, ...]] = {}
    for ahead in range(SPAN_DAYS):
        day = first + timedelta(days=ahead)
        spans = _without_past(allowed(day), start_ms + LEAD_MS)
        moments = day_moments(seed, day, spans)
        if moments is not None:
            days[day] = moments
    choices = [
        three
        for three in combinations(days, DAYS)
        if all((b - a).days > FREE_DAYS_BETWEEN for a, b in pairwise(three))
    ]
    if not choices:
        raise NoPlanError(f"no three days from {first} on, 14 days long")
    chosen = choices[int(_fraction(seed, "days") * len(choices))]
    return tuple(at for day in chosen for at in days[day])


def spacing_faults(times_ms: Sequence[int]) -> list[str]:
    """Return which of the rule's distances a set of times breaks; [] for none.

    Codes: ``gap``, ``pause``, ``days``, ``free_day``, ``span``, ``count``.
    """
    times = sorted(times_ms)
    faults = set()
    by_day: dict[date, list[int]] = {}
    for at in times:
        by_day.setdefault(berlin_day(at), []).append(at)
    days = sorted(by_day)
    if len(days) != DAYS:
        faults.add("days")
    if any((b - a).days <= FREE_DAYS_BETWEEN for a, b in pairwise(days)):
        faults.add("free_day")
    if days and (days[-1] - days[0]).days >= SPAN_DAYS:
        faults.add("span")
    for of_day in by_day.values():
        if len(of_day) != MOMENTS_A_DAY:
            faults.add("count")
        gaps = [b - a for a, b in pairwise(of_day)]
        if any(gap < MIN_GAP_MS for gap in gaps):
            faults.add("gap")
        if len(of_day) > AFTER_PAUSE and gaps[AFTER_PAUSE - 1] < MIN_PAUSE_MS:
            faults.add("pause")
    return sorted(faults)


def next_try(planned_ms: int, tries: int, now_ms: int) -> int | None:
    """Return when a measurement is tried next, perhaps a little ago; None: no more.

    ``tries`` is how many there were. A probe may begin up to `LATE_MS` after the
    moment, so until then it stays: it may have been at another test.
    """
    for after_ms in TRIES_MS[tries:]:
        at_ms = planned_ms + after_ms
        if now_ms < at_ms + LATE_MS:
            return at_ms
    return None
