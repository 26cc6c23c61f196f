"""What a rule sees in stored measurements; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alerts.machine import Seen
from alerts.rules import Rule
from netmon.storage.records import Chunk, Points


def results(rule: Rule, chunk: Chunk) -> Iterator[Seen]:
    """Yield what a rule sees in a chunk, oldest first.

    A record without the rule's quantity and without a failure says nothing to it.
    """
    points = chunk.points
    failures = points.failure or [None] * len(points.ts)
    values = _values(rule, points)
    for i in sorted(range(len(points.ts)), key=points.ts.__getitem__):
        if values[i] is not None or failures[i] is not None:
            yield Seen(points.ts[i], chunk.received_ms, values[i], failures[i])


def _values(rule: Rule, points: Points) -> Sequence[float | None]:
    nothing: list[float | None] = [None] * len(points.ts)
    if rule.quantity is not None:
        return points.values.get(rule.quantity, nothing)
    alive = nothing
    for column in points.values.values():
        alive = [
            1.0 if value is not None else known
            for value, known in zip(column, alive, strict=True)
        ]
    return alive
