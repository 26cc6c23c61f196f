"""The story of an incident: its states, the mails about it, and what people did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from netmon.clock import from_ms
from netmon.storage.action_records import AuditEntry, ToldMail, incident_subject
from netmon.storage.ports import Store
from netmon.storage.records import AlarmState, Incident, Transition
from netmon.texts import Texts

_MANY = 10_000


class Event(NamedTuple):
    """Something that happened, in one sentence."""

    at_ms: int
    text: str


def history(
    store: Store, incident: Incident, texts: Texts, *, with_addresses: bool = True
) -> list[Event]:
    """Return what happened around an incident, oldest first.

    Without addresses a mail is told by whether it was sent, and once however many got it.
    """
    found = [
        *(_changed(x, texts) for x in _transitions(store, incident)),
        *_mails(store, incident, texts, with_addresses=with_addresses),
        *(_done(x, texts) for x in _actions(store, incident)),
    ]
    return sorted(found, key=lambda event: event.at_ms)


def _mails(
    store: Store, incident: Incident, texts: Texts, *, with_addresses: bool
) -> list[Event]:
    found = store.actions.mails_about(incident.id)
    if with_addresses:
        return [_mailed(one, texts) for one in found]
    # One mail to many is one event; it counts from the first that was sent.
    told: dict[str, Event] = {}
    for one in found:
        event = texts(f"actions.mail_event.{one.event}")
        kind = "unsent" if one.sent_ms is None else "sent"
        text = texts(f"actions.history.{kind}", event=event)
        at_ms = one.created_ms if one.sent_ms is None else one.sent_ms
        told.setdefault(f"{one.created_ms} {text}", Event(at_ms, text))
    return list(told.values())


def _transitions(store: Store, incident: Incident) -> Iterator[Transition]:
    """Yield the incident's changes of state, and the suspicion that it began with."""
    suspicion: Transition | None = None
    begun = False
    for one in reversed(store.alarms.transitions_of(incident.target, _MANY)):
        if one.rule != incident.rule:
            continue
        if one.incident_id == incident.id:
            if suspicion is not None and not begun:
                yield suspicion
            begun = True
            yield one
        else:
            suspicion = one if one.to_state is AlarmState.SUSPECT else None


def _actions(store: Store, incident: Incident) -> list[AuditEntry]:
    subject = incident_subject(incident.id)
    return store.actions.audit(subject=subject, limit=_MANY)[::-1]


def _changed(change: Transition, texts: Texts) -> Event:
    states = (texts(f"state.{x}") for x in (change.from_state, change.to_state))
    before, after = states
    text = texts("actions.history.state", before=before, after=after)
    return Event(change.at_ms, text)


def _mailed(mail: ToldMail, texts: Texts) -> Event:
    event = texts(f"actions.mail_event.{mail.event}")
    if mail.sent_ms is None:
        text = texts("actions.history.waiting", event=event, to=mail.recipient)
        return Event(mail.created_ms, text)
    text = texts("actions.history.mailed", event=event, to=mail.recipient)
    return Event(mail.sent_ms, text)


def _done(entry: AuditEntry, texts: Texts) -> Event:
    text = texts(
        "actions.history.done",
        author=entry.author,
        via=texts(f"actions.via.{entry.via}"),
        action=texts(f"actions.audit.{entry.action}"),
    )
    return Event(entry.at_ms, f"{text}: {entry.detail}" if entry.detail else text)


def event_line(event: Event, texts: Texts) -> str:
    """Return an event with its time."""
    at = texts.moment(from_ms(event.at_ms))
    return texts("actions.history.line", at=at, text=event.text)
