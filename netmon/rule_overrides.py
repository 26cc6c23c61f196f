"""``[[alerts.rules]]``: what differs from a rule somewhere; strict, and pure.

An entry says where it counts (a building, a Campusbezirk, a technology, a school type,
or the whole city) and what it changes there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from netmon.alarm_classes import SEVERITY_OF, Audience, Delivery, RuleName, Severity
from netmon.errors import WrongValueError
from netmon.model import (
    Building,
    Inventory,
    Line,
    SchoolType,
    Technology,
)
from netmon.units import named_rate_bps


class Field(StrEnum):
    """What an entry may change, as it is written there."""

    ENABLED = "enabled"
    RAISE_BELOW = "raise_below"
    CLEAR_FROM = "clear_from"
    CONFIRM_COUNT = "confirm_count"
    CONFIRM_OF = "confirm_of"
    CLEAR_COUNT = "clear_count"
    AFTER_S = "after_s"
    SEVERITY = "severity"
    DELIVERY = "delivery"
    AUDIENCES = "audiences"


_EVERY = (Field.ENABLED, Field.SEVERITY, Field.DELIVERY, Field.AUDIENCES)
_COUNTS = (Field.CONFIRM_COUNT, Field.CONFIRM_OF, Field.CLEAR_COUNT, Field.AFTER_S)

# What may be changed of each rule: a rule has no other field.
FIELDS: Mapping[RuleName, tuple[Field, ...]] = {
    RuleName.LINE_DOWN: (Field.AFTER_S, *_EVERY),
    RuleName.LINE_FLAPPING: (Field.CONFIRM_COUNT, *_EVERY),
    RuleName.LINE_BELOW_TARGET: (
        Field.RAISE_BELOW,
        Field.CLEAR_FROM,
        *_COUNTS,
        *_EVERY,
    ),
    RuleName.BELOW_BY_CONTRACT: _EVERY,
    RuleName.NO_DATA: (Field.AFTER_S, *_EVERY),
    RuleName.DEVICE_DOWN: (*_COUNTS, *_EVERY),
    RuleName.AP_DOWN: (*_COUNTS, *_EVERY),
    RuleName.AP_DEGRADED: _EVERY,
    RuleName.MONITOR: (Field.AFTER_S, *_EVERY),
}
# Their targets are lines, so that a technology means something.
_OF_LINES = frozenset(
    {
        RuleName.LINE_DOWN,
        RuleName.LINE_FLAPPING,
        RuleName.LINE_BELOW_TARGET,
        RuleName.BELOW_BY_CONTRACT,
        RuleName.NO_DATA,
    }
)
# Where an entry may count, the narrowest first: it goes before a wider one.
PLACES = ("building", "campus_district", "technology", "school_type")


class RuleOverride(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry. None leaves a field as it is, and asks nothing of a place.

    Rates have units. ``confirm_of`` and ``clear_from`` hang on ``confirm_count`` and
    ``raise_below`` and stand beside them only.
    """

    rule: RuleName
    building: str | None = None
    campus_district: str | None = None
    technology: Technology | None = None
    school_type: SchoolType | None = None
    enabled: bool | None = None
    raise_below: str | None = None
    clear_from: str | None = None
    confirm_count: int | None = None
    confirm_of: int | None = None
    clear_count: int | None = None
    after_s: float | None = None
    severity: Severity | None = None
    delivery: Delivery | None = None
    audiences: tuple[Audience, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense; msgspec names the entry."""
        self._check_fields()
        self._check_place()
        self._check_values()

    @property
    def changes(self) -> tuple[Field, ...]:
        """The fields it changes."""
        return tuple(field for field in Field if getattr(self, field) is not None)

    @property
    def place(self) -> tuple[tuple[str, str], ...]:
        """Where it counts, by what and which; empty for the whole city."""
        found = ((name, getattr(self, name)) for name in PLACES)
        return tuple((name, str(value)) for name, value in found if value is not None)

    @property
    def raise_below_bps(self) -> int | None:
        """``raise_below`` in bit/s."""
        return (
            None
            if self.raise_below is None
            else named_rate_bps("raise_below", self.raise_below)
        )

    @property
    def clear_from_bps(self) -> int | None:
        """``clear_from`` in bit/s."""
        return (
            None
            if self.clear_from is None
            else named_rate_bps("clear_from", self.clear_from)
        )

    def counts_for(self, building: Building | None, line: Line | None) -> bool:
        """Say whether it counts for a target of a building, on a line or on none."""
        here = {
            "building": None if building is None else building.id,
            "campus_district": None if building is None else building.campus_district,
            "technology": None if line is None else str(line.technology),
            "school_type": None if building is None else str(building.school_type),
        }
        return all(here[name] == value for name, value in self.place)

    def _check_fields(self) -> None:
        known = FIELDS[self.rule]
        for field in self.changes:
            if field not in known:
                names = ", ".join(known)
                raise WrongValueError(
                    "rule_lacks", name=str(field), rule=self.rule, known=names
                )
        if not self.changes:
            raise WrongValueError("changes_nothing", known=", ".join(known))

    def _check_place(self) -> None:
        if self.rule is RuleName.MONITOR and self.place:
            names = ", ".join(name for name, _ in self.place)
            raise WrongValueError("monitor_has_no_place", names=names)
        if self.technology is not None and self.rule not in _OF_LINES:
            raise WrongValueError("not_about_lines", name="technology", rule=self.rule)
        for name, value in self.place:
            if not value.strip():
                raise WrongValueError("empty", name=name)

    def _check_values(self) -> None:
        for field in (Field.CONFIRM_COUNT, Field.CONFIRM_OF, Field.CLEAR_COUNT):
            value = getattr(self, field)
            if value is not None and not 1 <= value <= MAX_COUNT:
                raise _outside(str(field), value, MAX_COUNT)
        if self.after_s is not None and not 0 < self.after_s <= MAX_AFTER_S:
            raise _outside("after_s", self.after_s, MAX_AFTER_S)
        if self.confirm_of is not None and self.confirm_of < (self.confirm_count or 0):
            raise WrongValueError("confirm_too_many", name="confirm_count")
        if self.confirm_of is not None and self.confirm_count is None:
            raise WrongValueError(
                "needed_with", name="confirm_count", other="confirm_of"
            )
        raised_bps, clear_bps = self.raise_below_bps, self.clear_from_bps
        if clear_bps is not None:
            if raised_bps is None:
                raise WrongValueError(
                    "needed_with", name="raise_below", other="clear_from"
                )
            if clear_bps < raised_bps:
                raise WrongValueError("clear_below_raise", name="clear_from")
        if self.audiences is not None and Audience.SERVICE not in self.audiences:
            raise WrongValueError("audiences_lack_service", name="audiences")


def _outside(name: str, value: float, high: float) -> WrongValueError:
    return WrongValueError("outside", name=name, value=value, low=1, high=high)


# A machine remembers no more results than that.
MAX_COUNT = 20
MAX_AFTER_S = 30 * 86_400.0


def refuse_doubles(entries: Sequence[RuleOverride]) -> None:
    """Refuse two entries that change the same field at the same place.

    Raises:
        WrongValueError: with the numbers of both, from 0 on.
    """
    seen: dict[tuple[object, ...], int] = {}
    for number, entry in enumerate(entries, 1):
        for field in entry.changes:
            key = (entry.rule, entry.place, field)
            if key in seen:
                first, second = seen[key] - 1, number - 1
                raise WrongValueError(
                    "rules_twice",
                    name="rules",
                    first=first,
                    second=second,
                    setting=field,
                )
            seen[key] = number


def severity_of(
    rule: str,
    building: Building | None,
    line: Line | None,
    entries: Sequence[RuleOverride],
) -> str:
    """Return how bad a rule's incidents are in a place; empty for an unknown rule."""
    for _, entry in narrowest_first(entries):
        fits = entry.rule == rule and entry.counts_for(building, line)
        if fits and entry.severity is not None:
            return entry.severity
    return SEVERITY_OF.get(rule, "")


def narrowest_first(entries: Sequence[RuleOverride]) -> list[tuple[int, RuleOverride]]:
    """Return the entries with their places in the file, the narrowest place first.

    A building goes before a Campusbezirk, that before a technology, that before a
    school type, and all before the whole city. Of two entries with the same narrowest
    word the one that asks for more goes first, then the later one.
    """

    def rank(numbered: tuple[int, RuleOverride]) -> tuple[list[bool], int]:
        number, entry = numbered
        asked = [getattr(entry, name) is None for name in PLACES]
        return asked, -number

    return sorted(enumerate(entries), key=rank)


class AimedLine(Line, frozen=True, kw_only=True):
    """A line with a target of its own; ``entry`` is the number of what set it, from 0."""

    entry: int
    aim_bps: int
    heal_bps: int | None = None

    @property
    def target_down_bps(self) -> float:
        """The target that the entry sets, in bit/s."""
        return self.aim_bps

    @property
    def wished_clear_bps(self) -> float | None:
        """From what on the line counts as healed, in bit/s; None as for any line."""
        return self.heal_bps


def aimed(
    entries: Sequence[RuleOverride], building: Building | None, line: Line
) -> Line:
    """Return the line with the target that counts for it."""
    for number, entry in narrowest_first(entries):
        target_bps = entry.raise_below_bps
        if target_bps is not None and entry.counts_for(building, line):
            return AimedLine(
                **{name: getattr(line, name) for name in Line.__struct_fields__},
                entry=number,
                aim_bps=target_bps,
                heal_bps=entry.clear_from_bps,
            )
    return line


def aim_lines(entries: Sequence[RuleOverride], inventory: Inventory) -> Inventory:
    """Return the inventory with its lines aimed, so that all judge them alike."""
    if not any(entry.raise_below is not None for entry in entries):
        return inventory
    buildings = inventory.building_by_id
    lines = (aimed(entries, buildings[x.building_id], x) for x in inventory.lines)
    return replace(inventory, lines=tuple(lines))
