"""``netmon probe lan``: what a person sees on site with a laptop and a cable.

Importing this imports scapy (half a second or more), so nothing but the command does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from scapy import main as scapy_main

# Before the first layer is loaded: it would keep its tables as pickles in the home
# folder, and as root read them back from there.
scapy_main.SCAPY_CACHE_FOLDER = None
# What matters of its warnings is a finding of ours.
logging.getLogger("scapy").setLevel(logging.ERROR)

from probes.finding import Finding  # noqa: E402
from probes.onsite import beacons, dhcp, outlet, sweep, vlan  # noqa: E402
from probes.onsite.wire import NotUsableError  # noqa: E402


class Tool(Struct, frozen=True):
    """A tool: its options, and the function that takes them.

    The function is bounded in time and raises NotUsableError where it cannot work.
    """

    options: type[Struct]
    run: Callable[[Any], list[Finding]]


ONSITE: Mapping[str, Tool] = {
    "socket": Tool(outlet.SocketOptions, outlet.run),
    "dhcp": Tool(dhcp.DhcpOptions, dhcp.run),
    "sweep": Tool(sweep.SweepOptions, sweep.run),
    "vlan": Tool(vlan.VlanOptions, vlan.run),
    "beacons": Tool(beacons.BeaconOptions, beacons.run),
}

__all__ = ["ONSITE", "NotUsableError", "Tool"]
