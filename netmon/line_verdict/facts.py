"""What was said of a line by tests and passive windows; pure.

A record of the kind ``throughput`` is worth what its numbers say, see
docs/decisions/011; one record of a plain test speaks of both directions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from netmon.medium import merge
from netmon.metrics import KINDS, MEDIUM_KINDS
from netmon.model import FailureReason, Line, expected_down_bps
from netmon.path import Verdict as PathVerdict
from netmon.storage.records import Chunk, Latest

DOWN, UP = "down", "up"
# How a method's name begins, before its version.
PASSIVE = "passive"
_THROUGHPUT = "throughput"


class Worth(StrEnum):
    """What a statement can be used for."""

    CAPACITY = "capacity"
    AT_LEAST = "at_least"
    RANGE = "range"
    DEMAND = "demand"
    FAILED = "failed"


class Statement(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one record says of one direction.

    ``direction`` is empty for a failure of both. ``values`` are the record's
    numbers by the catalogue's names less the direction (``rate_bps``,
    ``cross_bps``, ``rtt_idle_s``); what is not known is missing. ``basis``,
    ``purpose`` and ``method`` are the record's tags, empty where it has none.
    """

    worth: Worth
    direction: str
    at_ms: int
    method: str = ""
    basis: str = ""
    purpose: str = ""
    values: dict[str, float] = {}
    failure: FailureReason | None = None
    generated: bool = False

    @property
    def family(self) -> str:
        """The method without its version, e.g. ``tcp-floor``."""
        return self.method.partition("/")[0]

    @property
    def shown_bps(self) -> float | None:
        """The rate or lower bound; None for a range, a demand, a failure."""
        if self.worth is Worth.CAPACITY:
            return self.values["rate_bps"]
        return self.values["at_least_bps"] if self.worth is Worth.AT_LEAST else None


def statements(
    tags: Mapping[str, str],
    at_ms: int,
    values: Mapping[str, float | None],
    failure: FailureReason | None = None,
    *,
    generated: bool = False,
) -> Iterator[Statement]:
    """Yield what a record says; nothing where it has no number of a direction."""
    for direction in (DOWN, UP) if failure is None else (tags.get("direction", ""),):
        own = {} if failure else _values(values, direction)
        worth = Worth.FAILED if failure else _worth(own)
        if worth is not None:
            yield Statement(
                worth=worth,
                direction=direction,
                at_ms=at_ms,
                method=tags.get("method", ""),
                basis=tags.get("basis", ""),
                purpose=tags.get("purpose", ""),
                values=own,
                failure=failure,
                generated=generated,
            )


def _values(values: Mapping[str, float | None], direction: str) -> dict[str, float]:
    mark, other = f"_{direction}_", f"_{UP if direction == DOWN else DOWN}_"
    return {
        name.replace(mark, "_"): value
        for name, value in values.items()
        if value is not None and other not in name
    }


def _worth(values: Mapping[str, float]) -> Worth | None:
    if "rate_bps" in values:
        return Worth.CAPACITY
    if "at_least_bps" in values:
        return Worth.AT_LEAST
    if {"rate_low_bps", "rate_high_bps"} <= values.keys():
        return Worth.RANGE
    return Worth.DEMAND if "demand_bps" in values else None


def newest_statements(line: Line, latest: Iterable[Latest]) -> list[Statement]:
    """Return what the newest records of each series say of a line."""
    found: list[Statement] = []
    for item in latest:
        ref = item.series
        if ref.kind != _THROUGHPUT or ref.tags.get("line") != line.id:
            continue
        made_up = ref.generated
        if item.ok_ts_ms is not None:
            found += statements(ref.tags, item.ok_ts_ms, item.values, generated=made_up)
        if item.failure is not None:
            found += statements(
                ref.tags, item.ts_ms, {}, item.failure, generated=made_up
            )
    return found


def recorded_statements(
    chunks: Iterable[Chunk], first_ms: int, last_ms: int
) -> list[Statement]:
    """Return what all records of a span say, newest first."""
    found: list[Statement] = []
    for chunk in chunks:
        points, ref = chunk.points, chunk.series
        for index, at_ms in enumerate(points.ts):
            if first_ms <= at_ms <= last_ms:
                values = {name: column[index] for name, column in points.values.items()}
                failure = None if points.failure is None else points.failure[index]
                found += statements(
                    ref.tags, at_ms, values, failure, generated=ref.generated
                )
    return sorted(found, key=lambda each: -each.at_ms)


