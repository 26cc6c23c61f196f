"""The relay and a real VictoriaMetrics: written, read back, stopped, killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netmon.clock import SystemClock
from netmon.config import Secret, TsdbSettings
from netmon.demo.victoria import Victoria, VictoriaError
from netmon.lineprotocol import render, series_prefix
from netmon.model import FailureReason
from netmon.relay import READER, Relay, RelaySettings
from netmon.storage.sqlite import SqliteStore
from netmon.storage.tsdb import InfluxSink
from tests.netmon.relay.peers import Measuring, comes_to, points, wait_for

pytestmark = pytest.mark.victoria


CHUNK_MS = 60_000


@pytest.fixture
def sink(victoria: Victoria) -> Iterator[InfluxSink]:
    made = InfluxSink(TsdbSettings(url=victoria.url), None)
    yield made
    made.close()


@pytest.fixture
def relay(store: SqliteStore, sink: InfluxSink) -> Relay:
    pace = RelaySettings(records_per_body=100, check_every_s=0.0)
    return Relay(store, sink, SystemClock(), pace)


def _drain(relay: Relay) -> int:
    """Relay until nothing is left; return the lines sent."""
    sent = 0
    while relay.figures()["backlog_chunks"] or sent == 0:
        result = relay.run_once()
        assert result.error is None
        sent += result.lines
        time.sleep(result.wait_s)
    return sent


def test_what_was_measured_reads_back_equal(
    relay: Relay,
    store: SqliteStore,
    victoria: Victoria,
    measure: Measuring,
    begin_ms: int,
) -> None:
    for line in ("gs-07-main", "gs-07-backup"):
        measure(at_ms=begin_ms, records=50, line=line, down=lambda n: 1e8 / n)
    measure(
        at_ms=begin_ms,
        records=4,
        line="gs-07-third",
        down=lambda _: None,
        failure=lambda _: FailureReason.TIMEOUT,
    )
    assert _drain(relay) == 104
    victoria.flush()
    for chunk in store.measurements.chunks_after(0, 100):
        line = chunk.series.tags["line"]
        labels = (
            "{" + f'building="gs-07",method="tcp",source="probe-07",line="{line}"' + "}"
        )
        for index in (0, 17, 49):
            if index >= len(chunk.points.ts) or chunk.points.failure:
                continue
            for name, column in chunk.points.values.items():
                query = f"throughput_{name}{labels}"
                (sample,) = victoria.query(query, chunk.points.ts[index] / 1000)
                assert sample.value == pytest.approx(column[index], rel=1e-12)
    (failures,) = victoria.query(
        "sum by (reason) (count_over_time(throughput_failures[2h]))"
    )
    assert (failures.labels, failures.value) == ({"reason": "timeout"}, 4.0)
    assert victoria.points('throughput_rate_down_bps{line="gs-07-third"}') == 0


@pytest.mark.parametrize(
    "text",
    [
        "a b",
        "a,b=c",
        "ends with \\",
        "\\",
        '"',
        "Raum 1.02 (Süd) 100 %",
        "{x}",
        "ü" * 64,
    ],
)
def test_any_tag_comes_through_as_it_is(
    text: str, sink: InfluxSink, victoria: Victoria, begin_ms: int
) -> None:
    tags = {"building": "gs-07", "device": "sw-1", "port": text}
    prefix = series_prefix("lan_port", tags, "collector", generated=True)
    sink.write(render(prefix, [begin_ms], {"oper_up": [1.0], "speed_bps": [1e9]}, None))
    victoria.flush()
    (sample,) = victoria.query("lan_port_speed_bps", begin_ms / 1000)
    assert sample.value == 1e9
    assert sample.labels == {
        "__name__": "lan_port_speed_bps",
        **tags,
        "source": "collector",
        "generated": "1",
    }
    assert sink.health().figures["tsdb_invalid_rows_total"] == 0


def test_a_stop_of_the_database_leaves_no_gap(
    relay: Relay,
    store: SqliteStore,
    victoria: Victoria,
    measure: Measuring,
    begin_ms: int,
) -> None:
    measure(at_ms=begin_ms)
    _drain(relay)
    victoria.stop()
    for chunk in range(1, 6):
        measure(at_ms=begin_ms + chunk * CHUNK_MS)
        result = relay.run_once()
        assert result.error is not None
        assert result.wait_s > 0
    assert store.cursors.get(READER).position == 1
    victoria.start()
    assert _drain(relay) >= 50
    comes_to(victoria, 60)


def test_a_kill_of_the_database_right_after_delivery_loses_and_doubles_nothing(
    relay: Relay, victoria: Victoria, measure: Measuring, begin_ms: int
) -> None:
    for chunk in range(40):
        measure(at_ms=begin_ms + chunk * CHUNK_MS)
    assert _drain(relay) == 400
    victoria.kill()
    victoria.start()
    # The reason for all this: what was acknowledged a moment ago is gone.
    assert points(victoria) < 400
    assert _drain(relay) >= 400
    comes_to(victoria, 400)
    assert relay.figures()["rewinds_total"] == 1
    counts = victoria.query("count_over_time(throughput_rate_down_bps[2h])")
    assert [sample.value for sample in counts] == [400.0]


@pytest.mark.slow
def test_kills_of_the_database_under_load_lose_and_double_nothing(
    relay: Relay,
    store: SqliteStore,
    victoria: Victoria,
    measure: Measuring,
    begin_ms: int,
) -> None:
    stop, enough = threading.Event(), threading.Event()

    def keep_measuring() -> None:
        chunk = 0
        while not enough.wait(0.01):
            # On a busy machine the relay would never catch up.
            if chunk - store.cursors.get(READER).position < 200:
                measure(at_ms=begin_ms + chunk * 1000, step_ms=100)
                chunk += 1

    threads = [
        threading.Thread(target=relay.run, args=(stop,)),
        threading.Thread(target=keep_measuring),
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            before = store.cursors.get(READER).position
            wait_for(lambda start=before: store.cursors.get(READER).position > start)
            victoria.kill()
            victoria.start()
        enough.set()
        threads[1].join()
        comes_to(victoria, measure.seq)
    finally:
        enough.set()
        stop.set()
        for thread in threads:
            thread.join()
    counts = victoria.query("count_over_time(throughput_rate_down_bps[2h])")
    assert [sample.value for sample in counts] == [measure.seq]
    assert relay.figures()["rewinds_total"] == 3


def test_sending_again_makes_no_second_point(
    relay: Relay,
    store: SqliteStore,
    victoria: Victoria,
    measure: Measuring,
    begin_ms: int,
) -> None:
    measure(at_ms=begin_ms, records=100)
    _drain(relay)
    comes_to(victoria, 100)
    store.cursors.set(READER, 0, 0)
    assert _drain(relay) == 100
    comes_to(victoria, 100)
    (count,) = victoria.query("count_over_time(throughput_rate_down_bps[2h])")
    assert count.value == 100.0


def test_lines_the_database_drops_silently_are_seen(
    relay: Relay, victoria: Victoria, measure: Measuring, begin_ms: int
) -> None:
    measure(at_ms=begin_ms + 10 * 24 * 3_600_000)
    assert _drain(relay) == 10

    def noticed() -> bool:
        relay.run_once()
        return relay.figures()["tsdb_ignored_rows_total"] == 20

    # Its page of figures is renewed once a second.
    wait_for(noticed)
    assert points(victoria) == 0


def test_a_database_with_a_password(
    tmp_path: Path,
    store: SqliteStore,
    measure: Measuring,
    begin_ms: int,
    victoria: Victoria,
) -> None:
    victoria.stop()
    flags = ["-httpAuth.username=netmon", "-httpAuth.password=geheim"]
    with Victoria(tmp_path / "closed", flags=flags) as closed:
        measure(at_ms=begin_ms)
        settings = TsdbSettings(url=closed.url)
        for token, lines in (("netmon:falsch", 0), ("netmon:geheim", 10)):
            sink = InfluxSink(settings, Secret(token))
            relay = Relay(store, sink, SystemClock(), RelaySettings(settle_s=0.0))
            result = relay.run_once()
            assert result.lines == lines
            assert (result.error is None) is (lines > 0)
            sink.close()
        assert relay.figures()["detects_restarts"] == 1.0


def test_a_broken_query_says_so(victoria: Victoria) -> None:
    with pytest.raises(VictoriaError, match="sum by"):
        victoria.query("sum by (")
