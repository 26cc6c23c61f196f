"""What every further table of the report is made of: frozen as it was counted.

Tables 1 and 2 and the rooms are printed anew from their counts. Further tables are kept
as they are, with the words of their counting rules: whatever is counted otherwise later,
a frozen year says what it said.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from netmon.model import SchoolType
from netmon.report.counting import SUM

Cell = int | float | str | None
FigureKind = Literal["school_type", "sum", "class", "item"]


class CellUnit(StrEnum):
    """What the numbers of a column are; rates are bit/s, dates ISO."""

    COUNT = "count"
    RATIO = "ratio"
    RATE = "bps"
    DATE = "date"
    TEXT = "text"


class FigureColumn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column: ``key`` for machines, ``label`` as it is printed."""

    key: str
    label: str
    unit: CellUnit


class FigureRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row; a cell is None where nothing is known, which is never 0."""

    label: str
    kind: FigureKind
    cells: tuple[Cell, ...]


class FigureTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table with its counting rules and what is missing in its data.

    ``rules_version`` changes with the rules: figures of different versions are not
    compared. ``detail`` marks lists too long for a document on paper.
    """

    name: str
    rules_version: str
    caption: str
    sheet: str
    corner: str
    columns: tuple[FigureColumn, ...]
    rows: tuple[FigureRow, ...]
    rules: tuple[str, ...]
    notes: tuple[str, ...] = ()
    detail: bool = False

    @property
    def total(self) -> FigureRow | None:
        """The row of sums; None in lists."""
        return next((row for row in self.rows if row.kind == "sum"), None)


def ratio(part: float, whole: float) -> float | None:
    """Return the share to four decimals; None where there is nothing to share."""
    return round(part / whole, 4) if whole else None


def by_school_type(cells: Sequence[tuple[str, tuple[Cell, ...]]]) -> list[FigureRow]:
    """Return the rows of the school types in printed order and the sum."""
    known = dict(cells)
    return [
        FigureRow(label=label, kind=kind, cells=known[label])
        for label, kind in (*_TYPE_ROWS, _SUM_ROW)
    ]


_TYPE_ROWS: tuple[tuple[str, FigureKind], ...] = tuple(
    (str(kind), "school_type") for kind in SchoolType
)
_SUM_ROW: tuple[str, FigureKind] = (SUM, "sum")
