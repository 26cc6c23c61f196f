"""Everything that is asked of the store about one building."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dashboards.ap_shaping import ap_views
from dashboards.building_views import BuildingPage, DeviceView, RadioView
from dashboards.city_queries import PAST_INCIDENTS
from dashboards.facts import Moment, gather, newest, newest_failure
from dashboards.kept import Kept
from dashboards.medium import medium_view
from dashboards.queries import UnknownError
from dashboards.shaping import building_row
from dashboards.wlan import ap_finding, coverage_view
from dashboards.words import incident_view
from netmon.actions import read_standing
from netmon.actions.words import muted_words
from netmon.coverage import read_coverage
from netmon.line_medium import read_media
from netmon.line_path import read_path
from netmon.line_verdict import Statement, recorded_statements
from netmon.model import Device, Inventory, Line
from netmon.storage.records import Latest
from netmon.wlan_truth import read_wlan_truth

if TYPE_CHECKING:
    from dashboards.context import Site

STATEMENTS_SHOWN = 12
_STATEMENTS_MS = 24 * 3_600_000
LINE_KINDS = ("throughput", "latency", "path", "dns")
_SLOW_PORT_BPS = 100_000_000


def read_building(site: Site, building_id: str) -> BuildingPage:
    """Return everything about one building.

    Raises:
        UnknownError: the inventory has no such building.
    """
    store, moment, inventory = site.store, site.moment(), site.inventory()
    building = inventory.building_by_id.get(building_id)
    if building is None:
        raise UnknownError(building_id)
    latest = store.measurements.latest(building_id=building_id)
    lines = inventory.lines_of[building_id]
    media = read_media(store.measurements, lines, latest, moment.now_ms)
    recorded = {line.id: _recorded(site, line, latest) for line in lines}
    ways = {
        line.id: read_path(store.measurements, line, latest, moment.now_ms)
        for line in lines
    }
    incidents = store.alarms.incidents(building_id=building_id, limit=PAST_INCIDENTS)
    facts = gather(
        store.alarms.states(building_id=building_id),
        latest,
        {building_id: store.measurements.access_points(building_id)},
        incidents,
        media={line_id: medium.health for line_id, medium in media.items()},
        recorded=recorded,
        blamed={line_id: found for line_id, found in ways.items() if found},
    )
    truth = read_wlan_truth(
        store,
        inventory,
        building_id,
        moment.now_ms,
        calendar=site.calendars.of(building_id),
        latest=latest,
    )
    covered = read_coverage(
        store, inventory, building_id, moment.now_ms, truth=truth, latest=latest
    )
    rooms = {room.id: room.name for room in inventory.rooms_of[building_id]}
    planned = inventory.access_points_of[building_id]
    standing = read_standing(store, moment.now_ms, site.settings.alerts.rules)
    muted = standing.muting.of_building(building_id, inventory)
    by_kind: dict[str, list[Latest]] = defaultdict(list)
    for item in latest:
        by_kind[item.series.kind].append(item)
    return BuildingPage(
        now_ms=moment.now_ms,
        row=building_row(building, inventory, facts, moment, Kept()),
        access_points=ap_views(planned, facts, building_id, rooms, moment),
        radios=radio_views(by_kind["wlan_radio"], moment),
        devices=device_views(inventory, building_id, by_kind, moment),
        incidents=tuple(
            incident_view(site.texts, i, inventory, standing) for i in incidents
        ),
        muted=muted,
        maintenance="" if muted is None else muted_words(site.texts, muted),
        measurements=tuple(item for kind in LINE_KINDS for item in by_kind[kind]),
        coverage=coverage_view(covered, truth, site.texts),
        findings={
            point.ap: ap_finding(point, inventory, site.texts) for point in truth.points
        },
        finding_counts={state: n for state, n in truth.counts.items() if n},
        media={
            line_id: medium_view(medium, inventory, site.texts)
            for line_id, medium in media.items()
        },
        statements={
            line_id: tuple(found[:STATEMENTS_SHOWN])
            for line_id, found in recorded.items()
        },
        latest=latest,
    )


def _recorded(site: Site, line: Line, latest: Sequence[Latest]) -> list[Statement]:
    """Return what was said of a line within a day, newest first."""
    last_ms = site.moment().now_ms
    first_ms = last_ms - _STATEMENTS_MS
    series = [
        item.series.id
        for item in latest
        if item.series.kind == "throughput" and item.series.tags.get("line") == line.id
    ]
    chunks = site.store.measurements.chunks(series, first_ms, last_ms) if series else []
    return recorded_statements(chunks, first_ms, last_ms)


def radio_views(
    latest: Sequence[Latest], moment: Moment
) -> Mapping[str, tuple[RadioView, ...]]:
    """Return the radios by access point, as the controller tells that told last."""
    told_by = {
        item.series.tags["ap"]: item.series.tags["device"]
        for item in sorted(latest, key=lambda item: item.ts_ms)
    }
    grouped: dict[tuple[str, str], list[Latest]] = defaultdict(list)
    for item in latest:
        tags = item.series.tags
        if tags["device"] == told_by[tags["ap"]]:
            grouped[tags["ap"], tags["radio"]].append(item)
    views: dict[str, list[RadioView]] = defaultdict(list)
    for (ap, radio), items in sorted(grouped.items()):
        on = newest(items, "up", moment)
        views[ap].append(
            RadioView(
                radio=radio,
                channel=newest(items, "channel", moment),
                utilisation=newest(items, "utilisation_ratio", moment),
                clients=newest(items, "clients_count", moment),
                noise=newest(items, "noise_dbm", moment),
                band=newest(items, "band_hz", moment),
                width=newest(items, "width_hz", moment),
                power=newest(items, "tx_power_dbm", moment),
                retries=newest(items, "retries_ratio", moment),
                is_on=None if on.value is None else on.value == 1.0,
            )
        )
    return {ap: tuple(found) for ap, found in views.items()}


def device_views(
    inventory: Inventory,
    building_id: str,
    by_kind: Mapping[str, Sequence[Latest]],
    moment: Moment,
) -> tuple[DeviceView, ...]:
    """Return the building's own devices and those that report something of it.

    A controller at which its access points were for a while is none of them any more.
    """
    planned = {d.id: d for d in inventory.devices if d.building_id == building_id}
    serving = {ap.controller_id for ap in inventory.access_points_of[building_id]}
    health: dict[str, list[Latest]] = defaultdict(list)
    ports: dict[str, list[Latest]] = defaultdict(list)
    for item in by_kind["device"]:
        health[item.series.tags["device"]].append(item)
    for item in by_kind["lan_port"]:
        ports[item.series.tags["device"]].append(item)
    others = {
        name
        for name, items in health.items()
        if name in serving
        or name not in inventory.device_by_id
        or not moment.is_stale("device", max(item.ts_ms for item in items))
    }
    ids = [*planned, *sorted({*others, *ports} - planned.keys())]
    return tuple(
        _device_view(
            name,
            planned.get(name) or inventory.device_by_id.get(name),
            health.get(name, ()),
            ports.get(name, ()),
            moment,
        )
        for name in ids
    )


def _device_view(
    device_id: str,
    device: Device | None,
    health: Sequence[Latest],
    ports: Sequence[Latest],
    moment: Moment,
) -> DeviceView:
    failed = newest_failure(health)
    up_ports = [p for p in ports if p.values.get("oper_up") == 1.0]
    speeds = [p.values.get("speed_bps") or 0.0 for p in up_ports]
    errors = [
        (p.values.get("in_errors_total") or 0) + (p.values.get("out_errors_total") or 0)
        for p in ports
    ]
    model = next((item.info["model"] for item in health if "model" in item.info), "")
    return DeviceView(
        id=device_id,
        name=device.name if device else device_id,
        kind="" if device is None else device.kind.value,
        model=model or (device.model if device else ""),
        room=device.room if device else "",
        up=newest(health, "up", moment),
        uptime=newest(health, "uptime_s", moment),
        failure=None if failed is None else failed.failure,
        ports=len(ports),
        ports_up=len(up_ports),
        slow_ports=sum(0 < speed <= _SLOW_PORT_BPS for speed in speeds),
        port_errors=round(sum(errors)),
        ports_reading=newest(ports, "oper_up", moment),
    )
