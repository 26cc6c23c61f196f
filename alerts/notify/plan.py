"""Which mails are made now; pure: given everything and the time.

In the order in which they may use up what a storm window allows: alarms, the
gravest first, ends, followers, what else is new of a thread, escalations, reminders. What finds no room waits for
the next look and is never dropped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from alerts.classes import Audience, Severity
from alerts.mails.notice import Aside
from alerts.notify.budget import Budget
from alerts.notify.facts import (
    Case,
    Known,
    Party,
    Plan,
    Readiness,
    Step,
    Telling,
    ThreadMemory,
    rank,
)
from alerts.notify.grouping import (
    Group,
    Matcher,
    grouped,
    lost_together,
    segment_of,
)
from alerts.rules import BELOW_BY_CONTRACT
from netmon.storage.records import MailEvent, ThreadLevel

# Lessons begin, windows are cancelled, incidents are acknowledged without a word to us.
LOOK_MS = 60_000
# Each time followers were told, the next ones are collected so many times longer.
_SLOWER = 4
# While more and more come they are told after so many storm windows all the same.
_LONGEST_WINDOWS = 2
# Threads of so many are told that most of it is over, once so large a share is.
_MANY, _MOST = 4, 0.75
# What is less grave stands in the digest, day by day.
_REMINDED = (Severity.CRITICAL, Severity.MAJOR)


def plan(known: Known) -> Plan:
    """Return the steps of this moment."""
    return _Planner(known).run()


@dataclass(slots=True)
class _Draft:
    """What becomes of an open thread in this look."""

    party: Party
    memory: ThreadMemory
    joined: list[int] = field(default_factory=list)
    tellings: list[Telling] = field(default_factory=list)


class _Planner:
    def __init__(self, known: Known) -> None:
        self._known = known
        self._now_ms = known.now_ms
        self._budget = Budget(known)
        self._drafts = {p.id: _Draft(p, p.memory) for p in known.parties}
        self._opened: list[Step] = []
        self._alarmed: dict[Severity, int] = dict(known.alarmed_ms)
        self._next_ms = [known.now_ms + LOOK_MS]

    def run(self) -> Plan:
        followers, fresh = self._sorted_out()
        for group in sorted(fresh, key=lambda group: rank(group.severity)):
            self._open(group)
        for draft in self._drafts.values():
            self._recover(draft)
        for party_id, cases in followers.items():
            self._follow(self._drafts[party_id], cases)
        for draft in self._drafts.values():
            self._say_it_flaps(draft)
            self._say_how_far(draft)
            self._escalate(draft)
            self._remind(draft)
        if self._budget.refused:
            oldest_ms = min(self._known.made_ms, default=self._now_ms)
            self._next_ms.append(oldest_ms + self._known.window_ms)
        steps = [*self._opened, *self._changed()]
        later = [ms for ms in self._next_ms if ms > self._now_ms]
        return Plan(tuple(steps), self._alarmed, min(later))

    def _sorted_out(self) -> tuple[dict[int, list[Case]], list[Group]]:
        """Return who follows which thread, and what opens one."""
        known = self._known
        followers: dict[int, list[Case]] = defaultdict(list)
        left: list[tuple[Case, Party | None]] = []
        matcher = Matcher(known)
        for case in known.cases:
            if case.until_ms is not None:
                self._next_ms.append(case.until_ms)
            party = matcher.party_for(case)
            if party is not None and self._lost_too(party, case):
                followers[party.id].append(case)
            else:
                left.append((case, party))
        together = [
            self._with_the_rest(group, [case for case, _ in left])
            for group in lost_together([case for case, _ in left], known.window_ms)
        ]
        lost = {case.id for group in together for case in group.cases}
        alone: list[Case] = []
        for case, party in left:
            if case.id in lost or case.readiness is not Readiness.DUE:
                continue
            if party is not None:
                followers[party.id].append(case)
            else:
                alone.append(case)
        self._follow_the_cause(followers, alone)
        ready = [case for case in alone if self._batch_is_over(case.severity)]
        faults = [case for case in ready if not case.is_known]
        contracts = [case for case in ready if case.is_known]
        fresh = [
            g for cases in (faults, contracts) if cases for g in grouped(cases, known)
        ]
        return followers, [*together, *fresh]

    @staticmethod
    def _with_the_rest(group: Group, cases: Sequence[Case]) -> Group:
        """Return a group with what else is due in its buildings."""
        places = {case.place for case in group.cases}
        taken = {case.id for case in group.cases}
        rest = [
            case
            for case in cases
            if case.place in places
            and case.id not in taken
            and case.readiness is Readiness.DUE
            and not case.is_known
            and rank(case.severity) >= rank(group.severity)
        ]
        return Group(group.level, group.key, (*group.cases, *rest))

    def _follow_the_cause(
        self, followers: dict[int, list[Case]], alone: list[Case]
    ) -> None:
        """Move what a building has beside its cause to where that one goes."""
        going = {
            case.place: number for number, cases in followers.items() for case in cases
        }
        for case in alone:
            number = 0 if case.is_known else going.get(case.place, 0)
            if number and rank(self._drafts[number].memory.severity) <= rank(
                case.severity
            ):
                followers[number].append(case)
        taken = {case.id for cases in followers.values() for case in cases}
        alone[:] = [case for case in alone if case.id not in taken]

    @staticmethod
    def _lost_too(party: Party, case: Case) -> bool:
        """Say whether a building was lost behind the segment that a thread names."""
        behind = segment_of(party.key) in case.segments
        return behind and case.readiness is not Readiness.MUTED

    def _batch_is_over(self, severity: Severity) -> bool:
        """Say whether an alarm may go out: the first at once, what follows together.

        What is graver than all that was told is the first of its kind.
        """
        told = [
            ms for s, ms in self._known.alarmed_ms.items() if rank(s) <= rank(severity)
        ]
        over_ms = max(told) + self._known.batch_ms if told else self._now_ms
        self._next_ms.append(over_ms)
        return self._now_ms >= over_ms

    def _open(self, group: Group) -> None:
        known = self._known
        audiences = {a for case in group.cases for a in case.audiences}
        audiences.add(Audience.SERVICE)
        if group.level is ThreadLevel.CAUSE:
            audiences.discard(Audience.DISTRICT)
        districts = {case.district for case in group.cases}
        everybody = known.routing.addresses(sorted(audiences), districts)
        audiences.discard(Audience.DISTRICT)
        fewer = known.routing.addresses(sorted(audiences))
        for recipients in dict.fromkeys((everybody, fewer)):
            if recipients and self._budget.take(len(recipients), group.severity):
                break
        else:
            return
        members = tuple(case.id for case in group.cases)
        memory = ThreadMemory(
            severity=group.severity,
            joined_ms=self._now_ms,
            began_ms=max(case.began_ms for case in group.cases),
            told=dict.fromkeys(recipients, (MailEvent.ALARM, 0)),
        )
        telling = Telling(MailEvent.ALARM, 0, recipients, members)
        self._alarmed[group.severity] = self._now_ms
        self._opened.append(
            Step(
                0,
                group.level,
                group.key,
                self._now_ms,
                members,
                memory,
                joined=members,
                tellings=(telling,),
            )
        )

    def _recover(self, draft: _Draft) -> None:
        """Tell everybody who was told, once all that concerns them is over."""
        party, memory = draft.party, draft.memory
        over = {m.id for m in party.members if m.ended_ms is not None}
        known = {m.id for m in party.members if m.rule == BELOW_BY_CONTRACT}
        everything = tuple(m.id for m in party.members)
        waiting: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for recipient in memory.told:
            about = memory.scopes.get(recipient, everything)
            # A known contract in a digest keeps no end of a fault waiting for years.
            about = tuple(one for one in about if one not in known) or about
            if recipient not in memory.recovered and over.issuperset(about):
                waiting[about].append(recipient)
        for about, recipients in waiting.items():
            if not self._budget.take(len(recipients)):
                continue
            telling = Telling(MailEvent.RECOVERY, 0, tuple(recipients), about)
            draft.tellings.append(telling)
            recovered = (*draft.memory.recovered, *recipients)
            draft.memory = replace(draft.memory, recovered=recovered)

    def _follow(self, draft: _Draft, cases: Sequence[Case]) -> None:
        known, party, memory = self._known, draft.party, draft.memory
        longest_ms = max(known.batch_ms, _LONGEST_WINDOWS * known.window_ms)
        wait_ms = min(
            known.batch_ms * _SLOWER ** (memory.updates - memory.asides), longest_ms
        )
        # Once it has been calm for a batch there is something to tell.
        calm_ms = max(case.started_ms for case in cases) + known.batch_ms
        due_ms = memory.joined_ms + wait_ms
        due_ms = min(max(due_ms, calm_ms), memory.joined_ms + longest_ms)
        if self._now_ms < due_ms:
            self._next_ms.append(due_ms)
            return
        audiences = {a for case in cases for a in case.audiences}
        if party.level is ThreadLevel.CAUSE:
            audiences.discard(Audience.DISTRICT)
        districts = {case.district for case in cases}
        more = known.routing.addresses(sorted(audiences), districts)
        recipients = tuple(dict.fromkeys((*memory.told, *more)))
        worst = min((case.severity for case in cases), key=rank)
        if not self._budget.take(len(recipients), worst):
            return
        number = memory.updates + 1
        about = tuple(sorted(case.id for case in cases))
        draft.joined += about
        draft.tellings.append(Telling(MailEvent.UPDATE, number, recipients, about))
        draft.memory = replace(
            memory,
            joined_ms=self._now_ms,
            updates=number,
            told=_with(memory.told, recipients, MailEvent.UPDATE, number),
        )
        self._alarmed[worst] = self._now_ms

    def _say_it_flaps(self, draft: _Draft) -> None:
        """Tell once that what was told comes and goes, so that no end comes soon."""
        flapping = draft.party.flapping
        if flapping and not draft.memory.flaps:
            self._aside(draft, Aside.FLAPPING, flapping)

    def _say_how_far(self, draft: _Draft) -> None:
        """Tell once that most of many is over, if the end is not near."""
        ends = [m.ended_ms for m in draft.party.members if m.ended_ms is not None]
        many = len(draft.party.members)
        if (
            draft.memory.progress
            or many < _MANY
            or not _MOST * many <= len(ends) < many
        ):
            return
        due_ms = max(ends) + self._known.window_ms
        if self._now_ms < due_ms:
            self._next_ms.append(due_ms)
            return
        self._aside(draft, Aside.PROGRESS, draft.party.open_ids)

    def _aside(self, draft: _Draft, aside: Aside, about: tuple[int, ...]) -> None:
        party, memory = draft.party, draft.memory
        told = party.level is not ThreadLevel.DIGEST and party.ready
        if not told or draft.tellings or memory.severity is Severity.INFO:
            return
        recipients = tuple(to for to in memory.told if to not in memory.recovered)
        if not recipients or not self._budget.take(len(recipients)):
            return
        number = memory.updates + 1
        draft.tellings.append(
            Telling(MailEvent.UPDATE, number, recipients, about, aside)
        )
        draft.memory = replace(
            memory,
            updates=number,
            asides=memory.asides + 1,
            flaps=memory.flaps or aside is Aside.FLAPPING,
            progress=memory.progress or aside is Aside.PROGRESS,
        )

    def _escalate(self, draft: _Draft) -> None:
        if not self._asks_for_attention(draft):
            return
        party, memory = draft.party, draft.memory
        steps = self._known.settings.reminders.steps
        if memory.steps >= len(steps):
            return
        step = steps[memory.steps]
        due_ms = party.opened_ms + round(1000 * step.after_s)
        if self._now_ms < due_ms:
            self._next_ms.append(due_ms)
            return
        districts = {m.district for m in party.members}
        audience = (Audience(step.audience),)
        recipients = self._known.routing.addresses(audience, districts)
        if recipients and not self._budget.take(len(recipients), memory.severity):
            return
        number = memory.steps + 1
        if recipients:
            draft.tellings.append(
                Telling(MailEvent.ESCALATION, number, recipients, party.open_ids)
            )
        told = _with(memory.told, recipients, MailEvent.ESCALATION, number)
        draft.memory = replace(memory, steps=number, told=told)

    def _remind(self, draft: _Draft) -> None:
        reminders = self._known.settings.reminders
        if not reminders.after_s or not self._asks_for_attention(draft):
            return
        party, memory = draft.party, draft.memory
        if memory.reminded_ms is None:
            due_ms = party.opened_ms + round(1000 * reminders.after_s)
        else:
            due_ms = memory.reminded_ms + round(1000 * reminders.every_s)
        if self._now_ms < due_ms:
            self._next_ms.append(due_ms)
            return
        recipients = tuple(memory.told)
        if not self._budget.take(len(recipients)):
            return
        number = memory.reminders + 1
        draft.tellings.append(
            Telling(MailEvent.REMINDER, number, recipients, party.open_ids)
        )
        draft.memory = replace(memory, reminders=number, reminded_ms=self._now_ms)

    @staticmethod
    def _asks_for_attention(draft: _Draft) -> bool:
        party = draft.party
        return (
            party.level is not ThreadLevel.DIGEST
            and draft.memory.severity in _REMINDED
            and not draft.tellings
            and not party.is_over
            and len(draft.memory.recovered) < len(draft.memory.told)
            and not party.acknowledged
            and party.ready
        )

    def _changed(self) -> Iterable[Step]:
        for draft in self._drafts.values():
            party, memory = draft.party, draft.memory
            closed = party.is_over and len(memory.recovered) == len(memory.told)
            if memory is party.memory and not closed:
                continue
            yield Step(
                party.id,
                party.level,
                party.key,
                party.opened_ms,
                (*(m.id for m in party.members), *draft.joined),
                memory,
                joined=tuple(draft.joined),
                tellings=tuple(draft.tellings),
                closed=closed,
            )


def _with(
    told: Mapping[str, tuple[MailEvent, int]],
    recipients: Iterable[str],
    event: MailEvent,
    number: int,
) -> dict[str, tuple[MailEvent, int]]:
    """Return who was told with which mail first, these recipients added."""
    return {**dict.fromkeys(recipients, (event, number)), **told}
