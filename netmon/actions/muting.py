"""Which incidents wait because of a maintenance window or silence; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec
from msgspec import Struct

from netmon.actions.windows import counts_until_ms, silence_counts
from netmon.model import Inventory
from netmon.rule_overrides import RuleOverride, severity_of
from netmon.storage.action_records import (
    Maintenance,
    MaintenanceScope,
    Matcher,
    MatchField,
    Silence,
)
from netmon.storage.records import Incident

_FIELD_OF = {
    MaintenanceScope.BUILDING: MatchField.BUILDING,
    MaintenanceScope.CAMPUS_DISTRICT: MatchField.CAMPUS_DISTRICT,
    MaintenanceScope.PROVIDER: MatchField.PROVIDER,
}
_LINE = "line:"


class MutedBy(StrEnum):
    """Why an incident waits."""

    MAINTENANCE = "maintenance"
    SILENCE = "silence"


class Muted(Struct, frozen=True, kw_only=True):
    """An incident waits until ``until_ms`` because of a window or silence."""

    by: MutedBy
    id: int
    reason: str
    author: str
    until_ms: int


class _Severity(Struct):
    severity: str = ""


_evidence = msgspec.json.Decoder(_Severity).decode


def facts_of(
    incident: Incident,
    inventory: Inventory,
    severity: str | None = None,
    rules: Sequence[RuleOverride] = (),
) -> Mapping[MatchField, str]:
    """Return what of an incident a silence may look at; what is unknown is missing.

    The provider is that of the line itself, or of the main line of the building that
    a device or access point is in. Without ``severity`` it is what the evidence
    says, or else that of the rule in its place.
    """
    building = inventory.building_by_id.get(incident.building_id)
    line = None
    if incident.target.startswith(_LINE):
        line = inventory.line_by_id.get(incident.target.removeprefix(_LINE))
    elif building is not None:
        line = next(iter(inventory.lines_of[building.id]), None)
    if severity is None:
        try:
            severity = _evidence(incident.evidence or b"{}").severity
        except msgspec.MsgspecError:
            severity = ""
        own = line if incident.target.startswith(_LINE) else None
        severity = severity or severity_of(incident.rule, building, own, rules)
    found = {
        MatchField.RULE: incident.rule,
        MatchField.TARGET: incident.target,
        MatchField.BUILDING: incident.building_id,
        MatchField.CAMPUS_DISTRICT: ""
        if building is None
        else building.campus_district,
        MatchField.PROVIDER: "" if line is None else line.provider,
        MatchField.SEVERITY: severity,
    }
    return {field: value for field, value in found.items() if value}


def fits(matcher: Matcher, facts: Mapping[MatchField, str]) -> bool:
    """Say whether a matcher holds; of what is unknown neither ``=`` nor ``!=`` does."""
    value = facts.get(matcher.field)
    return value is not None and (value == matcher.value) is not matcher.negated


class Muting:
    """The windows and silences that count at one moment."""

    def __init__(
        self,
        windows: Iterable[Maintenance],
        silences: Iterable[Silence],
        now_ms: int,
        rules: Sequence[RuleOverride] = (),
    ) -> None:
        self._rules = rules
        self._all: list[tuple[tuple[Matcher, ...], Muted]] = []
        for window in windows:
            until_ms = counts_until_ms(window, now_ms)
            if until_ms is not None:
                matcher = Matcher(_FIELD_OF[window.scope], window.value)
                self._add(MutedBy.MAINTENANCE, window, (matcher,), until_ms)
        for silence in silences:
            if silence_counts(silence, now_ms):
                until_ms = silence.ends_ms
                self._add(MutedBy.SILENCE, silence, silence.matchers, until_ms)
        # What lasts longest counts; of equal ones the one that was made first.
        self._all.sort(key=lambda one: (-one[1].until_ms, one[1].by, one[1].id))

    def _add(
        self,
        by: MutedBy,
        record: Maintenance | Silence,
        matchers: tuple[Matcher, ...],
        until_ms: int,
    ) -> None:
        muted = Muted(
            by=by,
            id=record.id,
            reason=record.reason,
            author=record.author,
            until_ms=until_ms,
        )
        self._all.append((matchers, muted))

    def facts(
        self, incident: Incident, inventory: Inventory, severity: str | None = None
    ) -> Mapping[MatchField, str]:
        """Return `facts_of`, with how bad the settings call it in its place."""
        return facts_of(incident, inventory, severity, self._rules)

    def of(
        self, incident: Incident, inventory: Inventory, severity: str | None = None
    ) -> Muted | None:
        """Return why an incident waits; None if it does not."""
        if not self._all:
            return None
        return self._first(self.facts(incident, inventory, severity))

    def of_building(self, building_id: str, inventory: Inventory) -> Muted | None:
        """Return the maintenance of a whole building; None if there is none."""
        building = inventory.building_by_id.get(building_id)
        if building is None:
            return None
        line = next(iter(inventory.lines_of[building_id]), None)
        facts = {
            MatchField.BUILDING: building_id,
            MatchField.CAMPUS_DISTRICT: building.campus_district,
        }
        if line is not None:
            facts[MatchField.PROVIDER] = line.provider
        return self._first(facts, only=MutedBy.MAINTENANCE)

    def _first(
        self, facts: Mapping[MatchField, str], only: MutedBy | None = None
    ) -> Muted | None:
        for matchers, muted in self._all:
            wanted = only is None or muted.by is only
            if wanted and all(fits(matcher, facts) for matcher in matchers):
                return muted
        return None


def muting(
    incident: Incident,
    inventory: Inventory,
    windows: Iterable[Maintenance],
    silences: Iterable[Silence],
    now_ms: int,
    *,
    severity: str | None = None,
) -> Muted | None:
    """Return why an incident waits, and until when; None if it does not.

    For many incidents make one `Muting` and ask that.
    """
    return Muting(windows, silences, now_ms).of(incident, inventory, severity)
