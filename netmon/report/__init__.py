"""The annual report: count, compare with the year before, freeze, export.

``reading`` holds the use cases on the store. ``counting`` counts buildings,
``snapshot`` freezes a year, ``history`` takes over years before netmon, ``tables`` sets
them as the report prints them. ``export`` writes files; it is not imported here, for it
loads what writes DOCX and PDF. ``rooms`` counts what was measured beside what is
declared. ``further`` lists the further tables, which are made of ``facts`` and kept as
they were counted.
"""

from netmon.report.counting import CountingError, Counts, count
from netmon.report.reading import Reader
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
from netmon.report.tables import (
    AnnualReport,
    Basis,
    NoFigures,
    Row,
    Table,
    annual_report,
)

__all__ = [
    "AnnualReport",
    "Basis",
    "CountingError",
    "Counts",
    "CoveredRooms",
    "FrozenYear",
    "NoFigures",
    "NoRooms",
    "Reader",
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
]
