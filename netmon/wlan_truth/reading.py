"""Newest values of a building's access points, radios and ports, by what they are about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from netmon.metrics import KINDS
from netmon.model import AccessPoint, FailureReason, Inventory
from netmon.school_calendar import SchoolCalendar
from netmon.storage.ports import MeasurementStore
from netmon.storage.records import Latest
from netmon.wlan_truth.judge import PortFacts, Reported
from netmon.wlan_truth.lessons import most_clients
from netmon.wlan_truth.places import Place, Places, find_places, wanted
from netmon.wlan_truth.states import PlaceSource

# Probes tell their latency every minute; one record may be late.
_PROBE_WORD_MS = 120_000
_MUTE = (FailureReason.NO_REPLY, FailureReason.TIMEOUT, FailureReason.UNREACHABLE)


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


class Reading:
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
        # When a controller's table of radios last told of one in the building.
        self._radios_told_ms: dict[str, int] = {}
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
                    if item.failure is None:
                        self._radios_told_ms[tags["device"]] = item.ts_ms
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

    def told_by(self, ap: str) -> str:
        """Return the device that told of an access point last; empty for none."""
        points = self.points.get(ap)
        return points[-1].series.tags["device"] if points else ""

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

    def is_all_silent(self, inventory: Inventory) -> bool:
        """Say whether neither devices nor probes of the building speak any more.

        That shows within minutes, long before the line's own alarm.
        """
        here = [
            item
            for name, item in self._devices.items()
            if (device := inventory.device_by_id.get(name)) is not None
            and device.building_id == self._building_id
        ]
        if not here or any(item.failure is None for item in here):
            return False
        failed_ms = max(item.ts_ms for item in here)
        probes = self._measurements.latest(
            kind="latency", building_id=self._building_id
        )
        return all(item.ts_ms < failed_ms - _PROBE_WORD_MS for item in probes)

    def reported(self, ap: str, plan: AccessPoint | None) -> Reported | None:
        """Return what the controller says of an access point; None if nothing ever."""
        items = self.points.get(ap)
        if not items:
            return None
        newest = items[-1]
        up = None if newest.failure is not None else newest.values.get("up")
        is_up, fresh = up == 1.0, self._is_fresh(newest)
        if newest.failure in _MUTE:
            # Of one that is its own witness silence is no word.
            stale_ms = _stale_ms(newest.series.kind)
            fresh = self._now_ms - (newest.ok_ts_ms or 0) <= stale_ms
        fallback = plan.name if plan else ap.partition("/")[2]
        return Reported(
            ap=ap,
            name=newest.info.get("name") or fallback,
            serial=newest.info.get("serial", ""),
            up=None if up is None else is_up,
            fresh=fresh,
            # The number before a failure is kept beside it.
            was_up=newest.values.get("up") == 1.0
            or any(self._was_up(item.series.id) for item in items),
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
            # What another controller told before is no radio of its own.
            if item.series.tags["device"] != point.series.tags["device"]:
                continue
            newest[item.series.tags["radio"]] = item
        states = [self._radio_is_on(item, point) for item in newest.values()]
        on = states.count(True)
        return on if on or (states and None not in states) else None

    def _radio_is_on(self, item: Latest, point: Latest) -> bool | None:
        # A radio that is told no more, though others of its controller are, is off.
        if point.ts_ms - item.ts_ms > _stale_ms("wlan_radio"):
            told_ms = self._radios_told_ms.get(point.series.tags["device"], 0)
            is_told = point.ts_ms - told_ms <= _stale_ms("wlan_radio")
            return False if is_told else None
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
        names = {
            ap: report.name.strip().casefold()
            for ap, report in told.items()
            if report is not None and report.up
        }
        for plan in planned:
            report = told[plan.id]
            missing = report is None or not report.up
            name = "" if report is None else report.name
            others = {other for ap, other in names.items() if ap != plan.id}
            points.append(wanted(plan, plan.id, name, missing=missing, others=others))
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
