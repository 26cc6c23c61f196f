"""When a target comes and goes so often that one incident tells it best; pure.

The rule is Icinga's (lib/icinga/checkable-flapping.cpp): of the last 20 results
those are counted at which the state changed, the newest weighing 1.2 times, the
oldest 0.8 times. It begins at 30 % and is over only below 25 %.

Of a rule about silence there is no result while it lasts. There half the time that
silence must last stands for one.
"""

from __future__ import annotations

from msgspec.structs import replace

from alerts.watched import Limits, Memory

RESULTS = 20
BEGINS_AT = 0.30
OVER_BELOW = 0.25
_OLDEST, _STEP = 0.8, 0.02
_KEPT = (1 << RESULTS) - 1


def push(changes: int, *, changed: bool) -> int:
    """Return the memory after one more result: a bit each, the newest the lowest."""
    return (changes << 1 | changed) & _KEPT


def share(changes: int) -> float:
    """Return the weighted share of results that were changes, 0 to about 1."""
    weights = (
        _OLDEST + _STEP * (RESULTS - 1 - age)
        for age in range(RESULTS)
        if changes >> age & 1
    )
    return sum(weights) / RESULTS


def is_flapping(changes: int, *, before: bool) -> bool:
    """Say whether a target flaps, given whether it did before the newest result."""
    if not changes:
        return False
    found = share(changes)
    return found >= OVER_BELOW if before else found >= BEGINS_AT


def judged(memory: Memory, *, confirmed: bool) -> Memory:
    """Return the memory after one more result."""
    changed = confirmed is not memory.confirmed
    if not changed and not memory.changes:
        return memory
    changes = push(memory.changes, changed=changed)
    flapping = is_flapping(changes, before=memory.flapping)
    return replace(memory, changes=changes, flapping=flapping, confirmed=confirmed)


def calmed(limits: Limits, memory: Memory, at_ms: int) -> Memory:
    """Return the memory of a rule about silence after time without a change."""
    each_ms = max(1, limits.valid_for_ms // 2)
    passed = (at_ms - memory.shaken_ms) // each_ms
    if not memory.changes or passed <= 0:
        return memory
    changes, flapping = memory.changes, memory.flapping
    for _ in range(min(passed, RESULTS)):
        changes = push(changes, changed=False)
        flapping = is_flapping(changes, before=flapping)
    return replace(
        memory,
        changes=changes,
        flapping=flapping,
        shaken_ms=memory.shaken_ms + passed * each_ms,
    )


def turned(limits: Limits, memory: Memory, at_ms: int, *, silent: bool) -> Memory:
    """Return the memory of a rule about silence that began or ended."""
    calm = calmed(limits, memory, at_ms)
    return replace(judged(calm, confirmed=silent), shaken_ms=at_ms)
