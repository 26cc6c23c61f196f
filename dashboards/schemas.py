"""What the JSON API answers: typed, units in the names, times in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from dashboards.health import Part
from dashboards.history import Grain, HistoryMetric, Span
from dashboards.views import Verdict
from netmon.line_verdict import ReasonCode, VerdictClass, Worth
from netmon.medium import MediumState
from netmon.model import (
    ConnectionClass,
    Coverage,
    FailureReason,
    LineRole,
    SchoolType,
    Survey,
    Technology,
)
from netmon.path import Fault, Segment
from netmon.wlan_truth import ApState, Change, PlaceSource, TrailEnd, UnknownReason


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


Moment = Annotated[
    datetime, PlainSerializer(_iso, return_type=str), Field(description="UTC")
]
Generated = Annotated[
    bool, Field(description="True for made-up data of the demo, never for measured")
]
Stale = Annotated[
    bool, Field(description="The value is too old to say something about now")
]


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True)


class ErrorDetail(_Reply):
    """Why a request failed and what helps; ``retry``: may it succeed later?"""

    code: str
    message: str
    fix: str
    retry: bool = False
    field: str | None = None


class ErrorAnswer(_Reply):
    """The one shape of every error."""

    error: ErrorDetail


class RateReading(_Reply):
    """A measured rate; null where nothing was measured."""

    rate_bps: float | None
    measured_at: Moment | None
    stale: Stale
    generated: Generated


class DurationReading(_Reply):
    """A measured duration; null where nothing was measured."""

    duration_s: float | None
    measured_at: Moment | None
    stale: Stale
    generated: Generated


class RatioReading(_Reply):
    """A measured share from 0 to 1; null where nothing was measured."""

    ratio: float | None
    measured_at: Moment | None
    stale: Stale
    generated: Generated


class LineFailure(_Reply):
    """Why the newest measurement has no number."""

    reason: FailureReason
    text: str
    at: Moment | None


class ReasonReply(_Reply):
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


class LineReply(_Reply):
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


class AccessPointCounts(_Reply):
    """The access points of a building; ``clients_count`` null where unknown."""

    state: Verdict
    total_count: int
    planned_count: int
    ok_count: int
    suspect_count: int
    down_count: int
    unknown_count: int
    clients_count: int | None
    reported_at: Moment | None
    stale: Stale
    generated: Generated


class SchoolReply(_Reply):
    """A school that uses a building."""

    id: str
    name: str
    school_type: SchoolType


class BuildingReply(_Reply):
    """A building; ``state`` is that of its worst member."""

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
    lan: Coverage
    wlan: Coverage
    state: Verdict
    lines: list[LineReply]
    access_points: AccessPointCounts
    open_incidents_count: int
    generated: Generated


class BuildingsReply(_Reply):
    """The buildings that pass the filters, in the order asked for."""

    at: Moment
    total_count: int
    matched_count: int
    state_counts: dict[Verdict, int]
    buildings: list[BuildingReply]


class RadioReply(_Reply):
    """A radio of an access point; null where not reported."""

    radio: str
    channel: int | None
    utilisation_ratio: float | None
    clients_count: int | None
    noise_dbm: float | None
    reported_at: Moment | None


class FindingReply(_Reply):
    """What plan, controller and switch together say of an access point.

    ``end`` is where the trail from the switch to the radio ends, ``change`` by what
    a replaced one was recognised, ``unknown`` why nothing is known, ``other`` which
    access point or device is meant by them. ``port`` is where it is by ``place``;
    values null where the switch does not tell.
    """

    state: ApState
    works: bool | None
    text: str
    trail: str
    end: TrailEnd | None
    change: Change | None
    unknown: UnknownReason | None
    other: str
    switch_id: str
    port: str
    place: PlaceSource | None
    planned_port: str
    port_up: bool | None
    port_speed_bps: float | None
    uplink_speed_bps: float | None
    poe_on: bool | None
    poe_w: float | None
    radios_on_count: int | None
    silent_days_count: int | None


class AccessPointReply(_Reply):
    """An access point; ``planned`` false: reported, but not in the inventory.

    ``state`` is that of its alarm, ``finding`` what three sources say; null of one
    that is nowhere told any more.
    """

    id: str
    name: str
    room: str
    model: str
    planned: bool
    state: Verdict
    state_since: Moment | None
    clients_count: int | None
    reported_at: Moment | None
    stale: Stale
    generated: Generated
    radios: list[RadioReply]
    finding: FindingReply | None


class DeviceReply(_Reply):
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


class IncidentReply(_Reply):
    """An incident; ``ended_at`` null while it is open."""

    id: int
    rule: str
    building_id: str
    building_name: str
    where: str
    cause: str
    started_at: Moment
    ended_at: Moment | None
    duration_s: float


class MeasurementReply(_Reply):
    """The newest record of one series; ``values`` are those of the newest good one."""

    kind: str
    tags: dict[str, str]
    source: str
    measured_at: Moment
    failure: FailureReason | None
    values_at: Moment | None
    values: dict[str, float | None]
    generated: Generated


class StatementReply(_Reply):
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


class MediumFinding(_Reply):
    """Something noticed at a line's own medium; ``numbers`` end in their unit."""

    code: str
    state: MediumState
    text: str
    where: str
    numbers: dict[str, float]


