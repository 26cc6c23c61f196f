"""What pages and API answers show: plain values, no store, no formatting.

Times are UTC milliseconds, rates bit/s, durations seconds, shares ratios.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from dashboards.covered import RoomsCovered
from netmon.actions import Decided
from netmon.alarm_classes import RuleName
from netmon.line_verdict import (
    LineFacts,
    LineVerdict,
    ReasonCode,
    VerdictClass,
)
from netmon.model import (
    Building,
    FailureReason,
    Line,
    School,
    below_by_contract,
)
from netmon.need import needed_down_bps


class Verdict(StrEnum):
    """What is shown of a state, worst first.

    The alerts decide. Of lines that are OK, ``below_contract`` has a contract that
    is itself below the city's target, ``saturated`` is full of others' traffic:
    neither green nor a fault. ``probe_limited`` is a line of which only its probe
    is known. Access points alone are ``never_seen``, though planned, or
    ``degraded``: there, but of little use to a lesson.
    """

    BAD = "bad"
    NEVER_SEEN = "never_seen"
    DEGRADED = "degraded"
    SUSPECT = "suspect"
    STALE = "stale"
    PROBE_LIMITED = "probe_limited"
    UNKNOWN = "unknown"
    SATURATED = "saturated"
    BELOW_CONTRACT = "below_contract"
    OK = "ok"


_RANK: Mapping[Verdict, int] = {verdict: rank for rank, verdict in enumerate(Verdict)}


def rank(verdict: Verdict) -> int:
    """Return 0 for the worst verdict and more for better ones."""
    return _RANK[verdict]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; STALE where there is nothing to judge."""
    return min(verdicts, key=rank, default=Verdict.STALE)


@dataclass(frozen=True, slots=True)
class Reading:
    """A measured number with its age.

    ``value`` and ``at_ms`` are None where nothing was measured. ``stale`` says
    that the value is older than its kind allows for a statement about now.
    ``generated`` marks made-up data of the demo.
    """

    value: float | None = None
    at_ms: int | None = None
    stale: bool = False
    generated: bool = False


NO_READING = Reading()


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with what was measured on it.

    ``judged`` is the verdict with its reasons, ``verdict`` how it looks, ``facts``
    what it rests on. ``down`` and ``up`` are newest capacities, ``proof`` and
    ``up_proof`` newest lower bounds. ``since_ms`` is None where no alarm rule has a
    state for the verdict.
    ``failure`` is None unless the newest test of the download, or train of echoes,
    has no number.
    """

    line: Line
    verdict: Verdict
    since_ms: int | None
    watched: bool
    judged: LineVerdict
    facts: LineFacts
    down: Reading
    proof: Reading
    up: Reading
    up_proof: Reading
    rtt: Reading
    jitter: Reading
    loss: Reading
    failure: FailureReason | None
    failure_at_ms: int | None

    @property
    def speaks(self) -> bool:
        """Whether the headline says more than the numbers beside it."""
        plain = {VerdictClass.IN_ORDER, VerdictClass.UNKNOWN}
        is_quiet = self.judged.reasons[0].code in {
            ReasonCode.DEMAND,
            ReasonCode.DEMAND_IDLE,
        }
        return self.judged.verdict not in plain or is_quiet

    @property
    def below_by_contract(self) -> bool:
        """Whether the contract itself is below the city's target."""
        return below_by_contract(self.line)


