"""What the city has: schools, buildings, lines, devices, rooms; all records are immutable.

A building is what the annual report counts; schools and buildings are N:M, and a
building has exactly one *reporting* school type.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property

from msgspec import Struct

from netmon.model.words import (
    Coverage,
    DeviceKind,
    LineRole,
    SchoolType,
    SegmentKind,
    Survey,
    Technology,
)
from netmon.units import MBIT

# The city's promise to its schools; the alarm threshold of the mission.
TARGET_DOWN_BPS = 100 * MBIT


class School(Struct, frozen=True, kw_only=True):
    """A school; ``id`` is the ministry's six-digit number where there is one."""

    id: str
    name: str
    school_type: SchoolType
    building_ids: tuple[str, ...]


class Building(Struct, frozen=True, kw_only=True):
    """A school building.

    ``school_type`` is the one type the report counts it under. ``pupils`` and
    ``classes`` are None where nobody has stated them.
    """

    id: str
    name: str
    school_type: SchoolType
    street: str
    postcode: str
    city: str
    campus_district: str
    city_district: str
    latitude_deg: float
    longitude_deg: float
    lan: Coverage
    wlan: Coverage
    pupils: int | None = None
    classes: int | None = None
    rack_room: str = ""


class Line(Struct, frozen=True, kw_only=True):
    """A contracted line. Rates are what the contract says, in bit/s.

    ``contracted_*`` are the maximum; ``normal_*`` (normally available) and
    ``minimum_*`` are None where the contract agrees none.
    ``segments`` names the shared segments between the building and the centre;
    what serves this line alone is part of the line and stands in no list.
    ``contract_number`` is what the provider calls the line, empty where unknown.
    """

    id: str
    building_id: str
    role: LineRole
    technology: Technology
    contracted_down_bps: int
    contracted_up_bps: int
    provider: str
    checked_on: date | None = None
    fibre_planned_on: date | None = None
    segments: tuple[str, ...] = ()
    normal_down_bps: int | None = None
    normal_up_bps: int | None = None
    minimum_down_bps: int | None = None
    minimum_up_bps: int | None = None
    contract_number: str = ""

    @property
    def target_down_bps(self) -> float:
        """What it is to reach if its contract allows, in bit/s: the city's target."""
        return TARGET_DOWN_BPS

    @property
    def wished_clear_bps(self) -> float | None:
        """From what on it is to count as healed, in bit/s; None: `CLEAR_MARGIN` above."""
        return None


class Segment(Struct, frozen=True, kw_only=True):
    """A stretch that several lines share; its capacity is in bit/s each way.

    ``max_tests`` cross it at a time; of a radio hop always one.
    """

    id: str
    kind: SegmentKind
    capacity_bps: int
    name: str = ""
    max_tests: int = 1


class Device(Struct, frozen=True, kw_only=True):
    """A device that collectors poll.

    ``address`` is ``host:port``, empty for one that cannot be polled (yet), as a switch
    without management; ``platform`` names a file in
    ``collectors/platforms`` or is empty to find out by sysObjectID.
    ``credential`` names an entry of the credentials file, never a secret.
    ``building_id`` is None for a controller that serves several buildings.
    ``ports`` is the number of access ports of a switch, else None.
    ``line_id`` is the line that a router, modem or radio unit ends in the
    building, ``line_port`` which of its ports or radios carries it, as the
    device calls it; empty where there is no choice.
    """

    id: str
    building_id: str | None
    kind: DeviceKind
    name: str
    address: str = ""
    platform: str = ""
    credential: str = "default"
    model: str = ""
    room: str = ""
    ports: int | None = None
    line_id: str | None = None
    line_port: str = ""


class AccessPoint(Struct, frozen=True, kw_only=True):
    """A planned access point; ``name`` is how its controller calls it.

    ``controller_id`` of one without a controller is its own device.

    ``switch_id`` and ``switch_port`` say where it is patched, the port as the
    switch calls it; None and empty where that is not known. ``mac`` is the
    hardware address of its own Ethernet port, in lower case with colons.
    """

    id: str
    building_id: str
    name: str
    controller_id: str
    model: str = ""
    serial: str = ""
    room_id: str = ""
    switch_id: str | None = None
    switch_port: str = ""
    mac: str = ""


class Room(Struct, frozen=True, kw_only=True):
    """A room; ``teaching`` says whether lessons are held in it.

    ``survey`` is None where nobody has measured its WLAN.
    """

    id: str
    building_id: str
    name: str
    floor: str
    teaching: bool
    survey: Survey | None = None


class Socket(Struct, frozen=True, kw_only=True):
    """A data socket of the structured cabling, one row of the patch list.

    ``name`` is its label in the room. It is patched to ``switch_port`` of
    ``switch_id``, as the switch calls the port; None and empty where it ends loose.
    """

    room_id: str
    name: str
    switch_id: str | None = None
    switch_port: str = ""


