"""The forms for windows, silences and notes: from what was typed to an action.

Their fields are called as in the API, without ``when.``; times are typed as on the
command line: ``01.12.2026 18:00``, ``jetzt``, ``+2h``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import TypeVar

from dashboards.context import Site
from dashboards.forms import Faults, Form, prefilled
from netmon.actions.checks import check_text, parse_matcher
from netmon.actions.errors import fault
from netmon.actions.times import (
    parse_date,
    parse_hours,
    parse_moment,
    parse_weekdays,
)
from netmon.clock import to_ms
from netmon.collation import collation_key
from netmon.model import Inventory
from netmon.storage.action_records import (
    MaintenanceScope,
    Matcher,
    MatchField,
    OneOff,
    Weekly,
)
from netmon.texts import Texts

# What a fault of the API's field is about in the forms.
WINDOW_FIELDS: Mapping[str, str] = {
    "place": "place",
    "value": "place",
    "reason": "reason",
    **{
        f"{prefix}{name}": name
        for prefix in ("", "when.")
        for name in (
            "starts_at", "ends_at", "days", "start", "end", "first", "last", "excluded"
        )
    },
}  # fmt: skip
SILENCE_FIELDS: dict[str, str] = {
    name: name
    for name in (
        "rule", "severity", "target", "place", "further",
        "starts_at", "ends_at", "reason",
    )
}  # fmt: skip
NOTE_FIELDS: Mapping[str, str] = {"note": "note"}

T = TypeVar("T")

IS_NOT = "is_not"


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a selection and how people call it."""

    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Choices under one heading."""

    title: str
    choices: tuple[Choice, ...]


def places(inventory: Inventory, texts: Texts, *, providers: bool) -> list[Choices]:
    """Return what a window or silence may name, by kind: ``building:gs-07``."""
    buildings = sorted(inventory.buildings, key=lambda one: collation_key(one.name))
    districts = {building.campus_district for building in inventory.buildings}
    found = {
        MaintenanceScope.BUILDING: [
            Choice(f"building:{one.id}", f"{one.name}, {one.street}")
            for one in buildings
        ],
        MaintenanceScope.CAMPUS_DISTRICT: [
            Choice(f"campus_district:{name}", name)
            for name in sorted(districts, key=collation_key)
        ],
        MaintenanceScope.PROVIDER: [
            Choice(f"provider:{name}", name)
            for name in sorted({line.provider for line in inventory.lines if providers})
        ],
    }
    return [
        Choices(texts(f"actions.scope.{scope}"), tuple(choices))
        for scope, choices in found.items()
        if choices
    ]


def new_window(site: Site, place: str, *, weekly: bool) -> Form:
    """Return the form of a window as it is first shown."""
    texts, now = site.texts, site.clock.now()
    if weekly:
        return prefilled(place=place, first=texts.date(now))
    return prefilled(place=place, starts_at=texts("desk.now"))


def new_silence(site: Site, place: str, rule: str, target: str) -> Form:
    """Return the form of a silence as it is first shown."""
    return prefilled(
        place=place, rule=rule, target=target, starts_at=site.texts("desk.now")
    )


def window_of(
    form: Form, now: datetime, *, weekly: bool
) -> tuple[tuple[MaintenanceScope, str], OneOff | Weekly, str]:
    """Return place, times and reason of a window.

    Raises:
        ActionError: a field is no such thing; every one is named.
    """
    faults = Faults()
    place = _place(form, faults)
    when = _weekly(form, faults) if weekly else _once(form, now, faults)
    _check_reason(form, faults)
    faults.raise_any()
    assert place is not None  # noqa: S101 - else there was a fault
    assert when is not None  # noqa: S101 - else there was a fault
    return place, when, form["reason"]


@dataclass(frozen=True, slots=True)
class AskedSilence:
    """A silence as it was typed; ``origins`` are the fields of its matchers."""

    matchers: tuple[Matcher, ...]
    origins: tuple[str, ...]
    span_ms: tuple[int, int]
    reason: str

    def fields(self) -> dict[str, str]:
        """Return which field of the form a fault of the API's field is of."""
        return SILENCE_FIELDS | {
            f"matchers.{number}.value": name for number, name in enumerate(self.origins)
        }


def silence_of(form: Form, now: datetime) -> AskedSilence:
    """Return what a silence shall fit, when and why.

    Raises:
        ActionError: a field is no such thing; every one is named.
    """
    faults = Faults()
    found = [
        (name, _matcher(MatchField(name), form[name], form[f"{name}_is"]))
        for name in ("rule", "severity", "target")
        if form[name]
    ]
    if form["place"] and (place := _place(form, faults)) is not None:
        matcher = _matcher(MatchField(place[0]), place[1], form["place_is"])
        found.append(("place", matcher))
    for part in filter(None, (x.strip() for x in form["further"].split(";"))):
        with faults.of("further", part):
            found.append(("further", parse_matcher(part)))
    when = _once(form, now, faults)
    _check_reason(form, faults)
    faults.raise_any()
    assert when is not None  # noqa: S101 - else there was a fault
    return AskedSilence(
        matchers=tuple(matcher for _, matcher in found),
        origins=tuple(name for name, _ in found),
        span_ms=(when.starts_ms, when.ends_ms),
        reason=form["reason"],
    )


def _matcher(field: MatchField, value: str, relation: str) -> Matcher:
    return Matcher(field, value, relation == IS_NOT)


def _place(form: Form, faults: Faults) -> tuple[MaintenanceScope, str] | None:
    scope, _, value = form["place"].partition(":")
    if not value or scope not in set(MaintenanceScope):
        faults.add(fault("no_place", "place"))
        return None
    return MaintenanceScope(scope), value


def _check_reason(form: Form, faults: Faults) -> None:
    faults.add(*check_text(form["reason"], "reason"))


def _once(form: Form, now: datetime, faults: Faults) -> OneOff | None:
    starts = _read(faults, form, "starts_at", lambda x: parse_moment(x or "jetzt", now))
    base = now if starts is None else starts
    ends = _read(
        faults, form, "ends_at", lambda text: parse_moment(text, base, latest=True)
    )
    if starts is None or ends is None:
        return None
    return OneOff(starts_ms=to_ms(starts), ends_ms=to_ms(ends))


def _weekly(form: Form, faults: Faults) -> Weekly | None:
    start, end = (_read(faults, form, name, _clock) for name in ("start", "end"))
    first, last = (_read(faults, form, name, parse_date) for name in ("first", "last"))
    excluded = []
    for part in filter(None, (x.strip() for x in form["excluded"].split(","))):
        with faults.of("excluded", part):
            excluded.append(parse_date(part))
    days = ",".join(form.all("days"))
    found = None
    if not days:
        faults.add(fault("no_days", "days"))
    else:
        with faults.of("days", days):
            found = parse_weekdays(days)
    if found is None or start is None or end is None or first is None or last is None:
        return None
    return Weekly(
        days=found,
        start=start,
        end=end,
        first=first,
        last=last,
        excluded=tuple(excluded),
    )


def _clock(text: str) -> time:
    return parse_hours(f"{text}-{text}")[0]


def _read(faults: Faults, form: Form, name: str, parse: Callable[[str], T]) -> T | None:
    text = form[name]
    with faults.of(name, text):
        return parse(text)
    return None
