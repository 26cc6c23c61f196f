"""What the store knows of a building's access points, joined and judged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import replace

from netmon.metrics import KINDS
from netmon.model import AccessPoint, DeviceKind, FailureReason, Inventory
from netmon.school_calendar import SchoolCalendar
from netmon.storage.ports import MeasurementStore, Store
from netmon.storage.records import AlarmState, Latest
from netmon.wlan_truth.judge import ApFacts, PortFacts, Reported, judge
from netmon.wlan_truth.lessons import most_clients
from netmon.wlan_truth.places import Place, Places, find_places, wanted
from netmon.wlan_truth.states import ApState, ApTruth, Change, PlaceSource

WLAN_KINDS = ("device", "wlan_ap", "wlan_radio", "lan_port")
_MUTE = (FailureReason.NO_REPLY, FailureReason.UNREACHABLE)
_SILENT = (AlarmState.BAD, AlarmState.STALE)


@dataclass(frozen=True)
class WlanTruth:
    """The access points of a building, planned ones first, each with its state."""

    points: tuple[ApTruth, ...]

    @cached_property
    def by_ap(self) -> Mapping[str, ApTruth]:
        """Access points by planned id or tag."""
        return {point.ap: point for point in self.points}

    @cached_property
    def counts(self) -> Mapping[ApState, int]:
        """Return how many are in each state, in the list's order; none is left out."""
        counted = Counter(point.state for point in self.points)
        return {state: counted[state] for state in ApState}


def read_wlan_truth(
    store: Store,
    inventory: Inventory,
    building_id: str,
    now_ms: int,
    *,
    calendar: SchoolCalendar | None = None,
    latest: Sequence[Latest] | None = None,
) -> WlanTruth:
    """Return the truth about a building's access points.

    ``calendar`` says when there are lessons; without it none is called without
    clients. ``latest`` are the building's newest values, where they are read already.

    Raises:
        StorageError: the store refused.
    """
    if latest is None:
        latest = [
            item
            for kind in WLAN_KINDS
            for item in store.measurements.latest(kind=kind, building_id=building_id)
        ]
    reading = _Reading(store.measurements, building_id, latest, now_ms, calendar)
    silent_line = _line_is_silent(store, inventory, building_id)
    planned = inventory.access_points_of.get(building_id, ())
    told = {plan.id: reading.reported(plan.id, plan) for plan in planned}
    free = [ap for ap in reading.points if reading.is_stranger(ap, planned)]
    strangers = {ap: reading.reported(ap, None) for ap in free}
    places = reading.places(planned, told, strangers)
    rooms = _rooms_by_port(inventory, building_id)
    taken = _successors(planned, told, strangers, places, rooms)
    facts = [
        ApFacts(
            plan=plan,
            reported=told[plan.id],
            controller_speaks=reading.speaks(plan.controller_id, plan.id),
            alone=_is_alone(inventory, plan.controller_id),
            way_works=reading.is_mute(plan.controller_id)
            and reading.anything_speaks(inventory),
            line_down=silent_line
            and not reading.anything_speaks(inventory)
            and inventory.device_by_id[plan.controller_id].building_id != building_id,
            port=reading.port(places.get(plan.id)),
            successor=_name(strangers, taken.get(plan.id)),
            successor_by=taken[plan.id][1] if plan.id in taken else None,
        )
        for plan in planned
    ]
    names = {plan.id: plan.name for plan in planned}
    followed = {found[0]: names[planned_id] for planned_id, found in taken.items()}
    facts += [
        ApFacts(
            reported=stranger,
            controller_speaks=reading.speaks(ap.partition("/")[0], ap),
            alone=_is_alone(inventory, ap.partition("/")[0]),
            port=reading.port(places.get(ap)),
            predecessor=followed.get(ap, ""),
        )
        for ap, stranger in strangers.items()
        if stranger is not None
    ]
    return WlanTruth(tuple(map(judge, facts)))


def is_free_tag(ap: str) -> bool:
    """Say whether a tag is that of an access point that nobody had planned.

    Collectors name those by controller and name. Any other tag that the inventory
    lacks was planned once and left the list by a decision.
    """
    return "/" in ap


def was_adopted(
    name: str,
    serial: str,
    at_ms: int,
    planned: Iterable[tuple[AccessPoint, int | None]],
) -> bool:
    """Say whether an access point without a plan has one now.

    Its controller tells of it under the planned id since: ``planned`` are the plans
    with the time they were told of last, None for never. Two of one name that are
    told of together are two.
    """
    words = {word.strip().casefold() for word in (name, serial) if word.strip()}
    return any(
        told_ms is not None
        and told_ms > at_ms
        and not words.isdisjoint({plan.name.casefold(), plan.serial.casefold()} - {""})
        for plan, told_ms in planned
    )


