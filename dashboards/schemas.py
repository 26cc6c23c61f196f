"""What the JSON API answers: typed, units in the names, times in UTC."""

from __future__ import annotations

from dashboards.health import Part
from dashboards.history import Grain, HistoryMetric, Span
from dashboards.line_schemas import LineReply, MediumReply, StatementReply
from dashboards.schema_base import Generated, Moment, Reply
from dashboards.views import Verdict
from dashboards.wlan_schemas import AccessPointCounts, AccessPointReply, CoverageReply
from netmon.actions import MutedBy
from netmon.model import (
    Coverage,
    FailureReason,
    SchoolType,
)
from netmon.wlan_truth import ApState


class SchoolReply(Reply):
    """A school that uses a building."""

    id: str
    name: str
    school_type: SchoolType


class RoomsReply(Reply):
    """Teaching rooms with a working network, as last counted.

    ``covered_count`` and ``unknown_count`` are null where there is no list to measure
    by, or nothing was told of any room.
    """

    rooms_count: int
    covered_count: int | None
    unknown_count: int | None
    counted_at: Moment
    stale: bool
    generated: Generated


class BuildingReply(Reply):
    """A building; ``state`` is that of its worst member.

    ``needed_down_bps`` is what the classes and the office need, null where the classes
    are not stated; rooms are null where none was counted.
    """

    id: str
    name: str
    school_type: SchoolType
    schools: list[SchoolReply]
    street: str
    postcode: str
    city: str
    campus_district: str
    city_district: str
    latitude_deg: float
    longitude_deg: float
    pupils_count: int | None
    classes_count: int | None
    needed_down_bps: int | None
    lan: Coverage
    wlan: Coverage
    lan_rooms: RoomsReply | None
    wlan_rooms: RoomsReply | None
    state: Verdict
    lines: list[LineReply]
    access_points: AccessPointCounts
    open_incidents_count: int
    generated: Generated


class BuildingsReply(Reply):
    """The buildings that pass the filters, in the order asked for."""

    at: Moment
    total_count: int
    matched_count: int
    state_counts: dict[Verdict, int]
    buildings: list[BuildingReply]


class DeviceReply(Reply):
    """A controller or switch; ``up`` null where it was never polled."""

    id: str
    name: str
    kind: str
    model: str
    room: str
    up: bool | None
    polled_at: Moment | None
    uptime_s: float | None
    failure: FailureReason | None
    ports_count: int
    ports_up_count: int
    ports_up_to_100_mbits_count: int
    port_errors_total: int


class MarkReply(Reply):
    """What somebody said of an incident."""

    author: str
    at: Moment
    note: str


class MutedReply(Reply):
    """A maintenance window or silence because of which alarms wait."""

    by: MutedBy
    id: int
    reason: str
    author: str
    until: Moment


class IncidentReply(Reply):
    """An incident; ``ended_at`` null while it is open.

    ``muted`` says why it is not told now, ``acknowledged`` who sees to it; both null
    once it is over. ``marked_false`` stays.
    """

    id: int
    rule: str
    building_id: str
    building_name: str
    where: str
    cause: str
    started_at: Moment
    ended_at: Moment | None
    duration_s: float
    muted: MutedReply | None
    acknowledged: MarkReply | None
    marked_false: MarkReply | None


class MeasurementReply(Reply):
    """The newest record of one series; ``values`` are those of the newest good one."""

    kind: str
    tags: dict[str, str]
    source: str
    measured_at: Moment
    failure: FailureReason | None
    values_at: Moment | None
    values: dict[str, float | None]
    generated: Generated


class BuildingDetailReply(BuildingReply):
    """A building with its devices, incidents and newest measurements.

    ``statements`` are those of the last 24 hours, newest first for each line.
    ``maintenance`` is null where nobody works on the whole building.
    """

    at: Moment
    maintenance: MutedReply | None
    access_point_list: list[AccessPointReply]
    access_point_findings: dict[ApState, int]
    coverage: CoverageReply
    devices: list[DeviceReply]
    incidents: list[IncidentReply]
    measurements: list[MeasurementReply]
    statements: list[StatementReply]
    media: list[MediumReply]


class PointReply(Reply):
    """A time with its measurements; numbers null where all of them failed."""

    at: Moment
    measurements_count: int
    mean: float | None
    low: float | None
    high: float | None
    failures_count: int


class HistoryReply(Reply):
    """A history; a time without any measurement has no point."""

    building_id: str
    line_id: str
    metric: HistoryMetric
    unit: str
    span: Span
    grain: Grain
    first_at: Moment
    last_at: Moment
    generated: Generated
    points: list[PointReply]


class IncidentsReply(Reply):
    """Open incidents and the newest past ones, newest first."""

    at: Moment
    open: list[IncidentReply]
    past: list[IncidentReply]


class SourceReply(Reply):
    """A sender; numbers null before it reported them."""

    name: str
    kind: str
    building_id: str | None
    generated: Generated
    last_seen_at: Moment | None
    silent: bool
    clock_offset_s: float | None
    agent: str
    spool_records_count: int | None
    spool_dropped_total: int | None


class SourcesReply(Reply):
    """All senders by name."""

    at: Moment
    sources: list[SourceReply]


class PartReply(Reply):
    """One part of netmon; ``age_s`` null where it never gave a sign of life."""

    part: Part
    ok: bool
    age_s: float | None
    allowed_s: float | None


class HealthReply(Reply):
    """Whether netmon itself is well, and which part is not."""

    ok: bool
    failing: list[Part]
    parts: list[PartReply]
