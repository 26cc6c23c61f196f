"""The mail outbox in every state store."""

from __future__ import annotations

import pytest

from netmon.errors import StorageError
from netmon.storage.ports import Store
from netmon.storage.records import Mail, MailEvent, ThreadNews

from .conftest import HOUR_MS, NOON_MS, a_mail


def _queue(store: Store, *mails: Mail) -> None:
    store.threads.tell(
        [ThreadNews(thread=None, mails=mails)],
        reader="mail",
        position=1,
        now_ms=NOON_MS,
        memory="",
    )


def test_mails_are_found_by_incident_newest_first(store: Store) -> None:
    _queue(
        store, a_mail(1), a_mail(1, to="c@d"), a_mail(1, MailEvent.RECOVERY), a_mail(2)
    )
    assert [m.event for m in store.outbox.mails(incident_id=1)] == [
        MailEvent.RECOVERY,
        MailEvent.ALARM,
        MailEvent.ALARM,
    ]
    assert store.outbox.mails(incident_id=3) == []


def test_a_mail_is_tried_until_it_was_sent(store: Store) -> None:
    _queue(store, a_mail(1))
    assert store.outbox.due(NOON_MS - 1) == []
    (due,) = store.outbox.due(NOON_MS)
    assert (due.subject, due.text, due.html) == ("Betreff", "Text", "<p>Text</p>")
    assert store.outbox.claim(due.id, NOON_MS)
    assert not store.outbox.claim(due.id, NOON_MS)
    assert store.outbox.due(NOON_MS) == []
    store.outbox.failed(due.id, "no answer", NOON_MS + 60_000)
    assert store.outbox.due(NOON_MS) == []
    (due,) = store.outbox.due(NOON_MS + 60_000)
    assert (due.attempts, due.last_error) == (1, "no answer")
    assert store.outbox.counts() == {(MailEvent.ALARM, False): 1}
    assert store.outbox.claim(due.id, NOON_MS + 60_000)
    assert store.outbox.release() == 1
    assert store.outbox.due(NOON_MS + 60_000) != []
    store.outbox.sent(due.id, NOON_MS + 60_001)
    assert store.outbox.release() == 0
    assert not store.outbox.claim(due.id, NOON_MS + 60_002)
    assert store.outbox.due(NOON_MS + HOUR_MS) == []
    (sent,) = store.outbox.mails()
    assert (sent.sent_ms, sent.attempts, sent.last_error) == (NOON_MS + 60_001, 2, "")
    assert store.outbox.counts() == {(MailEvent.ALARM, True): 1}
    with pytest.raises(StorageError):
        store.outbox.sent(due.id + 99, NOON_MS)


def test_all_that_waits_is_made_due(store: Store) -> None:
    _queue(store, a_mail(1), a_mail(2))
    first, second = store.outbox.due(NOON_MS)
    store.outbox.sent(first.id, NOON_MS)
    store.outbox.failed(second.id, "certificate refused", NOON_MS + HOUR_MS)
    assert store.outbox.due(NOON_MS + 1) == []
    store.outbox.hurry(NOON_MS + 1)
    (due,) = store.outbox.due(NOON_MS + 1)
    assert (due.id, due.last_error) == (second.id, "certificate refused")


def test_due_mails_come_oldest_first_and_not_too_many(store: Store) -> None:
    mails = [a_mail(1, to=f"{n}@x") for n in range(5)]
    _queue(store, *mails)
    due = store.outbox.due(NOON_MS, limit=3)
    assert [mail.recipient for mail in due] == ["0@x", "1@x", "2@x"]
