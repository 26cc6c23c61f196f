"""From stored measurements to states, transitions and incidents.

The engine reads on from its cursor, lets `alerts.machine` decide, and writes
states, transitions and the cursor in ONE transaction: killed anywhere, it goes
on from the last commit, repeats nothing and loses nothing. Only once all
arrivals are read is silence judged.

It lives through what happened in the order in which it happened: before a record is
taken, all deadlines that ended before its arrival are, and after each moment what
derives from it (`alerts.derived`). So history does not depend on when it was looked at.

States live in memory (`alerts.board`) and are read again when the cursor is not where
this engine left it, so an idle evaluation costs one query and a look at the clock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from alerts.board import Board, witnesses
from alerts.derived import DERIVED, Derivation, Finding, View, no_calendar
from alerts.evidence import Cause
from alerts.gate import Key, Passage
from alerts.held import Held
from alerts.machine import (
    Change,
    Limits,
    Seen,
    Watched,
    hearing,
    is_late,
    recheck,
    restart,
    retire,
    step,
)
from alerts.reading import results
from alerts.rule_settings import EffectiveRules
from alerts.rules import (
    RULES,
    RULES_OF_KIND,
    Rule,
    Scope,
    access_point_of,
    device_of,
    line_of,
    lines_below_by_contract,
)
from alerts.teller import Teller
from netmon.clock import Clock, to_ms
from netmon.config import Settings
from netmon.model import Inventory
from netmon.school_calendar import SchoolCalendar
from netmon.storage.alarms import OPEN_INCIDENT
from netmon.storage.ports import Store
from netmon.storage.records import AlarmState, Chunk, Transition

_log = logging.getLogger(__name__)

READER = "alerts"
# What one transaction takes in: a few ten thousand records are some 100 ms.
RECORDS_A_STEP = 20_000
# So many steps and no more before mails are looked after again.
STEPS_AN_EVALUATION = 50

# Kinds that some rule reads; of the others not even the body is read.
_KINDS = tuple(kind for kind, rules in RULES_OF_KIND.items() if rules)
# Begins the name of what becomes due to be derived, instead of a rule's.
_WAKE = "~"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one `Engine.run_once` did; ``caught_up`` is False if data are waiting.

    ``records`` are those that some rule reads.
    """

    records: int = 0
    transitions: tuple[Transition, ...] = ()
    caught_up: bool = True


@dataclass(slots=True)
class _Step:
    """What one transaction will write; nothing of it counts before the commit."""

    teller: Teller
    changed: set[Key] = field(default_factory=set)
    transitions: list[Transition] = field(default_factory=list)
    records: int = 0


@dataclass(slots=True)
class _Counts:
    """Since the start of this engine."""

    transitions: int = 0
    late: int = 0
    suppressed: int = 0


def _last_ms(held: Held) -> int:
    """Return the last moment that a target tells of."""
    memory = held.watched.memory
    heard_ms = max(memory.newest_ms, memory.heard_ms or 0, memory.held_ms)
    return max(heard_ms, held.watched.since_ms)


