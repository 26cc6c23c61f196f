"""At which port of which switch an access point is: pure.

LLDP of now counts before the inventory, the inventory before what LLDP said once.
A neighbour is an access point if it bears its name, or its own hardware address
where the inventory has that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from netmon.model import AccessPoint
from netmon.storage.records import Latest, SeenNeighbour
from netmon.wlan_truth.states import PlaceSource

PortKey = tuple[str, str]
_HEX = re.compile(r"[^0-9a-f]")


@dataclass(frozen=True, slots=True)
class Place:
    """A port: id of the switch, and the port as the switch calls it."""

    switch_id: str
    port: str
    source: PlaceSource

    @property
    def key(self) -> PortKey:
        """Switch and port."""
        return self.switch_id, self.port


@dataclass(frozen=True)
class Wanted:
    """An access point to look for: by its tag, its names, its address if known."""

    ap: str
    names: tuple[str, ...]
    mac: str = ""
    planned: PortKey | None = None

    @cached_property
    def words(self) -> frozenset[str]:
        """Names and address as `_words` writes those of a neighbour."""
        own = {word.strip().casefold() for word in self.names}
        return frozenset((own | {_address(self.mac)}) - {""})

    def is_neighbour(self, name: str, chassis: str) -> bool:
        """Say whether a neighbour of these words is this access point."""
        return not self.words.isdisjoint(_words(name, chassis))


def wanted(
    plan: AccessPoint | None,
    ap: str,
    told_name: str = "",
    *,
    missing: bool = False,
    others: Collection[str] = (),
) -> Wanted:
    """Return what to look for. One whose controller calls it otherwise has two names.

    ``missing``: the controller does not have it, so a name told once counts not.
    ``others`` are names, casefolded, that other planned access points tell now: two
    that took each other's names are not at each other's ports.
    """
    if plan is None:
        return Wanted(ap, (told_name,))
    port = (plan.switch_id, plan.switch_port) if plan.switch_id else None
    names = (plan.name,) if missing else (plan.name, told_name)
    own = tuple(name for name in names if name.strip().casefold() not in others)
    return Wanted(ap, own, plan.mac, port)


def _digits(address: str) -> str:
    """Return the hex digits of a hardware address; empty for anything else."""
    digits = _HEX.sub("", address.casefold())
    return digits if len(digits) == 12 else ""


def _address(text: str) -> str:
    """Return a hardware address as a word that no name is; empty for anything else."""
    digits = _digits(text)
    return f"mac:{digits}" if digits else ""


def _words(name: str, chassis: str) -> set[str]:
    """Return what a neighbour may be known by: name, short name, address."""
    told = name.strip().casefold()
    # Some write their domain behind the name.
    return {told, told.partition(".")[0], _address(chassis)} - {""}


def _by_word(ports: Sequence[Latest]) -> Mapping[str, Sequence[int]]:
    """Return which ports have a neighbour of a word, by their place in the list."""
    found: dict[str, list[int]] = {}
    for n, item in enumerate(ports):
        name, chassis = (item.info.get(f"neighbour{x}", "") for x in ("", "_chassis"))
        for word in _words(name, chassis):
            found.setdefault(word, []).append(n)
    return found


Places = Mapping[str, Place]


def find_places(
    points: Iterable[Wanted],
    ports: Sequence[Latest],
    remembered: Sequence[SeenNeighbour],
    now_ms: int,
    stale_ms: int,
) -> Places:
    """Return where each access point is, by its tag; those nobody knows are left out.

    ``ports`` are newest values of the kind ``lan_port``, ``remembered`` newest first.
    A neighbour counts as being there now while its port is up and told lately.
    """
    current = [
        item
        for item in ports
        if item.failure is None
        and item.values.get("oper_up") == 1.0
        and now_ms - item.ts_ms <= stale_ms
        and (item.info.get("neighbour") or item.info.get("neighbour_chassis"))
    ]
    index = _by_word(current)
    found: dict[str, Place] = {}
    for point in points:
        at = sorted({n for word in point.words for n in index.get(word, ())})
        here = [current[n].series.tags for n in at]
        # One with two uplinks is at both; which is meant is not certain, so the
        # planned one if it is among them, else the first.
        keys = [(tags["device"], tags["port"]) for tags in here]
        if keys:
            key = point.planned if point.planned in keys else keys[0]
            found[point.ap] = Place(*key, PlaceSource.LLDP)
        elif point.planned is not None:
            found[point.ap] = Place(*point.planned, PlaceSource.PLAN)
        else:
            once = next(
                (x for x in remembered if point.is_neighbour(x.name, x.chassis)), None
            )
            if once is not None:
                found[point.ap] = Place(once.device, once.port, PlaceSource.LEARNED)
    return found
