"""The usual poll: ask a device for the values its plan names, and decode them.

Nothing is concluded from what looks different than planned: `Moved` says that the
structure has to be read, and the poll is done in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from collectors.base import (
    SYS_UPTIME,
    DeadlineError,
    Session,
    SessionError,
    Value,
    index_key,
)
from collectors.columns import wanted_rows
from collectors.compare import Before
from collectors.decode import Row, TableResult, decode_table
from collectors.pace import TICKS_PER_S
from collectors.plan import Grid, Layer, Loose, Plan
from collectors.read import GONE, Index
from netmon.clock import Clock, to_ms
from netmon.model import FailureReason


class Moved(Exception):  # noqa: N818 - no error: the device has changed
    """The device does not look as planned; the text says in what.

    ``mark`` is the object that told so, empty where it showed otherwise.
    """

    def __init__(self, text: str, mark: str = "") -> None:
        super().__init__(text)
        self.mark = mark


@dataclass(slots=True)
class Values:
    """What a device said by its plan; ``failure`` as in `collectors.read.Reading`.

    ``answer`` are the objects asked by GET. ``uptime_ticks`` are hundredths of a
    second, None where the device failed.
    """

    at_ms: int
    failure: FailureReason | None = None
    reason: str = ""
    uptime_ticks: int | None = None
    answer: dict[str, Value] = field(default_factory=dict)
    tables: list[TableResult] = field(default_factory=list)
    duration_s: float = 0.0

    @property
    def uptime_s(self) -> float | None:
        """Seconds since the device's start; None where it did not say."""
        ticks = self.uptime_ticks
        return None if ticks is None else ticks / TICKS_PER_S


async def read_values(
    session: Session,
    plan: Plan,
    *,
    clock: Clock,
    budget_s: float,
    before: Before | None = None,
) -> Values:
    """Return what a device says to its plan within ``budget_s`` seconds.

    ``before`` is the poll before, from which a restart shows. No `SessionError`
    leaves this function.

    Raises:
        Moved: the plan does not fit the device any more.
    """
    start_s = clock.monotonic_s()
    values = Values(at_ms=to_ms(clock.now()))
    stop_s = start_s + budget_s
    first, *others = plan.requests
    try:
        values.answer = await session.get(first)
    except GONE as error:
        values.failure, values.reason = error.reason, str(error)
    except SessionError as error:
        # A device that cannot answer this may still answer something: ask in full.
        raise Moved(str(error)) from error
    else:
        ticks = values.answer.get(SYS_UPTIME)
        values.uptime_ticks = ticks if isinstance(ticks, int) else None
        if before is not None and before.restarted(start_s, values.uptime_ticks):
            raise Moved("it has restarted")
        for oid, value in plan.marks.items():
            if values.answer.get(oid) != value:
                raise Moved(f"{oid} has changed", oid)
        lost = await _get(session, others, values.answer, clock, stop_s)
        walked, failures = await _walk(session, plan, lost, clock, stop_s)
        lost_last = lost or next(iter(failures.values()), None)
        if lost_last is None:
            lost_last = await _get(session, plan.last, values.answer, clock, stop_s)
        values.tables = [
            _table(
                planned,
                values.answer,
                walked,
                failures,
                lost_last if planned.table.rows_of else lost,
            )
            for planned in plan.tables
        ]
    values.duration_s = clock.monotonic_s() - start_s
    return values


async def _get(
    session: Session,
    requests: Iterable[tuple[str, ...]],
    answer: dict[str, Value],
    clock: Clock,
    stop_s: float,
) -> FailureReason | None:
    """Ask the other requests; return the reason if the device went away meanwhile."""
    for oids in requests:
        if clock.monotonic_s() > stop_s:
            return DeadlineError.reason
        try:
            answer.update(await session.get(oids))
        except GONE as error:
            return error.reason
        except SessionError as error:
            raise Moved(str(error)) from error
    return None


