"""Exact sets of record numbers as closed intervals; pure.

A sender numbers its records; batches may overlap after a lost answer, come out
of order or leave gaps where the spool dropped something. A few intervals a
sender hold all of it.
"""

from __future__ import annotations

from collections.abc import Sequence

Interval = tuple[int, int]


def runs(numbers: Sequence[int]) -> list[Interval]:
    """Return the closed intervals that sorted, distinct numbers form."""
    if not numbers:
        return []
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return [(numbers[0], numbers[-1])]
    found: list[Interval] = []
    first = last = numbers[0]
    for number in numbers[1:]:
        if number == last + 1:
            last = number
            continue
        found.append((first, last))
        first = last = number
    found.append((first, last))
    return found


def covers(intervals: Sequence[Interval], number: int) -> bool:
    """Say whether one of the intervals holds the number."""
    return any(first <= number <= last for first, last in intervals)


def merge(intervals: Sequence[Interval]) -> list[Interval]:
    """Return the same numbers in the fewest intervals, in order."""
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
