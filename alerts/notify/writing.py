"""From steps of the planner to rows of the outbox."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr

import msgspec

from alerts.evidence import Evidence, readable
from alerts.mails import Content, Notice, render, render_plain
from alerts.notify.cases import Surroundings
from alerts.notify.facts import Step, Telling, ThreadMemory
from alerts.notify.grouping import segment_of
from netmon.config import Settings
from netmon.model import Inventory
from netmon.storage.ports import Store
from netmon.storage.records import (
    AlarmState,
    Incident,
    Mail,
    MailEvent,
    Thread,
    ThreadNews,
)
from netmon.texts import Texts

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ThreadMemory).decode
# A target's newest changes of state; its end is among the last ones.
_NEWEST = 20
_MAX_WHY_CHARS = 300


def read_memory(thread: Thread) -> ThreadMemory:
    """Return what the planner remembers of a thread.

    Raises:
        msgspec.DecodeError: it is something else.
    """
    return _decode(thread.memory)


def message_id(
    incident: Incident | None, event: MailEvent, number: int, to: str, sender: str
) -> str:
    """Return the Message-ID of an outbox row: the same row gives the same one.

    The incident's start and the recipient are in it as a hash: a store begun anew does
    not repeat the ids of the old one, and nobody reads an address off it. No longer than
    a header line holds.
    """
    begun, about = (incident.started_ms, incident.id) if incident else (0, 0)
    hashed = hashlib.sha256(f"{begun} {to}".encode()).hexdigest()[:16]
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    return f"<netmon.{about}.{event}.{number}.{hashed}@{domain}>"


@dataclass(frozen=True, slots=True)
class Written:
    """A mail's content; ``failed`` says why it is only the plain one, else empty."""

    content: Content
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What is needed to write mails."""

    store: Store
    inventory: Inventory
    settings: Settings
    texts: Texts
    reference: Callable[[int], str]
    around: Surroundings
    now_ms: int

    def news(self, step: Step, fresh: Mapping[int, Incident]) -> ThreadNews:
        """Return a step as it is stored; ``fresh`` are the incidents in no thread.

        Raises:
            StorageError: the store refused.
        """
        stored = self.store.threads.incidents(step.thread_id) if step.thread_id else []
        known = {**{incident.id: incident for incident in stored}, **fresh}
        members = tuple(known[number] for number in step.members)
        mails: list[Mail] = []
        for telling in step.tellings:
            written = self._content(step, telling, members, known)
            mails += self.rows(
                telling, written, members[0] if members else None, step.memory
            )
        thread = Thread(
            id=step.thread_id,
            level=step.level,
            key=step.key,
            opened_ms=step.opened_ms,
            closed_ms=self.now_ms if step.closed else None,
            memory=_encode(step.memory).decode(),
        )
        return ThreadNews(thread=thread, joined=step.joined, mails=tuple(mails))

    def _content(
        self,
        step: Step,
        telling: Telling,
        members: Sequence[Incident],
        known: Mapping[int, Incident],
    ) -> Written:
        about = tuple(known[number] for number in telling.about)
        at_ms, last = self.now_ms, None
        if telling.event is MailEvent.RECOVERY:
            at_ms = max((i.ended_ms or self.now_ms for i in about), default=at_ms)
            last = self._last(about[0]) if len(about) == 1 else None
        notice = Notice(
            telling.event,
            tuple(members),
            at_ms,
            last,
            about,
            segment_of(step.key),
            self.reference(members[0].id),
            telling.aside,
            self._muted_until_ms(about) if telling.event is MailEvent.ALARM else None,
            self._in_lessons(about),
            self.settings.alerts.contacts,
        )
        url = self.settings.gateway.public_url
        return self.written(
            telling.event,
            about or tuple(members),
            lambda: render(notice, self.inventory, self.texts, url),
        )

    def written(
        self,
        event: MailEvent,
        incidents: Sequence[Incident],
        write: Callable[[], Content],
    ) -> Written:
        """Return the mail that ``write`` gives, or a plain one where it fails.

        What is wrong with one mail must not keep the others from going out.
        """
        try:
            return Written(write())
        except Exception as error:  # noqa: BLE001
            number = incidents[0].id if incidents else 0
            _log.exception("the mail %s of incident %d is sent plain", event, number)
            url = self.settings.gateway.public_url
            plain = render_plain(event, incidents, self.inventory, self.texts, url)
            why = f"{type(error).__name__}: {error}"[:_MAX_WHY_CHARS]
            return Written(plain, why)

    def _muted_until_ms(self, about: Sequence[Incident]) -> int | None:
        """Return until when the oldest of them waited, where it did."""
        if not about:
            return None
        first, around = about[0], self.around
        manner = around.manner(first.rule, first.building_id, first.target)
        decided = around.decided_at(first.started_ms)
        until_ms = decided.muted_until_ms(first, manner.severity)
        return until_ms if until_ms is not None and until_ms <= self.now_ms else None

    def _in_lessons(self, about: Sequence[Incident]) -> bool:
        """Say whether one of the buildings has lessons; of none nobody can say."""
        buildings = {incident.building_id for incident in about} - {""}
        hours = self.around.hours
        return not buildings or any(
            hours.in_lessons(building, self.now_ms) for building in buildings
        )

    def _last(self, incident: Incident) -> Evidence | None:
        """Return what was seen when an incident ended."""
        changes = self.store.alarms.transitions_of(incident.target, _NEWEST)
        for change in changes:
            if change.incident_id == incident.id and change.to_state is AlarmState.OK:
                return readable(change.evidence)
        return None

    def rows(
        self,
        telling: Telling,
        written: Written,
        incident: Incident | None,
        memory: ThreadMemory | None = None,
    ) -> list[Mail]:
        """Return the mails of a telling, each an answer to its recipient's first."""
        sender, content = self.settings.mail.sender, written.content
        found = []
        for to in telling.recipients:
            this = (telling.event, telling.number)
            first = memory.told[to] if memory else this
            answered = "" if first == this else message_id(incident, *first, to, sender)
            found.append(
                Mail(
                    id=0,
                    incident_id=incident.id if incident else 0,
                    event=telling.event,
                    number=telling.number,
                    recipient=to,
                    message_id=message_id(incident, *this, to, sender),
                    in_reply_to=answered,
                    subject=content.subject,
                    text=content.text,
                    html=content.html,
                    created_ms=self.now_ms,
                    attempts=0,
                    next_try_ms=self.now_ms,
                    sent_ms=None,
                    last_error="",
                    unwritten=written.failed,
                )
            )
        return found
