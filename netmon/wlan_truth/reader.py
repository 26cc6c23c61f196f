"""What the store knows of a building's access points, joined and judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from netmon.model import AccessPoint, DeviceKind, Inventory
from netmon.school_calendar import SchoolCalendar
from netmon.storage.ports import Store
from netmon.storage.records import AlarmState, Latest
from netmon.wlan_truth.judge import ApFacts, Reported, judge
from netmon.wlan_truth.places import Places
from netmon.wlan_truth.reading import Reading
from netmon.wlan_truth.states import ApState, ApTruth, Change

WLAN_KINDS = ("device", "wlan_ap", "wlan_radio", "lan_port")
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
    confirmed: bool = False,
) -> WlanTruth:
    """Return the truth about a building's access points.

    ``calendar`` says when there are lessons; without it none is called without
    clients. ``latest`` are the building's newest values, where they are read already.
    ``confirmed`` believes the silence of all that stand alone, as the alarm does that
    is about to be raised; otherwise it is believed where the alarm is open.

    Raises:
        StorageError: the store refused.
    """
    if latest is None:
        latest = [
            item
            for kind in WLAN_KINDS
            for item in store.measurements.latest(kind=kind, building_id=building_id)
        ]
    reading = Reading(store.measurements, building_id, latest, now_ms, calendar)
    silent_line = _line_is_silent(
        store, inventory, building_id
    ) or reading.is_all_silent(inventory)
    planned = inventory.access_points_of.get(building_id, ())
    told = {plan.id: reading.reported(plan.id, plan) for plan in planned}
    hosts = {plan.id: _host(inventory, plan, reading) for plan in planned}
    free = [ap for ap in reading.points if reading.is_stranger(ap, planned)]
    strangers = {ap: reading.reported(ap, None) for ap in free}
    places = reading.places(planned, told, strangers)
    rooms = _rooms_by_port(inventory, building_id)
    taken = _successors(planned, told, strangers, places, rooms)
    gone = _gone(store, inventory, building_id)
    facts = [
        ApFacts(
            plan=plan,
            reported=told[plan.id],
            controller_speaks=reading.speaks(hosts[plan.id], plan.id),
            elsewhere=hosts[plan.id] if hosts[plan.id] != plan.controller_id else "",
            alone=plan.controller_id in inventory.alone_at,
            confirmed=confirmed or plan.id in gone,
            way_works=reading.is_mute(plan.controller_id)
            and reading.anything_speaks(inventory),
            line_down=silent_line
            and not reading.anything_speaks(inventory)
            and inventory.device_by_id[hosts[plan.id]].building_id != building_id,
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


def _name(
    strangers: Mapping[str, Reported | None], found: tuple[str, Change] | None
) -> str:
    stranger = None if found is None else strangers[found[0]]
    return "" if stranger is None else stranger.name


def _host(inventory: Inventory, plan: AccessPoint, reading: Reading) -> str:
    """Return the controller that speaks of an access point; else the planned one."""
    host = reading.told_by(plan.id)
    known = inventory.device_by_id.get(host)
    is_one = known is not None and known.kind is DeviceKind.CONTROLLER
    return host if is_one else plan.controller_id


def _is_alone(inventory: Inventory, device_id: str) -> bool:
    device = inventory.device_by_id.get(device_id)
    return device is not None and device.kind is DeviceKind.ACCESS_POINT


def _line_is_silent(store: Store, inventory: Inventory, building_id: str) -> bool:
    line = inventory.main_line(building_id)
    if line is None:
        return False
    # While it is down altogether, its silence is no incident of its own.
    return any(
        row.target == f"line:{line.id}" and row.state in _SILENT
        for rule in ("no_data", "line_down")
        for row in store.alarms.states(rule=rule, building_id=building_id)
    )


def _gone(store: Store, inventory: Inventory, building_id: str) -> set[str]:
    """Return those that stand alone of which the alarm is sure that they are gone."""
    alone = {ap.id for ap in inventory.alone_at.values()}
    if alone.isdisjoint(
        ap.id for ap in inventory.access_points_of.get(building_id, ())
    ):
        return set()
    return {
        row.target.partition(":")[2]
        for row in store.alarms.states(rule="ap_down", building_id=building_id)
        if row.incident_id is not None
    } & alone


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
