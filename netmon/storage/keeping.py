"""The small rooms of the store on SQLite: senders, cursors, inventories, years, beats."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

import msgspec

from netmon.errors import StorageError
from netmon.storage.action_records import Actor, AuditAction
from netmon.storage.actions import note
from netmon.storage.database import Database
from netmon.storage.records import (
    Cursor,
    Heartbeat,
    InventoryVersion,
    Snapshot,
    Source,
    SourceKind,
)

_SOURCE = "id, name, kind, building_id, generated, last_seen_ms, clock_offset_ms, agent"
_json = msgspec.json.Encoder(order="sorted").encode


def set_cursor(
    connection: sqlite3.Connection,
    reader: str,
    position: int,
    now_ms: int,
    memory: str | None,
) -> None:
    """Move a reader's cursor inside the caller's transaction."""
    connection.execute(
        "INSERT INTO cursors (reader, position, updated_ms, memory) VALUES (?,?,?,?) "
        "ON CONFLICT (reader) DO UPDATE SET position = excluded.position, "
        "updated_ms = excluded.updated_ms, memory = coalesce(?, memory)",
        (reader, position, now_ms, memory or "", memory),
    )


def _source(row: Sequence[object]) -> Source:
    names = [name.strip() for name in _SOURCE.split(",")]
    fields = dict(zip(names, row, strict=True))
    return msgspec.convert({**fields, "generated": bool(fields["generated"])}, Source)


class SqliteSources:
    """`netmon.storage.ports.SourceStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        name: str,
        kind: SourceKind,
        building_id: str | None,
        token_sha256: str,
        *,
        generated: bool = False,
    ) -> Source:
        """Create a sender, or give an existing one a new token; see the port."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO sources (name, kind, building_id, token_sha256, "  # noqa: S608
                "generated) VALUES (?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET "
                "kind = excluded.kind, building_id = excluded.building_id, "
                "token_sha256 = excluded.token_sha256, "
                f"generated = excluded.generated RETURNING {_SOURCE}",
                (name, kind, building_id, token_sha256, generated),
            ).fetchone()
        return _source(row)

    def by_token(self, token_sha256: str) -> Source | None:
        """Return the sender of a token; see the port."""
        row = self._database.row(
            f"SELECT {_SOURCE} FROM sources WHERE token_sha256 = ?",  # noqa: S608
            token_sha256,
        )
        return None if row is None else _source(row)

    def revoke(self, name: str) -> bool:
        """Make the sender's token worthless; see the port."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "UPDATE sources SET token_sha256 = NULL WHERE name = ? "
                "AND token_sha256 IS NOT NULL",
                (name,),
            )
            return cursor.rowcount == 1

    def all(self) -> list[Source]:
        """Return all senders that are not revoked; see the port."""
        rows = self._database.rows(
            f"SELECT {_SOURCE} FROM sources "  # noqa: S608
            "WHERE token_sha256 IS NOT NULL ORDER BY name"
        )
        return [_source(row) for row in rows]


class SqliteCursors:
    """`netmon.storage.ports.CursorStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, reader: str) -> Cursor:
        """Return a reader's cursor; see the port."""
        row = self._database.row(
            "SELECT position, updated_ms, memory FROM cursors WHERE reader = ?",
            reader,
        )
        position, updated_ms, memory = row or (0, 0, "")
        return Cursor(
            reader=reader, position=position, updated_ms=updated_ms, memory=memory
        )

    def set(
        self, reader: str, position: int, now_ms: int, memory: str | None = None
    ) -> None:
        """Move a reader's cursor; see the port."""
        with self._database.transaction() as connection:
            set_cursor(connection, reader, position, now_ms, memory)

    def forget(self, reader: str) -> bool:
        """Forget a reader; see the port."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM deliveries WHERE reader = ?", (reader,))
            gone = connection.execute("DELETE FROM cursors WHERE reader = ?", (reader,))
            return gone.rowcount == 1

    def log_delivery(self, reader: str, position: int, now_ms: int) -> None:
        """Move the cursor and note the delivery; see the port."""
        with self._database.transaction() as connection:
            set_cursor(connection, reader, position, now_ms, None)
            connection.execute(
                "INSERT OR IGNORE INTO deliveries VALUES (?,?,?)",
                (reader, position, now_ms),
            )

    def delivered_before(self, reader: str, at_ms: int) -> int | None:
        """Return up to where all was delivered before a time; see the port."""
        (row,) = self._database.rows(
            "SELECT min(position) FROM deliveries WHERE reader = ? "
            "AND delivered_ms >= (SELECT max(delivered_ms) FROM deliveries "
            "WHERE reader = ? AND delivered_ms < ?)",
            reader,
            reader,
            at_ms,
        )
        return None if row[0] is None else int(row[0])

    def prune_deliveries(self, reader: str, before_ms: int) -> None:
        """Forget old deliveries but the newest of them; see the port."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM deliveries WHERE reader = ? AND delivered_ms < "
                "(SELECT max(delivered_ms) FROM deliveries "
                "WHERE reader = ? AND delivered_ms < ?)",
                (reader, reader, before_ms),
            )


