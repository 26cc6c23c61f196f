"""Rules that differ by place, on the engine and a real store."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from alerts.evidence import decode
from alerts.service import AlertService
from netmon.alarm_classes import RuleName, Severity
from netmon.clock import ManualClock, to_ms
from netmon.config import AlertSettings, Settings
from netmon.inventory import content_hash, encode
from netmon.model import Inventory
from netmon.rule_overrides import RuleOverride
from netmon.storage.records import CheckedBatch, CheckedSeries, Source, SourceKind
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts

START = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
OTHER_TARGET = RuleOverride(
    rule=RuleName.LINE_BELOW_TARGET, building="gs-07", raise_below="80 Mbit/s"
)
OFF = RuleOverride(rule=RuleName.LINE_BELOW_TARGET, building="gs-07", enabled=False)
MILD = replace(OFF, enabled=None, severity=Severity.INFO)


class Site:
    """A store in which a line is measured every ten minutes."""

    def __init__(self, store: SqliteStore, city: Inventory) -> None:
        self.store = store
        self.clock = ManualClock(START)
        self._seq = 0
        store.inventories.save(content_hash(city), encode(city), to_ms(START))
        self._source: Source = store.sources.create(
            "gs-07-p1", SourceKind.PROBE, "gs-07", "a" * 64
        )

    def service(self, *entries: RuleOverride) -> AlertService:
        alerts = AlertSettings(line_clear_count=1, rules=entries)
        settings = Settings(alerts=alerts)
        return AlertService(self.store, settings, self.clock, None, Texts("de"))

    def measure(self, *mbits: float) -> None:
        for one in mbits:
            self.clock.advance(600)
            self._seq += 1
            now_ms = to_ms(self.clock.now())
            series = CheckedSeries(
                kind="throughput",
                building_id="gs-07",
                tags={"building": "gs-07", "line": "gs-07-main", "method": "tcp"},
                seq=[self._seq],
                ts=[now_ms],
                values={"rate_down_bps": [one * 1e6]},
                failure=None,
                info={},
                keep_rollups=False,
            )
            batch = CheckedBatch(
                source=self._source,
                spool="5" * 32,
                received_ms=now_ms,
                sent_ms=now_ms,
                agent="",
                series=[series],
                quarantined=[],
            )
            self.store.measurements.write([batch])

    def open_rules(self) -> list[str]:
        return [x.rule for x in self.store.alarms.incidents(open_only=True, limit=9)]


@pytest.fixture
def site(store: SqliteStore, city: Inventory) -> Site:
    return Site(store, city)


def test_another_target_raises_and_clears_elsewhere(site: Site) -> None:
    service = site.service(OTHER_TARGET)
    site.measure(85, 85, 85, 85)
    service.engine.run_once()
    assert site.open_rules() == []
    site.measure(78, 78, 78)
    service.engine.run_once()
    assert site.open_rules() == ["line_below_target"]
    (incident,) = site.store.alarms.incidents(open_only=True, limit=9)
    assert decode(incident.evidence).expected_bps == 80e6
    site.measure(83)
    service.engine.run_once()
    assert site.open_rules() == ["line_below_target"]
    site.measure(84)
    service.engine.run_once()
    assert site.open_rules() == []


def test_a_rule_that_is_switched_off_ends_what_is_open(site: Site) -> None:
    site.measure(50, 50, 50)
    site.service(MILD).engine.run_once()
    assert site.open_rules() == ["line_below_target"]
    site.service(OFF).engine.run_once()
    assert site.open_rules() == []
    site.measure(50, 50, 50)
    site.service(OFF).engine.run_once()
    assert site.open_rules() == []


def test_entries_for_nobody_are_in_the_log_at_the_start(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    service = site.service(replace(OFF, building="gs-70"))
    service.stop()
    service.run()
    assert any("no building is called 'gs-70'" in text for text in caplog.messages)


def test_one_good_result_among_bad_ones_does_not_start_the_count_anew(
    site: Site,
) -> None:
    service = site.service()
    site.measure(50, 120, 50, 120)
    service.engine.run_once()
    assert site.open_rules() == []
    site.measure(50, 50)
    service.engine.run_once()
    assert site.open_rules() == ["line_below_target"]
