"""A rule as it counts for one target, and where each of its values comes from.

What a rule asks stands in `alerts.rules` and the settings; ``[[alerts.rules]]``
changes it for a building, a Campusbezirk, a technology or a school type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from alerts.classes import Audience, Delivery, RuleName, Severity
from alerts.rules import WAVER_WINDOWS, Rule, limited_by_contract
from alerts.watched import Limits
from netmon.config import AlertSettings
from netmon.model import (
    Building,
    Inventory,
    Line,
)
from netmon.rule_overrides import (
    FIELDS,
    AimedLine,
    Field,
    RuleOverride,
    aimed,
    narrowest_first,
)

_T = TypeVar("_T")

# The setting under ``alerts.`` that a value comes from where no entry changes it.
SETTINGS: Mapping[str, Mapping[Field, str]] = {
    RuleName.LINE_DOWN: {Field.AFTER_S: "line_down_after_s"},
    RuleName.LINE_FLAPPING: {Field.CONFIRM_COUNT: "line_breaks_count"},
    RuleName.LINE_BELOW_TARGET: {
        Field.CONFIRM_COUNT: "line_confirm_count",
        Field.CLEAR_COUNT: "line_clear_count",
    },
    RuleName.NO_DATA: {Field.AFTER_S: "no_data_after_s"},
    RuleName.DEVICE_DOWN: {
        Field.CONFIRM_COUNT: "device_confirm_count",
        Field.CLEAR_COUNT: "device_clear_count",
    },
    RuleName.AP_DOWN: {
        Field.CONFIRM_COUNT: "ap_confirm_count",
        Field.CLEAR_COUNT: "ap_clear_count",
    },
    RuleName.MONITOR: {Field.AFTER_S: "blind_after_s"},
}


class Kind(StrEnum):
    """Where a value comes from."""

    RULE = "rule"
    TARGET = "target"
    CONTRACT = "contract"
    DEFAULT = "default"
    SETTING = "setting"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from.

    ``setting`` is the name of the setting it has, given or by default. ``entry`` is
    the number in ``[[alerts.rules]]``, from 0 on, of what changed it, ``place`` where
    that counts. ``contract``: the contract allows no more, whatever is asked.
    """

    kind: Kind
    setting: str = ""
    entry: int | None = None
    place: tuple[tuple[str, str], ...] = ()
    contract: bool = False


@dataclass(frozen=True, slots=True)
class EffectiveRule:
    """A rule for one target.

    ``after_s`` is how long silence or trouble must last, 0 for not at all, None where
    the rule does not ask. ``origins`` has every field that the rule has.
    """

    name: str
    enabled: bool
    limits: Limits
    after_s: float | None
    severity: Severity
    delivery: Delivery
    audiences: tuple[Audience, ...]
    origins: Mapping[Field, Origin]


class _Chosen:
    """What the entries say for one target, the narrowest first."""

    def __init__(
        self,
        entries: Iterator[tuple[int, RuleOverride]],
        defaults: Mapping[Field, Origin],
    ) -> None:
        self._entries = list(entries)
        self.origins = dict(defaults)

    def of(self, field: Field, default: _T) -> _T:
        """Return what counts for a field, and note where it comes from."""
        for number, entry in self._entries:
            value: _T | None = getattr(entry, field)
            if value is not None:
                self.note(field, number, entry)
                return value
        return default

    def entry(self, number: int | None) -> RuleOverride | None:
        """Return an entry by its number."""
        return next((x for n, x in self._entries if n == number), None)

    def note(self, field: Field, number: int, entry: RuleOverride) -> None:
        """Note that an entry decides a field."""
        self.origins[field] = Origin(Kind.OVERRIDE, entry=number, place=entry.place)

    def beside(self, first: Field, field: Field, default: _T) -> _T:
        """Return what the entry that decides one field says of another one."""
        number = self.origins[first].entry
        entry = self.entry(number)
        if number is None or entry is None:
            return default
        self.note(field, number, entry)
        value: _T | None = getattr(entry, field)
        return default if value is None else value


def effective(
    rule: Rule, building: Building | None, line: Line | None, settings: AlertSettings
) -> EffectiveRule:
    """Return a rule for one target; ``line`` is None for what is no line."""
    fitting = (
        (number, entry)
        for number, entry in narrowest_first(settings.rules)
        if entry.rule == rule.name and entry.counts_for(building, line)
    )
    chosen = _Chosen(fitting, _defaults(rule, line, settings))
    if line is not None:
        line = aimed(settings.rules, building, line)
    limits = rule.limits(settings, line)
    if Field.RAISE_BELOW in chosen.origins and isinstance(line, AimedLine):
        _note_target(chosen, line)
    if Field.CONFIRM_COUNT in chosen.origins:
        limits = _counts(chosen, limits, rule)
    after_s = None
    if Field.AFTER_S in chosen.origins:
        name = SETTINGS.get(rule.name, {}).get(Field.AFTER_S)
        after_s = chosen.of(Field.AFTER_S, getattr(settings, name) if name else 0.0)
        if limits.silence_is_bad:
            limits = replace(limits, valid_for_s=after_s)
        elif rule.kinds:
            limits = replace(limits, confirm_for_s=after_s)
        elif rule.name == RuleName.LINE_DOWN:
            # What waits for it must wait until it can be known.
            known_s = after_s + _TO_BE_SURE_S
            limits = replace(limits, valid_for_s=max(limits.valid_for_s, known_s))
    return EffectiveRule(
        name=rule.name,
        enabled=chosen.of(Field.ENABLED, default=True),
        limits=limits,
        after_s=after_s,
        severity=chosen.of(Field.SEVERITY, rule.severity),
        delivery=chosen.of(Field.DELIVERY, rule.delivery),
        audiences=chosen.of(Field.AUDIENCES, rule.audiences),
        origins=chosen.origins,
    )


