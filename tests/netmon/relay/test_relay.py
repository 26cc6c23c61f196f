"""The relay against a small real HTTP server: sending, failing, splitting."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from netmon.clock import ManualClock, SystemClock
from netmon.config import Secret, TsdbSettings
from netmon.model import FailureReason
from netmon.relay import READER, Part, Relay, RelaySettings, halve, retry_after_s
from netmon.relay_memory import (
    Memory,
    Skipped,
    decode_memory,
    encode_memory,
    remember_skips,
)
from netmon.storage.sqlite import SqliteStore
from netmon.storage.tsdb import InfluxSink
from tests.netmon.relay.peers import AT_MS, Database, Measuring, drain, position


def test_everything_is_delivered_once_and_ticked_off(
    relay: Relay, store: SqliteStore, database: Database, measure: Measuring
) -> None:
    for chunk in range(5):
        measure(at_ms=AT_MS + chunk * 60_000)
    assert drain(relay) == 50
    assert len(database.lines) == 50
    assert set(database.lines.values()) == {1}
    assert position(store) == store.measurements.last_position() == 5
    assert (
        "throughput,building=gs-07,line=gs-07-main,method=tcp,source=probe-07 "
        f"rate_down_bps=1000001.0,rate_up_bps=1.0 {AT_MS}000000"
    ) in database.lines


def test_full_bodies_follow_each_other_at_once_and_small_ones_gather(
    relay: Relay, measure: Measuring
) -> None:
    for chunk in range(3):
        measure(at_ms=AT_MS + chunk * 60_000)
    assert relay.run_once().wait_s == 0.0
    assert relay.run_once().wait_s == RelaySettings().idle_wait_s
    idle = relay.run_once()
    assert (idle.lines, idle.wait_s) == (0, RelaySettings().idle_wait_s)


def test_an_idle_relay_sends_nothing(relay: Relay, database: Database) -> None:
    assert relay.run_once().lines == 0
    assert database.bodies == []


def test_records_without_numbers_are_ticked_off_without_a_request(
    relay: Relay, store: SqliteStore, database: Database, measure: Measuring
) -> None:
    measure(at_ms=AT_MS, down=lambda _: None)
    assert relay.run_once().lines == 0
    assert database.bodies == []
    assert position(store) == 1


def test_failures_are_relayed_as_counts(
    relay: Relay, database: Database, measure: Measuring
) -> None:
    measure(
        at_ms=AT_MS,
        records=2,
        down=lambda n: None if n == 1 else 5.0,
        failure=lambda n: FailureReason.TIMEOUT if n == 1 else None,
    )
    relay.run_once()
    assert sum("reason=timeout failures=1" in line for line in database.lines) == 1
    assert sum("rate_down_bps=5.0" in line for line in database.lines) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_an_answer_that_is_not_about_the_lines_is_waited_out(
    status: int,
    relay: Relay,
    store: SqliteStore,
    database: Database,
    measure: Measuring,
) -> None:
    measure(at_ms=AT_MS)
    database.refuse = lambda _: status
    waits = [relay.run_once().wait_s for _ in range(9)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert position(store) == 0
    database.refuse = lambda _: None
    assert relay.run_once().lines == 10
    assert relay.run_once().error is None
    assert relay.figures()["skipped_lines_total"] == 0
    assert relay.figures()["send_errors_total"] == 9


def test_a_database_that_is_away_loses_nothing(
    store: SqliteStore, clock: ManualClock, database: Database, measure: Measuring
) -> None:
    sink = InfluxSink(TsdbSettings(url=database.url), None)
    relay = Relay(store, sink, clock, RelaySettings())
    measure(at_ms=AT_MS)
    assert relay.run_once().lines == 10
    database.close()
    measure(at_ms=AT_MS + 60_000)
    result = relay.run_once()
    assert result.error is not None
    assert "does not answer" in result.error
    assert position(store) == 1
    sink.close()


@pytest.mark.parametrize("status", [400, 422])
def test_bad_lines_are_found_and_given_up_and_the_rest_delivered(
    status: int,
    relay: Relay,
    store: SqliteStore,
    database: Database,
    measure: Measuring,
    caplog: pytest.LogCaptureFixture,
) -> None:
    measure(at_ms=AT_MS)
    measure(at_ms=AT_MS + 60_000)
    bad = (b"rate_up_bps=7.0 ", b"rate_up_bps=12.0 ", b"rate_up_bps=13.0 ")
    database.refuse = lambda body: status if any(x in body for x in bad) else None
    with caplog.at_level(logging.WARNING):
        assert drain(relay) == 17
    assert len(database.lines) == 17
    assert position(store) == 2
    memory = decode_memory(store.cursors.get(READER).memory)
    assert memory.skipped_total == 3
    assert [skip.chunk_id for skip in memory.skipped] == [1, 2, 2]
    assert "rate_up_bps=7.0" in memory.skipped[0].line
    assert str(status) in memory.skipped[0].reason
    assert memory.skipped[0].at_ms == AT_MS
    assert sum("given up" in record.message for record in caplog.records) == 3
    assert relay.figures()["skipped_lines_total"] == 3


def test_a_body_that_is_too_large_is_halved_not_given_up(
    relay: Relay, database: Database, measure: Measuring
) -> None:
    measure(at_ms=AT_MS)
    measure(at_ms=AT_MS + 60_000)
    database.refuse = lambda body: 413 if len(body) > 400 else None
    assert drain(relay) == 20
    assert relay.figures()["skipped_lines_total"] == 0


def test_an_outage_while_splitting_gives_nothing_up(
    relay: Relay, store: SqliteStore, database: Database, measure: Measuring
) -> None:
    measure(at_ms=AT_MS)
    answers = iter([400, 400, 503])
    database.refuse = lambda _: next(answers, None)
    assert relay.run_once().error is not None
    assert position(store) == 0
    assert drain(relay) == 10
    assert relay.figures()["skipped_lines_total"] == 0


def test_lines_that_a_204_hides_are_noticed(
    relay: Relay,
    clock: ManualClock,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = 'vm_app_start_timestamp 1000\nvm_rows_invalid_total{{type="influx"}} {}\n'
    database.metrics = text.format(2)
    relay.run_once()
    assert not caplog.records
    database.metrics = text.format(5)
    clock.advance(10)
    relay.run_once()
    assert relay.figures()["tsdb_invalid_rows_total"] == 5
    assert any("dropped 3 lines" in record.message for record in caplog.records)


def test_figures_and_heartbeat_tell_how_far_it_is(
    relay: Relay, store: SqliteStore, database: Database, measure: Measuring
) -> None:
    for chunk in range(3):
        measure(at_ms=AT_MS + chunk)
    relay.run_once()
    figures = relay.figures()
    assert figures["position"] == 2
    assert figures["backlog_chunks"] == 1
    assert figures["lines_sent_total"] == 20
    assert figures["bodies_sent_total"] == 1
    assert figures["failing"] == 0.0
    database.refuse = lambda _: 503
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + 60
    while not (beats := store.heartbeats.all()) and time.monotonic() < deadline:
        stop.wait(0.01)
    stop.set()
    thread.join()
    assert beats[0].process == "relay"
    assert beats[0].figures["failing"] == 1.0
    assert "503" in beats[0].note


def test_a_running_relay_wakes_within_half_a_second_and_ends_at_once(
    store: SqliteStore, database: Database, measure: Measuring
) -> None:
    sink = InfluxSink(TsdbSettings(url=database.url), None)
    stop = threading.Event()
    relay = Relay(store, sink, SystemClock(), RelaySettings())
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    waits = []
    for chunk in range(5):
        database.wrote.clear()
        began = time.monotonic()
        measure(at_ms=AT_MS + chunk)
        assert database.wrote.wait(10)
        waits.append(time.monotonic() - began)
    began = time.monotonic()
    stop.set()
    thread.join()
    sink.close()
    assert sorted(waits)[2] < 0.5
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("token", "header"),
    [("abc", "Token abc"), ("user:geheim", "Basic dXNlcjpnZWhlaW0="), (None, None)],
)
def test_the_token_goes_into_the_header_and_nowhere_else(
    token: str | None,
    header: str | None,
    database: Database,
    store: SqliteStore,
    measure: Measuring,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = TsdbSettings(url=database.url, bucket="b1", org="o1")
    sink = InfluxSink(settings, None if token is None else Secret(token))
    relay = Relay(store, sink, SystemClock(), RelaySettings())
    measure(at_ms=AT_MS)
    with caplog.at_level(logging.DEBUG):
        relay.run_once()
        database.refuse = lambda _: 401
        measure(at_ms=AT_MS + 60_000)
        error = relay.run_once().error
    sink.close()
    assert database.headers[0].get("Authorization") == header
    assert "gzip" not in database.headers[0].get("Content-Encoding", "")
    path = database.paths[0]
    assert path.startswith("/api/v2/write?")
    assert all(x in path for x in ("bucket=b1", "org=o1", "precision=ns"))
    shown = f"{error} {caplog.text} {relay!r} {sink!r}"
    assert token is None or token.split(":")[-1] not in shown


def test_waiting_doubles_up_to_a_limit() -> None:
    waits = [retry_after_s(n, 0.5, 30.0) for n in (1, 2, 3, 6, 7, 8, 10**9)]
    assert waits == [0.5, 1.0, 2.0, 16.0, 30.0, 30.0, 30.0]


def test_halving_splits_chunks_first_and_then_lines() -> None:
    one, two = Part(1, b"a\nb\nc\n"), Part(2, b"d\n")
    assert halve([one, two]) == ([one], [two])
    assert halve([one]) == ([Part(1, b"a\n")], [Part(1, b"b\nc\n")])
    assert halve([two]) is None


def test_the_memory_of_skips_is_bounded_and_counts_each_once() -> None:
    skips = [Skipped(n, f"line {n}", "no", 0) for n in range(80)]
    memory = remember_skips(Memory(), skips)
    assert memory.skipped_total == 80
    assert [s.chunk_id for s in memory.skipped] == list(range(30, 80))
    assert remember_skips(memory, skips[70:]) == memory
    assert decode_memory(encode_memory(memory)) == memory
    assert decode_memory("") == Memory()
