"""The ports to what people and other systems are told of incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from netmon.storage.delivery_records import Delivery
from netmon.storage.records import (
    Incident,
    Mail,
    MailEvent,
    Thread,
    ThreadMember,
    ThreadNews,
)


class ThreadStore(Protocol):
    """What people are told of incidents: threads, their members and mails.

    An incident is in one thread at most. The planner alone writes here.
    """

    def open(self) -> list[Thread]:
        """Return the threads that are not closed, oldest first."""

    def members(self) -> list[ThreadMember]:
        """Return the members of all open threads, in the order they joined."""

    def incidents(self, thread_id: int) -> list[Incident]:
        """Return the members of a thread with their evidence, oldest first."""

    def untold(self) -> list[Incident]:
        """Return the open incidents that are in no thread, oldest first."""

    def ended(self, after_ms: int, until_ms: int) -> list[tuple[Incident, int | None]]:
        """Return what ended within ``(after_ms, until_ms]``, with its thread.

        The thread is None where nobody was told.
        """

    def tell(
        self,
        news: Sequence[ThreadNews],
        *,
        reader: str,
        position: int,
        now_ms: int,
        memory: str,
    ) -> list[int | None]:
        """Write threads, members, mails and the reader's cursor in ONE transaction.

        Returns the ids of the threads, in the order of the news; None for news
        without a thread. A mail known by incident, event, number and recipient is
        not added again.

        Raises:
            StorageError: an incident is in another thread already.
        """


class OutboxStore(Protocol):
    """Mails on their way; `ThreadStore.tell` puts them here.

    A mail is claimed, sent, and marked: whoever is killed in between leaves a claim.
    """

    def due(self, now_ms: int, limit: int = 50) -> list[Mail]:
        """Return unsent mails whose next try has come, oldest first."""

    def mails(self, *, incident_id: int | None = None, limit: int = 200) -> list[Mail]:
        """Return mails, newest first."""

    def claim(self, mail_id: int, now_ms: int) -> bool:
        """Note that a mail is about to be sent; False if it is sent or claimed.

        A claim counts as a try, for the server may take the mail and nobody note it.
        """

    def release(self) -> int:
        """Give up all claims, whose senders are gone; return how many there were."""

    def hurry(self, now_ms: int) -> None:
        """Make all that waits for its next try due now."""

    def sent(self, mail_id: int, now_ms: int) -> None:
        """Mark a mail as taken by the server; StorageError if there is no such mail."""

    def failed(self, mail_id: int, error: str, next_try_ms: int) -> None:
        """Count a failed try and set the next one."""

    def counts(self) -> Mapping[tuple[MailEvent, bool], int]:
        """Return the number of mails by event and whether sent."""

    def unwritten(self) -> tuple[int, str]:
        """Return how many mails have only a plain text, and why the newest of them."""

    def made_since(self, after_ms: int) -> list[tuple[int, MailEvent]]:
        """Return when mails were made after a moment, and of what."""


class DeliveryStore(Protocol):
    """What sinks are to be told of incidents that people were told of."""

    def told_open(self) -> list[Incident]:
        """Return open incidents of which there is, or will be, a mail; oldest first."""

    def plan(self, sink: str, since_ms: int, now_ms: int) -> int:
        """Add what a sink has still to be told; return how many events.

        Those are incidents told since ``since_ms``, and the end of each incident
        whose beginning was planned.
        """

    def due(self, sink: str, now_ms: int, limit: int = 50) -> list[Delivery]:
        """Return what is to be delivered now: an end only after its beginning."""

    def done(
        self, sink: str, incident_id: int, event: MailEvent, now_ms: int, reference: str
    ) -> None:
        """Mark an event as taken; ``reference`` is empty where the sink gave none."""

    def failed(
        self,
        sink: str,
        incident_id: int,
        event: MailEvent,
        error: str,
        next_try_ms: int,
    ) -> None:
        """Count a failed try and set the next one."""

    def hurry(self, now_ms: int) -> None:
        """Make all that waits for its next try due now."""

    def last_error(self, sink: str) -> str:
        """Return why the oldest event that waits was not taken; empty for none."""

    def reference_of(self, incident_id: int) -> str:
        """Return the number that a sink gave an incident; empty where none did."""

    def waiting_count(self, sink: str) -> int:
        """Return how many events the sink has not taken yet."""
