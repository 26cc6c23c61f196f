"""What the page of one building and of senders shows: plain values, as in `views`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashboards.views import (
    NO_READING,
    BuildingRow,
    IncidentView,
    Reading,
    Verdict,
    rank,
)
from netmon.actions import Muted
from netmon.coverage import BuildingCoverage, RoomCoverage
from netmon.line_verdict import (
    Statement,
)
from netmon.medium import Finding, MediumState
from netmon.model import (
    AccessPoint,
    FailureReason,
)
from netmon.storage.records import Latest, SeenAccessPoint
from netmon.wlan_truth import ApState, ApTruth


@dataclass(frozen=True, slots=True)
class ApFinding:
    """What plan, controller and switch together say of an access point, in words."""

    truth: ApTruth
    look: Verdict
    state: str
    trail: str
    port: str


@dataclass(frozen=True, slots=True)
class FigureView:
    """LAN or WLAN of a building, measured beside declared, in words."""

    verdict: str
    figure: str
    contradicts: bool


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room with its sockets and access points in words."""

    known: RoomCoverage
    lan: str
    wlan: str


@dataclass(frozen=True, slots=True)
class CoverageView:
    """The coverage of a building, measured, with its rooms."""

    known: BuildingCoverage
    lan: FigureView
    wlan: FigureView
    rooms: tuple[RoomView, ...]


@dataclass(frozen=True, slots=True)
class ApView:
    """An access point: planned, reported, or both."""

    id: str
    name: str
    room: str
    model: str
    verdict: Verdict
    since_ms: int | None
    planned: AccessPoint | None
    seen: SeenAccessPoint | None
    stale: bool


@dataclass(frozen=True, slots=True)
class RadioView:
    """A radio of an access point, newest values; None where not reported."""

    radio: str
    channel: Reading
    utilisation: Reading
    clients: Reading
    noise: Reading
    band: Reading = NO_READING
    width: Reading = NO_READING
    power: Reading = NO_READING
    retries: Reading = NO_READING
    is_on: bool | None = None


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A polled device with its ports counted.

    ``up`` is None where the device was never polled. ``slow_ports`` counts the
    ports that are up at 100 Mbit/s or less.
    """

    id: str
    name: str
    kind: str
    model: str
    room: str
    up: Reading
    uptime: Reading
    failure: FailureReason | None
    ports: int
    ports_up: int
    slow_ports: int
    port_errors: int
    ports_reading: Reading


@dataclass(frozen=True, slots=True)
class MediumValue:
    """One number with its name and as a person reads it."""

    metric: str
    label: str
    text: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class MediumPart:
    """What one device tells of one port, pair or radio.

    ``limits`` are the module's own. ``failure`` is None unless the newest poll
    brought no number.
    """

    kind: str
    device: str
    where: str
    values: tuple[MediumValue, ...]
    limits: tuple[MediumValue, ...]
    at_ms: int | None
    stale: bool
    generated: bool
    failure: FailureReason | None
    failure_at_ms: int | None


@dataclass(frozen=True, slots=True)
class MediumView:
    """The medium of a line: findings and values."""

    state: MediumState
    look: Verdict
    findings: tuple[str, ...]
    raw_findings: tuple[Finding, ...]
    parts: tuple[MediumPart, ...]


@dataclass(frozen=True, slots=True)
class BuildingPage:
    """Everything known about one building.

    ``media`` are the lines' own, ``statements`` what tests and windows said
    lately, newest first; both by line. ``findings`` are by access point.
    ``maintenance`` are the words of ``muted``: somebody works on all of it.
    """

    now_ms: int
    row: BuildingRow
    access_points: tuple[ApView, ...]
    radios: Mapping[str, tuple[RadioView, ...]]
    devices: tuple[DeviceView, ...]
    incidents: tuple[IncidentView, ...]
    measurements: tuple[Latest, ...]
    coverage: CoverageView
    findings: Mapping[str, ApFinding]
    finding_counts: Mapping[ApState, int]
    media: Mapping[str, MediumView] = field(default_factory=dict)
    statements: Mapping[str, tuple[Statement, ...]] = field(default_factory=dict)
    muted: Muted | None = None
    maintenance: str = ""
    latest: Sequence[Latest] = ()

    @property
    def wlan_look(self) -> Verdict:
        """The alarms' word about the access points, or what was found if that is worse.

        A finding alone makes nothing bad: that is for the alarms to say.
        """
        looks = {found.look for found in self.findings.values()}
        if Verdict.BAD in looks:
            looks = looks - {Verdict.BAD} | {Verdict.SUSPECT}
        return min([self.row.aps.verdict, *looks], key=rank)

    def radios_of(self, ap: ApView) -> tuple[RadioView, ...]:
        """Return the radios of an access point; none before it reported.

        None of one that does not work either: what they said last is not so now.
        """
        found = self.findings.get(ap.id)
        if ap.seen is None or (found is not None and found.truth.works is False):
            return ()
        return self.radios.get(ap.seen.ap, ())


@dataclass(frozen=True, slots=True)
class SourceView:
    """A sender. All numbers are None before it reported them.

    ``clock_offset_s`` is gateway minus sender. ``silent`` says that the last
    contact is older than a sign of life may be.
    """

    name: str
    kind: str
    building_id: str | None
    building_name: str | None
    generated: bool
    last_seen_ms: int | None
    silent: bool
    clock_offset_s: float | None
    agent: str
    spool_records: Reading
    spool_dropped: Reading
