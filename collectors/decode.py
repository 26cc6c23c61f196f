"""From what a device said to what it means: pure functions on readings."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from collectors.base import Value
from collectors.platforms import DARK_DBM, Column, Fact, IndexPart, Table
from collectors.results import KIND_OF, RESULT_FIELDS, ResultKind
from netmon.metrics import KINDS, Metric

MAX_TEXT = 128

Index = tuple[int, ...]
Columns = Mapping[str, Mapping[Index, Value]]

# An unsigned 32-bit number from here on was a negative one.
_SIGN = 2**31
_MAC_OCTETS = 6
_PRINTABLE = re.compile(rb"[\x21-\x7e]*$")
# A recording of a printed walk: an octet, then the bits in it ("28 2 4").
_PRINTED_BITS = re.compile(rb"([0-9A-F]{2})(?: \d)+$")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing in a table.

    ``parts`` are the named parts of the index in dotted form. A number is None
    where the device does not say it, a word is empty.
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
    administrator what was left out and why.
    """

    name: str
    result: ResultKind
    rows: tuple[Row, ...] = ()
    complete: bool = False
    remarks: tuple[Remark, ...] = ()


def clean_text(value: Value) -> str:
    """Return text of a device: UTF-8, else Latin-1, without control characters.

    Runs of white space become one blank, and 128 characters are enough.
    """
    if isinstance(value, int):
        return str(value)
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    kept = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or not unicodedata.category(char).startswith("C")
    )
    return " ".join(kept.split())[:MAX_TEXT].strip()


def cut_out(pattern: str, text: str) -> str:
    """Return the one group of a pattern; all the text where there is none."""
    if not pattern:
        return text
    match = re.search(pattern, text)
    return (match.group(1) or "").strip() if match else ""


def decode_facts(facts: Iterable[Fact], values: Mapping[str, Value]) -> dict[str, str]:
    """Return the words about a device; what it does not say is missing."""
    found = {
        fact.name: cut_out(fact.pattern, clean_text(values[fact.oid]))
        for fact in facts
        if fact.oid in values
    }
    return {name: text for name, text in found.items() if text}


def number(column: Column, value: Value) -> float | None:
    """Return a column's value in the field's unit; None where it says nothing."""
    if column.bits:
        return _bit(column, value) if isinstance(value, bytes) else None
    if isinstance(value, bytes) and column.becomes is not None and value:
        return column.becomes
    if isinstance(value, bytes) and column.words:
        word = _word(column, clean_text(value))
        if word in column.words:
            return column.words[word]
    raw = _raw(column, value)
    if (
        raw is None
        or raw in column.missing
        or not _within(raw, column.low, column.high)
    ):
        return None
    return _meaning(column, raw)


def _meaning(column: Column, raw: float) -> float | None:
    if column.becomes is not None:
        return column.becomes
    if column.enumeration:
        code = column.enumeration.get(int(raw))
        return None if code is None else float(code)
    if column.milliwatt:
        return dbm_of_milliwatt(raw * column.scale)
    # 57 x 0.01 is 0.5700000000000001 otherwise.
    told = raw + column.offset
    return told if column.scale == 1 else round(told * column.scale, 9)


def _bit(column: Column, value: bytes) -> float:
    """Return 1 for a BITS value that has a wanted bit and no unwanted one."""
    printed = _PRINTED_BITS.match(value)
    if printed:
        value = bytes.fromhex(printed.group(1).decode())
    # Bit 0 is the first and highest one.
    said = {
        8 * place + bit
        for place, octet in enumerate(value)
        for bit in range(8)
        if octet & (0x80 >> bit)
    }
    wanted = bool(said.intersection(column.bits))
    return float(wanted and said.isdisjoint(column.without_bits))


def _word(column: Column, text: str) -> str:
    """Return what of a text may be a word: what the pattern cuts out, else all of it."""
    match = re.search(column.pattern, text) if column.pattern else None
    cut = (match.group(1) or "").strip().casefold() if match else ""
    return cut if match and cut in column.words else text.casefold()


