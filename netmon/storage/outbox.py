"""The mail outbox on SQLite: what waits, is in hand, was sent.

Mails get in with what they tell of, see `netmon.storage.threads`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from netmon.errors import StorageError
from netmon.storage.database import Database
from netmon.storage.records import Mail, MailEvent

_COLUMNS = (
    "id, incident_id, event, recipient, message_id, in_reply_to, subject, text, html, "
    "created_ms, attempts, next_try_ms, sent_ms, last_error, number, thread_id, "
    "claimed_ms, unwritten"
)
_FIELDS = _COLUMNS.split(", ")


class SqliteOutbox:
    """`netmon.storage.ports.OutboxStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now_ms: int, limit: int = 50) -> list[Mail]:
        """Return unsent mails whose next try has come; see the port."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM mails WHERE sent_ms IS NULL "  # noqa: S608
            "AND claimed_ms IS NULL AND next_try_ms <= ? ORDER BY id LIMIT ?",
            now_ms,
            limit,
        )
        return [_mail(row) for row in rows]

    def mails(self, *, incident_id: int | None = None, limit: int = 200) -> list[Mail]:
        """Return mails, newest first; see the port."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM mails WHERE "  # noqa: S608
            "incident_id = coalesce(?, incident_id) ORDER BY id DESC LIMIT ?",
            incident_id,
            limit,
        )
        return [_mail(row) for row in rows]

    def claim(self, mail_id: int, now_ms: int) -> bool:
        """Note that a mail is about to be sent; see the port."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "UPDATE mails SET claimed_ms = ?, attempts = attempts + 1 "
                "WHERE id = ? AND sent_ms IS NULL AND claimed_ms IS NULL",
                (now_ms, mail_id),
            )
            return cursor.rowcount == 1

    def release(self) -> int:
        """Give up all claims; see the port."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "UPDATE mails SET claimed_ms = NULL WHERE sent_ms IS NULL "
                "AND claimed_ms IS NOT NULL"
            )
            return cursor.rowcount

    def hurry(self, now_ms: int) -> None:
        """Make all that waits for its next try due now; see the port."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE mails SET next_try_ms = ? "
                "WHERE sent_ms IS NULL AND next_try_ms > ?",
                (now_ms, now_ms),
            )

    def sent(self, mail_id: int, now_ms: int) -> None:
        """Mark a mail as taken by the server; see the port."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "UPDATE mails SET sent_ms = ?, last_error = '' WHERE id = ?",
                (now_ms, mail_id),
            )
            if cursor.rowcount != 1:
                raise StorageError(f"there is no mail {mail_id}")

    def failed(self, mail_id: int, error: str, next_try_ms: int) -> None:
        """Count a failed try and set the next one."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE mails SET claimed_ms = NULL, last_error = ?, next_try_ms = ? "
                "WHERE id = ?",
                (error, next_try_ms, mail_id),
            )

    def counts(self) -> Mapping[tuple[MailEvent, bool], int]:
        """Return the number of mails by event and whether sent."""
        rows = self._database.rows(
            "SELECT event, sent_ms IS NOT NULL, count(*) FROM mails GROUP BY 1, 2"
        )
        return {(MailEvent(str(e)), bool(s)): int(str(n)) for e, s, n in rows}

    def unwritten(self) -> tuple[int, str]:
        """Return of how many mails the text could not be written; see the port."""
        rows = self._database.rows(
            "SELECT count(*), (SELECT unwritten FROM mails WHERE unwritten != '' "
            "ORDER BY id DESC LIMIT 1) FROM mails WHERE unwritten != ''"
        )
        return int(rows[0][0]), str(rows[0][1] or "")

    def made_since(self, after_ms: int) -> list[tuple[int, MailEvent]]:
        """Return when mails were made, and of what; see the port."""
        rows = self._database.rows(
            "SELECT created_ms, event FROM mails WHERE created_ms > ? ORDER BY created_ms",
            after_ms,
        )
        return [(int(row[0]), MailEvent(row[1])) for row in rows]


def _mail(row: Sequence[Any]) -> Mail:
    return msgspec.convert(dict(zip(_FIELDS, row, strict=True)), Mail)
