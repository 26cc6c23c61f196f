"""What the API answers about windows, silences, marks and the audit trail."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from dashboards.schema_base import Moment
from dashboards.schemas import MarkReply, MutedReply
from netmon.actions import Muted, windows
from netmon.clock import from_ms
from netmon.school_calendar import Weekday
from netmon.storage.action_records import (
    AuditAction,
    AuditEntry,
    Maintenance,
    MaintenanceScope,
    Mark,
    MatchField,
    OneOff,
    Silence,
    Via,
    Weekly,
)

_END = {"cancelled_at": None, "cancelled_by": ""}
_WHO = {
    "reason": "Austausch des Routers",
    "author": "leitstelle",
    "created_at": "2026-11-20T07:12:00.000Z",
    **_END,
}


def _config(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(frozen=True, json_schema_extra={"examples": [example]})


class OneOffReply(BaseModel):
    """A window from one time to another."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["one_off"] = "one_off"
    starts_at: Moment
    ends_at: Moment


class WeeklyReply(BaseModel):
    """A window on some weekdays, by the clock on the wall in Europe/Berlin.

    ``end`` not after ``start`` is on the day after.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["weekly"] = "weekly"
    days: list[Weekday]
    start: str
    end: str
    first: date
    last: date
    excluded: list[date]


class MaintenanceReply(BaseModel):
    """A maintenance window; ``counts_until`` null while it does not count."""

    model_config = _config(
        {
            "id": 3,
            "scope": "building",
            "value": "gs-07",
            "when": {
                "kind": "one_off",
                "starts_at": "2026-12-01T17:00:00.000Z",
                "ends_at": "2026-12-01T21:00:00.000Z",
            },
            "counts_until": None,
            "next_start_at": "2026-12-01T17:00:00.000Z",
            "ends_at": "2026-12-01T21:00:00.000Z",
            **_WHO,
        }
    )

    id: int
    scope: MaintenanceScope
    value: str
    when: OneOffReply | WeeklyReply
    counts_until: Moment | None
    next_start_at: Moment | None
    ends_at: Moment
    reason: str
    author: str
    created_at: Moment
    cancelled_at: Moment | None
    cancelled_by: str


class MatcherReply(BaseModel):
    """``field=value``, or ``field!=value`` where it is ``negated``."""

    model_config = ConfigDict(frozen=True)

    field: MatchField
    value: str
    negated: bool


class SilenceReply(BaseModel):
    """A silence: incidents that fit all matchers wait while it ``counts``."""

    model_config = _config(
        {
            "id": 4,
            "matchers": [{"field": "rule", "value": "ap_down", "negated": False}],
            "starts_at": "2026-11-20T07:12:00.000Z",
            "ends_at": "2026-12-04T07:12:00.000Z",
            "counts": True,
            **_WHO,
        }
    )

    id: int
    matchers: list[MatcherReply]
    starts_at: Moment
    ends_at: Moment
    counts: bool
    reason: str
    author: str
    created_at: Moment
    cancelled_at: Moment | None
    cancelled_by: str


class AuditEntryReply(BaseModel):
    """One action; ``subject`` is e.g. ``incident:12``, ``detail`` its reason or note."""

    model_config = _config(
        {
            "id": 17,
            "at": "2026-11-20T07:12:00.000Z",
            "author": "leitstelle",
            "via": "api",
            "action": "acknowledged",
            "subject": "incident:12",
            "detail": "Techniker ist bestellt",
        }
    )

    id: int
    at: Moment
    author: str
    via: Via
    action: AuditAction
    subject: str
    detail: str


class MaintenanceListReply(BaseModel):
    """Maintenance windows, newest first."""

    model_config = ConfigDict(frozen=True)

    at: Moment
    maintenance: list[MaintenanceReply]


class SilencesReply(BaseModel):
    """Silences, newest first."""

    model_config = ConfigDict(frozen=True)

    at: Moment
    silences: list[SilenceReply]


class AuditReply(BaseModel):
    """What was done, newest first."""

    model_config = ConfigDict(frozen=True)

    entries: list[AuditEntryReply]


def _at(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


def _when(when: OneOff | Weekly) -> OneOffReply | WeeklyReply:
    if isinstance(when, OneOff):
        return OneOffReply(
            starts_at=from_ms(when.starts_ms), ends_at=from_ms(when.ends_ms)
        )
    return WeeklyReply(
        days=list(when.days),
        start=when.start.isoformat(),
        end=when.end.isoformat(),
        first=when.first,
        last=when.last,
        excluded=list(when.excluded),
    )


def maintenance(one: Maintenance, now_ms: int) -> MaintenanceReply:
    """Return a maintenance window."""
    return MaintenanceReply(
        id=one.id,
        scope=one.scope,
        value=one.value,
        when=_when(one.when),
        counts_until=_at(windows.counts_until_ms(one, now_ms)),
        next_start_at=_at(windows.next_start_ms(one, now_ms)),
        ends_at=from_ms(one.ends_ms),
        reason=one.reason,
        author=one.author,
        created_at=from_ms(one.created_ms),
        cancelled_at=_at(one.cancelled_ms),
        cancelled_by=one.cancelled_by,
    )


def silence(one: Silence, now_ms: int) -> SilenceReply:
    """Return a silence."""
    return SilenceReply(
        id=one.id,
        matchers=[
            MatcherReply(field=x.field, value=x.value, negated=x.negated)
            for x in one.matchers
        ],
        starts_at=from_ms(one.starts_ms),
        ends_at=from_ms(one.ends_ms),
        counts=windows.silence_counts(one, now_ms),
        reason=one.reason,
        author=one.author,
        created_at=from_ms(one.created_ms),
        cancelled_at=_at(one.cancelled_ms),
        cancelled_by=one.cancelled_by,
    )


def entry(one: AuditEntry) -> AuditEntryReply:
    """Return an entry of the audit trail."""
    return AuditEntryReply(
        id=one.id,
        at=from_ms(one.at_ms),
        author=one.author,
        via=one.via,
        action=one.action,
        subject=one.subject,
        detail=one.detail,
    )


def mark(one: Mark) -> MarkReply:
    """Return what somebody said of an incident."""
    return MarkReply(author=one.author, at=from_ms(one.at_ms), note=one.note)


def muted(one: Muted | None) -> MutedReply | None:
    """Return why something waits; None stays None."""
    if one is None:
        return None
    return MutedReply(
        by=one.by,
        id=one.id,
        reason=one.reason,
        author=one.author,
        until=from_ms(one.until_ms),
    )
