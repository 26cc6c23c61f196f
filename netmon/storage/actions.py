"""What people decide about alarms, on SQLite: each action with its audit row."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from netmon.storage.action_records import (
    Actor,
    AuditAction,
    AuditEntry,
    Maintenance,
    Mark,
    Operator,
    RuleQuality,
    Silence,
    ToldMail,
    incident_subject,
)
from netmon.storage.database import Database

_T = TypeVar("_T")
_Ended = TypeVar("_Ended", Maintenance, Silence)

_encode = msgspec.json.Encoder().encode
_maintenance = msgspec.json.Decoder(Maintenance).decode
_silence = msgspec.json.Decoder(Silence).decode
_AUDIT = "id, at_ms, author, via, action, subject, detail"
_OPERATOR = "id, name, created_ms"


def _rows(kind: type[_T], names: str, rows: Sequence[Sequence[object]]) -> list[_T]:
    fields = names.split(", ")
    return [msgspec.convert(dict(zip(fields, row, strict=True)), kind) for row in rows]


def note(
    connection: sqlite3.Connection,
    actor: Actor,
    action: AuditAction,
    subject: str,
    at_ms: int,
    detail: str,
) -> None:
    """Add the audit row inside the caller's transaction."""
    connection.execute(
        "INSERT INTO audit (at_ms, author, via, action, subject, detail) "
        "VALUES (?,?,?,?,?,?)",
        (at_ms, actor.name, actor.via, action, subject, detail),
    )


