"""Threads of incidents that are told together, on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from netmon.storage.database import Database
from netmon.storage.keeping import set_cursor
from netmon.storage.records import (
    Incident,
    Mail,
    Thread,
    ThreadLevel,
    ThreadMember,
    ThreadNews,
)

_INCIDENT = (
    "i.id, i.rule, i.target, i.building_id, i.started_ms, i.ended_ms, i.evidence"
)


class SqliteThreads:
    """`netmon.storage.ports.ThreadStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> list[Thread]:
        """Return the threads that are not closed; see the port."""
        rows = self._database.rows(
            "SELECT id, level, key, opened_ms, memory FROM threads "
            "WHERE closed_ms IS NULL ORDER BY id"
        )
        return [
            Thread(
                id=row[0],
                level=ThreadLevel(row[1]),
                key=row[2],
                opened_ms=row[3],
                memory=row[4],
            )
            for row in rows
        ]

    def members(self) -> list[ThreadMember]:
        """Return the members of all open threads; see the port."""
        rows = self._database.rows(
            "SELECT m.thread_id, i.id, i.rule, i.target, i.building_id, i.started_ms, "
            "i.ended_ms, m.added_ms FROM threads t "
            "JOIN thread_members m ON m.thread_id = t.id "
            "JOIN incidents i ON i.id = m.incident_id "
            "WHERE t.closed_ms IS NULL ORDER BY m.thread_id, m.added_ms, i.id"
        )
        fields = ThreadMember.__struct_fields__
        return [ThreadMember(**dict(zip(fields, row, strict=True))) for row in rows]

    def incidents(self, thread_id: int) -> list[Incident]:
        """Return the members of a thread; see the port."""
        rows = self._database.rows(
            f"SELECT {_INCIDENT} FROM thread_members m "  # noqa: S608
            "JOIN incidents i ON i.id = m.incident_id "
            "WHERE m.thread_id = ? ORDER BY m.added_ms, i.id",
            thread_id,
        )
        return [_incident(row) for row in rows]

    def untold(self) -> list[Incident]:
        """Return the open incidents that are in no thread; see the port."""
        rows = self._database.rows(
            f"SELECT {_INCIDENT} FROM incidents i "  # noqa: S608
            "LEFT JOIN thread_members m ON m.incident_id = i.id "
            "WHERE i.ended_ms IS NULL AND m.thread_id IS NULL ORDER BY i.id"
        )
        return [_incident(row) for row in rows]

    def ended(self, after_ms: int, until_ms: int) -> list[tuple[Incident, int | None]]:
        """Return what ended meanwhile; see the port."""
        rows = self._database.rows(
            f"SELECT {_INCIDENT}, m.thread_id FROM incidents i "  # noqa: S608
            "LEFT JOIN thread_members m ON m.incident_id = i.id "
            "WHERE i.ended_ms > ? AND i.ended_ms <= ? ORDER BY i.id",
            after_ms,
            until_ms,
        )
        return [(_incident(row), row[7]) for row in rows]

    def tell(
        self,
        news: Sequence[ThreadNews],
        *,
        reader: str,
        position: int,
        now_ms: int,
        memory: str,
    ) -> list[int | None]:
        """Write threads, members, mails and cursor in one transaction; see the port."""
        with self._database.transaction() as connection:
            ids = [_write(connection, one, now_ms) for one in news]
            set_cursor(connection, reader, position, now_ms, memory)
            return ids


def _write(connection: sqlite3.Connection, news: ThreadNews, now_ms: int) -> int | None:
    thread = news.thread
    thread_id = None if thread is None else thread.id
    if thread is None:
        pass
    elif thread_id:
        connection.execute(
            "UPDATE threads SET closed_ms = ?, memory = ? WHERE id = ?",
            (thread.closed_ms, thread.memory, thread_id),
        )
    else:
        cursor = connection.execute(
            "INSERT INTO threads (level, key, opened_ms, closed_ms, memory) "
            "VALUES (?,?,?,?,?)",
            (
                thread.level,
                thread.key,
                thread.opened_ms,
                thread.closed_ms,
                thread.memory,
            ),
        )
        thread_id = int(cursor.lastrowid or 0)
    connection.executemany(
        "INSERT INTO thread_members (incident_id, thread_id, added_ms) VALUES (?,?,?)",
        [(incident_id, thread_id, now_ms) for incident_id in news.joined],
    )
    connection.executemany(
        "INSERT INTO mails (incident_id, event, number, recipient, thread_id, "
        "message_id, in_reply_to, subject, text, html, created_ms, next_try_ms, "
        "unwritten) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT (incident_id, event, number, recipient) DO NOTHING",
        [_row(mail, thread_id) for mail in news.mails],
    )
    return thread_id


def _row(mail: Mail, thread_id: int | None) -> tuple[object, ...]:
    return (
        mail.incident_id,
        mail.event,
        mail.number,
        mail.recipient,
        thread_id,
        mail.message_id,
        mail.in_reply_to,
        mail.subject,
        mail.text,
        mail.html,
        mail.created_ms,
        mail.next_try_ms,
        mail.unwritten,
    )


def _incident(row: Sequence[Any]) -> Incident:
    # Thousands in a storm: no detour by a checked dict.
    return Incident(
        id=row[0],
        rule=row[1],
        target=row[2],
        building_id=row[3],
        started_ms=row[4],
        ended_ms=row[5],
        evidence=row[6],
    )
