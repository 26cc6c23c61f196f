"""Incidents as the planner sees them: how grave, for whom, and whether by now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from alerts.classes import Audience, Delivery, Severity
from alerts.evidence import readable
from alerts.notify.decided import Decisions
from alerts.notify.facts import Case, Readiness
from alerts.rule_settings import EffectiveRules
from alerts.rules import LINE_DOWN, NO_DATA, RULES, line_of
from netmon.model import Inventory, Line
from netmon.storage.records import Incident, ThreadMember

# Rules that say that nothing comes of a line.
_LOSS = frozenset({LINE_DOWN, NO_DATA})


class Hours(Protocol):
    """When there are lessons; `netmon.calendars.Calendars` knows."""

    def in_lessons(self, building_id: str, now_ms: int) -> bool:
        """Say whether a building has lessons; the city where the id is empty."""

    def next_digest_ms(self, now_ms: int) -> int:
        """Return the next school morning after a moment."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a rule is told in one place."""

    severity: Severity = Severity.MAJOR
    delivery: Delivery = Delivery.LESSONS
    audiences: tuple[Audience, ...] = (Audience.SERVICE, Audience.DISTRICT)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What cases are judged by.

    ``decided_at`` returns what people had decided at another moment.
    """

    inventory: Inventory
    hours: Hours
    decisions: Decisions
    decided_at: Callable[[int], Decisions]
    rules: EffectiveRules
    outside_lessons: str

    def manner(self, rule: str, building_id: str, target: str) -> Manner:
        """Return how a rule is told there; of a rule that is gone, the usual."""
        found = RULES.get(rule)
        if found is None:
            return Manner()
        line = self.inventory.line_by_id.get(line_of(target))
        counts = self.rules.of(found, building_id, line)
        return Manner(counts.severity, counts.delivery, counts.audiences)

    def place_of(self, building_id: str, target: str) -> str:
        """Return the building, or the target of what stands in none."""
        return building_id or target

    def district_of(self, building_id: str) -> str:
        """Return the Campusbezirk of a building; empty where there is none."""
        building = self.inventory.building_by_id.get(building_id)
        return "" if building is None else building.campus_district


def cases_of(
    untold: Iterable[Incident],
    told: Iterable[ThreadMember],
    around: Surroundings,
    now_ms: int,
) -> list[Case]:
    """Return the open incidents nobody was told of; those of no building known left out.

    Such a building has left the inventory, and its incidents end in a moment.
    """
    pending = [
        incident
        for incident in untold
        if not incident.building_id
        or incident.building_id in around.inventory.building_by_id
    ]
    judge = _Judge(around, now_ms)
    began = _lost(pending, told, around.inventory)
    segments = _Segments(around.inventory)
    return [
        judge.case(incident, began.get(incident.building_id), segments)
        for incident in pending
    ]


class _Judge:
    """Answers that hold for this moment, each asked once."""

    def __init__(self, around: Surroundings, now_ms: int) -> None:
        self._around = around
        self._now_ms = now_ms
        self._lessons: dict[str, bool] = {}

    def in_lessons(self, building_id: str) -> bool:
        if building_id not in self._lessons:
            hours = self._around.hours
            self._lessons[building_id] = hours.in_lessons(building_id, self._now_ms)
        return self._lessons[building_id]

    def waits(self, manner: Manner, building_id: str) -> bool:
        """Say whether it is not the hour for it."""
        if manner.delivery is Delivery.DIGEST:
            return True
        return (
            manner.delivery is Delivery.LESSONS
            and self._around.outside_lessons == "digest"
            and not self.in_lessons(building_id)
        )

    def case(
        self, incident: Incident, lost_ms: int | None, segments: _Segments
    ) -> Case:
        around = self._around
        manner = around.manner(incident.rule, incident.building_id, incident.target)
        readiness = Readiness.DUE
        if self.waits(manner, incident.building_id):
            readiness = Readiness.HOURS
        until_ms = around.decisions.muted_until_ms(incident, manner.severity)
        if until_ms is not None:
            readiness = Readiness.MUTED
        lost = lost_ms is not None and incident.rule in _LOSS
        return Case(
            id=incident.id,
            rule=incident.rule,
            place=around.place_of(incident.building_id, incident.target),
            district=around.district_of(incident.building_id),
            severity=manner.severity,
            audiences=manner.audiences,
            readiness=readiness,
            segments=segments.of(incident.building_id) if lost else (),
            began_ms=lost_ms if lost_ms is not None and lost else incident.started_ms,
            started_ms=incident.started_ms,
            until_ms=until_ms,
        )


def is_ready(member: ThreadMember, around: Surroundings, now_ms: int) -> bool:
    """Say whether an open member might be told of now, were it new."""
    manner = around.manner(member.rule, member.building_id, member.target)
    if _Judge(around, now_ms).waits(manner, member.building_id):
        return False
    incident = Incident(
        id=member.incident_id,
        rule=member.rule,
        target=member.target,
        building_id=member.building_id,
        started_ms=member.started_ms,
        ended_ms=None,
        evidence=b"",
    )
    return around.decisions.muted_until_ms(incident, manner.severity) is None


def _lost(
    pending: Iterable[Incident], told: Iterable[ThreadMember], inventory: Inventory
) -> dict[str, int]:
    """Return the buildings that have lost all lines, and since when.

    That its main line is down is proof enough; of silence all lines must show it.
    """
    silent: dict[str, set[str]] = defaultdict(set)
    proven: set[str] = set()
    began: dict[str, int] = {}
    for incident in pending:
        if incident.rule in _LOSS:
            seen = readable(incident.evidence)
            since_ms = incident.started_ms if seen is None else seen.since_ms
            place = incident.building_id
            began[place] = max(since_ms, began.get(place, since_ms))
            silent[place].add(line_of(incident.target))
            if incident.rule == LINE_DOWN:
                proven.add(place)
    for member in told:
        if member.rule in _LOSS and member.ended_ms is None:
            silent[member.building_id].add(line_of(member.target))
    return {
        place: began_ms
        for place, began_ms in began.items()
        if place in proven
        or silent[place].issuperset(x.id for x in inventory.lines_of.get(place, ()))
    }


class _Segments:
    """The shared segments of buildings, the narrowest first."""

    def __init__(self, inventory: Inventory) -> None:
        self._lines = inventory.lines_of
        self._found: dict[str, tuple[str, ...]] = {}
        self._sizes: Mapping[str, int] | None = None

    def of(self, building_id: str) -> tuple[str, ...]:
        if self._sizes is None:
            self._sizes = segment_sizes(self._lines)
        if building_id not in self._found:
            sizes = self._sizes
            names = {s for x in self._lines.get(building_id, ()) for s in x.segments}
            self._found[building_id] = tuple(
                sorted(names, key=lambda name: (sizes[name], name))
            )
        return self._found[building_id]


def segment_sizes(lines_of: Mapping[str, tuple[Line, ...]]) -> Mapping[str, int]:
    """Return how many buildings are behind each segment."""
    return Counter(
        name
        for lines in lines_of.values()
        for name in {segment for line in lines for segment in line.segments}
    )
