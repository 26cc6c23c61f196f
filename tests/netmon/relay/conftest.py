"""Fixtures of the relay's tests: measurements to send, databases to write to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from netmon.clock import ManualClock, SystemClock, to_ms
from netmon.config import TsdbSettings
from netmon.demo.victoria import Victoria, is_installed
from netmon.relay import Relay, RelaySettings
from netmon.storage.sqlite import SqliteStore
from netmon.storage.tsdb import InfluxSink
from tests.netmon.relay.peers import START, Database, Measuring


@pytest.fixture
def measure(store: SqliteStore) -> Measuring:
    return Measuring(store)


@pytest.fixture
def database() -> Iterator[Database]:
    running = Database()
    yield running
    running.close()


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[Victoria]:
    """A real VictoriaMetrics of this test alone."""
    if not is_installed():
        reason = "no victoria-metrics on the PATH (Debian package victoria-metrics)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing in CI: {reason}")
        pytest.skip(reason)
    with Victoria(tmp_path / "victoria") as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def sink(database: Database) -> Iterator[InfluxSink]:
    made = InfluxSink(TsdbSettings(url=database.url), None)
    yield made
    made.close()


@pytest.fixture
def relay(store: SqliteStore, sink: InfluxSink, clock: ManualClock) -> Relay:
    return Relay(store, sink, clock, RelaySettings(records_per_body=20))


@pytest.fixture
def begin_ms() -> int:
    """An hour ago: nothing is in the future and all lies in one retention."""
    return to_ms(SystemClock().now()) - 3_600_000
