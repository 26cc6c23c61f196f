"""Total loss of a building: its probe is silent and nothing in it answers.

The silence of a probe alone proves nothing, it may be unplugged. What proves the loss
is that the centre gets no answer either: of no device in the building, or, where none
is asked, of none of its access points whose controller stands elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from alerts.derived.base import Finding, View
from alerts.gate import Key
from alerts.held import Held
from alerts.rules import LINE_DOWN, NO_DATA, Scope
from alerts.watched import Memory, Seen
from netmon.storage.records import AlarmState

# While it lasts, or is well again, that is said so often.
_BEAT_MS = 300_000
# So few access points can be gone for reasons of their own.
_ENOUGH_POINTS = 3

_GONE = (AlarmState.SUSPECT, AlarmState.BAD)


def results(view: View, buildings: Collection[str] | None) -> Iterator[Finding]:
    """Yield what is known of the main lines of these buildings."""
    if buildings is None:
        buildings = [building.id for building in view.inventory.buildings]
    for building_id in buildings:
        found = _judge(view, building_id)
        if found is not None:
            yield found


def _judge(view: View, building_id: str) -> Finding | None:
    line = view.inventory.main_line(building_id)
    life_ms = view.life.get(building_id)
    # Without a probe that was ever heard of nothing can be missing.
    if line is None or life_ms is None:
        return None
    target = f"{Scope.LINE}:{line.id}"
    if (NO_DATA, target) not in view.held:
        return None
    known = view.held.get((LINE_DOWN, target))
    silent_ms = view.after_ms(LINE_DOWN, building_id, line)
    since_ms = max(life_ms, view.seeing_since_ms)
    if view.now_ms - since_ms <= silent_ms:
        well = known is not None and _worth_saying(known, life_ms)
        seen = Seen(life_ms, view.now_ms, 1.0) if well else None
        return Finding(target, building_id, seen, since_ms + silent_ms)
    gone = _gone(view, building_id)
    if gone is None:
        return None
    return _down(view, target, building_id, known, life_ms, gone)


def _down(
    view: View,
    target: str,
    building_id: str,
    known: Held | None,
    life_ms: int,
    gone: tuple[int, int],
) -> Finding:
    now_ms = view.now_ms
    memory = Memory() if known is None else known.watched.memory
    said = bool(memory.results) and memory.results[-1].value == 0.0
    if said and now_ms - memory.newest_ms < _BEAT_MS:
        return Finding(target, building_id, wake_ms=memory.newest_ms + _BEAT_MS)
    # It began with the last sign of life; said once, it is still so now.
    valid_ms = round(view.settings.no_data_after_s * 1000)
    at_ms = now_ms if said else max(life_ms, memory.newest_ms, now_ms - valid_ms)
    seen = Seen(at_ms, now_ms, 0.0)
    return Finding(
        target,
        building_id,
        seen,
        now_ms + _BEAT_MS,
        devices_gone_count=gone[0],
        points_gone_count=gone[1],
    )


def _worth_saying(known: Held, life_ms: int) -> bool:
    memory = known.watched.memory
    if life_ms <= memory.newest_ms:
        return False
    fine = known.watched.state is AlarmState.OK
    return not fine or life_ms - memory.newest_ms >= _BEAT_MS


def _gone(view: View, building_id: str) -> tuple[int, int] | None:
    """Return how many devices and access points are gone; None where not all are."""
    devices, points = view.witnesses.get(building_id, ((), ()))
    asked, gone = _count(devices, view.held)
    points_asked, points_gone = _count(points, view.held)
    if (asked, points_asked) != (gone, points_gone):
        return None
    enough = gone > 0 or points_gone >= _ENOUGH_POINTS
    return (gone, points_gone) if enough else None


def _count(keys: Iterable[Key], held: Mapping[Key, Held]) -> tuple[int, int]:
    """Return of how many something is known, and how many of these are gone."""
    states = [held[key].watched.state for key in keys if key in held]
    asked = sum(state in {*_GONE, AlarmState.OK} for state in states)
    return asked, sum(state in _GONE for state in states)
