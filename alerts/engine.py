"""From stored measurements to states, transitions and incidents.

The engine reads on from its cursor, lets `alerts.machine` decide, and writes
states, transitions and the cursor in ONE transaction: killed anywhere, it goes
on from the last commit, repeats nothing and loses nothing. Only once all
arrivals are read is silence judged.

What happened is lived through in its order (`alerts.course`), so history does not
depend on when it was looked at.

States live in memory (`alerts.board`) and are read again when the cursor is not where
this engine left it, so an idle evaluation costs one query and a look at the clock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from alerts.course import Course, Step
from alerts.derived import no_calendar
from alerts.held import Held
from alerts.rules import (
    RULES,
    RULES_OF_KIND,
    lines_below_by_contract,
)
from alerts.teller import Teller
from netmon.clock import Clock, to_ms
from netmon.config import Settings
from netmon.model import Inventory
from netmon.school_calendar import SchoolCalendar
from netmon.storage.alarms import OPEN_INCIDENT
from netmon.storage.ports import Store
from netmon.storage.records import AlarmState, Transition

_log = logging.getLogger(__name__)

READER = "alerts"
# What one transaction takes in: a few ten thousand records are some 100 ms.
RECORDS_A_STEP = 20_000
# So many steps and no more before mails are looked after again.
STEPS_AN_EVALUATION = 50

# Kinds that some rule reads; of the others not even the body is read.
_KINDS = tuple(kind for kind, rules in RULES_OF_KIND.items() if rules)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one `Engine.run_once` did; ``caught_up`` is False if data are waiting.

    ``records`` are those that some rule reads. ``behind_s`` is how long ago the moment
    is that was reached, 0 once caught up.
    """

    records: int = 0
    transitions: tuple[Transition, ...] = ()
    caught_up: bool = True
    behind_s: float = 0.0


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
        self._current = inventory
        self._clock = clock
        self._position: int | None = None
        self._course = Course(store, settings.alerts, calendar_of)
        self._transitions_total = 0

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
        course = self._course
        group = str(position)
        # Read before the records: what arrives meanwhile is for the next evaluation.
        newest = self._store.measurements.last_position()
        transitions: list[Transition] = []
        records = 0
        if anew:
            todo = self._begin(group, now_ms)
            course.look_around(todo, now_ms)
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
                course.pass_time(todo, chunk.received_ms)
                course.take(todo, chunk)
            course.settle(todo)
            position = chunks[-1].id if chunks else newest
            if todo.records < RECORDS_A_STEP:
                position = max(position, newest)
            caught_up = position >= newest
            transitions += self._commit(todo, position, now_ms)
            records += todo.records
        if caught_up:
            todo = self._begin(group, now_ms)
            course.pass_time(todo, now_ms)
            course.derive_by_the_clock(todo, now_ms, anew=anew)
            if todo.changed:
                transitions += self._commit(todo, position, now_ms)
        behind_ms = 0 if caught_up else now_ms - course.moment_ms
        return Evaluation(records, tuple(transitions), caught_up, behind_ms / 1000)

    def _begin(self, group: str, now_ms: int) -> Step:
        held, inventory = self._course.board.held, self._course.inventory
        return Step(Teller(self._store, inventory, held, group, now_ms))

    def _load(self, inventory: Inventory) -> tuple[int, bool]:
        """Return the cursor's position, and whether all was made anew."""
        cursor = self._store.cursors.get(READER)
        known = cursor.position == self._position
        if known and inventory is self._course.inventory:
            return cursor.position, False
        held = None
        if not known:
            held = {
                (row.rule, row.target): Held.of(row)
                for row in self._store.alarms.states()
                if row.rule in RULES
            }
        self._course.begin(held, inventory)
        self._position = cursor.position
        return cursor.position, True

    def _commit(self, todo: Step, position: int, now_ms: int) -> list[Transition]:
        if not todo.changed and position == self._position:
            return []
        board = self._course.board
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
        self._transitions_total += len(stored)
        return stored

    def _beat(self, now_ms: int, duration_s: float) -> None:
        behind = self._store.measurements.last_position() - (self._position or 0)
        held = self._course.board.held.values()
        self._store.heartbeats.beat(
            READER,
            now_ms,
            {
                "behind_chunks_count": behind,
                "evaluation_duration_s": duration_s,
                "flapping_targets_count": sum(each.flapping for each in held),
                "held_targets_count": sum(each.held_by is not None for each in held),
                "late_records_total": self._course.late,
                "lines_below_by_contract_count": len(
                    lines_below_by_contract(self._course.inventory)
                ),
                "open_incidents_count": sum(
                    each.incident_id is not None for each in held
                ),
                "suppressed_total": self._course.suppressed,
                "targets_count": len(held),
                "transitions_total": self._transitions_total,
            },
        )
