"""Access points, one by one and counted: what the alerts stored of plan and report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from dashboards.building_views import ApView
from dashboards.facts import AP_RULE, Facts, Moment, stale_after_ms
from dashboards.views import NO_READING, ApGroup, Reading, Verdict, worst
from netmon.model import AccessPoint
from netmon.storage.records import AlarmState, SeenAccessPoint, StateRow, StateWord
from netmon.wlan_truth import is_free_tag, was_adopted
from netmon.wlan_verdict import ApClass, group_of

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
