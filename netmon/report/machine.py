"""The report for machines: CSV with comma and point, and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from netmon.report.figures import FigureTable
from netmon.report.rooms_export import rooms_document
from netmon.report.tables import AnnualReport, Table


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV with comma and line feed; None is an empty cell."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def table_csv(table: Table) -> str:
    """Return a table as printed: header, school types, sum, change."""
    head = (table.corner, *table.columns)
    return csv_text([head, *((row.label, *row.cells) for row in table.rows)])


def long_csv(report: AnnualReport) -> str:
    """Return all cells in long form; an empty value is an empty cell."""
    head = ("table", "school_type", "column", "value")
    rows = [
        (table.name, row.label, column, cell)
        for table in report.tables
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
    ]
    return csv_text([head, *rows])


def report_json(report: AnnualReport) -> bytes:
    """Return the report as JSON; cells without a value are null."""
    previous, basis = report.compared_with, report.basis
    frozen_at = basis.frozen_at
    document = {
        "year": report.year,
        "buildings": report.buildings,
        "rules_version": basis.rules_version,
        "rules": basis.rules,
        "frozen_at": None if frozen_at is None else frozen_at.isoformat(),
        "sha256": basis.sha256,
        "compared_with": previous
        and {
            "year": previous.year,
            "buildings": previous.buildings,
            "rules_version": previous.rules_version,
            "sha256": previous.sha256,
        },
        "tables": [
            {
                "table": table.name,
                "caption": table.caption,
                "columns": table.columns,
                "rows": [
                    {
                        "school_type": row.label,
                        "kind": row.kind,
                        "values": dict(zip(table.columns, row.cells, strict=True)),
                    }
                    for row in table.rows
                ],
                "notes": table.notes,
            }
            for table in report.tables
        ],
        "rooms": rooms_document(report.rooms),
        "rooms_missing": None if report.rooms.counted else report.rooms.notes[0],
        "figures": [_figure_document(figure) for figure in report.figures],
        "figures_missing": report.figures_note or None,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _figure_document(table: FigureTable) -> dict[str, Any]:
    keys = [column.key for column in table.columns]
    return {
        "figure": table.name,
        "rules_version": table.rules_version,
        "caption": table.caption,
        "columns": table.columns,
        "rows": [
            {
                "label": row.label,
                "kind": row.kind,
                "values": dict(zip(keys, row.cells, strict=True)),
            }
            for row in table.rows
        ],
        "rules": table.rules,
        "notes": table.notes,
    }


def figure_csv(table: FigureTable) -> str:
    """Return a further table: rates in bit/s, shares as ratios, dates ISO."""
    head = ("label", *(column.key for column in table.columns))
    return csv_text([head, *((row.label, *row.cells) for row in table.rows)])
