"""State stores for the contract suites: the port's promises, on each implementation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from netmon.clock import to_ms
from netmon.model import FailureReason
from netmon.storage.ports import Store
from netmon.storage.records import (
    CheckedBatch,
    CheckedSeries,
    Latest,
    Mail,
    MailEvent,
    Quarantined,
    Source,
    SourceKind,
)
from netmon.storage.sqlite import SqliteStore

HOUR_MS = 3_600_000
NOON_MS = to_ms(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
SPOOLS = ("a" * 32, "b" * 32)

# A second implementation joins the suite with one line.
OPEN: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore(folder / "state.sqlite3")
}


@pytest.fixture(params=list(OPEN))
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Opens the same store, again and again."""
    return lambda: OPEN[request.param](tmp_path)


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Iterator[Store]:
    opened = open_store()
    yield opened
    opened.close()


def a_source(store: Store, name: str = "probe-07", **more: Any) -> Source:
    return store.sources.create(
        name, SourceKind.PROBE, None, name.ljust(64, "x"), **more
    )


def a_series(
    seq: Sequence[int],
    *,
    kind: str = "latency",
    ts: Sequence[int] | None = None,
    values: dict[str, list[float | None]] | None = None,
    failure: list[FailureReason | None] | None = None,
    tags: dict[str, str] | None = None,
    info: dict[str, str] | None = None,
    keep_rollups: bool = True,
) -> CheckedSeries:
    return CheckedSeries(
        kind=kind,
        building_id="gs-07",
        tags=tags or {"building": "gs-07", "line": "gs-07-main"},
        seq=list(seq),
        ts=list(ts) if ts is not None else [NOON_MS + n * 1000 for n in seq],
        values=values if values is not None else {"rtt_s": [float(n) for n in seq]},
        failure=failure,
        info=info or {},
        keep_rollups=keep_rollups,
    )


def a_batch(
    source: Source,
    *series: CheckedSeries,
    spool: str = SPOOLS[0],
    received_ms: int = NOON_MS,
    quarantined: Sequence[int] = (),
) -> CheckedBatch:
    return CheckedBatch(
        source=source,
        spool=spool,
        received_ms=received_ms,
        sent_ms=received_ms - 250,
        agent="netmon/0.1",
        series=list(series),
        quarantined=[
            Quarantined(seq=n, reason="bad", record=b"{}") for n in quarantined
        ],
    )


def the_only(store: Store, **which: str) -> Latest:
    (found,) = store.measurements.latest(**which)
    return found


def a_mail(
    incident_id: int, event: MailEvent = MailEvent.ALARM, to: str = "a@b"
) -> Mail:
    return Mail(
        id=0,
        incident_id=incident_id,
        event=event,
        recipient=to,
        message_id=f"<{incident_id}.{event}.{to}>",
        in_reply_to="",
        subject="Betreff",
        text="Text",
        html="<p>Text</p>",
        created_ms=NOON_MS,
        attempts=0,
        next_try_ms=NOON_MS,
        sent_ms=None,
        last_error="",
    )
