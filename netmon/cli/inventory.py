"""``netmon inventory check|import|show|propose``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli.base import add_config_option, open_store
from netmon.errors import InputError, Problem
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands
    from netmon.model import Inventory
    from netmon.proposal import Proposal


def add(commands: Commands, texts: Texts) -> None:
    """Add the command group."""
    about = texts("inventory.cli.about")
    parser = commands.add_parser("inventory", help=about, description=about)
    actions = parser.add_subparsers(
        metavar=texts("inventory.cli.action"), required=True
    )

    about = texts("inventory.cli.check")
    check = actions.add_parser("check", help=about, description=about)
    check.add_argument("folder", type=Path, help=texts("inventory.cli.folder"))
    check.add_argument("--json", action="store_true", help=texts("inventory.cli.json"))
    check.set_defaults(run=_check)

    about = texts("inventory.cli.import")
    take = actions.add_parser("import", help=about, description=about)
    take.add_argument(
        "folder", type=Path, nargs="?", help=texts("inventory.cli.folder")
    )
    take.add_argument(
        "--schuldaten",
        type=Path,
        metavar="CSV",
        help=texts("inventory.cli.schuldaten"),
    )
    take.add_argument("--out", type=Path, help=texts("inventory.cli.out"))
    take.add_argument(
        "--traeger",
        default="10297",
        help=texts("inventory.cli.carrier", default="10297"),
    )
    add_config_option(take, texts)
    take.set_defaults(run=_import, usage_error=take.error)

    about = texts("inventory.cli.show")
    show = actions.add_parser("show", help=about, description=about)
    show.add_argument(
        "folder", type=Path, nargs="?", help=texts("inventory.cli.folder_show")
    )
    show.add_argument("--building", help=texts("inventory.cli.building"))
    show.add_argument("--json", action="store_true", help=texts("inventory.cli.json"))
    add_config_option(show, texts)
    show.set_defaults(run=_show)

    about = texts("proposal.about")
    proposed = actions.add_parser("propose", help=about, description=about)
    proposed.add_argument("--out", type=Path, required=True, help=texts("proposal.out"))
    add_config_option(proposed, texts)
    proposed.set_defaults(run=_propose)


def print_json(value: object) -> None:
    """Print a value as JSON for people."""
    import msgspec

    body = msgspec.json.format(msgspec.json.encode(value), indent=2)
    print(body.decode())


def _check(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.inventory import content_hash, load_folder
    from netmon.inventory.describe import counts, counts_text

    try:
        inventory = load_folder(args.folder, texts)
    except InputError as error:
        if not args.json:
            raise
        # Without the code, which is for whoever tells it.
        told = [
            {
                name: getattr(one, name)
                for name in ("source", "line", "field", "text", "fix")
            }
            for one in error.problems
        ]
        print_json({"ok": False, "problems": told})
        return 1
    if args.json:
        sha256 = content_hash(inventory)
        figures = counts(inventory)
        print_json({"ok": True, "problems": [], "counts": figures, "sha256": sha256})
    else:
        print(texts("inventory.cli.good"))
        print(counts_text(inventory, texts))
    return 0


def _import(args: argparse.Namespace, texts: Texts) -> int:
    if args.schuldaten is not None:
        if args.out is None or args.folder is not None:
            args.usage_error(texts("inventory.cli.usage"))
        return _draft(args, texts)
    if args.folder is None or args.out is not None:
        args.usage_error(texts("inventory.cli.usage"))
    return _take(args, texts)


def _draft(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.inventory import schuldaten

    draft = schuldaten.read_schuldaten(
        args.schuldaten, carrier=args.traeger, texts=texts
    )
    schuldaten.write_draft(draft, args.out, texts)
    for warning in draft.warnings:
        print(warning, file=sys.stderr)
    print(
        texts(
            "inventory.schuldaten.done",
            schools=len(draft.schools),
            buildings=len(draft.buildings),
            folder=args.out,
            notes_file=schuldaten.NOTES_FILE,
        )
    )
    return 0


def _take(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.clock import SystemClock, to_ms
    from netmon.inventory import content_hash, encode, load_folder
    from netmon.inventory.describe import counts_text

    inventory = load_folder(args.folder, texts)
    with open_store(args.config) as (store, _):
        before = store.inventories.current()
        version = store.inventories.save(
            content_hash(inventory), encode(inventory), to_ms(SystemClock().now())
        )
    is_new = before is None or before.id != version.id
    key = "inventory.cli.imported" if is_new else "inventory.cli.unchanged"
    print(texts(key, id=version.id))
    print(counts_text(inventory, texts))
    return 0


def nothing_stored(path: Path, texts: Texts) -> InputError:
    """Return the refusal of a store without any inventory."""
    what = texts("inventory.cli.nothing_stored")
    fix = texts("inventory.cli.nothing_stored_fix")
    return InputError([Problem(str(path), None, None, what, fix)])


def no_building(inventory: Inventory, building_id: str, texts: Texts) -> InputError:
    """Return the refusal of a building that is not there; the nearest is named."""
    from netmon.inventory.fields import suggestion

    nearest = suggestion(building_id, list(inventory.building_by_id))
    key = "inventory.cli.no_building"
    fix = texts(f"{key}_near" if nearest else f"{key}_fix", nearest=nearest)
    what = texts(key, id=building_id)
    return InputError([Problem("building", None, None, what, fix)])


def _stored(config: Path | None, texts: Texts) -> tuple[Inventory, str]:
    """Return the newest stored inventory and a line that says which it is."""
    from netmon.clock import from_ms
    from netmon.inventory import decode

    with open_store(config) as (store, settings):
        version = store.inventories.current()
        if version is None:
            raise nothing_stored(settings.state_path, texts)
    moment = texts.moment(from_ms(version.imported_ms))
    about = texts("inventory.cli.version", id=version.id, moment=moment)
    return decode(version.body), about


def _show(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.inventory import load_folder
    from netmon.inventory.describe import counts, counts_text

    about = None
    if args.folder is not None:
        inventory = load_folder(args.folder, texts)
    else:
        inventory, about = _stored(args.config, texts)
    if args.building is not None:
        return _show_building(inventory, args.building, args.json, texts)
    if args.json:
        print_json(counts(inventory))
        return 0
    if about is not None:
        print(about)
    print(counts_text(inventory, texts))
    return 0


def _show_building(
    inventory: Inventory, building_id: str, as_json: bool, texts: Texts
) -> int:
    from netmon.inventory.describe import building_text

    building = inventory.building_by_id.get(building_id)
    if building is None:
        raise no_building(inventory, building_id, texts)
    if as_json:
        print_json(
            {
                "building": building,
                "schools": inventory.schools_of[building_id],
                "lines": inventory.lines_of[building_id],
                "devices": [
                    one for one in inventory.devices if one.building_id == building_id
                ],
                "access_points": inventory.access_points_of[building_id],
                "rooms": [
                    one for one in inventory.rooms if one.building_id == building_id
                ],
                "probes": [
                    one for one in inventory.probes if one.building_id == building_id
                ],
            }
        )
    else:
        print(building_text(inventory, building, texts))
    return 0


CHANGES_FILE = "aenderungen.txt"


def _propose(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.clock import SystemClock, from_ms, to_ms
    from netmon.inventory import decode, write_folder
    from netmon.proposal import HINTS, read_proposal

    folder: Path = args.out
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what, fix = texts("proposal.not_empty"), texts("proposal.not_empty_fix")
        raise InputError([Problem(str(folder), None, None, what, fix)])
    with open_store(args.config) as (store, settings):
        version = store.inventories.current()
        if version is None:
            raise nothing_stored(settings.state_path, texts)
        now_ms = to_ms(SystemClock().now())
        proposal = read_proposal(store, decode(version.body), now_ms)
    if not proposal.changes:
        print(texts("proposal.nothing"))
        return 0
    moment = texts.moment(from_ms(version.imported_ms))
    title = texts("proposal.title", id=version.id, moment=moment)
    listed = proposal_text(proposal, title, folder, texts)
    write_folder(proposal.inventory, folder)
    (folder / CHANGES_FILE).write_text(f"{listed}\n", encoding="utf-8", newline="\n")
    print(listed)
    print()
    hints = sum(change.kind in HINTS for change in proposal.changes)
    print(
        texts(
            "proposal.written",
            n=len(proposal.changes) - hints,
            hints=hints,
            folder=folder,
            file=CHANGES_FILE,
        )
    )
    return 0


def proposal_text(proposal: Proposal, title: str, folder: Path, texts: Texts) -> str:
    """Return the list of changes by building, hints after them."""
    from netmon.proposal import HINTS

    lines = [title]
    buildings = proposal.inventory.building_by_id
    for key, wanted in (("changes", False), ("hints", True)):
        rows = [one for one in proposal.changes if (one.kind in HINTS) is wanted]
        if not rows:
            continue
        lines += ["", texts(f"proposal.{key}", n=len(rows))]
        last = None
        for one in rows:
            if one.building_id != last:
                known = buildings.get(one.building_id)
                lines.append(one.building_id if known is None else known.name)
                last = one.building_id
            told = {"what": one.what, "before": one.before, "after": one.after}
            lines.append("  - " + texts(f"proposal.change.{one.kind}", **told))
    lines += ["", texts("proposal.accept", folder=folder)]
    return "\n".join(lines)
