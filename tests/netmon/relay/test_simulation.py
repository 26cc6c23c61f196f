"""Any order of crashes and deliveries, against a database that forgets its last seconds."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from netmon.clock import ManualClock, to_ms
from netmon.errors import SendError
from netmon.relay import Relay, RelaySettings
from netmon.storage.records import CheckedBatch, CheckedSeries, SourceKind
from netmon.storage.sqlite import SqliteStore
from netmon.storage.tsdb import SinkHealth

START = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
# VictoriaMetrics lost at most 8.7 s when it was killed.
_FORGETS_S = 10.0


class _Forgetful:
    """A database in memory that loses what it took last when it is killed."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._taken: list[tuple[float, bytes]] = []
        self._started_at_s = 1000.0
        self._up = True

    def kill(self) -> None:
        horizon_s = self._clock.monotonic_s() - _FORGETS_S
        self._taken = [item for item in self._taken if item[0] < horizon_s]
        self._up = False

    def start(self) -> None:
        if not self._up:
            self._up = True
            self._started_at_s += 1

    def points(self) -> set[bytes]:
        return {line for _, body in self._taken for line in body.splitlines()}

    def write(self, body: bytes) -> None:
        self._check()
        self._taken.append((self._clock.monotonic_s(), body))

    def health(self) -> SinkHealth:
        self._check()
        return SinkHealth(self._started_at_s, {})

    def close(self) -> None:
        """Nothing to close."""

    def _check(self) -> None:
        if not self._up:
            raise SendError("away", permanent=False)


_steps = st.lists(
    st.one_of(
        st.just(("measure", 0.0)),
        st.just(("relay", 0.0)),
        st.just(("kill", 0.0)),
        st.just(("start", 0.0)),
        st.just(("new relay", 0.0)),
        st.tuples(st.just("pass"), st.sampled_from([0.3, 2.0, 7.0, 45.0, 200.0])),
    ),
    max_size=40,
)


@settings(max_examples=80, deadline=None)
@given(steps=_steps)
@example(
    # Killed again while the end was being sent a second time, long after the first.
    steps=[
        *[("measure", 0.0), ("relay", 0.0), ("pass", 200.0)],
        *[("measure", 0.0), ("measure", 0.0), ("relay", 0.0)],
        *[("kill", 0.0), ("pass", 200.0), ("start", 0.0), ("relay", 0.0)],
        *[("kill", 0.0), ("start", 0.0), ("relay", 0.0)],
    ]
)
def test_whatever_happens_every_record_arrives(steps: list[tuple[str, float]]) -> None:
    clock = ManualClock(START)
    database = _Forgetful(clock)
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "state.sqlite3")
        source = store.sources.create("p", SourceKind.COLLECTOR, None, "a" * 64)
        pace = RelaySettings(records_per_body=1)
        relay = Relay(store, database, clock, pace)
        measured = 0
        for name, seconds in steps:
            if name == "measure":
                measured += 1
                store.measurements.write([_batch(source, measured, clock)])
            elif name == "relay":
                relay.run_once()
            elif name == "kill":
                database.kill()
            elif name == "start":
                database.start()
            elif name == "new relay":
                relay = Relay(store, database, clock, pace)
            clock.advance(seconds)
        # Whoever comes back in the end finds everything.
        database.start()
        clock.advance(RelaySettings().check_every_s)
        for _ in range(3 * measured + 3):
            relay.run_once()
        store.close()
    assert len(database.points()) == measured


def _batch(source: object, number: int, clock: ManualClock) -> CheckedBatch:
    now_ms = to_ms(clock.now())
    series = CheckedSeries(
        kind="dns",
        building_id="b",
        tags={"building": "b", "line": "l"},
        seq=[number],
        ts=[number],
        values={"duration_s": [0.5]},
        failure=None,
        info={},
        keep_rollups=False,
    )
    return CheckedBatch(
        source=source,  # type: ignore[arg-type]
        spool="0" * 32,
        received_ms=now_ms,
        sent_ms=now_ms,
        agent="",
        series=[series],
        quarantined=[],
    )
