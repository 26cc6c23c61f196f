"""Threads of mails in every state store."""

from __future__ import annotations

import pytest

from netmon.errors import StorageError
from netmon.storage.ports import Store
from netmon.storage.records import (
    AlarmState,
    Mail,
    MailEvent,
    StateRow,
    Thread,
    ThreadLevel,
    ThreadNews,
    Transition,
)

from .conftest import NOON_MS, a_mail


def _changed(store: Store, target: str, to_state: AlarmState, incident_id: int) -> int:
    """Let the rule's state on a target change; return the incident's id."""
    over = to_state is AlarmState.OK
    row = StateRow(
        rule="line_below_target",
        target=target,
        building_id="gs-07",
        state=to_state,
        since_ms=NOON_MS,
        updated_ms=NOON_MS,
        incident_id=None if over else incident_id,
        memory=b"{}",
    )
    change = Transition(
        id=0,
        rule="line_below_target",
        target=target,
        building_id="gs-07",
        from_state=AlarmState.BAD if over else AlarmState.SUSPECT,
        to_state=to_state,
        at_ms=NOON_MS,
        incident_id=incident_id,
        evidence=b"{}",
    )
    (stored,) = store.alarms.commit(
        [row], [change], reader="alerts", position=5, now_ms=NOON_MS
    )
    assert stored.incident_id is not None
    return stored.incident_id


def _alarm(store: Store, target: str = "line:x") -> int:
    return _changed(store, target, AlarmState.BAD, -1)


def _news(
    thread_id: int, *joined: int, mails: tuple[Mail, ...] = (), closed: bool = False
) -> ThreadNews:
    thread = Thread(
        id=thread_id,
        level=ThreadLevel.BUILDING,
        key="gs-07",
        opened_ms=NOON_MS,
        closed_ms=NOON_MS if closed else None,
        memory='{"n":1}',
    )
    return ThreadNews(thread=thread, joined=joined, mails=mails)


def _tell(store: Store, *news: ThreadNews, position: int = 1) -> list[int | None]:
    return store.threads.tell(
        news, reader="mail", position=position, now_ms=NOON_MS, memory='{"m":1}'
    )


def test_a_thread_its_members_mails_and_the_cursor_are_written_together(
    store: Store,
) -> None:
    first, second = _alarm(store), _alarm(store, "line:y")
    assert [i.id for i in store.threads.untold()] == [first, second]
    (number,) = _tell(store, _news(0, first, mails=(a_mail(first),)), position=7)
    assert number is not None
    cursor = store.cursors.get("mail")
    assert (cursor.position, cursor.memory) == (7, '{"m":1}')
    (thread,) = store.threads.open()
    assert (thread.id, thread.key, thread.memory) == (number, "gs-07", '{"n":1}')
    (member,) = store.threads.members()
    assert (member.thread_id, member.incident_id) == (number, first)
    assert (member.target, member.ended_ms) == ("line:x", None)
    assert store.threads.incidents(number) == [store.alarms.incident(first)]
    assert [i.id for i in store.threads.untold()] == [second]
    (mail,) = store.outbox.mails()
    assert (mail.thread_id, mail.number) == (number, 0)
    _tell(store, _news(number, second, closed=True))
    assert store.threads.open() == []
    assert store.threads.members() == []
    assert [i.id for i in store.threads.incidents(number)] == [first, second]


def test_an_incident_is_in_one_thread_and_a_mail_is_queued_once(store: Store) -> None:
    first, second = _alarm(store), _alarm(store, "line:y")
    _tell(store, _news(0, first, mails=(a_mail(first),)))
    with pytest.raises(StorageError):
        _tell(store, _news(0, second), _news(0, first), position=9)
    # Nothing of the refused call is there.
    assert store.cursors.get("mail").position == 1
    assert len(store.threads.open()) == 1
    assert [i.id for i in store.threads.untold()] == [second]
    again = ThreadNews(thread=None, mails=(a_mail(first), a_mail(0, MailEvent.DIGEST)))
    assert _tell(store, again) == [None]
    (member,) = store.threads.members()
    assert member.incident_id == first
    assert [(m.event, m.thread_id) for m in store.outbox.mails()] == [
        (MailEvent.DIGEST, None),
        (MailEvent.ALARM, member.thread_id),
    ]


def test_what_ended_meanwhile_is_found_with_its_thread(store: Store) -> None:
    told, untold = _alarm(store), _alarm(store, "line:y")
    (number,) = _tell(store, _news(0, told))
    for incident_id, target in ((told, "line:x"), (untold, "line:y")):
        _changed(store, target, AlarmState.OK, incident_id)
    assert store.threads.untold() == []
    assert store.threads.ended(NOON_MS, NOON_MS + 1) == []
    found = store.threads.ended(NOON_MS - 1, NOON_MS)
    assert [(i.id, thread) for i, thread in found] == [(told, number), (untold, None)]


def test_mails_made_lately_are_counted(store: Store) -> None:
    incident_id = _alarm(store)
    mails = (a_mail(incident_id), a_mail(incident_id, MailEvent.DIGEST))
    _tell(store, ThreadNews(thread=None, mails=mails))
    assert store.outbox.made_since(NOON_MS) == []
    assert sorted(store.outbox.made_since(NOON_MS - 1)) == [
        (NOON_MS, MailEvent.ALARM),
        (NOON_MS, MailEvent.DIGEST),
    ]
