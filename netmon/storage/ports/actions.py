"""The port to what people decide about alarms; see `netmon.storage.ports`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from netmon.storage.action_records import (
    Actor,
    AuditEntry,
    Maintenance,
    Mark,
    Operator,
    RuleQuality,
    Silence,
    ToldMail,
)


class ActionStore(Protocol):
    """What people decide about alarms, and who may.

    Every method that writes adds its row to the audit trail in the SAME
    transaction; where it answers False nothing was written.
    """

    def add_maintenance(self, window: Maintenance, actor: Actor) -> Maintenance:
        """Store a window; returns it with its id."""

    def cancel_maintenance(self, window_id: int, actor: Actor, now_ms: int) -> bool:
        """End a window; False where there is none, or it is over already."""

    def maintenance(self, *, ends_after_ms: int | None = None) -> list[Maintenance]:
        """Return windows, newest first: all, or those that still count after a time."""

    def add_silence(self, silence: Silence, actor: Actor) -> Silence:
        """Store a silence; returns it with its id."""

    def end_silence(self, silence_id: int, actor: Actor, now_ms: int) -> bool:
        """End a silence; False where there is none, or it is over already."""

    def silences(self, *, ends_after_ms: int | None = None) -> list[Silence]:
        """Return silences, newest first: all, or those that still count after a time."""

    def acknowledge(self, mark: Mark, actor: Actor) -> bool:
        """Note who sees to an incident; a later note replaces it. False if not open."""

    def unacknowledge(self, incident_id: int, actor: Actor, now_ms: int) -> bool:
        """Take an acknowledgement back; False where there is none."""

    def mark_false(self, mark: Mark, actor: Actor) -> bool:
        """Note a false alarm, open or over; False where there is no such incident."""

    def acknowledgements(self, *, open_only: bool = False) -> Mapping[int, Mark]:
        """Return acknowledgements by incident, of all or of open ones."""

    def false_marks(self) -> Mapping[int, Mark]:
        """Return the marks of false alarms by incident."""

    def audit(
        self,
        *,
        subject: str | None = None,
        before_id: int | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Return what was done, newest first: of one subject, before one entry."""

    def add_operator(
        self, name: str, token_sha256: str, actor: Actor, now_ms: int
    ) -> Operator:
        """Create an operator, or give an existing one a new token."""

    def revoke_operator(self, name: str, actor: Actor, now_ms: int) -> bool:
        """Make an operator's token worthless; False where there is none."""

    def operator_by_token(self, token_sha256: str) -> Operator | None:
        """Return the operator of a token; None for unknown or revoked ones."""

    def operators(self) -> list[Operator]:
        """Return all operators that are not revoked, by name."""

    def mails_about(self, incident_id: int) -> list[ToldMail]:
        """Return the mails that told of an incident, oldest first.

        Those of its thread from when it joined, and those of its own.
        """

    def quality(self, *, since_ms: int = 0) -> list[RuleQuality]:
        """Return for each rule its incidents that began since a time."""
