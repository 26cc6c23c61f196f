"""What was read of the store, grouped by what it is about; pure, and given the time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dashboards.covered import Covered
from dashboards.views import NO_READING, Reading
from netmon.alarm_classes import RuleName
from netmon.line_verdict import Statement
from netmon.medium import MediumHealth
from netmon.metrics import KINDS
from netmon.path import Verdict as PathVerdict
from netmon.storage.records import (
    AlarmState,
    Incident,
    Latest,
    SeenAccessPoint,
    StateRow,
    StateWord,
)

LINE_RULE = "line_below_target"
NO_DATA_RULE = "no_data"
LINE_DOWN_RULE = "line_down"
AP_RULE = "ap_down"
DEGRADED_RULE = "ap_degraded"

States = Mapping[tuple[str, str], StateRow]


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
    seen: Mapping[str, Sequence[SeenAccessPoint]],
    incidents: Iterable[Incident],
    *,
    media: Mapping[str, MediumHealth] | None = None,
    recorded: Mapping[str, Sequence[Statement]] | None = None,
    blamed: Mapping[str, PathVerdict] | None = None,
) -> Facts:
    """Return the records grouped by what they are about; ``seen`` is by building."""
    by_line: dict[str, dict[str, list[Latest]]] = defaultdict(lambda: defaultdict(list))
    for item in latest:
        line_id = item.series.tags.get("line")
        if line_id is not None:
            by_line[line_id][item.series.kind].append(item)
    by_target = {(row.rule, row.target): row for row in states}
    return Facts(
        states=by_target,
        ap_words={x.target: x for x in by_target.values() if x.rule == AP_RULE},
        ap_poor=poor_targets(
            {x.target: x for x in by_target.values() if x.rule == DEGRADED_RULE}
        ),
        by_line=by_line,
        seen=seen,
        open_incidents=Counter(
            incident.building_id
            for incident in incidents
            if incident.ended_ms is None
            # Known and planned for: counted by its verdict, and nothing to mend.
            and incident.rule != RuleName.BELOW_BY_CONTRACT
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
