"""The relay and a real VictoriaMetrics: written, read back, stopped, killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from netmon.clock import SystemClock, to_ms
from netmon.config import Secret, TsdbSettings
from netmon.demo import city
from netmon.demo.victoria import Victoria, VictoriaError
from netmon.inventory import content_hash, encode
from netmon.lineprotocol import render, series_prefix
from netmon.model import FailureReason, Inventory
from netmon.relay import READER, Relay, RelaySettings
from netmon.storage.sqlite import SqliteStore
from netmon.storage.tsdb import InfluxSink

pytestmark = pytest.mark.victoria

CHUNK_MS = 60_000


class _Measure(Protocol):
    seq: int

    def __call__(
        self, *, at_ms: int, records: int = 10, **more: object
    ) -> list[int]: ...


@pytest.fixture
def begin_ms() -> int:
    """An hour ago: nothing is in the future and all lies in one retention."""
    return to_ms(SystemClock().now()) - 3_600_000


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


def _points(victoria: Victoria) -> int:
    victoria.flush()
    return victoria.points("throughput_rate_down_bps")


def _comes_to(victoria: Victoria, count: int) -> None:
    """Wait until so many points are seen; more would never become so many.

    After a start the database may answer a selector from its cache of a moment
    ago, when it had found nothing.
    """
    _wait_for(lambda: _points(victoria) == count)


def test_what_was_measured_reads_back_equal(
    relay: Relay,
    store: SqliteStore,
    victoria: Victoria,
    measure: _Measure,
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
    measure: _Measure,
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
    _comes_to(victoria, 60)


def test_a_kill_of_the_database_right_after_delivery_loses_and_doubles_nothing(
    relay: Relay, victoria: Victoria, measure: _Measure, begin_ms: int
) -> None:
    for chunk in range(40):
        measure(at_ms=begin_ms + chunk * CHUNK_MS)
    assert _drain(relay) == 400
    victoria.kill()
    victoria.start()
    # The reason for all this: what was acknowledged a moment ago is gone.
    assert _points(victoria) < 400
    assert _drain(relay) >= 400
    _comes_to(victoria, 400)
    assert relay.figures()["rewinds_total"] == 1
    counts = victoria.query("count_over_time(throughput_rate_down_bps[2h])")
    assert [sample.value for sample in counts] == [400.0]


@pytest.mark.slow
def test_kills_of_the_database_under_load_lose_and_double_nothing(
    relay: Relay,
    store: SqliteStore,
    victoria: Victoria,
    measure: _Measure,
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
            _wait_for(lambda start=before: store.cursors.get(READER).position > start)
            victoria.kill()
            victoria.start()
        enough.set()
        threads[1].join()
        _comes_to(victoria, measure.seq)
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
    measure: _Measure,
    begin_ms: int,
) -> None:
    measure(at_ms=begin_ms, records=100)
    _drain(relay)
    _comes_to(victoria, 100)
    store.cursors.set(READER, 0, 0)
    assert _drain(relay) == 100
    _comes_to(victoria, 100)
    (count,) = victoria.query("count_over_time(throughput_rate_down_bps[2h])")
    assert count.value == 100.0


def test_lines_the_database_drops_silently_are_seen(
    relay: Relay, victoria: Victoria, measure: _Measure, begin_ms: int
) -> None:
    measure(at_ms=begin_ms + 10 * 24 * 3_600_000)
    assert _drain(relay) == 10

    def noticed() -> bool:
        relay.run_once()
        return relay.figures()["tsdb_ignored_rows_total"] == 20

    # Its page of figures is renewed once a second.
    _wait_for(noticed)
    assert _points(victoria) == 0


def test_a_database_with_a_password(
    tmp_path: Path,
    store: SqliteStore,
    measure: _Measure,
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


def _wait_for(condition: object, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


class _RelayProcess:
    """`netmon relay run`, as often as it is started; none outlives its test."""

    def __init__(self, store_dir: Path, url: str) -> None:
        self.env = {**os.environ, "NETMON_DATA": str(store_dir), "NETMON_LANG": "de"}
        self._url = url
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "netmon", "relay", "run", "--tsdb", self._url],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, number: signal.Signals) -> tuple[int, str, str]:
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(number)
        try:
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
            process.wait()
        return process.returncode, out, err

    def close(self) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)


@pytest.fixture
def relay_process(tmp_path: Path, victoria: Victoria) -> Iterator[_RelayProcess]:
    made = _RelayProcess(tmp_path, victoria.url)
    yield made
    made.close()


def test_the_process_ends_cleanly_on_sigterm_and_tells_its_state(
    relay_process: _RelayProcess,
    store: SqliteStore,
    victoria: Victoria,
    measure: _Measure,
    begin_ms: int,
) -> None:
    measure(at_ms=begin_ms)
    inventory = Inventory(buildings=city.load().buildings[:1])
    store.inventories.save(content_hash(inventory), encode(inventory), begin_ms)
    relay_process.start()
    _wait_for(lambda: store.cursors.get(READER).position == 1)
    _wait_for(store.heartbeats.all)
    status, out, err = relay_process.end(signal.SIGTERM)
    assert status == 0, err
    assert out.splitlines() == [
        f"Weitergabe an {victoria.url} läuft.",
        "Weitergabe beendet.",
    ]
    told = subprocess.run(
        [sys.executable, "-m", "netmon", "relay", "status"],
        env=relay_process.env,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Weitergegeben bis Abschnitt 1" in told
    assert "Noch nicht weitergegeben: 0 Abschnitte" in told
    assert "lines_sent_total 10" in told
    victoria.flush()
    now_s = to_ms(SystemClock().now()) / 1000
    # What netmon knows itself goes the short way, beside what was measured.
    (building,) = victoria.query("building_standing", now_s)
    assert building.labels["source"] == "netmon"


@pytest.mark.slow
def test_kill_9_of_the_relay_at_random_moments_loses_and_doubles_nothing(
    relay_process: _RelayProcess,
    store: SqliteStore,
    victoria: Victoria,
    measure: _Measure,
    begin_ms: int,
) -> None:
    dice = random.Random(20261120)
    stop = threading.Event()

    def keep_measuring() -> None:
        chunk = 0
        while not stop.wait(0.01):
            # On a busy machine the relay would never catch up.
            if chunk - store.cursors.get(READER).position < 200:
                measure(at_ms=begin_ms + chunk * 1000, records=20, step_ms=50)
                chunk += 1

    thread = threading.Thread(target=keep_measuring)
    thread.start()
    try:
        for _ in range(6):
            before = store.cursors.get(READER).position
            relay_process.start()
            _wait_for(lambda start=before: store.cursors.get(READER).position > start)
            time.sleep(dice.uniform(0.0, 0.4))
            relay_process.end(signal.SIGKILL)
    finally:
        stop.set()
        thread.join()
    relay_process.start()
    last = store.measurements.last_position()
    _wait_for(lambda: store.cursors.get(READER).position == last)
    assert relay_process.end(signal.SIGTERM)[0] == 0
    assert measure.seq == store.measurements.count() > 200
    _comes_to(victoria, measure.seq)
    (count,) = victoria.query("count_over_time(throughput_rate_down_bps[2h])")
    assert count.value == measure.seq


def test_the_process_needs_an_address(tmp_path: Path) -> None:
    for args, words in (
        ([], "tsdb.url"),
        (["--tsdb", "http://user:geheim@127.0.0.1"], "carries a password"),
        (["--tsdb", "127.0.0.1:8428"], "no web address"),
    ):
        refused = subprocess.run(
            [sys.executable, "-m", "netmon", "relay", "run", *args],
            env={**os.environ, "NETMON_DATA": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert refused.returncode == 1
        assert words in refused.stderr
        assert "geheim" not in refused.stderr
