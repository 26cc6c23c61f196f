"""What every store has to do with actions: kept, ended once, audited together."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from netmon.errors import StorageError
from netmon.school_calendar import Weekday
from netmon.storage.action_records import (
    Actor,
    AuditAction,
    Maintenance,
    MaintenanceScope,
    Mark,
    Matcher,
    MatchField,
    OneOff,
    RuleQuality,
    Silence,
    Via,
    Weekly,
)
from netmon.storage.ports import Store
from netmon.storage.records import AlarmState, MailEvent, Transition
from netmon.storage.sqlite import SqliteStore

NOW_MS = 1_795_162_320_000
ANNA = Actor("anna", Via.API)
BERT = Actor("bert", Via.SHELL)

# A second implementation joins the suite with one line.
OPEN: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore(folder / "state.sqlite3")
}


@pytest.fixture(params=list(OPEN))
def open_action_store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[], Store]:
    return lambda: OPEN[request.param](tmp_path)


@pytest.fixture
def action_store(open_action_store: Callable[[], Store]) -> Iterator[Store]:
    opened = open_action_store()
    yield opened
    opened.close()


def _window(**more: Any) -> Maintenance:
    fields: dict[str, Any] = {
        "when": OneOff(starts_ms=NOW_MS, ends_ms=NOW_MS + 1000),
        "ends_ms": NOW_MS + 1000,
    }
    return Maintenance(
        id=0,
        scope=MaintenanceScope.BUILDING,
        value="gs-07",
        reason="Umbau",
        author="anna",
        created_ms=NOW_MS,
        **fields | more,
    )


def _silence(**more: Any) -> Silence:
    fields: dict[str, Any] = {"ends_ms": NOW_MS + 1000}
    return Silence(
        id=0,
        matchers=(
            Matcher(MatchField.RULE, "ap_down"),
            Matcher(MatchField.BUILDING, "gs-07", negated=True),
        ),
        starts_ms=NOW_MS,
        reason="bekannt",
        author="anna",
        created_ms=NOW_MS,
        **fields | more,
    )


WEEKLY = Weekly(
    days=(Weekday.MO, Weekday.FR),
    start=time(22),
    end=time(4),
    first=date(2026, 12, 1),
    last=date(2027, 3, 31),
    excluded=(date(2026, 12, 25),),
)


def _incident(store: Store, rule: str = "line_down", target: str = "line:l1") -> int:
    change = Transition(
        id=0,
        rule=rule,
        target=target,
        building_id="gs-07",
        from_state=AlarmState.SUSPECT,
        to_state=AlarmState.BAD,
        at_ms=NOW_MS,
        incident_id=-1,
        evidence=b"{}",
    )
    (stored,) = store.alarms.commit(
        [], [change], reader="alerts", position=0, now_ms=NOW_MS
    )
    assert stored.incident_id is not None
    return stored.incident_id


def _over(store: Store, incident_id: int) -> None:
    change = Transition(
        id=0,
        rule="line_down",
        target="line:l1",
        building_id="gs-07",
        from_state=AlarmState.BAD,
        to_state=AlarmState.OK,
        at_ms=NOW_MS + 5,
        incident_id=incident_id,
        evidence=b"{}",
    )
    store.alarms.commit([], [change], reader="alerts", position=0, now_ms=NOW_MS)


def _mark(incident_id: int, note: str = "Techniker bestellt", at: int = 0) -> Mark:
    return Mark(incident_id=incident_id, at_ms=NOW_MS + at, author="anna", note=note)


def _actions(store: Store) -> list[AuditAction]:
    return [entry.action for entry in store.actions.audit()]


def test_a_new_store_knows_of_nothing(action_store: Store) -> None:
    room = action_store.actions
    assert room.maintenance() == room.silences() == room.audit() == []
    assert room.acknowledgements() == room.false_marks() == {}
    assert room.operators() == room.quality() == []


def test_windows_and_silences_survive_a_restart(
    open_action_store: Callable[[], Store],
) -> None:
    first = open_action_store()
    once = first.actions.add_maintenance(_window(), ANNA)
    weekly = first.actions.add_maintenance(_window(when=WEEKLY), BERT)
    silence = first.actions.add_silence(_silence(), ANNA)
    first.close()
    second = open_action_store()
    assert second.actions.maintenance() == [weekly, once]
    assert second.actions.silences() == [silence]
    assert once == replace(_window(), id=once.id)
    newest = second.actions.audit(subject=f"maintenance:{weekly.id}")
    assert [(x.author, x.via, x.action, x.detail) for x in newest] == [
        ("bert", Via.SHELL, AuditAction.MAINTENANCE_ADDED, "building=gs-07: Umbau")
    ]
    second.close()


def test_what_still_counts_is_neither_over_nor_ended(action_store: Store) -> None:
    room = action_store.actions
    gone = room.add_maintenance(_window(ends_ms=NOW_MS + 10), ANNA)
    ended = room.add_maintenance(_window(), ANNA)
    counts = room.add_maintenance(_window(), ANNA)
    assert room.cancel_maintenance(ended.id, BERT, NOW_MS + 5)
    assert room.maintenance(ends_after_ms=NOW_MS + 10) == [counts]
    assert [one.id for one in room.maintenance()] == [counts.id, ended.id, gone.id]
    found = room.maintenance()[1]
    assert (found.cancelled_ms, found.cancelled_by) == (NOW_MS + 5, "bert")

    over = room.add_silence(_silence(ends_ms=NOW_MS + 10), ANNA)
    quiet = room.add_silence(_silence(), ANNA)
    assert room.silences(ends_after_ms=NOW_MS + 10) == [quiet]
    assert room.end_silence(quiet.id, ANNA, NOW_MS + 20)
    assert room.silences(ends_after_ms=NOW_MS + 30) == []
    assert [one.id for one in room.silences()] == [quiet.id, over.id]


def test_an_end_comes_once_and_only_of_what_is_there(action_store: Store) -> None:
    room = action_store.actions
    window, silence = (
        room.add_maintenance(_window(), ANNA),
        room.add_silence(_silence(), ANNA),
    )
    before = len(room.audit())
    assert not room.cancel_maintenance(window.id + 1, ANNA, NOW_MS)
    assert not room.end_silence(silence.id + 1, ANNA, NOW_MS)
    assert not room.cancel_maintenance(window.id, ANNA, NOW_MS + 1000)
    assert len(room.audit()) == before
    assert room.cancel_maintenance(window.id, ANNA, NOW_MS + 1)
    assert not room.cancel_maintenance(window.id, BERT, NOW_MS + 2)
    assert room.end_silence(silence.id, ANNA, NOW_MS + 1)
    assert not room.end_silence(silence.id, BERT, NOW_MS + 2)
    assert _actions(action_store)[:2] == [
        AuditAction.SILENCE_ENDED,
        AuditAction.MAINTENANCE_CANCELLED,
    ]


def test_only_an_open_incident_is_acknowledged(action_store: Store) -> None:
    room, number = action_store.actions, _incident(action_store)
    assert not room.acknowledge(_mark(number + 1), ANNA)
    assert room.acknowledge(_mark(number), ANNA)
    assert room.acknowledge(_mark(number, "doch Router", at=3), BERT)
    newest = _mark(number, "doch Router", at=3)
    assert room.acknowledgements(open_only=True) == {number: newest}
    _over(action_store, number)
    assert room.acknowledgements() == {number: newest}
    assert room.acknowledgements(open_only=True) == {}
    assert not room.acknowledge(_mark(number), ANNA)
    assert _actions(action_store) == [AuditAction.ACKNOWLEDGED] * 2


def test_an_acknowledgement_is_taken_back_once(action_store: Store) -> None:
    room, number = action_store.actions, _incident(action_store)
    assert not room.unacknowledge(number, ANNA, NOW_MS)
    assert room.acknowledge(_mark(number), ANNA)
    assert room.unacknowledge(number, BERT, NOW_MS + 1)
    assert not room.unacknowledge(number, BERT, NOW_MS + 2)
    assert room.acknowledgements() == {}
    trail = room.audit(subject=f"incident:{number}")
    assert [(x.action, x.author, x.detail) for x in trail] == [
        (AuditAction.UNACKNOWLEDGED, "bert", ""),
        (AuditAction.ACKNOWLEDGED, "anna", "Techniker bestellt"),
    ]


def test_false_alarms_are_counted_by_rule(action_store: Store) -> None:
    room, number = action_store.actions, _incident(action_store)
    _incident(action_store, "line_down", "line:l2")
    _incident(action_store, "ap_down", "ap:a1")
    assert not room.mark_false(_mark(99), ANNA)
    assert room.acknowledge(_mark(number), ANNA)
    _over(action_store, number)
    assert room.mark_false(_mark(number, "Kabel war nie ab"), ANNA)
    assert room.mark_false(_mark(number, "Sonde war aus"), BERT)
    assert room.false_marks() == {number: _mark(number, "Sonde war aus")}
    assert room.quality() == [
        RuleQuality(rule="ap_down", opened=1, acknowledged=0, marked_false=0),
        RuleQuality(rule="line_down", opened=2, acknowledged=1, marked_false=1),
    ]
    assert room.quality(since_ms=NOW_MS + 1) == []


def test_an_operator_has_one_token_until_it_is_revoked(action_store: Store) -> None:
    room = action_store.actions
    first = room.add_operator("anna", "h1", BERT, NOW_MS)
    assert room.operator_by_token("h1") == first
    assert room.operator_by_token("h2") is None
    second = room.add_operator("anna", "h2", BERT, NOW_MS + 1)
    assert room.operator_by_token("h1") is None
    assert room.operators() == [second] == [room.operator_by_token("h2")]
    assert room.revoke_operator("anna", BERT, NOW_MS + 2)
    assert not room.revoke_operator("anna", BERT, NOW_MS + 3)
    assert not room.revoke_operator("nobody", BERT, NOW_MS)
    assert room.operator_by_token("h2") is None
    assert room.operators() == []
    assert _actions(action_store) == [
        AuditAction.OPERATOR_REVOKED,
        AuditAction.OPERATOR_ADDED,
        AuditAction.OPERATOR_ADDED,
    ]


def test_two_operators_never_share_a_token(action_store: Store) -> None:
    action_store.actions.add_operator("anna", "h1", BERT, NOW_MS)
    with pytest.raises(StorageError):
        action_store.actions.add_operator("carla", "h1", BERT, NOW_MS)
    assert len(action_store.actions.audit()) == 1


def test_the_trail_is_read_in_pages(action_store: Store) -> None:
    room = action_store.actions
    for number in range(5):
        room.add_operator(f"o{number}", f"h{number}", BERT, NOW_MS)
    first = room.audit(limit=2)
    second = room.audit(limit=2, before_id=first[-1].id)
    assert [x.subject for x in (*first, *second)] == [
        f"operator:o{number}" for number in (4, 3, 2, 1)
    ]


def test_an_action_is_written_with_its_audit_row_or_not_at_all(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "state.sqlite3")) as store:
        number = _incident(store)
        with closing(sqlite3.connect(tmp_path / "state.sqlite3")) as other, other:
            other.execute(
                "CREATE TRIGGER full BEFORE INSERT ON audit "
                "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
        room = store.actions
        tries: list[Callable[[], object]] = [
            lambda: room.add_maintenance(_window(), ANNA),
            lambda: room.add_silence(_silence(), ANNA),
            lambda: room.acknowledge(_mark(number), ANNA),
            lambda: room.mark_false(_mark(number), ANNA),
            lambda: room.add_operator("anna", "h1", BERT, NOW_MS),
        ]
        for attempt in tries:
            with pytest.raises(StorageError, match="disk full"):
                attempt()
        assert room.maintenance() == room.silences() == room.operators() == []
        assert room.acknowledgements() == room.false_marks() == {}


def test_the_mails_about_an_incident_are_its_own_and_its_threads(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.sqlite3"
    with closing(SqliteStore(path)) as store:
        first = _incident(store)
        follower = _incident(store, "line_down", "line:l2")
        with closing(sqlite3.connect(path)) as other, other:
            other.execute(
                "INSERT INTO threads VALUES (1, 'building', 'gs-07', 0, NULL, '')"
            )
            other.executemany(
                "INSERT INTO thread_members VALUES (?,1,?)",
                [(first, 10), (follower, 20)],
            )
            other.executemany(
                "INSERT INTO mails (incident_id, event, recipient, thread_id, message_id, "
                "in_reply_to, subject, text, html, created_ms, next_try_ms, sent_ms) "
                "VALUES (?,?,'a@x',1,'','','','','',?,0,?)",
                [(first, "alarm", 10, 11), (first, "update", 20, None)],
            )
        told = [(x.event, x.sent_ms) for x in store.actions.mails_about(first)]
        assert told == [(MailEvent.ALARM, 11), (MailEvent.UPDATE, None)]
        told = [(x.event, x.sent_ms) for x in store.actions.mails_about(follower)]
        assert told == [(MailEvent.UPDATE, None)]
        assert store.actions.mails_about(99) == []
