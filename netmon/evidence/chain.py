"""A chain of records in which each hash covers all before it; pure.

The hash of a link is SHA-256 over the hash before it (hex), a line break and the
record's text in UTF-8. What is hashed is the text itself, so whoever checks needs no
rule for how numbers or keys are written. A record's text is JSON with sorted keys.

The chain shows that nothing was changed after its last hash (the head) was handed to
somebody. It cannot show that the first writer told the truth.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netmon.storage.campaign_records import ChainEntry

# What stands before the first link.
GENESIS = "0" * 64


def canonical(record: Mapping[str, Any]) -> str:
    """Return the record as JSON: sorted keys, no blanks, no NaN.

    Raises:
        ValueError: a number is not finite.
    """
    return json.dumps(
        record,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )


def link_hash(previous: str, record: str) -> str:
    """Return the hash of a record's text after a hash."""
    return hashlib.sha256(f"{previous}\n{record}".encode()).hexdigest()


def extend(
    last: ChainEntry | None, records: Iterable[Mapping[str, Any]]
) -> list[ChainEntry]:
    """Return the links for records after a link (None: a new chain)."""
    number = -1 if last is None else last.number
    previous = GENESIS if last is None else last.sha256
    made = []
    for record in records:
        text = canonical(record)
        number += 1
        entry = ChainEntry(
            number=number,
            record=text,
            previous=previous,
            sha256=link_hash(previous, text),
        )
        previous = entry.sha256
        made.append(entry)
    return made


@dataclass(frozen=True, slots=True)
class Break:
    """The first link that does not hold, and why.

    ``why`` is ``number`` (one is missing or moved), ``previous`` (it does not
    follow from the one before) or ``sha256`` (its text was changed).
    """

    number: int
    why: str


def first_break(entries: Sequence[ChainEntry]) -> Break | None:
    """Return where a chain is broken; None where every link holds."""
    previous = GENESIS
    for number, entry in enumerate(entries):
        if entry.number != number:
            return Break(number, "number")
        if entry.previous != previous:
            return Break(number, "previous")
        if entry.sha256 != link_hash(previous, entry.record):
            return Break(number, "sha256")
        previous = entry.sha256
    return None


def head(entries: Sequence[ChainEntry]) -> str:
    """Return the last hash, which stands for the whole chain."""
    return entries[-1].sha256 if entries else GENESIS