def _raw(column: Column, value: Value) -> float | None:
    """Return the number in a value before it means anything."""
    if isinstance(value, bytes):
        try:
            raw = float(cut_out(column.pattern, clean_text(value)))
        except ValueError:
            return None
    else:
        raw = float(value)
    if not math.isfinite(raw):
        return None
    return raw - 2 * _SIGN if column.signed and raw >= _SIGN else raw


def text_of(column: Column, value: Value) -> str:
    """Return what a text column says; a hardware address in the usual pairs."""
    if column.octets and isinstance(value, bytes) and len(value) == _MAC_OCTETS:
        # "1/1/17" has six characters too.
        return value.decode() if _PRINTABLE.match(value) else value.hex(":")
    return cut_out(column.pattern, clean_text(value))


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or low <= value) and (high is None or value <= high)


def dbm_of_milliwatt(power_mw: float) -> float | None:
    """Return dBm, `DARK_DBM` for no power; None for what is no power at all."""
    if power_mw < 0:
        return None
    if power_mw == 0:
        return DARK_DBM
    return round(10 * math.log10(power_mw), 2)


def pick(
    table: Table, column: Column, columns: Columns, rows: Iterable[Index]
) -> Mapping[Index, Value]:
    """Return a column's values by the index of their row.

    ``rows`` are those for which a value that is not theirs alone may stand.
    """
    values = columns.get(column.oid, {})
    if column.at:
        return dict.fromkeys(rows, values[column.at]) if column.at in values else {}
    if column.suffix:
        cut = len(column.suffix)
        return {
            index[:-cut]: value
            for index, value in values.items()
            if index[-cut:] == column.suffix
        }
    return _folded(column, values, table.index_length) if column.fold else values


def _folded(
    column: Column, values: Mapping[Index, Value], length: int
) -> dict[Index, Value]:
    """Return one value for all whose index begins alike; none where that says nothing.

    One part that is not known leaves a sum unknown, but not the least of the others.
    """
    parts: dict[Index, list[Value]] = {}
    for index, value in values.items():
        parts.setdefault(index[:length], []).append(value)
    if column.fold in {"any", "single"}:
        return {
            index: found[0]
            for index, found in parts.items()
            if column.fold == "any" or len(found) == 1
        }
    folded: dict[Index, Value] = {}
    for index, found in parts.items():
        known = [
            each
            for each in found
            if isinstance(each, int) and number(column, each) is not None
        ]
        if column.fold == "sum" and len(known) == len(found):
            folded[index] = sum(known)
        elif column.fold == "least" and known:
            folded[index] = min(known)
    return folded


def without_value(
    table: Table, column: Column, columns: Columns, rows: Iterable[Index]
) -> set[Index]:
    """Return those rows for which the column has no usable value."""
    rows = list(rows)
    values = pick(table, column, columns, rows)
    return {
        index
        for index in rows
        if index not in values
        or (isinstance(values[index], int) and number(column, values[index]) is None)
        or values[index] == b""
    }


def wanted_rows(table: Table, columns: Columns) -> set[Index]:
    """Return the rows of the required columns read so far that `keep` keeps."""
    indexes = [
        set(pick(table, column, columns, ()))
        for column in table.columns
        if column.required and column.oid in columns
    ]
    rows = set().union(*indexes) if indexes else set()
    keep = table.keep
    if keep is None:
        return rows
    said: dict[Index, Value | float | None] = {}
    came = False
    for column in reversed(table.columns):
        if column.field == keep.field and column.oid in columns:
            picked = pick(table, column, columns, rows)
            said.update(
                {index: number(column, value) for index, value in picked.items()}
                if column.bits
                else picked
            )
            came = True
    return {i for i in rows if said.get(i) in keep.values} if came else rows


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
    return TableResult(table.name, table.result, tuple(rows), complete, tuple(remarks))


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
    limits = _limits(table.result)
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


def _limits(result: ResultKind) -> dict[str, Metric]:
    kind = KIND_OF[result]
    return {} if kind is None else {m.name: m for m in KINDS[kind].metrics}
