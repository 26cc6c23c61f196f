"""From views to API answers: renaming and UTC, nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dashboards import schemas as s
from dashboards import wlan_schemas as w
from dashboards.action_schemas import mark, muted
from dashboards.building_views import (
    ApFinding,
    ApView,
    BuildingPage,
    DeviceView,
    RadioView,
    SourceView,
)
from dashboards.covered import RoomsCovered
from dashboards.history import History, HistoryMetric
from dashboards.line_replies import line, medium, statement
from dashboards.reply_base import at, whole
from dashboards.views import BuildingRow, IncidentView
from dashboards.wlan_replies import coverage, finding
from netmon.clock import from_ms
from netmon.storage.action_records import Mark
from netmon.storage.records import Latest
from netmon.texts import Texts

UNITS = {"bps": "bit/s", "s": "s", "ratio": "1", "dbm": "dBm", "db": "dB"}


def _rooms(rooms: RoomsCovered | None) -> s.RoomsReply | None:
    if rooms is None:
        return None
    return s.RoomsReply(
        rooms_count=rooms.rooms,
        covered_count=rooms.covered,
        unknown_count=rooms.open,
        counted_at=from_ms(rooms.at_ms),
        stale=rooms.stale,
        generated=rooms.generated,
    )


def building(row: BuildingRow, texts: Texts, now_ms: int) -> s.BuildingReply:
    """Return a building."""
    own, aps = row.building, row.aps
    return s.BuildingReply(
        id=own.id,
        name=own.name,
        school_type=own.school_type,
        schools=[
            s.SchoolReply(id=x.id, name=x.name, school_type=x.school_type)
            for x in row.schools
        ],
        street=own.street,
        postcode=own.postcode,
        city=own.city,
        campus_district=own.campus_district,
        city_district=own.city_district,
        latitude_deg=own.latitude_deg,
        longitude_deg=own.longitude_deg,
        pupils_count=own.pupils,
        classes_count=own.classes,
        needed_down_bps=row.needed_down_bps,
        lan=own.lan,
        wlan=own.wlan,
        lan_rooms=_rooms(row.lan_rooms),
        wlan_rooms=_rooms(row.wlan_rooms),
        state=row.verdict,
        lines=[line(view, texts, now_ms) for view in row.lines],
        access_points=w.AccessPointCounts(
            state=aps.verdict,
            total_count=aps.total,
            planned_count=aps.planned,
            ok_count=aps.ok,
            suspect_count=aps.suspect,
            degraded_count=aps.degraded,
            never_seen_count=aps.never_seen,
            down_count=aps.down,
            unknown_count=aps.unknown,
            clients_count=whole(aps.clients.value),
            reported_at=at(aps.clients.at_ms),
            stale=aps.clients.stale,
            generated=aps.clients.generated,
        ),
        open_incidents_count=row.open_incidents,
        generated=row.generated,
    )


def radio(view: RadioView) -> w.RadioReply:
    """Return a radio."""
    readings = (view.channel, view.utilisation, view.clients, view.noise)
    times = [reading.at_ms for reading in readings if reading.at_ms is not None]
    return w.RadioReply(
        radio=view.radio,
        channel=whole(view.channel.value),
        utilisation_ratio=view.utilisation.value,
        clients_count=whole(view.clients.value),
        noise_dbm=view.noise.value,
        band_hz=view.band.value,
        width_hz=view.width.value,
        tx_power_dbm=view.power.value,
        retries_ratio=view.retries.value,
        up=view.is_on,
        reported_at=at(max(times, default=None)),
    )


def access_point(
    view: ApView, radios: Sequence[RadioView], found: ApFinding | None
) -> w.AccessPointReply:
    """Return an access point with its radios."""
    seen = view.seen
    return w.AccessPointReply(
        id=view.id,
        name=view.name,
        room=view.room,
        model=view.model,
        planned=view.planned is not None,
        state=view.verdict,
        state_since=at(view.since_ms),
        clients_count=None if seen is None else seen.clients_count,
        reported_at=None if seen is None else at(seen.last_seen_ms),
        stale=view.stale,
        generated=seen is not None and seen.generated,
        radios=[radio(each) for each in radios],
        finding=None if found is None else finding(found),
    )


def device(view: DeviceView) -> s.DeviceReply:
    """Return a device."""
    return s.DeviceReply(
        id=view.id,
        name=view.name,
        kind=view.kind,
        model=view.model,
        room=view.room,
        up=None if view.up.value is None else view.up.value == 1.0,
        polled_at=at(view.up.at_ms),
        uptime_s=view.uptime.value,
        failure=view.failure,
        ports_count=view.ports,
        ports_up_count=view.ports_up,
        ports_up_to_100_mbits_count=view.slow_ports,
        port_errors_total=view.port_errors,
    )


def _mark(found: Mark | None) -> s.MarkReply | None:
    return None if found is None else mark(found)


def incidents(views: Iterable[IncidentView], now_ms: int) -> list[s.IncidentReply]:
    """Return incidents; the duration of an open one counts up to now."""
    return [
        s.IncidentReply(
            id=view.id,
            rule=view.rule,
            building_id=view.building_id,
            building_name=view.building_name,
            where=view.where,
            cause=view.cause,
            started_at=from_ms(view.started_ms),
            ended_at=at(view.ended_ms),
            duration_s=((view.ended_ms or now_ms) - view.started_ms) / 1000,
            muted=muted(view.decided.muted),
            acknowledged=_mark(view.decided.acknowledged),
            marked_false=_mark(view.decided.marked_false),
        )
        for view in views
    ]


def measurement(item: Latest) -> s.MeasurementReply:
    """Return the newest record of a series."""
    return s.MeasurementReply(
        kind=item.series.kind,
        tags=dict(item.series.tags),
        source=item.series.source,
        measured_at=from_ms(item.ts_ms),
        failure=item.failure,
        values_at=at(item.ok_ts_ms),
        values=dict(item.values),
        generated=item.series.generated,
    )


def detail(page: BuildingPage, texts: Texts) -> s.BuildingDetailReply:
    """Return everything about one building."""
    return s.BuildingDetailReply(
        **dict(building(page.row, texts, page.now_ms)),
        at=from_ms(page.now_ms),
        maintenance=muted(page.muted),
        access_point_list=[
            access_point(view, page.radios_of(view), page.findings.get(view.id))
            for view in page.access_points
        ],
        access_point_findings=dict(page.finding_counts),
        coverage=coverage(page.coverage),
        devices=[device(view) for view in page.devices],
        incidents=incidents(page.incidents, page.now_ms),
        measurements=[measurement(item) for item in page.measurements],
        statements=[
            statement(line_id, each)
            for line_id, found in page.statements.items()
            for each in found
        ],
        media=[medium(line_id, view) for line_id, view in page.media.items()],
    )


def history(
    found: History, building_id: str, line_id: str, metric: HistoryMetric
) -> s.HistoryReply:
    """Return one metric's history."""
    return s.HistoryReply(
        building_id=building_id,
        line_id=line_id,
        metric=metric,
        unit=UNITS[metric.rpartition("_")[2]],
        span=found.span,
        grain=found.grain,
        first_at=from_ms(found.first_ms),
        last_at=from_ms(found.last_ms),
        generated=found.generated,
        points=[
            s.PointReply(
                at=from_ms(point.at_ms),
                measurements_count=point.n,
                mean=point.mean,
                low=point.low,
                high=point.high,
                failures_count=point.failures,
            )
            for point in found.points[metric]
        ],
    )


def source(view: SourceView) -> s.SourceReply:
    """Return a sender."""
    return s.SourceReply(
        name=view.name,
        kind=view.kind,
        building_id=view.building_id,
        generated=view.generated,
        last_seen_at=at(view.last_seen_ms),
        silent=view.silent,
        clock_offset_s=view.clock_offset_s,
        agent=view.agent,
        spool_records_count=whole(view.spool_records.value),
        spool_dropped_total=whole(view.spool_dropped.value),
    )
