"""The annual report: count, compare with the year before, freeze, export.

``counting`` counts buildings, ``snapshot`` freezes the counts of a year,
``tables`` sets them as the report prints them, ``export`` writes files.
"""

from netmon.report.counting import CountingError, Counts, count
from netmon.report.export import write_annual
from netmon.report.snapshot import (
    FrozenYear,
    SnapshotError,
    decode_year,
    encode_year,
    freeze,
    totals_only,
)
from netmon.report.tables import AnnualReport, Row, Table, annual_report

__all__ = [
    "AnnualReport",
    "CountingError",
    "Counts",
    "FrozenYear",
    "Row",
    "SnapshotError",
    "Table",
    "annual_report",
    "count",
    "decode_year",
    "encode_year",
    "freeze",
    "totals_only",
    "write_annual",
]