async def _walk(
    session: Session,
    plan: Plan,
    lost: FailureReason | None,
    clock: Clock,
    stop_s: float,
) -> tuple[dict[str, dict[Index, Value]], dict[str, FailureReason]]:
    """Walk the columns of changing tables; return them, and why others failed."""
    walked: dict[str, dict[Index, Value]] = {}
    failures: dict[str, FailureReason] = {}
    for walk in plan.walks:
        left_s = stop_s - clock.monotonic_s()
        if lost is None and left_s <= 0:
            lost = DeadlineError.reason
        if lost is not None:
            failures[walk.oid] = lost
            continue
        try:
            rows = await session.walk(
                walk.oid,
                max_repetitions=walk.max_repetitions,
                max_rows=walk.max_rows,
                deadline_s=left_s,
            )
        except SessionError as error:
            failures[walk.oid] = error.reason
            lost = error.reason if isinstance(error, GONE) else None
        else:
            cut = len(walk.oid) + 1
            walked[walk.oid] = {index_key(oid[cut:]): value for oid, value in rows}
    return walked, failures


def _table(
    planned: Grid | Loose,
    answer: Mapping[str, Value],
    walked: Mapping[str, Mapping[Index, Value]],
    failures: Mapping[str, FailureReason],
    lost: FailureReason | None,
) -> TableResult:
    if isinstance(planned, Loose):
        return _decode_loose(planned, answer, walked, failures, lost)
    if lost is not None:
        return TableResult(planned.table.name, planned.table.result)
    return decode_grid(planned, answer)


def decode_grid(grid: Grid, answer: Mapping[str, Value]) -> TableResult:
    """Return a table of prepared cells.

    Raises:
        Moved: a cell that every row must have is missing.
    """
    names = [name for name, _, _ in grid.fields]
    columns = [
        _column(grid, name, required, layers, answer)
        for name, required, layers in grid.fields
    ]
    names += [name for name, _ in grid.fixed]
    columns += [list(values) for _, values in grid.fixed]
    told = zip(*columns, strict=True) if columns else [()] * len(grid.parts)
    rows = tuple(
        Row(parts, dict(zip(names, cells, strict=True)), words)
        for parts, words, cells in zip(grid.parts, grid.words, told, strict=True)
    )
    return TableResult(grid.table.name, grid.table.result, rows, grid.complete)


def _column(
    grid: Grid,
    name: str,
    required: bool,
    layers: tuple[Layer, ...],
    answer: Mapping[str, Value],
) -> list[float | None]:
    if len(layers) == 1 and layers[0].places is None:
        raws = list(map(answer.get, layers[0].oids))
        if required and None in raws:
            raise Moved(f"{grid.table.name}.{name} has lost a row")
        return layers[0].read(raws)
    found: list[float | None] = [None] * len(grid.parts)
    asked: set[int] = set()
    there: set[int] = set()
    for layer in layers:
        raws = list(map(answer.get, layer.oids))
        places = layer.places or range(len(grid.parts))
        asked.update(places)
        for place, raw, value in zip(places, raws, layer.read(raws), strict=True):
            if raw is not None:
                there.add(place)
            if found[place] is None:
                found[place] = value
    if required and asked != there:
        raise Moved(f"{grid.table.name}.{name} has lost a row")
    return found


def _decode_loose(
    loose: Loose,
    answer: Mapping[str, Value],
    walked: Mapping[str, Mapping[Index, Value]],
    failures: Mapping[str, FailureReason],
    lost: FailureReason | None,
) -> TableResult:
    table = loose.table
    columns: dict[str, Mapping[Index, Value]] = dict(loose.still)
    failed = dict(loose.failures)
    for oid in loose.walked:
        if oid in walked:
            columns[oid] = walked[oid]
        else:
            failed[oid] = failures[oid]
    for oid, cells in loose.cells.items():
        if lost is not None:
            failed[oid] = lost
        else:
            columns[oid] = {i: answer[name] for i, name in cells if name in answer}
    for column in table.columns:
        cells = loose.cells.get(column.oid, ())
        came = len(columns.get(column.oid, ()))
        stays = column.required and not table.rows_of
        if lost is None and stays and came < len(cells):
            raise Moved(f"{table.name}.{column.field} has lost a row")
    if not loose.known.issuperset(wanted_rows(table, columns)):
        raise Moved(f"{table.name} has a new row")
    return decode_table(table, columns, failed)
