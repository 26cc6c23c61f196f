"""How many objects fit one question: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from collectors.base import oid_key

# 1,500 octets of Ethernet less IP and UDP, less the head of an SNMPv3 message.
MAX_REPLY_BYTES = 1_350
# Tags and lengths of a binding, and a Counter64 at its longest.
_VALUE_BYTES = 2 + 2 + 11


def packed(oids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield objects together whose values fit one datagram, each object once."""
    part: list[str] = []
    size = 0
    for oid in dict.fromkeys(oids):
        # Sub-identifiers take an octet for each seven bits (X.690).
        name = sum(1 + (number.bit_length() - 1) // 7 for number in oid_key(oid))
        needed = name + _VALUE_BYTES
        if part and size + needed > MAX_REPLY_BYTES:
            yield tuple(part)
            part, size = [], 0
        part.append(oid)
        size += needed
    if part:
        yield tuple(part)
