"""Reading a file of the inventory folder as rows of texts with their lines.

CSV and YAML give the same rows; nothing here knows what a column means.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import yaml

from netmon.inventory.problems import Problems

_NOTHING = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row: texts by column; ``lines`` only where cells have own lines."""

    line: int
    cells: dict[str, str]
    lines: dict[str, int]

    def line_of(self, column: str) -> int:
        """Return the 1-based line of a cell, or of the row."""
        return self.lines.get(column, self.line)


@dataclass(frozen=True, slots=True)
class RawTable:
    """One file. ``columns`` is the header of a CSV, None for YAML."""

    source: str
    columns: tuple[str, ...] | None
    rows: tuple[RawRow, ...]
    header_line: int = 1


def read_text(path: Path, problems: Problems) -> str | None:
    """Return a file's text without byte order mark; None if it was refused."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        problems.add(path.name, None, None, "unreadable", reason=error.strerror)
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.add(path.name, line, None, "not_utf8")
        return None


def read_csv(source: str, text: str, problems: Problems) -> RawTable | None:
    """Return a CSV file's rows; None if the file as a whole was refused.

    Rows with too many or too few cells are problems and left out.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    rows: list[RawRow] = []
    line = header_line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header, header_line = [cell.strip() for cell in cells], start
                if not _header_is_good(source, start, header, problems):
                    return None
            elif len(cells) != len(header):
                problems.add(
                    source,
                    start,
                    None,
                    "cell_count",
                    found=len(cells),
                    expected=len(header),
                )
            else:
                values = (cell.strip() for cell in cells)
                rows.append(RawRow(start, dict(zip(header, values, strict=True)), {}))
    except csv.Error as error:
        problems.add(source, line, None, "csv_syntax", reason=error)
        return None
    if header is None:
        problems.add(source, 1, None, "empty_file")
        return None
    return RawTable(source, tuple(header), tuple(rows), header_line)


def _header_is_good(
    source: str, line: int, header: list[str], problems: Problems
) -> bool:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        problems.add(source, line, None, "delimiter")
        return False
    twice = sorted({name for name in header if header.count(name) > 1})
    for name in twice:
        problems.add(source, line, name, "column_twice", column=name)
    return not twice


def read_yaml(source: str, text: str, problems: Problems) -> RawTable | None:
    """Return the rows of a YAML list of mappings; None if it was refused.

    Scalars keep the text as written (a postcode stays a text); a list of
    scalars is read like the same words in one CSV cell.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problems.add(source, line, None, "yaml_syntax", reason=error.problem)
        return None
    except yaml.YAMLError as error:
        problems.add(source, None, None, "yaml_syntax", reason=str(error))
        return None
    if root is None:
        return RawTable(source, None, ())
    if not isinstance(root, yaml.SequenceNode):
        problems.add(source, root.start_mark.line + 1, None, "yaml_no_list")
        return None
    rows = [_yaml_row(source, node, problems) for node in root.value]
    return RawTable(source, None, tuple(row for row in rows if row is not None))


def _yaml_row(source: str, node: yaml.Node, problems: Problems) -> RawRow | None:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        problems.add(source, line, None, "yaml_no_mapping")
        return None
    cells: dict[str, str] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        name = str(key.value)
        at = key.start_mark.line + 1
        if name in cells:
            problems.add(source, at, name, "column_twice", column=name)
            return None
        text = _yaml_text(value)
        if text is None:
            problems.add(source, at, name, "yaml_nested")
            return None
        cells[name] = text
        lines[name] = at
    return RawRow(line, cells, lines)


def _yaml_text(node: yaml.Node) -> str | None:
    if isinstance(node, yaml.ScalarNode):
        return "" if node.tag == _NOTHING else str(node.value).strip()
    if isinstance(node, yaml.SequenceNode):
        parts = [_yaml_text(one) for one in node.value]
        if all(isinstance(one, yaml.ScalarNode) for one in node.value):
            return " ".join(part for part in parts if part)
    return None
