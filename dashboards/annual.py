"""The annual report on the site: which years there are, a preview, files, freezing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from msgspec import UNSET

from netmon.clock import to_ms
from netmon.coverage import read_coverage
from netmon.errors import StorageError
from netmon.inventory import decode
from netmon.model import Inventory
from netmon.report import (
    AnnualReport,
    CoveredRooms,
    FrozenYear,
    NoRooms,
    SnapshotError,
    annual_report,
    count,
    count_rooms,
    decode_year,
    encode_year,
    freeze,
)
from netmon.report.counting import SUM
from netmon.report.export import long_csv, report_json, table_csv, workbook_bytes
from netmon.report.tables import TABLE_NAMES, change_text
from netmon.storage.ports import Store
from netmon.storage.records import InventoryVersion, Snapshot
from netmon.texts import Texts


@dataclass(frozen=True, slots=True)
class Format:
    """A file of a report: how its name ends, what it is, and who makes it."""

    ending: str
    media_type: str
    make: Callable[[AnnualReport, Texts], bytes]


_CSV = "text/csv; charset=utf-8"
# Every file that can be downloaded: one line each; `reports.format.<name>` names it.
FORMATS: Mapping[str, Format] = {
    "xlsx": Format(
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        workbook_bytes,
    ),
    "connection": Format(
        "internetanschluss.csv", _CSV, lambda report, _: _table_csv(report, 0)
    ),
    "coverage": Format("lan-wlan.csv", _CSV, lambda report, _: _table_csv(report, 1)),
    "tables": Format("tabellen.csv", _CSV, lambda report, _: long_csv(report).encode()),
    "json": Format("json", "application/json", lambda report, _: report_json(report)),
}


def _table_csv(report: AnnualReport, number: int) -> bytes:
    return table_csv(report.tables[number]).encode()


@dataclass(frozen=True, slots=True)
class YearRow:
    """A year of the list; ``frozen`` is None for one that can still change.

    ``damaged`` says in words that a frozen year is not what was frozen.
    """

    year: int
    frozen: FrozenYear | None
    damaged: str = ""

    @property
    def is_imported(self) -> bool:
        """Whether it is of a report before netmon, of which only sums are known."""
        return self.frozen is not None and not self.frozen.has_school_types

    @property
    def has_files(self) -> bool:
        """Whether its report can be downloaded."""
        return not self.damaged and not self.is_imported


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table of the report in words, for a page."""

    name: str
    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[str, ...]], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Annual:
    """The use cases of the report on a store."""

    store: Store
    texts: Texts

    def years(self, this_year: int) -> list[YearRow]:
        """Return the years that are frozen, and this one and the last, newest first."""
        known = set(self.store.snapshots.years())
        rows = []
        for year in sorted({*known, this_year, this_year - 1}, reverse=True):
            if year not in known and year < this_year and this_year in known:
                # Whoever froze this year is done with the last.
                continue
            rows.append(self.row(year))
        return rows

    def row(self, year: int) -> YearRow:
        """Return a year as the list shows it."""
        try:
            return YearRow(year, self.frozen(year))
        except SnapshotError as error:
            return YearRow(year, None, damaged=str(error))

    def frozen(self, year: int) -> FrozenYear | None:
        """Return a frozen year, verified; None where it is not frozen.

        Raises:
            SnapshotError: it was changed after freezing.
        """
        snapshot = self.store.snapshots.load(year)
        if snapshot is None:
            return None
        found = decode_year(snapshot.body, self.texts)
        if (found.year, found.sha256) != (year, snapshot.sha256):
            raise SnapshotError("changed", self.texts, year=year)
        return found

    def preview(self, year: int) -> tuple[ShownTable, ...] | None:
        """Return the two tables of a year; None where there is nothing to count.

        Raises:
            SnapshotError: the year, or the one before, was changed after freezing.
            CountingError: a total does not match the number of buildings.
        """
        frozen = self.frozen(year)
        if frozen is not None and not frozen.has_school_types:
            return tuple(_sums(frozen, self.texts))
        if frozen is None and self.store.inventories.current_id() is None:
            return None
        counts = count(self._inventory()) if frozen is None else frozen.counts()
        report = annual_report(counts, year, self.frozen(year - 1), self.texts)
        return tuple(_shown(report, self.texts))

    def report(self, year: int, now: datetime) -> AnnualReport | None:
        """Return the whole report: as frozen, or as counted now; None as `preview`.

        Raises:
            SnapshotError: as `preview`; or the year has only sums.
            CountingError: a total does not match the number of buildings.
        """
        previous, frozen = self.frozen(year - 1), self.frozen(year)
        rooms: CoveredRooms | NoRooms
        if frozen is not None:
            rooms = NoRooms.FROZEN_BEFORE if frozen.rooms is UNSET else frozen.rooms
            return annual_report(
                frozen.counts(self.texts), year, previous, self.texts, rooms
            )
        if self.store.inventories.current_id() is None:
            return None
        inventory = self._inventory()
        rooms = self._rooms(inventory, now)
        return annual_report(count(inventory), year, previous, self.texts, rooms)

    def freeze(self, year: int, now: datetime) -> FrozenYear:
        """Freeze a year as counted now.

        Raises:
            StorageError: it is frozen already, or there is nothing to count.
            CountingError: a total does not match the number of buildings.
        """
        version = self._version()
        inventory = decode(version.body)
        frozen = freeze(
            inventory,
            year,
            now,
            inventory_sha256=version.sha256,
            rooms=self._rooms(inventory, now),
        )
        self.store.snapshots.save(
            Snapshot(
                year=year,
                frozen_ms=frozen.frozen_ms,
                sha256=frozen.sha256,
                body=encode_year(frozen),
            )
        )
        return frozen

    def _version(self) -> InventoryVersion:
        version = self.store.inventories.current()
        if version is None:
            raise StorageError(self.texts("inventory.cli.nothing_stored"))
        return version

    def _inventory(self) -> Inventory:
        return decode(self._version().body)

    def _rooms(self, inventory: Inventory, now: datetime) -> CoveredRooms:
        found = [
            read_coverage(self.store, inventory, building.id, to_ms(now))
            for building in inventory.buildings
        ]
        return count_rooms(inventory, found)


def _shown(report: AnnualReport, texts: Texts) -> list[ShownTable]:
    return [
        ShownTable(
            table.name,
            table.caption,
            table.corner,
            table.columns,
            tuple(
                (
                    row.kind,
                    row.label,
                    tuple(
                        change_text(cell, texts)
                        if row.kind == "change"
                        else texts.number(cell)
                        for cell in row.cells
                    ),
                )
                for row in table.rows
            ),
            table.notes,
        )
        for table in report.tables
    ]


def _sums(frozen: FrozenYear, texts: Texts) -> list[ShownTable]:
    """Return the sums of a year of which nothing else is known."""
    buildings = texts.number(frozen.buildings)
    found = []
    for name in TABLE_NAMES:
        cells = frozen.table(name)[SUM]
        values = tuple(texts.number(value) for value in cells.values())
        found.append(
            ShownTable(
                name,
                texts(f"report.{name}.caption", buildings=buildings),
                SUM,
                tuple(map(str, cells)),
                (("sum", SUM, values),),
                (texts("reports.only_sums", origin=frozen.origin),),
            )
        )
    return found
