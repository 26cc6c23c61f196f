"""Columns made ready for thousands of cells: the same answers as `decode`, sooner.

A column of states, speeds or channels says the same few things again and again, so
what each meant is remembered; plain counters are only checked for their range. What
either does not cover goes to `collectors.decode.number`, which stays the one place
that knows what a cell means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from collectors.base import Value
from collectors.decode import limits_of
from collectors.platform_model import Column
from collectors.results import ResultKind
from collectors.values import number
from netmon.quantities import Metric

# More different values than this are no states; forgetting them keeps memory flat.
MAX_REMEMBERED = 4096

Raw = Value | None
# From what a device said, cell by cell, to numbers; None where it says nothing.
Reader = Callable[[Iterable[Raw]], list[float | None]]


def reader(column: Column, result: ResultKind) -> Reader:
    """Return what reads the cells of a column of numbers."""
    metric = limits_of(result).get(column.field)
    slow = _Memory(column, metric)
    if not _is_counter(column):
        return lambda raws: list(map(slow.__getitem__, raws))
    low, high = (0.0, 2.0**64) if metric is None else (metric.low, metric.high)
    missing = column.missing

    def counters(raws: Iterable[Raw]) -> list[float | None]:
        return [
            float(raw)
            if type(raw) is int and low <= raw <= high and raw not in missing
            else slow[raw]
            for raw in raws
        ]

    return counters


class _Memory(dict[Raw, float | None]):
    """What each cell seen so far meant."""

    def __init__(self, column: Column, metric: Metric | None) -> None:
        super().__init__()
        self._column = column
        self._metric = metric

    def __missing__(self, raw: Raw) -> float | None:
        value = None if raw is None else number(self._column, raw)
        metric = self._metric
        if value is not None and metric and not metric.low <= value <= metric.high:
            value = None
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        self[raw] = value
        return value


def _is_counter(column: Column) -> bool:
    plain = msgspec.structs.replace(
        column, field="", oid="", unit="", required=False, missing=()
    )
    return column.field.endswith("_total") and plain == Column(field="", oid="")
