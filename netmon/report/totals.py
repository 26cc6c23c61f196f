"""Totals of a year before netmon, from a small CSV that a person writes.

Header ``table,column,value``; the columns are the report's, e.g.
``connection,Glasfaser,66``. Every printed column must be there; others count as nothing.
"""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path

from netmon.errors import InputError, Problem
from netmon.report.counting import GROUPS, TABLE_NAMES, TableName
from netmon.report.snapshot import FrozenYear, SnapshotError, totals_only
from netmon.texts import Texts

_HEADER = ["table", "column", "value"]


def read_totals(
    path: Path, year: int, now: datetime, texts: Texts | None = None
) -> FrozenYear:
    """Return the totals in a file, sealed as a year.

    Raises:
        InputError: with every problem of the file; nothing is taken over.
    """
    texts = texts or Texts()
    source = path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "UTF-8"
        what = texts("report.totals.unreadable", reason=reason)
        fix = texts("report.totals.unreadable_fix")
        raise InputError([Problem(source, None, None, what, fix)]) from error
    totals = _parse(source, text, texts)
    try:
        return totals_only(
            year,
            now,
            buildings=sum(totals["connection"].values()),
            totals=totals,
            origin=texts("report.totals.origin", file=source),
            texts=texts,
        )
    except SnapshotError as error:
        fix = texts("report.totals.sum_fix")
        raise InputError([Problem(source, None, None, str(error), fix)]) from error


def _parse(source: str, text: str, texts: Texts) -> dict[TableName, dict[str, int]]:
    problems: list[Problem] = []
    totals: dict[TableName, dict[str, int]] = {name: {} for name in TABLE_NAMES}

    def refuse(line: int, field: str | None, code: str, **values: object) -> None:
        key = f"report.totals.{code}"
        what, fix = texts(key, **values), texts(f"{key}_fix", **values)
        problems.append(Problem(source, line, field, what, fix))

    reader = csv.reader(io.StringIO(text, newline=""))
    if next(reader, None) != _HEADER:
        refuse(1, None, "header", header=",".join(_HEADER))
        raise InputError(problems)
    columns = {
        name: [str(column) for group in GROUPS[name] for column in group]
        for name in TABLE_NAMES
    }
    for cells in reader:
        if not any(cells):
            continue
        table, column, value = (cell.strip() for cell in (*cells, "", "", "")[:3])
        name = next((one for one in TABLE_NAMES if one == table), None)
        if name is None or column not in columns[name]:
            known = columns[name] if name else list(TABLE_NAMES)
            refuse(
                reader.line_num,
                "column" if name else "table",
                "unknown",
                table=table,
                column=column,
                allowed=", ".join(known),
            )
        elif column in totals[name]:
            refuse(reader.line_num, "column", "twice", column=column)
        elif not (value.isascii() and value.isdecimal()):
            refuse(reader.line_num, "value", "number", value=value)
        else:
            totals[name][column] = int(value)
    if problems:
        raise InputError(problems)
    return totals
