"""The morning digest: whom it tells of what, and its thread; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alerts.classes import Audience
from alerts.notify.facts import (
    SEVERITIES,
    Case,
    Readiness,
    Step,
    Telling,
    ThreadMemory,
    rank,
)
from alerts.notify.routing import Routing
from netmon.storage.records import MailEvent, ThreadLevel


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who gets a digest.

    ``district`` limits it to a Campusbezirk, ``audience`` to what that one hears of.
    """

    address: str
    audience: Audience
    district: str = ""

    def hears(self, audiences: Sequence[Audience], district: str) -> bool:
        """Say whether an incident is for this reader."""
        if self.audience is Audience.SERVICE:
            return True
        if self.district and self.district != district:
            return False
        return self.audience in audiences


def readers(routing: Routing) -> tuple[Reader, ...]:
    """Return who gets a digest, each address once, the widest one."""
    found: dict[str, Reader] = {}
    for address in routing.service:
        found.setdefault(address, Reader(address, Audience.SERVICE))
    for address in routing.noc:
        found.setdefault(address, Reader(address, Audience.NOC))
    for district in sorted(routing.district):
        for address in routing.district[district]:
            found.setdefault(address, Reader(address, Audience.DISTRICT, district))
    return tuple(found.values())


def fresh_cases(cases: Sequence[Case]) -> list[Case]:
    """Return what waits for its hour: the digest tells it first."""
    return [case for case in cases if case.readiness is Readiness.HOURS]


def digest_step(
    fresh: Sequence[Case], routing: Routing, day: int, now_ms: int
) -> Step | None:
    """Return the thread of what a digest tells first; None where that is nothing.

    ``day`` is the digest's number, e.g. 20261120.
    """
    scopes: dict[str, tuple[int, ...]] = {}
    for reader in readers(routing):
        heard = [c.id for c in fresh if reader.hears(c.audiences, c.district)]
        if heard:
            scopes[reader.address] = tuple(heard)
    if not scopes:
        return None
    members = tuple(case.id for case in fresh)
    memory = ThreadMemory(
        severity=min((c.severity for c in fresh), key=rank, default=SEVERITIES[-1]),
        joined_ms=now_ms,
        told=dict.fromkeys(scopes, (MailEvent.DIGEST, day)),
        scopes={who: heard for who, heard in scopes.items() if heard != members},
    )
    tellings = tuple(
        Telling(MailEvent.DIGEST, day, (who,), heard) for who, heard in scopes.items()
    )
    return Step(
        0,
        ThreadLevel.DIGEST,
        str(day),
        now_ms,
        members,
        memory,
        joined=members,
        tellings=tellings,
    )
