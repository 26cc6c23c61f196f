"""``netmon alerts operators``: who may act through the API."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli.acting import acting
from netmon.cli.base import add_config_option
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands


def add(actions: Commands, texts: Texts) -> None:
    """Add the commands to ``netmon alerts``."""
    about = "actions.help.operators"
    parser = actions.add_parser("operators", help=texts(about))
    group = parser.add_subparsers(metavar=texts("alerts.help.action"), required=True)

    adding = group.add_parser("add", help=texts(f"{about}_add"))
    adding.add_argument("name", help=texts("actions.help.name"))
    adding.add_argument(
        "--token-file", type=Path, help=texts("actions.help.token_file")
    )
    adding.set_defaults(run=_add)

    listing = group.add_parser("list", help=texts(f"{about}_list"))
    listing.set_defaults(run=_list)

    revoking = group.add_parser("revoke", help=texts(f"{about}_revoke"))
    revoking.add_argument("name", help=texts("actions.help.name"))
    revoking.set_defaults(run=_revoke)

    for each in (adding, listing, revoking):
        add_config_option(each, texts)


def _add(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.actions.checks import check_operator
    from netmon.actions.commands import add_operator
    from netmon.actions.errors import ActionError, Refusal
    from netmon.cli.base import write_token
    from netmon.ingest import new_token, token_hash

    token = new_token()
    with acting(args.config, texts) as desk:
        if faults := check_operator(args.name):
            raise ActionError(Refusal.INVALID, faults)
        # First the file: a token that reached nobody must not replace the old one.
        if args.token_file is not None:
            write_token(args.token_file, token)
        add_operator(
            desk.store,
            args.name,
            token_hash(token),
            actor=desk.actor,
            now_ms=desk.now_ms,
        )
    if args.token_file is None:
        print(token)
    else:
        told = texts(
            "actions.done.operator_written", name=args.name, file=args.token_file
        )
        print(told)
    return 0


def _list(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.clock import from_ms

    with acting(args.config, texts) as desk:
        found = desk.store.actions.operators()
    lines = [
        texts(
            "actions.line.operator",
            name=one.name,
            at=texts.moment(from_ms(one.created_ms)),
        )
        for one in found
    ]
    for line in lines or [texts("actions.none.operator")]:
        print(line)
    return 0


def _revoke(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.actions.commands import revoke_operator

    with acting(args.config, texts) as desk:
        revoke_operator(desk.store, args.name, actor=desk.actor, now_ms=desk.now_ms)
    print(texts("actions.done.operator_revoked", name=args.name))
    return 0