@dataclass(frozen=True, slots=True)
class ApGroup:
    """The access points of a building, counted.

    ``unknown`` counts those without a verdict as well as those that fell silent.
    ``clients`` is the number of devices over all that reported lately.
    """

    verdict: Verdict
    total: int
    planned: int
    counts: Mapping[Verdict, int]
    clients: Reading

    @property
    def ok(self) -> int:
        """How many work."""
        return self.counts.get(Verdict.OK, 0)

    @property
    def down(self) -> int:
        """How many are down."""
        return self.counts.get(Verdict.BAD, 0)

    @property
    def suspect(self) -> int:
        """How many look wrong but are not confirmed."""
        return self.counts.get(Verdict.SUSPECT, 0)

    @property
    def degraded(self) -> int:
        """How many work, but badly."""
        return self.counts.get(Verdict.DEGRADED, 0)

    @property
    def never_seen(self) -> int:
        """How many are planned and never worked yet."""
        return self.counts.get(Verdict.NEVER_SEEN, 0)

    @property
    def unknown(self) -> int:
        """How many nobody knows anything about."""
        known = self.ok + self.down + self.suspect + self.degraded + self.never_seen
        return self.total - known


@dataclass(frozen=True, slots=True)
class BuildingRow:
    """One building; ``verdict`` is that of its worst member.

    ``lan_rooms`` and ``wlan_rooms`` are None where nothing was recorded of them.
    """

    building: Building
    schools: tuple[School, ...]
    lines: tuple[LineView, ...]
    main: LineView | None
    aps: ApGroup
    verdict: Verdict
    open_incidents: int
    lan_rooms: RoomsCovered | None = None
    wlan_rooms: RoomsCovered | None = None

    @property
    def needed_down_bps(self) -> int | None:
        """What the classes and the office need; None where the classes are not stated."""
        return needed_down_bps(self.building)

    @property
    def contract_short(self) -> bool:
        """Whether the contract promises less than what is needed."""
        needed = self.needed_down_bps
        return (
            needed is not None
            and self.main is not None
            and self.main.line.contracted_down_bps < needed
        )

    @property
    def line_verdict(self) -> Verdict:
        """The main line's verdict; STALE where there is no line."""
        return Verdict.STALE if self.main is None else self.main.verdict

    @property
    def generated(self) -> bool:
        """Whether any value shown is made up."""
        readings = [self.aps.clients]
        for view in self.lines:
            readings += [view.down, view.proof, view.up, view.up_proof]
            readings += [view.rtt, view.jitter, view.loss]
        return any(reading.generated for reading in readings)


@dataclass(frozen=True, slots=True)
class City:
    """All buildings and how many are in which state."""

    now_ms: int
    rows: tuple[BuildingRow, ...]

    def counts(self) -> Mapping[Verdict, int]:
        """Return the number of buildings by verdict."""
        return Counter(row.verdict for row in self.rows)

    def line_counts(self) -> Mapping[Verdict, int]:
        """Return the number of main lines by verdict."""
        return Counter(row.line_verdict for row in self.rows)

    def ap_counts(self) -> Mapping[Verdict, int]:
        """Return the number of access points by verdict; silent ones are unknown."""
        return {
            Verdict.BAD: sum(row.aps.down for row in self.rows),
            Verdict.NEVER_SEEN: sum(row.aps.never_seen for row in self.rows),
            Verdict.DEGRADED: sum(row.aps.degraded for row in self.rows),
            Verdict.SUSPECT: sum(row.aps.suspect for row in self.rows),
            Verdict.UNKNOWN: sum(row.aps.unknown for row in self.rows),
            Verdict.OK: sum(row.aps.ok for row in self.rows),
        }


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident in words; ``cause`` is a whole sentence.

    ``severity`` and ``campus_district`` are empty where they are not known. ``notes`` tell in words what people ``decided`` about it.
    """

    id: int
    rule: str
    building_id: str
    building_name: str
    where: str
    cause: str
    started_ms: int
    ended_ms: int | None
    decided: Decided
    notes: tuple[str, ...]
    severity: str = ""
    campus_district: str = ""

    @property
    def is_known(self) -> bool:
        """Whether this is known and planned for, and nobody can mend it by a repair."""
        return self.rule == RuleName.BELOW_BY_CONTRACT

    @property
    def look(self) -> Verdict:
        """How it looks while it is open."""
        return Verdict.BELOW_CONTRACT if self.is_known else Verdict.BAD
