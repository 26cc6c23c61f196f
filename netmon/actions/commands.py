"""What people may do about alarms: check, then write action and audit row at once.

Shell and API come through here. Every function raises `ActionError` where it
refuses, and `StorageError` where the store does.
"""

from __future__ import annotations

from collections.abc import Sequence

from netmon.actions.checks import (
    MAX_SILENCE_DAYS,
    check_matchers,
    check_operator,
    check_place,
    check_span,
    check_text,
    check_when,
)
from netmon.actions.errors import ActionError, Fault, Refusal, fault
from netmon.actions.windows import last_end_ms
from netmon.model import Inventory
from netmon.storage.action_records import (
    Actor,
    Maintenance,
    MaintenanceScope,
    Mark,
    Matcher,
    OneOff,
    Operator,
    Silence,
    Weekly,
)
from netmon.storage.ports import Store
from netmon.storage.records import Incident


def _refuse_if(faults: list[Fault]) -> None:
    if faults:
        raise ActionError(Refusal.INVALID, faults)


def add_maintenance(
    store: Store,
    inventory: Inventory,
    place: tuple[MaintenanceScope, str],
    when: OneOff | Weekly,
    reason: str,
    *,
    actor: Actor,
    now_ms: int,
) -> Maintenance:
    """Announce work: alarms of the place or provider wait while the window counts."""
    _refuse_if(
        check_place(*place, inventory)
        + check_when(when, now_ms)
        + check_text(reason, "reason")
    )
    window = Maintenance(
        id=0,
        scope=place[0],
        value=place[1],
        when=when,
        ends_ms=last_end_ms(when) or now_ms,
        reason=reason.strip(),
        author=actor.name,
        created_ms=now_ms,
    )
    return store.actions.add_maintenance(window, actor)


def cancel_maintenance(
    store: Store, window_id: int, *, actor: Actor, now_ms: int
) -> None:
    """End a window before its time."""
    if not store.actions.cancel_maintenance(window_id, actor, now_ms):
        known = any(one.id == window_id for one in store.actions.maintenance())
        raise _gone("maintenance", window_id, known=known)


def add_silence(
    store: Store,
    inventory: Inventory,
    matchers: Sequence[Matcher],
    span_ms: tuple[int, int],
    reason: str,
    *,
    actor: Actor,
    now_ms: int,
) -> Silence:
    """Let alarms that fit all matchers wait, 90 days at most."""
    _refuse_if(
        check_matchers(matchers, inventory)
        + check_span(*span_ms, now_ms, MAX_SILENCE_DAYS)
        + check_text(reason, "reason")
    )
    silence = Silence(
        id=0,
        matchers=tuple(matchers),
        starts_ms=span_ms[0],
        ends_ms=span_ms[1],
        reason=reason.strip(),
        author=actor.name,
        created_ms=now_ms,
    )
    return store.actions.add_silence(silence, actor)


def end_silence(store: Store, silence_id: int, *, actor: Actor, now_ms: int) -> None:
    """End a silence before its time."""
    if not store.actions.end_silence(silence_id, actor, now_ms):
        known = any(one.id == silence_id for one in store.actions.silences())
        raise _gone("silence", silence_id, known=known)


def acknowledge(
    store: Store, incident_id: int, note: str, *, actor: Actor, now_ms: int
) -> Mark:
    """Say that somebody sees to an open incident: no reminders, no escalation."""
    _refuse_if(check_text(note, "note"))
    mark = _mark(incident_id, note, actor, now_ms)
    if not store.actions.acknowledge(mark, actor):
        incident_or_refuse(store, incident_id)
        raise _conflict("not_open", incident_id)
    return mark


def unacknowledge(store: Store, incident_id: int, *, actor: Actor, now_ms: int) -> None:
    """Take an acknowledgement back."""
    if not store.actions.unacknowledge(incident_id, actor, now_ms):
        incident_or_refuse(store, incident_id)
        raise _conflict("not_acknowledged", incident_id)


def mark_false(
    store: Store, incident_id: int, note: str, *, actor: Actor, now_ms: int
) -> Mark:
    """Say that an incident, open or over, was a false alarm."""
    _refuse_if(check_text(note, "note"))
    mark = _mark(incident_id, note, actor, now_ms)
    if not store.actions.mark_false(mark, actor):
        raise _not_found("incident", incident_id)
    return mark


def add_operator(
    store: Store, name: str, token_sha256: str, *, actor: Actor, now_ms: int
) -> Operator:
    """Let somebody act through the API, or give them a new token."""
    _refuse_if(check_operator(name))
    return store.actions.add_operator(name, token_sha256, actor, now_ms)


def revoke_operator(store: Store, name: str, *, actor: Actor, now_ms: int) -> None:
    """Make an operator's token worthless."""
    if not store.actions.revoke_operator(name, actor, now_ms):
        raise _not_found("operator", name)


def incident_or_refuse(store: Store, incident_id: int) -> Incident:
    """Return an incident."""
    found = store.alarms.incident(incident_id)
    if found is None:
        raise _not_found("incident", incident_id)
    return found


def _mark(incident_id: int, note: str, actor: Actor, now_ms: int) -> Mark:
    return Mark(
        incident_id=incident_id, at_ms=now_ms, author=actor.name, note=note.strip()
    )


def _not_found(what: str, key: object) -> ActionError:
    return ActionError(Refusal.NOT_FOUND, [fault(f"unknown_{what}", id=key)])


def _conflict(code: str, key: object) -> ActionError:
    return ActionError(Refusal.CONFLICT, [fault(code, id=key)])


def _gone(what: str, key: int, *, known: bool) -> ActionError:
    return _conflict(f"{what}_over", key) if known else _not_found(what, key)
