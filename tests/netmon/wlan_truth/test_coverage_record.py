"""The figures of all buildings as measurements: what is written, and under whom."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from netmon.clock import SystemClock, to_ms
from netmon.coverage import Measured
from netmon.coverage_record import (
    SOURCES,
    CoverageRecorder,
    numbers,
    recording_coverage,
)
from netmon.inventory import content_hash, encode
from netmon.metrics import KINDS
from netmon.model import Coverage
from netmon.storage.records import CheckedBatch, CheckedSeries, SourceKind
from netmon.storage.sqlite import SqliteStore

from .conftest import make_school

FULL, PARTIAL, UNKNOWN = Coverage.FULL, Coverage.PARTIAL, Coverage.UNKNOWN
NOW_MS = 1_795_000_000_000


def figure(
    covered: int, unknown: int, measured: Coverage, declared: Coverage = FULL
) -> Measured:
    return Measured(
        declared=declared,
        measured=measured,
        has_list=True,
        rooms_count=10,
        covered_count=covered,
        open_count=unknown,
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (figure(9, 0, FULL), (9, 0, 0.9, 0.9, 1, 1, 0)),
        (figure(4, 0, PARTIAL), (4, 0, 0.4, 0.4, 1, 0, 1)),
        (figure(0, 0, PARTIAL), (0, 0, 0, 0, 1, 0, 1)),
        (figure(8, 2, UNKNOWN), (8, 2, 0.8, 1, 1, None, None)),
        (figure(9, 0, FULL, UNKNOWN), (9, 0, 0.9, 0.9, None, 1, None)),
        # Not one room is known: nothing, and above all no 0.
        (figure(0, 10, UNKNOWN), (None, None, None, None, 1, None, None)),
        (
            replace(figure(0, 10, UNKNOWN), has_list=False),
            (None, None, None, None, 1, None, None),
        ),
    ],
)
def test_what_is_not_known_has_no_number(
    found: Measured, expected: tuple[float | None, ...]
) -> None:
    names = [metric.name for metric in KINDS["coverage"].metrics[1:]]
    told = numbers(found)
    assert told.pop("rooms_count") == 10
    assert told == {
        name: value
        for name, value in zip(names, expected, strict=True)
        if value is not None
    }


def test_without_any_word_of_a_building_there_is_no_record() -> None:
    nothing = replace(
        figure(0, 0, UNKNOWN, UNKNOWN), has_list=False, rooms_count=0, covered_count=0
    )
    assert numbers(nothing) == {}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """Two buildings: what is known of the second one is made up."""
    opened = SqliteStore(tmp_path / "state.sqlite3")
    school = make_school()
    second = replace(school.buildings[0], id="b2")
    rooms = tuple(replace(r, id=f"b2-{r.id}", building_id="b2") for r in school.rooms)
    sockets = tuple(replace(s, room_id=f"b2-{s.room_id}") for s in school.sockets)
    inventory = replace(
        school,
        buildings=(*school.buildings, second),
        rooms=(*school.rooms, *rooms),
        sockets=(*school.sockets, *sockets),
    )
    opened.inventories.save(content_hash(inventory), encode(inventory), NOW_MS)
    for made_up, building in ((False, "b1"), (True, "b2")):
        source = opened.sources.create(
            f"collector-{made_up}",
            SourceKind.COLLECTOR,
            None,
            str(int(made_up)) * 64,
            generated=made_up,
        )
        series = [
            CheckedSeries(
                kind="lan_port",
                building_id=building,
                tags={
                    "building": building,
                    "device": "sw1",
                    "port": f"Gi1/0/{n + 10}",
                },
                seq=[n],
                ts=[NOW_MS],
                values={"admin_up": [float(n < 4)]},
                failure=None,
                info={},
                keep_rollups=False,
            )
            for n in range(1, 5)
        ]
        batch = CheckedBatch(
            source=source,
            spool="0" * 32,
            received_ms=NOW_MS,
            sent_ms=NOW_MS,
            agent="",
            series=series,
            quarantined=[],
        )
        opened.measurements.write([batch])
    yield opened
    opened.close()


def test_each_building_has_a_record_of_lan_and_wlan(store: SqliteStore) -> None:
    assert CoverageRecorder(store).record(NOW_MS) == 4
    told = {
        (item.series.building_id, item.series.tags["network"]): item
        for item in store.measurements.latest(kind="coverage")
    }
    assert told["b1", "lan"].values == {
        "rooms_count": 4,
        "covered_count": 3,
        "open_count": 0,
        "low_ratio": 0.75,
        "high_ratio": 0.75,
        "declared_full": 1,
        "measured_full": 0,
        "contradicts": 1,
    }
    # Its controller has said nothing yet, and the second has no access point planned.
    for building in ("b1", "b2"):
        wlan = told[building, "wlan"].values
        assert wlan == {"rooms_count": 4, "declared_full": 1}
    assert {key: item.series.source for key, item in told.items()} == {
        ("b1", "lan"): SOURCES[False],
        ("b1", "wlan"): SOURCES[False],
        ("b2", "lan"): SOURCES[True],
        ("b2", "wlan"): SOURCES[True],
    }
    assert [item.series.generated for item in told.values()].count(True) == 2


def test_each_sender_counts_without_gaps_and_each_start_anew(
    store: SqliteStore,
) -> None:
    recorder = CoverageRecorder(store)
    assert [recorder.record(NOW_MS + n) for n in range(3)] == [4, 4, 4]
    assert CoverageRecorder(store).record(NOW_MS + 3) == 4
    assert store.measurements.quarantine_count() == 0
    seqs: dict[tuple[str, str], list[int]] = {}
    for source, spool, seq in store.measurements.ids():
        if source in SOURCES.values():
            seqs.setdefault((source, spool), []).append(seq)
    assert sorted(map(sorted, seqs.values())) == [
        [1, 2],
        [1, 2],
        [1, 2, 3, 4, 5, 6],
        [1, 2, 3, 4, 5, 6],
    ]


def test_a_sender_taken_away_comes_back_with_the_next_record(
    store: SqliteStore,
) -> None:
    CoverageRecorder(store).record(NOW_MS)
    before = [source.name for source in store.sources.all()]
    assert store.sources.revoke(SOURCES[False])
    assert CoverageRecorder(store).record(NOW_MS + 1) == 4
    assert [source.name for source in store.sources.all()] == before


def test_it_records_beside_the_alarms_and_ends_with_them(store: SqliteStore) -> None:
    before_ms = to_ms(SystemClock().now())
    with recording_coverage(store, SystemClock(), every_s=3600):
        pass
    told = store.measurements.latest(kind="coverage")
    assert len(told) == 4
    assert all(item.ts_ms >= before_ms for item in told)


def test_a_store_that_refuses_is_told_in_the_log(
    store: SqliteStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = sqlite3.connect(tmp_path / "state.sqlite3")
    with other:
        other.execute("DROP TABLE inventories")
    other.close()
    with (
        caplog.at_level(logging.WARNING),
        recording_coverage(store, SystemClock(), every_s=3600),
    ):
        pass
    assert "coverage not recorded this time" in caplog.text


def test_before_an_import_there_is_nothing_to_record(tmp_path: Path) -> None:
    empty = SqliteStore(tmp_path / "state.sqlite3")
    assert CoverageRecorder(empty).record(NOW_MS) == 0
    assert empty.sources.all() == []
    empty.close()
