"""Ethernet frames as bytes: what is in the header, and texts that devices send."""

from __future__ import annotations

from typing import NamedTuple

ETHERTYPE_LLDP = 0x88CC
_TAGS = (0x8100, 0x88A8)
# IEEE 802.3: below this the field is a length and LLC follows.
FIRST_ETHERTYPE = 0x0600
_TEXT_CHARS = 64


class Frame(NamedTuple):
    """A frame without its header; ``vlan`` is None where it came untagged.

    Tag 0 carries a priority only (IEEE 802.1Q): such a frame is untagged.
    ``kind`` is the EtherType, or a length where it is below 0x600.
    """

    vlan: int | None
    kind: int
    payload: bytes


def split(frame: bytes) -> Frame | None:
    """Return the parts of a frame; None for one too short to have them."""
    vlan = None
    at = 12
    while True:
        if len(frame) < at + 2:
            return None
        kind = int.from_bytes(frame[at : at + 2], "big")
        if kind not in _TAGS:
            return Frame(vlan, kind, frame[at + 2 :])
        if len(frame) < at + 4:
            return None
        if vlan is None:  # the outer tag is the one the port sees
            vlan = int.from_bytes(frame[at + 2 : at + 4], "big") & 0x0FFF or None
        at += 4


def clean(text: bytes) -> str:
    """Return a device's text for the screen: printable, on one line, not endless."""
    said = text.split(b"\0", 1)[0].decode("utf-8", "replace")
    said = "".join(char if char.isprintable() else " " for char in said)
    return " ".join(said.split())[:_TEXT_CHARS]
