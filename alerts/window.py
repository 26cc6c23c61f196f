"""Which of the newest results confirm: N of M, every other one, breaks; pure.

A window is a tuple, newest last: the measuring time of a bad result, 0 for another.
Where breaks count (`Limits.breaks_within_s`) it has the beginning of each.
"""

from __future__ import annotations

from alerts.watched import Limits, Memory

# Breaks that are remembered; more of them say no more.
BREAKS_KEPT = 20
# What is bad every other time must be so for this long: a confirming test follows a bad
# one within minutes.
WAVER_FOR_S = 1800.0


def push(
    limits: Limits, memory: Memory, measured_ms: int, *, bad: bool
) -> tuple[int, ...]:
    """Return the window with one more result."""
    if bad and measured_ms < memory.counts_from_ms:
        return memory.window
    if limits.breaks_within_s is not None:
        return _breaks(limits.breaks_within_s, memory, measured_ms, bad=bad)
    most = max(limits.confirm_of or limits.confirm_count, limits.waver_of)
    if not bad and (most <= limits.confirm_count or not memory.window):
        return ()
    all_of_it = (*memory.window, measured_ms if bad else 0)
    window = all_of_it[-most:]
    # What no bad result stands before confirms nothing.
    while window and not window[0]:
        window = window[1:]
    lasts = bool(limits.confirm_for_s) and len(all_of_it) > most
    if lasts and sum(map(bool, window)) >= limits.confirm_count:
        # The trouble goes on: when it began must not leave with the oldest result.
        return (all_of_it[0], *window)
    return window


def _breaks(
    within_s: float, memory: Memory, measured_ms: int, *, bad: bool
) -> tuple[int, ...]:
    """Return when the breaks began that still count."""
    oldest_ms = measured_ms - round(1000 * within_s)
    window = tuple(ms for ms in memory.window if ms > oldest_ms)
    begins = bad and memory.good_streak > 0
    return (*window, measured_ms)[-BREAKS_KEPT:] if begins else window


def recent(limits: Limits, window: tuple[int, ...]) -> tuple[int, ...]:
    """Return the part of the window that `Limits.confirm_count` is about."""
    if not limits.waver_of:
        return window
    window = window[-(limits.confirm_of or limits.confirm_count) :]
    while window and not window[0]:
        window = window[1:]
    return window


def wavers(
    limits: Limits, window: tuple[int, ...], *, before: bool, incident_open: bool
) -> bool:
    """Say whether so many results are bad, though hardly ever in a row."""
    if not limits.waver_of or not window:
        return False
    bad, newest = [ms for ms in window if ms], recent(limits, window)
    if incident_open:
        # Bad all the time it ends as others do.
        steady = len(newest) > limits.confirm_count and all(newest)
        return before and not steady and 4 * len(bad) > limits.waver_of
    return (
        2 * len(bad) >= limits.waver_of
        and bad[-1] - bad[0] >= WAVER_FOR_S * 1000
        and not are_enough(limits, newest)
    )


def are_enough(limits: Limits, window: tuple[int, ...]) -> bool:
    """Say whether the bad results of a window confirm."""
    most = limits.confirm_of or limits.confirm_count
    bad = [ms for ms in window if ms]
    newest = window if limits.breaks_within_s is not None else window[-most:]
    return (
        sum(map(bool, newest)) >= limits.confirm_count
        and bad[-1] - bad[0] >= limits.confirm_for_s * 1000
    )