class LineFacts(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The newest of each sort that is known of a line; None where nothing is.

    All but ``up`` (a capacity) and ``up_proof`` speak of the download. ``proof`` is a lower bound: the newest
    that proves the line, else the newest. ``failed`` is the newest record,
    where that has no number. ``device`` is what the line's own device tells
    now: ``rx_dbm``, ``sync_bps``, ``radio_bps``, ``modulation_qam``. ``blamed`` is
    the guilty segment of the way to the internet.
    """

    capacity: Statement | None = None
    proof: Statement | None = None
    varies: Statement | None = None
    demand: Statement | None = None
    failed: Statement | None = None
    up: Statement | None = None
    up_proof: Statement | None = None
    device: dict[str, float] = {}
    blamed: PathVerdict | None = None

    @property
    def newest(self) -> Statement | None:
        """The newest statement with a number."""
        return next(iter(self.told), None)

    @property
    def told(self) -> tuple[Statement, ...]:
        """All statements about the download with a number, newest first."""
        every = (self.capacity, self.proof, self.varies, self.demand)
        known = [each for each in every if each is not None]
        # Of most lines one is known, and a verdict asks for them again and again.
        if len(known) > 1:
            known.sort(key=lambda each: -each.at_ms)
        return tuple(known)

    @property
    def newest_up(self) -> Statement | None:
        """The newest rate or lower bound of the upload."""
        return _newest([each for each in (self.up, self.up_proof) if each])

    @property
    def shown(self) -> Statement | None:
        """The newest rate or lower bound."""
        return next((each for each in self.told if each.shown_bps is not None), None)


def telling(line: Line, measured: LineFacts) -> Statement | None:
    """Return the newest statement that tells whether a line reaches its target.

    A lower bound below the target tells neither; None where nothing tells.
    """
    for each in measured.told:
        reaches = (each.shown_bps or 0.0) >= expected_down_bps(line)
        if each.worth is Worth.CAPACITY or reaches:
            return each
    return None


def gather_facts(
    line: Line,
    latest: Iterable[Latest],
    now_ms: int,
    recorded: Iterable[Statement] = (),
    blamed: PathVerdict | None = None,
) -> LineFacts:
    """Return the facts of a line.

    ``latest`` are newest values of its building, or all: of throughput, and of
    the medium where that is to be told. A series remembers its newest record
    only; ``recorded`` are further statements of the line, for what that hides.
    ``blamed`` is what `netmon.line_path` found.
    """
    latest = list(latest)
    every = [*newest_statements(line, latest), *recorded]
    down = [each for each in every if each.direction == DOWN]
    up = [each for each in every if each.direction == UP]
    needed_bps = expected_down_bps(line)
    proofs = [each for each in down if each.worth is Worth.AT_LEAST]
    proving = [each for each in proofs if (each.shown_bps or 0.0) >= needed_bps]
    numbers = [each for each in down if each.worth is not Worth.FAILED]
    failures = [
        each for each in every if each.failure is not None and each.direction != UP
    ]
    failed, newest = _newest(failures), _newest(numbers)
    if failed is not None and newest is not None and newest.at_ms >= failed.at_ms:
        failed = None
    return LineFacts(
        capacity=_newest([each for each in down if each.worth is Worth.CAPACITY]),
        proof=_newest(proving or proofs),
        varies=_newest([each for each in down if each.worth is Worth.RANGE]),
        demand=_newest([each for each in down if each.worth is Worth.DEMAND]),
        failed=failed,
        up=_newest([each for each in up if each.worth is Worth.CAPACITY]),
        up_proof=_newest([each for each in up if each.worth is Worth.AT_LEAST]),
        device=_device(line, latest, now_ms),
        blamed=blamed,
    )


def _newest(found: Sequence[Statement]) -> Statement | None:
    if not found:
        return None
    return max(found, key=lambda each: each.at_ms)


# What is worth telling of a healthy medium: kind, metric, name of the fact.
_TOLD_OF_DEVICES = (
    ("line_optics", "rx_dbm", "rx_dbm"),
    ("line_dsl", "rate_down_bps", "sync_bps"),
    ("line_radio", "capacity_down_bps", "radio_bps"),
    ("line_radio", "modulation_qam", "modulation_qam"),
)


def _device(line: Line, latest: Iterable[Latest], now_ms: int) -> dict[str, float]:
    by_kind: dict[str, list[Mapping[str, float | None]]] = {k: [] for k in MEDIUM_KINDS}
    for item in latest:
        kind = item.series.kind
        if kind not in by_kind or item.series.tags.get("line") != line.id:
            continue
        fresh = now_ms - item.ts_ms <= KINDS[kind].stale_after_s * 1000
        if fresh and item.failure is None and item.ok_ts_ms == item.ts_ms:
            by_kind[kind].append(item.values)
    merged = {kind: merge(values) for kind, values in by_kind.items()}
    return {
        name: value
        for kind, metric, name in _TOLD_OF_DEVICES
        if (value := merged[kind].get(metric)) is not None
    }
