"""Cursors, deliveries, states, incidents and mails in every state store."""

from __future__ import annotations

from typing import Any

import pytest

from netmon.errors import StorageError
from netmon.storage.ports import Store
from netmon.storage.records import (
    AlarmState,
    StateRow,
    Transition,
)

from .conftest import HOUR_MS, NOON_MS

# --- cursors and deliveries --------------------------------------------------


def test_a_cursor_starts_at_nothing_and_remembers(store: Store) -> None:
    new = store.cursors.get("alerts")
    assert (new.position, new.updated_ms, new.memory) == (0, 0, "")
    store.cursors.set("alerts", 5, NOON_MS, "words")
    store.cursors.set("alerts", 7, NOON_MS + 1)
    store.cursors.set("mail", 1, NOON_MS)
    moved = store.cursors.get("alerts")
    assert (moved.position, moved.updated_ms, moved.memory) == (7, NOON_MS + 1, "words")
    store.cursors.set("alerts", 7, NOON_MS + 2, "")
    assert store.cursors.get("alerts").memory == ""
    assert store.cursors.get("mail").position == 1


def test_a_delivery_moves_the_cursor_and_is_found_by_time(store: Store) -> None:
    store.cursors.set("relay", 0, NOON_MS, "words")
    for position, second in ((10, 1), (20, 2), (30, 3)):
        store.cursors.log_delivery("relay", position, NOON_MS + second * 1000)
    store.cursors.log_delivery("other", 99, NOON_MS)
    cursor = store.cursors.get("relay")
    assert (cursor.position, cursor.memory) == (30, "words")
    before = store.cursors.delivered_before
    assert before("relay", NOON_MS + 1000) is None
    assert before("relay", NOON_MS + 1001) == 10
    assert before("relay", NOON_MS + 3000) == 20
    assert before("relay", NOON_MS + HOUR_MS) == 30
    assert before("nobody", NOON_MS) is None


def test_going_back_takes_later_deliveries_back(store: Store) -> None:
    for position, second in ((10, 1), (20, 2), (30, 3), (10, 100), (15, 101)):
        store.cursors.log_delivery("relay", position, NOON_MS + second * 1000)
    before = store.cursors.delivered_before
    assert before("relay", NOON_MS + 50_000) == 10
    assert before("relay", NOON_MS + 2500) == 10
    assert before("relay", NOON_MS + 200_000) == 15


def test_the_same_delivery_twice_is_no_error(store: Store) -> None:
    for _ in range(2):
        store.cursors.log_delivery("relay", 10, NOON_MS)
    assert store.cursors.delivered_before("relay", NOON_MS + 1) == 10


def test_pruning_deliveries_keeps_the_newest_of_the_old_ones(store: Store) -> None:
    for second in range(1, 6):
        store.cursors.log_delivery("relay", second * 10, NOON_MS + second * 1000)
    store.cursors.prune_deliveries("relay", NOON_MS + 3500)
    before = store.cursors.delivered_before
    assert before("relay", NOON_MS + 3500) == 30
    assert before("relay", NOON_MS + 2500) is None
    assert before("relay", NOON_MS + HOUR_MS) == 50
    store.cursors.prune_deliveries("relay", NOON_MS + HOUR_MS)
    store.cursors.prune_deliveries("relay", NOON_MS + HOUR_MS)
    assert before("relay", NOON_MS + HOUR_MS) == 50
    store.cursors.prune_deliveries("nobody", NOON_MS)


# --- states, incidents, mails ------------------------------------------------


def _state(
    state: AlarmState, incident_id: int | None, target: str = "line:x"
) -> StateRow:
    return StateRow(
        rule="line_below_target",
        target=target,
        building_id="gs-07",
        state=state,
        since_ms=NOON_MS,
        updated_ms=NOON_MS,
        incident_id=incident_id,
        memory=b'{"n":1}',
    )


def _change(
    old: AlarmState, new: AlarmState, incident_id: int | None, target: str = "line:x"
) -> Transition:
    return Transition(
        id=0,
        rule="line_below_target",
        target=target,
        building_id="gs-07",
        from_state=old,
        to_state=new,
        at_ms=NOON_MS,
        incident_id=incident_id,
        evidence=b'{"rate":1}',
    )


