"""The annual report: count, compare with the year before, freeze, export.

``counting`` counts buildings, ``snapshot`` freezes the counts of a year,
``tables`` sets them as the report prints them, ``export`` writes files. ``rooms``
counts what was measured beside what is declared, ``rooms_export`` writes that.
"""

from netmon.report.counting import CountingError, Counts, count
from netmon.report.export import write_annual
from netmon.report.rooms import CoveredRooms, count_rooms
from netmon.report.rooms_export import NoRooms
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
    "CoveredRooms",
    "FrozenYear",
    "NoRooms",
    "Row",
    "SnapshotError",
    "Table",
    "annual_report",
    "count",
    "count_rooms",
    "decode_year",
    "encode_year",
    "freeze",
    "totals_only",
    "write_annual",
]
