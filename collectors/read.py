"""Ask a device what its platform says is worth asking; judge nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.base import (
    SYS_UPTIME,
    DeadlineError,
    DeniedError,
    NoReplyError,
    RefusedError,
    Session,
    SessionError,
    TooManyRowsError,
    UnreachableError,
    Value,
    oid_key,
)
from collectors.columns import asked_rows, longer, wanted_rows, without_value
from collectors.packing import packed
from collectors.platform_model import Column, Fact, Platform, Table
from collectors.platforms import Platforms
from collectors.results import MEDIUM_RESULTS
from collectors.values import clean_text
from netmon.clock import Clock, to_ms
from netmon.model import FailureReason

SYS_DESCR = "1.3.6.1.2.1.1.1.0"
SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"
_TICKS_PER_S = 100
# After these the device is gone: asking on would only cost time.
GONE = (NoReplyError, RefusedError, UnreachableError, DeniedError, DeadlineError)

Index = tuple[int, ...]


@dataclass(slots=True)
class TableReading:
    """A table as it came: columns by object id, and why a column did not come.

    A column that nobody asked for (its field was complete) is in neither.
    """

    columns: dict[str, dict[Index, Value]] = field(default_factory=dict)
    failures: dict[str, FailureReason] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """One poll of one device, undecoded.

    ``failure`` is set where the device did not answer at all; then nothing else
    is known and ``platform`` is None. ``duration_s`` counts until the last
    answer. ``uptime_s`` starts anew after 497 days, as sysUpTime does.
    """

    at_ms: int
    failure: FailureReason | None = None
    reason: str = ""
    platform: Platform | None = None
    uptime_s: float | None = None
    sys_object_id: str = ""
    facts: dict[str, Value] = field(default_factory=dict)
    tables: dict[str, TableReading] = field(default_factory=dict)
    duration_s: float = 0.0


async def read_device(
    session: Session,
    platforms: Platforms,
    *,
    clock: Clock,
    budget_s: float,
    platform: str = "",
    line: bool | None = None,
) -> Reading:
    """Return what a device says within ``budget_s`` seconds.

    ``platform`` is a platform's name, empty to find it out by sysObjectID.
    ``line`` says whether the device carries a line: only then is it asked about
    the medium; None asks for all that its platform knows. No `SessionError`
    leaves this function: it becomes part of the reading.
    """
    start_s = clock.monotonic_s()
    reading = Reading(at_ms=to_ms(clock.now()))
    try:
        system = await session.get([SYS_UPTIME, SYS_OBJECT_ID, SYS_DESCR])
    except SessionError as error:
        reading.failure, reading.reason = error.reason, str(error)
    else:
        _take_system(reading, system, platforms, platform, line=bool(line))
        tables = [
            table
            for table in (reading.platform.tables if reading.platform else ())
            if (line is not False or table.result not in MEDIUM_RESULTS)
            and not (line and table.unless_line)
        ]
        await _read_parts(reading, tables, session, clock, start_s + budget_s)
    reading.duration_s = clock.monotonic_s() - start_s
    return reading


def _take_system(
    reading: Reading,
    system: Mapping[str, Value],
    platforms: Platforms,
    platform: str,
    *,
    line: bool,
) -> None:
    uptime = system.get(SYS_UPTIME)
    reading.uptime_s = uptime / _TICKS_PER_S if isinstance(uptime, int) else None
    # Recordings may write it as net-snmp prints it, with a dot in front.
    object_id = clean_text(system.get(SYS_OBJECT_ID, b""))
    reading.sys_object_id = object_id.removeprefix(".")
    reading.platform = (
        platforms.get(platform)
        if platform
        else platforms.choose(
            reading.sys_object_id,
            clean_text(system.get(SYS_DESCR, b"")),
            line=line,
        )
    )


def fact_oids(facts: Sequence[Fact]) -> list[str]:
    """Return the objects that facts need, each once."""
    oids = [oid for fact in facts for oid in (fact.oid, fact.when_oid) if oid]
    return list(dict.fromkeys(oids))


async def _read_parts(
    reading: Reading,
    tables: Sequence[Table],
    session: Session,
    clock: Clock,
    stop_s: float,
) -> None:
    platform = reading.platform
    if platform is None:
        return
    gone: SessionError | None = None
    try:
        reading.facts = await session.get(fact_oids(platform.facts))
    except SessionError as error:
        gone = error if isinstance(error, GONE) else None
    # Several tables, or several rows of one, may need the same column.
    walked: dict[str, dict[Index, Value]] = {}
    with_rows: set[str] = set()
    for table in tables:
        if table.only_with and table.only_with not in with_rows:
            continue
        found = reading.tables[table.name] = TableReading()
        asked = known_rows(table, platform, reading)
        for column in table.columns:
            if gone is not None:
                found.failures[column.oid] = gone.reason
            elif _is_needed(table, column, found):
                ask = _Ask(session, clock, stop_s, asked)
                gone = await _take_column(ask, table, column, found, walked)
        if wanted_rows(table, found.columns):
            with_rows.add(table.name)


def known_rows(
    table: Table, platform: Platform, reading: Reading
) -> list[Index] | None:
    """Return the rows to ask a device for, None where it tells them by a walk."""
    if not table.rows_of:
        return None
    of = next(each for each in platform.tables if each.name == table.rows_of)
    found = reading.tables.get(of.name)
    return asked_rows(table, of, found.columns) if found else []


@dataclass(frozen=True, slots=True)
class _Ask:
    """Whom to ask for a column, until when, and for which rows (None: walk it)."""

    session: Session
    clock: Clock
    stop_s: float
    rows: list[Index] | None


async def _take_column(
    ask: _Ask,
    table: Table,
    column: Column,
    found: TableReading,
    walked: dict[str, dict[Index, Value]],
) -> SessionError | None:
    """Read a column into ``found``; return the error after which the device is gone."""
    try:
        if column.by:
            came = wanted_rows(table, found.columns)
            cells = longer(table, column, found.columns, came)
            found.columns[column.oid] = await _ask_column(
                ask, table, column, list(cells.values())
            )
            return None
        if column.oid not in walked:
            if ask.rows is None:
                walked[column.oid] = await _read_column(ask, table, column)
            else:
                # Of rows that did not come nothing more is asked.
                came = wanted_rows(table, found.columns)
                rows = [row for row in ask.rows if row in came] if came else ask.rows
                walked[column.oid] = await _ask_column(ask, table, column, rows)
    except SessionError as error:
        found.failures[column.oid] = error.reason
        return error if isinstance(error, GONE) else None
    found.columns[column.oid] = walked[column.oid]
    return None


def _is_needed(table: Table, column: Column, found: TableReading) -> bool:
    """Say whether a row is left without a value of the column's field.

    A column whose better one failed is not asked: its numbers may count
    differently, and mixing them would look like a reset. Where all required
    columns came without a row there is nothing to ask of the others.
    """
    if column.oid in found.failures:
        return False
    rows = wanted_rows(table, found.columns)
    required = [other for other in table.columns if other.required]
    if not column.required and not rows:
        return any(
            other.oid not in found.columns and other.oid not in found.failures
            for other in required
        )
    earlier = [
        other
        for other in table.columns[: table.columns.index(column)]
        if other.field == column.field
    ]
    if not earlier or (column.required and not rows):
        return True
    if any(other.oid in found.failures for other in earlier):
        return False
    left = rows
    for other in earlier:
        left = without_value(table, other, found.columns, left)
    return bool(left)


async def _read_column(ask: _Ask, table: Table, column: Column) -> dict[Index, Value]:
    rows = await ask.session.walk(
        column.oid,
        max_repetitions=table.max_repetitions,
        max_rows=table.max_rows,
        deadline_s=_left_s(ask),
    )
    cut = len(oid_key(column.oid))
    return {oid_key(oid)[cut:]: value for oid, value in rows}


async def _ask_column(
    ask: _Ask, table: Table, column: Column, rows: Sequence[Index]
) -> dict[Index, Value]:
    if len(rows) > table.max_rows:
        raise TooManyRowsError(f"{len(rows)} rows to ask for in {table.name}")
    names = {f"{column.oid}.{'.'.join(map(str, row))}": row for row in rows}
    found: dict[Index, Value] = {}
    for oids in packed(names):
        _left_s(ask)
        answer = await ask.session.get(oids)
        found |= {names[oid]: answer[oid] for oid in oids if oid in answer}
    return found


def _left_s(ask: _Ask) -> float:
    left_s = ask.stop_s - ask.clock.monotonic_s()
    if left_s <= 0:
        raise DeadlineError("no time left for this table")
    return left_s
