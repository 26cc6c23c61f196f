"""What a rule sees in stored measurements; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from alerts.rules import Rule
from alerts.watched import Seen
from netmon.storage.records import Chunk, Points

# What lies further in the future than this was not measured by a good clock.
MAX_AHEAD_MS = 60_000
# A test of the other direction: its failures say nothing of the download.
_OTHER_DIRECTION = "up"


def results(rule: Rule, chunk: Chunk) -> Iterator[Seen]:
    """Yield what a rule sees in a chunk, oldest first.

    A record without the rule's quantity and without a failure says nothing to it.
    Times are by the gateway's clock: a sender's wrong one is put right by how far it
    was off when it sent (`Chunk.skew_ms`), and the result marked.
    """
    points = chunk.points
    failures = points.failure or [None] * len(points.ts)
    if rule.quantity and chunk.series.tags.get("direction") == _OTHER_DIRECTION:
        return
    skew_ms = chunk.skew_ms
    values = _values(rule, points)
    lows, highs = _column(points, rule.lower), _column(points, rule.upper)
    bounds = _column(points, rule.at_least)
    # Without one every such failure counts, also of a sender whose clock is ahead.
    cut_off_ms = (
        -inf if rule.cut_off_after_s is None else round(1000 * rule.cut_off_after_s)
    )
    for i in sorted(range(len(points.ts)), key=points.ts.__getitem__):
        value, bound, high = values[i], bounds[i], highs[i]
        failure, at_least = failures[i], False
        if value is None and bound is not None:
            value, failure, high, at_least = bound, None, None, True
        elif value is None:
            # A range is good by its lower end, bad by its upper one, else neither.
            value = lows[i]
        if value is None and failure in rule.bad_failures:
            if chunk.received_ms - points.ts[i] - skew_ms < cut_off_ms:
                continue
            value, failure = 0.0, None
        elif value is None and failure in rule.good_failures:
            value, failure = 1.0, None
        if value is None and failure is None:
            continue
        ts_ms = points.ts[i] + skew_ms
        skewed = skew_ms != 0 or ts_ms > chunk.received_ms + MAX_AHEAD_MS
        yield Seen(
            ts_ms, chunk.received_ms, value, failure, high, at_least, skewed=skewed
        )


def _column(points: Points, name: str | None) -> Sequence[float | None]:
    column = None if name is None else points.values.get(name)
    return [None] * len(points.ts) if column is None else column


def _values(rule: Rule, points: Points) -> Sequence[float | None]:
    if rule.quantity is not None:
        return _column(points, rule.quantity)
    alive: list[float | None] = [None] * len(points.ts)
    for column in points.values.values():
        alive = [
            1.0 if value is not None else known
            for value, known in zip(column, alive, strict=True)
        ]
    return alive
