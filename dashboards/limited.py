"""The inventory as somebody sees it who is limited to one Campusbezirk."""

from __future__ import annotations

import threading
from collections.abc import Callable

from msgspec.structs import replace

from netmon.model import Inventory


def limit(inventory: Inventory, campus_district: str) -> Inventory:
    """Return the buildings of a Campusbezirk with what belongs to them.

    Devices that stand in no building, such as a central controller, stay: the
    findings of access points name them.
    """
    buildings = tuple(
        one for one in inventory.buildings if one.campus_district == campus_district
    )
    ids = {one.id for one in buildings}
    rooms = tuple(room for room in inventory.rooms if room.building_id in ids)
    room_ids = {room.id for room in rooms}
    return replace(
        inventory,
        buildings=buildings,
        schools=tuple(
            replace(school, building_ids=seen)
            for school in inventory.schools
            # A school may have buildings in two Campusbezirke.
            if (seen := tuple(one for one in school.building_ids if one in ids))
        ),
        lines=tuple(line for line in inventory.lines if line.building_id in ids),
        devices=tuple(
            device
            for device in inventory.devices
            if device.building_id is None or device.building_id in ids
        ),
        access_points=tuple(
            point for point in inventory.access_points if point.building_id in ids
        ),
        rooms=rooms,
        probes=tuple(probe for probe in inventory.probes if probe.building_id in ids),
        sockets=tuple(one for one in inventory.sockets if one.room_id in room_ids),
    )


class LimitedInventories:
    """The newest inventory of each Campusbezirk, cut out once per import."""

    def __init__(self, current: Callable[[], Inventory]) -> None:
        self._current = current
        self._lock = threading.Lock()
        self._cut: dict[str, tuple[Inventory, Inventory]] = {}

    def of(self, campus_district: str) -> Inventory:
        """Return what is visible to somebody of a Campusbezirk."""
        whole = self._current()
        with self._lock:
            known = self._cut.get(campus_district)
            if known is None or known[0] is not whole:
                known = self._cut[campus_district] = (
                    whole,
                    limit(whole, campus_district),
                )
            return known[1]
