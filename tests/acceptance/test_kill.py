"""kill -9 of sender and gateway at any moment loses and doubles no measurement."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from netmon.ingest import new_token, token_hash
from netmon.spool import Spool
from netmon.storage.records import SourceKind
from netmon.storage.sqlite import SqliteStore
from tests.acceptance.gateway_process import GatewayProcess

COUNT = 1500
KILLS = 14
SOURCE = "gs-01-p1"
SENDER = Path(__file__).with_name("sender_process.py")


@pytest.fixture
def store(tmp_path):
    opened = SqliteStore(tmp_path / "state.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def gateway(tmp_path, store):
    running = GatewayProcess(tmp_path)
    yield running
    running.close()


@pytest.mark.slow
def test_kill_9_of_sender_and_gateway_loses_and_doubles_nothing(
    tmp_path, store, gateway
):
    token = new_token()
    (tmp_path / "token").write_text(token, encoding="utf-8")
    store.sources.create(SOURCE, SourceKind.PROBE, "gs-01", token_hash(token))
    spool_path = tmp_path / "spool.sqlite3"
    printed = tmp_path / "printed"

    def start_sender() -> subprocess.Popen[bytes]:
        arguments = [spool_path, gateway.url, tmp_path / "token", SOURCE, COUNT]
        with printed.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, SENDER, *map(str, arguments)], stdout=output
            )

    dice = random.Random()
    sender = start_sender()
    kills: Counter[str] = Counter()
    try:
        for turn in range(KILLS):
            # A random moment is what is tested; there is no event to wait for.
            deadline = time.monotonic() + dice.uniform(0.2, 0.9)
            while time.monotonic() < deadline and sender.poll() is None:
                time.sleep(0.01)
            if turn % 2:
                kills["gateway"] += gateway.kill()
                gateway.start()
            elif sender.poll() is None:
                kills["sender"] += 1
                sender.kill()
                sender.wait()
                sender = start_sender()
        assert sender.wait(timeout=90) == 0
    finally:
        sender.kill()
        sender.wait()

    ids = store.measurements.ids()
    assert len(ids) == len(set(ids)), "a measurement was stored twice"
    stored = {seq for _, _, seq in ids}
    durable = {int(line) for line in printed.read_text().split() if line.isdigit()}
    assert durable <= stored, "a measurement that was durable at the sender is lost"
    spool = Spool(spool_path)
    stats = spool.stats()
    spool.close()
    assert stats.added == COUNT
    assert (stats.length, stats.dropped, stats.rejected) == (0, 0, 0)
    assert len(stored) == COUNT
    assert store.measurements.quarantine_count() == 0
    assert kills["gateway"] >= 3, "the gateway was not killed while it worked"
    assert kills["sender"] >= 1, "the sender was not killed while it worked"
