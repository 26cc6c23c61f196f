"""A played outbox: what the planner says is done, and the clock goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from alerts.classes import Audience, Severity
from alerts.notify.digest import digest_step, fresh_cases
from alerts.notify.facts import Case, Known, Member, Party, Plan, Readiness, Step
from alerts.notify.plan import plan
from alerts.notify.routing import Routing
from netmon.config import AlertSettings
from netmon.storage.records import MailEvent, ThreadLevel

SERVICE, NOC = "service@x", "noc@x"
ROUTING = Routing(
    (SERVICE,),
    (NOC,),
    {f"Campusbezirk {n}": (f"cm{n}@x",) for n in range(1, 12)},
)
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000

_KINDS = {
    "monitor": (Severity.CRITICAL, (Audience.NOC, Audience.SERVICE)),
    "line_down": (
        Severity.CRITICAL,
        (Audience.SERVICE, Audience.DISTRICT, Audience.NOC),
    ),
    "no_data": (Severity.MAJOR, (Audience.SERVICE, Audience.DISTRICT)),
    "line_below_target": (Severity.MAJOR, (Audience.SERVICE, Audience.DISTRICT)),
    "device_down": (Severity.MAJOR, (Audience.NOC, Audience.SERVICE)),
    "ap_down": (Severity.MINOR, (Audience.SERVICE, Audience.DISTRICT)),
    "below_by_contract": (Severity.INFO, (Audience.SERVICE,)),
}


def case(
    number: int,
    rule: str = "line_down",
    building: int = 1,
    *,
    readiness: Readiness = Readiness.DUE,
    segments: tuple[str, ...] = (),
    began_ms: int = 0,
    until_ms: int | None = None,
) -> Case:
    """An incident of a building; buildings 1, 12, 23.. are in Campusbezirk 1."""
    severity, audiences = _KINDS[rule]
    return Case(
        id=number,
        rule=rule,
        place=f"b-{building}",
        district=f"Campusbezirk {(building - 1) % 11 + 1}",
        severity=severity,
        audiences=audiences,
        readiness=readiness,
        segments=segments,
        began_ms=began_ms,
        until_ms=until_ms,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A mail as it would stand in the outbox."""

    at_s: int
    event: MailEvent
    recipient: str
    thread: int
    about: tuple[int, ...]


@dataclass
class Outbox:
    """Everything the planner remembers, between its looks."""

    settings: AlertSettings = field(default_factory=AlertSettings)
    routing: Routing = ROUTING
    now_ms: int = 0
    cases: dict[int, Case] = field(default_factory=dict)
    parties: dict[int, Party] = field(default_factory=dict)
    closed: dict[int, Party] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    alarmed_ms: dict[Severity, int] = field(default_factory=dict)
    acknowledged: set[int] = field(default_factory=set)
    flapping: set[int] = field(default_factory=set)
    never_told: list[int] = field(default_factory=list)
    seen: dict[int, Case] = field(default_factory=dict)

    def raised(self, *cases: Case) -> None:
        for one in cases:
            began = replace(one, started_ms=self.now_ms)
            self.cases[one.id] = self.seen[one.id] = began

    def ended(self, numbers: Iterable[int]) -> None:
        wanted = set(numbers)
        for number in wanted & self.cases.keys():
            del self.cases[number]
            self.never_told.append(number)
        for key, party in self.parties.items():
            members = tuple(
                replace(m, ended_ms=self.now_ms)
                if m.id in wanted and m.ended_ms is None
                else m
                for m in party.members
            )
            self.parties[key] = replace(party, members=members)

    def look(self) -> Plan:
        planned = plan(
            Known(
                self.now_ms,
                list(self.cases.values()),
                [
                    replace(
                        p,
                        acknowledged=p.members[0].id in self.acknowledged,
                        flapping=tuple(
                            m.id
                            for m in p.members
                            if m.id in self.flapping and m.ended_ms is None
                        ),
                    )
                    for p in self.parties.values()
                ],
                [r.at_s * 1000 for r in self.rows if r.event is not MailEvent.DIGEST],
                self.alarmed_ms,
                self.routing,
                self.settings,
            )
        )
        assert planned.next_ms > self.now_ms
        self.alarmed_ms = dict(planned.alarmed_ms)
        for step in planned.steps:
            self._take(step)
        return planned

    def digest(self, day: int = 20261120) -> None:
        fresh = fresh_cases(list(self.cases.values()))
        step = digest_step(fresh, self.routing, day, self.now_ms)
        if step is not None:
            self._take(step)

    def _take(self, step: Step) -> None:
        number = step.thread_id or len(self.parties) + len(self.closed) + 1
        old = self.parties.get(number)
        members = list(old.members) if old else []
        for joined in step.joined:
            one = self.cases.pop(joined)
            members.append(Member(one.id, one.rule, one.place, one.district, None))
        assert [m.id for m in members] == list(step.members)
        party = Party(
            number, step.level, step.key, step.opened_ms, tuple(members), step.memory
        )
        self.rows += [
            Row(self.now_ms // 1000, telling.event, who, number, telling.about)
            for telling in step.tellings
            for who in telling.recipients
        ]
        if step.closed:
            self.parties.pop(number, None)
            self.closed[number] = party
        else:
            self.parties[number] = party

    def until(self, minutes: float, *, every_s: float = 15) -> None:
        """Look again and again, as the alarm process does, up to that minute."""
        end_ms = round(minutes * MINUTE)
        while self.now_ms < end_ms:
            self.now_ms = min(end_ms, self.now_ms + round(every_s * 1000))
            self.look()

    def told(self, since: int = 0) -> list[tuple[float, str, str]]:
        """Return (minute, event, recipient) of the mails from one on."""
        return [
            (r.at_s / 60, r.event.value, r.recipient.partition("@")[0])
            for r in self.rows[since:]
        ]

    def levels(self) -> list[tuple[ThreadLevel, str]]:
        both: Sequence[Party] = [*self.closed.values(), *self.parties.values()]
        return [(p.level, p.key) for p in sorted(both, key=lambda p: p.id)]
