"""At which port of which switch an access point is: pure.

LLDP of now counts before the inventory, the inventory before what LLDP said once.
A neighbour is an access point if it bears its name, or its own hardware address
where the inventory has that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Wanted:
    """An access point to look for: by its tag, its names, its address if known."""

    ap: str
    names: tuple[str, ...]
    mac: str = ""
    planned: PortKey | None = None

    def is_neighbour(self, name: str, chassis: str) -> bool:
        """Say whether a neighbour of these words is this access point."""
        if self.mac and _digits(chassis) == _digits(self.mac):
            return True
        told = name.strip().casefold()
        # Some write their domain behind the name.
        short = told.partition(".")[0]
        own = {word.strip().casefold() for word in self.names if word.strip()}
        return bool(told) and (told in own or short in own)


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
    found: dict[str, Place] = {}
    for point in points:
        here = [
            item.series.tags
            for item in current
            if point.is_neighbour(
                item.info.get("neighbour", ""), item.info.get("neighbour_chassis", "")
            )
        ]
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
