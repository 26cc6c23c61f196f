"""``netmon probe lan``: the on-site tools; their findings in words, or as JSON."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netmon.texts import Texts

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from netmon.model import Inventory
    from probes.finding import Finding

# The names of probes.onsite.ONSITE, which is not imported before it is needed.
TOOLS = ("socket", "dhcp", "sweep", "vlan", "beacons")
_LONGEST_S = 600.0


def add(actions: Any, texts: Texts) -> None:
    """Add ``probe lan`` with a command for each tool."""
    group = actions.add_parser("lan", help=texts("onsite.help.about"))
    tools = group.add_subparsers(
        metavar=texts("onsite.help.tool"), required=True, dest="tool"
    )
    for name in TOOLS:
        about = texts(f"onsite.help.{name}")
        parser = tools.add_parser(name, help=about, description=about)
        _OPTIONS[name](parser, texts)
        if name != "beacons":
            parser.add_argument(
                "--interface", default="", help=texts("onsite.help.interface")
            )
        parser.add_argument(
            "--json", action="store_true", help=texts("onsite.help.json")
        )
        parser.set_defaults(run=run)


def _socket_options(parser: argparse.ArgumentParser, texts: Texts) -> None:
    _add_seconds(parser, texts, 65)
    parser.add_argument("--inventory", type=Path, help=texts("onsite.help.switches"))


def _dhcp_options(parser: argparse.ArgumentParser, texts: Texts) -> None:
    _add_seconds(parser, texts, 6)
    parser.add_argument(
        "--expect",
        action="append",
        default=[],
        type=_address,
        help=texts("onsite.help.server"),
    )


def _sweep_options(parser: argparse.ArgumentParser, texts: Texts) -> None:
    parser.add_argument("network", help=texts("onsite.help.network"))
    parser.add_argument("--inventory", type=Path, help=texts("onsite.help.devices"))
    parser.add_argument("--planned", type=Path, help=texts("onsite.help.addresses"))
    parser.add_argument(
        "--rate",
        type=_between(texts, 10, 200),
        default=100,
        help=texts("onsite.help.rate"),
    )
    parser.add_argument("--vlan", type=_vlan(texts), help=texts("onsite.help.tag"))


def _vlan_options(parser: argparse.ArgumentParser, texts: Texts) -> None:
    _add_seconds(parser, texts, 6)
    parser.add_argument(
        "vlans",
        nargs="+",
        type=_vlan_wish(texts),
        metavar="ID[=IP]",
        help=texts("onsite.help.vlans"),
    )


def _beacons_options(parser: argparse.ArgumentParser, texts: Texts) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--file", type=Path, help=texts("onsite.help.file"))
    where.add_argument("--interface", default="", help=texts("onsite.help.monitor"))
    _add_seconds(parser, texts, 30)
    parser.add_argument("--planned", type=Path, help=texts("onsite.help.bssids"))
    parser.add_argument(
        "--ssid", action="append", default=[], help=texts("onsite.help.ssid")
    )


_OPTIONS: Mapping[str, Callable[[argparse.ArgumentParser, Texts], None]] = {
    "socket": _socket_options,
    "dhcp": _dhcp_options,
    "sweep": _sweep_options,
    "vlan": _vlan_options,
    "beacons": _beacons_options,
}


def _add_seconds(parser: argparse.ArgumentParser, texts: Texts, default: int) -> None:
    parser.add_argument(
        "--seconds",
        type=_between(texts, 0.1, _LONGEST_S),
        default=float(default),
        help=texts("onsite.help.seconds", default=default),
    )


def _between(texts: Texts, low: float, high: float) -> Callable[[str], float]:
    """Return what reads a number for argparse, which tells the bounds."""

    def number(text: str) -> float:
        if not low <= float(text) <= high:
            told = {"value": text, "low": f"{low:g}", "high": f"{high:g}"}
            raise argparse.ArgumentTypeError(texts("cli.outside", **told))
        return float(text)

    return number


def _vlan(texts: Texts) -> Callable[[str], int]:
    bounds = _between(texts, 1, 4094)
    return lambda text: int(bounds(str(int(text))))


def _address(text: str) -> str:
    from ipaddress import IPv4Address

    return str(IPv4Address(text))


def _vlan_wish(texts: Texts) -> Callable[[str], tuple[int, str]]:
    number = _vlan(texts)

    def wish(text: str) -> tuple[int, str]:
        vlan, _, gateway = text.partition("=")
        return number(vlan), _address(gateway) if gateway else ""

    return wish


def run(args: argparse.Namespace, texts: Texts) -> int:
    """Run a tool; return 0 where it found no error, else 1."""
    from netmon.cli.lan_output import json_of, text_of

    found = _found(args, texts)
    print(
        json_of(texts, args.tool, found)
        if args.json
        else text_of(texts, args.tool, found)
    )
    return 1 if any(each.grade == "error" for each in found) else 0


def _found(args: argparse.Namespace, texts: Texts) -> list[Finding]:
    from probes.finding import error

    try:
        from probes.onsite import ONSITE, NotUsableError
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "scapy":
            raise
        return [error("no_scapy")]
    try:
        options = _TAKEN[args.tool](args, texts)
        if not args.json:
            print(
                texts(f"onsite.begin.{args.tool}", **_begun(args, options)),
                file=sys.stderr,
            )
        found: list[Finding] = ONSITE[args.tool].run(options)
    except NotUsableError as refused:
        fields = dict(refused.fields)
        if refused.says == "no_rights":
            fields["command"] = _as_root(sys.argv)
        return [error(refused.says, **fields)]
    return found


def _as_root(argv: Sequence[str]) -> str:
    """Return this command for root, also where Python was told to run the package."""
    program = [argv[0]]
    if Path(argv[0]).name == "__main__.py":
        program = [sys.executable, "-m", "netmon"]
    return shlex.join(["sudo", *program, *argv[1:]])


def _begun(args: argparse.Namespace, options: Any) -> dict[str, str]:
    where = args.file if getattr(args, "file", None) else options.interface
    seconds = getattr(args, "seconds", None)
    return {
        "where": str(where),
        "seconds": "" if seconds is None else f"{seconds:g}",
        "network": getattr(args, "network", ""),
    }


def _interface(args: argparse.Namespace) -> str:
    from probes.link import default_interface
    from probes.onsite import NotUsableError

    named: str = args.interface
    found = named or default_interface(Path("/"))
    if not found:
        raise NotUsableError("no_default")
    return found


def _for_socket(args: argparse.Namespace, texts: Texts) -> object:
    from probes.onsite.outlet import SocketOptions

    names = {}
    if args.inventory is not None:
        for device in _inventory(args.inventory, texts).devices:
            names[device.id.casefold()] = device.name
            names[device.name.casefold()] = device.name
    interface = _interface(args)
    return SocketOptions(interface=interface, listen_s=args.seconds, names=names)


def _for_dhcp(args: argparse.Namespace, _texts: Texts) -> object:
    from probes.onsite.dhcp import DhcpOptions

    return DhcpOptions(
        interface=_interface(args), listen_s=args.seconds, expected=tuple(args.expect)
    )


def _for_sweep(args: argparse.Namespace, texts: Texts) -> object:
    from ipaddress import ip_address

    from probes.onsite.planned import read_list
    from probes.onsite.sweep import SweepOptions

    planned: dict[IPv4Address | IPv6Address, str] = {}
    if args.inventory is not None:
        planned |= _addresses(_inventory(args.inventory, texts))
    if args.planned is not None:
        planned |= read_list(args.planned, ip_address)
    return SweepOptions(
        interface=_interface(args),
        network=args.network,
        planned=planned,
        rate_per_s=args.rate,
        vlan=args.vlan,
    )


def _for_vlan(args: argparse.Namespace, _texts: Texts) -> object:
    from probes.onsite.vlan import Expected, VlanOptions

    expected = {vlan: Expected(vlan, gateway) for vlan, gateway in args.vlans}
    return VlanOptions(
        interface=_interface(args),
        expected=tuple(expected.values()),
        listen_s=args.seconds,
    )


def _for_beacons(args: argparse.Namespace, _texts: Texts) -> object:
    from probes.onsite.beacons import BeaconOptions, parse_bssid
    from probes.onsite.planned import read_list

    planned = read_list(args.planned, parse_bssid) if args.planned is not None else {}
    return BeaconOptions(
        planned=planned,
        ssids=frozenset(args.ssid),
        file=args.file,
        interface=args.interface,
        listen_s=args.seconds,
    )


_TAKEN: Mapping[str, Callable[[argparse.Namespace, Texts], object]] = {
    "socket": _for_socket,
    "dhcp": _for_dhcp,
    "sweep": _for_sweep,
    "vlan": _for_vlan,
    "beacons": _for_beacons,
}


def _inventory(folder: Path, texts: Texts) -> Inventory:
    from netmon.inventory import load_folder

    return load_folder(folder, texts)


def _addresses(inventory: Inventory) -> dict[IPv4Address | IPv6Address, str]:
    """Return devices by address; those known by a DNS name only are left out."""
    from ipaddress import ip_address

    found = {}
    for device in inventory.devices:
        host = device.address.rpartition(":")[0].strip("[]")
        try:
            found[ip_address(host)] = device.name
        except ValueError:
            continue
    return found
