"""``netmon report annual|freeze``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli.base import add_config_option, open_store
from netmon.errors import InputError, Problem, StorageError
from netmon.texts import Texts

if TYPE_CHECKING:
    from datetime import datetime

    from netmon.cli.base import Commands
    from netmon.model import Inventory
    from netmon.report import AnnualReport, CoveredRooms, FrozenYear
    from netmon.storage.ports import Store
    from netmon.storage.records import InventoryVersion, Snapshot


def add(commands: Commands, texts: Texts) -> None:
    """Add the command group."""
    about = texts("report.cli.about")
    parser = commands.add_parser("report", help=about, description=about)
    actions = parser.add_subparsers(metavar=texts("report.cli.action"), required=True)

    def year(text: str) -> int:
        if text.isascii() and text.isdecimal() and 2000 <= int(text) <= 2100:
            return int(text)
        raise argparse.ArgumentTypeError(texts("report.cli.year_range", value=text))

    about = texts("report.cli.annual")
    annual = actions.add_parser("annual", help=about, description=about)
    annual.add_argument(
        "--year", type=year, required=True, help=texts("report.cli.year")
    )
    annual.add_argument("--out", type=Path, required=True, help=texts("report.cli.out"))
    annual.add_argument("--demo", action="store_true", help=texts("report.cli.demo"))
    add_config_option(annual, texts)
    annual.set_defaults(run=_annual)

    about = texts("report.cli.freeze")
    freeze = actions.add_parser("freeze", help=about, description=about)
    freeze.add_argument(
        "--year", type=year, required=True, help=texts("report.cli.year")
    )
    freeze.add_argument(
        "--totals", type=Path, metavar="CSV", help=texts("report.cli.totals")
    )
    add_config_option(freeze, texts)
    freeze.set_defaults(run=_freeze)


def _annual(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.report import write_annual
    from netmon.report.tables import print_rooms, print_text

    if args.demo:
        report, about = _demo_report(args.year, texts)
    else:
        with open_store(args.config) as (store, _):
            report, about = _stored_report(store, args.year, texts)
    paths = write_annual(report, args.out, texts)
    print(about)
    for table in report.tables:
        print()
        print(print_text(table, texts))
    print()
    print(print_rooms(report.rooms, texts))
    print()
    for path in paths:
        print(texts("report.cli.written", path=path))
    return 0


def _demo_report(year: int, texts: Texts) -> tuple[AnnualReport, str]:
    from netmon.demo import city
    from netmon.report import annual_report, count

    previous = city.load_previous_year()
    if year != previous.year + 1:
        shipped = previous.year + 1
        what = texts("report.cli.demo_year", year=shipped, given=year)
        raise InputError([Problem("--year", None, None, what, f"--year {shipped}")])
    report = annual_report(count(city.load()), year, previous, texts)
    return report, texts("report.cli.source_demo", year=year)


def _stored_report(store: Store, year: int, texts: Texts) -> tuple[AnnualReport, str]:
    """Return the report of a frozen year as frozen, of another as counted now."""
    from msgspec import UNSET

    from netmon.clock import SystemClock, from_ms
    from netmon.inventory import decode
    from netmon.report import NoRooms, annual_report, count

    rooms: CoveredRooms | NoRooms
    previous = _frozen(store, year - 1, texts)
    frozen = _frozen(store, year, texts)
    if frozen is not None:
        counts = frozen.counts(texts)
        rooms = NoRooms.FROZEN_BEFORE if frozen.rooms is UNSET else frozen.rooms
        moment = texts.moment(frozen.frozen_at)
        about = texts("report.cli.source_frozen", year=year, moment=moment)
    else:
        version = _current(store, texts)
        inventory = decode(version.body)
        counts = count(inventory)
        rooms = _rooms(store, inventory, SystemClock().now())
        about = texts(
            "report.cli.source_current",
            year=year,
            id=version.id,
            moment=texts.moment(from_ms(version.imported_ms)),
        )
    return annual_report(counts, year, previous, texts, rooms), about


def _rooms(store: Store, inventory: Inventory, now: datetime) -> CoveredRooms:
    """Return the covered rooms as measured now."""
    from netmon.clock import to_ms
    from netmon.coverage import read_coverage
    from netmon.report import count_rooms

    found = [
        read_coverage(store, inventory, building.id, to_ms(now))
        for building in inventory.buildings
    ]
    return count_rooms(inventory, found)


def _frozen(store: Store, year: int, texts: Texts) -> FrozenYear | None:
    """Return a frozen year, verified; None where it is not frozen."""
    from netmon.report import SnapshotError, decode_year

    snapshot = store.snapshots.load(year)
    if snapshot is None:
        return None
    frozen = decode_year(snapshot.body, texts)
    if (frozen.year, frozen.sha256) != (year, snapshot.sha256):
        raise SnapshotError("changed", texts, year=year)
    return frozen


def _current(store: Store, texts: Texts) -> InventoryVersion:
    version = store.inventories.current()
    if version is None:
        what = texts("inventory.cli.nothing_stored")
        fix = texts("inventory.cli.nothing_stored_fix")
        raise InputError([Problem("inventory", None, None, what, fix)])
    return version


def _freeze(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.clock import SystemClock
    from netmon.inventory import decode
    from netmon.report import encode_year, freeze
    from netmon.report.totals import read_totals
    from netmon.storage.records import Snapshot

    now = SystemClock().now()
    with open_store(args.config) as (store, _):
        if (existing := store.snapshots.load(args.year)) is not None:
            raise StorageError(_already(existing, texts))
        if args.totals is not None:
            frozen = read_totals(args.totals, args.year, now, texts)
        else:
            version = _current(store, texts)
            inventory = decode(version.body)
            frozen = freeze(
                inventory,
                args.year,
                now,
                inventory_sha256=version.sha256,
                rooms=_rooms(store, inventory, now),
            )
        # The store refuses too, so two people at once freeze one year only once.
        store.snapshots.save(
            Snapshot(
                year=frozen.year,
                frozen_ms=frozen.frozen_ms,
                sha256=frozen.sha256,
                body=encode_year(frozen),
            )
        )
    print(
        texts(
            "report.cli.frozen",
            year=frozen.year,
            buildings=texts.number(frozen.buildings),
            sha256=frozen.sha256,
        )
    )
    return 0


def _already(existing: Snapshot, texts: Texts) -> str:
    from netmon.clock import from_ms

    moment = texts.moment(from_ms(existing.frozen_ms))
    return texts("report.cli.already", year=existing.year, moment=moment)
