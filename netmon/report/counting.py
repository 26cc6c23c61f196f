"""Counting buildings for the annual report: pure, and checked against itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from netmon.errors import NetmonError
from netmon.model import (
    REPORT_CLASSES,
    Building,
    ConnectionClass,
    Coverage,
    Inventory,
    SchoolType,
    connection_class,
)

# Named in every frozen year: numbers counted by other rules are not comparable.
# 1: each building once, under its reporting school type; class of its main line by
# Glasfaser > Richtfunk > contracted download; coverage as declared.
RULES_VERSION = "1"
# Of years before netmon only the report's word is known.
PRINTED_RULES = "printed"

TableName = Literal["connection", "coverage"]
TABLE_NAMES: tuple[TableName, ...] = ("connection", "coverage")

# The report's words; they are data (machine formats carry them), not messages.
SUM = "Summe"
CHANGE = "Veränderungen zum Vorjahr"
LAN_COLUMNS = {
    Coverage.FULL: "LAN flächendeckend",
    Coverage.PARTIAL: "LAN partiell",
    Coverage.UNKNOWN: "LAN keine Angabe",
}
WLAN_COLUMNS = {
    Coverage.FULL: "WLAN flächendeckend",
    Coverage.PARTIAL: "WLAN partiell",
    Coverage.UNKNOWN: "WLAN keine Angabe",
}
# Columns that belong together: each group counts every building exactly once.
GROUPS: Mapping[TableName, tuple[tuple[str, ...], ...]] = {
    "connection": (tuple(ConnectionClass),),
    "coverage": (tuple(LAN_COLUMNS.values()), tuple(WLAN_COLUMNS.values())),
}

PRINTED_COLUMNS: Mapping[TableName, tuple[str, ...]] = {
    "connection": tuple(REPORT_CLASSES),
    "coverage": tuple(
        columns[coverage]
        for columns in (LAN_COLUMNS, WLAN_COLUMNS)
        for coverage in (Coverage.FULL, Coverage.PARTIAL)
    ),
}

# Buildings by column, by row (a school type, or the sum).
Cells = Mapping[str, Mapping[str, int]]


class CountingError(NetmonError):
    """A total does not match the number of buildings: nothing is exported."""


class Counts(Struct, frozen=True, kw_only=True):
    """What was counted: rows for each school type and the sum, all columns."""

    buildings: int
    connection: Cells
    coverage: Cells

    def table(self, name: TableName) -> Cells:
        """Return one table's cells."""
        return self.connection if name == "connection" else self.coverage


def _columns_of(inventory: Inventory, building: Building) -> dict[TableName, list[str]]:
    line = inventory.main_line(building.id)
    return {
        "connection": [connection_class(line).value],
        "coverage": [LAN_COLUMNS[building.lan], WLAN_COLUMNS[building.wlan]],
    }


def count(inventory: Inventory) -> Counts:
    """Return the buildings by school type and column, sums included.

    Raises:
        CountingError: a total differs from the number of buildings.
    """
    tables: dict[TableName, dict[str, dict[str, int]]] = {
        name: {
            row: {column: 0 for group in GROUPS[name] for column in group}
            for row in (*SchoolType, SUM)
        }
        for name in TABLE_NAMES
    }
    of_type: dict[str, int] = dict.fromkeys(SchoolType, 0)
    for building in inventory.buildings:
        of_type[building.school_type] += 1
        for name, columns in _columns_of(inventory, building).items():
            for column in columns:
                tables[name][building.school_type][column] += 1
                tables[name][SUM][column] += 1
    counts = Counts(
        buildings=len(inventory.buildings),
        connection=tables["connection"],
        coverage=tables["coverage"],
    )
    check_totals(counts, {**of_type, SUM: len(inventory.buildings)})
    return counts


def check_totals(counts: Counts, expected: Mapping[str, int]) -> None:
    """Hold each group of columns of each row to the expected number of buildings.

    Args:
        counts: what was counted.
        expected: buildings by row; every row must be there.

    Raises:
        CountingError: a row is missing or a group's sum differs.
    """
    for name in TABLE_NAMES:
        cells = counts.table(name)
        if set(cells) != set(expected):
            raise CountingError(f"table {name}: rows {sorted(cells)} were counted")
        for row, number in expected.items():
            for group in GROUPS[name]:
                found = sum(cells[row].get(column, 0) for column in group)
                if found != number:
                    raise CountingError(
                        f"table {name}, {row}: {group[0]} to {group[-1]} add up to "
                        f"{found}, but there are {number} buildings"
                    )
