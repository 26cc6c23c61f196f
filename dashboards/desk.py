"""Windows, silences and the audit trail as rows in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dashboards import acting
from dashboards.context import Site
from netmon.actions.windows import counts_until_ms, next_start_ms, silence_counts
from netmon.actions.words import silence_state, when_words, window_state
from netmon.storage.account_records import Role
from netmon.storage.action_records import (
    AuditEntry,
    Maintenance,
    Matcher,
    MatchField,
    OneOff,
)


@dataclass(frozen=True, slots=True)
class DecidedRow:
    """A window or silence; ``building_id`` is empty unless it names one building.

    ``counts`` now, or ``comes`` later, or is over. ``may_end``: by this visitor.
    """

    id: int
    what: str
    building_id: str
    when: str
    state: str
    counts: bool
    comes: bool
    reason: str
    author: str
    may_end: bool


# Pages of what an entry of the audit trail is about.
_LINKS = {"incident": "/stoerungen/{}", "year": "/berichte/{}"}


@dataclass(frozen=True, slots=True)
class AuditRow:
    """What somebody did; ``link`` leads to what it was about, empty where it cannot."""

    at_ms: int
    author: str
    via: str
    action: str
    subject: str
    about: str
    link: str
    detail: str


def window_rows(site: Site, *, include_over: bool) -> list[DecidedRow]:
    """Return the windows that the visitor's buildings have to do with."""
    return [
        _window(site, x, site.moment().now_ms)
        for x in acting.windows(site, include_over=include_over)
    ]


def silence_rows(site: Site, *, include_over: bool) -> list[DecidedRow]:
    """Return the silences that the visitor's buildings have to do with."""
    now_ms = site.moment().now_ms
    rows = []
    for one in acting.silences(site, include_over=include_over):
        counts = silence_counts(one, now_ms)
        comes = one.cancelled_ms is None and one.starts_ms > now_ms
        span = OneOff(starts_ms=one.starts_ms, ends_ms=one.ends_ms)
        rows.append(
            DecidedRow(
                id=one.id,
                what=", ".join(matcher_words(site, x) for x in one.matchers),
                building_id="",
                when=when_words(site.texts, span),
                state=silence_state(site.texts, one, now_ms),
                counts=counts,
                comes=comes,
                reason=one.reason,
                author=one.author,
                may_end=_may_end(
                    site, counts or comes, acting.may_end_silence(site, one)
                ),
            )
        )
    return rows


def _window(site: Site, one: Maintenance, now_ms: int) -> DecidedRow:
    counts = counts_until_ms(one, now_ms) is not None
    comes = next_start_ms(one, now_ms) is not None
    scope = MatchField(one.scope)
    return DecidedRow(
        id=one.id,
        what=_place(site, scope, one.value),
        building_id=one.value if scope is MatchField.BUILDING else "",
        when=when_words(site.texts, one.when),
        state=window_state(site.texts, one, now_ms),
        counts=counts,
        comes=comes,
        reason=one.reason,
        author=one.author,
        may_end=_may_end(site, counts or comes, acting.may_end_window(site, one)),
    )


def _may_end(site: Site, lasts: bool, theirs: bool) -> bool:
    return lasts and theirs and site.visitor.may(Role.OPERATE)


def _place(site: Site, field: MatchField, value: str) -> str:
    if field is MatchField.BUILDING:
        building = site.inventory().building_by_id.get(value)
        return value if building is None else building.name
    return value


def matcher_words(site: Site, matcher: Matcher) -> str:
    """Return e.g. ``Regel: Access Point ausgefallen`` or ``Gebäude nicht: Ostschule``."""
    texts, value = site.texts, matcher.value
    key = {
        MatchField.RULE: f"incidents.rule.{value}",
        MatchField.SEVERITY: f"severity.{value}",
    }.get(matcher.field, "")
    told = texts(key) if texts.has(key) else _place(site, matcher.field, value)
    kind = "is_not" if matcher.negated else "is"
    name = texts(f"desk.match.{matcher.field}")
    return texts(f"desk.match_{kind}", field=name, value=told)


def audit_rows(site: Site, entries: Iterable[AuditEntry]) -> list[AuditRow]:
    """Return entries of the audit trail in words."""
    texts = site.texts
    rows = []
    for one in entries:
        kind, _, key = one.subject.partition(":")
        name = f"desk.subject.{kind}"
        rows.append(
            AuditRow(
                at_ms=one.at_ms,
                author=one.author,
                via=texts(f"actions.via.{one.via}"),
                action=texts(f"actions.audit.{one.action}"),
                subject=one.subject,
                about=texts(name, id=key) if texts.has(name) else one.subject,
                link=_LINKS[kind].format(key) if kind in _LINKS else "",
                detail=one.detail,
            )
        )
    return rows
