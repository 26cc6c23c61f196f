"""What a database that was restarted may have lost is sent again."""

from __future__ import annotations

import pytest

from netmon.clock import ManualClock, to_ms
from netmon.relay import READER, Relay, RelaySettings, restarted, settling_s
from netmon.relay_memory import Memory, decode_memory
from netmon.storage.sqlite import SqliteStore
from netmon.storage.tsdb import InfluxSink, SinkHealth
from tests.netmon.relay.peers import AT_MS, START, Database, Measuring, drain, position


def restart(database: Database, *, at_s: int) -> None:
    database.metrics = f"vm_app_start_timestamp {at_s}\n"


def test_after_a_restart_of_the_database_the_last_minute_is_sent_again(
    relay: Relay,
    store: SqliteStore,
    clock: ManualClock,
    database: Database,
    measure: Measuring,
) -> None:
    for _ in range(10):
        measure(at_ms=to_ms(clock.now()))
        assert relay.run_once().lines == 10
        clock.advance(15)
    database.lines.clear()
    clock.advance(3600)
    restart(database, at_s=2000)
    again = drain(relay)
    # Deliveries at 0, 15, ..., 135 s; the last good one minus 60 s is 75 s, so all
    # after the newest one before that (60 s) is sent again.
    assert again == 50
    assert position(store) == 10
    assert relay.figures()["rewinds_total"] == 1
    assert decode_memory(store.cursors.get(READER).memory).started_at_s == 2000
    clock.advance(60)
    assert drain(relay) == 0


def test_a_new_relay_notices_a_restart_that_happened_while_none_ran(
    relay: Relay,
    store: SqliteStore,
    sink: InfluxSink,
    clock: ManualClock,
    database: Database,
    measure: Measuring,
) -> None:
    measure(at_ms=AT_MS)
    drain(relay)
    database.lines.clear()
    restart(database, at_s=1001)
    assert drain(Relay(store, sink, clock, RelaySettings())) == 10


def test_no_start_time_is_no_restart(
    relay: Relay, clock: ManualClock, database: Database, measure: Measuring
) -> None:
    measure(at_ms=AT_MS)
    drain(relay)
    for text in (None, "", "vm_app_start_timestamp 1000\n"):
        database.metrics = text
        clock.advance(10)
        assert drain(relay) == 0
    assert relay.figures()["detects_restarts"] == 1.0


def test_nothing_is_sent_while_the_start_time_cannot_be_asked(
    relay: Relay,
    clock: ManualClock,
    database: Database,
    measure: Measuring,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measure(at_ms=AT_MS)
    drain(relay)
    measure(at_ms=AT_MS + 60_000)
    clock.advance(10)
    asked = database.metrics_asked
    sent = len(database.bodies)

    def hang_up(*_: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr("http.server.BaseHTTPRequestHandler.send_response", hang_up)
    monkeypatch.setattr("socketserver.BaseServer.handle_error", lambda *_: None)
    assert relay.run_once().error is not None
    monkeypatch.undo()
    assert database.metrics_asked == asked + 1
    assert len(database.bodies) == sent
    assert drain(relay) == 10


def test_the_database_is_looked_at_from_time_to_time_only(
    relay: Relay, clock: ManualClock, database: Database
) -> None:
    for _ in range(20):
        relay.run_once()
        clock.advance(1)
    assert database.metrics_asked == 4


def test_deliveries_are_forgotten_but_never_the_last_known_good(
    relay: Relay, store: SqliteStore, clock: ManualClock, measure: Measuring
) -> None:
    for _ in range(40):
        measure(at_ms=to_ms(clock.now()), records=1)
        relay.run_once()
        clock.advance(60)
    now_ms = to_ms(clock.now())
    assert store.cursors.delivered_before(READER, now_ms) == 40
    assert store.cursors.delivered_before(READER, now_ms - 15 * 60_000) is not None
    assert store.cursors.delivered_before(READER, now_ms - 20 * 60_000) is None


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, 10.0, False),
        (10.0, 10.0, False),
        (10.0, 11.0, True),
        (10.0, 9.0, True),
        (10.0, None, False),
    ],
)
def test_what_counts_as_a_restart(
    before: float | None, now: float | None, *, expected: bool
) -> None:
    assert restarted(Memory(started_at_s=before), SinkHealth(now, {})) is expected


@pytest.mark.parametrize(
    ("started", "now", "expected"),
    [
        (None, 100.0, 0.0),
        (100.0, 100.0, 2.0),
        (100.0, 101.5, 0.5),
        (100.0, 102.0, 0.0),
        (100.0, 5000.0, 0.0),
        (100.0, 99.0, 0.0),
    ],
)
def test_how_long_a_new_database_is_left_alone(
    started: float | None, now: float, expected: float
) -> None:
    assert settling_s(SinkHealth(started, {}), now, 2.0) == expected


def test_nothing_is_sent_to_a_database_in_its_first_seconds(
    relay: Relay,
    store: SqliteStore,
    clock: ManualClock,
    database: Database,
    measure: Measuring,
) -> None:
    restart(database, at_s=int(START.timestamp()))
    measure(at_ms=AT_MS)
    first = relay.run_once()
    assert (first.lines, first.wait_s, first.error) == (0, 2.0, None)
    # Killed and started again within the second: by its start time the same one.
    clock.advance(2.0)
    assert relay.run_once().lines == 10
    assert relay.figures()["rewinds_total"] == 0