def _alarm(store: Store, target: str = "line:x") -> int:
    (stored,) = store.alarms.commit(
        [_state(AlarmState.BAD, -1, target)],
        [_change(AlarmState.SUSPECT, AlarmState.BAD, -1, target)],
        reader="alerts",
        position=5,
        now_ms=NOON_MS,
    )
    assert stored.incident_id is not None
    return stored.incident_id


def test_an_alarm_opens_an_incident_and_its_end_closes_it(store: Store) -> None:
    incident_id = _alarm(store)
    assert incident_id > 0
    (row,) = store.alarms.states()
    assert row == _state(AlarmState.BAD, incident_id)
    assert store.cursors.get("alerts").position == 5
    (incident,) = store.alarms.incidents(open_only=True)
    assert (incident.id, incident.ended_ms) == (incident_id, None)
    assert (incident.rule, incident.target) == ("line_below_target", "line:x")
    assert incident == store.alarms.incident(incident_id)
    store.alarms.commit(
        [_state(AlarmState.OK, None)],
        [_change(AlarmState.BAD, AlarmState.OK, incident_id)],
        reader="alerts",
        position=6,
        now_ms=NOON_MS,
    )
    assert store.alarms.incidents(open_only=True) == []
    ended = store.alarms.incident(incident_id)
    assert ended is not None
    assert ended.ended_ms == NOON_MS
    assert store.alarms.incident(incident_id + 99) is None


def test_transitions_are_kept_in_order_and_found_by_target(store: Store) -> None:
    assert store.alarms.last_transition() == 0
    first = _alarm(store)
    second = _alarm(store, "line:y")
    assert first != second
    everything = store.alarms.transitions_after(0)
    assert store.alarms.last_transition() == everything[-1].id
    assert [t.target for t in everything] == ["line:x", "line:y"]
    assert [t.incident_id for t in everything] == [first, second]
    assert store.alarms.transitions_after(everything[0].id) == everything[1:]
    assert store.alarms.transitions_after(0, limit=1) == everything[:1]
    assert store.alarms.transitions_of("line:y") == everything[1:]
    assert everything[0].evidence == b'{"rate":1}'
    assert [i.id for i in store.alarms.incidents(limit=1)] == [second]
    assert store.alarms.incidents(building_id="gym-01") == []


def test_states_can_be_asked_and_counted(store: Store) -> None:
    _alarm(store)
    _alarm(store, "line:y")
    ok = _state(AlarmState.OK, None, "line:z")
    store.alarms.commit([ok], [], reader="alerts", position=9, now_ms=NOON_MS)
    assert len(store.alarms.states(rule="line_below_target", building_id="gs-07")) == 3
    assert store.alarms.states(rule="ap_down") == []
    assert store.alarms.words("ap_down") == {}
    told = store.alarms.words("line_below_target")
    assert {target: word.state for target, word in told.items()} == {
        row.target: row.state for row in store.alarms.states()
    }
    assert store.alarms.state_counts() == {
        ("line_below_target", AlarmState.BAD): 2,
        ("line_below_target", AlarmState.OK): 1,
    }


def test_states_transitions_and_cursor_are_written_together_or_not_at_all(
    store: Store,
) -> None:
    _alarm(store)
    before = (
        store.alarms.states(),
        store.alarms.transitions_after(0),
        store.alarms.incidents(),
        store.cursors.get("alerts"),
    )
    broken = _state(AlarmState.BAD, -1, "line:z")
    with pytest.raises(StorageError):
        store.alarms.commit(
            [_state(AlarmState.OK, None), _replace(broken, building_id=None)],
            [_change(AlarmState.BAD, AlarmState.OK, 1)],
            reader="alerts",
            position=99,
            now_ms=NOON_MS + 1,
        )
    assert before == (
        store.alarms.states(),
        store.alarms.transitions_after(0),
        store.alarms.incidents(),
        store.cursors.get("alerts"),
    )


def test_open_incidents_of_what_comes_and_goes_are_found(store: Store) -> None:
    number = _alarm(store)
    assert store.alarms.flapping() == []
    (row,) = store.alarms.states()
    store.alarms.commit(
        [_replace(row, flapping=True)],
        [],
        reader="alerts",
        position=6,
        now_ms=NOON_MS,
    )
    assert [incident.id for incident in store.alarms.flapping()] == [number]
    (row,) = store.alarms.states()
    assert row.flapping


def _replace(row: StateRow, **fields: Any) -> StateRow:
    names = row.__struct_fields__
    return StateRow(**({name: getattr(row, name) for name in names} | fields))
