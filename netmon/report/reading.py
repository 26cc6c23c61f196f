"""The use cases on the store: a year's report, freezing a year, importing one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from msgspec import UNSET

from netmon.clock import from_ms, to_ms
from netmon.coverage import read_coverage
from netmon.errors import InputError, Problem, StorageError
from netmon.inventory import decode
from netmon.model import Inventory
from netmon.report.completeness import poor_rows
from netmon.report.counting import TableName, count
from netmon.report.facts import CalendarOf, Progress, read_facts
from netmon.report.figures import FigureRow, FigureTable
from netmon.report.further import further_tables
from netmon.report.history import read_history
from netmon.report.period import period_of
from netmon.report.rooms import CoveredRooms, count_rooms
from netmon.report.rooms_export import NoRooms
from netmon.report.snapshot import (
    FrozenYear,
    SnapshotError,
    decode_year,
    encode_year,
    freeze,
)
from netmon.report.tables import (
    AnnualReport,
    Basis,
    NoFigures,
    annual_report,
    counting_rules,
)
from netmon.storage.action_records import Actor, AuditAction
from netmon.storage.ports import Store
from netmon.storage.records import InventoryVersion, Snapshot
from netmon.texts import Texts


def _quiet(_done: int, _all: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What reading a report needs besides the year.

    ``calendar_of`` gives a building's school calendar, ``progress`` is told how many
    buildings of how many are counted.
    """

    store: Store
    calendar_of: CalendarOf
    texts: Texts
    progress: Progress = _quiet

    def report(self, year: int, now: datetime) -> AnnualReport:
        """Return the report of a frozen year as frozen, of another as counted now.

        Raises:
            InputError: nothing is frozen, and there is no inventory to count.
            SnapshotError: the year, or the one before, was changed after freezing.
            CountingError: a total does not match the number of buildings.
            StorageError: the store refused.
        """
        previous = self.frozen(year - 1)
        frozen = self.frozen(year)
        if frozen is not None:
            return frozen_report(frozen, previous, self.texts)
        version = self._current()
        counted = self._count(version, year, now)
        about = self.texts(
            "report.cli.source_current",
            year=year,
            id=version.id,
            moment=self.texts.moment(from_ms(version.imported_ms)),
            now=self.texts.moment(now),
        )
        return annual_report(
            count(counted.inventory),
            year,
            previous,
            self.texts,
            counted.rooms,
            counted.figures,
            Basis(about=about, rules=counting_rules(self.texts)),
        )

    def frozen(self, year: int) -> FrozenYear | None:
        """Return a frozen or imported year, verified; None where it is neither.

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

    def freeze(
        self,
        year: int,
        now: datetime,
        actor: Actor,
        accept: Callable[[Sequence[FigureRow]], None] = lambda _: None,
    ) -> FrozenYear:
        """Freeze a year as counted now; the audit trail says who did.

        ``accept`` is shown where too much is missing in the data, and raises to refuse;
        it is not called where nothing is.

        Raises:
            StorageError: the year is frozen already; the first freezing stands.
            InputError: there is no inventory to count, or the year has not begun.
        """
        self._refuse_frozen(year)
        if not period_of(year, now).days:
            what = self.texts("report.cli.not_begun", year=year)
            fix = self.texts("report.cli.not_begun_fix")
            raise InputError([Problem("--year", None, None, what, fix)])
        version = self._current()
        counted = self._count(version, year, now)
        if poor := poor_rows(counted.figures[-1]):
            accept(poor)
        frozen = freeze(
            counted.inventory,
            year,
            now,
            inventory_sha256=version.sha256,
            rooms=counted.rooms,
            figures=counted.figures,
            rules=counting_rules(self.texts),
        )
        return self._save(frozen, actor, AuditAction.YEAR_FROZEN)

    def take_over(
        self, paths: Sequence[Path], year: int, now: datetime, actor: Actor
    ) -> FrozenYear:
        """Import a year of an older report; see `netmon.report.history`.

        Raises:
            StorageError: the year is frozen already.
            InputError: the files cannot be read.
        """
        self._refuse_frozen(year)
        found = read_history(paths, year, now, self.texts)
        return self._save(found, actor, AuditAction.YEAR_IMPORTED)

    def _save(self, frozen: FrozenYear, actor: Actor, done: AuditAction) -> FrozenYear:
        # The store refuses too, so two people at once freeze one year only once.
        self.store.snapshots.save(
            Snapshot(
                year=frozen.year,
                frozen_ms=frozen.frozen_ms,
                sha256=frozen.sha256,
                body=encode_year(frozen),
            ),
            actor,
            done,
        )
        return frozen

    def _refuse_frozen(self, year: int) -> None:
        existing = self.store.snapshots.load(year)
        if existing is not None:
            moment = self.texts.moment(from_ms(existing.frozen_ms))
            raise StorageError(
                self.texts("report.cli.already", year=year, moment=moment)
            )

    def _current(self) -> InventoryVersion:
        version = self.store.inventories.current()
        if version is None:
            what = self.texts("inventory.cli.nothing_stored")
            fix = self.texts("inventory.cli.nothing_stored_fix")
            raise InputError([Problem("inventory", None, None, what, fix)])
        return version

    def _count(self, version: InventoryVersion, year: int, now: datetime) -> _Counted:
        inventory = decode(version.body)
        period = period_of(year, now)
        facts = read_facts(
            self.store, inventory, period, self.calendar_of, self.progress
        )
        notes: tuple[str, ...] = ()
        if version.imported_ms >= period.end_ms:
            told = self.texts.moment(from_ms(version.imported_ms))
            notes = (self.texts("figures.completeness.late", moment=told, year=year),)
        coverages = [
            read_coverage(self.store, inventory, building.id, to_ms(now))
            for building in inventory.buildings
        ]
        return _Counted(
            inventory,
            count_rooms(inventory, coverages),
            further_tables(inventory, facts, period, self.texts, notes),
        )


@dataclass(frozen=True, slots=True)
class _Counted:
    inventory: Inventory
    rooms: CoveredRooms
    figures: tuple[FigureTable, ...]


def frozen_report(
    frozen: FrozenYear, previous: FrozenYear | None, texts: Texts
) -> AnnualReport:
    """Return the report of a frozen or imported year: what was frozen, and no more."""
    imported = frozen.is_printed
    key = "report.cli.source_imported" if imported else "report.cli.source_frozen"
    about = texts(
        key,
        year=frozen.year,
        moment=texts.moment(frozen.frozen_at),
        origin=frozen.origin,
    )
    return annual_report(
        frozen.counts(),
        frozen.year,
        previous,
        texts,
        NoRooms.FROZEN_BEFORE if frozen.rooms is UNSET else frozen.rooms,
        _figures(frozen),
        Basis(
            about=about,
            frozen_at=frozen.frozen_at,
            sha256=frozen.sha256,
            rules_version=frozen.rules_version,
            rules=() if frozen.rules is UNSET else frozen.rules,
            warnings=_warnings(frozen),
        ),
    )


def _figures(frozen: FrozenYear) -> tuple[FigureTable, ...] | NoFigures:
    if frozen.figures is not UNSET:
        return frozen.figures
    return NoFigures.IMPORTED if frozen.is_printed else NoFigures.FROZEN_BEFORE


def _warnings(frozen: FrozenYear) -> Mapping[TableName, tuple[str, ...]] | None:
    if frozen.warnings is not UNSET:
        return frozen.warnings
    # Totals of a printed report were kept before anything was said of their gaps.
    return {} if frozen.is_printed else None
