"""What the JSON API answers: typed, units in the names, times in UTC."""

from __future__ import annotations

from datetime import date

from pydantic import ConfigDict

from dashboards.health import Part
from dashboards.history import Grain, HistoryMetric, Span
from dashboards.schema_base import Generated, Moment, Reply, Stale
from dashboards.views import Verdict
from dashboards.wlan_schemas import AccessPointCounts, AccessPointReply, CoverageReply
from netmon.actions import MutedBy
from netmon.line_verdict import ReasonCode, VerdictClass, Worth
from netmon.medium import MediumState
from netmon.model import (
    ConnectionClass,
    Coverage,
    FailureReason,
    LineRole,
    SchoolType,
    Technology,
)
from netmon.path import Fault, Segment
from netmon.wlan_truth import ApState


class RateReading(Reply):
    """A measured rate; null where nothing was measured."""

    rate_bps: float | None
    measured_at: Moment | None
    stale: Stale
    generated: Generated


class DurationReading(Reply):
    """A measured duration; null where nothing was measured."""

    duration_s: float | None
    measured_at: Moment | None
    stale: Stale
    generated: Generated


class RatioReading(Reply):
    """A measured share from 0 to 1; null where nothing was measured."""

    ratio: float | None
    measured_at: Moment | None
    stale: Stale
    generated: Generated


class LineFailure(Reply):
    """Why the newest measurement has no number."""

    reason: FailureReason
    text: str
    at: Moment | None


class ReasonReply(Reply):
    """Why a line has its verdict; ``numbers`` end in their unit.

    ``at`` is when it was measured or began, ``finding`` the code of what was
    noticed at the line's own medium, with its numbers, ``segment`` the guilty one
    of the way to the internet, ``fault`` what is wrong with it.
    """

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "code": "below_medium",
                    "text": "62 von 100 Mbit/s: DSL-Synchronisation auf 67 gefallen",
                    "numbers": {"rate_bps": 62e6, "contracted_bps": 100e6},
                    "at": "2026-11-20T07:08:00.000Z",
                    "method": None,
                    "finding": "dsl_rate_fell",
                    "finding_numbers": {"rate_bps": 67e6, "typical_bps": 109e6},
                    "failure": None,
                    "segment": None,
                    "fault": None,
                },
                {
                    "code": "at_least",
                    "text": "Mindestens 104 Mbit/s nachgewiesen, vor 12 Min., Kurztest",
                    "numbers": {"at_least_bps": 104e6},
                    "at": "2026-11-20T07:00:00.000Z",
                    "method": "tcp-floor/2",
                    "finding": None,
                    "finding_numbers": {},
                    "failure": None,
                    "segment": None,
                    "fault": None,
                },
            ]
        },
    )

    code: ReasonCode
    text: str
    numbers: dict[str, float]
    at: Moment | None
    method: str | None
    finding: str | None
    finding_numbers: dict[str, float]
    failure: FailureReason | None
    segment: Segment | None
    fault: Fault | None


class LineReply(Reply):
    """A line: what the contract says and what was measured.

    ``verdict`` is the one verdict on the line, ``state`` how it ranks among all
    states; the first reason is the headline. ``download`` and ``upload`` are the
    newest capacities, the ``..._at_least`` newest lower bounds.
    """

    id: str
    role: LineRole
    technology: Technology
    connection_class: ConnectionClass
    provider: str
    contracted_down_bps: int
    contracted_up_bps: int
    below_target_by_contract: bool
    checked_on: date | None
    fibre_planned_on: date | None
    state: Verdict
    state_since: Moment | None
    verdict: VerdictClass
    headline: str
    reasons: list[ReasonReply]
    download: RateReading
    download_at_least: RateReading
    upload: RateReading
    upload_at_least: RateReading
    round_trip: DurationReading
    jitter: DurationReading
    loss: RatioReading
    failure: LineFailure | None


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


class StatementReply(Reply):
    """What one test or passive window said of one direction of a line.

    ``values`` are named as in the catalogue of quantities less the direction;
    which it has says what it is ``worth``.
    """

    line_id: str
    at: Moment
    worth: Worth
    direction: str | None
    method: str
    basis: str | None
    purpose: str | None
    failure: FailureReason | None
    values: dict[str, float]
    generated: Generated


class MediumFinding(Reply):
    """Something noticed at a line's own medium; ``numbers`` end in their unit."""

    code: str
    state: MediumState
    text: str
    where: str
    numbers: dict[str, float]


class MediumPartReply(Reply):
    """What a device told of one port, pair or radio; metrics end in their unit."""

    kind: str
    device: str
    where: str
    measured_at: Moment | None
    stale: Stale
    generated: Generated
    failure: FailureReason | None
    values: dict[str, float | None]


class MediumReply(Reply):
    """The medium of a line: DSL, light or radio, as its device tells it."""

    line_id: str
    state: MediumState
    findings: list[MediumFinding]
    parts: list[MediumPartReply]


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
