"""LAN and WLAN coverage of a building as measured, room by room.

One function feeds pages, JSON, export and the terminal. What is measured stands
beside what the inventory declares; where they contradict each other both are shown
and neither corrects the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from netmon.metrics import KINDS
from netmon.model import (
    AccessPoint,
    Building,
    Coverage,
    Inventory,
    Room,
    Socket,
    Survey,
)
from netmon.storage.ports import Store
from netmon.storage.records import Latest
from netmon.wlan_truth import ApState, ApTruth, WlanTruth, read_wlan_truth

# From this share of the teaching rooms on a building is called "flächendeckend". The
# report says "strukturierte Verkabelung" and "Vollausbau" without a number; 96 % are
# reached in the city's mean, and one room in ten is a gap that people notice.
FULL_SHARE = 0.9


class RoomCoverage(Struct, frozen=True, kw_only=True):
    """A room. ``lan`` and ``wlan`` are None where that is not known.

    A socket is live if its port is switched on at a switch that answers, linked if
    something is plugged in, open if its switch tells nothing, astray if its switch has
    no such port. ``points`` are the access points planned here, ``points_working`` and
    ``points_open`` those that work and those of which nothing is known.
    """

    room: Room
    lan: bool | None
    wlan: bool | None
    sockets_count: int = 0
    live_count: int = 0
    linked_count: int = 0
    open_count: int = 0
    astray_count: int = 0
    points: tuple[str, ...] = ()
    points_working_count: int = 0
    points_open_count: int = 0


class Measured(Struct, frozen=True, kw_only=True):
    """The figure of one building: covered teaching rooms, and the class it makes.

    ``open_count`` are rooms of which nothing is known: they may be covered or not,
    and so the share lies between two ends. ``measured`` is UNKNOWN where these ends
    are different classes, or where there is no list to measure by (``has_list``
    False) or no teaching room. PARTIAL goes down to nothing at all.
    """

    declared: Coverage
    measured: Coverage
    has_list: bool
    rooms_count: int
    covered_count: int
    open_count: int

    @property
    def low_share(self) -> float | None:
        """The share if every open room is a gap; None without a teaching room."""
        return self.covered_count / self.rooms_count if self.rooms_count else None

    @property
    def high_share(self) -> float | None:
        """The share if no open room is a gap; None without a teaching room."""
        if not self.rooms_count:
            return None
        return (self.covered_count + self.open_count) / self.rooms_count

    @property
    def contradicts(self) -> bool:
        """Whether what is declared cannot be, whatever the open rooms are."""
        unknown = Coverage.UNKNOWN
        return unknown not in {self.declared, self.measured} and (
            self.declared is not self.measured
        )


class BuildingCoverage(Struct, frozen=True, kw_only=True):
    """LAN and WLAN of a building with its rooms, teaching rooms first."""

    building_id: str
    lan: Measured
    wlan: Measured
    rooms: tuple[RoomCoverage, ...]


def read_coverage(
    store: Store,
    inventory: Inventory,
    building_id: str,
    now_ms: int,
    *,
    truth: WlanTruth | None = None,
    latest: Sequence[Latest] | None = None,
) -> BuildingCoverage:
    """Return the coverage of a building.

    ``truth`` and ``latest`` (newest values, ``device`` and ``lan_port`` among them)
    are read unless given.

    Raises:
        StorageError: the store refused.
    """
    if truth is None:
        truth = read_wlan_truth(store, inventory, building_id, now_ms)
    if latest is None:
        latest = [
            item
            for kind in ("device", "lan_port")
            for item in store.measurements.latest(kind=kind, building_id=building_id)
        ]
    return coverage(
        inventory.building_by_id[building_id],
        inventory.rooms_of[building_id],
        inventory.sockets_of,
        inventory.access_points_of[building_id],
        truth.by_ap,
        live_ports(latest, now_ms),
    )


class Ports(Struct, frozen=True):
    """What switches tell now, by switch and name of the port.

    ``enabled`` is None for a port whose state a switch did not tell this time.
    """

    enabled: Mapping[tuple[str, str], bool | None]
    linked: frozenset[tuple[str, str]]

    def is_live(self, socket: Socket) -> bool | None:
        """Say whether a socket's port is switched on; None if that is not known.

        A port that its switch does not have is an error of the patch list: dead.
        Of a switch that did not tell of all its ports nobody knows which it has.
        """
        if socket.switch_id is None:
            return False
        key = (socket.switch_id, socket.switch_port)
        if key in self.enabled:
            return self.enabled[key]
        told = [on for (switch, _), on in self.enabled.items() if switch == key[0]]
        return False if told and None not in told else None

    def is_astray(self, socket: Socket) -> bool:
        """Say whether a dead socket is patched to a port its switch does not have."""
        return (
            socket.switch_id is not None
            and (socket.switch_id, socket.switch_port) not in self.enabled
        )


def live_ports(latest: Iterable[Latest], now_ms: int) -> Ports:
    """Return the ports of switches that answer, as they were told lately.

    What a switch told before it fell silent is worth nothing: it may be off.
    """
    latest = list(latest)
    devices = [item for item in latest if item.series.kind == "device"]
    silent = {
        item.series.tags["device"]
        for item in devices
        if item.failure is not None or _is_stale(item, now_ms)
    }
    enabled: dict[tuple[str, str], bool | None] = {}
    linked = set()
    for item in latest:
        if item.series.kind != "lan_port" or _is_stale(item, now_ms):
            continue
        key = (item.series.tags["device"], item.series.tags["port"])
        if key[0] in silent:
            continue
        enabled[key] = _is_enabled(item)
        if enabled[key] and item.values.get("oper_up") == 1.0:
            linked.add(key)
    return Ports(enabled, frozenset(linked))


def _is_stale(item: Latest, now_ms: int) -> bool:
    return now_ms - item.ts_ms > round(KINDS[item.series.kind].stale_after_s * 1000)


def _is_enabled(item: Latest) -> bool | None:
    if item.failure is not None:
        return None
    if item.values.get("oper_up") == 1.0:
        return True
    admin = item.values.get("admin_up")
    return None if admin is None else admin == 1.0


def coverage(
    building: Building,
    rooms: Sequence[Room],
    sockets_of: Mapping[str, Sequence[Socket]],
    planned: Sequence[AccessPoint],
    truths: Mapping[str, ApTruth],
    ports: Ports,
) -> BuildingCoverage:
    """Return the coverage of a building; pure."""
    has_sockets = any(room.id in sockets_of for room in rooms)
    found = tuple(
        _room(
            room,
            sockets_of.get(room.id, ()) if has_sockets else None,
            [point for point in planned if point.room_id == room.id],
            truths,
            ports,
            has_points=bool(planned),
        )
        for room in sorted(rooms, key=lambda room: not room.teaching)
    )
    teaching = [room for room in found if room.room.teaching]
    return BuildingCoverage(
        building_id=building.id,
        lan=_measured(building.lan, [room.lan for room in teaching], has_sockets),
        wlan=_measured(building.wlan, [room.wlan for room in teaching], bool(planned)),
        rooms=found,
    )


def _room(
    room: Room,
    sockets: Sequence[Socket] | None,
    points: Sequence[AccessPoint],
    truths: Mapping[str, ApTruth],
    ports: Ports,
    *,
    has_points: bool,
) -> RoomCoverage:
    live = [ports.is_live(socket) for socket in sockets or ()]
    linked = [
        socket
        for socket in sockets or ()
        if (socket.switch_id, socket.switch_port) in ports.linked
    ]
    works = [_works(truths.get(point.id)) for point in points]
    return RoomCoverage(
        room=room,
        lan=None if sockets is None else _any(live),
        wlan=_wlan(room, works, has_points=has_points),
        sockets_count=len(live),
        live_count=live.count(True),
        linked_count=len(linked),
        open_count=live.count(None),
        astray_count=sum(
            is_live is False and ports.is_astray(socket)
            for socket, is_live in zip(sockets or (), live, strict=True)
        ),
        points=tuple(point.id for point in points),
        points_working_count=works.count(True),
        points_open_count=works.count(None),
    )


def _works(truth: ApTruth | None) -> bool | None:
    """Return whether a planned access point, or the one in its place, works."""
    if truth is None:
        return None
    return True if truth.state is ApState.REPLACED else truth.works


def _wlan(room: Room, works: Sequence[bool | None], *, has_points: bool) -> bool | None:
    # Who measured on the spot knows more than a plan: a good signal may come from
    # next door, a poor one may be there in spite of an access point.
    if room.survey is Survey.POOR:
        return False
    if not has_points:
        return None
    return True if room.survey is Survey.GOOD else _any(works)


def _any(known: Sequence[bool | None]) -> bool | None:
    return True if True in known else None if None in known else False


def _measured(
    declared: Coverage, rooms: Sequence[bool | None], has_list: bool
) -> Measured:
    figure = Measured(
        declared=declared,
        measured=Coverage.UNKNOWN,
        has_list=has_list,
        rooms_count=len(rooms),
        covered_count=rooms.count(True),
        open_count=rooms.count(None),
    )
    low, high = figure.low_share, figure.high_share
    if not has_list or low is None or high is None:
        return figure
    if low >= FULL_SHARE:
        return replace(figure, measured=Coverage.FULL)
    is_partial = high < FULL_SHARE
    return replace(figure, measured=Coverage.PARTIAL) if is_partial else figure
