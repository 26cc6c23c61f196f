"""From what a device said to what it means: pure functions on readings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from collectors.base import Value
from collectors.columns import Columns, Index, pick, wanted_rows
from collectors.platform_model import Column, Fact, IndexPart, Table
from collectors.results import KIND_OF, LIMITS_OF, RESULT_FIELDS, ResultKind
from collectors.values import clean_text, cut_out, number, text_of
from netmon.metrics import KINDS
from netmon.quantities import Metric

_CLIENTS = next(m for m in KINDS["wlan_ap"].metrics if m.name == "clients_count")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing in a table.

    ``parts`` are the named parts of the index in dotted form, ``mac`` among them where
    one is an access point's own address: it is never passed on. A number is None where the device does not say it, a word is empty.
    """

    parts: Mapping[str, str]
    numbers: Mapping[str, float | None]
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something an administrator should know: ``collect.remark.<key>`` in words."""

    key: str
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableResult:
    """A decoded table.

    ``complete`` says that every row the device has is in ``rows``; only then
    may one conclude anything from what is missing. ``remarks`` tell an
    administrator what was left out and why. ``none_is_down`` says that what a
    complete table does not name is down.
    """

    name: str
    result: ResultKind
    rows: tuple[Row, ...] = ()
    complete: bool = False
    remarks: tuple[Remark, ...] = ()
    none_is_down: bool = False


def decode_facts(facts: Iterable[Fact], values: Mapping[str, Value]) -> dict[str, str]:
    """Return the words about a device; what it does not say is missing.

    Of facts of one name the first that is said counts.
    """
    found: dict[str, str] = {}
    for fact in facts:
        if fact.when_oid and values.get(fact.when_oid) not in fact.when:
            continue
        text = cut_out(fact.pattern, clean_text(values.get(fact.oid, b"")))
        if text:
            found.setdefault(fact.name, text)
    return found


def decode_table(
    table: Table, columns: Columns, failed: Iterable[str] = ()
) -> TableResult:
    """Return the rows of a table.

    ``columns`` are values by column and index, ``failed`` the columns that did
    not come. The table is complete if all required fields came with the same
    rows: a walk that an agent broke off shows as a shorter column.
    """
    lost = set(failed)
    required = [column for column in table.columns if column.required]
    sets = _required_rows(table, required, columns)
    everywhere = set.intersection(*sets)
    remarks = _remarks(table, lost, sets)
    sound = {index for index in everywhere if _parts(table, index) is not None}
    if len(sound) < len(everywhere):
        odd_count = len(everywhere) - len(sound)
        remarks.append(Remark("odd_index", {"n": odd_count}))
    rows = []
    wanted = sorted(sound & wanted_rows(table, columns))
    # What a better column failed to tell, the next best one must not tell instead.
    behind_lost = _behind_lost(table, lost)
    picked = [
        {} if column in behind_lost else pick(table, column, columns, wanted)
        for column in table.columns
    ]
    for index in wanted:
        row, odd = _decode_row(table, picked, index)
        rows.append(row)
        remarks.extend(odd)
    complete = not (
        any(column.oid in lost for column in required)
        or any(indexes != everywhere for indexes in sets)
        or (table.never_empty and not sound)
    )
    return TableResult(
        table.name,
        table.result,
        tuple(rows),
        complete,
        tuple(remarks),
        none_is_down=table.only_while_up,
    )


def _behind_lost(table: Table, lost: set[str]) -> list[Column]:
    """Return the columns of which a better one for the same field did not come."""
    behind: list[Column] = []
    fields: set[str] = set()
    for column in table.columns:
        if column.field in fields:
            behind.append(column)
        if column.oid in lost:
            fields.add(column.field)
    return behind


def _required_rows(
    table: Table, required: Iterable[Column], columns: Columns
) -> list[set[Index]]:
    """Return the rows of each required field, or one set where any may add."""
    by_field: dict[str, set[Index]] = {}
    for column in required:
        name = column.field if table.rows == "same" else ""
        by_field.setdefault(name, set()).update(pick(table, column, columns, ()))
    return list(by_field.values())


def _remarks(table: Table, lost: set[str], sets: list[set[Index]]) -> list[Remark]:
    remarks = [
        Remark("lost_column", {"field": column.field, "oid": column.oid})
        for column in table.columns
        if column.oid in lost
    ]
    if any(indexes != sets[0] for indexes in sets) and not lost:
        remarks.append(Remark("uneven"))
    if table.never_empty and not any(sets):
        remarks.append(Remark("empty"))
    return remarks


def _decode_row(
    table: Table, picked: Sequence[Mapping[Index, Value]], index: Index
) -> tuple[Row, list[Remark]]:
    numbers: dict[str, float | None] = {}
    words: dict[str, str] = {}
    odd: list[Remark] = []
    limits = limits_of(table.result)
    for column, values in zip(table.columns, picked, strict=True):
        if RESULT_FIELDS[table.result][column.field] == "text":
            if not words.get(column.field):
                words[column.field] = text_of(column, values.get(index, b""))
            continue
        if numbers.get(column.field) is not None:
            continue
        value = number(column, values[index]) if index in values else None
        metric = limits.get(column.field)
        if value is not None and metric and not metric.low <= value <= metric.high:
            said = {"field": column.field, "value": f"{value:g}"}
            odd.append(Remark("out_of_range", said))
            value = None
        numbers[column.field] = value
    return Row(_parts(table, index) or {}, numbers, words), odd


def _parts(table: Table, index: Index) -> dict[str, str] | None:
    """Return the named parts of an index; None where it is too long or too short."""
    left = len(index) - table.index_length
    is_open = any(part.is_open for part in table.index)
    if left < 1 if is_open else left != 0:
        return None
    parts, start = {}, 0
    for part in table.index:
        length = left if part.is_open else part.length
        parts[part.part] = part.value or _shown(part, index[start : start + length])
        if part.own_mac:
            parts["mac"] = ".".join(map(str, index[start : start + length][-6:]))
        start += length
    return parts


def _shown(part: IndexPart, numbers: Index) -> str:
    dotted = ".".join(map(str, numbers))
    if not part.text:
        return dotted
    # A text of varying length has its length in front.
    letters = numbers[1:] if numbers[0] == len(numbers) - 1 else numbers
    if not letters or any(not 0 <= letter <= 255 for letter in letters):
        return dotted
    return clean_text(bytes(letters)) or dotted


def limits_of(result: ResultKind) -> dict[str, Metric]:
    """Return what range each number of a result must be within, by field."""
    kind = KIND_OF[result] or LIMITS_OF.get(result)
    limits = {m.name: m for m in KINDS[kind].metrics} if kind else {}
    if result == "network":
        limits = dict.fromkeys(RESULT_FIELDS[result], _CLIENTS)
    return limits
