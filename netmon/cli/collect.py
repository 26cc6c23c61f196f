"""``netmon collect``: ask network devices by SNMP, all the time or one now."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli.base import LOG_FORMAT, add_config_option
from netmon.errors import ConfigError, InputError, Problem, WrongValueError
from netmon.refused import refused
from netmon.texts import Texts

if TYPE_CHECKING:
    from collectors.base import Session
    from collectors.credentials import Credentials
    from netmon.cli.base import Commands
    from netmon.config import Settings
    from netmon.model import AccessPoint, Device, Inventory

ONCE_BUDGET_S = 60.0


def add(commands: Commands, texts: Texts) -> None:
    """Add ``collect run``, ``once``, ``check`` and ``hostkeys``."""
    group = commands.add_parser("collect", help=texts("collect.help.about"))
    actions = group.add_subparsers(metavar=texts("cli.command"), required=True)

    run = actions.add_parser("run", help=texts("collect.help.run"))
    add_config_option(run, texts)
    _add_inventory(run, texts)
    run.set_defaults(run=_run)

    once = actions.add_parser("once", help=texts("collect.help.once"))
    add_config_option(once, texts)
    once.add_argument("device", nargs="?", help=texts("collect.help.device"))
    once.add_argument("--address", help=texts("collect.help.address"))
    once.add_argument("--recording", type=Path, help=texts("collect.help.recording"))
    once.add_argument("--credential", help=texts("collect.help.credential"))
    once.add_argument(
        "--credentials",
        type=Path,
        help=texts("collect.help.credentials"),
    )
    once.add_argument("--platform", default="", help=texts("collect.help.platform"))
    _add_inventory(once, texts)
    once.add_argument("--json", action="store_true", help=texts("collect.help.json"))
    once.add_argument(
        "--explain", action="store_true", help=texts("collect.help.explain")
    )
    once.set_defaults(run=_once)

    check = actions.add_parser("check", help=texts("collect.help.check"))
    add_config_option(check, texts)
    _add_inventory(check, texts)
    check.set_defaults(run=_check)

    keys = actions.add_parser("hostkeys", help=texts("collect.help.hostkeys"))
    add_config_option(keys, texts)
    keys.add_argument("device", nargs="*", help=texts("collect.help.device"))
    keys.add_argument(
        "--accept", action="store_true", help=texts("collect.help.accept")
    )
    _add_inventory(keys, texts)
    keys.set_defaults(run=_hostkeys)


def _add_inventory(parser: argparse.ArgumentParser, texts: Texts) -> None:
    parser.add_argument("--inventory", type=Path, help=texts("collect.help.inventory"))


def _run(args: argparse.Namespace, texts: Texts) -> int:
    import asyncio
    import logging

    from collectors.agent import serve
    from netmon.cli.base import open_store
    from netmon.config import load_settings

    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    # One line for each push would bury the lines that matter.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # It prints a traceback for each device that hangs up; the poller says it in a line.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    if args.inventory is not None:
        city = _folder(args.inventory, texts)
        asyncio.run(serve(load_settings(args.config), lambda: (city, 0)))
    else:
        with open_store(args.config) as (store, settings):

            def current() -> tuple[Inventory, object]:
                version = store.inventories.current()
                if version is None:
                    raise _problem(texts, "no_inventory", "inventory")
                from netmon.inventory import decode

                return decode(version.body), version.id

            asyncio.run(serve(settings, current))
    print(texts("collect.stopped"), flush=True)
    return 0


def _once(args: argparse.Namespace, texts: Texts) -> int:
    import asyncio

    return asyncio.run(_poll_once(args, texts))


async def _poll_once(args: argparse.Namespace, texts: Texts) -> int:
    import sys

    from msgspec.structs import replace

    from collectors.platforms import load_platforms
    from collectors.poll import decode, is_ssh
    from collectors.read import read_device
    from collectors.records import Known, to_records
    from collectors.ssh_model import PREFIX, load_ssh_platforms
    from netmon.cli.collect_output import as_json, as_text, explained
    from netmon.clock import SystemClock

    platforms = load_platforms()
    known = [*platforms.names, *(PREFIX + name for name in load_ssh_platforms())]
    if args.platform and args.platform not in known:
        told = {"value": args.platform, "known": ", ".join(known)}
        raise ConfigError([refused("--platform", None, "no_platform", **told)])
    device, planned = _device(args, texts)
    device = replace(device, platform=args.platform or device.platform)
    if is_ssh(device) and args.recording is None:
        return await _ssh_once(args, texts, device, planned)
    session, introduction = _session(args, texts, device)
    try:
        reading = await read_device(
            session,
            platforms,
            clock=SystemClock(),
            budget_s=ONCE_BUDGET_S,
            platform=device.platform,
            # A stranger is asked all that its platform knows.
            line=True if device.line_id else None,
        )
    finally:
        await session.aclose()
    result = decode(reading)
    records, _ = to_records(device, planned, result, Known())
    if args.explain:
        print(introduction, file=sys.stderr)
        print(explained(texts, reading, len(records)), file=sys.stderr)
    if args.json:
        print(as_json(device.id, reading.sys_object_id, result, records))
    else:
        print(as_text(texts, device.id, result, planned))
    return 0 if result.failure is None else 1


async def _ssh_once(
    args: argparse.Namespace, texts: Texts, device: Device, planned: list[AccessPoint]
) -> int:
    import logging
    import sys

    from msgspec.structs import replace

    from collectors.records import Known, to_records
    from collectors.ssh import SshCollector
    from netmon.cli.collect_output import as_json, as_text
    from netmon.clock import SystemClock
    from netmon.config import load_settings

    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    device = replace(device, address=args.address or device.address)
    if not device.address:
        raise _problem(texts, "no_address", device.id)
    settings = load_settings(args.config)
    credentials = _credentials(args, texts, settings)
    credential = credentials.get_ssh(args.credential or device.credential)
    known_hosts = settings.collector.known_hosts_file
    collector = SshCollector(known_hosts=known_hosts, clock=SystemClock())
    try:
        result = await collector.ask(device, credential)
    finally:
        collector.close()
    records, _ = to_records(device, planned, result, Known())
    if args.explain:
        said = {"device": device.id, "address": device.address, "user": credential.user}
        print(texts("collect.explain.ssh", **said), file=sys.stderr)
        print(texts("collect.explain.records", n=len(records)), file=sys.stderr)
    if args.json:
        print(as_json(device.id, "", result, records))
    else:
        print(as_text(texts, device.id, result, planned))
    return 0 if result.failure is None else 1


def _check(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.cli.collect_check import check
    from netmon.config import load_settings

    settings = load_settings(args.config)
    args.credentials = None
    credentials = _credentials(args, texts, settings)
    return check(texts, settings.collector, credentials, _inventory(args, texts))


def _hostkeys(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.cli.collect_check import hostkeys
    from netmon.config import load_settings

    path = load_settings(args.config).collector.known_hosts_file
    if not path:
        raise _problem(texts, "no_known_hosts", "settings")
    inventory = _inventory(args, texts)
    for name in args.device:
        if name not in inventory.device_by_id:
            raise _problem(texts, "no_device", name)
    return hostkeys(texts, inventory, path, args.device, accepts=args.accept)


def _device(args: argparse.Namespace, texts: Texts) -> tuple[Device, list[AccessPoint]]:
    """Return the device that is meant, and the access points planned there."""
    from collectors.poll import planned_for
    from netmon.model import Device, DeviceKind

    if args.device is None:
        name = args.address or (args.recording and args.recording.name)
        if not name:
            raise _problem(texts, "which", "device")
        stranger = Device(
            id=name,
            # Only for the records that are shown; nothing is stored.
            building_id="-",
            kind=DeviceKind.CONTROLLER,
            name=name,
            address=args.address or "",
            credential=args.credential or "default",
        )
        return stranger, []
    inventory = _inventory(args, texts)
    device = inventory.device_by_id.get(args.device)
    if device is None:
        raise _problem(texts, "no_device", args.device)
    return device, planned_for(inventory, device)


def _inventory(args: argparse.Namespace, texts: Texts) -> Inventory:
    from netmon.cli.base import open_store
    from netmon.inventory import decode

    if args.inventory is not None:
        return _folder(args.inventory, texts)
    with open_store(args.config) as (store, _):
        version = store.inventories.current()
        if version is None:
            raise _problem(texts, "no_inventory", "inventory")
        return decode(version.body)


def _folder(path: Path, texts: Texts) -> Inventory:
    from netmon.inventory import load_folder

    return load_folder(path, texts)


def _session(
    args: argparse.Namespace, texts: Texts, device: Device
) -> tuple[Session, str]:
    """Return the session and one line that says where it leads."""
    from collectors.base import Timing
    from collectors.snmp import open_recording, open_session
    from netmon.clock import SystemClock
    from netmon.config import load_settings

    if args.recording is not None:
        session = open_recording(args.recording, clock=SystemClock())
        return session, texts("collect.explain.recording", file=args.recording.name)
    address = args.address or device.address
    if not address:
        raise _problem(texts, "no_address", device.id)
    credentials = _credentials(args, texts, load_settings(args.config))
    credential = credentials.get(args.credential or device.credential)
    try:
        session = open_session(
            address, credential, clock=SystemClock(), timing=Timing()
        )
    except WrongValueError as error:
        wrong = refused("--address", None, error.code, **error.values)
        raise InputError([wrong]) from error
    introduction = texts(
        "collect.explain.device",
        device=device.id,
        address=address,
        credential=credential.name,
        version=credential.version,
        driver=credential.driver,
    )
    return session, introduction


def _credentials(
    args: argparse.Namespace, texts: Texts, settings: Settings
) -> Credentials:
    from collectors.credentials import load_credentials

    path = args.credentials or settings.collector.credentials_file
    if not path:
        raise _problem(texts, "no_credentials", "credentials")
    return load_credentials(Path(path))


def _problem(texts: Texts, key: str, source: str) -> ConfigError:
    text, fix = texts(f"collect.error.{key}"), texts(f"collect.error.{key}_fix")
    return ConfigError([Problem(source, None, None, text, fix)])
