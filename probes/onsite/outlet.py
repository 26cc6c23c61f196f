"""``socket``: which port of which switch does this wall socket lead to?

It listens and sends nothing. A neighbour that is no switch (a phone, a computer behind
a small switch) is counted, and its name is never shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from msgspec import Struct

from probes.finding import Finding, error, hint, ok
from probes.onsite.neighbour import Neighbour, decode, port_number
from probes.onsite.wire import open_wire, own_speed_bps

# Where LLDP (IEEE 802.1AB table 7-1) and CDP are sent to.
_GROUPS = (
    "01:80:c2:00:00:0e",
    "01:80:c2:00:00:03",
    "01:80:c2:00:00:00",
    "01:00:0c:cc:cc:cc",
)
_GOOD_BPS = 1e9


class SocketOptions(Struct, frozen=True, kw_only=True):
    """``names`` are the switches' names in the inventory by what they call themselves.

    LLDP is sent every 30 s by default (IEEE 802.1AB 9.2.5.7), CDP every 60 s.
    """

    interface: str
    listen_s: float = 65.0
    names: Mapping[str, str] = {}


def run(options: SocketOptions) -> list[Finding]:
    """Listen until a switch has said which port this is, or the time is over."""
    others = 0
    with open_wire(options.interface, groups=_GROUPS) as wire:
        began_s = time.monotonic()
        for at_s, frame in wire.receive(began_s + options.listen_s):
            told = decode(frame)
            if told is None:
                continue
            if told.forwards is False:
                others += 1
                continue
            return judge(
                told, options.names, own_speed_bps(options.interface), at_s - began_s
            )
    if others:
        return [error("no_switch", heard_count=others, waited_s=options.listen_s)]
    return [error("silence", waited_s=options.listen_s)]


def judge(
    told: Neighbour,
    names: Mapping[str, str],
    own_bps: float | None,
    waited_s: float,
) -> list[Finding]:
    """Return what the socket is, in the order a person asks.

    ``own_bps`` is the speed of this end of the cable and counts where the switch does
    not tell its own; both ends have the same.
    """
    found = [_port(told, names, waited_s)]
    if told.vlan is None:
        found.append(hint("vlan_untold"))
    else:
        found.append(ok("vlan", vlan=told.vlan))
    if told.voice_vlan is not None:
        found.append(ok("voice_vlan", vlan=told.voice_vlan))
    speed_bps = told.speed_bps or own_bps
    if speed_bps is None:
        found.append(hint("speed_untold"))
    else:
        says: Callable[..., Finding] = ok if speed_bps >= _GOOD_BPS else hint
        name = "speed" if speed_bps >= _GOOD_BPS else "slow"
        found.append(says(name, speed_bps=speed_bps))
    if told.power_w is not None:
        found.append(ok("power", power_w=told.power_w))
    elif told.poe is not None:
        found.append(ok("poe_on" if told.poe else "poe_off"))
    return found


def _port(told: Neighbour, names: Mapping[str, str], waited_s: float) -> Finding:
    port = told.port or told.port_text
    # The same text twice is one; the second is often the room.
    texts = dict.fromkeys(each for each in (port, told.port_text) if each)
    fields: dict[str, float | str] = {
        "port": port_number(port) or "?",
        "port_name": ", ".join(texts) or "?",
        "switch": name_of(told.switch, names) or "?",
        "protocol": told.protocol.upper(),
        "waited_s": waited_s,
    }
    return ok("port", **fields) if port and told.switch else hint("port", **fields)


def name_of(told: str, names: Mapping[str, str]) -> str:
    """Return ``Switch 2 (gs-07-sw2)`` where the inventory calls the switch so.

    A switch may add its domain, a Cisco Nexus its serial number in brackets.
    """
    short = told.partition("(")[0].partition(".")[0].casefold()
    known = names.get(told.casefold()) or names.get(short)
    return f"{known} ({told})" if known and known.casefold() != short else told
