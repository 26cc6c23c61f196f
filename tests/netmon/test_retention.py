"""Which sweep takes what, and whom the removal waits for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

import alerts.engine
from dashboards.history import HISTORY_METRICS
from netmon import retention
from netmon.cli import main
from netmon.config import Settings, TsdbSettings
from netmon.metrics import KINDS
from netmon.relay import RelaySettings
from netmon.retention import (
    ALERTS,
    DAY_MS,
    EVIDENCE,
    KEPT,
    RELAY,
    Kept,
    Retention,
    readers,
    safe_position,
    swept_kinds,
    waiting,
)
from netmon.storage.records import CheckedBatch, CheckedSeries, SourceKind
from netmon.storage.sqlite import SqliteStore

NOW_MS = 1_795_000_000_000
SETTINGS = Settings()
RELAYED = Settings(tsdb=TsdbSettings(url="http://127.0.0.1:8428"))
REWIND_MS = int(RelaySettings().rewind_s * 1000)
_numbers = count(1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "state.sqlite3")
    yield opened
    opened.close()


def write(store: SqliteStore, kind: str, age_days: float) -> int:
    """Write a chunk of one record, received so long ago; return its id."""
    source = store.sources.create("c", SourceKind.COLLECTOR, None, "x" * 64)
    at_ms = NOW_MS - round(age_days * DAY_MS)
    series = CheckedSeries(
        kind=kind,
        building_id="b",
        tags={"building": "b"},
        seq=[next(_numbers)],
        ts=[at_ms],
        values={"n": [1.0]},
        failure=None,
        info={},
        keep_rollups=True,
    )
    batch = CheckedBatch(
        source=source,
        spool="a" * 32,
        received_ms=at_ms,
        sent_ms=at_ms,
        agent="",
        series=[series],
        quarantined=[],
    )
    store.measurements.write([batch])
    return store.measurements.last_position()


def read_all(store: SqliteStore, *names: str) -> None:
    for name in names or (ALERTS, EVIDENCE):
        store.cursors.set(name, store.measurements.last_position(), NOW_MS)


def sweep(store: SqliteStore, settings: Settings = SETTINGS) -> list[int]:
    """Remove all that may go; return what is left."""
    sweeper = Retention(store, settings)
    while sweeper.step(NOW_MS):
        pass
    return [chunk.id for chunk in store.measurements.chunks_after(0, 10_000)]


def test_the_table_names_every_kind_and_all_that_pages_read_raw_stays_longer() -> None:
    assert KEPT.keys() == KINDS.keys()
    assert {KEPT[kind] for kind, _ in HISTORY_METRICS.values()} <= {
        Kept.LINES,
        Kept.TESTS,
    }
    assert alerts.engine.READER == ALERTS
    assert swept_kinds(Kept.TESTS) == tuple(KEPT)
    assert "throughput" not in {*swept_kinds(Kept.POLLED), *swept_kinds(Kept.LINES)}
    # What has a long history on a page has hourly and daily values.
    assert all(KINDS[kind].keep_rollups for kind, _ in HISTORY_METRICS.values())


def test_each_kind_goes_after_its_own_span(store: SqliteStore) -> None:
    kept = SETTINGS.store
    write(store, "throughput", kept.keep_tests_days + 1)
    left = [write(store, "throughput", kept.keep_tests_days - 1)]
    write(store, "latency", kept.keep_lines_days + 1)
    left += [write(store, "latency", kept.keep_lines_days - 1)]
    write(store, "lan_port", kept.keep_polled_days + 1)
    left += [write(store, "lan_port", kept.keep_polled_days - 1)]
    read_all(store)
    assert sweep(store) == left
    (today,) = store.measurements.latest(kind="lan_port")
    assert today.values == {"n": 1.0}
    assert store.measurements.rollups(today.series.id, "n", "day", 0, 99_999_999)


def test_more_than_a_step_goes_in_several(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNKS_A_STEP", 2)
    for _ in range(5):
        write(store, "device", 30)
    read_all(store)
    sweeper = Retention(store, SETTINGS)
    assert [sweeper.step(NOW_MS) for _ in range(3)] == [True, True, False]
    assert sweeper.figures(NOW_MS)["removed_chunks_total"] == 5


def test_nobody_is_overtaken(store: SqliteStore) -> None:
    numbers = [write(store, "device", 30 - n) for n in range(4)]
    assert sweep(store) == numbers  # alerts never ran
    store.cursors.set(ALERTS, numbers[2], NOW_MS)
    store.cursors.set(EVIDENCE, numbers[1], NOW_MS)
    assert sweep(store) == numbers[2:]
    assert sweep(store, RELAYED) == numbers[2:]
    read_all(store)
    assert sweep(store, RELAYED) == numbers[2:]  # the relay never ran
    assert sweep(store) == []


def test_the_relay_finds_what_it_may_have_to_send_again(store: SqliteStore) -> None:
    numbers = [write(store, "device", 30) for _ in range(4)]
    read_all(store)
    for number, ago_ms in zip(numbers, (300_000, 90_000, 50_000, 0), strict=True):
        store.cursors.log_delivery(RELAY, number, NOW_MS - ago_ms)
    assert safe_position(store, RELAY) == numbers[1]
    assert sweep(store, RELAYED) == numbers[2:]
    # As the relay does it when the database was killed.
    safe = store.cursors.delivered_before(RELAY, NOW_MS - REWIND_MS)
    assert safe == numbers[1]
    store.cursors.log_delivery(RELAY, safe, NOW_MS)
    assert sweep(store, RELAYED) == numbers[2:]


def test_a_reader_that_stands_still_is_named_until_it_is_forgotten(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [write(store, "device", days) for days in (30, 20, 1)]
    read_all(store)
    store.cursors.log_delivery(RELAY, numbers[0], NOW_MS - 20 * DAY_MS)
    assert readers(store, SETTINGS) == (ALERTS, EVIDENCE, RELAY)
    (late,) = [each for each in waiting(store, SETTINGS, NOW_MS) if each.holds]
    assert (late.reader, late.since_ms) == (RELAY, NOW_MS - 20 * DAY_MS)
    held_s = Retention(store, SETTINGS).figures(NOW_MS)["held_s"]
    assert held_s == 20 * DAY_MS / 1000
    monkeypatch.setenv("NETMON_DATA", str(tmp_path))
    assert main(["relay", "forget"]) == 0
    assert readers(store, SETTINGS) == (ALERTS, EVIDENCE)
    assert store.cursors.delivered_before(RELAY, NOW_MS) is None
    assert sweep(store) == numbers[2:]
    assert main(["relay", "forget"]) == 0


def test_a_relay_that_is_set_up_is_not_forgotten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "netmon.toml"
    file.write_text(f'data_dir = "{tmp_path}"\n[tsdb]\nurl = "http://x"\n', "utf-8")
    assert main(["relay", "forget", "--config", str(file)]) != 0
    assert "tsdb.url" in capsys.readouterr().err
