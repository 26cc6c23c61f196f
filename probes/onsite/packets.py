"""The questions the tools ask, and their answers, by scapy's layers.

Only what a tool needs is read from an answer: never the MAC of who sent it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import Struct
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet
from scapy.utils6 import in6_getnsma, in6_getnsmac

from probes.onsite.frames import split

BROADCAST = "ff:ff:ff:ff:ff:ff"
# RFC 2131: broadcast flag, message types discover and offer.
_BROADCAST_FLAG, _OFFER = 0x8000, 2
_REPLY = 2  # of BOOTP and of ARP

Found = TypeVar("Found")


class Offer(Struct, frozen=True, kw_only=True):
    """A DHCP offer. Empty texts and None: the server did not say.

    ``server`` is its identifier (option 54), else the sender's address. ``network``
    is the network offered, never the address itself. ``lease_s`` in seconds.
    """

    server: str
    network: str = ""
    gateway: str = ""
    lease_s: float | None = None


def discover(mac: str, xid: int, vlan: int | None = None) -> bytes:
    """Return a DHCP discover that takes no lease (RFC 2131 3.1, step 1 alone)."""
    bootp = BOOTP(
        chaddr=bytes.fromhex(mac.replace(":", "")), xid=xid, flags=_BROADCAST_FLAG
    )
    asked = [1, 3, 51, 54]  # subnet mask, router, lease time, server identifier
    options = DHCP(
        options=[("message-type", "discover"), ("param_req_list", asked), "end"]
    )
    ip = IP(src="0.0.0.0", dst="255.255.255.255")  # noqa: S104  not a bind: no address yet
    return bytes(
        _ether(mac, BROADCAST, vlan) / ip / UDP(sport=68, dport=67) / bootp / options
    )


def offer_in(frame: bytes, xids: Mapping[int, object]) -> tuple[int, Offer] | None:
    """Return an offer to one of our questions, with its transaction; else None."""
    return _read(frame, lambda packet: _offer(packet, xids))


def _offer(packet: Packet, xids: Mapping[int, object]) -> tuple[int, Offer] | None:
    if BOOTP not in packet or DHCP not in packet:
        return None
    bootp = packet[BOOTP]
    if bootp.op != _REPLY or bootp.xid not in xids:
        return None
    options = {
        each[0]: each[1]
        for each in packet[DHCP].options
        if isinstance(each, tuple) and len(each) >= 2
    }
    if options.get("message-type") != _OFFER:
        return None
    lease = options.get("lease_time")
    server = _address(options.get("server_id")) or _address(packet[IP].src)
    return bootp.xid, Offer(
        server=server,
        network=_network(bootp.yiaddr, options.get("subnet_mask")),
        gateway=_address(options.get("router")),
        lease_s=float(lease) if isinstance(lease, int) else None,
    )


def who_has(mac: str, source: str, target: str, vlan: int | None = None) -> bytes:
    """Return an ARP request; ``source`` 0.0.0.0 makes it a probe (RFC 5227)."""
    arp = ARP(op=1, hwsrc=mac, psrc=source, hwdst="00:00:00:00:00:00", pdst=target)
    return bytes(_ether(mac, BROADCAST, vlan) / arp)


def solicit(mac: str, source: str, target: str, vlan: int | None = None) -> bytes:
    """Return a neighbour solicitation from our own link-local address (RFC 4861)."""
    asked = ipaddress.IPv6Address(target).packed
    group = in6_getnsma(asked)
    ip = IPv6(src=source, dst=str(ipaddress.IPv6Address(group)), hlim=255)
    ask = ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=mac)
    return bytes(_ether(mac, in6_getnsmac(group), vlan) / ip / ask)


def answered(frame: bytes) -> str | None:
    """Return the address that an ARP reply or neighbour advertisement is from.

    None for any other frame.
    """
    return _read(frame, _answered)


def _answered(packet: Packet) -> str | None:
    if ARP in packet:
        arp = packet[ARP]
        return _address(arp.psrc) or None if arp.op == _REPLY else None
    # Another hop limit came from another link (RFC 4861 7.1.2).
    if ICMPv6ND_NA in packet and packet[IPv6].hlim == 255:
        return _address(packet[ICMPv6ND_NA].tgt) or None
    return None


def _ether(mac: str, to: str, vlan: int | None) -> Packet:
    ether: Packet = Ether(src=mac, dst=to)
    return ether if vlan is None else ether / Dot1Q(vlan=vlan)


def _read(frame: bytes, reader: Callable[[Packet], Found | None]) -> Found | None:
    """Return what a reader finds; None where nothing can be there, or it is broken."""
    parts = split(frame)
    if parts is None or not _may_answer(parts.kind, parts.payload):
        return None
    try:
        return reader(Ether(frame))
    except Exception:  # noqa: BLE001  scapy raises whatever a broken frame makes it
        return None


def _may_answer(kind: int, payload: bytes) -> bool:
    """Say whether a frame is worth a dissector: most of a busy net is not."""
    match kind:
        case 0x0806:
            return payload[6:8] == b"\0\x02"  # a reply
        case 0x0800:
            # UDP from a DHCP server, whatever the header's length.
            at = (payload[0] & 0x0F) * 4 if payload else 0
            return payload[9:10] == b"\x11" and payload[at : at + 2] == b"\0C"
        case 0x86DD:
            return payload[6:7] == b"\x3a" and payload[40:41] == b"\x88"
        case _:
            return False


def _address(value: object) -> str:
    """Return an address in its usual form; empty for anything else."""
    try:
        return str(ipaddress.ip_address(value)) if isinstance(value, str) else ""
    except ValueError:
        return ""


def _network(address: object, mask: object) -> str:
    try:
        return str(ipaddress.IPv4Network(f"{address}/{mask}", strict=False))
    except ValueError:
        return ""