class Engine:
    """Evaluates what is new in the store; one engine at a time per store."""

    def __init__(
        self,
        store: Store,
        inventory: Callable[[], Inventory],
        settings: Settings,
        clock: Clock,
        calendar_of: Callable[[str], SchoolCalendar | None] = no_calendar,
    ) -> None:
        self._store = store
        self._calendar_of = calendar_of
        self._current = inventory
        self._settings = settings.alerts
        self._clock = clock
        self._inventory = Inventory(buildings=())
        self._rules = EffectiveRules(self._settings, self._inventory)
        self._witnesses: dict[str, tuple[tuple[Key, ...], ...]] = {}
        self._position: int | None = None
        self._board = Board(self._limits_of)
        # The moment that is lived through, in UTC milliseconds.
        self._moment_ms = 0
        self._derived_ms: dict[str, int] = {}
        self._counts = _Counts()

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
        except BaseException:
            # What is in memory may be half of a step: ask the store next time.
            self._position = None
            raise
        self._beat(now_ms, self._clock.monotonic_s() - started_s)
        return found

    def _evaluate(self, inventory: Inventory, now_ms: int) -> Evaluation:
        position, anew = self._load(inventory)
        group = str(position)
        # Read before the records: what arrives meanwhile is for the next evaluation.
        newest = self._store.measurements.last_position()
        transitions: list[Transition] = []
        records = 0
        if anew:
            todo = self._begin(group, now_ms)
            self._retire_gone(todo, now_ms)
            transitions += self._commit(todo, position, now_ms)
        caught_up = position >= newest
        for _ in range(STEPS_AN_EVALUATION):
            if caught_up:
                break
            chunks = self._store.measurements.chunks_after(
                position, RECORDS_A_STEP, kinds=_KINDS
            )
            todo = self._begin(group, now_ms)
            for chunk in chunks:
                todo.records += len(chunk.points.ts)
                self._pass_time(todo, chunk.received_ms)
                self._take(todo, chunk)
            self._settle(todo)
            position = chunks[-1].id if chunks else newest
            if todo.records < RECORDS_A_STEP:
                position = max(position, newest)
            caught_up = position >= newest
            transitions += self._commit(todo, position, now_ms)
            records += todo.records
        if caught_up:
            todo = self._begin(group, now_ms)
            self._pass_time(todo, now_ms)
            self._derive_by_the_clock(todo, now_ms, anew=anew)
            if todo.changed:
                transitions += self._commit(todo, position, now_ms)
        return Evaluation(records, tuple(transitions), caught_up)

    def _begin(self, group: str, now_ms: int) -> _Step:
        board = self._board
        return _Step(Teller(self._store, self._inventory, board.held, group, now_ms))

    def _load(self, inventory: Inventory) -> tuple[int, bool]:
        """Return the cursor's position, and whether all was made anew."""
        cursor = self._store.cursors.get(READER)
        known = cursor.position == self._position
        if known and inventory is self._inventory:
            return cursor.position, False
        if known:
            held = self._board.held
        else:
            held = {
                (row.rule, row.target): Held.of(row)
                for row in self._store.alarms.states()
                if row.rule in RULES
            }
            self._moment_ms = max(map(_last_ms, held.values()), default=0)
        self._inventory = inventory
        self._rules = EffectiveRules(self._settings, inventory)
        self._witnesses = witnesses(inventory)
        self._derived_ms = {}
        self._board.fill(held, inventory)
        self._position = cursor.position
        return cursor.position, True

    def _limits_of(self, key: Key, building_id: str) -> Limits | None:
        """Return the limits of a target.

        None where it is not in the inventory, or its rule is off there.
        """
        rule, target = RULES[key[0]], key[1]
        if rule.scope is Scope.LINE:
            line = self._inventory.line_by_id.get(line_of(target))
            if line is None:
                return None
            return self._rules.limits(rule, line.building_id, line)
        if rule.scope is Scope.DEVICE:
            known = device_of(target) in self._inventory.device_by_id
        elif rule.scope is Scope.MONITOR:
            known = True
        else:
            known = building_id in self._inventory.building_by_id
        return self._rules.limits(rule, building_id, None) if known else None

    def _take(self, todo: _Step, chunk: Chunk) -> None:
        for rule in RULES_OF_KIND[chunk.series.kind]:
            target = rule.target(chunk.series.tags)
            building_id = self._home(rule, target, chunk.series.building_id)
            key = (rule.name, target)
            limits = self._limits_of(key, building_id)
            if limits is None:
                continue
            held = self._board.held.get(key) or Held(building_id, Watched(), None)
            watched = hearing(held.watched, generated=chunk.series.generated)
            if watched is None:
                continue
            # The newest report says where it is: an access point moves with its name.
            held = Held(building_id, watched, held.incident_id)
            for seen in results(rule, chunk):
                if is_late(limits, held.watched.memory, seen):
                    self._counts.late += 1
                    continue
                held = self._hear(todo, key, held, limits, seen)

    def _home(self, rule: Rule, target: str, building_id: str) -> str:
        """Return where a target is; empty for what serves several buildings."""
        if rule.scope is not Scope.DEVICE:
            return building_id
        device = self._inventory.device_by_id.get(device_of(target))
        return building_id if device is None else device.building_id or ""

    def _hear(
        self, todo: _Step, key: Key, held: Held, limits: Limits, seen: Seen
    ) -> Held:
        ask = self._asking(key, held.building_id)
        watched, change = step(limits, held.watched, seen, self._moment_ms, ask)
        if watched is held.watched:
            return held
        return self._put(todo, key, held, watched, change)

    def _asking(self, key: Key, building_id: str) -> Callable[[int], Passage]:
        def ask(bad_since_ms: int) -> Passage:
            return self._board.passage(key, building_id, bad_since_ms, self._moment_ms)

        return ask

    def _pass_time(self, todo: _Step, until_ms: int) -> None:
        """Live through the deadlines before a moment, each at its own time."""
        if until_ms > self._moment_ms:
            self._settle(todo)
        while (due := self._board.next_due(until_ms)) is not None:
            at_ms, key = due
            self._moment_ms = max(self._moment_ms, at_ms + 1)
            if key[0].startswith(_WAKE):
                self._derive(todo, key[0].removeprefix(_WAKE), {key[1]})
            else:
                self._wait(todo, key)
            self._settle(todo)
        self._moment_ms = max(self._moment_ms, until_ms)

    def _wait(self, todo: _Step, key: Key) -> None:
        held = self._board.held[key]
        limits = self._limits_of(key, held.building_id)
        if limits is None:
            return
        ask = self._asking(key, held.building_id)
        watched, change = step(limits, held.watched, None, self._moment_ms, ask)
        if watched is held.watched:
            # It was due because what holds it says nothing any more.
            watched, change = recheck(limits, held.watched, self._moment_ms, ask)
        if watched is held.watched:
            self._board.put(key, held)
        else:
            self._put(todo, key, held, watched, change)

    def _settle(self, todo: _Step) -> None:
        """Derive what follows from what was heard at this moment."""
        dirty = self._board.dirty
        if not dirty:
            return
        self._board.dirty = set()
        for derivation in DERIVED:
            wake = (_WAKE + derivation.rule, "")
            waits = derivation.patient and self._board.due_ms(wake) is not None
            if not derivation.every_s and not waits:
                self._derive(todo, derivation.rule, dirty)
        awaited = self._board.awaited()
        if awaited:
            heard = set(self._board.life_keys(dirty))
            for key in awaited:
                if key in heard:
                    self._recheck_waiting(todo, key)

    def _derive(self, todo: _Step, rule: str, buildings: Collection[str]) -> None:
        derivation = next(each for each in DERIVED if each.rule == rule)
        self._feed(todo, derivation, sorted(buildings), self._moment_ms)

    def _derive_by_the_clock(self, todo: _Step, now_ms: int, *, anew: bool) -> None:
        for derivation in DERIVED:
            if not derivation.every_s:
                continue
            every_ms = round(derivation.every_s * 1000)
            slot_ms = now_ms - now_ms % every_ms
            if anew or self._derived_ms.get(derivation.rule) != slot_ms:
                self._derived_ms[derivation.rule] = slot_ms
                self._feed(todo, derivation, None, now_ms)

    def _feed(
        self,
        todo: _Step,
        derivation: Derivation,
        buildings: Collection[str] | None,
        now_ms: int,
    ) -> None:
        board = self._board
        view = View(
            store=self._store,
            inventory=self._inventory,
            settings=self._settings,
            rules=self._rules,
            held=board.held,
            life=board.life,
            speakers=board.speakers,
            witnesses=self._witnesses,
            now_ms=now_ms,
            seeing_since_ms=board.seeing_since_ms,
            calendar_of=self._calendar_of,
        )
        for finding in derivation.results(view, buildings):
            if finding.wake_ms is not None:
                wake = (_WAKE + derivation.rule, finding.building_id)
                board.wake(wake, finding.wake_ms)
            if finding.seen is not None:
                self._find(todo, derivation.rule, finding, finding.seen)

    def _find(self, todo: _Step, rule: str, finding: Finding, seen: Seen) -> None:
        key = (rule, finding.target)
        limits = self._limits_of(key, finding.building_id)
        held = self._board.held.get(key)
        if limits is None or (held is None and seen.value == 1.0):
            return
        held = held or Held(finding.building_id, Watched(), None)
        ask = self._asking(key, finding.building_id)
        watched, change = step(limits, held.watched, seen, self._moment_ms, ask)
        if watched is not held.watched:
            self._put(todo, key, held, watched, change, finding=finding)

    def _put(
        self,
        todo: _Step,
        key: Key,
        held: Held,
        watched: Watched,
        change: Change | None,
        *,
        cause: Cause | None = None,
        finding: Finding | None = None,
    ) -> Held:
        """Take over what the machine decided, and let the children know."""
        incident_id = held.incident_id
        if change is not None and change.opens:
            incident_id = OPEN_INCIDENT
        after = Held(held.building_id, watched, incident_id)
        if change is not None:
            told = todo.teller.tell(key, after, change, cause=cause, finding=finding)
            todo.transitions.append(told)
            if change.closes:
                after = Held(held.building_id, watched, None)
        if after.held_by is not None and held.held_by is None:
            self._counts.suppressed += 1
        self._board.put(key, after)
        todo.changed.add(key)
        if change is not None and change.to_state is AlarmState.OK:
            # One that was itself held, or had an incident, explained all of them.
            explained = change.closes or held.held_by is not None
            board = self._board
            children = board.children(key) if explained else board.waiting(key)
            self._restart(todo, children, change.at_ms)
        self._recheck_waiting(todo, key)
        return after

    def _restart(self, todo: _Step, keys: Collection[Key], from_ms: int) -> None:
        """Let only what is measured from now count of these."""
        for child in keys:
            held = self._board.held.get(child)
            watched = None if held is None else restart(held.watched, from_ms)
            if held and watched and watched is not held.watched:
                after = Held(held.building_id, watched, held.incident_id)
                self._board.put(child, after)
                todo.changed.add(child)

    def _recheck_waiting(self, todo: _Step, key: Key) -> None:
        for child in self._board.waiting(key):
            held = self._board.held[child]
            limits = self._limits_of(child, held.building_id)
            if limits is None:
                continue
            ask = self._asking(child, held.building_id)
            watched, change = recheck(limits, held.watched, self._moment_ms, ask)
            if watched is not held.watched:
                self._put(todo, child, held, watched, change)

    def _retire_gone(self, todo: _Step, now_ms: int) -> None:
        for key, held in list(self._board.held.items()):
            if not self._is_gone(key, held):
                continue
            watched, changes = retire(held.watched, now_ms)
            after = held
            for change in changes:
                after = self._put(
                    todo, key, after, watched, change, cause=Cause.RETIRED
                )

    def _is_gone(self, key: Key, held: Held) -> bool:
        if self._limits_of(key, held.building_id) is None:
            return True
        if (
            RULES[key[0]].scope is not Scope.ACCESS_POINT
            or held.watched.state is not AlarmState.STALE
        ):
            return False
        # An access point that is neither planned nor reported any more.
        return access_point_of(key[1]) not in self._inventory.access_point_by_id

    def _commit(self, todo: _Step, position: int, now_ms: int) -> list[Transition]:
        if not todo.changed and position == self._position:
            return []
        board = self._board
        keys = sorted(todo.changed)
        rows = [board.held[key].row(*key, now_ms) for key in keys]
        stored = self._store.alarms.commit(
            rows, todo.transitions, reader=READER, position=position, now_ms=now_ms
        )
        # The newest transition of a target carries the id of what is open now.
        opened = {(t.rule, t.target): t.incident_id for t in stored}
        for key in keys:
            held = board.held[key]
            if held.incident_id == OPEN_INCIDENT:
                held = Held(held.building_id, held.watched, opened[key])
                board.held[key] = held
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
        self._position = position
        self._counts.transitions += len(stored)
        return stored

    def _beat(self, now_ms: int, duration_s: float) -> None:
        behind = self._store.measurements.last_position() - (self._position or 0)
        held = self._board.held.values()
        self._store.heartbeats.beat(
            READER,
            now_ms,
            {
                "behind_chunks_count": behind,
                "evaluation_duration_s": duration_s,
                "flapping_targets_count": sum(each.flapping for each in held),
                "held_targets_count": sum(each.held_by is not None for each in held),
                "late_records_total": self._counts.late,
                "lines_below_by_contract_count": len(
                    lines_below_by_contract(self._inventory)
                ),
                "open_incidents_count": sum(
                    each.incident_id is not None for each in held
                ),
                "suppressed_total": self._counts.suppressed,
                "targets_count": len(held),
                "transitions_total": self._counts.transitions,
            },
        )
