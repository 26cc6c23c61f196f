"""Makes a transition of a change: what was seen, and what the store knows besides."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from alerts.derived.base import Finding
from alerts.evidence import Cause, Evidence, encode, gather, name_access_point
from alerts.explain import explain_line
from alerts.gate import Key
from alerts.held import Held
from alerts.rules import (
    LINE_BELOW_TARGET,
    LINE_DOWN,
    LINE_FLAPPING,
    NO_DATA,
    RULES,
    Scope,
    access_point_of,
    line_of,
)
from alerts.watched import Change, Watched
from netmon.line_verdict import LineAlarms
from netmon.model import Inventory
from netmon.storage.ports import Store
from netmon.storage.records import AlarmState, SeenAccessPoint, Transition
from netmon.wlan_truth import ApTruth, WlanTruth, read_wlan_truth

# A mail about these asks whether it is the line itself.
_TROUBLE = (AlarmState.BAD, AlarmState.STALE)
# A storm over more buildings than this is no matter of single cables, and to follow
# each access point's trail would hold up the alarm.
_TRAILS_A_STEP = 20
_ASKS_THE_LINE = frozenset({LINE_BELOW_TARGET, LINE_DOWN, LINE_FLAPPING, NO_DATA})


class Teller:
    """Writes transitions for one step; what it reads of the store it reads once.

    ``group`` is shared by what falls within one evaluation.
    """

    def __init__(
        self,
        store: Store,
        inventory: Inventory,
        held: Mapping[Key, Held],
        group: str,
        now_ms: int,
    ) -> None:
        self._store = store
        self._inventory = inventory
        self._held = held
        self._group = group
        self._now_ms = now_ms
        self._points: dict[str, dict[str, SeenAccessPoint]] = {}
        self._truths: dict[str, WlanTruth] = {}

    def tell(
        self,
        key: Key,
        held: Held,
        change: Change,
        *,
        cause: Cause | None = None,
        finding: Finding | None = None,
    ) -> Transition:
        """Return the transition of a change; ``held`` is the target after it.

        Raises:
            StorageError: the store refused.
        """
        rule = RULES[key[0]]
        evidence = gather(rule, key[1], held.watched, change, self._inventory)
        if rule.scope is Scope.ACCESS_POINT:
            evidence = self._about_access_point(evidence, key[1], held, change)
        elif rule.name in _ASKS_THE_LINE and change.to_state in _TROUBLE:
            evidence = self._about_line(evidence, key, held.watched)
        if cause is not None:
            evidence = replace(evidence, cause=cause)
        if finding is not None:
            evidence = replace(
                evidence,
                silent_count=finding.silent_count,
                speaking_count=finding.speaking_count,
                flapping=evidence.flapping or finding.flapping,
                ap_verdict=finding.ap,
                devices_gone_count=finding.devices_gone_count,
                points_gone_count=finding.points_gone_count,
            )
        if change.opens and rule.group_by_building:
            group = f"{rule.name}/{held.building_id}/{self._group}"
            evidence = replace(evidence, group=group)
        return Transition(
            id=0,
            rule=rule.name,
            target=key[1],
            building_id=held.building_id,
            from_state=change.from_state,
            to_state=change.to_state,
            at_ms=change.at_ms,
            incident_id=held.incident_id,
            evidence=encode(evidence),
        )

    def _about_access_point(
        self, evidence: Evidence, target: str, held: Held, change: Change
    ) -> Evidence:
        seen = self._seen(held.building_id).get(target)
        evidence = name_access_point(evidence, target, self._inventory, seen)
        if change.to_state is AlarmState.BAD:
            truth = self._truth(held.building_id, target)
            evidence = replace(evidence, truth=truth)
        return evidence

    def _about_line(self, evidence: Evidence, key: Key, watched: Watched) -> Evidence:
        line = self._inventory.line_by_id.get(line_of(key[1]))
        if line is None:
            return evidence
        return explain_line(
            evidence,
            line,
            self._alarms(key, watched),
            self._inventory,
            self._store.measurements,
            self._now_ms,
        )

    def _alarms(self, key: Key, watched: Watched) -> LineAlarms:
        """Return the states of a line's rules, of the key's rule the new one."""
        states = {}
        for name in (LINE_BELOW_TARGET, NO_DATA, LINE_DOWN):
            other = (name, key[1])
            held = self._held.get(other)
            known = None if held is None else held.watched
            states[name] = watched if other == key else known
        below, silent, down = (
            states[name] for name in (LINE_BELOW_TARGET, NO_DATA, LINE_DOWN)
        )
        return LineAlarms(
            below_target=None if below is None else below.state,
            no_data=None if silent is None else silent.state,
            incident_open=below is not None and below.incident_open,
            line_down=None if down is None else down.state,
        )

    def _seen(self, building_id: str) -> dict[str, SeenAccessPoint]:
        here = self._points.get(building_id)
        if here is None:
            here = self._points[building_id] = {
                f"{Scope.ACCESS_POINT}:{ap.ap}": ap
                for ap in self._store.measurements.access_points(building_id)
            }
        return here

    def _truth(self, building_id: str, target: str) -> ApTruth | None:
        """Return where the trail of an access point ends, as the store knows it now.

        None where the controller told nothing, or in a storm.
        """
        if building_id not in self._truths:
            if len(self._truths) >= _TRAILS_A_STEP:
                return None
            self._truths[building_id] = read_wlan_truth(
                self._store, self._inventory, building_id, self._now_ms, confirmed=True
            )
        return self._truths[building_id].by_ap.get(access_point_of(target))
