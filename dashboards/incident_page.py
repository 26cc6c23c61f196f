"""Incidents as pages: the lists, and one with its timeline, evidence and what holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from dashboards import acting
from dashboards.context import Site
from dashboards.incident_listing import PAGE_SIZE, IncidentFilter
from dashboards.queries import UnknownError
from dashboards.views import IncidentView
from dashboards.words import evidence_of, failure_text, incident_view, where
from netmon.actions import read_standing
from netmon.actions.errors import ActionError
from netmon.actions.history import Event, history
from netmon.clock import from_ms
from netmon.line_verdict import LineVerdict, tell
from netmon.model import Building, Technology
from netmon.storage.account_records import Role
from netmon.storage.records import AlarmState, Incident
from netmon.texts import NO_VALUE, Texts

# Of past incidents a filter looks at so many, newest first.
LOOKED_AT = 5000
# Long enough to see how it came about; the rest is in the building's history.
_RESULTS_SHOWN = 20
# Later than this no clock is right.
_END_OF_TIME_MS = 2**42


@dataclass(frozen=True, slots=True)
class IncidentLists:
    """Open and past incidents; ``has_more`` past ones follow on the next page."""

    is_open: tuple[IncidentView, ...]
    past: tuple[IncidentView, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that was seen, with its name, in words."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A result that the alarm rests on; ``failure`` is empty where there is a number."""

    at_ms: int
    text: str
    failure: str
    skewed: bool


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One incident; ``building`` is None where it is of none, or of one taken off.

    ``why`` is what was known at its beginning, ``facts`` and ``results`` the evidence,
    ``holds`` what keeps it open or its mails back.
    """

    now_ms: int
    view: IncidentView
    building: Building | None
    target: str
    timeline: tuple[Event, ...]
    why: tuple[str, ...]
    facts: tuple[Fact, ...]
    results: tuple[ResultRow, ...]
    holds: tuple[str, ...]


def read_lists(site: Site, wanted: IncidentFilter) -> IncidentLists:
    """Return the incidents that are asked for, newest first."""
    room, inventory = site.store.alarms, site.inventory()
    now_ms, rules = site.moment().now_ms, site.settings.alerts.rules
    standing = read_standing(site.store, now_ms, rules)

    def views(found: list[Incident]) -> Iterator[IncidentView]:
        for one in found:
            if site.shows(one.building_id):
                view = incident_view(site.texts, one, inventory, standing)
                if wanted.takes(view):
                    yield view

    is_open = room.incidents(open_only=True, limit=100_000)
    past: list[IncidentView] = []
    first = (wanted.page - 1) * PAGE_SIZE
    if wanted.wants_past:
        # Without a filter everything read is shown, so no more is read than that.
        unfiltered = wanted.is_all and site.visitor.campus_district is None
        limit = first + PAGE_SIZE + 1 if unfiltered else LOOKED_AT
        found = room.incidents(limit=limit + len(is_open))
        over = views([one for one in found if one.ended_ms is not None])
        past = [
            view for _, view in zip(range(first + PAGE_SIZE + 1), over, strict=False)
        ]
    return IncidentLists(
        is_open=tuple(views(is_open)) if wanted.wants_open else (),
        past=tuple(past[first : first + PAGE_SIZE]),
        has_more=len(past) > first + PAGE_SIZE,
    )


def read_incident(site: Site, incident_id: int) -> IncidentPage:
    """Return one incident.

    Raises:
        UnknownError: there is none of that number that the visitor may see.
    """
    try:
        incident = acting.incident(site, incident_id)
    except ActionError as error:
        raise UnknownError(str(incident_id)) from error
    texts, inventory, now_ms = site.texts, site.inventory(), site.moment().now_ms
    standing = read_standing(site.store, now_ms, site.settings.alerts.rules)
    view = incident_view(texts, incident, inventory, standing)
    evidence = evidence_of(incident.evidence)
    # Addresses are for those who act on them.
    told = history(
        site.store, incident, texts, with_addresses=site.visitor.may(Role.OPERATE)
    )
    return IncidentPage(
        now_ms=now_ms,
        view=view,
        building=inventory.building_by_id.get(incident.building_id),
        target=incident.target,
        timeline=tuple(told),
        why=_why(evidence, texts),
        facts=tuple(_facts(evidence, texts)),
        results=tuple(_results(evidence, texts)),
        holds=tuple(_holds(site, incident, view)),
    )


def _why(evidence: Mapping[str, object], texts: Texts) -> tuple[str, ...]:
    """Return the verdict on the line at that moment, sentence by sentence."""
    try:
        verdict = msgspec.convert(evidence["verdict"], LineVerdict)
    except (KeyError, msgspec.ValidationError):
        return ()
    told = tell(verdict, texts, lambda at_ms: texts.moment(from_ms(at_ms)))
    return (told.headline, *told.sentences)


def _facts(evidence: Mapping[str, object], texts: Texts) -> Iterator[Fact]:
    for name, tell_value in _FACTS.items():
        if (value := evidence.get(name)) is None:
            continue
        if text := tell_value(value, evidence, texts):
            yield Fact(texts(f"incidents.fact.{name}"), text)


def _time(value: object, _: Mapping[str, object], texts: Texts) -> str:
    is_time = isinstance(value, int) and 0 < value < _END_OF_TIME_MS
    return texts.moment(from_ms(value)) if is_time else ""  # type: ignore[arg-type]


def _rate(value: object, _: Mapping[str, object], texts: Texts) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return texts.rate(value) if is_number else ""  # type: ignore[arg-type]


def _measured(value: object, evidence: Mapping[str, object], texts: Texts) -> str:
    rate = _rate(value, evidence, texts)
    is_bound = bool(rate) and evidence.get("measured_at_least") is True
    return texts("site.at_least", rate=rate) if is_bound else rate


def _technology(value: object, _: Mapping[str, object], texts: Texts) -> str:
    known = isinstance(value, str) and value in set(Technology)
    return texts(f"technology.{value}") if known else ""


def _failure(value: object, _: Mapping[str, object], texts: Texts) -> str:
    return failure_text(texts, value) or ""


def _name(value: object, _: Mapping[str, object], __: Texts) -> str:
    return value if isinstance(value, str) else ""


def _share(value: object, evidence: Mapping[str, object], texts: Texts) -> str:
    return texts("site.of", n=value, total=evidence.get("speaking_count", NO_VALUE))


# What is shown of the evidence, in this order; a value of another shape is left out.
_FACTS: Mapping[str, Callable[[object, Mapping[str, object], Texts], str]] = {
    "since_ms": _time,
    "last_valid_ms": _time,
    "measured_bps": _measured,
    "expected_bps": _rate,
    "contracted_bps": _rate,
    "technology": _technology,
    "failure": _failure,
    "ap_name": _name,
    "controller_name": _name,
    "device_name": _name,
    "silent_count": _share,
}


def _results(evidence: Mapping[str, object], texts: Texts) -> Iterator[ResultRow]:
    results = evidence.get("results")
    is_rate = "expected_bps" in evidence and "measured_bps" in evidence
    for one in reversed(results[-_RESULTS_SHOWN:] if isinstance(results, list) else []):
        if not isinstance(one, dict) or not isinstance(one.get("ts_ms"), int):
            continue
        value, text = one.get("value"), NO_VALUE
        if isinstance(value, int | float):
            text = texts.rate(value) if is_rate else _answer(value, texts)
            if one.get("at_least") is True:
                text = texts("site.at_least", rate=text)
        yield ResultRow(
            at_ms=one["ts_ms"],
            text=text,
            failure=failure_text(texts, one.get("failure")) or "",
            skewed=one.get("skewed") is True,
        )


def _answer(value: float, texts: Texts) -> str:
    return texts("incidents.result.good" if value >= 1 else "incidents.result.bad")


def _holds(site: Site, incident: Incident, view: IncidentView) -> Iterator[str]:
    """Yield what keeps an open incident open, or its mails back."""
    if incident.ended_ms is not None:
        return
    texts = site.texts
    changes = [
        one
        for one in site.store.alarms.transitions_of(incident.target)
        if one.rule == incident.rule and one.incident_id == incident.id
    ]
    newest = evidence_of(changes[0].evidence) if changes else {}
    if changes and changes[0].to_state is AlarmState.STALE:
        yield texts("incidents.hold.stale")
    if newest.get("flapping") is True:
        yield texts("incidents.hold.flapping")
    if newest.get("skewed") is True:
        yield texts("incidents.hold.skewed")
    held_by = newest.get("held_by")
    if isinstance(held_by, list) and len(held_by) == 2:
        what = where(texts, str(held_by[1]), {}, site.inventory())
        yield texts("incidents.hold.held_by", what=what)
    yield from view.notes
    if view.decided.muted is None and not site.store.actions.mails_about(incident.id):
        yield texts("incidents.hold.no_mail")
