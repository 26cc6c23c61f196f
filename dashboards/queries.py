"""What pages and API ask of the store: few reads, then pure shaping."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dashboards.covered import KIND as COVERAGE
from dashboards.covered import covered_rooms
from dashboards.history import History, HistoryMetric, HistoryReader, Span
from dashboards.medium import medium_view
from dashboards.shaping import (
    AP_RULE,
    DEGRADED_RULE,
    LINE_DOWN_RULE,
    LINE_RULE,
    NO_DATA_RULE,
    Moment,
    ap_views,
    building_row,
    city,
    gather,
    newest,
    newest_failure,
    poor_targets,
)
from dashboards.views import (
    BuildingPage,
    City,
    DeviceView,
    IncidentView,
    RadioView,
    SourceView,
)
from dashboards.wlan import ap_finding, coverage_view
from dashboards.words import incident_view
from netmon.actions import read_standing
from netmon.actions.words import muted_words
from netmon.alarm_classes import RuleName
from netmon.collation import collation_key
from netmon.coverage import read_coverage
from netmon.line_medium import LineMedium, read_medium
from netmon.line_path import read_path
from netmon.line_verdict import Statement, recorded_statements
from netmon.metrics import MEDIUM_KINDS
from netmon.model import Device, Inventory, Line, LineRole
from netmon.storage.ports import Store
from netmon.storage.records import AlarmState, Incident, Latest
from netmon.wlan_truth import read_wlan_truth

if TYPE_CHECKING:
    # The pages' own: a process that serves none can do without the web framework.
    from dashboards.context import Site


PAST_INCIDENTS = 200
STATEMENTS_SHOWN = 12
_STATEMENTS_MS = 24 * 3_600_000
# A line in these states is explained by its medium, also in the overview.
_TROUBLE = (AlarmState.BAD, AlarmState.SUSPECT)
LINE_KINDS = ("throughput", "latency", "path", "dns")
# What the overview shows of a line or building.
_CITY_KINDS = ("throughput", "latency", *MEDIUM_KINDS, COVERAGE)
_SLOW_PORT_BPS = 100_000_000


class UnknownError(LookupError):
    """There is no such thing; the argument names it for the error answer."""


def read_city(site: Site) -> City:
    """Return all buildings; eight reads, and a few for each line that is suspected."""
    return city_at(site.store, site.inventory(), site.moment())


def city_at(store: Store, inventory: Inventory, moment: Moment) -> City:
    """Return all buildings as `read_city`, for a process that serves no pages."""
    states = store.alarms.states(rule=LINE_RULE)
    newest_of: dict[str, list[Latest]] = defaultdict(list)
    for item in store.measurements.latest(kinds=_CITY_KINDS):
        newest_of[item.series.kind].append(item)
    told = [item for kind in MEDIUM_KINDS for item in newest_of[kind]]
    suspected = {
        row.target.partition(":")[2] for row in states if row.state in _TROUBLE
    }
    lines = [inventory.line_by_id[i] for i in suspected if i in inventory.line_by_id]
    media = _media(store, lines, told, moment.now_ms)
    facts = gather(
        states
        + store.alarms.states(rule=NO_DATA_RULE)
        + store.alarms.states(rule=LINE_DOWN_RULE),
        newest_of["throughput"] + newest_of["latency"],
        store.measurements.access_points(),
        store.alarms.incidents(open_only=True, limit=100_000),
        media={line_id: medium.health for line_id, medium in media.items()},
    )
    facts = replace(
        facts,
        covered=covered_rooms(newest_of[COVERAGE], moment.now_ms),
        ap_words=store.alarms.words(AP_RULE),
        ap_poor=poor_targets(store.alarms.words(DEGRADED_RULE)),
    )
    return city(inventory, facts, moment)


def open_incident_count(site: Site) -> int:
    """Return how many incidents are open, known contracts aside."""
    return len(_open_faults(site))


def _open_faults(site: Site) -> list[Incident]:
    """Return open incidents that somebody can mend, newest first.

    A contract below the target is known and planned for: the tables show and count it,
    and a red number that is never 0 would soon be read by nobody.
    """
    return [
        incident
        for incident in site.store.alarms.incidents(open_only=True, limit=100_000)
        if incident.rule != RuleName.BELOW_BY_CONTRACT
        and site.shows(incident.building_id)
    ]


def read_incidents(
    site: Site, *, open_only: bool = False, limit: int = PAST_INCIDENTS
) -> tuple[list[IncidentView], list[IncidentView]]:
    """Return open and past incidents, newest first; past ones up to the limit."""
    inventory = site.inventory()
    found = site.store.alarms.incidents(open_only=True, limit=100_000)
    if not open_only:
        ids = {incident.id for incident in found}
        past = site.store.alarms.incidents(limit=limit + len(ids))
        found += [incident for incident in past if incident.id not in ids]
    standing = read_standing(
        site.store, site.moment().now_ms, site.settings.alerts.rules
    )
    views = [
        incident_view(site.texts, one, inventory, standing)
        for one in found
        if site.shows(one.building_id)
    ]
    is_open = [view for view in views if view.ended_ms is None]
    return is_open, [view for view in views if view.ended_ms is not None][:limit]


def read_newest(site: Site, count: int) -> list[IncidentView]:
    """Return the newest open incidents, up to a count: only these are put in words."""
    found = _open_faults(site)[:count]
    standing = read_standing(
        site.store, site.moment().now_ms, site.settings.alerts.rules
    )
    inventory = site.inventory()
    return [incident_view(site.texts, one, inventory, standing) for one in found]


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
    media = _media(store, lines, latest, moment.now_ms)
    recorded = {line.id: _recorded(site, line, latest) for line in lines}
    ways = {
        line.id: read_path(store.measurements, line, latest, moment.now_ms)
        for line in lines
    }
    incidents = store.alarms.incidents(building_id=building_id, limit=PAST_INCIDENTS)
    facts = gather(
        store.alarms.states(building_id=building_id),
        latest,
        store.measurements.access_points(building_id),
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
        row=building_row(building, inventory, facts, moment),
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


def _media(
    store: Store, lines: Iterable[Line], latest: Sequence[Latest], now_ms: int
) -> Mapping[str, LineMedium]:
    """Return the medium of each line that a device tells of, by line."""
    found = {
        line.id: read_medium(store.measurements, line, latest, now_ms) for line in lines
    }
    return {line_id: medium for line_id, medium in found.items() if medium is not None}


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


@dataclass(frozen=True, slots=True)
class LineHistory:
    """A line's history with the line it belongs to."""

    line_id: str
    history: History


