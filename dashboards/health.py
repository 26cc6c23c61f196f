"""Is netmon itself well? Decided from signs of life, cursors and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from netmon.calendars import WARN_BEFORE_DAYS
from netmon.clock import berlin_day
from netmon.config import Settings
from netmon.retention import Waiting, waiting
from netmon.storage.records import Heartbeat, InventoryVersion, MailEvent, StoreRoom

if TYPE_CHECKING:
    # The pages' own: a process that serves none can do without the web framework.
    from dashboards.context import Site


INGEST = "ingest"
RELAY = "relay"
ALERTS = "alerts"
MAIL = "mail"
_FRESH_S = 60.0
# A round of sending may wait for a mail server that answers slowly.
_MAIL_FRESH_S = 600.0


class Part(StrEnum):
    """What `/healthz` looks at."""

    STORE = "store"
    INGEST = INGEST
    RELAY = RELAY
    ALERTS = ALERTS
    MAIL = MAIL


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One part. ``age_s`` is None where it never gave a sign of life.

    The store gives none; it is well while it answers and its disk has room.
    """

    part: Part
    ok: bool
    age_s: float | None
    allowed_s: float | None


@dataclass(frozen=True, slots=True)
class OwnState:
    """What the page about netmon itself shows.

    ``holidays_until`` is the last holiday known, None where there are none.
    """

    now_ms: int
    parts: tuple[PartHealth, ...]
    heartbeats: tuple[Heartbeat, ...]
    stored: int
    quarantined: int
    lag: Mapping[str, int]
    mails: Mapping[tuple[MailEvent, bool], int]
    inventory: InventoryVersion | None
    holidays_until: date | None
    room: StoreRoom
    waiting: tuple[Waiting, ...]
    unwritten: tuple[int, str] = (0, "")

    @property
    def holding(self) -> tuple[Waiting, ...]:
        """Who keeps the store from removing what is old."""
        return tuple(each for each in self.waiting if each.holds)

    @property
    def ok(self) -> bool:
        """Whether every part is well."""
        return all(part.ok for part in self.parts)

    @property
    def holidays_end_soon(self) -> bool:
        """Whether holidays are known for less than a year."""
        if self.holidays_until is None:
            return True
        ahead = self.holidays_until - berlin_day(self.now_ms)
        return ahead.days < WARN_BEFORE_DAYS

    @property
    def mails_waiting(self) -> int:
        """How many mails no server has taken yet."""
        return sum(n for (_, sent), n in self.mails.items() if not sent)


def allowed_ages(settings: Settings) -> Mapping[Part, float]:
    """Return how old the last sign of life of each needed part may be, in s.

    The relay is needed only where a time-series database is set, the sender of
    mails only where a mail server is.
    """
    allowed = {
        Part.INGEST: _FRESH_S,
        Part.ALERTS: max(_FRESH_S, 4 * settings.alerts.interval_s),
    }
    if settings.tsdb.url:
        allowed[Part.RELAY] = _FRESH_S
    if settings.mail.host:
        allowed[Part.MAIL] = _MAIL_FRESH_S
    return allowed


def judge(
    heartbeats: Sequence[Heartbeat],
    allowed_s: Mapping[Part, float],
    now_ms: int,
    *,
    has_room: bool = True,
) -> tuple[PartHealth, ...]:
    """Return the health of the parts, given that the store has answered."""
    seen = {beat.process: beat.at_ms for beat in heartbeats}
    found = [PartHealth(Part.STORE, ok=has_room, age_s=None, allowed_s=None)]
    for part, limit_s in allowed_s.items():
        at_ms = seen.get(part.value)
        age_s = None if at_ms is None else max(0, now_ms - at_ms) / 1000
        ok = age_s is not None and age_s <= limit_s
        found.append(PartHealth(part, ok=ok, age_s=age_s, allowed_s=limit_s))
    return tuple(found)


def read_health(site: Site) -> tuple[PartHealth, ...]:
    """Return the health of all parts.

    Raises:
        StorageError: the store does not answer, so nothing is known.
    """
    return _judged(site, site.store.heartbeats.all(), site.moment().now_ms)


def _judged(
    site: Site, heartbeats: Sequence[Heartbeat], now_ms: int
) -> tuple[PartHealth, ...]:
    least = site.settings.store.min_free_bytes
    has_room = site.store.disk_free_bytes() >= least
    return judge(heartbeats, allowed_ages(site.settings), now_ms, has_room=has_room)


def lags(site: Site) -> Mapping[str, int]:
    """Return how many chunks each reader has still to read.

    A relay that is not set up and never ran is no reader, so it has no lag.
    """
    last = site.store.measurements.last_position()
    needed = allowed_ages(site.settings)
    found = {}
    for part in (Part.RELAY, Part.ALERTS):
        cursor = site.store.cursors.get(part.value)
        if part in needed or cursor.updated_ms:
            found[part.value] = max(0, last - cursor.position)
    return found


def read_own_state(site: Site) -> OwnState:
    """Return what the page about netmon itself shows."""
    store, now_ms = site.store, site.moment().now_ms
    heartbeats = store.heartbeats.all()
    return OwnState(
        now_ms=now_ms,
        parts=_judged(site, heartbeats, now_ms),
        heartbeats=tuple(heartbeats),
        stored=store.measurements.count(),
        quarantined=store.measurements.quarantine_count(),
        lag=lags(site),
        room=store.room(),
        waiting=waiting(store, site.settings, now_ms),
        mails=store.outbox.counts(),
        unwritten=store.outbox.unwritten(),
        inventory=store.inventories.current(),
        holidays_until=site.calendars.known_until(),
    )
