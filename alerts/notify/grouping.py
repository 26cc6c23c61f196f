"""Which incidents are told together: building, then Campusbezirk, then cause; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alerts.classes import Severity
from alerts.notify.facts import Case, Known, Party, Readiness, rank
from alerts.order import explains
from netmon.storage.records import ThreadLevel

# More than so many buildings of a Campusbezirk, districts or causes are one thread.
MOST_APART = 3
# More threads than this within a storm window are one thread a cause.
_MOST_THREADS = 4
_SEGMENT = "segment:"


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that open a thread together, oldest first."""

    level: ThreadLevel
    key: str
    cases: tuple[Case, ...]

    @property
    def severity(self) -> Severity:
        """The gravest of its cases."""
        return min((case.severity for case in self.cases), key=rank)


def segment_of(key: str) -> str:
    """Return the segment that a thread's key names; empty where it names none."""
    return key.removeprefix(_SEGMENT) if key.startswith(_SEGMENT) else ""


def lost_together(cases: Sequence[Case], window_ms: int) -> list[Group]:
    """Return the cases of buildings lost at one time behind one segment.

    Two buildings or more; hours do not matter, muting does. Of several segments that
    they share the one with the most of them is named, then the narrowest.
    """
    left = [
        case
        for case in cases
        if case.segments and case.readiness is not Readiness.MUTED
    ]
    groups: list[Group] = []
    while left:
        by_segment: dict[str, list[Case]] = defaultdict(list)
        for case in left:
            for segment in case.segments:
                by_segment[segment].append(case)
        found = {
            segment: _at_one_time(behind, window_ms)
            for segment, behind in by_segment.items()
        }
        # The first of them has its narrowest segment first.
        segment = max(found, key=lambda name: _places(found[name]))
        if _places(found[segment]) < 2:
            break
        groups.append(
            Group(ThreadLevel.CAUSE, _SEGMENT + segment, tuple(found[segment]))
        )
        taken = {case.id for case in found[segment]}
        left = [case for case in left if case.id not in taken]
    return groups


def _at_one_time(cases: Sequence[Case], window_ms: int) -> list[Case]:
    newest_ms = max(case.began_ms for case in cases)
    return [case for case in cases if case.began_ms >= newest_ms - window_ms]


def _places(cases: Iterable[Case]) -> int:
    return len({case.place for case in cases})


class Matcher:
    """Finds the open thread that a case follows.

    A thread takes no more followers once it has been quiet, none that are graver than
    what it told, and none once it is over.
    """

    def __init__(self, known: Known) -> None:
        self._window_ms = known.window_ms
        follow_ms = round(1000 * known.settings.notify.follow_s)
        nearest_first = sorted(known.parties, key=_nearness)
        self._open = [
            (party, places)
            for party in nearest_first
            if party.level is not ThreadLevel.DIGEST
            and known.now_ms <= party.memory.joined_ms + follow_ms
            # Asked for every case of a storm, so gathered once.
            and (places := {m.place for m in party.members if m.ended_ms is None})
        ]

    def party_for(self, case: Case) -> Party | None:
        """Return the thread that a case follows; None where it has its own news.

        A known contract lasts for years and is no fault: it shares no thread with one.
        """
        for party, places in self._open:
            if case.is_known is not party.is_known:
                continue
            if rank(party.memory.severity) <= rank(case.severity) and (
                case.place in places or self._concerns(party, case)
            ):
                return party
        return None

    def _concerns(self, party: Party, case: Case) -> bool:
        if segment := segment_of(party.key):
            apart_ms = abs(case.began_ms - party.memory.began_ms)
            return segment in case.segments and apart_ms <= self._window_ms
        if party.level is ThreadLevel.BUILDING:
            return party.key == case.place
        if party.level is ThreadLevel.DISTRICT:
            return party.key == case.district
        return party.key in {case.rule, ""}


def _nearness(party: Party) -> int:
    order = (ThreadLevel.BUILDING, ThreadLevel.DISTRICT, ThreadLevel.CAUSE)
    if segment_of(party.key) or party.level not in order:
        return -1
    return order.index(party.level)


def grouped(cases: Sequence[Case], known: Known) -> list[Group]:
    """Return the cases in as few threads as a storm needs, and no fewer.

    They are all known contracts, or none of them is.
    """
    recent = [
        party
        for party in known.parties
        if party.level is not ThreadLevel.DIGEST
        and party.opened_ms > known.now_ms - known.window_ms
    ]
    by_place: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_place[case.place].append(case)
    # Those told a moment ago count as well: a storm may come one by one.
    told = {m.place: m.district for party in recent for m in party.members}
    groups = _by_district(by_place, _districts_with(by_place, told, MOST_APART))
    if len(groups) + len(recent) > _MOST_THREADS:
        groups = _by_district(by_place, _districts_with(by_place, {}, 1))
    districts = {case.district for case in cases} | set(told.values())
    spread = len(districts - {""}) > MOST_APART
    if spread or len(groups) + len(recent) > _MOST_THREADS:
        groups = _by_cause(by_place)
    return groups


def _districts_with(
    by_place: Mapping[str, Sequence[Case]], told: Mapping[str, str], most: int
) -> set[str]:
    places: dict[str, set[str]] = defaultdict(set)
    for place, cases in by_place.items():
        places[cases[0].district].add(place)
    for place, district in told.items():
        places[district].add(place)
    return {name for name, found in places.items() if name and len(found) > most}


def _by_district(by_place: Mapping[str, list[Case]], many: set[str]) -> list[Group]:
    found: dict[tuple[ThreadLevel, str], list[Case]] = defaultdict(list)
    for place, cases in by_place.items():
        district = cases[0].district
        if district in many:
            found[ThreadLevel.DISTRICT, district] += cases
        else:
            found[ThreadLevel.BUILDING, place] += cases
    return [Group(level, key, _in_order(found[level, key])) for level, key in found]


def _by_cause(by_place: Mapping[str, list[Case]]) -> list[Group]:
    found: dict[str, list[Case]] = defaultdict(list)
    for cases in by_place.values():
        found[min((case.rule for case in cases), key=explains)] += cases
    if len(found) > MOST_APART:
        found = {"": [case for cases in found.values() for case in cases]}
    return [
        Group(ThreadLevel.CAUSE, rule, _in_order(cases))
        for rule, cases in found.items()
    ]


def _in_order(cases: Iterable[Case]) -> tuple[Case, ...]:
    return tuple(sorted(cases, key=lambda case: case.id))
