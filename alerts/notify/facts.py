"""What the planner is given and what it answers; all times are UTC milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import Struct

from alerts.classes import Audience, Severity
from alerts.mails.notice import Aside
from alerts.notify.routing import Routing
from alerts.rules import BELOW_BY_CONTRACT
from netmon.config import AlertSettings
from netmon.storage.records import MailEvent, ThreadLevel

# The gravest first.
SEVERITIES = tuple(Severity)


def rank(severity: Severity) -> int:
    """Return how far a severity is from the gravest, which is 0."""
    return SEVERITIES.index(severity)


class Readiness(StrEnum):
    """Whether an incident may be told now.

    ``HOURS``: not before lessons begin or the next digest. ``MUTED``: somebody has
    said that it is known.
    """

    DUE = "due"
    HOURS = "hours"
    MUTED = "muted"


@dataclass(frozen=True, slots=True)
class Case:
    """An open incident that nobody was told of.

    ``place`` is the building, or the target of what stands in no building.
    ``segments`` are the stretches that its lines share with other buildings, the
    narrowest first, and only where it has lost all its lines; ``began_ms`` is when.
    ``started_ms`` is when it was confirmed, ``until_ms`` when a muting ends, None where
    nobody knows.
    """

    id: int
    rule: str
    place: str
    district: str
    severity: Severity
    audiences: tuple[Audience, ...]
    readiness: Readiness = Readiness.DUE
    segments: tuple[str, ...] = ()
    began_ms: int = 0
    started_ms: int = 0
    until_ms: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether it is a known contract, which is no fault."""
        return self.rule == BELOW_BY_CONTRACT


class ThreadMemory(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the planner remembers of a thread; JSON in the store.

    ``told`` says by recipient which mail was the first, ``scopes`` which members are
    meant where that are not all. ``joined_ms`` is when alarm or update last went out,
    ``began_ms`` when the buildings behind a segment were lost. ``asides`` counts the
    updates about no followers, ``flaps`` and ``progress`` say which of them went out.
    """

    severity: Severity
    joined_ms: int
    began_ms: int = 0
    told: Mapping[str, tuple[MailEvent, int]] = {}
    recovered: tuple[str, ...] = ()
    scopes: Mapping[str, tuple[int, ...]] = {}
    updates: int = 0
    asides: int = 0
    flaps: bool = False
    progress: bool = False
    reminders: int = 0
    reminded_ms: int | None = None
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """An incident of a thread; ``ended_ms`` is None while it is open."""

    id: int
    rule: str
    place: str
    district: str
    ended_ms: int | None


@dataclass(frozen=True, slots=True)
class Party:
    """An open thread.

    ``ready`` says whether one of its open members might be told now, were it new.
    ``flapping`` are the open members that come and go, which no mail has said yet.
    """

    id: int
    level: ThreadLevel
    key: str
    opened_ms: int
    members: tuple[Member, ...]
    memory: ThreadMemory
    acknowledged: bool = False
    ready: bool = True
    flapping: tuple[int, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether it is about known contracts alone, which are no faults."""
        return all(member.rule == BELOW_BY_CONTRACT for member in self.members)

    @property
    def open_ids(self) -> tuple[int, ...]:
        """The members that have not ended."""
        return tuple(m.id for m in self.members if m.ended_ms is None)

    @property
    def is_over(self) -> bool:
        """Whether all members have ended."""
        return all(member.ended_ms is not None for member in self.members)


@dataclass(frozen=True, slots=True)
class Known:
    """Everything a plan is made of.

    ``made_ms`` are the times of the mails of the last storm window, digests left
    out. ``alarmed_ms`` is when alarm or update of a severity last went out.
    """

    now_ms: int
    cases: Sequence[Case]
    parties: Sequence[Party]
    made_ms: Sequence[int]
    alarmed_ms: Mapping[Severity, int]
    routing: Routing
    settings: AlertSettings

    @property
    def window_ms(self) -> int:
        """How long a storm counts."""
        return round(1000 * self.settings.notify.storm_window_s)

    @property
    def batch_ms(self) -> int:
        """How long followers are collected."""
        return round(1000 * self.settings.notify.batch_s)


@dataclass(frozen=True, slots=True)
class Telling:
    """One mail to each recipient; ``about`` are the incidents it is about.

    ``aside`` is None but for an update that tells of no followers.
    """

    event: MailEvent
    number: int
    recipients: tuple[str, ...]
    about: tuple[int, ...]
    aside: Aside | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a thread; ``thread_id`` 0 opens one.

    ``members`` are all of it after the step, the first one gives the number.
    """

    thread_id: int
    level: ThreadLevel
    key: str
    opened_ms: int
    members: tuple[int, ...]
    memory: ThreadMemory
    joined: tuple[int, ...] = ()
    tellings: tuple[Telling, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done now, and when something is due again unless news come."""

    steps: tuple[Step, ...] = ()
    alarmed_ms: Mapping[Severity, int] = field(default_factory=dict)
    next_ms: int = 0
