"""``netmon accounts``: who may log in to the status site, and as what."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli.base import add_config_option
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands
    from netmon.storage.ports import Store

_ROLES = ("lesen", "bedienen", "verwalten")


def add(commands: Commands, texts: Texts) -> None:
    """Add the command group."""
    parser = commands.add_parser("accounts", help=texts("accounts.help.about"))
    actions = parser.add_subparsers(required=True, metavar=texts("cli.command"))

    adding = actions.add_parser("add", help=texts("accounts.help.add"))
    adding.add_argument("name", help=texts("accounts.help.name"))
    adding.add_argument(
        "--role", choices=_ROLES, default="lesen", help=texts("accounts.help.role")
    )
    adding.add_argument("--campus-district", help=texts("accounts.help.district"))
    adding.add_argument(
        "--password-file", type=Path, help=texts("accounts.help.password_file")
    )
    adding.set_defaults(run=_add)

    disabling = actions.add_parser("disable", help=texts("accounts.help.disable"))
    disabling.add_argument("name", help=texts("accounts.help.name"))
    disabling.set_defaults(run=_disable)

    listing = actions.add_parser("list", help=texts("accounts.help.list"))
    listing.set_defaults(run=_list)

    for each in (adding, disabling, listing):
        add_config_option(each, texts)


def _add(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.accounts.passwords import hash_password
    from netmon.cli.base import open_store
    from netmon.clock import SystemClock, to_ms
    from netmon.storage.account_records import Role

    role = dict(zip(_ROLES, Role, strict=True))[args.role]
    with open_store(args.config) as (store, _):
        _check(store, args.name, args.campus_district, texts)
        password = _password(args.password_file, texts)
        hashed = hash_password(password, args.name)
        now_ms = to_ms(SystemClock().now())
        account = store.accounts.save(
            args.name, role, args.campus_district, hashed, now_ms
        )
    print(texts("accounts.saved", name=account.name, role=args.role))
    return 0


def _check(store: Store, name: str, district: str | None, texts: Texts) -> None:
    from netmon.errors import InputError, Problem
    from netmon.inventory import decode

    problems = []
    if not name.strip() or not name.isprintable() or len(name) > 64:
        fix = texts("accounts.name_fix")
        problems.append(Problem("name", None, None, texts("accounts.bad_name"), fix))
    version = store.inventories.current()
    if district is not None and version is not None:
        known = {b.campus_district for b in decode(version.body).buildings}
        if district not in known:
            text = texts("accounts.no_district", district=district)
            fix = texts("accounts.no_district_fix", known=", ".join(sorted(known)))
            problems.append(Problem("--campus-district", None, None, text, fix))
    if problems:
        raise InputError(problems)


def _password(file: Path | None, texts: Texts) -> str:
    """Return the password: from a file, a terminal (twice), or standard input."""
    from getpass import getpass

    from netmon.errors import InputError, Problem

    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass(texts("accounts.password"))
    if password != getpass(texts("accounts.again")):
        text, fix = texts("accounts.differ"), texts("accounts.differ_fix")
        raise InputError([Problem("password", None, None, text, fix)])
    return password


def _disable(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.cli.base import open_store
    from netmon.clock import SystemClock, to_ms

    with open_store(args.config) as (store, _):
        done = store.accounts.disable(args.name, to_ms(SystemClock().now()))
    key = "accounts.disabled" if done else "accounts.unknown"
    print(texts(key, name=args.name))
    return 0 if done else 1


def _list(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.cli.base import open_store

    with open_store(args.config) as (store, _):
        accounts = store.accounts.all()
    for account in accounts:
        key = (
            "accounts.line" if account.disabled_ms is None else "accounts.line_disabled"
        )
        print(
            texts(
                key,
                name=account.name,
                role=texts(f"role.{account.role}"),
                district=account.campus_district or texts("accounts.everywhere"),
            )
        )
    if not accounts:
        print(texts("accounts.none"))
    return 0
