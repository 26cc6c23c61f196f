"""What a rule sees in stored measurements; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alerts.machine import Seen
from alerts.rules import Rule
from netmon.storage.records import Chunk, Points

# A test of the other direction: its failures say nothing of the download.
_OTHER_DIRECTION = "up"


def results(rule: Rule, chunk: Chunk) -> Iterator[Seen]:
    """Yield what a rule sees in a chunk, oldest first.

    A record without the rule's quantity and without a failure says nothing to it.
    """
    points = chunk.points
    failures = points.failure or [None] * len(points.ts)
    if rule.quantity and chunk.series.tags.get("direction") == _OTHER_DIRECTION:
        return
    values = _values(rule, points)
    lows, highs = _column(points, rule.lower), _column(points, rule.upper)
    bounds = _column(points, rule.at_least)
    for i in sorted(range(len(points.ts)), key=points.ts.__getitem__):
        value, bound = values[i], bounds[i]
        if value is None and bound is not None:
            yield Seen(points.ts[i], chunk.received_ms, bound, at_least=True)
            continue
        # A range is good by its lower end, bad by its upper one, and else neither.
        value = lows[i] if value is None else value
        if value is not None or failures[i] is not None:
            yield Seen(points.ts[i], chunk.received_ms, value, failures[i], highs[i])


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
