"""Accounts and sessions on SQLite."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from netmon.storage.account_records import Account, Role, Session
from netmon.storage.database import Database

_ACCOUNT = ", ".join(Account.__struct_fields__)
_SESSION = ", ".join(Session.__struct_fields__)


class SqliteAccounts:
    """`netmon.storage.ports.AccountStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        name: str,
        role: Role,
        campus_district: str | None,
        password_hash: str,
        now_ms: int,
    ) -> Account:
        """Create an account, or change one and end its sessions; see the port."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO accounts (name, role, campus_district, password_hash, "  # noqa: S608
                "created_ms) VALUES (?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET "
                "role = excluded.role, campus_district = excluded.campus_district, "
                "password_hash = excluded.password_hash, disabled_ms = NULL "
                f"RETURNING {_ACCOUNT}",
                (name, role, campus_district, password_hash, now_ms),
            ).fetchone()
            account = _account(row)
            connection.execute(
                "DELETE FROM sessions WHERE account_id = ?", (account.id,)
            )
        return account

    def by_name(self, name: str) -> Account | None:
        """Return an account, upper and lower case alike; see the port."""
        row = self._database.row(
            f"SELECT {_ACCOUNT} FROM accounts WHERE name = ?",  # noqa: S608
            name,
        )
        return None if row is None else _account(row)

    def all(self) -> list[Account]:
        """Return all accounts by name."""
        rows = self._database.rows(
            f"SELECT {_ACCOUNT} FROM accounts ORDER BY name"  # noqa: S608
        )
        return [_account(row) for row in rows]

    def set_hash(self, account_id: int, password_hash: str) -> None:
        """Keep the same password hashed anew; sessions go on."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE accounts SET password_hash = ? WHERE id = ?",
                (password_hash, account_id),
            )

    def disable(self, name: str, now_ms: int) -> bool:
        """Lock an account out and end its sessions; see the port."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "UPDATE accounts SET disabled_ms = ? WHERE name = ? "
                "AND disabled_ms IS NULL RETURNING id",
                (now_ms, name),
            ).fetchone()
            if row is None:
                return False
            connection.execute("DELETE FROM sessions WHERE account_id = ?", row)
            return True

    def begin(self, token_sha256: str, session: Session, ended_before_ms: int) -> None:
        """Store a session and forget those that ended; see the port."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM sessions WHERE used_ms < ?", (ended_before_ms,)
            )
            connection.execute(
                f"INSERT INTO sessions (token_sha256, {_SESSION}) "  # noqa: S608
                "VALUES (?,?,?,?,?,?,?,?)",
                (token_sha256, *msgspec.structs.astuple(session)),
            )

    def session(self, token_sha256: str) -> Session | None:
        """Return a session by its token; None where there is none."""
        row = self._database.row(
            f"SELECT {_SESSION} FROM sessions WHERE token_sha256 = ?",  # noqa: S608
            token_sha256,
        )
        return None if row is None else _session(row)

    def touch(self, token_sha256: str, now_ms: int) -> None:
        """Note that a session is in use."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE sessions SET used_ms = ? WHERE token_sha256 = ?",
                (now_ms, token_sha256),
            )

    def end(self, token_sha256: str) -> None:
        """Forget a session."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM sessions WHERE token_sha256 = ?", (token_sha256,)
            )


def _account(row: Sequence[object]) -> Account:
    fields = dict(zip(Account.__struct_fields__, row, strict=True))
    return msgspec.convert(fields, Account)


def _session(row: Sequence[object]) -> Session:
    fields = dict(zip(Session.__struct_fields__, row, strict=True))
    return msgspec.convert(fields, Session)
