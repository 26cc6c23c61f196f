"""What a switch tells about the port a socket leads to, by LLDP or CDP.

The TLVs are walked here and not by scapy's layers: from those, one TLV that is too
short hides all after it (scapy 2.8). Sources: IEEE 802.1AB-2016 clause 8 and
annexes D (802.1) and E (802.3 in IEEE 802.3-2018 clause 79), ANSI/TIA-1057 (LLDP-MED);
CDP as Wireshark's packet-cdp.c and Cisco's documents describe it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from probes.onsite.frames import ETHERTYPE_LLDP, FIRST_ETHERTYPE, clean, split

_CDP_LLC = b"\xaa\xaa\x03\x00\x00\x0c\x20\x00"
# IEEE 802.1AB table 8-4 and CDP's capabilities: what forwards frames.
_LLDP_FORWARDS = 1 << 2 | 1 << 4  # bridge, router; not an access point
# Telephone, cable modem, station: most telephones bridge a computer behind them.
_LLDP_ENDS = 1 << 5 | 1 << 6 | 1 << 7
_CDP_FORWARDS = 0x01 | 0x02 | 0x04 | 0x08  # router, two kinds of bridge, switch
# IANA-MAU-MIB: operational MAU types of copper ports; others are not told here.
_MAU_BPS = {10: 1e7, 11: 1e7, 15: 1e8, 16: 1e8, 29: 1e9, 30: 1e9, 54: 1e10}
_MOST_POE_W = 100.0  # 802.3bt type 4 gives 90 W at the port


class Neighbour(Struct, frozen=True, kw_only=True):
    """What one frame said. None and empty texts: it was not told.

    ``forwards`` is whether the neighbour is a switch or router. ``poe`` is whether
    the port gives power, ``power_w`` how much at most.
    """

    protocol: Literal["lldp", "cdp"]
    switch: str = ""
    port: str = ""
    port_text: str = ""
    forwards: bool | None = None
    vlan: int | None = None
    voice_vlan: int | None = None
    speed_bps: float | None = None
    poe: bool | None = None
    power_w: float | None = None


def decode(frame: bytes) -> Neighbour | None:
    """Return what a frame says; None for other frames, broken ones and farewells."""
    parts = split(frame)
    if parts is None:
        return None
    if parts.kind == ETHERTYPE_LLDP:
        return _lldp(parts.payload)
    if parts.kind < FIRST_ETHERTYPE and parts.payload.startswith(_CDP_LLC):
        return _cdp(parts.payload[len(_CDP_LLC) : parts.kind])
    return None


def port_number(port: str) -> str:
    """Return the number printed beside the port: ``GigabitEthernet1/0/17`` is 17.

    A name that does not say it is returned as it is (``Trk1``, ``1/0/49:1``).
    """
    match = re.fullmatch(
        r"(?:.*/|(?:gi|fa|te|ge|port|swp)[ -]?)?(\d+)", port, re.IGNORECASE
    )
    return match.group(1) if match else port


def _lldp(data: bytes) -> Neighbour | None:
    told = Neighbour(protocol="lldp")
    seen = set()
    for kind, value in _lldp_tlvs(data):
        seen.add(kind)
        match kind:
            case 2 if value[:1] not in (b"\x03", b"\x04"):  # those are addresses
                told = replace(told, port=clean(value[1:]))
            case 3 if value[:2] == b"\0\0":  # lifetime 0: the port says goodbye
                return None
            case 4:
                told = replace(told, port_text=clean(value))
            case 5:
                told = replace(told, switch=clean(value))
            case 7 if len(value) >= 4:
                enabled = int.from_bytes(value[2:4], "big")
                forwards = bool(enabled & _LLDP_FORWARDS and not enabled & _LLDP_ENDS)
                told = replace(told, forwards=forwards)
            case 127 if len(value) >= 4:
                told = _organisation(told, value[:3], value[3], value[4:])
            case _:
                pass
    # Chassis, port and lifetime are what makes it LLDP (IEEE 802.1AB 8.5).
    return told if seen >= {1, 2, 3} else None


def _lldp_tlvs(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give type and value until the end, or where the frame was cut short."""
    at = 0
    while at + 2 <= len(data):
        head = int.from_bytes(data[at : at + 2], "big")
        kind, size = head >> 9, head & 0x1FF
        value = data[at + 2 : at + 2 + size]
        if kind == 0 or len(value) < size:
            return
        yield kind, value
        at += 2 + size