class SqliteActions:
    """`netmon.storage.ports.ActionStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_maintenance(self, window: Maintenance, actor: Actor) -> Maintenance:
        """Store a window; see the port."""
        with self._database.transaction() as connection:
            stored = replace(window, id=_insert(connection, "maintenance", window))
            subject = f"maintenance:{stored.id}"
            detail = f"{window.scope}={window.value}: {window.reason}"
            done = AuditAction.MAINTENANCE_ADDED
            note(connection, actor, done, subject, window.created_ms, detail)
        return stored

    def cancel_maintenance(self, window_id: int, actor: Actor, now_ms: int) -> bool:
        """End a window before its time; see the port."""
        with self._database.transaction() as connection:
            body = _open(connection, "maintenance", window_id, now_ms)
            if body is None:
                return False
            _end(
                connection, "maintenance", _maintenance(body), window_id, actor, now_ms
            )
            done = AuditAction.MAINTENANCE_CANCELLED
            note(connection, actor, done, f"maintenance:{window_id}", now_ms, "")
        return True

    def maintenance(self, *, ends_after_ms: int | None = None) -> list[Maintenance]:
        """Return windows, newest first; see the port."""
        rows = self._listed("maintenance", ends_after_ms)
        return [replace(_maintenance(row[1]), id=row[0]) for row in rows]

    def add_silence(self, silence: Silence, actor: Actor) -> Silence:
        """Store a silence; see the port."""
        with self._database.transaction() as connection:
            stored = replace(silence, id=_insert(connection, "silences", silence))
            subject = f"silence:{stored.id}"
            detail = f"{', '.join(map(str, silence.matchers))}: {silence.reason}"
            done = AuditAction.SILENCE_ADDED
            note(connection, actor, done, subject, silence.created_ms, detail)
        return stored

    def end_silence(self, silence_id: int, actor: Actor, now_ms: int) -> bool:
        """End a silence before its time; see the port."""
        with self._database.transaction() as connection:
            body = _open(connection, "silences", silence_id, now_ms)
            if body is None:
                return False
            _end(connection, "silences", _silence(body), silence_id, actor, now_ms)
            done = AuditAction.SILENCE_ENDED
            note(connection, actor, done, f"silence:{silence_id}", now_ms, "")
        return True

    def silences(self, *, ends_after_ms: int | None = None) -> list[Silence]:
        """Return silences, newest first; see the port."""
        rows = self._listed("silences", ends_after_ms)
        return [replace(_silence(row[1]), id=row[0]) for row in rows]

    def _listed(self, table: str, ends_after_ms: int | None) -> list[Sequence[Any]]:
        if ends_after_ms is None:
            return self._database.rows(f"SELECT id, body FROM {table} ORDER BY id DESC")  # noqa: S608
        return self._database.rows(
            f"SELECT id, body FROM {table} WHERE cancelled_ms IS NULL "  # noqa: S608
            "AND ends_ms > ? ORDER BY id DESC",
            ends_after_ms,
        )

    def acknowledge(self, mark: Mark, actor: Actor) -> bool:
        """Note that somebody sees to an open incident; see the port."""
        with self._database.transaction() as connection:
            if not _exists(connection, mark.incident_id, "AND ended_ms IS NULL"):
                return False
            _put_mark(connection, "acknowledgements", mark)
            subject = incident_subject(mark.incident_id)
            done = AuditAction.ACKNOWLEDGED
            note(connection, actor, done, subject, mark.at_ms, mark.note)
        return True

    def unacknowledge(self, incident_id: int, actor: Actor, now_ms: int) -> bool:
        """Take an acknowledgement back; see the port."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "DELETE FROM acknowledgements WHERE incident_id = ?", (incident_id,)
            )
            if cursor.rowcount != 1:
                return False
            subject = incident_subject(incident_id)
            note(connection, actor, AuditAction.UNACKNOWLEDGED, subject, now_ms, "")
        return True

    def mark_false(self, mark: Mark, actor: Actor) -> bool:
        """Note that an incident was a false alarm; see the port."""
        with self._database.transaction() as connection:
            if not _exists(connection, mark.incident_id):
                return False
            _put_mark(connection, "false_marks", mark)
            subject = incident_subject(mark.incident_id)
            done = AuditAction.MARKED_FALSE
            note(connection, actor, done, subject, mark.at_ms, mark.note)
        return True

    def acknowledgements(self, *, open_only: bool = False) -> Mapping[int, Mark]:
        """Return acknowledgements by incident; see the port."""
        return self._marks("acknowledgements", open_only=open_only)

    def false_marks(self) -> Mapping[int, Mark]:
        """Return false alarms by incident; see the port."""
        return self._marks("false_marks", open_only=False)

    def _marks(self, table: str, *, open_only: bool) -> Mapping[int, Mark]:
        names = "incident_id, at_ms, author, note"
        where = "WHERE incident_id IN (SELECT id FROM incidents WHERE ended_ms IS NULL)"
        rows = self._database.rows(
            f"SELECT {names} FROM {table} {where if open_only else ''}"  # noqa: S608
        )
        return {mark.incident_id: mark for mark in _rows(Mark, names, rows)}

    def audit(
        self,
        *,
        subject: str | None = None,
        before_id: int | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Return what was done, newest first; see the port."""
        rows = self._database.rows(
            f"SELECT {_AUDIT} FROM audit WHERE subject = coalesce(?, subject) "  # noqa: S608
            "AND id < coalesce(?, id + 1) ORDER BY id DESC LIMIT ?",
            subject,
            before_id,
            limit,
        )
        return _rows(AuditEntry, _AUDIT, rows)

    def add_operator(
        self, name: str, token_sha256: str, actor: Actor, now_ms: int
    ) -> Operator:
        """Create an operator, or give one a new token; see the port."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO operators (name, token_sha256, created_ms) "  # noqa: S608
                "VALUES (?,?,?) ON CONFLICT (name) DO UPDATE SET "
                "token_sha256 = excluded.token_sha256, created_ms = excluded.created_ms "
                f"RETURNING {_OPERATOR}",
                (name, token_sha256, now_ms),
            ).fetchone()
            done = AuditAction.OPERATOR_ADDED
            note(connection, actor, done, f"operator:{name}", now_ms, "")
        return _rows(Operator, _OPERATOR, [row])[0]

    def revoke_operator(self, name: str, actor: Actor, now_ms: int) -> bool:
        """Make an operator's token worthless; see the port."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "UPDATE operators SET token_sha256 = NULL WHERE name = ? "
                "AND token_sha256 IS NOT NULL",
                (name,),
            )
            if cursor.rowcount != 1:
                return False
            done = AuditAction.OPERATOR_REVOKED
            note(connection, actor, done, f"operator:{name}", now_ms, "")
        return True

    def operator_by_token(self, token_sha256: str) -> Operator | None:
        """Return the operator of a token; see the port."""
        rows = self._database.rows(
            f"SELECT {_OPERATOR} FROM operators WHERE token_sha256 = ?",  # noqa: S608
            token_sha256,
        )
        return next(iter(_rows(Operator, _OPERATOR, rows)), None)

    def operators(self) -> list[Operator]:
        """Return who may act, by name; see the port."""
        rows = self._database.rows(
            f"SELECT {_OPERATOR} FROM operators "  # noqa: S608
            "WHERE token_sha256 IS NOT NULL ORDER BY name"
        )
        return _rows(Operator, _OPERATOR, rows)

    def mails_about(self, incident_id: int) -> list[ToldMail]:
        """Return the mails that told of an incident; see the port."""
        names = "event, recipient, created_ms, sent_ms"
        rows = self._database.rows(
            f"SELECT {names} FROM mails WHERE incident_id = ?1 OR id IN ("  # noqa: S608
            "SELECT m.id FROM mails m JOIN thread_members t USING (thread_id) "
            "WHERE t.incident_id = ?1 AND m.created_ms >= t.added_ms) ORDER BY id",
            incident_id,
        )
        return _rows(ToldMail, names, rows)

    def quality(self, *, since_ms: int = 0) -> list[RuleQuality]:
        """Return the quality of the alarms by rule; see the port."""
        rows = self._database.rows(
            "SELECT i.rule, count(*), count(a.incident_id), count(f.incident_id) "
            "FROM incidents i LEFT JOIN acknowledgements a ON a.incident_id = i.id "
            "LEFT JOIN false_marks f ON f.incident_id = i.id "
            "WHERE i.started_ms >= ? GROUP BY 1 ORDER BY 1",
            since_ms,
        )
        return _rows(RuleQuality, "rule, opened, acknowledged, marked_false", rows)


def _insert(
    connection: sqlite3.Connection, table: str, record: Maintenance | Silence
) -> int:
    cursor = connection.execute(
        f"INSERT INTO {table} (ends_ms, body) VALUES (?,?)",  # noqa: S608
        (record.ends_ms, _encode(record)),
    )
    return int(cursor.lastrowid or 0)


def _open(
    connection: sqlite3.Connection, table: str, record_id: int, now_ms: int
) -> bytes | None:
    """Return the body of one that is neither over nor ended; else None."""
    row = connection.execute(
        f"SELECT body FROM {table} WHERE id = ? AND cancelled_ms IS NULL "  # noqa: S608
        "AND ends_ms > ?",
        (record_id, now_ms),
    ).fetchone()
    return None if row is None else bytes(row[0])


def _end(
    connection: sqlite3.Connection,
    table: str,
    record: _Ended,
    record_id: int,
    actor: Actor,
    now_ms: int,
) -> None:
    ended = replace(record, cancelled_ms=now_ms, cancelled_by=actor.name)
    connection.execute(
        f"UPDATE {table} SET cancelled_ms = ?, body = ? WHERE id = ?",  # noqa: S608
        (now_ms, _encode(ended), record_id),
    )


def _exists(connection: sqlite3.Connection, incident_id: int, also: str = "") -> bool:
    row = connection.execute(
        f"SELECT 1 FROM incidents WHERE id = ? {also}",  # noqa: S608
        (incident_id,),
    ).fetchone()
    return row is not None


def _put_mark(connection: sqlite3.Connection, table: str, mark: Mark) -> None:
    connection.execute(
        f"INSERT INTO {table} (incident_id, at_ms, author, note) VALUES (?,?,?,?) "  # noqa: S608
        "ON CONFLICT (incident_id) DO UPDATE SET at_ms = excluded.at_ms, "
        "author = excluded.author, note = excluded.note",
        (mark.incident_id, mark.at_ms, mark.author, mark.note),
    )
