"""``netmon sources``: who may push, with which token."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli.base import add_config_option
from netmon.texts import NO_VALUE, Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands
    from netmon.storage.ports import Store


def add(commands: Commands, texts: Texts) -> None:
    """Add the command group."""
    parser = commands.add_parser("sources", help=texts("sources.help.about"))
    actions = parser.add_subparsers(required=True, metavar=texts("cli.command"))

    adding = actions.add_parser("add", help=texts("sources.help.add"))
    add_config_option(adding, texts)
    adding.add_argument("name", help=texts("sources.help.name"))
    who = adding.add_mutually_exclusive_group(required=True)
    who.add_argument("--building", help=texts("sources.help.building"))
    who.add_argument(
        "--collector", action="store_true", help=texts("sources.help.collector")
    )
    adding.add_argument(
        "--token-file", type=Path, help=texts("sources.help.token_file")
    )
    adding.set_defaults(run=_add)

    revoking = actions.add_parser("revoke", help=texts("sources.help.revoke"))
    add_config_option(revoking, texts)
    revoking.add_argument("name", help=texts("sources.help.name"))
    revoking.set_defaults(run=_revoke)

    listing = actions.add_parser("list", help=texts("sources.help.list"))
    add_config_option(listing, texts)
    listing.set_defaults(run=_list)


def _add(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.cli.base import open_store, write_token
    from netmon.ingest import new_token, token_hash
    from netmon.storage.records import SourceKind

    token = new_token()
    kind = SourceKind.COLLECTOR if args.collector else SourceKind.PROBE
    with open_store(args.config) as (store, _):
        _check_building(store, args.building, texts)
        # First the file: a token that reached nobody must not replace the old one.
        if args.token_file is not None:
            write_token(args.token_file, token)
        store.sources.create(args.name, kind, args.building, token_hash(token))
    if args.token_file is None:
        print(token)
    else:
        print(texts("sources.written", name=args.name, file=args.token_file))
    if kind is SourceKind.PROBE:
        # Not where a script reads the token from.
        print(texts("sources.port_hint", name=args.name), file=sys.stderr)
    return 0


def _check_building(store: Store, building_id: str | None, texts: Texts) -> None:
    """Refuse a building the inventory does not know; before any import, all may."""
    from netmon.errors import InputError, Problem
    from netmon.inventory import decode

    version = store.inventories.current()
    if building_id is None or version is None:
        return
    if building_id not in decode(version.body).building_by_id:
        text = texts("inventory.cli.no_building", id=building_id)
        fix = texts("inventory.cli.no_building_fix")
        raise InputError([Problem("--building", None, None, text, fix)])


def _revoke(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.cli.base import open_store

    with open_store(args.config) as (store, _):
        revoked = store.sources.revoke(args.name)
    key = "sources.revoked" if revoked else "sources.unknown"
    print(texts(key, name=args.name))
    return 0 if revoked else 1


def _list(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.cli.base import open_store
    from netmon.clock import from_ms

    with open_store(args.config) as (store, _):
        for source in store.sources.all():
            seen = source.last_seen_ms
            print(
                texts(
                    "sources.line",
                    name=source.name,
                    building=source.building_id or NO_VALUE,
                    seen=texts.moment(None if seen is None else from_ms(seen)),
                )
            )
    return 0