def _organisation(told: Neighbour, who: bytes, kind: int, value: bytes) -> Neighbour:
    """Read the TLVs of IEEE 802.1 (00-80-C2), IEEE 802.3 (00-12-0F), TIA (00-12-BB)."""
    match (who, kind):
        case (b"\x00\x80\xc2", 1) if len(value) >= 2:  # port VLAN id; 0: has none
            return replace(told, vlan=_vlan(value[:2]))
        case (b"\x00\x12\x0f", 1) if len(value) >= 5:
            mau = int.from_bytes(value[3:5], "big")
            return replace(told, speed_bps=_MAU_BPS.get(mau))
        case (b"\x00\x12\x0f", 2) if len(value) >= 3:
            return _power_via_mdi(told, value)
        case (b"\x00\x12\xbb", 2) if len(value) >= 4 and value[0] == 1:
            # Application 1 is voice; U, T, X bits, 12 bits VLAN, priorities.
            policy = int.from_bytes(value[1:4], "big")
            tagged, vlan = policy >> 22 & 1, policy >> 9 & 0x0FFF
            return replace(told, voice_vlan=vlan if tagged and vlan else None)
        case (b"\x00\x12\xbb", 4) if len(value) >= 3 and value[0] >> 6 == 0:  # a PSE
            return _powered(told, int.from_bytes(value[1:3], "big") / 10)
        case _:
            return told


def _power_via_mdi(told: Neighbour, value: bytes) -> Neighbour:
    """IEEE 802.3 79.3.2: bit 0 is a power source, bit 1 able to, bit 2 switched on."""
    support = value[0]
    if not support & 1:
        return told
    is_on = support & 0b110 == 0b110
    told = replace(told, poe=is_on)
    if is_on and len(value) >= 8:
        return _powered(told, int.from_bytes(value[6:8], "big") / 10)
    return told


def _powered(told: Neighbour, power_w: float) -> Neighbour:
    if 0 < power_w <= _MOST_POE_W:
        return replace(told, poe=True, power_w=power_w)
    return told


def _cdp(data: bytes) -> Neighbour | None:
    """Version, lifetime, checksum, TLVs; the checksum has known wrong senders."""
    told = Neighbour(protocol="cdp")
    at = 4
    seen = set()
    while at + 4 <= len(data):
        kind = int.from_bytes(data[at : at + 2], "big")
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        value = data[at + 4 : at + size]
        if size < 4 or len(value) < size - 4:
            break
        seen.add(kind)
        told = _cdp_part(told, kind, value)
        at += size
    return told if {1, 3} <= seen and data[1:2] != b"\0" else None


def _cdp_part(told: Neighbour, kind: int, value: bytes) -> Neighbour:
    match kind:
        case 0x01:
            told = replace(told, switch=clean(value))
        case 0x03:
            told = replace(told, port=clean(value))
        case 0x04 if len(value) >= 4:
            able = int.from_bytes(value[:4], "big")
            told = replace(told, forwards=bool(able & _CDP_FORWARDS))
        case 0x0A if len(value) >= 2:
            told = replace(told, vlan=_vlan(value[:2]))
        case 0x0E if len(value) >= 3:
            told = replace(told, voice_vlan=_vlan(value[1:3]))
        case 0x1A if len(value) >= 8:  # request id, management id, milliwatts
            told = _powered(told, int.from_bytes(value[4:8], "big") / 1000)
        case _:
            pass
    return told


def _vlan(value: bytes) -> int | None:
    vlan = int.from_bytes(value, "big")
    return vlan if 1 <= vlan <= 4094 else None