def _name(
    strangers: Mapping[str, Reported | None], found: tuple[str, Change] | None
) -> str:
    stranger = None if found is None else strangers[found[0]]
    return "" if stranger is None else stranger.name


def _is_alone(inventory: Inventory, device_id: str) -> bool:
    device = inventory.device_by_id.get(device_id)
    return device is not None and device.kind is DeviceKind.ACCESS_POINT


def _line_is_silent(store: Store, inventory: Inventory, building_id: str) -> bool:
    line = inventory.main_line(building_id)
    if line is None:
        return False
    states = store.alarms.states(rule="no_data", building_id=building_id)
    return any(
        row.target == f"line:{line.id}" and row.state in _SILENT for row in states
    )


def _rooms_by_port(
    inventory: Inventory, building_id: str
) -> Mapping[tuple[str, str], str]:
    return {
        (socket.switch_id, socket.switch_port): room.id
        for room in inventory.rooms_of.get(building_id, ())
        for socket in inventory.sockets_of.get(room.id, ())
        if socket.switch_id
    }


def _successors(
    planned: Iterable[AccessPoint],
    told: Mapping[str, Reported | None],
    strangers: Mapping[str, Reported | None],
    places: Places,
    rooms: Mapping[tuple[str, str], str],
) -> dict[str, tuple[str, Change]]:
    """Return who stands in place of a planned access point that is not there.

    The same port is told by the switch; the same room by the patch list, where the
    newcomer's port belongs to a socket of that room.
    """
    there = {
        ap: places[ap].key
        for ap, stranger in strangers.items()
        if stranger is not None and stranger.fresh and stranger.up and ap in places
    }
    found: dict[str, tuple[str, Change]] = {}
    for by in (Change.SAME_PORT, Change.SAME_ROOM):
        for plan in planned:
            report = told[plan.id]
            if plan.id in found or report is None or report.up or not report.fresh:
                continue
            own = places.get(plan.id)
            for ap, key in there.items():
                if by is Change.SAME_PORT:
                    is_it = own is not None and own.key == key
                else:
                    is_it = bool(plan.room_id) and rooms.get(key) == plan.room_id
                if is_it and ap not in {taken for taken, _ in found.values()}:
                    found[plan.id] = (ap, by)
                    break
    return found


