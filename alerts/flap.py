"""When a target comes and goes so often that one incident tells it best; pure.

The rule is Icinga's (lib/icinga/checkable-flapping.cpp): of the last 20 results
those are counted at which the state changed, the newest weighing 1.2 times, the
oldest 0.8 times. It begins at 30 % and is over only below 25 %.
"""

from __future__ import annotations

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
