"""From incidents to mails: looks at what is new, plans, and writes it at once.

Threads, their members, the mails and the cursor are written in ONE transaction;
killed anywhere, the next run plans what was not written. An incident is in no thread
until somebody is told of it, so nothing is forgotten while it waits.

A look costs two small queries while nothing has changed and nothing is due.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from alerts.classes import Severity
from alerts.evidence import readable
from alerts.notify.briefing import Briefing
from alerts.notify.cases import (
    Hours,
    Surroundings,
    cases_of,
    is_ready,
)
from alerts.notify.decided import Decisions, Stored
from alerts.notify.facts import Known, Member, Party
from alerts.notify.plan import plan
from alerts.notify.routing import Routing
from alerts.notify.writing import Desk, read_memory
from alerts.rule_settings import EffectiveRules
from netmon.clock import Clock, to_ms
from netmon.config import Settings
from netmon.model import Inventory
from netmon.storage.current import EMPTY
from netmon.storage.ports import Store
from netmon.storage.records import (
    AlarmState,
    Incident,
    MailEvent,
    Thread,
    ThreadLevel,
    ThreadMember,
    ThreadNews,
)
from netmon.texts import Texts

_log = logging.getLogger(__name__)

READER = "mail"
_TRANSITIONS_A_STEP = 1000


class _Memory(Struct, omit_defaults=True, kw_only=True):
    """What is remembered from look to look, beside the cursor."""

    digested_ms: int
    alarmed_ms: dict[Severity, int] = {}


@dataclass(slots=True)
class _Open:
    """An open thread as this notifier left it."""

    thread: Thread
    members: dict[int, ThreadMember] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Advisers:
    """Who is asked for what the store does not say.

    ``decisions`` gets a moment and the inventory; None reads the store. ``reference``
    gets an incident's number and returns what the ticket system calls it, empty where it
    has no name for it; None asks the sinks, then the settings' pattern.
    """

    hours: Hours
    decisions: Callable[[int, Inventory], Decisions] | None = None
    reference: Callable[[int], str] | None = None


class Notifier:
    """Plans and queues mails; one at a time per store."""

    def __init__(
        self,
        store: Store,
        inventory: Callable[[], Inventory],
        settings: Settings,
        texts: Texts,
        clock: Clock,
        advisers: Advisers,
    ) -> None:
        self._store = store
        self._inventory = inventory
        self._settings = settings
        self._texts = texts
        self._clock = clock
        self._hours = advisers.hours
        self._decisions = advisers.decisions or self._stored
        self._rules = EffectiveRules(settings.alerts, EMPTY)
        self._rules_of = EMPTY
        self._reference = advisers.reference or self._ticket
        self._routing = Routing.of(settings)
        self._position: int | None = None
        self._look_ms = 0
        self._memory = _Memory(digested_ms=0)
        self._threads: dict[int, _Open] = {}
        self._made_ms: list[int] = []

    def run_once(self) -> int:
        """Plan what is due and queue its mails; return how many were queued.

        Raises:
            StorageBusyError: the store is held by another process; call again.
            StorageError: the store refused.
        """
        now_ms = to_ms(self._clock.now())
        position, news = self._read(now_ms)
        if not news and now_ms < self._look_ms:
            return 0
        # Until it is written, what is in memory is not to be trusted.
        before, self._position = self._position, None
        queued = self._look(position, now_ms, moved=position != before)
        self._position = position
        return queued

    def _stored(self, now_ms: int, inventory: Inventory) -> Decisions:
        return Stored(self._store, now_ms, inventory)

    def _ticket(self, incident_id: int) -> str:
        """Return what the ticket system calls an incident, or would by the pattern."""
        pattern = self._settings.alerts.notify.ticket
        known = self._store.deliveries.reference_of(incident_id)
        return known or (pattern.format(number=incident_id) if pattern else "")

    def _read(self, now_ms: int) -> tuple[int, bool]:
        """Follow the transitions; return up to where, and whether there is news."""
        cursor = self._store.cursors.get(READER)
        news = cursor.position != self._position
        if news:
            self._load(cursor.memory, now_ms)
        position = cursor.position
        while True:
            found = self._store.alarms.transitions_after(position, _TRANSITIONS_A_STEP)
            for transition in found:
                number = transition.incident_id
                news = news or number is not None
                if number is not None and transition.to_state is AlarmState.OK:
                    self._end(number, transition.at_ms)
            if found:
                position = found[-1].id
            if len(found) < _TRANSITIONS_A_STEP:
                return position, news

    def _load(self, memory: str, now_ms: int) -> None:
        """Read again what was written last."""
        self._memory = (
            msgspec.json.decode(memory, type=_Memory)
            if memory
            else _Memory(digested_ms=now_ms)
        )
        self._threads = {
            t.id: _Open(t) for t in self._store.threads.open() if _is_readable(t)
        }
        for member in self._store.threads.members():
            if (one := self._threads.get(member.thread_id)) is not None:
                one.members[member.incident_id] = member
        window_ms = round(1000 * self._settings.alerts.notify.storm_window_s)
        self._made_ms = [
            ms
            for ms, event in self._store.outbox.made_since(now_ms - window_ms)
            if event is not MailEvent.DIGEST
        ]

    def _end(self, incident_id: int, at_ms: int) -> None:
        for one in self._threads.values():
            member = one.members.get(incident_id)
            if member is not None:
                one.members[incident_id] = replace(member, ended_ms=at_ms)
                return

    def _look(self, position: int, now_ms: int, *, moved: bool) -> int:
        inventory = self._inventory()
        if inventory is not self._rules_of:
            self._rules = EffectiveRules(self._settings.alerts, inventory)
            self._rules_of = inventory
        around = Surroundings(
            inventory,
            self._hours,
            self._decisions(now_ms, inventory),
            lambda at_ms: self._decisions(at_ms, inventory),
            self._rules,
            self._settings.alerts.notify.outside_lessons,
        )
        untold = self._store.threads.untold()
        told = [m for one in self._threads.values() for m in one.members.values()]
        cases = cases_of(untold, told, around, now_ms)
        window_ms = round(1000 * self._settings.alerts.notify.storm_window_s)
        self._made_ms = [ms for ms in self._made_ms if ms > now_ms - window_ms]
        flapping = self._flapping()
        planned = plan(
            Known(
                now_ms,
                cases,
                [
                    self._party(one, around, flapping, now_ms)
                    for one in self._threads.values()
                ],
                self._made_ms,
                self._memory.alarmed_ms,
                self._routing,
                self._settings.alerts,
            )
        )
        desk = Desk(
            self._store,
            around.inventory,
            self._settings,
            self._texts,
            self._reference,
            around,
            now_ms,
        )
        fresh = {incident.id: incident for incident in untold}
        news = [desk.news(step, fresh) for step in planned.steps]
        memory = _Memory(
            digested_ms=self._memory.digested_ms, alarmed_ms=dict(planned.alarmed_ms)
        )
        digest_ms = self._hours.next_digest_ms(memory.digested_ms)
        if digest_ms <= now_ms:
            joined = {number for step in planned.steps for number in step.joined}
            left = [case for case in cases if case.id not in joined]
            threads = [one.thread for one in self._threads.values()]
            since_ms = self._memory.digested_ms
            briefing = Briefing(desk, around, self._routing, threads, fresh, since_ms)
            news += briefing.write(left)
            memory.digested_ms = now_ms
            digest_ms = self._hours.next_digest_ms(now_ms)
        if moved or news or memory != self._memory:
            self._write(news, fresh, memory, position, now_ms)
        self._look_ms = min(planned.next_ms, digest_ms)
        return sum(len(one.mails) for one in news)

    def _flapping(self) -> set[int]:
        """Return the incidents that came to flap after they began."""
        if not self._threads:
            return set()
        return {
            incident.id
            for incident in self._store.alarms.flapping()
            if (seen := readable(incident.evidence)) is not None and not seen.flapping
        }

    def _party(
        self, one: _Open, around: Surroundings, flapping: set[int], now_ms: int
    ) -> Party:
        thread = one.thread
        still = [m for m in one.members.values() if m.ended_ms is None]
        first = next(iter(one.members), 0)
        acknowledged = around.decisions.acknowledged
        digest = thread.level is ThreadLevel.DIGEST
        return Party(
            id=thread.id,
            level=thread.level,
            key=thread.key,
            opened_ms=thread.opened_ms,
            members=tuple(
                Member(
                    m.incident_id,
                    m.rule,
                    around.place_of(m.building_id, m.target),
                    around.district_of(m.building_id),
                    m.ended_ms,
                )
                for m in one.members.values()
            ),
            memory=read_memory(thread),
            # Whoever acknowledges the number of the mail means all of it.
            acknowledged=not digest
            and (
                acknowledged(first)
                or (bool(still) and all(acknowledged(m.incident_id) for m in still))
            ),
            ready=not digest and any(is_ready(m, around, now_ms) for m in still),
            flapping=tuple(m.incident_id for m in still if m.incident_id in flapping),
        )

    def _write(
        self,
        news: Sequence[ThreadNews],
        fresh: Mapping[int, Incident],
        memory: _Memory,
        position: int,
        now_ms: int,
    ) -> None:
        ids = self._store.threads.tell(
            news,
            reader=READER,
            position=position,
            now_ms=now_ms,
            memory=msgspec.json.encode(memory).decode(),
        )
        self._memory = memory
        for one, thread_id in zip(news, ids, strict=True):
            self._made_ms += [
                mail.created_ms
                for mail in one.mails
                if mail.event is not MailEvent.DIGEST
            ]
            if one.thread is None or thread_id is None:
                continue
            if one.thread.closed_ms is not None:
                self._threads.pop(thread_id, None)
                continue
            kept = self._threads.setdefault(thread_id, _Open(one.thread))
            kept.thread = replace(one.thread, id=thread_id)
            for number in one.joined:
                kept.members[number] = _member(thread_id, fresh[number], now_ms)


def _is_readable(thread: Thread) -> bool:
    """Say whether a thread's memory is ours; else its mails wait, and no others do."""
    try:
        read_memory(thread)
    except msgspec.DecodeError as error:
        _log.error("thread %d waits, its memory cannot be read: %s", thread.id, error)
        return False
    return True


def _member(thread_id: int, incident: Incident, now_ms: int) -> ThreadMember:
    return ThreadMember(
        thread_id=thread_id,
        incident_id=incident.id,
        rule=incident.rule,
        target=incident.target,
        building_id=incident.building_id,
        started_ms=incident.started_ms,
        ended_ms=None,
        added_ms=now_ms,
    )
