"""States, transitions and incidents on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from netmon.storage.database import Database
from netmon.storage.keeping import set_cursor
from netmon.storage.records import (
    AlarmState,
    Incident,
    StateRow,
    StateWord,
    Transition,
)

_T = TypeVar("_T")

_STATE = (
    "rule, target, building_id, state, since_ms, updated_ms, incident_id, memory, "
    "held_by, flapping"
)
_TRANSITION = (
    "id, rule, target, building_id, from_state, to_state, at_ms, incident_id, evidence"
)
_INCIDENT = "id, rule, target, building_id, started_ms, ended_ms, evidence"
_STATES = {state.value: state for state in AlarmState}
_targets = msgspec.json.Decoder(list[str]).decode
_odd_ones = msgspec.json.Decoder(list[tuple[str, AlarmState, str]]).decode

# What a transition carries as incident_id to open a new incident.
OPEN_INCIDENT = -1


def _fields(names: str) -> list[str]:
    return [name.strip() for name in names.split(",")]


def _rows(kind: type[_T], names: str, rows: Sequence[Sequence[object]]) -> list[_T]:
    fields = _fields(names)
    return [msgspec.convert(dict(zip(fields, row, strict=True)), kind) for row in rows]


class SqliteAlarms:
    """`netmon.storage.ports.AlarmStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # By rule: what SQLite wrote, and what it says.
        self._words: dict[str, tuple[str, str, Mapping[str, StateWord]]] = {}

    def states(
        self, *, rule: str | None = None, building_id: str | None = None
    ) -> list[StateRow]:
        """Return states; see the port."""
        equal = {"rule": rule, "building_id": building_id}
        given = {name: value for name, value in equal.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in given)
        where, values = f" WHERE {where}" if given else "", given.values()
        rows = self._database.rows(
            f"SELECT {_STATE} FROM states{where}",  # noqa: S608
            *values,
        )
        # There are thousands of them, and pages show them all: no detour by dict.
        return [
            StateRow(
                rule=row[0],
                target=row[1],
                building_id=row[2],
                state=_STATES[row[3]],
                since_ms=row[4],
                updated_ms=row[5],
                incident_id=row[6],
                memory=row[7],
                held_by=row[8],
                flapping=bool(row[9]),
            )
            for row in rows
        ]

    def words(self, rule: str) -> Mapping[str, StateWord]:
        """Return a rule's states by target; see the port."""
        # Nearly all are in order: their targets come together, and share a word.
        well = "state = ? AND held_by = ''"
        sql = (
            f"SELECT json_group_array(target) FILTER (WHERE {well}), "  # noqa: S608
            "json_group_array(json_array(target, state, held_by)) "
            f"FILTER (WHERE NOT ({well})) FROM states WHERE rule = ?"
        )
        in_order = AlarmState.OK
        ((good, others),) = self._database.rows(sql, in_order, in_order, rule)
        known = self._words.get(rule)
        if known is not None and known[:2] == (good, others):
            return known[2]
        words = dict.fromkeys(_targets(good), StateWord(in_order, ""))
        for target, state, held_by in _odd_ones(others):
            words[target] = StateWord(state, held_by)
        self._words[rule] = good, others, words
        return words

    def commit(
        self,
        rows: Sequence[StateRow],
        transitions: Sequence[Transition],
        *,
        reader: str,
        position: int,
        now_ms: int,
    ) -> list[Transition]:
        """Write states, transitions and cursor in one transaction; see the port."""
        with self._database.transaction() as connection:
            opened: dict[tuple[str, str], int] = {}
            stored = [self._store(connection, t, opened) for t in transitions]
            connection.executemany(
                f"INSERT INTO states ({_STATE}) VALUES (?,?,?,?,?,?,?,?,?,?) "  # noqa: S608
                "ON CONFLICT (rule, target) DO UPDATE SET "
                "building_id = excluded.building_id, state = excluded.state, "
                "since_ms = excluded.since_ms, updated_ms = excluded.updated_ms, "
                "incident_id = excluded.incident_id, memory = excluded.memory, "
                "held_by = excluded.held_by, flapping = excluded.flapping",
                [
                    (
                        row.rule,
                        row.target,
                        row.building_id,
                        row.state,
                        row.since_ms,
                        row.updated_ms,
                        opened.get((row.rule, row.target), row.incident_id)
                        if row.incident_id == OPEN_INCIDENT
                        else row.incident_id,
                        row.memory,
                        row.held_by,
                        row.flapping,
                    )
                    for row in rows
                ],
            )
            set_cursor(connection, reader, position, now_ms, None)
            return stored

    @staticmethod
    def _store(
        connection: sqlite3.Connection,
        transition: Transition,
        opened: dict[tuple[str, str], int],
    ) -> Transition:
        incident_id = transition.incident_id
        key = (transition.rule, transition.target)
        if incident_id == OPEN_INCIDENT and key in opened:
            # Opened earlier in this commit, so its id could not be known yet.
            incident_id = opened[key]
        if incident_id == OPEN_INCIDENT:
            cursor = connection.execute(
                "INSERT INTO incidents (rule, target, building_id, started_ms, "
                "ended_ms, evidence) VALUES (?,?,?,?,NULL,?)",
                (
                    transition.rule,
                    transition.target,
                    transition.building_id,
                    transition.at_ms,
                    transition.evidence,
                ),
            )
            incident_id = int(cursor.lastrowid or 0)
            opened[key] = incident_id
        elif incident_id is not None and transition.to_state is AlarmState.OK:
            connection.execute(
                "UPDATE incidents SET ended_ms = ? WHERE id = ? AND ended_ms IS NULL",
                (transition.at_ms, incident_id),
            )
            opened.pop(key, None)
        cursor = connection.execute(
            "INSERT INTO transitions (rule, target, building_id, from_state, to_state, "
            "at_ms, incident_id, evidence) VALUES (?,?,?,?,?,?,?,?)",
            (
                transition.rule,
                transition.target,
                transition.building_id,
                transition.from_state,
                transition.to_state,
                transition.at_ms,
                incident_id,
                transition.evidence,
            ),
        )
        return msgspec.structs.replace(
            transition, id=int(cursor.lastrowid or 0), incident_id=incident_id
        )

    def transitions_after(self, position: int, limit: int = 1000) -> list[Transition]:
        """Return transitions in order; see the port."""
        rows = self._database.rows(
            f"SELECT {_TRANSITION} FROM transitions WHERE id > ? "  # noqa: S608
            "ORDER BY id LIMIT ?",
            position,
            limit,
        )
        return _rows(Transition, _TRANSITION, rows)

    def last_transition(self) -> int:
        """Return the newest transition's id; see the port."""
        rows = self._database.rows("SELECT coalesce(max(id), 0) FROM transitions")
        return int(rows[0][0])

    def transitions_of(self, target: str, limit: int = 100) -> list[Transition]:
        """Return the newest transitions of a target; see the port."""
        rows = self._database.rows(
            f"SELECT {_TRANSITION} FROM transitions WHERE target = ? "  # noqa: S608
            "ORDER BY id DESC LIMIT ?",
            target,
            limit,
        )
        return _rows(Transition, _TRANSITION, rows)

    def incidents(
        self,
        *,
        open_only: bool = False,
        building_id: str | None = None,
        limit: int = 1000,
    ) -> list[Incident]:
        """Return incidents, newest first; see the port."""
        only = "AND ended_ms IS NULL " if open_only else ""
        rows = self._database.rows(
            f"SELECT {_INCIDENT} FROM incidents WHERE "  # noqa: S608
            f"building_id = coalesce(?, building_id) {only}ORDER BY id DESC LIMIT ?",
            building_id,
            limit,
        )
        return _rows(Incident, _INCIDENT, rows)

    def incident(self, incident_id: int) -> Incident | None:
        """Return one incident; see the port."""
        rows = self._database.rows(
            f"SELECT {_INCIDENT} FROM incidents WHERE id = ?",  # noqa: S608
            incident_id,
        )
        return next(iter(_rows(Incident, _INCIDENT, rows)), None)

    def flapping(self) -> list[Incident]:
        """Return the open incidents of what comes and goes; see the port."""
        rows = self._database.rows(
            f"SELECT {_INCIDENT} FROM incidents WHERE ended_ms IS NULL AND id IN "  # noqa: S608
            "(SELECT incident_id FROM states WHERE flapping) ORDER BY id"
        )
        return _rows(Incident, _INCIDENT, rows)

    def state_counts(self) -> Mapping[tuple[str, AlarmState], int]:
        """Return the number of targets by rule and state."""
        rows = self._database.rows(
            "SELECT rule, state, count(*) FROM states GROUP BY 1, 2"
        )
        return {(str(r), AlarmState(str(s))): int(str(n)) for r, s, n in rows}
