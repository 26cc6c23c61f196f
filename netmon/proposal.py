"""What discovery found, as a changed inventory that a person accepts: pure but reading.

Nothing is changed by itself, and nothing is ever taken off the list: that an access
point is not seen is a fault or a decision, and only a person knows which.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from netmon.metrics import KINDS
from netmon.model import AccessPoint, Device, DeviceKind, Inventory
from netmon.storage.ports import Store
from netmon.storage.records import Latest, SeenAccessPoint, SeenNeighbour
from netmon.wlan_truth import (
    ApState,
    ApTruth,
    Change,
    PlaceSource,
    WlanTruth,
    read_wlan_truth,
)

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NO_ID = re.compile(r"[^A-Za-z0-9_.:-]+")
_MOST_ID = 60
# Where SNMP agents listen, RFC 3417.
_SNMP_PORT = 161


class ChangeKind(StrEnum):
    """What a proposal changes, or why it leaves something; ``proposal.change.<kind>``.

    The last ones change nothing: a person has to look.
    """

    AP_PORT = "ap_port"
    AP_MOVED = "ap_moved"
    AP_SERIAL = "ap_serial"
    AP_NAME = "ap_name"
    AP_REPLACED = "ap_replaced"
    AP_ADDED = "ap_added"
    DEVICE_ADDED = "device_added"
    DEVICE_PORTS = "device_ports"
    AP_MISSING = "ap_missing"
    AP_ELSEWHERE = "ap_elsewhere"
    AP_STRANGE = "ap_strange"
    PORT_TAKEN = "port_taken"
    DEVICE_UNNAMED = "device_unnamed"


HINTS = (
    ChangeKind.AP_MISSING,
    ChangeKind.AP_ELSEWHERE,
    ChangeKind.AP_STRANGE,
    ChangeKind.PORT_TAKEN,
    ChangeKind.DEVICE_UNNAMED,
)


class ProposedChange(Struct, frozen=True, kw_only=True):
    """One change, or hint: in which building, of what, and the words it needs."""

    kind: ChangeKind
    building_id: str
    what: str
    before: str = ""
    after: str = ""


class Proposal(Struct, frozen=True, kw_only=True):
    """A changed inventory and the list of what is different."""

    inventory: Inventory
    changes: tuple[ProposedChange, ...]


def read_proposal(store: Store, inventory: Inventory, now_ms: int) -> Proposal:
    """Return what the store's discoveries would change.

    Raises:
        StorageError: the store refused.
    """
    told = store.measurements.latest(kind="lan_port")
    oldest_ms = now_ms - round(KINDS["lan_port"].stale_after_s * 1000)
    truths = {
        building.id: read_wlan_truth(store, inventory, building.id, now_ms)
        for building in inventory.buildings
    }
    return propose(
        inventory,
        truths,
        {seen.ap: seen for seen in store.measurements.access_points()},
        [n for n in store.measurements.neighbours() if n.last_seen_ms >= oldest_ms],
        told,
    )


def propose(
    inventory: Inventory,
    truths: Mapping[str, WlanTruth],
    seen: Mapping[str, SeenAccessPoint],
    neighbours: Sequence[SeenNeighbour],
    ports: Sequence[Latest],
) -> Proposal:
    """Return the changed inventory; pure.

    ``seen`` are access points by tag, ``neighbours`` those that are there now,
    ``ports`` newest values of ``lan_port``.
    """
    draft = _Draft(inventory, seen)
    for truth in truths.values():
        for point in truth.points:
            if point.ap in draft.points:
                draft.planned(point, truth)
        for point in truth.points:
            if point.ap not in inventory.access_point_by_id:
                draft.unplanned(point)
    powered = {
        (item.series.tags["device"], item.series.tags["port"])
        for item in ports
        if item.values.get("poe_on") == 1.0
    }
    draft.add_devices(neighbours, truths.values(), powered)
    draft.count_ports(Counter(item.series.tags["device"] for item in ports))
    changed = replace(
        inventory,
        access_points=tuple(draft.points.values()),
        devices=tuple(draft.devices.values()),
    )
    order = {kind: n for n, kind in enumerate(ChangeKind)}
    rows = sorted(draft.changes, key=lambda one: (one.building_id, order[one.kind]))
    return Proposal(inventory=changed, changes=tuple(rows))


class _Draft:
    """The inventory as it changes, and why."""

    def __init__(
        self, inventory: Inventory, seen: Mapping[str, SeenAccessPoint]
    ) -> None:
        self._inventory = inventory
        self._seen = seen
        self.points = {ap.id: ap for ap in inventory.access_points}
        self.devices = {device.id: device for device in inventory.devices}
        self.changes: list[ProposedChange] = []
        self._taken = {
            (ap.switch_id, ap.switch_port): ap.id
            for ap in inventory.access_points
            if ap.switch_id
        }
        self._rooms = {
            (socket.switch_id, socket.switch_port): socket.room_id
            for socket in inventory.sockets
            if socket.switch_id
        }
        self._adopted: set[str] = set()
        planned = inventory.access_points
        self._serials = {ap.serial.casefold() for ap in planned if ap.serial}
        self._names = {(ap.controller_id, ap.name.casefold()) for ap in planned}

    def planned(self, truth: ApTruth, all_of_it: WlanTruth) -> None:
        """Take over what was learnt of a planned access point."""
        plan = self.points[truth.ap]
        match truth.change:
            case Change.OTHER_SERIAL:
                self._note(ChangeKind.AP_SERIAL, plan, plan.serial, truth.other)
                self.points[plan.id] = replace(plan, serial=truth.other)
            case Change.OTHER_NAME:
                self._note(ChangeKind.AP_NAME, plan, plan.name, truth.other)
                self.points[plan.id] = replace(plan, name=truth.other)
            case Change.SAME_PORT | Change.SAME_ROOM:
                self._replaced(plan, all_of_it)
                return
            case None:
                pass
        if truth.state is ApState.NEVER_SEEN or truth.state is ApState.DOWN:
            self._note(ChangeKind.AP_MISSING, plan)
        if truth.controller_id and truth.works:
            # For a while, or for good: only a person knows.
            self._note(
                ChangeKind.AP_ELSEWHERE, plan, plan.controller_id, truth.controller_id
            )
        if truth.place in {PlaceSource.LLDP, PlaceSource.LEARNED}:
            self._place(truth)

    def _replaced(self, plan: AccessPoint, all_of_it: WlanTruth) -> None:
        newcomer = next(
            (
                one
                for one in all_of_it.points
                if one.state is ApState.UNPLANNED and one.other == plan.name
            ),
            None,
        )
        seen = None if newcomer is None else self._seen.get(newcomer.ap)
        if newcomer is None or seen is None:
            return
        self._adopted.add(newcomer.ap)
        self._note(ChangeKind.AP_REPLACED, plan, plan.name, newcomer.name)
        # The old one's address is not the new one's.
        self.points[plan.id] = replace(
            plan, name=newcomer.name, serial=seen.serial, model=seen.model, mac=""
        )
        if newcomer.place is PlaceSource.LLDP:
            self._place(newcomer, plan.id)

    def _place(self, truth: ApTruth, ap: str = "") -> None:
        """Set the port of an access point, unless that is another one's."""
        plan = self.points[ap or truth.ap]
        key = (truth.switch_id, truth.port)
        old = (plan.switch_id, plan.switch_port)
        # A neighbour of another access point is not patched to a switch.
        if key == old or not self._is_switch(truth.switch_id):
            return
        after = f"{truth.switch_id} {truth.port}"
        if self._taken.get(key, plan.id) != plan.id:
            self._note(ChangeKind.PORT_TAKEN, plan, self._taken[key], after)
            return
        kind = ChangeKind.AP_MOVED if plan.switch_id else ChangeKind.AP_PORT
        before = f"{plan.switch_id} {plan.switch_port}" if plan.switch_id else ""
        self._note(kind, plan, before, after)
        self._taken.pop((plan.switch_id or "", plan.switch_port), None)
        self._taken[key] = plan.id
        self.points[plan.id] = replace(
            plan, switch_id=truth.switch_id, switch_port=truth.port
        )

    def _is_switch(self, device_id: str) -> bool:
        device = self.devices.get(device_id)
        return device is not None and device.kind is DeviceKind.SWITCH

    def unplanned(self, truth: ApTruth) -> None:
        """Add an access point that nobody has planned and that works."""
        seen = self._seen.get(truth.ap)
        if seen is None or not truth.works or truth.ap in self._adopted:
            return
        if seen.device not in self.devices or self._is_planned(seen):
            return
        key = (truth.switch_id, truth.port)
        point = AccessPoint(
            id=self._free_id(seen.name, self.points),
            building_id=seen.building_id,
            name=seen.name,
            controller_id=seen.device,
            model=seen.model,
            serial=seen.serial,
            room_id=self._rooms.get(key, ""),
        )
        self.points[point.id] = point
        self._note(ChangeKind.AP_ADDED, point, "", seen.serial)
        self._place(truth, point.id)

    def _is_planned(self, seen: SeenAccessPoint) -> bool:
        """Say whether it is in the inventory by now.

        Until its controller is polled by the new inventory it goes by its old tag.
        """
        if seen.serial:
            return seen.serial.casefold() in self._serials
        return (seen.device, seen.name.casefold()) in self._names

    def add_devices(
        self,
        neighbours: Iterable[SeenNeighbour],
        truths: Iterable[WlanTruth],
        powered: Collection[tuple[str, str]],
    ) -> None:
        """Add switches that other switches name as their neighbours.

        What draws power from its port is an access point that no controller knows.
        """
        known = {_word(text) for one in self.devices.values() for text in _names(one)}
        known |= {_word(ap.name) for ap in self._inventory.access_points}
        known |= {_word(ap.name) for ap in self.points.values()}
        known |= {_word(point.name) for truth in truths for point in truth.points}
        macs = {ap.mac for ap in self._inventory.access_points if ap.mac}
        for found in neighbours:
            word = _word(found.name) or found.chassis
            if word in known or found.chassis in macs:
                continue
            place = f"{found.device} {found.port}"
            known.add(word)
            if (found.device, found.port) in powered:
                self._hint(ChangeKind.AP_STRANGE, found, place)
                continue
            if _HOST.fullmatch(found.name) is None:
                self._hint(ChangeKind.DEVICE_UNNAMED, found, place)
                continue
            device = Device(
                id=self._free_id(found.name, self.devices),
                building_id=found.building_id,
                kind=DeviceKind.SWITCH,
                name=found.name,
                # LLDP tells no address here: that its name is known is a guess.
                address=f"{found.name}:{_SNMP_PORT}",
            )
            self.devices[device.id] = device
            self.changes.append(
                ProposedChange(
                    kind=ChangeKind.DEVICE_ADDED,
                    building_id=found.building_id,
                    what=found.name,
                    before=place,
                    after=device.address,
                )
            )

    def count_ports(self, ports: Mapping[str, int]) -> None:
        """Set the number of ports of switches where the inventory has none."""
        for device in list(self.devices.values()):
            count = ports.get(device.id, 0)
            if device.kind is not DeviceKind.SWITCH or device.ports or not count:
                continue
            self.devices[device.id] = replace(device, ports=count)
            self.changes.append(
                ProposedChange(
                    kind=ChangeKind.DEVICE_PORTS,
                    building_id=device.building_id or "",
                    what=device.name,
                    after=str(count),
                )
            )

    def _hint(self, kind: ChangeKind, found: SeenNeighbour, place: str) -> None:
        self.changes.append(
            ProposedChange(
                kind=kind,
                building_id=found.building_id,
                what=found.name or found.chassis,
                before=place,
            )
        )

    def _note(
        self, kind: ChangeKind, point: AccessPoint, before: str = "", after: str = ""
    ) -> None:
        change = ProposedChange(
            kind=kind,
            building_id=point.building_id,
            what=point.name,
            before=before,
            after=after,
        )
        self.changes.append(change)

    @staticmethod
    def _free_id(name: str, taken: Mapping[str, object]) -> str:
        stem = _NO_ID.sub("-", name).strip("-_.:")[:_MOST_ID] or "ap"
        if stem not in taken:
            return stem
        number = 2
        while f"{stem}-{number}" in taken:
            number += 1
        return f"{stem}-{number}"


def _names(device: Device) -> tuple[str, str]:
    return device.id, device.name


def _word(name: str) -> str:
    """Return a name as it is compared: without case and domain."""
    return name.strip().casefold().partition(".")[0]
