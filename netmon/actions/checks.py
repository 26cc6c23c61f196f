"""What a window, silence or note must be; pure, and all that is wrong is told."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from netmon.actions.errors import ActionError, Fault, Refusal, fault
from netmon.actions.windows import last_end_ms
from netmon.alarm_classes import SEVERITY_OF, Severity
from netmon.clock import berlin_day
from netmon.model import Inventory
from netmon.storage.action_records import (
    MaintenanceScope,
    Matcher,
    MatchField,
    OneOff,
    Weekly,
)

DAY_MS = 24 * 3_600_000
MAX_SILENCE_DAYS = 90
MAX_WINDOW_DAYS = 400
MAX_TEXT = 500
MAX_MATCHERS = 10
MAX_EXCLUDED = 400
_TARGET = re.compile(r"(line|device|ap|netmon):[^\x00-\x1f\x7f]{1,128}")
_OPERATOR = re.compile(r"[\w.@-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


def parse_matcher(text: str) -> Matcher:
    """Return the matcher of ``field=value`` or ``field!=value``.

    Raises:
        ActionError: neither, or there is no such field.
    """
    name, equals, value = text.partition("=")
    negated = name.endswith("!")
    name = name.removesuffix("!").strip()
    if not equals or name not in set(MatchField):
        known = ", ".join(MatchField)
        found = fault("no_matcher", "matchers", value=text, known=known)
        raise ActionError(Refusal.INVALID, [found])
    return Matcher(MatchField(name), value.strip(), negated)


def check_text(text: str, field: str) -> list[Fault]:
    """Return what is wrong with a reason or note: one line, not empty."""
    if not text.strip():
        return [fault("empty", field)]
    if len(text) > MAX_TEXT:
        return [fault("too_long", field, most=MAX_TEXT)]
    if _CONTROL.search(text):
        return [fault("control", field)]
    return []


def check_operator(name: str) -> list[Fault]:
    """Return what is wrong with an operator's name."""
    return [] if _OPERATOR.fullmatch(name) else [fault("operator", "name", name=name)]


def _known(inventory: Inventory) -> Mapping[MatchField, Collection[str] | None]:
    """Return the values there are, by field; None where nothing is known yet."""
    if not inventory.buildings:
        places: list[Collection[str] | None] = [None, None, None]
    else:
        places = [
            inventory.building_by_id,
            {building.campus_district for building in inventory.buildings},
            {line.provider for line in inventory.lines},
        ]
    return {
        MatchField.BUILDING: places[0],
        MatchField.CAMPUS_DISTRICT: places[1],
        MatchField.PROVIDER: places[2],
        MatchField.RULE: tuple(SEVERITY_OF),
        MatchField.SEVERITY: tuple(Severity),
    }


def _check_value(
    kind: MatchField, value: str, field: str, inventory: Inventory
) -> list[Fault]:
    if kind is MatchField.TARGET:
        found = _TARGET.fullmatch(value)
        return [] if found else [fault("target", field, value=value)]
    known = _known(inventory)[kind]
    if known is None or value in known:
        return []
    # A city has few of them, but very many buildings.
    named = sorted(known) if kind is not MatchField.BUILDING else []
    return [fault(f"no_{kind}", field, value=value, known=", ".join(named))]


def check_place(
    scope: MaintenanceScope, value: str, inventory: Inventory
) -> list[Fault]:
    """Return what is wrong with the place or provider of a window."""
    return _check_value(MatchField(scope), value, "value", inventory)


def check_matchers(matchers: Sequence[Matcher], inventory: Inventory) -> list[Fault]:
    """Return what is wrong with a silence's matchers."""
    if not 1 <= len(matchers) <= MAX_MATCHERS:
        return [fault("matchers", "matchers", most=MAX_MATCHERS)]
    return [
        found
        for number, one in enumerate(matchers)
        for found in _check_value(
            one.field, one.value, f"matchers.{number}.value", inventory
        )
    ]


def check_span(
    starts_ms: int, ends_ms: int, now_ms: int, most_days: int
) -> list[Fault]:
    """Return what is wrong with a time from start to end."""
    if ends_ms <= starts_ms:
        return [fault("order", "ends_at")]
    if ends_ms <= now_ms:
        return [fault("past", "ends_at")]
    if ends_ms - max(starts_ms, now_ms) > most_days * DAY_MS:
        return [fault("too_far", "ends_at", days=most_days)]
    # Nobody needs older ones; the calendar begins somewhere.
    if starts_ms < now_ms - most_days * DAY_MS:
        return [fault("long_ago", "starts_at", days=most_days)]
    return []


def check_weekly(when: Weekly, now_ms: int) -> list[Fault]:
    """Return what is wrong with a weekly window."""
    today, most = berlin_day(now_ms), timedelta(days=MAX_WINDOW_DAYS)
    found = [] if when.days else [fault("no_days", "when.days")]
    if when.last < when.first:
        found.append(fault("order", "when.last"))
    elif when.last > today + most:
        found.append(fault("too_far", "when.last", days=MAX_WINDOW_DAYS))
    elif when.first < today - most:
        found.append(fault("long_ago", "when.first", days=MAX_WINDOW_DAYS))
    if len(when.excluded) > MAX_EXCLUDED:
        found.append(fault("too_many", "when.excluded", most=MAX_EXCLUDED))
    for name, at in (("start", when.start), ("end", when.end)):
        if at.tzinfo is not None or at.second or at.microsecond:
            found.append(fault("no_minute", f"when.{name}"))
    if not found:
        ends_ms = last_end_ms(when)
        if ends_ms is None:
            found.append(fault("never", "when"))
        elif ends_ms <= now_ms:
            found.append(fault("past", "when.last"))
    return found


def check_when(when: OneOff | Weekly, now_ms: int) -> list[Fault]:
    """Return what is wrong with the times of a window."""
    if isinstance(when, Weekly):
        return check_weekly(when, now_ms)
    found = check_span(when.starts_ms, when.ends_ms, now_ms, MAX_WINDOW_DAYS)
    return [fault(x.code, f"when.{x.field}", **dict(x.values)) for x in found]
