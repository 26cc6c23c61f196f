"""The port to people who may log in."""

from __future__ import annotations

from typing import Protocol

from netmon.storage.account_records import Account, Role, Session


class AccountStore(Protocol):
    """People who may log in, and their sessions."""

    def save(
        self,
        name: str,
        role: Role,
        campus_district: str | None,
        password_hash: str,
        now_ms: int,
    ) -> Account:
        """Create an account; an existing one is changed, enabled, and logged out."""

    def by_name(self, name: str) -> Account | None:
        """Return an account, upper and lower case alike; None where there is none."""

    def all(self) -> list[Account]:
        """Return all accounts by name."""

    def set_hash(self, account_id: int, password_hash: str) -> None:
        """Keep the same password hashed anew; sessions go on."""

    def disable(self, name: str, now_ms: int) -> bool:
        """Lock an account out and end its sessions; False if none could log in."""

    def begin(self, token_sha256: str, session: Session, ended_before_ms: int) -> None:
        """Store a session; those last used before ``ended_before_ms`` are forgotten."""

    def session(self, token_sha256: str) -> Session | None:
        """Return a session by the hash of its token; None where there is none."""

    def touch(self, token_sha256: str, now_ms: int) -> None:
        """Note that a session is in use."""

    def end(self, token_sha256: str) -> None:
        """Forget a session."""