def _note_target(chosen: _Chosen, line: AimedLine) -> None:
    """Note which entry decides both thresholds, and whether the contract bounds them."""
    entry = chosen.entry(line.entry)
    if entry is None:
        return
    for field in (Field.RAISE_BELOW, Field.CLEAR_FROM):
        chosen.note(field, line.entry, entry)
    if limited_by_contract(line):
        origin = chosen.origins[Field.RAISE_BELOW]
        chosen.origins[Field.RAISE_BELOW] = replace(origin, contract=True)


def _counts(chosen: _Chosen, limits: Limits, rule: Rule) -> Limits:
    confirm_count = chosen.of(Field.CONFIRM_COUNT, limits.confirm_count)
    spare = confirm_count + rule.spare_count
    return replace(
        limits,
        confirm_count=confirm_count,
        waver_of=WAVER_WINDOWS * confirm_count if rule.wavers else 0,
        confirm_of=chosen.beside(Field.CONFIRM_COUNT, Field.CONFIRM_OF, spare),
        clear_count=chosen.of(Field.CLEAR_COUNT, limits.clear_count),
    )


def _defaults(
    rule: Rule, line: Line | None, settings: AlertSettings
) -> dict[Field, Origin]:
    """Return where the values come from that no entry changes."""
    names = SETTINGS.get(rule.name, {})
    found = {}
    for field in FIELDS[RuleName(rule.name)]:
        name = names.get(field)
        if name is None:
            found[field] = Origin(Kind.RULE)
            continue
        is_default = getattr(settings, name) == getattr(_UNTOUCHED, name)
        kind = Kind.DEFAULT if is_default else Kind.SETTING
        found[field] = Origin(kind, setting=f"alerts.{name}")
    if line is not None and Field.RAISE_BELOW in found:
        kind = Kind.CONTRACT if limited_by_contract(line) else Kind.TARGET
        found[Field.RAISE_BELOW] = found[Field.CLEAR_FROM] = Origin(kind)
    return found


_UNTOUCHED = AlertSettings()
# Until a line that is silent for long enough is told to be down: two rounds of polls.
_TO_BE_SURE_S = 600.0


class EffectiveRules:
    """The rules of one inventory's targets, each worked out once."""

    def __init__(self, settings: AlertSettings, inventory: Inventory) -> None:
        self._settings = settings
        self._inventory = inventory
        # By the rule itself: of a name there may be two, for different targets.
        self._known: dict[tuple[int, str, str], EffectiveRule] = {}

    def of(self, rule: Rule, building_id: str, line: Line | None) -> EffectiveRule:
        """Return a rule for a target of a building (empty: of none)."""
        key = (id(rule), building_id, "" if line is None else line.id)
        found = self._known.get(key)
        if found is None:
            building = self._inventory.building_by_id.get(building_id)
            found = self._known[key] = effective(rule, building, line, self._settings)
        return found

    def limits(self, rule: Rule, building_id: str, line: Line | None) -> Limits | None:
        """Return what a rule asks of a target; None where it is switched off there."""
        found = self.of(rule, building_id, line)
        return found.limits if found.enabled else None


def strangers(settings: AlertSettings, inventory: Inventory) -> Iterator[str]:
    """Yield, in words for a log, the entries that count for nobody.

    Before the first inventory nothing can be said.
    """
    if not inventory.buildings:
        return
    districts = {one.campus_district for one in inventory.buildings}
    for provider in settings.contacts.provider:
        if all(line.provider != provider for line in inventory.lines):
            yield f"alerts.contacts.provider: no line is of {provider!r}"
    for district in settings.recipients.district:
        if district not in districts:
            yield f"alerts.recipients.district: no building is in {district!r}"
    for number, entry in enumerate(settings.rules):
        where = f"alerts.rules[{number}] ({entry.rule})"
        if entry.building not in {None, *inventory.building_by_id}:
            yield f"{where}: no building is called {entry.building!r}"
        elif entry.campus_district not in {None, *districts}:
            yield f"{where}: no building is in {entry.campus_district!r}"
        elif not any(
            entry.counts_for(building, line)
            for building in inventory.buildings
            for line in (*inventory.lines_of[building.id], None)
        ):
            yield f"{where}: counts for nothing in the inventory"
