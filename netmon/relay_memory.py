"""What the relay remembers beside its cursor: the database's start, given-up lines."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

_KEPT_SKIPS = 50
_encode = msgspec.json.Encoder().encode


class Skipped(Struct, frozen=True):
    """A line the database will never take: given up, and remembered."""

    chunk_id: int
    line: str
    reason: str
    at_ms: int


class Memory(Struct, frozen=True):
    """What the relay remembers beside its cursor, for as long as the store lives.

    ``started_at_s`` is the database's start time when last seen, None while it
    was never told. ``skipped`` holds the newest given-up lines, oldest first.
    """

    started_at_s: float | None = None
    skipped_total: int = 0
    skipped: tuple[Skipped, ...] = ()


def remember_skips(memory: Memory, refused: Sequence[Skipped]) -> Memory:
    """Return the memory with newly given-up lines; those sent again count once."""
    known = {(skip.chunk_id, skip.line) for skip in memory.skipped}
    new = [skip for skip in refused if (skip.chunk_id, skip.line) not in known]
    return msgspec.structs.replace(
        memory,
        skipped_total=memory.skipped_total + len(new),
        skipped=(*memory.skipped, *new)[-_KEPT_SKIPS:],
    )


def decode_memory(text: str) -> Memory:
    """Return what a cursor's memory holds; an empty memory for an empty text."""
    return msgspec.json.decode(text, type=Memory) if text else Memory()


def encode_memory(memory: Memory) -> str:
    """Return the text a cursor keeps."""
    return _encode(memory).decode()