class ProbeUnit(Struct, frozen=True, kw_only=True):
    """A probe and the line it measures."""

    id: str
    building_id: str
    line_id: str


class Inventory(Struct, frozen=True, kw_only=True, dict=True):
    """Everything the city has; checked as a whole before it becomes one.

    The ``*_by_id`` maps are derived and cached.
    """

    buildings: tuple[Building, ...]
    schools: tuple[School, ...] = ()
    lines: tuple[Line, ...] = ()
    devices: tuple[Device, ...] = ()
    access_points: tuple[AccessPoint, ...] = ()
    rooms: tuple[Room, ...] = ()
    probes: tuple[ProbeUnit, ...] = ()
    segments: tuple[Segment, ...] = ()
    sockets: tuple[Socket, ...] = ()

    @cached_property
    def building_by_id(self) -> Mapping[str, Building]:
        """Buildings by id."""
        return {building.id: building for building in self.buildings}

    @cached_property
    def line_by_id(self) -> Mapping[str, Line]:
        """Lines by id."""
        return {line.id: line for line in self.lines}

    @cached_property
    def device_by_id(self) -> Mapping[str, Device]:
        """Devices by id."""
        return {device.id: device for device in self.devices}

    @cached_property
    def devices_of(self) -> Mapping[str, tuple[Device, ...]]:
        """Devices that stand in a building, in the inventory's order."""
        found: dict[str, list[Device]] = {b.id: [] for b in self.buildings}
        for device in self.devices:
            if device.building_id is not None:
                found[device.building_id].append(device)
        return {key: tuple(devices) for key, devices in found.items()}

    @cached_property
    def access_point_by_id(self) -> Mapping[str, AccessPoint]:
        """Planned access points by id."""
        return {ap.id: ap for ap in self.access_points}

    @cached_property
    def alone_at(self) -> Mapping[str, AccessPoint]:
        """Access points without a controller, by the device that each of them is."""
        return {
            ap.controller_id: ap
            for ap in self.access_points
            if (device := self.device_by_id.get(ap.controller_id)) is not None
            and device.kind is DeviceKind.ACCESS_POINT
        }

    def stands_alone(self, ap: str) -> bool:
        """Say whether a planned access point has no controller."""
        plan = self.access_point_by_id.get(ap)
        return plan is not None and plan.controller_id in self.alone_at

    @cached_property
    def probe_by_id(self) -> Mapping[str, ProbeUnit]:
        """Probes by id."""
        return {probe.id: probe for probe in self.probes}

    @cached_property
    def segment_by_id(self) -> Mapping[str, Segment]:
        """Shared segments by id."""
        return {segment.id: segment for segment in self.segments}

    @cached_property
    def lines_of(self) -> Mapping[str, tuple[Line, ...]]:
        """Lines of a building, main line first."""
        found: dict[str, list[Line]] = {b.id: [] for b in self.buildings}
        for line in self.lines:
            found[line.building_id].append(line)
        return {
            key: tuple(sorted(lines, key=lambda x: x.role is LineRole.BACKUP))
            for key, lines in found.items()
        }

    @cached_property
    def access_points_of(self) -> Mapping[str, tuple[AccessPoint, ...]]:
        """Planned access points of a building, in the inventory's order."""
        found: dict[str, list[AccessPoint]] = {b.id: [] for b in self.buildings}
        for ap in self.access_points:
            found[ap.building_id].append(ap)
        return {key: tuple(aps) for key, aps in found.items()}

    @cached_property
    def rooms_of(self) -> Mapping[str, tuple[Room, ...]]:
        """Rooms of a building, in the inventory's order."""
        found: dict[str, list[Room]] = {b.id: [] for b in self.buildings}
        for room in self.rooms:
            found[room.building_id].append(room)
        return {key: tuple(rooms) for key, rooms in found.items()}

    @cached_property
    def sockets_of(self) -> Mapping[str, tuple[Socket, ...]]:
        """Sockets of a room; rooms without any are left out."""
        found: dict[str, list[Socket]] = {}
        for socket in self.sockets:
            found.setdefault(socket.room_id, []).append(socket)
        return {key: tuple(sockets) for key, sockets in found.items()}

    @cached_property
    def schools_of(self) -> Mapping[str, tuple[School, ...]]:
        """Schools that use a building."""
        found: dict[str, list[School]] = {b.id: [] for b in self.buildings}
        for school in self.schools:
            for building_id in school.building_ids:
                found[building_id].append(school)
        return {key: tuple(schools) for key, schools in found.items()}

    def main_line(self, building_id: str) -> Line | None:
        """Return the main line of a building; None where it has none."""
        lines = self.lines_of.get(building_id, ())
        return next((x for x in lines if x.role is LineRole.MAIN), None)
