"""The outbox against a real mail server: nothing lost, nothing out of order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from alerts.sender import Sent, backoff_s, send_due
from alerts.smtp import SmtpMailer
from netmon.clock import ManualClock, to_ms
from netmon.config import MailSettings
from netmon.errors import SendError, StorageError
from netmon.storage.records import Mail, MailEvent, ThreadNews
from netmon.storage.sqlite import SqliteStore

Serve = Callable[..., Any]
SENDER = "netmon@dortmund.example"
START = datetime(2026, 11, 20, 7, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


def queue(
    store: SqliteStore,
    clock: ManualClock,
    *mails: tuple[int, MailEvent],
    recipient: str = "service@dortmund.example",
) -> None:
    now_ms = to_ms(clock.now())
    rows = [
        Mail(
            id=0,
            incident_id=number,
            event=event,
            recipient=recipient,
            message_id=f"<{number}.{event}.{recipient}>",
            in_reply_to="",
            subject=f"{event} {number}",
            text="text",
            html="<p>text</p>",
            created_ms=now_ms,
            attempts=0,
            next_try_ms=now_ms,
            sent_ms=None,
            last_error="",
        )
        for number, event in mails
    ]
    store.threads.tell(
        [ThreadNews(thread=None, mails=tuple(rows))],
        reader="mail",
        position=0,
        now_ms=now_ms,
        memory="",
    )


def smtp(port: int) -> SmtpMailer:
    settings = MailSettings(host="127.0.0.1", port=port, security="none")
    return SmtpMailer(settings, None, timeout_s=5)


def subjects(server: Any) -> list[str]:
    return [message["Subject"] for _, _, message in server.mails]


ALARM, RECOVERY = MailEvent.ALARM, MailEvent.RECOVERY


@pytest.mark.parametrize(
    ("failures", "permanent", "seconds"),
    [
        (1, False, 30),
        (2, False, 60),
        (3, False, 120),
        (7, False, 1920),
        (8, False, 3600),
        (9, False, 3600),
        (1_000_000, False, 3600),
        (1, True, 3600),
        (50, True, 3600),
    ],
)
def test_backoff(failures: int, permanent: bool, seconds: float) -> None:
    assert backoff_s(failures, permanent=permanent) == seconds


def test_down_then_up_delivers_once(
    store: SqliteStore, clock: ManualClock, serve: Serve, free_port: int
) -> None:
    queue(store, clock, (1, ALARM))
    mailer = smtp(free_port)
    for _ in range(5):  # at 0, 30, 90, 210 and 450 s
        assert send_due(store.outbox, mailer, SENDER, clock) == Sent(failed=1)
        assert send_due(store.outbox, mailer, SENDER, clock) == Sent()
        (mail,) = store.outbox.mails()
        clock.advance((mail.next_try_ms - to_ms(clock.now())) / 1000)
    assert clock.now() == datetime(2026, 11, 20, 7, 27, 30, tzinfo=UTC)
    assert "no connection" in mail.last_error
    server = serve(port=free_port)
    assert send_due(store.outbox, mailer, SENDER, clock) == Sent(sent=1)
    clock.advance(86_400)
    assert send_due(store.outbox, mailer, SENDER, clock) == Sent()
    assert subjects(server) == ["alarm 1"]


def test_a_crash_between_taking_and_marking_repeats_the_same_mail(
    store: SqliteStore,
    clock: ManualClock,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve()
    queue(store, clock, (1, ALARM))
    with monkeypatch.context() as patch:

        def dies(mail_id: int, now_ms: int) -> None:
            raise StorageError("killed here")

        patch.setattr(store.outbox, "sent", dies)
        with pytest.raises(StorageError):
            send_due(store.outbox, smtp(server.port), SENDER, clock)
    assert send_due(store.outbox, smtp(server.port), SENDER, clock).sent == 1
    first, second = (message for _, _, message in server.mails)
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    assert send_due(store.outbox, smtp(server.port), SENDER, clock) == Sent()


def test_a_recovery_never_overtakes_its_alarm(
    store: SqliteStore, clock: ManualClock, serve: Serve, free_port: int
) -> None:
    queue(store, clock, (1, ALARM))
    mailer = smtp(free_port)
    for _ in range(9):
        send_due(store.outbox, mailer, SENDER, clock)
        clock.advance(3600)
    clock.advance(-1800)
    send_due(store.outbox, mailer, SENDER, clock)  # the alarm's next try is far off
    queue(store, clock, (1, RECOVERY), (2, ALARM))
    server = serve(port=free_port)
    assert send_due(store.outbox, mailer, SENDER, clock) == Sent(sent=3)
    assert subjects(server) == ["alarm 1", "recovery 1", "alarm 2"]


def test_a_recovery_waits_as_long_as_its_alarm_is_refused(
    store: SqliteStore, clock: ManualClock, serve: Serve
) -> None:
    server = serve()
    server.answers += ["550 no such user"] * 3
    queue(store, clock, (1, ALARM), (1, RECOVERY), (2, ALARM))
    mailer = smtp(server.port)
    # The recovery tries its alarm once more, then incident 2 gets its turn.
    assert send_due(store.outbox, mailer, SENDER, clock) == Sent(failed=3, refused=3)
    recovery = store.outbox.mails(incident_id=1)[0]
    assert recovery.last_error == "waits for an older mail of its thread"
    clock.advance(3600)
    assert send_due(store.outbox, mailer, SENDER, clock) == Sent(sent=3)
    assert subjects(server) == ["alarm 1", "recovery 1", "alarm 2"]


def test_one_refused_recipient_holds_up_nobody(
    store: SqliteStore, clock: ManualClock, serve: Serve
) -> None:
    server = serve()
    server.answers.append("451 greylisted")
    queue(store, clock, (1, ALARM), recipient="slow@dortmund.example")
    queue(store, clock, (1, ALARM), (2, ALARM))
    mailer = smtp(server.port)
    done = send_due(store.outbox, mailer, SENDER, clock)
    assert done == Sent(sent=2, failed=1)
    clock.advance(30)
    assert send_due(store.outbox, mailer, SENDER, clock) == Sent(sent=1)


def test_an_address_no_server_can_take_holds_up_nobody(
    store: SqliteStore, clock: ManualClock, serve: Serve
) -> None:
    server = serve()
    queue(store, clock, (1, ALARM), recipient="a@b\r\nBcc: c@d")
    queue(store, clock, (1, ALARM), (2, ALARM))
    done = send_due(store.outbox, smtp(server.port), SENDER, clock)
    assert done == Sent(sent=2, failed=1, refused=1)
    (kept,) = [mail for mail in store.outbox.mails() if mail.sent_ms is None]
    assert kept.last_error


def test_more_mails_than_one_round_takes_all_go_out(
    store: SqliteStore, clock: ManualClock, serve: Serve
) -> None:
    server = serve()
    queue(store, clock, *[(n, ALARM) for n in range(1, 131)])
    assert send_due(store.outbox, smtp(server.port), SENDER, clock) == Sent(sent=130)
    assert len(set(subjects(server))) == 130


class Collecting:
    """Takes mails until told to refuse them."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def send(self, message: EmailMessage) -> None:
        if len(self.taken) == 2:
            raise SendError("enough", permanent=True)
        self.taken.append(message["Subject"])


def test_told_to_stop_it_finishes_the_mail_at_hand(
    store: SqliteStore, clock: ManualClock
) -> None:
    queue(store, clock, (1, ALARM), (2, ALARM), (3, ALARM))
    mailer = Collecting()
    answers = iter([True, False])
    done = send_due(store.outbox, mailer, SENDER, clock, go_on=lambda: next(answers))
    assert done == Sent(sent=1)
    assert mailer.taken == ["alarm 1"]
    assert _unsent(store.outbox.mails()) == [2, 3]


def _unsent(mails: Sequence[Mail]) -> list[int]:
    return sorted(mail.incident_id for mail in mails if mail.sent_ms is None)