class _Reading:
    """Newest values of a building, by what they are about."""

    def __init__(
        self,
        measurements: MeasurementStore,
        building_id: str,
        latest: Iterable[Latest],
        now_ms: int,
        calendar: SchoolCalendar | None,
    ) -> None:
        self._measurements = measurements
        self._building_id = building_id
        self._now_ms = now_ms
        self._calendar = calendar
        self._devices: dict[str, Latest] = {}
        self.points: dict[str, list[Latest]] = defaultdict(list)
        self._radios: dict[str, list[Latest]] = defaultdict(list)
        self._ports: dict[tuple[str, str], Latest] = {}
        for item in sorted(latest, key=lambda item: item.ts_ms):
            tags = item.series.tags
            match item.series.kind:
                case "device":
                    self._devices[tags["device"]] = item
                case "wlan_ap":
                    self.points[tags["ap"]].append(item)
                case "wlan_radio":
                    self._radios[tags["ap"]].append(item)
                case "lan_port":
                    self._ports[tags["device"], tags["port"]] = item
                case _:
                    pass

    def _is_fresh(self, item: Latest) -> bool:
        stale_ms = _stale_ms(item.series.kind)
        return self._now_ms - item.ts_ms <= stale_ms

    def is_stranger(self, ap: str, planned: Sequence[AccessPoint]) -> bool:
        """Say whether a tag is that of an access point that nobody has planned yet."""
        if not is_free_tag(ap):
            return False
        newest = self.points[ap][-1]
        info = newest.info
        name = info.get("name") or ap.partition("/")[2]
        told = [
            (plan, self.points[plan.id][-1].ts_ms if plan.id in self.points else None)
            for plan in planned
        ]
        return not was_adopted(name, info.get("serial", ""), newest.ts_ms, told)

    def speaks(self, device_id: str, ap: str) -> bool:
        """Say whether a controller answers, or told of an access point since."""
        device, points = self._devices.get(device_id), self.points.get(ap)
        if device is None:
            return points is not None and self._is_fresh(points[-1])
        if points is not None and points[-1].ts_ms > device.ts_ms:
            return self._is_fresh(points[-1])
        return device.failure is None and self._is_fresh(device)

    def is_mute(self, device_id: str) -> bool:
        """Say whether nothing came back from a device when it was asked last.

        A refused password or a closed port are the words of one that runs.
        """
        device = self._devices.get(device_id)
        return device is not None and device.failure in _MUTE

    def anything_speaks(self, inventory: Inventory) -> bool:
        """Say whether a device in the building answers, so that its line works."""
        return any(
            item.failure is None and self._is_fresh(item)
            for name, item in self._devices.items()
            if (device := inventory.device_by_id.get(name)) is not None
            and device.building_id == self._building_id
        )

    def reported(self, ap: str, plan: AccessPoint | None) -> Reported | None:
        """Return what the controller says of an access point; None if nothing ever."""
        items = self.points.get(ap)
        if not items:
            return None
        newest = items[-1]
        up = None if newest.failure is not None else newest.values.get("up")
        is_up, fresh = up == 1.0, self._is_fresh(newest)
        fallback = plan.name if plan else ap.partition("/")[2]
        return Reported(
            ap=ap,
            name=newest.info.get("name") or fallback,
            serial=newest.info.get("serial", ""),
            up=None if up is None else is_up,
            fresh=fresh,
            was_up=is_up or any(self._was_up(item.series.id) for item in items),
            uplink_speed_bps=newest.values.get("uplink_speed_bps") if is_up else None,
            radios_on=self._radios_on(ap, newest) if is_up else None,
            clients_most=self._most_clients(items) if is_up and fresh else None,
        )

    def _was_up(self, series_id: int) -> bool:
        days = self._measurements.rollups(series_id, "up", "day", 0, 99_999_999)
        return any(day.high >= 1.0 for day in days)

    def _most_clients(self, items: Sequence[Latest]) -> float | None:
        if self._calendar is None:
            return None
        if now := items[-1].values.get("clients_count"):
            return now
        series = [item.series.id for item in items]
        return most_clients(self._measurements, series, self._calendar, self._now_ms)

    def _radios_on(self, ap: str, point: Latest) -> int | None:
        """Return how many radios work; None where that is not told of all."""
        newest: dict[str, Latest] = {}
        for item in self._radios.get(ap, ()):
            newest[item.series.tags["radio"]] = item
        states = [self._radio_is_on(item, point) for item in newest.values()]
        on = states.count(True)
        return on if on or (states and None not in states) else None

    def _radio_is_on(self, item: Latest, point: Latest) -> bool | None:
        # A radio that is told no more, though its access point is, is off.
        if point.ts_ms - item.ts_ms > _stale_ms("wlan_radio"):
            return False
        if item.failure is not None or not self._is_fresh(item):
            return None
        told = item.values.get("up")
        if told is None:
            return None if item.values.get("channel") is None else True
        return told == 1.0

    def places(
        self,
        planned: Iterable[AccessPoint],
        told: Mapping[str, Reported | None],
        strangers: Mapping[str, Reported | None],
    ) -> Places:
        """Return the ports of all access points."""
        points = []
        for plan in planned:
            report = told[plan.id]
            missing = report is None or not report.up
            name = "" if report is None else report.name
            points.append(wanted(plan, plan.id, name, missing=missing))
        for ap, stranger in strangers.items():
            if stranger is not None:
                points.append(wanted(None, ap, stranger.name))
        return find_places(
            points,
            list(self._ports.values()),
            self._measurements.neighbours(self._building_id),
            self._now_ms,
            _stale_ms("lan_port"),
        )

    def port(self, place: Place | None) -> PortFacts | None:
        """Return what the switch says of a port; None where there is no port."""
        if place is None:
            return None
        item = self._ports.get(place.key)
        blank = PortFacts(
            switch_id=place.switch_id,
            port=place.port,
            source=place.source,
            fresh=False,
        )
        device = self._devices.get(place.switch_id)
        is_silent = device is not None and device.failure is not None
        if item is None or item.failure or not self._is_fresh(item) or is_silent:
            return blank
        values = item.values
        neighbour = item.info.get("neighbour") or item.info.get("neighbour_chassis")
        return replace(
            blank,
            fresh=True,
            oper_up=_flag(values.get("oper_up")),
            admin_up=_flag(values.get("admin_up")),
            speed_bps=values.get("speed_bps"),
            poe_on=_flag(values.get("poe_on")),
            poe_w=values.get("poe_w"),
            neighbour=neighbour or "",
            own=place.source is PlaceSource.LLDP,
        )


def _stale_ms(kind: str) -> int:
    return round(KINDS[kind].stale_after_s * 1000)


def _flag(value: float | None) -> bool | None:
    return None if value is None else value == 1.0
