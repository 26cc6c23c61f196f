"""The way out of a real store: one run, what is usual, what is too old."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from netmon.clock import to_ms
from netmon.line_path import read_path
from netmon.model import FailureReason
from netmon.path import Fault, Segment, Verdict
from netmon.storage.records import CheckedBatch, CheckedSeries, SourceKind
from netmon.storage.sqlite import SqliteStore
from tests.city import a_line

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LINE = a_line()
Said = Mapping[Segment, float | FailureReason]
WELL = {Segment.GATEWAY: 0.001, Segment.PROVIDER: 0.008, Segment.DATA_CENTRE: 0.012}


class Way:
    """A store that takes what runs along the way found."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self._source = store.sources.create("probe", SourceKind.PROBE, "b1", "a" * 64)
        self._seq = 0

    def run(self, age: timedelta, said: Said, line: str = "b1-main") -> None:
        """Store one run: a round trip in s, or a failure, at each segment."""
        self.store.measurements.write([self._batch(to_ms(NOW - age), said, line)])

    def _batch(self, ts_ms: int, said: Said, line: str) -> CheckedBatch:
        return CheckedBatch(
            source=self._source,
            spool="0" * 32,
            received_ms=ts_ms,
            sent_ms=ts_ms,
            agent="",
            series=[self._series(ts_ms, *each, line) for each in said.items()],
            quarantined=[],
        )

    def _series(
        self, ts_ms: int, segment: Segment, said: float | FailureReason, line: str
    ) -> CheckedSeries:
        self._seq += 1
        return CheckedSeries(
            kind="path",
            building_id="b1",
            tags={"building": "b1", "line": line, "segment": segment.value},
            seq=[self._seq],
            ts=[ts_ms],
            values={}
            if isinstance(said, FailureReason)
            else {"rtt_s": [said], "loss_ratio": [0.0]},
            failure=[said] if isinstance(said, FailureReason) else None,
            info={},
            keep_rollups=True,
        )

    def read(self) -> Verdict | None:
        latest = self.store.measurements.latest(building_id="b1")
        return read_path(self.store.measurements, LINE, latest, to_ms(NOW))


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Way]:
    store = SqliteStore(tmp_path / "state.sqlite3")
    made = Way(store)
    for day in range(1, 7):
        made.run(day * DAY, WELL)
    yield made
    store.close()


def test_a_run_as_usual_blames_nobody(way: Way) -> None:
    assert way.read() is None, "nothing is known of today"
    way.run(MINUTE, WELL)
    assert way.read() is None


def test_the_first_segment_that_is_slow_is_to_blame(way: Way) -> None:
    slow = {Segment.GATEWAY: 0.001, Segment.PROVIDER: 0.090, Segment.DATA_CENTRE: 0.1}
    way.run(MINUTE, slow)
    assert way.read() == Verdict(Segment.PROVIDER, Fault.SLOW, Segment.GATEWAY)


def test_a_way_that_is_cut(way: Way) -> None:
    cut = FailureReason.NO_REPLY
    way.run(
        MINUTE,
        {Segment.GATEWAY: 0.001, Segment.PROVIDER: cut, Segment.DATA_CENTRE: cut},
    )
    assert way.read() == Verdict(Segment.PROVIDER, Fault.SILENT, Segment.GATEWAY)


def test_who_is_always_silent_says_nothing_by_it(way: Way) -> None:
    for day in range(1, 7):
        way.run(day * DAY, {Segment.INTERNET: FailureReason.NO_REPLY})
    way.run(MINUTE, {**WELL, Segment.INTERNET: FailureReason.NO_REPLY})
    assert way.read() is None


def test_an_old_run_and_other_lines_say_nothing(way: Way) -> None:
    cut = dict.fromkeys(WELL, FailureReason.NO_REPLY)
    way.run(16 * MINUTE, cut)
    way.run(MINUTE, cut, line="b1-backup")
    assert way.read() is None


def test_segments_of_an_older_run_are_left_out(way: Way) -> None:
    way.run(5 * MINUTE, dict.fromkeys(WELL, FailureReason.NO_REPLY))
    way.run(MINUTE, {Segment.GATEWAY: 0.001})
    assert way.read() is None
