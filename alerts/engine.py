"""From stored measurements to states, transitions and incidents.

The engine reads on from its cursor, lets `alerts.machine` decide, and writes
states, transitions and the cursor in ONE transaction: killed anywhere, it goes
on from the last commit, repeats nothing and loses nothing. Only once all
arrivals are read is silence judged.

States live in memory and are read again when the cursor is not where this
engine left it, so an idle evaluation costs one query and a look at the clock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from alerts.evidence import (
    Cause,
    encode,
    gather,
    name_access_point,
)
from alerts.explain import explain_line
from alerts.held import Held
from alerts.machine import (
    Change,
    Limits,
    Seen,
    Watched,
    deadline_ms,
    hearing,
    is_late,
    retire,
    step,
)
from alerts.reading import results
from alerts.rules import (
    LINE_BELOW_TARGET,
    NO_DATA,
    RULES,
    RULES_OF_KIND,
    Rule,
    Scope,
    access_point_of,
    line_of,
    lines_below_by_contract,
)
from netmon.clock import Clock, to_ms
from netmon.config import Settings
from netmon.errors import NetmonError
from netmon.line_verdict import LineAlarms
from netmon.model import Inventory
from netmon.storage.alarms import OPEN_INCIDENT
from netmon.storage.ports import Store
from netmon.storage.records import (
    AlarmState,
    Chunk,
    SeenAccessPoint,
    Transition,
)
from netmon.wlan_truth import ApTruth, WlanTruth, read_wlan_truth

_log = logging.getLogger(__name__)

READER = "alerts"
# What one transaction takes in: a few ten thousand records are some 100 ms.
RECORDS_A_STEP = 20_000
# So many steps and no more before mails are looked after again.
STEPS_AN_EVALUATION = 50

_Key = tuple[str, str]
# A mail about these asks whether it is the line itself.
_TROUBLE = (AlarmState.BAD, AlarmState.STALE)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one `Engine.run_once` did; ``caught_up`` is False if data are waiting."""

    records: int = 0
    transitions: tuple[Transition, ...] = ()
    caught_up: bool = True


@dataclass(slots=True)
class _Step:
    """What one transaction will write; nothing of it counts before the commit."""

    group: str
    now_ms: int
    held: dict[_Key, Held] = field(default_factory=dict)
    transitions: list[Transition] = field(default_factory=list)
    access_points: dict[str, dict[str, SeenAccessPoint]] = field(default_factory=dict)
    truths: dict[str, WlanTruth] = field(default_factory=dict)
    records: int = 0
    late: int = 0


