"""From transitions to mails of the outbox: mute -> group -> dedup -> queue.

Only what opens or ends an incident is told. Each stage takes one draft and
gives it on, changed, or drops it (None). The mails and the cursor are written in
ONE transaction, and a mail is unique by incident, event and recipient, so a
repeated run adds nothing.

Groups: access points of one building that fell in the same evaluation carry the
same ``group`` in their incidents' evidence. The group's first incident gives the
number; its alarm mail names all members, and its recovery mail goes out when the
last of them is over. So every alarm mail has exactly one recovery mail, and
every incident is named in one alarm mail.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import parseaddr

from alerts.evidence import decode
from alerts.mail import Notice, render
from alerts.rules import AP_DOWN, LINE_BELOW_TARGET, NO_DATA
from netmon.clock import Clock, to_ms
from netmon.config import Settings
from netmon.model import Inventory
from netmon.storage.ports import AlarmStore, Store
from netmon.storage.records import (
    AlarmState,
    Incident,
    Mail,
    MailEvent,
    Transition,
)
from netmon.texts import Texts

READER = "mail"
_TRANSITIONS_A_STEP = 500
# Rules that have words for a mail.
TOLD = frozenset({AP_DOWN, LINE_BELOW_TARGET, NO_DATA})
# A building's incidents in one query; far more than it has in all its years.
_ALL_INCIDENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail to be: the notice, and who gets it (empty until `dedup`)."""

    notice: Notice
    recipients: tuple[str, ...] = ()


@dataclass(slots=True)
class Desk:
    """What the stages know and what they have done in this run."""

    alarms: AlarmStore
    inventory: Inventory
    settings: Settings
    texts: Texts
    now_ms: int
    outgoing: list[Mail] = field(default_factory=list)
    incidents_of: dict[str, list[Incident]] = field(default_factory=dict)

    def incidents(self, building_id: str) -> list[Incident]:
        """Return all incidents of a building, oldest first."""
        if building_id not in self.incidents_of:
            found = self.alarms.incidents(building_id=building_id, limit=_ALL_INCIDENTS)
            self.incidents_of[building_id] = found[::-1]
        return self.incidents_of[building_id]

    def told(self, incident_id: int, event: MailEvent) -> set[str]:
        """Return who has, or will get, the mail of an incident's event."""
        mails = [*self.alarms.mails(incident_id=incident_id), *self.outgoing]
        return {
            mail.recipient
            for mail in mails
            if mail.incident_id == incident_id and mail.event is event
        }


def mute(draft: Draft, desk: Desk) -> Draft | None:
    """Drop alarms of buildings that are no longer in the inventory.

    Recovery is never muted: whoever was alarmed hears of the end.
    """
    incident = draft.notice.incident
    if incident.rule not in TOLD:
        return None
    known = incident.building_id in desk.inventory.building_by_id
    return draft if known or draft.notice.event is MailEvent.RECOVERY else None


def group(draft: Draft, desk: Desk) -> Draft | None:
    """Put the incidents of a group into one notice.

    A recovery is dropped while a member is still open.
    """
    notice = draft.notice
    name = decode(notice.incident.evidence).group
    if not name:
        return draft
    members = tuple(
        incident
        for incident in desk.incidents(notice.incident.building_id)
        if incident.rule == notice.incident.rule
        and decode(incident.evidence).group == name
    )
    if notice.event is MailEvent.RECOVERY:
        ended = [incident.ended_ms for incident in members]
        if None in ended:
            return None
        at_ms = max(ms for ms in ended if ms is not None)
        return Draft(replace(notice, members=members, at_ms=at_ms))
    return Draft(replace(notice, members=members))


