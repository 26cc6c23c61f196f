"""What the morning digest has to tell, out of the store, and its mails."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from msgspec.structs import replace as changed

from alerts.mails import DigestFacts, render_digest
from alerts.notify.cases import Surroundings
from alerts.notify.digest import Reader, digest_step, fresh_cases, readers
from alerts.notify.facts import Case, Telling
from alerts.notify.routing import Routing
from alerts.notify.writing import Desk
from alerts.rules import (
    BELOW_BY_CONTRACT,
    LINE_DOWN,
    NO_DATA,
    Scope,
    lines_below_by_contract,
)
from netmon.clock import berlin_day, day_bucket
from netmon.storage.records import (
    AlarmState,
    Incident,
    Mail,
    MailEvent,
    Thread,
    ThreadLevel,
    ThreadNews,
)


@dataclass(frozen=True, slots=True)
class Briefing:
    """Writes the digest of one morning.

    ``threads`` are those open now, ``untold`` the open incidents in no thread, by
    number, and ``since_ms`` is when the last digest was.
    """

    desk: Desk
    around: Surroundings
    routing: Routing
    threads: Collection[Thread]
    untold: Mapping[int, Incident]
    since_ms: int

    def write(self, cases: Sequence[Case]) -> list[ThreadNews]:
        """Return what is to be stored: the thread of what is told first here, the mails.

        Raises:
            StorageError: the store refused.
        """
        desk = self.desk
        day = day_bucket(berlin_day(desk.now_ms))
        fresh = fresh_cases(cases)
        step = digest_step(fresh, self.routing, day, desk.now_ms)
        new = [self.untold[case.id] for case in fresh] if step else []
        facts = self._facts(new)
        threaded: list[Mail] = []
        others: list[Mail] = []
        for reader in readers(self.routing):
            told = self._for(reader, facts)
            if not told.is_news:
                continue
            url = desk.settings.gateway.public_url
            content = desk.written(
                MailEvent.DIGEST,
                (*told.fresh, *told.ongoing),
                partial(render_digest, told, desk.inventory, desk.texts, url),
            )
            telling = Telling(MailEvent.DIGEST, day, (reader.address,), ())
            heard = step is not None and reader.address in step.memory.told
            rows = desk.rows(telling, content, new[0] if heard else None)
            (threaded if heard else others).extend(rows)
        news: list[ThreadNews] = []
        if step is not None:
            # Every reader has a mail of their own in place of the step's.
            bare = desk.news(replace(step, tellings=()), self.untold)
            news.append(changed(bare, mails=tuple(threaded)))
        if others:
            news.append(ThreadNews(thread=None, mails=tuple(others)))
        return news

    def _facts(self, new: Sequence[Incident]) -> DigestFacts:
        desk, store = self.desk, self.desk.store
        taken = {incident.id for incident in new}
        ongoing = [
            incident
            for thread in self.threads
            for incident in store.threads.incidents(thread.id)
            if incident.ended_ms is None
        ]
        ended = store.threads.ended(self.since_ms, desk.now_ms)
        digests = {t.id for t in self.threads if t.level is ThreadLevel.DIGEST}
        stale: dict[bool, set[str]] = defaultdict(set)
        for row in store.alarms.states():
            if row.state is AlarmState.STALE:
                stale[row.target.startswith(f"{Scope.ACCESS_POINT}:")].add(row.target)
        return DigestFacts(
            at_ms=desk.now_ms,
            since_ms=self.since_ms,
            fresh=tuple(new),
            # Contracts that are known have a paragraph of their own.
            ongoing=tuple(
                i
                for i in (*ongoing, *self.untold.values())
                if i.id not in taken and i.rule != BELOW_BY_CONTRACT
            ),
            over=tuple(i for i, thread in ended if thread is None and self._counts(i)),
            # Of a contract's end a digest that told of faults too sends no mail.
            ended=tuple(
                i
                for i, thread in ended
                if thread in digests or (thread and i.rule == BELOW_BY_CONTRACT)
            ),
            gaps=tuple(i for i, _ in ended if i.rule in {NO_DATA, LINE_DOWN}),
            below=lines_below_by_contract(desk.inventory),
            stale=(len(stale[False]), len(stale[True])),
        )

    def _counts(self, incident: Incident) -> bool:
        """Say whether one that is over was not muted in the end."""
        if incident.building_id not in {"", *self.desk.inventory.building_by_id}:
            return False
        manner = self.around.manner(
            incident.rule, incident.building_id, incident.target
        )
        decided = self.around.decided_at(incident.ended_ms or self.desk.now_ms)
        return decided.muted_until_ms(incident, manner.severity) is None

    def _for(self, reader: Reader, facts: DigestFacts) -> DigestFacts:
        """Return what one reader is told."""
        around = self.around

        def heard(incidents: Sequence[Incident]) -> tuple[Incident, ...]:
            return tuple(
                i
                for i in incidents
                if reader.hears(
                    around.manner(i.rule, i.building_id, i.target).audiences,
                    around.district_of(i.building_id),
                )
            )

        fresh = heard(facts.fresh)
        return replace(
            facts,
            fresh=fresh,
            reference=self.desk.reference(fresh[0].id) if fresh else "",
            ongoing=heard(facts.ongoing),
            over=heard(facts.over),
            ended=heard(facts.ended),
            gaps=heard(facts.gaps),
            below=tuple(
                line
                for line in facts.below
                if reader.district in {"", around.district_of(line.building_id)}
            ),
            district=reader.district,
        )