class MediumPartReply(_Reply):
    """What a device told of one port, pair or radio; metrics end in their unit."""

    kind: str
    device: str
    where: str
    measured_at: Moment | None
    stale: Stale
    generated: Generated
    failure: FailureReason | None
    values: dict[str, float | None]


class MediumReply(_Reply):
    """The medium of a line: DSL, light or radio, as its device tells it."""

    line_id: str
    state: MediumState
    findings: list[MediumFinding]
    parts: list[MediumPartReply]


class CoverageFigure(_Reply):
    """LAN or WLAN of a building: teaching rooms covered, and the class of them.

    Rooms of which nothing is known leave the share between two ends. ``measured``
    is unknown where these are different classes, or no list is there to measure by.
    """

    declared: Coverage
    measured: Coverage
    contradicts: bool
    has_list: bool
    rooms_count: int
    covered_count: int
    unknown_count: int
    low_ratio: float | None
    high_ratio: float | None
    text: str


class RoomReply(_Reply):
    """A room; ``lan`` and ``wlan`` null where that is not known."""

    id: str
    name: str
    floor: str
    teaching: bool
    survey: Survey | None
    lan: bool | None
    sockets_count: int
    live_count: int
    linked_count: int
    unknown_count: int
    wlan: bool | None
    access_points: list[str]
    working_count: int
    working_unknown_count: int


class CoverageReply(_Reply):
    """The coverage of a building as measured, beside what is declared."""

    lan: CoverageFigure
    wlan: CoverageFigure
    rooms: list[RoomReply]


class BuildingDetailReply(BuildingReply):
    """A building with its devices, incidents and newest measurements.

    ``statements`` are those of the last 24 hours, newest first for each line.
    """

    at: Moment
    access_point_list: list[AccessPointReply]
    access_point_findings: dict[ApState, int]
    coverage: CoverageReply
    devices: list[DeviceReply]
    incidents: list[IncidentReply]
    measurements: list[MeasurementReply]
    statements: list[StatementReply]
    media: list[MediumReply]


class PointReply(_Reply):
    """A time with its measurements; numbers null where all of them failed."""

    at: Moment
    measurements_count: int
    mean: float | None
    low: float | None
    high: float | None
    failures_count: int


class HistoryReply(_Reply):
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


class IncidentsReply(_Reply):
    """Open incidents and the newest past ones, newest first."""

    at: Moment
    open: list[IncidentReply]
    past: list[IncidentReply]


class SourceReply(_Reply):
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


class SourcesReply(_Reply):
    """All senders by name."""

    at: Moment
    sources: list[SourceReply]


class PartReply(_Reply):
    """One part of netmon; ``age_s`` null where it never gave a sign of life."""

    part: Part
    ok: bool
    age_s: float | None
    allowed_s: float | None


class HealthReply(_Reply):
    """Whether netmon itself is well, and which part is not."""

    ok: bool
    failing: list[Part]
    parts: list[PartReply]