def dedup(draft: Draft, desk: Desk) -> Draft | None:
    """Choose who is still to be told; drop the draft if nobody is.

    An alarm goes to all recipients of the settings, a recovery to those who got
    the alarm, whatever the settings say today.
    """
    number = draft.notice.incident.id
    alarmed = desk.told(number, MailEvent.ALARM)
    if draft.notice.event is MailEvent.ALARM:
        wanted = [r for r in desk.settings.mail.recipients if r not in alarmed]
    else:
        wanted = sorted(alarmed - desk.told(number, MailEvent.RECOVERY))
    recipients = tuple(dict.fromkeys(wanted))
    return Draft(draft.notice, recipients) if recipients else None


def queue(draft: Draft, desk: Desk) -> Draft | None:
    """Render the mail and add it, once for each recipient, to what goes out."""
    notice, settings = draft.notice, desk.settings
    content = render(notice, desk.inventory, desk.texts, settings.gateway.public_url)
    for recipient in draft.recipients:
        reply_to = (
            message_id(notice.incident, MailEvent.ALARM, recipient, settings)
            if notice.event is MailEvent.RECOVERY
            else ""
        )
        desk.outgoing.append(
            Mail(
                id=0,
                incident_id=notice.incident.id,
                event=notice.event,
                recipient=recipient,
                message_id=message_id(
                    notice.incident, notice.event, recipient, settings
                ),
                in_reply_to=reply_to,
                subject=content.subject,
                text=content.text,
                html=content.html,
                created_ms=desk.now_ms,
                attempts=0,
                next_try_ms=desk.now_ms,
                sent_ms=None,
                last_error="",
            )
        )
    return draft


Stage = Callable[[Draft, Desk], Draft | None]

STAGES: tuple[Stage, ...] = (mute, group, dedup, queue)


def message_id(
    incident: Incident, event: MailEvent, recipient: str, settings: Settings
) -> str:
    """Return the Message-ID of an outbox row: the same row gives the same one.

    The incident's start is part of it, so that a store begun anew does not
    repeat the ids of the old one. The recipient appears as a hash only.
    """
    who = hashlib.sha256(recipient.encode()).hexdigest()[:16]
    domain = parseaddr(settings.mail.sender)[1].rpartition("@")[2] or "localhost"
    return f"<netmon.{incident.id}.{event}.{incident.started_ms}.{who}@{domain}>"


class Pipeline:
    """Turns new transitions into mails."""

    def __init__(
        self,
        store: Store,
        inventory: Callable[[], Inventory],
        settings: Settings,
        texts: Texts,
        clock: Clock,
    ) -> None:
        self._store = store
        self._inventory = inventory
        self._settings = settings
        self._texts = texts
        self._clock = clock

    def run_once(self) -> int:
        """Queue the mails of all new transitions; return how many were added.

        Raises:
            StorageBusyError: the store is held by another process; call again.
            StorageError: the store refused.
        """
        alarms, added = self._store.alarms, 0
        position = self._store.cursors.get(READER).position
        while True:
            transitions = alarms.transitions_after(position, _TRANSITIONS_A_STEP)
            if not transitions:
                return added
            now_ms = to_ms(self._clock.now())
            desk = Desk(alarms, self._inventory(), self._settings, self._texts, now_ms)
            for transition in transitions:
                _through(desk, transition)
            position = transitions[-1].id
            added += alarms.queue_mails(
                desk.outgoing, reader=READER, position=position, now_ms=now_ms
            )


def _through(desk: Desk, transition: Transition) -> None:
    draft = _draft(desk, transition)
    for stage in STAGES:
        if draft is None:
            return
        draft = stage(draft, desk)


def _draft(desk: Desk, transition: Transition) -> Draft | None:
    """Return what a transition has to tell; None where it opens and ends nothing."""
    events = {
        AlarmState.BAD: MailEvent.ALARM,
        AlarmState.OK: MailEvent.RECOVERY,
    }
    event = events.get(transition.to_state)
    if event is None or transition.incident_id is None:
        return None
    incident = desk.alarms.incident(transition.incident_id)
    if incident is None:
        return None
    last = decode(transition.evidence)
    return Draft(Notice(event, (incident,), transition.at_ms, last))