class Engine:
    """Evaluates what is new in the store; one engine at a time per store."""

    def __init__(
        self,
        store: Store,
        inventory: Callable[[], Inventory],
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._current = inventory
        self._settings = settings.alerts
        self._clock = clock
        self._inventory = Inventory(buildings=())
        self._position: int | None = None
        self._held: dict[_Key, Held] = {}
        self._deadlines: dict[_Key, int] = {}
        self._transitions_total = 0
        self._late_total = 0

    def run_once(self) -> Evaluation:
        """Evaluate everything that has arrived, then the passing of time.

        Before the first inventory nothing is read: it will be evaluated then.

        Raises:
            StorageBusyError: the store is held by another process; call again.
            StorageError: the store refused.
        """
        inventory = self._current()
        if not inventory.buildings:
            return Evaluation()
        now_ms = to_ms(self._clock.now())
        started_s = self._clock.monotonic_s()
        try:
            found = self._evaluate(inventory, now_ms)
        except NetmonError:
            # Whether the commit happened is not known: ask the store next time.
            self._position = None
            raise
        self._beat(now_ms, self._clock.monotonic_s() - started_s)
        return found

    def _evaluate(self, inventory: Inventory, now_ms: int) -> Evaluation:
        changed = inventory is not self._inventory
        self._inventory = inventory
        position, reloaded = self._load()
        # The same for every step: what falls in one evaluation shares a mail.
        group = str(position)
        transitions: list[Transition] = []
        records = 0
        if changed or reloaded:
            transitions += self._retire_gone(_Step(group, now_ms), position)
        caught_up = False
        for _ in range(STEPS_AN_EVALUATION):
            chunks = self._store.measurements.chunks_after(position, RECORDS_A_STEP)
            if not chunks:
                caught_up = True
                break
            todo = _Step(group, now_ms)
            for chunk in chunks:
                self._take(todo, chunk)
            position = chunks[-1].id
            transitions += self._commit(todo, position)
            records += todo.records
        if caught_up:
            todo = _Step(group, now_ms)
            self._wait(todo)
            if todo.held:
                transitions += self._commit(todo, position)
        return Evaluation(records, tuple(transitions), caught_up)

    def _load(self) -> tuple[int, bool]:
        """Return the cursor's position, and whether the states were read again."""
        position = self._store.cursors.get(READER).position
        if position == self._position:
            return position, False
        self._held = {
            (row.rule, row.target): Held.of(row)
            for row in self._store.alarms.states()
            if row.rule in RULES
        }
        self._deadlines = {}
        for key, held in self._held.items():
            self._note_deadline(key, held)
        self._position = position
        return position, True

    def _take(self, todo: _Step, chunk: Chunk) -> None:
        todo.records += len(chunk.points.ts)
        for rule in RULES_OF_KIND.get(chunk.series.kind, ()):
            target = rule.target(chunk.series.tags)
            limits = self._limits(rule, target, chunk.series.building_id)
            if limits is None:
                continue
            key = (rule.name, target)
            held = todo.held.get(key) or self._held.get(key)
            known = held or Held(chunk.series.building_id, Watched(), None)
            after = self._step(todo, key, known, limits, None, chunk.received_ms)
            after = self._hear(todo, key, after, limits, chunk)
            if after is not known:
                todo.held[key] = after

    def _hear(
        self, todo: _Step, key: _Key, held: Held, limits: Limits, chunk: Chunk
    ) -> Held:
        watched = hearing(held.watched, generated=chunk.series.generated)
        if watched is None:
            return held
        # The newest report says where it is: an access point moves with its name.
        ready = Held(chunk.series.building_id, watched, held.incident_id)
        after = ready
        for seen in results(RULES[key[0]], chunk):
            todo.late += is_late(limits, after.watched.memory, seen)
            after = self._step(todo, key, after, limits, seen, chunk.received_ms)
        return held if after is ready else after

    def _wait(self, todo: _Step) -> None:
        due = [key for key, at_ms in self._deadlines.items() if at_ms < todo.now_ms]
        for key in sorted(due):
            held = self._held[key]
            limits = self._limits(RULES[key[0]], key[1], held.building_id)
            if limits is None:
                continue
            after = self._step(todo, key, held, limits, None, todo.now_ms)
            if after is not held:
                todo.held[key] = after

    def _limits(self, rule: Rule, target: str, building_id: str) -> Limits | None:
        """Return the limits of a target; None where it is not in the inventory."""
        if rule.scope is Scope.LINE:
            line = self._inventory.line_by_id.get(line_of(target))
            return None if line is None else rule.limits(self._settings, line)
        if building_id not in self._inventory.building_by_id:
            return None
        return rule.limits(self._settings, None)

    def _step(
        self,
        todo: _Step,
        key: _Key,
        held: Held,
        limits: Limits,
        seen: Seen | None,
        now_ms: int,
    ) -> Held:
        watched, change = step(limits, held.watched, seen, now_ms)
        if watched is held.watched:
            return held
        if change is None:
            return Held(held.building_id, watched, held.incident_id)
        return self._note(todo, key, held, watched, change)

    def _note(
        self,
        todo: _Step,
        key: _Key,
        held: Held,
        watched: Watched,
        change: Change,
        cause: Cause | None = None,
    ) -> Held:
        rule, target = RULES[key[0]], key[1]
        incident_id = OPEN_INCIDENT if change.opens else held.incident_id
        evidence = gather(rule, target, watched, change, self._inventory)
        if rule.scope is Scope.ACCESS_POINT:
            evidence = name_access_point(
                evidence,
                target,
                self._inventory,
                self._seen_access_point(todo, held.building_id, target),
            )
            if change.to_state is AlarmState.BAD:
                truth = self._truth(todo, held.building_id, target)
                evidence = replace(evidence, truth=truth)
        elif change.to_state in _TROUBLE:
            line = self._inventory.line_by_id.get(line_of(target))
            if line is not None:
                evidence = explain_line(
                    evidence,
                    line,
                    self._alarms(todo, key, watched),
                    self._inventory,
                    self._store.measurements,
                    todo.now_ms,
                )
        if cause is not None:
            evidence = replace(evidence, cause=cause)
        if change.opens and rule.group_by_building:
            group = f"{rule.name}/{held.building_id}/{todo.group}"
            evidence = replace(evidence, group=group)
        todo.transitions.append(
            Transition(
                id=0,
                rule=rule.name,
                target=target,
                building_id=held.building_id,
                from_state=change.from_state,
                to_state=change.to_state,
                at_ms=change.at_ms,
                incident_id=incident_id,
                evidence=encode(evidence),
            )
        )
        return Held(held.building_id, watched, None if change.closes else incident_id)

    def _alarms(self, todo: _Step, key: _Key, watched: Watched) -> LineAlarms:
        """Return the states of a line's rules, of the key's rule the new one."""
        states = {}
        for name in (LINE_BELOW_TARGET, NO_DATA):
            other = (name, key[1])
            held = todo.held.get(other) or self._held.get(other)
            known = None if held is None else held.watched
            states[name] = watched if other == key else known
        below, silent = states[LINE_BELOW_TARGET], states[NO_DATA]
        return LineAlarms(
            below_target=None if below is None else below.state,
            no_data=None if silent is None else silent.state,
            incident_open=below is not None and below.incident_open,
        )

    def _seen_access_point(
        self, todo: _Step, building_id: str, target: str
    ) -> SeenAccessPoint | None:
        here = todo.access_points.get(building_id)
        if here is None:
            here = todo.access_points[building_id] = {
                f"{Scope.ACCESS_POINT}:{ap.ap}": ap
                for ap in self._store.measurements.access_points(building_id)
            }
        return here.get(target)

    def _truth(self, todo: _Step, building_id: str, target: str) -> ApTruth | None:
        """Return where the trail of an access point ends, as the store knows it now."""
        if building_id not in todo.truths:
            todo.truths[building_id] = read_wlan_truth(
                self._store, self._inventory, building_id, todo.now_ms
            )
        return todo.truths[building_id].by_ap.get(access_point_of(target))

    def _retire_gone(self, todo: _Step, position: int) -> list[Transition]:
        for key, held in self._held.items():
            if not self._is_gone(todo, key, held):
                continue
            watched, changes = retire(held.watched, todo.now_ms)
            after = held
            for change in changes:
                after = self._note(todo, key, after, watched, change, Cause.RETIRED)
            if changes:
                todo.held[key] = after
        return self._commit(todo, position) if todo.held else []

    def _is_gone(self, todo: _Step, key: _Key, held: Held) -> bool:
        if self._limits(RULES[key[0]], key[1], held.building_id) is None:
            return True
        if (
            RULES[key[0]].scope is Scope.LINE
            or held.watched.state is not AlarmState.STALE
        ):
            return False
        # An access point that is neither planned nor reported any more.
        return access_point_of(key[1]) not in self._inventory.access_point_by_id

    def _commit(self, todo: _Step, position: int) -> list[Transition]:
        rows = [
            held.row(rule, target, todo.now_ms)
            for (rule, target), held in todo.held.items()
        ]
        stored = self._store.alarms.commit(
            rows,
            todo.transitions,
            reader=READER,
            position=position,
            now_ms=todo.now_ms,
        )
        # The newest transition of a target carries the id of what is open now.
        opened = {(t.rule, t.target): t.incident_id for t in stored}
        for key, held in todo.held.items():
            if held.incident_id == OPEN_INCIDENT:
                incident_id = opened[key]
                todo.held[key] = Held(held.building_id, held.watched, incident_id)
        for transition in stored:
            # A city's first evaluation finds thousands of things in order.
            begins = transition.from_state is AlarmState.UNKNOWN
            _log.log(
                logging.DEBUG if begins else logging.INFO,
                "%s %s: %s -> %s",
                transition.rule,
                transition.target,
                transition.from_state,
                transition.to_state,
            )
        self._held.update(todo.held)
        for key, held in todo.held.items():
            self._note_deadline(key, held)
        self._position = position
        self._transitions_total += len(stored)
        self._late_total += todo.late
        return stored

    def _note_deadline(self, key: _Key, held: Held) -> None:
        limits = self._limits(RULES[key[0]], key[1], held.building_id)
        at_ms = None if limits is None else deadline_ms(limits, held.watched)
        if at_ms is None:
            self._deadlines.pop(key, None)
        else:
            self._deadlines[key] = at_ms

    def _beat(self, now_ms: int, duration_s: float) -> None:
        behind = self._store.measurements.last_position() - (self._position or 0)
        is_open = [h.incident_id is not None for h in self._held.values()]
        self._store.heartbeats.beat(
            READER,
            now_ms,
            {
                "behind_chunks_count": behind,
                "evaluation_duration_s": duration_s,
                "late_records_total": self._late_total,
                "lines_below_by_contract_count": len(
                    lines_below_by_contract(self._inventory)
                ),
                "open_incidents_count": sum(is_open),
                "targets_count": len(is_open),
                "transitions_total": self._transitions_total,
            },
        )