class SqliteInventories:
    """`netmon.storage.ports.InventoryStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, sha256: str, body: bytes, now_ms: int) -> InventoryVersion:
        """Store a new version; see the port."""
        current = self.current()
        if current is not None and current.sha256 == sha256:
            return current
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO inventories (imported_ms, sha256, body) VALUES (?,?,?)",
                (now_ms, sha256, body),
            )
        return InventoryVersion(
            id=int(cursor.lastrowid or 0),
            imported_ms=now_ms,
            sha256=sha256,
            body=body,
        )

    def current(self) -> InventoryVersion | None:
        """Return the newest version; see the port."""
        row = self._database.row(
            "SELECT id, imported_ms, sha256, body FROM inventories "
            "ORDER BY id DESC LIMIT 1"
        )
        if row is None:
            return None
        return InventoryVersion(
            id=row[0], imported_ms=row[1], sha256=row[2], body=row[3]
        )

    def current_id(self) -> int | None:
        """Return the id of the newest version; see the port."""
        (row,) = self._database.rows("SELECT max(id) FROM inventories")
        return None if row[0] is None else int(row[0])


class SqliteSnapshots:
    """`netmon.storage.ports.SnapshotStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, snapshot: Snapshot, actor: Actor, done: AuditAction) -> None:
        """Store a year; see the port."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO snapshots VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
                (
                    snapshot.year,
                    snapshot.frozen_ms,
                    snapshot.sha256,
                    snapshot.body,
                ),
            )
            if cursor.rowcount == 0:
                raise StorageError(f"the year {snapshot.year} is frozen already")
            subject = f"year:{snapshot.year}"
            at_ms, detail = snapshot.frozen_ms, f"SHA-256 {snapshot.sha256}"
            note(connection, actor, done, subject, at_ms, detail)

    def load(self, year: int) -> Snapshot | None:
        """Return a frozen year; see the port."""
        row = self._database.row(
            "SELECT year, frozen_ms, sha256, body FROM snapshots WHERE year = ?",
            year,
        )
        if row is None:
            return None
        return Snapshot(year=row[0], frozen_ms=row[1], sha256=row[2], body=row[3])

    def years(self) -> list[int]:
        """Return the frozen years in order."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT year FROM snapshots ORDER BY year")
            return [int(row[0]) for row in rows]


class SqliteHeartbeats:
    """`netmon.storage.ports.HeartbeatStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(
        self, process: str, now_ms: int, figures: Mapping[str, float], note: str = ""
    ) -> None:
        """Note that a process lives; see the port."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO heartbeats VALUES (?,?,?,?) "
                "ON CONFLICT (process) DO UPDATE SET at_ms = excluded.at_ms, "
                "figures = excluded.figures, note = excluded.note",
                (process, now_ms, _json(dict(figures)).decode(), note),
            )

    def all(self) -> list[Heartbeat]:
        """Return the last sign of life of each process."""
        rows = self._database.rows(
            "SELECT process, at_ms, figures, note FROM heartbeats ORDER BY process"
        )
        return [
            Heartbeat(
                process=row[0],
                at_ms=row[1],
                figures=msgspec.json.decode(row[2], type=dict[str, float]),
                note=row[3],
            )
            for row in rows
        ]
