"""Many access points as one: counted, with a class for the building; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct

from netmon.wlan_verdict.judge import ApClass

# Half of a building's access points gone is a fault of the building, not of some
# access points: lessons there cannot move to the next room.
DOWN_SHARE = 0.5
_RANK: Mapping[ApClass, int] = {each: rank for rank, each in enumerate(ApClass)}
_GONE = (ApClass.DOWN, ApClass.NEVER_SEEN)


class WlanGroup(Struct, frozen=True):
    """The access points of a building.

    ``affected`` are those that do not work as they should, of ``total``: "3 of 24".
    ``verdict`` is DOWN from `DOWN_SHARE` gone on, DEGRADED with any that is affected,
    UNKNOWN where nothing is known of most; None without access points.
    """

    verdict: ApClass | None
    counts: Mapping[ApClass, int]
    total: int
    affected: int


def worst(classes: Iterable[ApClass]) -> ApClass:
    """Return the worst class of a group; UNKNOWN where there is nothing to judge."""
    return min(classes, key=_RANK.__getitem__, default=ApClass.UNKNOWN)


def group_of(classes: Iterable[ApClass] | Mapping[ApClass, int]) -> WlanGroup:
    """Return what a building's access points, or how many of each, are together.

    Those of which nothing is known are neither good nor bad: the share is that of
    the known ones, and where most are unknown the building is.
    """
    counted = Counter(classes)
    counts = {each: counted[each] for each in ApClass}
    total = sum(counts.values())
    gone = sum(counts[each] for each in _GONE)
    affected = gone + counts[ApClass.DEGRADED]
    known = total - counts[ApClass.UNKNOWN]
    verdict: ApClass | None
    if not total:
        verdict = None
    elif gone and gone >= DOWN_SHARE * known:
        verdict = ApClass.DOWN
    elif affected:
        verdict = ApClass.DEGRADED
    elif known < total - known:
        verdict = ApClass.UNKNOWN
    else:
        verdict = ApClass.IN_ORDER
    return WlanGroup(verdict, counts, total, affected)
