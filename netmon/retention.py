"""What is kept for how long, and the sweeps that remove the rest.

Single measurements are most of the store. Relay and alerts read each of them once, the
pages those of the last day; the long history is in the hourly and daily values, which stay. A sweep is a reader of the log with a place of its
own that deletes what it passes: see docs/decisions/022-what-is-kept.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from netmon.config import Settings
from netmon.evidence.campaign import KIND as CAMPAIGN_KIND
from netmon.evidence.campaign import READER as EVIDENCE
from netmon.relay import READER as RELAY
from netmon.relay import RelaySettings
from netmon.storage.ports import Store
from netmon.units import HOUR_S

# As `alerts.engine` names itself, which is out of reach from here.
ALERTS = "alerts"
DAY_MS = int(24 * HOUR_S * 1000)
# A step rewrites about a page a chunk, because the index lies by series: so many keep
# the write lock for 8 to 19 ms, less than the commit of a batch (bench/retention.py).
CHUNKS_A_STEP = 500


class Kept(StrEnum):
    """For how long single measurements are kept, the shortest span first."""

    POLLED = "polled"
    LINES = "lines"
    TESTS = "tests"


# Every kind: one line each. Raw values are read by
#   relay, alerts  each chunk once, by cursor; the relay goes back a little (`safe_position`)
#   evidence       throughput, by cursor: a chain holds the whole record from then on
#   pages, API     the 24 h history and the statements of a line: LINES and TESTS;
#                  7 d are hourly, 30 d and 1 y daily values
# Reports, freezing, lessons, WLAN findings, media and paths read hourly and daily values.
KEPT: Mapping[str, Kept] = MappingProxyType(
    {
        # What a dispute with a provider is about: beyond a year, and few.
        "throughput": Kept.TESTS,
        "latency": Kept.LINES,
        "path": Kept.LINES,
        "dns": Kept.LINES,
        "line_dsl": Kept.LINES,
        "line_optics": Kept.LINES,
        "line_radio": Kept.LINES,
        # Nearly all of a city's records.
        "lan_port": Kept.POLLED,
        "wlan_radio": Kept.POLLED,
        "wlan_ap": Kept.POLLED,
        "wlan_controller": Kept.POLLED,
        "device": Kept.POLLED,
        "coverage": Kept.POLLED,
        "probe_link": Kept.POLLED,
        "probe_health": Kept.POLLED,
        "collector_health": Kept.POLLED,
    }
)


class Waiting(Struct, frozen=True, kw_only=True):
    """A reader and since when the oldest chunk waits for it; None: it has read all.

    ``holds`` says that this is longer than the shortest span: it keeps the store growing.
    """

    reader: str
    since_ms: int | None
    holds: bool


def span_ms(kept: Kept, settings: Settings) -> int:
    """Return how long a group of kinds is kept."""
    store = settings.store
    return (
        DAY_MS
        * {
            Kept.POLLED: store.keep_polled_days,
            Kept.LINES: store.keep_lines_days,
            Kept.TESTS: store.keep_tests_days,
        }[kept]
    )


def swept_kinds(kept: Kept) -> tuple[str, ...]:
    """Return what a sweep deletes: its own kinds, and those kept no longer.

    These should be gone by then; a kind that was kept longer once is not.
    """
    order = list(Kept)
    return tuple(
        kind for kind, own in KEPT.items() if order.index(own) <= order.index(kept)
    )


def readers(store: Store, settings: Settings) -> tuple[str, ...]:
    """Return who must have read a chunk before it may go.

    The relay is one where a database is set, or where it has ever run, until
    ``netmon relay forget``.
    """
    needs_relay = settings.tsdb.url or store.cursors.get(RELAY).updated_ms
    return (ALERTS, EVIDENCE, *([RELAY] if needs_relay else []))


def safe_position(store: Store, reader: str) -> int:
    """Return up to where a reader will never read again.

    For the relay that is where it goes back to when the database was killed.
    """
    cursor = store.cursors.get(reader)
    if reader != RELAY:
        return cursor.position
    before_ms = cursor.updated_ms - int(RelaySettings().rewind_s * 1000)
    return min(cursor.position, store.cursors.delivered_before(RELAY, before_ms) or 0)


def waiting(store: Store, settings: Settings, now_ms: int) -> tuple[Waiting, ...]:
    """Return how far behind each reader is, in time."""
    limit_ms = now_ms - span_ms(Kept.POLLED, settings)
    found = []
    for reader in readers(store, settings):
        position = store.cursors.get(reader).position
        since_ms = store.measurements.received_after(position)
        holds = since_ms is not None and since_ms < limit_ms
        found.append(Waiting(reader=reader, since_ms=since_ms, holds=holds))
    return tuple(found)


def sweep_name(kept: Kept) -> str:
    """Return the cursor of a sweep."""
    return f"keep-{kept}"


class Retention:
    """Removes what is kept no longer, in small steps."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._removed_chunks = 0
        self._removed_records = 0

    def step(self, now_ms: int) -> bool:
        """Take one step of each sweep; return whether there is more to do at once.

        Raises:
            StorageError: the store refused; what was deleted before stays so.
        """
        store, more = self._store, False
        upto = min(
            safe_position(store, reader) for reader in readers(store, self._settings)
        )
        for kept in Kept:
            done = store.measurements.prune(
                sweep_name(kept),
                swept_kinds(kept),
                self._before_ms(kept, now_ms),
                upto,
                now_ms=now_ms,
                max_chunks=CHUNKS_A_STEP,
            )
            self._removed_chunks += done.chunks
            self._removed_records += done.records
            more = more or done.more
        aside = store.measurements.prune_quarantine(
            now_ms - span_ms(Kept.LINES, self._settings), CHUNKS_A_STEP
        )
        return more or aside == CHUNKS_A_STEP

    def _before_ms(self, kept: Kept, now_ms: int) -> int:
        before_ms = now_ms - span_ms(kept, self._settings)
        if CAMPAIGN_KIND not in swept_kinds(kept):
            return before_ms
        # Its chain holds all of a campaign, but while it runs nobody has checked it.
        running = self._store.campaigns.running()
        return min([before_ms, *(one.started_ms for one in running)])

    def figures(self, now_ms: int) -> Mapping[str, float]:
        """Return the numbers of the heartbeat; totals count since the start."""
        since = [
            one.since_ms
            for one in waiting(self._store, self._settings, now_ms)
            if one.holds and one.since_ms is not None
        ]
        return {
            "removed_chunks_total": self._removed_chunks,
            "removed_records_total": self._removed_records,
            "held_s": max((now_ms - each) / 1000 for each in since) if since else 0.0,
        }
