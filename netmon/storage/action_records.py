"""What people decide about alarms, as the state store keeps it; times are UTC ms."""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum

from msgspec import Struct

from netmon.school_calendar import Weekday
from netmon.storage.records import MailEvent


class MaintenanceScope(StrEnum):
    """What a maintenance window names."""

    BUILDING = "building"
    CAMPUS_DISTRICT = "campus_district"
    PROVIDER = "provider"


class OneOff(Struct, frozen=True, kw_only=True, tag_field="kind", tag="one_off"):
    """From ``starts_ms`` up to, not with, ``ends_ms``."""

    starts_ms: int
    ends_ms: int


class Weekly(
    Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag="weekly",
    forbid_unknown_fields=True,
):
    """On some weekdays, by the clock on the wall in Dortmund.

    Begins on days from ``first`` to ``last`` but those ``excluded``. ``end`` not
    after ``start`` is on the day after, so from 00:00 to 00:00 is a whole day.
    """

    days: tuple[Weekday, ...]
    start: time
    end: time
    first: date
    last: date
    excluded: tuple[date, ...] = ()


class Maintenance(Struct, frozen=True, kw_only=True):
    """A window in which alarms of a place or provider wait.

    ``id`` is 0 before it is stored. ``ends_ms`` is when its last time is over.
    ``cancelled_ms`` is None unless somebody ended it earlier.
    """

    id: int
    scope: MaintenanceScope
    value: str
    when: OneOff | Weekly
    ends_ms: int
    reason: str
    author: str
    created_ms: int
    cancelled_ms: int | None = None
    cancelled_by: str = ""


class MatchField(StrEnum):
    """What of an incident a silence looks at."""

    RULE = "rule"
    BUILDING = "building"
    CAMPUS_DISTRICT = "campus_district"
    PROVIDER = "provider"
    SEVERITY = "severity"
    TARGET = "target"


class Matcher(Struct, frozen=True, forbid_unknown_fields=True):
    """``field=value``, or ``field!=value`` where it is ``negated``."""

    field: MatchField
    value: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{self.field}{'!=' if self.negated else '='}{self.value}"


class Silence(Struct, frozen=True, kw_only=True):
    """Alarms that fit all matchers wait, from ``starts_ms`` up to ``ends_ms``.

    ``id`` and ``cancelled_*`` are as in `Maintenance`.
    """

    id: int
    matchers: tuple[Matcher, ...]
    starts_ms: int
    ends_ms: int
    reason: str
    author: str
    created_ms: int
    cancelled_ms: int | None = None
    cancelled_by: str = ""


class Mark(Struct, frozen=True, kw_only=True):
    """What somebody said of an incident: that it is seen to, or that it was false."""

    incident_id: int
    at_ms: int
    author: str
    note: str


class Via(StrEnum):
    """By which way somebody acted: who a name is depends on it."""

    SHELL = "shell"
    API = "api"
    SITE = "site"


class Actor(Struct, frozen=True):
    """Who acts: an operator, an account of the site, or the user of a shell."""

    name: str
    via: Via


class AuditAction(StrEnum):
    """What can be done; ``actions.audit.<action>`` names it."""

    MAINTENANCE_ADDED = "maintenance_added"
    MAINTENANCE_CANCELLED = "maintenance_cancelled"
    SILENCE_ADDED = "silence_added"
    SILENCE_ENDED = "silence_ended"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    MARKED_FALSE = "marked_false"
    OPERATOR_ADDED = "operator_added"
    OPERATOR_REVOKED = "operator_revoked"
    YEAR_FROZEN = "year_frozen"
    YEAR_IMPORTED = "year_imported"


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One action; ``subject`` is e.g. ``incident:12``, ``detail`` its reason or note."""

    id: int
    at_ms: int
    author: str
    via: Via
    action: AuditAction
    subject: str
    detail: str


class Operator(Struct, frozen=True, kw_only=True):
    """Somebody who may act through the API."""

    id: int
    name: str
    created_ms: int


class ToldMail(Struct, frozen=True, kw_only=True):
    """A mail that told of an incident; ``sent_ms`` is None until it was taken."""

    event: MailEvent
    recipient: str
    created_ms: int
    sent_ms: int | None


class RuleQuality(Struct, frozen=True, kw_only=True):
    """Of the incidents of a rule: how many began, were seen to, were false."""

    rule: str
    opened: int
    acknowledged: int
    marked_false: int


def incident_subject(incident_id: int) -> str:
    """Return how the audit trail calls an incident."""
    return f"incident:{incident_id}"
