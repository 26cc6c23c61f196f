"""The states of all targets in memory, with what follows from them.

Everything here can be made anew from the store's rows and the inventory, so a
restarted engine goes on as if it had never stopped.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from alerts.dependency import MONITOR_KEY, device_key, line_key, parents_of
from alerts.gate import NEVER_SEEN, Gate, Key, Parent, Passage, passage
from alerts.held import Held
from alerts.machine import deadline_ms
from alerts.rules import (
    AP_DEGRADED,
    AP_DOWN,
    LINE_DOWN,
    LINE_FLAPPING,
    MONITOR,
    NO_DATA,
    RULES,
    Scope,
)
from alerts.watched import Limits
from netmon.model import Inventory
from netmon.storage.records import AlarmState

# Rules whose good results prove that somebody in the building was reached.
_PROVE_LIFE = frozenset({Scope.ACCESS_POINT, Scope.DEVICE})

# So many lines, and at least this share of all, that broke off within so long of each
# other: what they share broke, most likely netmon's own end.
_LEAST_TOGETHER = 5
_TOGETHER_SHARE = 0.3
_TOGETHER_MS = 180_000

LimitsOf = Callable[[Key, str], Limits | None]


@dataclass(frozen=True, slots=True)
class Speaker:
    """When a building was last heard, and how long after the time before.

    Both are arrivals at the gateway; ``gap_ms`` is None after the first one.
    """

    heard_ms: int
    gap_ms: int | None


class Board:
    """States, their deadlines, who was heard, who waits for whom."""

    def __init__(self, limits: LimitsOf) -> None:
        self._limits = limits
        self._inventory = Inventory(buildings=())
        self._parents: dict[Key, tuple[Key, ...]] = {}
        self._children: dict[Key, set[Key]] = {}
        self._waiting: dict[Key, set[Key]] = {}
        self._until: dict[Key, int] = {}
        self._due: dict[Key, int] = {}
        self._heap: list[tuple[int, Key]] = []
        self._heaped: dict[Key, int] = {}
        self.held: dict[Key, Held] = {}
        # Building -> when something in it was last proven to work, by measuring time.
        self.life: dict[str, int] = {}
        self.speakers: dict[str, Speaker] = {}
        # When anybody was heard, be it a probe or a collector.
        self.heard_ms = 0
        # Buildings of which something was heard that nothing was derived from yet.
        self.dirty: set[str] = set()

    def fill(self, held: dict[Key, Held], inventory: Inventory) -> None:
        """Begin anew with these states."""
        self._inventory = inventory
        self._parents, self._children, self._waiting = {}, {}, {}
        self._until, self._due, self._heap, self._heaped = {}, {}, [], {}
        self.held, self.life, self.speakers = {}, {}, {}
        self.heard_ms = 0
        for key, each in held.items():
            self.put(key, each)
        self.dirty = {building.id for building in inventory.buildings}

    def put(self, key: Key, held: Held) -> None:
        """Set a state, and everything that follows from it."""
        before = self.held.get(key)
        self.held[key] = held
        if (
            before is None
            or before.building_id != held.building_id
            or before.via != held.via
        ):
            self._link(key, held.building_id)
            # Whatever else is said of an access point is said by the same controller.
            if key[0] == AP_DOWN and (poor := self.held.get((AP_DEGRADED, key[1]))):
                self._link((AP_DEGRADED, key[1]), poor.building_id)
        self._wait_for(key, None if before is None else before.held_by, held.held_by)
        limits = self._limits(key, held.building_id)
        self.wake(key, None if limits is None else deadline_ms(limits, held.watched))
        self._hear(key, held)

    def wake(self, key: Key, at_ms: int | None) -> None:
        """Let a key become due after a time; None for never."""
        until_ms = self._until.get(key)
        if until_ms is not None and (at_ms is None or until_ms < at_ms):
            at_ms = until_ms
        if at_ms is None:
            self._due.pop(key, None)
            return
        self._due[key] = at_ms
        # A later time is found when the earlier one comes up.
        if at_ms < self._heaped.get(key, at_ms + 1):
            self._heaped[key] = at_ms
            heapq.heappush(self._heap, (at_ms, key))

    def due_ms(self, key: Key) -> int | None:
        """Return when a key becomes due; None for never."""
        return self._due.get(key)

    def next_due(self, before_ms: int) -> tuple[int, Key] | None:
        """Take the first key that is due before a time; None where none is."""
        heap = self._heap
        while heap and heap[0][0] < before_ms:
            at_ms, key = heapq.heappop(heap)
            if self._heaped.get(key) != at_ms:
                continue
            del self._heaped[key]
            due_ms = self._due.get(key)
            if due_ms is not None and due_ms > at_ms:
                self._heaped[key] = due_ms
                heapq.heappush(heap, (due_ms, key))
            elif due_ms is not None:
                del self._due[key]
                self._until.pop(key, None)
                return at_ms, key
        return None

    def passage(self, key: Key, building_id: str, bad_ms: int, now_ms: int) -> Passage:
        """Ask the gate of a target that is bad since ``bad_ms``.

        An access point that was never in order did not fail: it was planned, and
        nobody has put it up yet.
        """
        if key[0] == AP_DOWN and not self._was_ever_good(key):
            return Passage(Gate.HOLD, (NEVER_SEEN, key[1]))
        if key[0] == LINE_FLAPPING and self._breaks_with_others(key, now_ms):
            return Passage(Gate.HOLD, MONITOR_KEY)
        found = passage(self._known(key, building_id, now_ms), bad_ms)
        if found.until_ms is None:
            self._until.pop(key, None)
        else:
            self._until[key] = found.until_ms
        return found

    def _breaks_with_others(self, key: Key, now_ms: int) -> bool:
        """Say whether a line broke off mostly together with many: then it is not it.

        Newest breaks are left out, of which the others may not have told yet.
        """
        breaks: dict[str, tuple[int, ...]] = {}
        for line in self._inventory.lines:
            target = f"{Scope.LINE}:{line.id}"
            held = self.held.get((LINE_FLAPPING, target))
            if held is not None:
                breaks[target] = held.watched.memory.window
        mine = [ms for ms in breaks.pop(key[1], ()) if ms <= now_ms - _TOGETHER_MS]
        needed = max(_LEAST_TOGETHER - 1, _TOGETHER_SHARE * len(breaks))
        shared = 0
        for ms in mine:
            with_it = sum(
                any(abs(ms - at_ms) <= _TOGETHER_MS for at_ms in each)
                for each in breaks.values()
            )
            shared += with_it >= needed
        return 2 * shared > len(mine)

    def _was_ever_good(self, key: Key) -> bool:
        held = self.held.get(key)
        return held is not None and held.watched.memory.good_ms is not None

    def children(self, key: Key) -> tuple[Key, ...]:
        """Return the targets that depend on one."""
        return tuple(sorted(self._children.get(key, ())))

    def waiting(self, key: Key) -> tuple[Key, ...]:
        """Return the targets that are held by one."""
        return tuple(sorted(self._waiting.get(key, ())))

    def awaited(self) -> tuple[Key, ...]:
        """Return the targets that hold others."""
        return tuple(sorted(self._waiting))

    def _parents_of(self, key: Key, building_id: str) -> tuple[Key, ...]:
        if key not in self._parents:
            self._link(key, building_id)
        return self._parents[key]

    def _link(self, key: Key, building_id: str) -> None:
        for parent in self._parents.get(key, ()):
            self._children[parent].discard(key)
        told = self.held.get((AP_DOWN, key[1]))
        via = "" if told is None else told.via
        found = parents_of(key, building_id, self._inventory, via)
        self._parents[key] = found
        for parent in found:
            self._children.setdefault(parent, set()).add(key)

    def _wait_for(self, key: Key, before: Key | None, after: Key | None) -> None:
        if before == after:
            return
        if before is not None:
            waiting = self._waiting[before]
            waiting.discard(key)
            if not waiting:
                del self._waiting[before]
        if after is not None:
            self._waiting.setdefault(after, set()).add(key)
        else:
            self._until.pop(key, None)

    def _known(self, child: Key, building_id: str, now_ms: int) -> Iterator[Parent]:
        for key in self._parents_of(child, building_id):
            held = self.held.get(key)
            if key[0] == LINE_DOWN and (held is None or _is_well(held)):
                if (line := self._line_by_life(key, child, now_ms)) is not None:
                    yield line
                continue
            if held is None:
                continue
            watched = held.watched
            if key[0] == LINE_FLAPPING and not watched.incident_open:
                # A break or two explain nothing yet.
                continue
            # Whether netmon itself is blind is judged at each moment.
            always = key[0] == MONITOR
            limits = self._limits(key, held.building_id)
            if limits is not None and self._goes_on_without(child, held, limits):
                continue
            yield Parent(
                key,
                watched.state,
                watched.incident_open,
                now_ms if always else watched.memory.good_ms,
                # What holds the parent itself has a bound of its own.
                patience_ms=None
                if limits is None or held.held_by is not None
                else limits.settled_ms,
            )

    def _goes_on_without(self, child: Key, parent: Held, limits: Limits) -> bool:
        """Say whether a child worked long after its parent was heard last.

        Then that parent only does not answer us, or the child is not behind it.
        """
        known = self.held.get(child)
        good_ms = None if known is None else known.watched.memory.good_ms
        memory = parent.watched.memory
        last_ms = max(memory.bad_since_ms or 0, memory.good_ms or 0)
        if good_ms is None or not last_ms:
            return False
        return good_ms > last_ms + limits.settled_ms

    def _line_by_life(self, key: Key, child: Key, now_ms: int) -> Parent | None:
        """Return a line that is not known to be down, by what was heard over it.

        Who waits for it waits until its loss would be known. That nothing comes of it
        has a time of its own, and waits no longer than that.
        """
        line = self._inventory.line_by_id.get(key[1].partition(":")[2])
        if line is None or (NO_DATA, key[1]) not in self.held:
            return None
        life_ms = self.life.get(line.building_id)
        limits = self._limits(key, line.building_id)
        if limits is not None and child[0] == NO_DATA:
            limits = self._limits(child, line.building_id)
        if life_ms is None or limits is None:
            return None
        until_ms = max(life_ms, self.seeing_since_ms) + limits.valid_for_ms
        if until_ms < now_ms:
            return None
        return Parent(key, AlarmState.OK, good_ms=life_ms, until_ms=until_ms)

    def _hear(self, key: Key, held: Held) -> None:
        building_id, memory = held.building_id, held.watched.memory
        rule = RULES[key[0]]
        if memory.generated or not rule.kinds:
            return
        self.heard_ms = max(self.heard_ms, memory.heard_ms or memory.newest_ms)
        if not building_id:
            return
        if rule.name == NO_DATA:
            lived_ms: int | None = memory.newest_ms
            if memory.heard_ms is not None:
                known = self.speakers.get(building_id)
                if known is None or memory.heard_ms > known.heard_ms:
                    self.speakers[building_id] = Speaker(memory.heard_ms, memory.gap_ms)
        elif rule.scope in _PROVE_LIFE:
            lived_ms = memory.good_ms
        else:
            return
        self.dirty.add(building_id)
        if lived_ms is not None and lived_ms > self.life.get(building_id, 0):
            self.life[building_id] = lived_ms

    @property
    def seeing_since_ms(self) -> int:
        """When netmon was last blind no more; 0 for never blind."""
        held = self.held.get(MONITOR_KEY)
        return 0 if held is None else held.watched.memory.cleared_ms or 0

    def life_keys(self, building_ids: Iterable[str]) -> Iterator[Key]:
        """Yield what hangs on whether these buildings were heard."""
        for building_id in building_ids:
            line = self._inventory.main_line(building_id)
            if line is not None:
                yield line_key(line.id)


def _is_well(held: Held) -> bool:
    """Say whether a line's state says less of it than what was heard over it."""
    watched = held.watched
    return not watched.incident_open and watched.state is not AlarmState.SUSPECT


def _ap_key(ap: str) -> Key:
    return AP_DOWN, f"{Scope.ACCESS_POINT}:{ap}"


def witnesses(inventory: Inventory) -> dict[str, tuple[tuple[Key, ...], ...]]:
    """Return what the centre asks in each building: devices, and access points.

    One that stands alone is a device. Of the others only those whose controller is elsewhere: of others the
    controller speaks, which is a device itself.
    """
    devices: dict[str, list[Key]] = defaultdict(list)
    points: dict[str, list[Key]] = defaultdict(list)
    for device in inventory.devices:
        if device.building_id is not None:
            alone = inventory.alone_at.get(device.id)
            key = device_key(device.id) if alone is None else _ap_key(alone.id)
            devices[device.building_id].append(key)
    for ap in inventory.access_points:
        controller = inventory.device_by_id.get(ap.controller_id)
        if controller is not None and controller.building_id != ap.building_id:
            points[ap.building_id].append(_ap_key(ap.id))
    return {
        building.id: (tuple(devices[building.id]), tuple(points[building.id]))
        for building in inventory.buildings
    }
