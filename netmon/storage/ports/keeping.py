"""The ports to what is kept: senders, cursors, inventories, years, signs of life."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from netmon.storage.action_records import Actor, AuditAction
from netmon.storage.records import (
    Cursor,
    Heartbeat,
    InventoryVersion,
    Snapshot,
    Source,
    SourceKind,
)


class SourceStore(Protocol):
    """Senders and their tokens; only the hash of a token is ever kept."""

    def create(
        self,
        name: str,
        kind: SourceKind,
        building_id: str | None,
        token_sha256: str,
        *,
        generated: bool = False,
    ) -> Source:
        """Create a sender, or give an existing one a new token."""

    def by_token(self, token_sha256: str) -> Source | None:
        """Return the sender of a token; None for unknown or revoked ones."""

    def revoke(self, name: str) -> bool:
        """Make the sender's token worthless; False where there is no sender."""

    def all(self) -> list[Source]:
        """Return all senders that are not revoked, by name."""


class CursorStore(Protocol):
    """How far each reader has come."""

    def get(self, reader: str) -> Cursor:
        """Return a reader's cursor; position 0 for a new reader."""

    def set(
        self, reader: str, position: int, now_ms: int, memory: str | None = None
    ) -> None:
        """Move a reader's cursor; ``memory`` None keeps what it remembers."""

    def forget(self, reader: str) -> bool:
        """Forget a reader and its deliveries; False where there is none of the name."""

    def log_delivery(self, reader: str, position: int, now_ms: int) -> None:
        """Move the cursor, also back, and note when that position was reached."""

    def delivered_before(self, reader: str, at_ms: int) -> int | None:
        """Return up to where everything was delivered before a time.

        A position that the cursor was moved back behind since then counts no
        longer. None if nothing is known from before that time.
        """

    def prune_deliveries(self, reader: str, before_ms: int) -> None:
        """Forget deliveries before a time, but the newest of them."""


class InventoryStore(Protocol):
    """Imported inventories, each a version kept for good."""

    def save(self, sha256: str, body: bytes, now_ms: int) -> InventoryVersion:
        """Store a new version; the same content again returns the current one."""

    def current(self) -> InventoryVersion | None:
        """Return the newest version; None before the first import."""

    def current_id(self) -> int | None:
        """Return the id of the newest version; None before the first import."""


class SnapshotStore(Protocol):
    """Frozen years of the annual report."""

    def save(self, snapshot: Snapshot, actor: Actor, done: AuditAction) -> None:
        """Store a year and that somebody did; StorageError if it is frozen already."""

    def load(self, year: int) -> Snapshot | None:
        """Return a frozen year; None where there is none."""

    def years(self) -> list[int]:
        """Return the frozen years in order."""


class HeartbeatStore(Protocol):
    """Signs of life of netmon's own processes."""

    def beat(
        self, process: str, now_ms: int, figures: Mapping[str, float], note: str = ""
    ) -> None:
        """Note that a process lives, with its figures."""

    def all(self) -> list[Heartbeat]:
        """Return the last sign of life of each process."""
