"""What a visitor may do about alarms: `netmon.actions.commands`, within their limits.

Forms and API come through here. Every function raises `ActionError` where it refuses,
and `StorageError` where the store does. What a visitor may not see is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dashboards.context import Site
from netmon.actions import commands
from netmon.actions.errors import ActionError, Refusal, fault
from netmon.actions.limits import (
    silence_concerns,
    silence_is_within,
    window_concerns,
    window_is_within,
)
from netmon.storage.action_records import (
    AuditEntry,
    Maintenance,
    MaintenanceScope,
    Mark,
    Matcher,
    OneOff,
    Silence,
    Weekly,
)
from netmon.storage.records import Incident

_AUDIT_PAGE = 500


def _is_limited(site: Site) -> bool:
    return site.visitor.campus_district is not None


def windows(site: Site, *, include_over: bool = False) -> list[Maintenance]:
    """Return the windows that the visitor's buildings have to do with, newest first."""
    after_ms = None if include_over else site.moment().now_ms
    found = site.store.actions.maintenance(ends_after_ms=after_ms)
    if not _is_limited(site):
        return found
    inventory = site.inventory()
    return [x for x in found if window_concerns(x.scope, x.value, inventory)]


def silences(site: Site, *, include_over: bool = False) -> list[Silence]:
    """Return the silences that the visitor's buildings have to do with, newest first."""
    after_ms = None if include_over else site.moment().now_ms
    found = site.store.actions.silences(ends_after_ms=after_ms)
    if not _is_limited(site):
        return found
    inventory = site.inventory()
    return [x for x in found if silence_concerns(x.matchers, inventory)]


def may_end_window(site: Site, window: Maintenance) -> bool:
    """Say whether the visitor may end a window: it mutes only buildings of theirs."""
    return not _is_limited(site) or window_is_within(
        window.scope, window.value, site.inventory()
    )


def may_end_silence(site: Site, silence: Silence) -> bool:
    """Say whether the visitor may end a silence: it fits only buildings of theirs."""
    return not _is_limited(site) or silence_is_within(
        silence.matchers, site.inventory()
    )


def add_maintenance(
    site: Site,
    place: tuple[MaintenanceScope, str],
    when: OneOff | Weekly,
    reason: str,
) -> Maintenance:
    """Announce work."""
    if place[0] is MaintenanceScope.PROVIDER and _is_limited(site):
        raise ActionError(Refusal.INVALID, [fault("beyond", "value")])
    return commands.add_maintenance(
        site.store,
        site.inventory(),
        place,
        when,
        reason,
        actor=site.visitor.actor,
        now_ms=site.moment().now_ms,
    )


def cancel_maintenance(site: Site, window_id: int) -> None:
    """End a window before its time."""
    _end(site, commands.cancel_maintenance, window_id, "maintenance", _own_windows)


def add_silence(
    site: Site, matchers: Sequence[Matcher], span_ms: tuple[int, int], reason: str
) -> Silence:
    """Let alarms wait that fit all matchers."""
    if _is_limited(site) and not any(
        not one.negated and one.field in {"building", "campus_district"}
        for one in matchers
    ):
        raise ActionError(Refusal.INVALID, [fault("beyond", "matchers")])
    return commands.add_silence(
        site.store,
        site.inventory(),
        matchers,
        span_ms,
        reason,
        actor=site.visitor.actor,
        now_ms=site.moment().now_ms,
    )


def end_silence(site: Site, silence_id: int) -> None:
    """End a silence before its time."""
    _end(site, commands.end_silence, silence_id, "silence", _own_silences)


def _own_windows(site: Site) -> Iterator[int]:
    known = windows(site, include_over=True)
    return (x.id for x in known if may_end_window(site, x))


def _own_silences(site: Site) -> Iterator[int]:
    known = silences(site, include_over=True)
    return (x.id for x in known if may_end_silence(site, x))


def _end(
    site: Site,
    command: Callable[..., object],
    number: int,
    what: str,
    own: Callable[[Site], Iterator[int]],
) -> None:
    """End what the visitor may end; of what is not ``own`` nothing is known."""
    if _is_limited(site) and number not in own(site):
        raise _unknown(what, number)
    command(
        site.store,
        number,
        actor=site.visitor.actor,
        now_ms=site.moment().now_ms,
    )


def incident(site: Site, incident_id: int) -> Incident:
    """Return an incident that the visitor may see."""
    found = commands.incident_or_refuse(site.store, incident_id)
    if not site.shows(found.building_id):
        raise _unknown("incident", incident_id)
    return found


def mark(site: Site, command: Callable[..., Mark], incident_id: int, note: str) -> Mark:
    """Acknowledge an incident, or mark it as false."""
    incident(site, incident_id)
    return command(
        site.store,
        incident_id,
        note,
        actor=site.visitor.actor,
        now_ms=site.moment().now_ms,
    )


def unacknowledge(site: Site, incident_id: int) -> None:
    """Take an acknowledgement back."""
    incident(site, incident_id)
    commands.unacknowledge(
        site.store,
        incident_id,
        actor=site.visitor.actor,
        now_ms=site.moment().now_ms,
    )


def audit(
    site: Site, subject: str | None, before_id: int | None, limit: int
) -> list[AuditEntry]:
    """Return what was done, newest first; of what the visitor may see."""
    if not _is_limited(site):
        return site.store.actions.audit(
            subject=subject, before_id=before_id, limit=limit
        )
    seen = {f"maintenance:{x.id}" for x in windows(site, include_over=True)}
    seen |= {f"silence:{x.id}" for x in silences(site, include_over=True)}
    found: list[AuditEntry] = []
    while len(found) < limit:
        part = site.store.actions.audit(
            subject=subject, before_id=before_id, limit=_AUDIT_PAGE
        )
        found += [x for x in part if x.subject in seen or _is_shown(site, x.subject)]
        if len(part) < _AUDIT_PAGE:
            break
        before_id = part[-1].id
    return found[:limit]


def _is_shown(site: Site, subject: str) -> bool:
    kind, _, number = subject.partition(":")
    if kind != "incident" or not number.isdecimal():
        return False
    found = site.store.alarms.incident(int(number))
    return found is not None and site.shows(found.building_id)


def _unknown(what: str, number: int) -> ActionError:
    return ActionError(Refusal.NOT_FOUND, [fault(f"unknown_{what}", id=number)])