def read_line_history(
    site: Site,
    building_id: str,
    metrics: Sequence[HistoryMetric],
    span: Span,
    line_id: str | None = None,
) -> LineHistory:
    """Return the history of a line; without an id that of the main line.

    Raises:
        UnknownError: no such building, or no such line in it.
    """
    line = line_of(site, building_id, line_id)
    latest = site.store.measurements.latest(building_id=building_id)
    now_ms = site.moment().now_ms
    history = history_reader(site, line, span, latest, now_ms).read(metrics)
    return LineHistory(line_id=line.id, history=history)


def history_reader(
    site: Site, line: Line, span: Span, latest: Iterable[Latest], until_ms: int
) -> HistoryReader:
    """Return what reads the histories of a line up to a time.

    ``latest`` are the newest values of the line's building.
    """
    own = [x.series for x in latest if x.series.tags.get("line") == line.id]
    return HistoryReader(site.store.measurements, own, span, until_ms)


def line_of(site: Site, building_id: str, line_id: str | None = None) -> Line:
    """Return a line of a building; without an id the main line.

    Raises:
        UnknownError: no such building, or no such line in it.
    """
    inventory = site.inventory()
    if building_id not in inventory.building_by_id:
        raise UnknownError(building_id)
    lines = inventory.lines_of[building_id]
    wanted = [
        line
        for line in lines
        if (line.role is LineRole.MAIN if line_id is None else line.id == line_id)
    ]
    if not wanted:
        raise UnknownError(line_id or "main")
    return wanted[0]


def read_sources(site: Site) -> list[SourceView]:
    """Return all senders by name, with what they say of their own spool."""
    moment, inventory = site.moment(), site.inventory()
    health: dict[str, list[Latest]] = defaultdict(list)
    for item in site.store.measurements.latest(kind="probe_health"):
        health[item.series.source].append(item)
    views = []
    sources = site.store.sources.all()
    for source in sorted(sources, key=lambda source: collation_key(source.name)):
        if not site.shows(source.building_id):
            continue
        building = inventory.building_by_id.get(source.building_id or "")
        offset_ms, seen_ms = source.clock_offset_ms, source.last_seen_ms
        own = health.get(source.name, [])
        views.append(
            SourceView(
                name=source.name,
                kind=source.kind.value,
                building_id=source.building_id,
                building_name=building.name if building else None,
                generated=source.generated,
                last_seen_ms=seen_ms,
                silent=seen_ms is None or moment.is_stale("probe_health", seen_ms),
                clock_offset_s=None if offset_ms is None else offset_ms / 1000,
                agent=source.agent,
                spool_records=newest(own, "spool_records_count", moment),
                spool_dropped=newest(own, "spool_dropped_total", moment),
            )
        )
    return views
