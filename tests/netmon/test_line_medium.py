"""The medium out of a real store: what is fresh, what is usual, who may speak."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from netmon.clock import to_ms
from netmon.line_medium import LineMedium, read_medium
from netmon.medium import MediumState
from netmon.model import FailureReason
from netmon.storage.records import CheckedBatch, CheckedSeries, SourceKind
from netmon.storage.sqlite import SqliteStore
from tests.city import a_line

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
LINE = a_line()
Said = dict[str, float] | FailureReason


class Shelf:
    """A store that takes what devices said at some time."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self._source = store.sources.create(
            "collector", SourceKind.COLLECTOR, None, "a" * 64
        )
        self._seq = 0

    def say(self, kind: str, age: timedelta, said: Said, **tags: str) -> None:
        self._seq += 1
        ts_ms = to_ms(NOW - age)
        failed = isinstance(said, FailureReason)
        series = CheckedSeries(
            kind=kind,
            building_id="b1",
            tags={"building": "b1", "device": "rt1", "line": "b1-main", **tags},
            seq=[self._seq],
            ts=[ts_ms],
            values={}
            if isinstance(said, FailureReason)
            else {n: [v] for n, v in said.items()},
            failure=[said] if isinstance(said, FailureReason) else None,
            info={},
            keep_rollups=not failed,
        )
        batch = CheckedBatch(
            source=self._source,
            spool="0" * 32,
            received_ms=ts_ms,
            sent_ms=ts_ms,
            agent="",
            series=[series],
            quarantined=[],
        )
        self.store.measurements.write([batch])

    def read(self) -> LineMedium | None:
        latest = self.store.measurements.latest(building_id="b1")
        return read_medium(self.store.measurements, LINE, latest, to_ms(NOW))

    def codes(self) -> list[str]:
        medium = self.read()
        assert medium is not None
        return [finding.code for finding in medium.health.findings]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    store = SqliteStore(tmp_path / "state.sqlite3")
    yield Shelf(store)
    store.close()


MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def test_a_line_nobody_tells_of_has_no_medium(shelf: Shelf) -> None:
    assert shelf.read() is None
    shelf.say("line_dsl", MINUTE, {"rate_down_bps": 1e6}, line="b1-backup")
    assert shelf.read() is None


def test_what_a_line_reached_before_is_what_it_fell_from(shelf: Shelf) -> None:
    for days in range(1, 8):
        shelf.say("line_dsl", days * DAY, {"rate_down_bps": 109e6})
    shelf.say("line_dsl", MINUTE, {"rate_down_bps": 67e6})
    assert shelf.codes() == ["dsl_rate_fell"]


def test_one_bad_day_does_not_become_usual(shelf: Shelf) -> None:
    for days, rate_bps in ((1, 60e6), (2, 109e6), (3, 109e6)):
        shelf.say("line_dsl", days * DAY, {"rate_down_bps": rate_bps})
    shelf.say("line_dsl", MINUTE, {"rate_down_bps": 98e6})
    assert shelf.codes() == ["dsl_rate_fell"]


def test_the_profile_of_the_same_day_counts_at_once(shelf: Shelf) -> None:
    shelf.say("line_radio", 10 * MINUTE, {"modulation_qam": 256.0}, radio="1")
    shelf.say("line_radio", MINUTE, {"modulation_qam": 16.0}, radio="1")
    assert shelf.codes() == ["radio_modulation_low"]


def test_a_level_is_held_to_the_days_before_not_to_itself(shelf: Shelf) -> None:
    shelf.say("line_optics", 10 * MINUTE, {"rx_dbm": -12.0}, port="25")
    assert shelf.codes() == []
    shelf.say("line_optics", DAY, {"rx_dbm": -8.0}, port="25")
    shelf.say("line_optics", MINUTE, {"rx_dbm": -12.0}, port="25")
    assert shelf.codes() == ["optics_rx_fell"]


def test_a_counter_counts_from_midnight(shelf: Shelf) -> None:
    # 07:00 and 09:00 in Dortmund; the two resyncs of yesterday are none of today's.
    for age, total in ((DAY, 17.0), (2 * 60 * MINUTE, 19.0), (MINUTE, 21.0)):
        shelf.say("line_dsl", age, {"rate_down_bps": 109e6, "resyncs_total": total})
    assert shelf.codes() == ["dsl_resyncs"]


def test_what_is_old_or_failed_is_shown_and_not_judged(shelf: Shelf) -> None:
    shelf.say("line_dsl", 40 * MINUTE, {"rate_down_bps": 67e6})
    medium = shelf.read()
    assert medium is not None
    assert medium.health.state is MediumState.UNKNOWN
    assert medium.readings[0].stale
    shelf.say("line_dsl", 20 * MINUTE, {"rate_down_bps": 67e6})
    assert shelf.codes() == ["dsl_rate_low"]
    shelf.say("line_dsl", MINUTE, FailureReason.PARTIAL)
    medium = shelf.read()
    assert medium is not None
    assert medium.health.state is MediumState.UNKNOWN
    (reading,) = medium.readings
    assert reading.failure is FailureReason.PARTIAL
    assert reading.values["rate_down_bps"] == 67e6
    assert reading.at_ms == to_ms(NOW - 20 * MINUTE)


def test_a_port_that_is_gone_no_longer_speaks(shelf: Shelf) -> None:
    limits = {"rx_low_alarm_dbm": -24.0}
    shelf.say("line_optics", 60 * MINUTE, {"rx_dbm": -30.0, **limits}, port="old")
    shelf.say("line_optics", MINUTE, {"rx_dbm": -8.0, **limits}, port="new")
    medium = shelf.read()
    assert medium is not None
    assert [reading.where for reading in medium.readings] == ["new"]
    assert medium.health.state is MediumState.OK


def test_each_fibre_for_itself_but_the_pairs_of_a_dsl_together(shelf: Shelf) -> None:
    limits = {"rx_low_alarm_dbm": -24.0}
    for port, rx_dbm in (("1", -8.0), ("2", -25.0)):
        shelf.say("line_optics", MINUTE, {"rx_dbm": rx_dbm, **limits}, port=port)
    medium = shelf.read()
    assert medium is not None
    (finding,) = medium.health.findings
    assert (finding.code, finding.where) == ("optics_rx_low", "2")
    for port in ("a", "b"):
        shelf.say("line_dsl", MINUTE, {"rate_down_bps": 52e6}, port=port)
    assert shelf.codes() == ["optics_rx_low"]
