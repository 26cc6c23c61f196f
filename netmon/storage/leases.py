"""The room of leases on SQLite: what runs and who waits, safe from a restart."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

import msgspec

from netmon.storage.database import Database
from netmon.storage.lease_records import Lease, LeaseBook, LeaseChange, Waiting

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode
_decode_lease = msgspec.json.Decoder(Lease).decode
_decode_waiting = msgspec.json.Decoder(Waiting).decode


def _read(connection: sqlite3.Connection, now_ms: int) -> LeaseBook:
    active = connection.execute(
        "SELECT body FROM leases WHERE expires_ms > ? ORDER BY granted_ms, id",
        (now_ms,),
    )
    waiting = connection.execute(
        "SELECT body FROM lease_requests ORDER BY since_ms, probe, line_id"
    )
    return LeaseBook(
        tuple(_decode_lease(row[0]) for row in active),
        tuple(_decode_waiting(row[0]) for row in waiting),
    )


def _grant(connection: sqlite3.Connection, lease: Lease) -> None:
    connection.execute(
        "INSERT INTO leases (id, building_id, granted_ms, expires_ms, body) "
        "VALUES (?,?,?,?,?)",
        (
            lease.id,
            lease.request.building_id,
            lease.granted_ms,
            lease.expires_ms,
            _encode(lease),
        ),
    )
    connection.execute(
        "DELETE FROM lease_requests WHERE probe = ? AND line_id = ?",
        lease.request.place,
    )


def _wait(connection: sqlite3.Connection, waiting: Waiting) -> None:
    connection.execute(
        "INSERT INTO lease_requests (probe, line_id, since_ms, due_ms, body) "
        "VALUES (?,?,?,?,?) ON CONFLICT (probe, line_id) DO UPDATE SET "
        "since_ms = excluded.since_ms, due_ms = excluded.due_ms, body = excluded.body",
        (
            *waiting.request.place,
            waiting.since_ms,
            waiting.due_ms,
            _encode(waiting),
        ),
    )


class SqliteLeases:
    """`netmon.storage.ports.LeaseStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def settle(
        self,
        now_ms: int,
        forget_before_ms: int,
        decide: Callable[[LeaseBook], tuple[LeaseChange, T]],
    ) -> T:
        """Decide on the book and write the change in ONE transaction; see the port."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM leases WHERE expires_ms <= ?", (now_ms,))
            connection.execute(
                "DELETE FROM lease_requests WHERE due_ms <= ?", (forget_before_ms,)
            )
            done, answer = decide(_read(connection, now_ms))
            if done.grant is not None:
                _grant(connection, done.grant)
            if done.wait is not None:
                _wait(connection, done.wait)
        return answer

    def book(self, now_ms: int) -> LeaseBook:
        """Return what runs and who waits; see the port."""
        with self._database.reading() as connection:
            return _read(connection, now_ms)

    def release(self, lease_id: str, building_id: str) -> bool:
        """End a lease of a building; see the port."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "DELETE FROM leases WHERE id = ? AND building_id = ?",
                (lease_id, building_id),
            )
            return cursor.rowcount == 1
