"""Living through what happened: records, deadlines, and what derives from both.

Everything is taken in the order in which it happened: before a record is taken, all
deadlines that ended before its arrival are, each at its own time, and after each
moment what derives from it (`alerts.derived`). So history does not depend on when it
was looked at. What changed is gathered in a `Step`; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from msgspec.structs import replace

from alerts.board import Board, witnesses
from alerts.derived import DERIVED, Derivation, Finding, View, no_calendar
from alerts.evidence import Cause
from alerts.gate import Key, Passage
from alerts.held import Held
from alerts.machine import hearing, is_late, recheck, restart, retire, step
from alerts.reading import results
from alerts.rule_settings import EffectiveRules
from alerts.rules import (
    ALONE_AP_DOWN,
    AP_DOWN,
    RULES,
    RULES_OF_KIND,
    Rule,
    Scope,
    access_point_of,
    device_of,
    line_of,
)
from alerts.teller import Teller
from alerts.watched import Change, Limits, Seen, Watched
from netmon.config import AlertSettings
from netmon.model import Inventory
from netmon.school_calendar import SchoolCalendar
from netmon.storage.alarms import OPEN_INCIDENT
from netmon.storage.ports import Store
from netmon.storage.records import AlarmState, Chunk, Transition

# Begins the name of what becomes due to be derived, instead of a rule's.
_WAKE = "~"
# In order again, or no more in the inventory: it explains nothing from now on.
_BACK = (AlarmState.OK, AlarmState.UNKNOWN)


@dataclass(slots=True)
class Step:
    """What one transaction will write; nothing of it counts before the commit."""

    teller: Teller
    changed: set[Key] = field(default_factory=set)
    transitions: list[Transition] = field(default_factory=list)
    records: int = 0


def _last_ms(held: Held) -> int:
    """Return the last moment that a target tells of."""
    memory = held.watched.memory
    heard_ms = max(memory.newest_ms, memory.heard_ms or 0, memory.held_ms)
    return max(heard_ms, held.watched.since_ms)


class Course:
    """The states of all targets at the moment that is lived through.

    ``moment_ms`` is that moment. ``late`` and ``suppressed`` count since the start: records that came too late, and
    confirmed targets that were kept from raising.
    """

    def __init__(
        self,
        store: Store,
        settings: AlertSettings,
        calendar_of: Callable[[str], SchoolCalendar | None] = no_calendar,
    ) -> None:
        self._store = store
        self._calendar_of = calendar_of
        self._settings = settings
        self.inventory = Inventory(buildings=())
        self._rules = EffectiveRules(settings, self.inventory)
        self._witnesses: dict[str, tuple[tuple[Key, ...], ...]] = {}
        self.board = Board(self._limits_of)
        self.moment_ms = 0
        self._derived_ms: dict[str, int] = {}
        self.late = 0
        self.suppressed = 0

    def begin(self, held: dict[Key, Held] | None, inventory: Inventory) -> None:
        """Begin anew: with another inventory, and other states unless None."""
        if held is None:
            held = self.board.held
        else:
            self.moment_ms = max(map(_last_ms, held.values()), default=0)
        self.inventory = inventory
        self._rules = EffectiveRules(self._settings, inventory)
        self._witnesses = witnesses(inventory)
        self._derived_ms = {}
        self.board.fill(held, inventory)

    def look_around(self, todo: Step, now_ms: int) -> None:
        """After `begin`: drop what is no more, and ask for whom others still wait."""
        self._retire_gone(todo, now_ms)
        for key in self.board.awaited():
            self._recheck_waiting(todo, key)

    def _limits_of(self, key: Key, building_id: str) -> Limits | None:
        """Return the limits of a target.

        None where it is not in the inventory, or its rule is off there.
        """
        rule, target = self._rule_of(*key), key[1]
        if rule.scope is Scope.LINE:
            line = self.inventory.line_by_id.get(line_of(target))
            if line is None:
                return None
            return self._rules.limits(rule, line.building_id, line)
        if rule.scope is Scope.DEVICE:
            device = device_of(target)
            # One that is an access point is told of as that, and once.
            known = (
                device in self.inventory.device_by_id
                and device not in self.inventory.alone_at
            )
        elif rule.scope is Scope.MONITOR:
            known = True
        else:
            known = building_id in self.inventory.building_by_id
        return self._rules.limits(rule, building_id, None) if known else None

    def _rule_of(self, name: str, target: str) -> Rule:
        """Return the rule of a target: one that stands alone is judged as a device."""
        if name != AP_DOWN or not self.inventory.alone_at:
            return RULES[name]
        alone = self.inventory.stands_alone(access_point_of(target))
        return ALONE_AP_DOWN if alone else RULES[name]

    def take(self, todo: Step, chunk: Chunk) -> None:
        """Take a chunk that arrived at this moment."""
        for rule in RULES_OF_KIND[chunk.series.kind]:
            target = rule.target(chunk.series.tags)
            building_id = self._home(rule, target, chunk.series.building_id)
            key = (rule.name, target)
            limits = self._limits_of(key, building_id)
            if limits is None:
                continue
            held = self.board.held.get(key) or Held(building_id, Watched(), None)
            watched = hearing(held.watched, generated=chunk.series.generated)
            if watched is None:
                continue
            # The newest report says where it is: an access point moves with its name.
            held = Held(building_id, watched, held.incident_id)
            for seen in results(self._rule_of(*key), chunk):
                if is_late(limits, held.watched.memory, seen):
                    self.late += 1
                    continue
                if rule.name == AP_DOWN and seen.value:
                    held = self._told_by(held, target, chunk.series.tags["device"])
                held = self._hear(todo, key, held, limits, seen)

    def _told_by(self, held: Held, target: str, device_id: str) -> Held:
        """Return an access point's state with the controller that has it."""
        plan = self.inventory.access_point_by_id.get(access_point_of(target))
        via = "" if plan is None or plan.controller_id == device_id else device_id
        if via == held.via:
            return held
        memory = replace(held.watched.memory, via=via)
        watched = replace(held.watched, memory=memory)
        return Held(held.building_id, watched, held.incident_id)

    def _home(self, rule: Rule, target: str, building_id: str) -> str:
        """Return where a target is; empty for what serves several buildings."""
        if rule.scope is not Scope.DEVICE:
            return building_id
        device = self.inventory.device_by_id.get(device_of(target))
        return building_id if device is None else device.building_id or ""

    def _hear(
        self, todo: Step, key: Key, held: Held, limits: Limits, seen: Seen
    ) -> Held:
        ask = self._asking(key, held.building_id)
        watched, change = step(limits, held.watched, seen, self.moment_ms, ask)
        if watched is held.watched:
            return held
        return self._put(todo, key, held, watched, change)

    def _asking(self, key: Key, building_id: str) -> Callable[[int], Passage]:
        def ask(bad_since_ms: int) -> Passage:
            return self.board.passage(key, building_id, bad_since_ms, self.moment_ms)

        return ask

    def pass_time(self, todo: Step, until_ms: int) -> None:
        """Live through the deadlines before a moment, each at its own time."""
        if until_ms > self.moment_ms:
            self.settle(todo)
        while (due := self.board.next_due(until_ms)) is not None:
            at_ms, key = due
            self.moment_ms = max(self.moment_ms, at_ms + 1)
            if key[0].startswith(_WAKE):
                self._derive(todo, key[0].removeprefix(_WAKE), {key[1]})
            else:
                self._wait(todo, key)
            self.settle(todo)
        self.moment_ms = max(self.moment_ms, until_ms)

    def _wait(self, todo: Step, key: Key) -> None:
        held = self.board.held[key]
        limits = self._limits_of(key, held.building_id)
        if limits is None:
            return
        ask = self._asking(key, held.building_id)
        watched, change = step(limits, held.watched, None, self.moment_ms, ask)
        if watched is held.watched:
            # It was due because what holds it says nothing any more.
            watched, change = recheck(limits, held.watched, self.moment_ms, ask)
        if watched is held.watched:
            self.board.put(key, held)
        else:
            self._put(todo, key, held, watched, change)

    def settle(self, todo: Step) -> None:
        """Derive what follows from what was heard at this moment."""
        dirty = self.board.dirty
        if not dirty:
            return
        self.board.dirty = set()
        for derivation in DERIVED:
            wake = (_WAKE + derivation.rule, "")
            waits = derivation.patient and self.board.due_ms(wake) is not None
            if not derivation.every_s and not waits:
                self._derive(todo, derivation.rule, dirty)
        awaited = self.board.awaited()
        if awaited:
            heard = set(self.board.life_keys(dirty))
            for key in awaited:
                if key in heard:
                    self._recheck_waiting(todo, key)

    def _derive(self, todo: Step, rule: str, buildings: Collection[str]) -> None:
        derivation = next(each for each in DERIVED if each.rule == rule)
        self._feed(todo, derivation, sorted(buildings), self.moment_ms)

    def derive_by_the_clock(self, todo: Step, now_ms: int, *, anew: bool) -> None:
        """Derive what is due by the clock of the present; all of it if ``anew``."""
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
        todo: Step,
        derivation: Derivation,
        buildings: Collection[str] | None,
        now_ms: int,
    ) -> None:
        board = self.board
        view = View(
            store=self._store,
            inventory=self.inventory,
            settings=self._settings,
            rules=self._rules,
            held=board.held,
            life=board.life,
            speakers=board.speakers,
            witnesses=self._witnesses,
            now_ms=now_ms,
            seeing_since_ms=board.seeing_since_ms,
            heard_ms=board.heard_ms,
            calendar_of=self._calendar_of,
        )
        for finding in derivation.results(view, buildings):
            if finding.wake_ms is not None:
                wake = (_WAKE + derivation.rule, finding.building_id)
                board.wake(wake, finding.wake_ms)
            if finding.seen is not None:
                self._find(todo, derivation.rule, finding, finding.seen)

    def _find(self, todo: Step, rule: str, finding: Finding, seen: Seen) -> None:
        key = (rule, finding.target)
        limits = self._limits_of(key, finding.building_id)
        held = self.board.held.get(key)
        if limits is None or (held is None and seen.value == 1.0):
            return
        held = held or Held(finding.building_id, Watched(), None)
        ask = self._asking(key, finding.building_id)
        watched, change = step(limits, held.watched, seen, self.moment_ms, ask)
        if watched is not held.watched:
            self._put(todo, key, held, watched, change, finding=finding)

    def _put(
        self,
        todo: Step,
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
            self.suppressed += 1
        self.board.put(key, after)
        todo.changed.add(key)
        if change is not None and change.to_state in _BACK:
            # One that was itself held, or had an incident, explained all of them.
            explained = change.closes or held.held_by is not None
            children = self.board.children(key) if explained else ()
            keys = (*children, *self.board.waiting(key))
            self._restart(todo, keys, change.at_ms, explained=explained)
        self._recheck_waiting(todo, key)
        return after

    def _restart(
        self, todo: Step, keys: Collection[Key], from_ms: int, *, explained: bool
    ) -> None:
        """Let only what is measured from now count of these."""
        for child in keys:
            held = self.board.held.get(child)
            if held is None:
                continue
            watched = restart(held.watched, from_ms, explained=explained)
            if watched is not held.watched:
                after = Held(held.building_id, watched, held.incident_id)
                self.board.put(child, after)
                todo.changed.add(child)

    def _recheck_waiting(self, todo: Step, key: Key) -> None:
        for child in self.board.waiting(key):
            held = self.board.held[child]
            limits = self._limits_of(child, held.building_id)
            if limits is None:
                continue
            ask = self._asking(child, held.building_id)
            watched, change = recheck(limits, held.watched, self.moment_ms, ask)
            if watched is not held.watched:
                self._put(todo, child, held, watched, change)

    def _retire_gone(self, todo: Step, now_ms: int) -> None:
        for key, held in list(self.board.held.items()):
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
        return access_point_of(key[1]) not in self.inventory.access_point_by_id
