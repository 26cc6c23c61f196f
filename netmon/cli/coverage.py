"""``netmon coverage``: what is measured of LAN and WLAN, beside what is declared."""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netmon.cli.base import add_config_option, open_store
from netmon.cli.inventory import no_building, nothing_stored, print_json
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands
    from netmon.coverage import BuildingCoverage, Measured
    from netmon.model import Inventory
    from netmon.storage.ports import Store


def add(commands: Commands, texts: Texts) -> None:
    """Add the command."""
    about = texts("coverage_figure.cli.about")
    parser = commands.add_parser("coverage", help=about, description=about)
    parser.add_argument(
        "building", nargs="?", help=texts("coverage_figure.cli.building")
    )
    parser.add_argument(
        "--json", action="store_true", help=texts("coverage_figure.cli.json")
    )
    file = texts("cli.value.file")
    parser.add_argument(
        "--out", type=Path, metavar=file, help=texts("coverage_figure.cli.out")
    )
    add_config_option(parser, texts)
    parser.set_defaults(run=_run, usage_error=parser.error)


def _run(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.clock import SystemClock, to_ms
    from netmon.storage.current import CurrentInventory

    if args.building is not None and args.out is not None:
        args.usage_error(texts("coverage_figure.cli.conflict"))
    now_ms = to_ms(SystemClock().now())
    with open_store(args.config) as (store, settings):
        inventory = CurrentInventory(store.inventories)()
        if not inventory.buildings:
            raise nothing_stored(settings.state_path, texts)
        if args.building is not None:
            if args.building not in inventory.building_by_id:
                raise no_building(inventory, args.building, texts)
            return _show(store, inventory, args, now_ms, texts)
        return _list(store, inventory, args, now_ms, texts)


def _show(
    store: Store,
    inventory: Inventory,
    args: argparse.Namespace,
    now_ms: int,
    texts: Texts,
) -> int:
    from netmon.coverage import read_coverage
    from netmon.coverage_words import coverage_text
    from netmon.wlan_truth import read_wlan_truth

    building_id = args.building
    truth = read_wlan_truth(store, inventory, building_id, now_ms)
    found = read_coverage(store, inventory, building_id, now_ms, truth=truth)
    if args.json:
        print_json(plain(found))
    else:
        print(coverage_text(found, truth, inventory, texts))
    return 0


def _list(
    store: Store,
    inventory: Inventory,
    args: argparse.Namespace,
    now_ms: int,
    texts: Texts,
) -> int:
    from netmon.coverage import read_coverage
    from netmon.coverage_words import verdict_text

    found = [
        read_coverage(store, inventory, building.id, now_ms)
        for building in inventory.buildings
    ]
    if args.out is not None:
        text = coverages_csv(found, inventory)
        args.out.write_text(text, encoding="utf-8", newline="\n")
        told = texts("coverage_figure.cli.written", n=len(found), path=args.out)
        print(told)
    elif args.json:
        print_json([plain(one) for one in found])
    else:
        for one in found:
            lan, wlan = verdict_text(one.lan, texts), verdict_text(one.wlan, texts)
            print(f"{one.building_id}: LAN {lan}; WLAN {wlan}")
        print(
            texts(
                "coverage_figure.cli.summary",
                n=len(found),
                lan=sum(one.lan.contradicts for one in found),
                wlan=sum(one.wlan.contradicts for one in found),
            )
        )
    return 0


def plain(found: BuildingCoverage) -> dict[str, Any]:
    """Return a coverage for JSON, with what follows from its figures."""
    import msgspec

    told: dict[str, Any] = msgspec.to_builtins(found)
    for what, figure in (("lan", found.lan), ("wlan", found.wlan)):
        told[what] |= {
            "low_share": figure.low_share,
            "high_share": figure.high_share,
            "contradicts": figure.contradicts,
        }
    return told


def _cells(figure: Measured) -> tuple[object, ...]:
    return (
        figure.declared.value,
        figure.measured.value,
        figure.rooms_count,
        figure.covered_count,
        figure.open_count,
        str(figure.contradicts).lower(),
    )


def coverages_csv(found: list[BuildingCoverage], inventory: Inventory) -> str:
    """Return one row a building; classes are the inventory's words."""
    names = (
        "declared",
        "measured",
        "teaching_rooms",
        "covered_rooms",
        "unknown_rooms",
        "contradicts",
    )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = [f"{what}_{name}" for what in ("lan", "wlan") for name in names]
    writer.writerow(["building_id", "name", "school_type", *head])
    for one in found:
        building = inventory.building_by_id[one.building_id]
        about = (building.id, building.name, building.school_type.value)
        writer.writerow([*about, *_cells(one.lan), *_cells(one.wlan)])
    return out.getvalue()
