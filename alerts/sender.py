"""The mail outbox: a due mail is claimed, sent, and marked after the server took it.

Killed between sending and marking, the mail goes out once more with the same
Message-ID: the claim is left behind, the next process gives it up and tries again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr

from alerts.mails import Content
from alerts.smtp import Mailer, ServerUnavailableError, build_message
from netmon.clock import Clock, to_ms
from netmon.errors import SendError
from netmon.storage.ports import OutboxStore
from netmon.storage.records import Mail, MailEvent

_log = logging.getLogger(__name__)

FIRST_RETRY_S = 30.0
LAST_RETRY_S = 3600.0
# Taken from the outbox at once; a storm of alarms is a handful of mails.
_MAILS_A_ROUND = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """What a round did; ``refused`` counts errors that trying again won't mend."""

    sent: int = 0
    failed: int = 0
    refused: int = 0

    def __add__(self, other: Sent) -> Sent:
        return Sent(
            self.sent + other.sent,
            self.failed + other.failed,
            self.refused + other.refused,
        )


def backoff_s(failures: int, *, permanent: bool) -> float:
    """Return the seconds until the next try after so many failures (1 and up).

    30 s doubling to an hour, without end. What is refused for good is tried once
    an hour too: recipients and certificates get mended, an alarm is never dropped.
    """
    if permanent:
        return LAST_RETRY_S
    doublings = min(max(failures, 1) - 1, 16)
    return min(LAST_RETRY_S, FIRST_RETRY_S * (1 << doublings))


def send_due(
    store: OutboxStore,
    mailer: Mailer,
    sender: str,
    clock: Clock,
    *,
    go_on: Callable[[], bool] = lambda: True,
) -> Sent:
    """Send all mails that are due, alarms before their recoveries.

    Only one of us sends at a time: claims that are found are given up first.
    Stops at the first sign that the server itself is not available, and before
    the next mail once ``go_on`` says False.

    Raises:
        StorageError: the outbox could not be read or marked.
    """
    if released := store.release():
        _log.warning(
            "%d mails may go out twice: a process ended while sending", released
        )
    outbox = _Outbox(store, mailer, sender, clock)
    while True:
        due = store.due(to_ms(clock.now()), _MAILS_A_ROUND)
        for mail in due:
            if not (outbox.available and go_on()):
                return outbox.total
            outbox.send_in_order(mail)
        if len(due) < _MAILS_A_ROUND or not outbox.available:
            return outbox.total


def send_test(
    mailer: Mailer, content: Content, sender: str, recipient: str, now: datetime
) -> None:
    """Send a mail past the outbox, to see whether mails arrive.

    Raises:
        SendError: it was not taken; the text says why.
    """
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    now_ms = to_ms(now)
    mail = Mail(
        id=0,
        incident_id=0,
        event=MailEvent.ALARM,
        recipient=recipient,
        message_id=make_msgid("netmon-test", domain=domain),
        in_reply_to="",
        subject=content.subject,
        text=content.text,
        html=content.html,
        created_ms=now_ms,
        attempts=0,
        next_try_ms=now_ms,
        sent_ms=None,
        last_error="",
    )
    mailer.send(build_message(mail, sender))


class _Outbox:
    """One round over the outbox; ``available`` turns False with the server."""

    def __init__(
        self,
        store: OutboxStore,
        mailer: Mailer,
        sender: str,
        clock: Clock,
    ) -> None:
        self._store = store
        self._mailer = mailer
        self._sender = sender
        self._clock = clock
        self.total = Sent()
        self.available = True

    def send_in_order(self, mail: Mail) -> None:
        """Send a mail, but first the unsent ones of its thread that are older."""
        for older in self._unsent_before(mail):
            next_try_ms = self._send(older)
            if next_try_ms is not None:
                why = "waits for an older mail of its thread"
                self._store.failed(mail.id, why, next_try_ms)
                return
        self._send(mail)

    def _unsent_before(self, mail: Mail) -> list[Mail]:
        if mail.event is MailEvent.ALARM or not mail.incident_id:
            return []
        thread = self._store.mails(incident_id=mail.incident_id)
        return [
            other
            for other in reversed(thread)
            if other.id < mail.id
            and other.recipient == mail.recipient
            and other.sent_ms is None
        ]

    def _message(self, mail: Mail) -> EmailMessage:
        """Return the message of a mail.

        Raises:
            SendError: it makes none, e.g. an address that no header may hold.
        """
        try:
            return build_message(mail, self._sender)
        except (ValueError, IndexError) as error:
            raise SendError(f"no message: {error}", permanent=True) from error

    def _send(self, mail: Mail) -> int | None:
        """Return None after the server took the mail, else when to try again.

        None as well for one that was sent already: an answer to it may follow.
        """
        now_ms = to_ms(self._clock.now())
        if not self._store.claim(mail.id, now_ms):
            return None
        try:
            self._mailer.send(self._message(mail))
        except SendError as error:
            wait_s = backoff_s(mail.attempts + 1, permanent=error.permanent)
            next_try_ms = to_ms(self._clock.now()) + round(1000 * wait_s)
            self._store.failed(mail.id, str(error), next_try_ms)
            _log.warning("mail %d: next try in %.0f s: %s", mail.id, wait_s, error)
            self.total += Sent(failed=1, refused=int(error.permanent))
            self.available = not isinstance(error, ServerUnavailableError)
            return next_try_ms
        self._store.sent(mail.id, to_ms(self._clock.now()))
        self.total += Sent(sent=1)
        return None
