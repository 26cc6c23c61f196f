"""Which value of a column belongs to which row of its table: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collectors.base import Value
from collectors.platform_model import Column, Table
from collectors.values import number

Index = tuple[int, ...]
Columns = Mapping[str, Mapping[Index, Value]]


def pick(
    table: Table, column: Column, columns: Columns, rows: Iterable[Index]
) -> Mapping[Index, Value]:
    """Return a column's values by the index of their row.

    ``rows`` are those for which a value that is not theirs alone may stand.
    """
    values = columns.get(column.oid, {})
    if column.ends:
        values = {i: said for i, said in values.items() if i[-1] in column.ends}
    if column.at:
        return dict.fromkeys(rows, values[column.at]) if column.at in values else {}
    if column.sole:
        sole = next(iter(values.values())) if len(values) == 1 else b""
        return dict.fromkeys(rows, sole) if sole != b"" else {}
    if column.by:
        ends = longer(table, column, columns, rows)
        return {row: values[index] for row, index in ends.items() if index in values}
    if column.suffix:
        cut = len(column.suffix)
        return {
            index[:-cut]: value
            for index, value in values.items()
            if index[-cut:] == column.suffix
        }
    return _folded(column, values, table.index_length) if column.fold else values


def longer(
    table: Table, column: Column, columns: Columns, rows: Iterable[Index]
) -> dict[Index, Index]:
    """Return where each row's value of a column ``by`` another field stands."""
    ends: dict[Index, Index] = {}
    rows = list(rows)
    for other in table.columns:
        if other.field != column.by:
            continue
        for row, value in pick(table, other, columns, rows).items():
            told = number(other, value)
            if row not in ends and told is not None and told.is_integer():
                ends[row] = (*row, int(told))
    return {row: ends[row] for row in rows if row in ends}


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
    if not came:
        return rows
    return {
        row
        for row in rows
        if said.get(row) in keep.values or (keep.or_unsaid and said.get(row) is None)
    }


def asked_rows(table: Table, of: Table, columns: Columns) -> list[Index]:
    """Return the rows to ask for of a table that is not walked; see `Table.rows_of`.

    ``columns`` are those of the table ``of``.
    """
    return [
        (*row, end) for row in sorted(wanted_rows(of, columns)) for end in table.ends
    ]
