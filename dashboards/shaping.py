"""From stored records to views: pure functions that are given the time.

No threshold lives here. The verdict of a line is that of `netmon.line_verdict`
on what the alerts stored; an OK whose newest statement is older than the alerts'
own ``no_data_after_s`` is not shown as green.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from dashboards.covered import Covered
from dashboards.views import (
    NO_READING,
    ApGroup,
    ApView,
    BuildingRow,
    City,
    LineView,
    Reading,
    Verdict,
    worst,
)
from netmon.line_verdict import (
    LineAlarms,
    Statement,
    VerdictClass,
    gather_facts,
    judge_line,
)
from netmon.medium import MediumHealth
from netmon.metrics import KINDS, MEDIUM_KINDS
from netmon.model import AccessPoint, Building, Inventory, Line, LineRole
from netmon.path import Verdict as PathVerdict
from netmon.storage.records import (
    AlarmState,
    Incident,
    Latest,
    SeenAccessPoint,
    StateRow,
    StateWord,
)
from netmon.wlan_truth import is_free_tag, was_adopted
from netmon.wlan_verdict import ApClass, group_of

LINE_RULE = "line_below_target"
NO_DATA_RULE = "no_data"
LINE_DOWN_RULE = "line_down"
AP_RULE = "ap_down"
DEGRADED_RULE = "ap_degraded"
# What `StateRow.held_by` begins with where a target was never in order.
NEVER_SEEN = "never_seen"
_AP = "ap:"

_AP_CLASS: Mapping[Verdict, ApClass] = {
    Verdict.BAD: ApClass.DOWN,
    Verdict.NEVER_SEEN: ApClass.NEVER_SEEN,
    Verdict.DEGRADED: ApClass.DEGRADED,
    Verdict.SUSPECT: ApClass.IN_ORDER,
    Verdict.STALE: ApClass.UNKNOWN,
    Verdict.UNKNOWN: ApClass.UNKNOWN,
    Verdict.OK: ApClass.IN_ORDER,
}

States = Mapping[tuple[str, str], StateRow]
_SILENT = (AlarmState.BAD, AlarmState.STALE)


def stale_after_ms(kind: str) -> int:
    """Return how long a value of the kind says something about now."""
    return round(KINDS[kind].stale_after_s * 1000)


@dataclass(frozen=True)
class Moment:
    """Now, and the age from which an OK is no longer believed."""

    now_ms: int
    no_data_after_s: float

    @cached_property
    def oldest_ms(self) -> int:
        """The time before which a value is too old to stand for now."""
        return self.now_ms - round(self.no_data_after_s * 1000)

    def is_stale(self, kind: str, at_ms: int) -> bool:
        """Say whether a value of that time is too old for its kind."""
        return self.now_ms - at_ms > stale_after_ms(kind)


@dataclass(frozen=True)
class Facts:
    """What was read of the store, for one building or for all.

    ``ap_words`` are the states of access points by target, ``ap_poor`` the targets
    of those that work badly: enough to count them. ``aps_well`` are the others,
    which are in order.
    ``media``, ``recorded`` (further statements) and ``blamed`` (segments of the
    way) are by line, ``covered`` (rooms) by building; all may lack some.
    """

    states: States
    by_line: Mapping[str, Mapping[str, Sequence[Latest]]]
    seen: Mapping[str, Sequence[SeenAccessPoint]]
    open_incidents: Mapping[str, int]
    media: Mapping[str, MediumHealth] = field(default_factory=dict)
    recorded: Mapping[str, Sequence[Statement]] = field(default_factory=dict)
    blamed: Mapping[str, PathVerdict] = field(default_factory=dict)
    covered: Covered = field(default_factory=dict)
    ap_words: Mapping[str, StateRow | StateWord] = field(default_factory=dict)
    ap_poor: frozenset[str] = frozenset()

    @cached_property
    def aps_well(self) -> frozenset[str]:
        """The targets of access points of which the rules say nothing bad."""
        return frozenset(
            target
            for target, word in self.ap_words.items()
            if word.state is AlarmState.OK
            and not word.held_by
            and target not in self.ap_poor
        )


def poor_targets(words: Mapping[str, StateRow | StateWord]) -> frozenset[str]:
    """Return which access points work badly, of what the rule about that holds."""
    return frozenset(
        target for target, word in words.items() if word.state is AlarmState.BAD
    )


def gather(
    states: Iterable[StateRow],
    latest: Iterable[Latest],
    seen: Iterable[SeenAccessPoint],
    incidents: Iterable[Incident],
    *,
    media: Mapping[str, MediumHealth] | None = None,
    recorded: Mapping[str, Sequence[Statement]] | None = None,
    blamed: Mapping[str, PathVerdict] | None = None,
) -> Facts:
    """Return the records grouped by what they are about."""
    by_line: dict[str, dict[str, list[Latest]]] = defaultdict(lambda: defaultdict(list))
    for item in latest:
        line_id = item.series.tags.get("line")
        if line_id is not None:
            by_line[line_id][item.series.kind].append(item)
    by_building: dict[str, list[SeenAccessPoint]] = defaultdict(list)
    for ap in seen:
        by_building[ap.building_id].append(ap)
    by_target = {(row.rule, row.target): row for row in states}
    return Facts(
        states=by_target,
        ap_words={x.target: x for x in by_target.values() if x.rule == AP_RULE},
        ap_poor=poor_targets(
            {x.target: x for x in by_target.values() if x.rule == DEGRADED_RULE}
        ),
        by_line=by_line,
        seen=by_building,
        open_incidents=Counter(
            incident.building_id for incident in incidents if incident.ended_ms is None
        ),
        media=media or {},
        recorded=recorded or {},
        blamed=blamed or {},
    )


def newest(items: Iterable[Latest], metric: str, moment: Moment) -> Reading:
    """Return the newest number of a metric over several series."""
    best: Latest | None = None
    for item in items:
        if item.values.get(metric) is None or item.ok_ts_ms is None:
            continue
        if best is None or best.ok_ts_ms is None or item.ok_ts_ms > best.ok_ts_ms:
            best = item
    if best is None or best.ok_ts_ms is None:
        return NO_READING
    return Reading(
        value=best.values[metric],
        at_ms=best.ok_ts_ms,
        stale=moment.is_stale(best.series.kind, best.ok_ts_ms),
        generated=best.series.generated,
    )


def newest_failure(items: Iterable[Latest]) -> Latest | None:
    """Return the newest record if it failed, else None."""
    last = max(items, key=lambda item: item.ts_ms, default=None)
    return last if last is not None and last.failure is not None else None


# How a verdict on a line looks among those of other things.
LOOKS: Mapping[VerdictClass, Verdict] = {
    VerdictClass.IN_ORDER: Verdict.OK,
    VerdictClass.BELOW_TARGET: Verdict.BAD,
    VerdictClass.SATURATED: Verdict.SATURATED,
    VerdictClass.BELOW_BY_CONTRACT: Verdict.BELOW_CONTRACT,
    VerdictClass.NOT_MEASURED: Verdict.STALE,
    VerdictClass.PROBE_LIMITED: Verdict.PROBE_LIMITED,
    VerdictClass.SUSPECT: Verdict.SUSPECT,
    VerdictClass.UNKNOWN: Verdict.UNKNOWN,
}


def _alarms(
    rule: StateRow | None, no_data: StateRow | None, down: StateRow | None
) -> LineAlarms:
    return LineAlarms(
        below_target=None if rule is None else rule.state,
        no_data=None if no_data is None else no_data.state,
        line_down=None if down is None else down.state,
        incident_open=rule is not None and rule.incident_id is not None,
    )


# Verdicts that are a state of the rule, and so have a beginning.
_STATES = {
    Verdict.BAD: AlarmState.BAD,
    Verdict.SUSPECT: AlarmState.SUSPECT,
    Verdict.STALE: AlarmState.STALE,
    Verdict.UNKNOWN: AlarmState.UNKNOWN,
    Verdict.BELOW_CONTRACT: AlarmState.OK,
    Verdict.OK: AlarmState.OK,
}


def _since_ms(
    verdict: Verdict, rule: StateRow | None, *silence: StateRow | None
) -> int | None:
    """Return since when a line is so; None where no rule has a state for it."""
    if verdict is Verdict.STALE:
        silent = (row for row in silence if row is not None and row.state in _SILENT)
        if (row := next(silent, None)) is not None:
            return row.since_ms
    if rule is None or rule.state is not _STATES.get(verdict):
        return None
    return rule.since_ms


def _said(statement: Statement | None, moment: Moment) -> Reading:
    """Return the rate or lower bound of a statement."""
    if statement is None:
        return NO_READING
    return Reading(
        value=statement.shown_bps,
        at_ms=statement.at_ms,
        stale=moment.is_stale("throughput", statement.at_ms),
        generated=statement.generated,
    )


def line_view(line: Line, facts: Facts, moment: Moment) -> LineView:
    """Return a line with its newest values and its verdict."""
    target = f"line:{line.id}"
    rule = facts.states.get((LINE_RULE, target))
    no_data = facts.states.get((NO_DATA_RULE, target))
    down = facts.states.get((LINE_DOWN_RULE, target))
    kinds = facts.by_line.get(line.id, {})
    latency = kinds.get("latency", ())
    measured = gather_facts(
        line,
        chain.from_iterable(kinds.values()),
        moment.now_ms,
        facts.recorded.get(line.id, ()),
        facts.blamed.get(line.id),
    )
    judged = judge_line(
        line,
        _alarms(rule, no_data, down),
        measured,
        facts.media.get(line.id),
        moment.now_ms,
        valid_s=moment.no_data_after_s,
    )
    verdict = LOOKS[judged.verdict]
    failed, echoes = measured.failed, newest_failure(latency)
    return LineView(
        line=line,
        verdict=verdict,
        since_ms=_since_ms(verdict, rule, down, no_data),
        watched=rule is not None
        or no_data is not None
        # What its modem tells is no measurement of the line.
        or bool(kinds.keys() - set(MEDIUM_KINDS)),
        judged=judged,
        facts=measured,
        down=_said(measured.capacity, moment),
        proof=_said(measured.proof, moment),
        up=_said(measured.up, moment),
        up_proof=_said(measured.up_proof, moment),
        rtt=newest(latency, "rtt_s", moment),
        jitter=newest(latency, "jitter_s", moment),
        loss=newest(latency, "loss_ratio", moment),
        failure=failed.failure if failed else echoes.failure if echoes else None,
        failure_at_ms=failed.at_ms if failed else echoes.ts_ms if echoes else None,
    )


# The same words; looked up instead of made anew, thousands of times a page.
_AP_LOOKS = {state: Verdict(state.value) for state in AlarmState}


def ap_verdict(
    state: StateRow | StateWord | None,
    seen: SeenAccessPoint | None,
    moment: Moment,
    *,
    is_poor: bool = False,
) -> Verdict:
    """Return what to show of an access point; one that never reported is unknown.

    ``is_poor`` is what the rule about those that work badly says of it. Of what
    something else explains (its controller or line is down) nothing is known.
    """
    if state is None:
        return Verdict.UNKNOWN
    if state.held_by:
        never = state.held_by.startswith(NEVER_SEEN)
        return Verdict.NEVER_SEEN if never else Verdict.UNKNOWN
    if state.state is not AlarmState.OK:
        return _AP_LOOKS[state.state]
    if seen is None:
        return Verdict.UNKNOWN
    if seen.last_seen_ms < moment.oldest_ms:
        return Verdict.STALE
    return Verdict.DEGRADED if is_poor else Verdict.OK


def match_access_points(
    planned: Iterable[AccessPoint], seen: Iterable[SeenAccessPoint]
) -> list[tuple[AccessPoint | None, SeenAccessPoint | None]]:
    """Return pairs of plan and report; the collectors report under the planned id.

    One that was planned once and is so no more has left the list by a decision, as
    has what somebody has planned since.
    """
    left = {ap.ap: ap for ap in seen}
    pairs = [(plan, left.pop(plan.id, None)) for plan in planned]
    if not left:
        return list(pairs)
    told = [(plan, None if ap is None else ap.last_seen_ms) for plan, ap in pairs]
    strangers = [
        ap
        for ap in left.values()
        if is_free_tag(ap.ap)
        and not was_adopted(ap.name, ap.serial, ap.last_seen_ms, told)
    ]
    return [*pairs, *((None, ap) for ap in strangers)]


def _ap_target(plan: AccessPoint | None, seen: SeenAccessPoint | None) -> str:
    ap = plan.id if plan is not None else seen.ap if seen is not None else ""
    return f"{_AP}{ap}"


def ap_group(
    planned: Sequence[AccessPoint], facts: Facts, building_id: str, moment: Moment
) -> ApGroup:
    """Return the access points of a building, counted."""
    reported = facts.seen.get(building_id, ())
    pairs = match_access_points(planned, reported)
    well, oldest_ms = facts.aps_well, moment.oldest_ms
    # Nearly all are in order, and thousands are counted on a page: only the others
    # are looked at closely.
    odd = [
        (plan, seen)
        for plan, seen in pairs
        if seen is None
        or f"{_AP}{seen.ap}" not in well
        or seen.last_seen_ms < oldest_ms
    ]
    found = Counter(
        ap_verdict(
            facts.ap_words.get(target := _ap_target(plan, seen)),
            seen,
            moment,
            is_poor=target in facts.ap_poor,
        )
        for plan, seen in odd
    )
    found[Verdict.OK] += len(pairs) - len(odd)
    counts = {v: n for v in Verdict if (n := found[v])}
    verdict = _of_group(counts)
    if not reported and verdict is Verdict.UNKNOWN:
        verdict = Verdict.STALE
    return ApGroup(
        verdict=verdict,
        total=len(pairs),
        planned=len(planned),
        counts=counts,
        clients=_clients(reported, moment),
    )


def _of_group(counts: Mapping[Verdict, int]) -> Verdict:
    """Return the verdict of a building's access points: a share decides.

    "3 of 24" is a building in which WLAN works, not one without.
    """
    classes: Counter[ApClass] = Counter()
    for look, count in counts.items():
        classes[_AP_CLASS[look]] += count
    group = group_of(classes)
    if group.verdict is None or group.verdict is ApClass.IN_ORDER:
        return worst(counts)
    if group.verdict is ApClass.UNKNOWN:
        return Verdict.UNKNOWN
    return Verdict.BAD if group.verdict is ApClass.DOWN else Verdict.DEGRADED


def _clients(reported: Sequence[SeenAccessPoint], moment: Moment) -> Reading:
    """Return the sum of clients over access points that reported together.

    One that vanished from its controller last week must not add the clients it
    had then.
    """
    counted = [ap for ap in reported if ap.clients_count is not None]
    if not counted:
        return NO_READING
    last_ms = max([ap.last_seen_ms for ap in counted])
    fresh_ms = last_ms - stale_after_ms("wlan_ap")
    counted = [ap for ap in counted if ap.last_seen_ms >= fresh_ms]
    return Reading(
        value=float(sum([ap.clients_count or 0 for ap in counted])),
        at_ms=last_ms,
        stale=moment.is_stale("wlan_ap", last_ms),
        generated=True in [ap.generated for ap in counted],
    )


def ap_views(
    planned: Sequence[AccessPoint],
    facts: Facts,
    building_id: str,
    rooms: Mapping[str, str],
    moment: Moment,
) -> tuple[ApView, ...]:
    """Return the access points one by one; ``rooms`` maps room ids to names."""
    views = []
    reported = facts.seen.get(building_id, ())
    for plan, seen in match_access_points(planned, reported):
        target = _ap_target(plan, seen)
        state = facts.states.get((AP_RULE, target))
        views.append(
            ApView(
                id=plan.id if plan else seen.ap if seen else "",
                name=plan.name if plan else seen.name if seen else "",
                room=rooms.get(plan.room_id, plan.room_id) if plan else "",
                model=(seen and seen.model) or (plan and plan.model) or "",
                verdict=ap_verdict(
                    state, seen, moment, is_poor=target in facts.ap_poor
                ),
                since_ms=None if state is None else state.since_ms,
                planned=plan,
                seen=seen,
                stale=seen is not None
                and moment.is_stale("wlan_ap", seen.last_seen_ms),
            )
        )
    return tuple(views)


def building_row(
    building: Building, inventory: Inventory, facts: Facts, moment: Moment
) -> BuildingRow:
    """Return one building; its worst member decides its verdict.

    A backup line that nobody watches is no member, nor is a WLAN without any
    access point.
    """
    lines = tuple(
        line_view(line, facts, moment) for line in inventory.lines_of[building.id]
    )
    main = next((view for view in lines if view.line.role is LineRole.MAIN), None)
    planned = inventory.access_points_of[building.id]
    aps = ap_group(planned, facts, building.id, moment)
    members = [Verdict.STALE if main is None else main.verdict]
    members += [view.verdict for view in lines if view is not main and view.watched]
    if aps.total:
        members.append(aps.verdict)
    return BuildingRow(
        building=building,
        schools=inventory.schools_of[building.id],
        lines=lines,
        main=main,
        aps=aps,
        verdict=worst(members),
        open_incidents=facts.open_incidents.get(building.id, 0),
        lan_rooms=facts.covered.get((building.id, "lan")),
        wlan_rooms=facts.covered.get((building.id, "wlan")),
    )


def city(inventory: Inventory, facts: Facts, moment: Moment) -> City:
    """Return all buildings in the inventory's order."""
    rows = tuple(
        building_row(building, inventory, facts, moment)
        for building in inventory.buildings
    )
    return City(now_ms=moment.now_ms, rows=rows)
