"""An inventory folder on disk: all of it is good, or none of it is taken."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from netmon.errors import InputError
from netmon.inventory.checks import ReadRow, check_all
from netmon.inventory.columns import KIND_BY_NAME, KINDS, Kind
from netmon.inventory.fields import RefusedError, suggestion
from netmon.inventory.problems import Problems
from netmon.inventory.rows import RawRow, RawTable, read_csv, read_text, read_yaml
from netmon.model import Inventory
from netmon.texts import Texts

_READERS = {".csv": read_csv, ".yaml": read_yaml, ".yml": read_yaml}


def load_folder(path: Path, texts: Texts | None = None) -> Inventory:
    """Return the inventory of a folder of CSV or YAML files.

    Args:
        path: folder with ``buildings`` and ``lines``; other files are optional.
        texts: language of the problems; None for German.

    Raises:
        InputError: with every problem found, each with file, line and fix.
    """
    problems = Problems(texts or Texts())
    files = _find_files(path, problems)
    tables: dict[str, list[ReadRow]] = {}
    for kind in KINDS:
        found = files.get(kind.name)
        if found is None:
            # No file means no rows, unless the folder must have it.
            if not kind.required:
                tables[kind.name] = []
            continue
        rows = _read_file(kind, found, problems)
        if rows is not None:
            tables[kind.name] = rows
    check_all(tables, problems)
    if found_problems := problems.sorted():
        raise InputError(found_problems)
    return Inventory(
        **{
            kind.name: tuple(_record(kind, row) for row in tables[kind.name])
            for kind in KINDS
        }
    )


def _record(kind: Kind, row: ReadRow) -> Any:
    return kind.record(**row.values)


def _find_files(path: Path, problems: Problems) -> dict[str, Path]:
    """Return the folder's files by kind; doubt about a file is a problem."""
    if not path.is_dir():
        problems.add(str(path), None, None, "no_folder")
        raise InputError(problems.sorted())
    files: dict[str, Path] = {}
    for entry in sorted(path.iterdir()):
        if entry.suffix.lower() not in _READERS or not entry.is_file():
            continue
        if entry.stem not in KIND_BY_NAME:
            nearest = suggestion(entry.stem, list(KIND_BY_NAME))
            code = "unknown_file_near" if nearest else "unknown_file"
            names = ", ".join(KIND_BY_NAME)
            problems.add(entry.name, None, None, code, names=names, nearest=nearest)
        elif entry.stem in files:
            other = files[entry.stem].name
            problems.add(entry.name, None, None, "file_twice", other=other)
        else:
            files[entry.stem] = entry
    for kind in KINDS:
        if kind.required and kind.name not in files:
            problems.add(f"{kind.name}.csv", None, None, "missing_file")
    return files


def _read_file(kind: Kind, path: Path, problems: Problems) -> list[ReadRow] | None:
    text = read_text(path, problems)
    if text is None:
        return None
    table = _READERS[path.suffix.lower()](path.name, text, problems)
    if table is None:
        return None
    if table.columns is not None:
        _check_columns(
            kind,
            table.source,
            table.columns,
            RawRow(table.header_line, {}, {}),
            problems,
        )
    if kind.required and not table.rows:
        problems.add(path.name, None, None, f"no_{kind.name}")
    return [_read_row(kind, table, row, problems) for row in table.rows]


def _check_columns(
    kind: Kind,
    source: str,
    names: Iterable[str],
    row: RawRow,
    problems: Problems,
) -> None:
    """Report unknown and missing columns of a header, or of a YAML entry."""
    known = list(kind.column_by_name)
    for name in names:
        if name not in kind.column_by_name:
            nearest = suggestion(name, known)
            code = "unknown_column_near" if nearest else "unknown_column"
            allowed = ", ".join(known)
            problems.add(
                source,
                row.line_of(name),
                name or None,
                code,
                column=name,
                allowed=allowed,
                nearest=nearest,
            )
    for column in kind.columns:
        if column.required and column.name not in names:
            problems.add(
                source, row.line, column.name, "missing_column", column=column.name
            )


def _read_row(kind: Kind, table: RawTable, row: RawRow, problems: Problems) -> ReadRow:
    if table.columns is None:
        _check_columns(kind, table.source, row.cells, row, problems)
    values: dict[str, object] = {}
    for column in kind.columns:
        text = row.cells.get(column.name)
        if text is None:  # its absence is told once, by _check_columns
            if not column.required:
                values[column.field] = column.default
            continue
        if not text:
            if column.required:
                line = row.line_of(column.name)
                allowed = column.cell.allowed
                code = "empty_word" if allowed else "empty"
                problems.add(table.source, line, column.name, code, allowed=allowed)
            else:
                values[column.field] = column.default
            continue
        try:
            values[column.field] = column.cell.parse(text)
        except RefusedError as error:
            line = row.line_of(column.name)
            problems.add(table.source, line, column.name, error.code, **error.values)
    return ReadRow(table.source, row, values)


def table_csv(kind: Kind, records: Sequence[msgspec.Struct]) -> str:
    """Return records as the CSV file of their kind."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in kind.columns])
    for record in records:
        cells = []
        for column in kind.columns:
            value = getattr(record, column.field)
            cells.append("" if value is None else column.cell.write(value))
        writer.writerow(cells)
    return out.getvalue()


def write_folder(inventory: Inventory, path: Path) -> None:
    """Write the inventory as CSV files that `load_folder` reads back equal.

    Files of kinds without records are written with their header only, so that
    a person sees which columns there are.

    Raises:
        OSError: the folder cannot be written.
    """
    path.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        text = table_csv(kind, getattr(inventory, kind.name))
        (path / f"{kind.name}.csv").write_text(text, encoding="utf-8", newline="\n")
