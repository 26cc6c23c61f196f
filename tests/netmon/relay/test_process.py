"""The relay as a process: ended, killed, and what it tells of itself."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netmon.clock import SystemClock, to_ms
from netmon.demo import city
from netmon.demo.victoria import Victoria
from netmon.inventory import content_hash, encode
from netmon.model import Inventory
from netmon.relay import READER
from netmon.storage.sqlite import SqliteStore
from tests.netmon.relay.peers import Measuring, comes_to, wait_for

pytestmark = pytest.mark.victoria


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
    measure: Measuring,
    begin_ms: int,
) -> None:
    measure(at_ms=begin_ms)
    inventory = Inventory(buildings=city.load().buildings[:1])
    store.inventories.save(content_hash(inventory), encode(inventory), begin_ms)
    relay_process.start()
    wait_for(lambda: store.cursors.get(READER).position == 1)
    wait_for(store.heartbeats.all)
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
    assert "Zeilen gesendet: 10" in told
    # Each of its figures has a word.
    assert not re.search(r"[a-z]_[a-z]", told)
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
    measure: Measuring,
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
            wait_for(lambda start=before: store.cursors.get(READER).position > start)
            time.sleep(dice.uniform(0.0, 0.4))
            relay_process.end(signal.SIGKILL)
    finally:
        stop.set()
        thread.join()
    relay_process.start()
    last = store.measurements.last_position()
    wait_for(lambda: store.cursors.get(READER).position == last)
    assert relay_process.end(signal.SIGTERM)[0] == 0
    assert measure.seq == store.measurements.count() > 200
    comes_to(victoria, measure.seq)
    (count,) = victoria.query("count_over_time(throughput_rate_down_bps[2h])")
    assert count.value == measure.seq


def test_the_process_needs_an_address(tmp_path: Path) -> None:
    for args, words in (
        ([], "tsdb.url"),
        (["--tsdb", "http://user:geheim@127.0.0.1"], "enthält ein Passwort"),
        (["--tsdb", "127.0.0.1:8428"], "keine Webadresse"),
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
