"""What can be seen of a collector's settings without polling: ways in, nets, keys."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from collectors.base import SessionError, split_address
from collectors.platforms import load_platforms
from collectors.poll import check_devices, is_ssh, pollable
from netmon.texts import Texts

if TYPE_CHECKING:
    from collectors.credentials import Credentials
    from collectors.ssh_keys import HostKey
    from netmon.config import CollectorSettings
    from netmon.model import Device, Inventory

# Names beyond this many tell nobody more.
NAMED = 5
_AT_ONCE = 20


def check(
    texts: Texts,
    settings: CollectorSettings,
    credentials: Credentials,
    inventory: Inventory,
) -> int:
    """Print what is wrong or unwise; return 0, as nothing of it keeps one from polling.

    Raises:
        ConfigError: a device names a credential or platform that is not there.
    """
    devices = pollable(inventory)
    check_devices(devices, credentials, load_platforms())
    print(texts("collect.check.devices", n=len(devices)))
    exposed: dict[str, list[str]] = {}
    for device in devices:
        if is_ssh(device):
            continue
        is_open = credentials.get(device.credential).version == "v2c"
        if is_open and not _is_inside(device, settings.management_nets):
            exposed.setdefault(device.credential, []).append(device.id)
    for name, ids in exposed.items():
        key = "exposed" if settings.management_nets else "no_net"
        said = {"credential": name, "n": len(ids), "devices": _some(ids)}
        print(texts(f"collect.check.{key}", **said))
    strangers = [d.id for d in devices if is_ssh(d) and not _has_key(d, settings)]
    if strangers:
        said = {"n": len(strangers), "devices": _some(strangers)}
        print(texts("collect.check.strangers", **said))
    return 0


def hostkeys(
    texts: Texts,
    inventory: Inventory,
    known_hosts: str,
    named: Sequence[str],
    *,
    accepts: bool,
) -> int:
    """Print the keys that devices show, and keep them if asked.

    A key that has changed is only accepted for a device that is ``named``. Returns 1
    where a device stays that has no known key.
    """
    from collectors.ssh_keys import accept

    devices = [
        device
        for device in pollable(inventory)
        if (device.id in named if named else is_ssh(device))
    ]
    if not devices:
        print(texts("collect.hostkeys.none"))
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        found = list(threads.map(lambda device: _key(device, known_hosts), devices))
    all_known = True
    for device, shown in zip(devices, found, strict=True):
        said = {"device": device.id, "address": device.address}
        if isinstance(shown, SessionError):
            reason = texts(f"failure.{shown.reason}")
            print(texts("collect.hostkeys.failed", **said, reason=reason))
            all_known = False
            continue
        state = shown.state
        if accepts and (state == "unknown" or (state == "changed" and named)):
            accept(shown, known_hosts)
            state_key = "accepted"
        else:
            state_key = state
            all_known = all_known and state == "known"
        print(
            texts(
                "collect.hostkeys.line",
                **said,
                type=shown.key.get_name(),
                fingerprint=shown.fingerprint,
                state=texts(f"collect.hostkeys.{state_key}"),
            )
        )
    return 0 if all_known else 1


def _key(device: Device, known_hosts: str) -> HostKey | SessionError:
    from collectors.ssh_keys import ask_key

    try:
        return ask_key(device.address, known_hosts)
    except SessionError as error:
        return error


def _is_inside(device: Device, nets: Sequence[str]) -> bool:
    """Say whether a device is in one of the nets; a name is in none."""
    try:
        address = ip_address(split_address(device.address)[0])
    except ValueError:
        return False
    return any(address in ip_network(net) for net in nets)


def _has_key(device: Device, settings: CollectorSettings) -> bool:
    from collectors.ssh import DEFAULT_PORT, host_name, load_known

    host, port = split_address(device.address, DEFAULT_PORT)
    known = load_known(settings.known_hosts_file)
    return known.lookup(host_name(host, port)) is not None


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMED])
    return f"{shown}, …" if len(names) > NAMED else shown
