"""What to ask of a device between two readings of its structure: pure.

Which rows there are and what they are called hardly ever changes, and is read by
walks now and then (`collectors.read`). A plan is made of that reading: the objects
whose values move, ready to be asked by GET, forty-odd a request. Only tables whose
rows come and go with the day (access points, radios) are walked at every poll, and of
those only the columns that move or tell which rows there are.

A plan never guesses: whatever does not look as it did asks for the structure anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from sys import intern

from collectors.base import SYS_UPTIME, Value, index_key, oid_key
from collectors.cells import Reader, reader
from collectors.columns import Columns, wanted_rows
from collectors.decode import Row, TableResult
from collectors.lan import with_lan
from collectors.packing import packed
from collectors.platform_model import Column, Platform, Table
from collectors.read import Index, Reading, TableReading, known_rows
from collectors.results import RESULT_FIELDS, ResultKind
from collectors.values import number
from netmon.model import FailureReason

IF_NUMBER = "1.3.6.1.2.1.2.1.0"
IF_TABLE_LAST_CHANGE = "1.3.6.1.2.1.31.1.5.0"
ENT_LAST_CHANGE = "1.3.6.1.2.1.47.1.4.1.0"
# Objects that tell of a changed structure (RFC 2863, RFC 6933); most devices have some.
MARKS = (IF_NUMBER, IF_TABLE_LAST_CHANGE, ENT_LAST_CHANGE)

# Rows come and go without anybody touching the device.
CHANGING: frozenset[ResultKind] = frozenset(("access_point", "radio", "vap", "network"))
# Says where things are, not how they are.
STILL: frozenset[ResultKind] = frozenset(
    ("neighbour", "local_port", "bridge_port", "entity", "alias")
)
# What `collectors.lan` finds a port for; it needs no second time.
_WITH_PORTS: frozenset[ResultKind] = frozenset(
    ("neighbour", "local_port", "bridge_port")
)
_NO_WORDS: Mapping[str, str] = {}
_STILL_FIELDS = frozenset(
    ("type", "class", "within", "scale", "precision", "is_six_ghz", "measures")
)

# IF-MIB's 32-bit counters (RFC 2863); all others are taken for 64-bit ones.
_IF_ENTRY = "1.3.6.1.2.1.2.2.1."
_COUNTERS = ("in_octets_total", "out_octets_total")


@dataclass(frozen=True, slots=True)
class Layer:
    """The cells of one field that come from one column.

    ``places`` are the rows they belong to, None for all rows in their order.
    """

    column: str
    oids: tuple[str, ...]
    read: Reader
    places: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table whose rows stay: prepared cells, decoded by column.

    ``parts`` and ``words`` are those of its rows, ``fixed`` numbers that do not
    move, a column for each name.
    """

    table: Table
    parts: tuple[Mapping[str, str], ...]
    words: tuple[Mapping[str, str], ...]
    fields: tuple[tuple[str, bool, tuple[Layer, ...]], ...]
    fixed: tuple[tuple[str, tuple[float | None, ...]], ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Loose:
    """Any other table: still columns as they were read, the others to be asked.

    ``cells`` are columns asked by GET, ``walked`` columns that are walked.
    ``known`` are the rows whose words are known.
    """

    table: Table
    still: Mapping[str, Mapping[Index, Value]]
    cells: Mapping[str, tuple[tuple[Index, str], ...]]
    walked: tuple[str, ...]
    failures: Mapping[str, FailureReason]
    known: frozenset[Index]


@dataclass(frozen=True, slots=True)
class Walk:
    """A column to be walked."""

    oid: str
    max_repetitions: int
    max_rows: int


@dataclass(frozen=True, slots=True)
class Counters:
    """Octet counters of ports that come from one column.

    ``oids`` say where those of the ``ports`` are asked, ``bits`` how many they have.
    """

    field: str
    column: str
    bits: int
    ports: tuple[str, ...]
    oids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is asked of a device until its structure is read again.

    ``requests`` are the objects of one GET each, the first with the marks; ``last``
    those of tables that are asked by name, after all others: it may be dear to answer.
    """

    platform: Platform
    words: Mapping[str, str]
    marks: Mapping[str, Value]
    requests: tuple[tuple[str, ...], ...]
    last: tuple[tuple[str, ...], ...]
    walks: tuple[Walk, ...]
    tables: tuple[Grid | Loose, ...]
    counters: tuple[Counters, ...]


class Planner:
    """Makes plans; columns are prepared once for all devices."""

    def __init__(self) -> None:
        self._readers: dict[tuple[str, int], tuple[Column, Reader]] = {}
        # Ports have the same few indexes on all devices: a thousand copies are one.
        self._parts: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}

    def plan(
        self,
        reading: Reading,
        platform: Platform,
        decoded: Sequence[TableResult],
        words: Mapping[str, str],
        marks: Mapping[str, Value],
    ) -> Plan:
        """Return what to ask from now on.

        ``decoded`` are the tables of the reading before anything was joined,
        ``words`` its facts, ``marks`` what the device said of `MARKS`.
        """
        # Neighbours are found their ports once, and go with the ports' names.
        results = {result.name: result for result in with_lan(decoded)}
        tables: list[Grid | Loose] = []
        walks: dict[str, Walk] = {}
        for table in platform.tables:
            found = reading.tables.get(table.name)
            if found is None or table.result in _WITH_PORTS:
                continue
            if _is_grid(table, found):
                tables.append(self._grid(table, found, results[table.name]))
                continue
            rows = known_rows(table, platform, reading)
            loose = (
                _loose(table, found) if rows is None else _asked_for(table, found, rows)
            )
            tables.append(loose)
            for oid in loose.walked:
                walk = Walk(oid, table.max_repetitions, table.max_rows)
                walks.setdefault(oid, walk)
        named = [each for each in tables if each.table.rows_of]
        asked = _asked(each for each in tables if not each.table.rows_of)
        return Plan(
            platform=platform,
            words=words,
            marks=marks,
            requests=tuple(packed([SYS_UPTIME, *marks, *asked])),
            last=tuple(packed(_asked(named))),
            walks=tuple(walks.values()),
            tables=tuple(tables),
            counters=tuple(_counters(tables)),
        )

    def _grid(self, table: Table, found: TableReading, result: TableResult) -> Grid:
        moving: dict[str, list[Column]] = {}
        still: dict[str, None] = {}
        for column in table.columns:
            if RESULT_FIELDS[table.result][column.field] == "text":
                continue
            if is_still(table, column):
                still[column.field] = None
            else:
                columns = moving.setdefault(column.field, [])
                if column.oid in found.columns:
                    columns.append(column)
        indexes = [_index(table, row) for row in result.rows] if moving else []
        return Grid(
            table=table,
            parts=tuple(self._shared(row.parts) for row in result.rows),
            words=tuple(
                {name: intern(text) for name, text in row.words.items()}
                if row.words
                else _NO_WORDS
                for row in result.rows
            ),
            fields=tuple(
                (
                    field,
                    any(column.required for column in columns),
                    tuple(self._layers(table, columns, found.columns, indexes)),
                )
                for field, columns in moving.items()
            ),
            fixed=tuple(
                (field, tuple(row.numbers.get(field) for row in result.rows))
                for field in still
            ),
            complete=result.complete,
        )

    def _shared(self, parts: Mapping[str, str]) -> Mapping[str, str]:
        return self._parts.setdefault(tuple(parts.items()), parts)

    def _layers(
        self,
        table: Table,
        columns: Sequence[Column],
        values: Columns,
        indexes: Sequence[Index],
    ) -> Iterator[Layer]:
        """Yield where each row's value of a field is asked.

        That is the first column with a number, and better ones that are there: they
        may have one later. Worse ones are left alone: another counter than last
        time would look like a reset.
        """
        open_rows = list(range(len(indexes)))
        for column in columns:
            said = values[column.oid]
            there = [row for row in open_rows if indexes[row] in said]
            if not there:
                continue
            oids = tuple(
                intern(f"{column.oid}.{'.'.join(map(str, indexes[row]))}")
                for row in there
            )
            places = None if len(there) == len(indexes) else tuple(there)
            yield Layer(column.oid, oids, self._reader(table, column), places)
            told = {
                row for row in there if number(column, said[indexes[row]]) is not None
            }
            open_rows = [row for row in open_rows if row not in told]

    def _reader(self, table: Table, column: Column) -> Reader:
        # The column is kept with it, so that its id stays its own.
        key = (table.result, id(column))
        if key not in self._readers:
            self._readers[key] = column, reader(column, table.result)
        return self._readers[key][1]


def is_still(table: Table, column: Column) -> bool:
    """Say whether a column belongs to the structure."""
    return (
        table.result in STILL
        or column.field in _STILL_FIELDS
        or RESULT_FIELDS[table.result][column.field] == "text"
    )


def _is_grid(table: Table, found: TableReading) -> bool:
    """Say whether rows stay and each cell stands at its row's own index.

    What is still as a whole has no cells; only its decoded rows are kept, which are
    without the endpoints that a device names beside its neighbours.
    """
    if table.result in STILL:
        return True
    plain_index = not any(
        part.text or part.value or part.is_open for part in table.index
    )
    kept = [c for c in table.columns if table.keep and c.field == table.keep.field]
    return (
        table.result not in CHANGING
        and not table.only_while_up
        and plain_index
        and all(is_still(table, column) for column in kept)
        and not any(
            column.is_elsewhere
            for column in table.columns
            if column.oid in found.columns
        )
    )


def _index(table: Table, row: Row) -> Index:
    return oid_key(".".join(row.parts[part.part] for part in table.index))


def _loose(table: Table, found: TableReading) -> Loose:
    still: dict[str, Mapping[Index, Value]] = {}
    cells: dict[str, tuple[tuple[Index, str], ...]] = {}
    walked: dict[str, None] = {}
    for column in table.columns:
        values = found.columns.get(column.oid)
        moves = not is_still(table, column)
        comes_and_goes = column.required and table.only_while_up
        is_walked = not column.by and (moves or column.required)
        if (table.result in CHANGING and is_walked) or comes_and_goes:
            # What failed is tried again, what nobody needed is left alone.
            if values is not None or column.oid in found.failures:
                walked[column.oid] = None
        elif values is None:
            continue
        elif moves:
            cells[column.oid] = tuple(
                (index, intern(f"{column.oid}.{'.'.join(map(str, index))}"))
                for index in values
            )
        else:
            still[column.oid] = values
    for oid in (*walked, *cells):
        still.pop(oid, None)
    return Loose(
        table=table,
        still=still,
        cells={oid: asked for oid, asked in cells.items() if oid not in walked},
        walked=tuple(walked),
        failures={o: why for o, why in found.failures.items() if o not in walked},
        known=frozenset(wanted_rows(table, found.columns)),
    )


def _asked_for(table: Table, found: TableReading, rows: Sequence[Index]) -> Loose:
    """Return a table whose rows come and go, but are asked for instead of walked.

    What no row has said of itself is not asked, nor an end that no row has: there
    are access points with two radios and with three.
    """
    ends = {index[-1] for values in found.columns.values() for index in values}
    there = [row for row in rows if row[-1] in ends]
    oids = [oid for oid, values in found.columns.items() if values]
    return Loose(
        table=table,
        still={},
        cells={
            oid: tuple(
                (row, intern(f"{oid}.{'.'.join(map(str, row))}")) for row in there
            )
            for oid in oids
        },
        walked=(),
        failures=found.failures,
        known=frozenset(there),
    )


def _asked(tables: Iterable[Grid | Loose]) -> Iterator[str]:
    for table in tables:
        if isinstance(table, Grid):
            for _, _, layers in table.fields:
                for layer in layers:
                    yield from layer.oids
        else:
            for cells in table.cells.values():
                for _, oid in cells:
                    yield oid


def _counters(tables: Iterable[Grid | Loose]) -> Iterator[Counters]:
    for grid in tables:
        if not isinstance(grid, Grid) or grid.table.result != "port":
            continue
        for field, _, layers in grid.fields:
            if field not in _COUNTERS:
                continue
            for layer in layers:
                places = layer.places or range(len(grid.parts))
                yield Counters(
                    field=field,
                    column=layer.column,
                    bits=32 if layer.column.startswith(_IF_ENTRY) else 64,
                    ports=tuple(grid.parts[place]["port"] for place in places),
                    oids=layer.oids,
                )


def counters_read(plan: Plan, reading: Reading) -> dict[str, Value]:
    """Return the counters of a plan as the reading it was made of has them."""
    columns: dict[str, dict[Index, Value]] = {}
    for found in reading.tables.values():
        columns.update(found.columns)
    return {
        oid: columns[counters.column][index_key(oid[len(counters.column) + 1 :])]
        for counters in plan.counters
        for oid in counters.oids
    }
