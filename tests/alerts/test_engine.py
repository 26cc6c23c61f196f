"""The engine on a real store: steps, restarts, crashes, what it knows of targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from alerts import engine as engine_module
from alerts.engine import Engine
from alerts.evidence import Evidence, decode
from alerts.held import Held
from alerts.service import AlertService
from netmon.clock import ManualClock, to_ms
from netmon.config import AlertSettings, MailSettings, Settings
from netmon.errors import StorageError
from netmon.inventory import content_hash, encode
from netmon.line_verdict import ReasonCode, VerdictClass
from netmon.model import Device, DeviceKind, FailureReason, Inventory
from netmon.storage.current import CurrentInventory
from netmon.storage.records import (
    AlarmState,
    CheckedBatch,
    CheckedSeries,
    MailEvent,
    Source,
    SourceKind,
)
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts

START = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
SETTINGS = Settings(
    mail=MailSettings(recipients=("service@dortmund.example", "noc@dortmund.example")),
    alerts=AlertSettings(line_confirm_count=2, line_clear_count=1),
)


class Site:
    """A store with one source whose records arrive when told."""

    def __init__(self, store: SqliteStore, city: Inventory) -> None:
        self.store = store
        self.clock = ManualClock(START)
        self._seq = 0
        body = encode(city)
        store.inventories.save(content_hash(city), body, to_ms(START))
        self.source: Source = store.sources.create(
            "collector", SourceKind.COLLECTOR, None, "a" * 64
        )
        self.made_up: Source = store.sources.create(
            "history", SourceKind.COLLECTOR, None, "b" * 64, generated=True
        )

    def engine(self) -> Engine:
        inventory = CurrentInventory(self.store.inventories)
        return Engine(self.store, inventory, SETTINGS, self.clock)

    def service(self) -> AlertService:
        return AlertService(self.store, SETTINGS, self.clock, None, Texts("de"))

    def _series(
        self,
        kind: str,
        tags: dict[str, str],
        values: dict[str, list[float | None]],
        info: dict[str, str],
    ) -> CheckedSeries:
        (column, *_) = values.values()
        seq = [self._seq + 1 + i for i in range(len(column))]
        self._seq += len(column)
        return CheckedSeries(
            kind=kind,
            building_id=tags.get("building", "gs-07"),
            tags={"building": "gs-07", **tags},
            seq=seq,
            ts=[to_ms(self.clock.now())] * len(seq),
            values=values,
            failure=None,
            info=info,
            keep_rollups=False,
        )

    def _write(self, series: list[CheckedSeries], *, generated: bool = False) -> None:
        now_ms = to_ms(self.clock.now())
        batch = CheckedBatch(
            source=self.made_up if generated else self.source,
            spool="5" * 32,
            received_ms=now_ms,
            sent_ms=now_ms,
            agent="",
            series=series,
            quarantined=[],
        )
        self.store.measurements.write([batch])

    def lines(self, mbits: float, *, generated: bool = False) -> None:
        tags = {"line": "gs-07-main", "method": "tcp"}
        values: dict[str, list[float | None]] = {"rate_down_bps": [mbits * 1e6]}
        series = self._series("throughput", tags, values, {})
        self._write([series], generated=generated)

    def way(self, segment: str, said: float | FailureReason) -> None:
        """Let the probe tell of a segment of its way: a round trip, or a failure."""
        tags = {"line": "gs-07-main", "segment": segment}
        if isinstance(said, FailureReason):
            series = self._series("path", tags, {"rtt_s": [None]}, {})
            series.failure = [said]
        else:
            series = self._series("path", tags, {"rtt_s": [said]}, {})
        self._write([series])

    def aps(
        self,
        up: dict[str, float],
        info: dict[str, str] | None = None,
        *,
        building: str = "gs-07",
        generated: bool = False,
    ) -> None:
        """Let the controller report access points by their tag ``ap``."""
        series = [
            self._series(
                "wlan_ap",
                {"building": building, "device": "wlc-07", "ap": ap},
                {"up": [value]},
                info or {},
            )
            for ap, value in up.items()
        ]
        self._write(series, generated=generated)

    def modem(self, **values: float) -> None:
        """Let a modem tell of the main line."""
        tags = {"device": "rt-07", "line": "gs-07-main"}
        numbers: dict[str, list[float | None]] = {n: [v] for n, v in values.items()}
        self._write([self._series("line_dsl", tags, numbers, {})])

    def ports(self) -> None:
        tags = {"device": "sw-07", "port": "1"}
        self._write([self._series("lan_port", tags, {"oper_up": [1.0]}, {})])

    def outcome(self) -> tuple[object, ...]:
        """Everything that must not depend on how often the engine was killed."""
        alarms = self.store.alarms
        transitions = [
            (t.rule, t.target, t.from_state, t.to_state, t.at_ms, t.incident_id)
            for t in alarms.transitions_after(0)
        ]
        incidents = [(i.id, i.started_ms, i.ended_ms) for i in alarms.incidents()]
        mails = sorted(
            (m.message_id, m.recipient, m.subject) for m in self.store.outbox.mails()
        )
        return transitions, incidents, mails


@pytest.fixture
def site(store: SqliteStore, city: Inventory) -> Site:
    return Site(store, city)


def test_idle_means_idle(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = site.engine()
    site.lines(240)
    site.aps({"gs-07-ap-1": 1.0})
    engine.run_once()

    def never(*args: object, **kwargs: object) -> Any:
        raise AssertionError("an idle evaluation writes and reads no states")

    monkeypatch.setattr(site.store.measurements, "chunks_after", never)
    monkeypatch.setattr(site.store.alarms, "commit", never)
    monkeypatch.setattr(site.store.alarms, "states", never)
    site.clock.advance(60)
    evaluation = engine.run_once()
    assert evaluation.records == 0
    assert evaluation.caught_up


def test_what_no_rule_reads_only_moves_the_cursor(site: Site) -> None:
    engine = site.engine()
    site.ports()
    assert engine.run_once().records == 0
    assert site.store.cursors.get("alerts").position == 1
    assert site.store.alarms.states() == []


def test_small_steps_decide_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "RECORDS_A_STEP", 1)
    monkeypatch.setattr(engine_module, "STEPS_AN_EVALUATION", 4)
    for mbits in (240, 10, 10, 240, 10, 10):
        site.clock.advance(60)
        site.lines(mbits)
    engine = site.engine()
    first = engine.run_once()
    assert not first.caught_up
    assert first.records == 4
    second = engine.run_once()
    assert second.caught_up
    found = site.store.alarms.transitions_of("line:gs-07-main")
    states = [t.to_state for t in found if t.rule == "line_below_target"]
    assert " ".join(reversed(states)) == "ok suspect bad ok suspect bad"


def test_two_engines_one_after_the_other_see_each_others_work(site: Site) -> None:
    first, second = site.engine(), site.engine()
    site.lines(240)
    first.run_once()
    site.lines(10)
    second.run_once()
    site.lines(10)
    first.run_once()
    assert len(site.store.alarms.incidents()) == 1
    second.run_once()
    assert len(site.store.alarms.incidents()) == 1


def test_access_points_are_known_by_their_planned_id_or_not_at_all(site: Site) -> None:
    engine = site.engine()
    for up in (1.0, 0.0, 0.0):
        site.aps({"gs-07-ap-1": up})
        # Name and serial number of a plan: matching them is the collectors' work.
        site.aps({"wlc-07/Aula": up}, {"name": "AP-02", "serial": "CN2"})
        site.aps({"wlc-07/AP/1:2": up}, {"name": "AP/1:2"})
        site.aps({"wlc-07/CN9": up})
        engine.run_once()
        site.clock.advance(60)
    found = {i.target: decode(i.evidence) for i in site.store.alarms.incidents()}
    assert {target: _named(evidence) for target, evidence in found.items()} == {
        "ap:gs-07-ap-1": ("gs-07-ap-1", "AP-01", "r112", "wlc-gs-07"),
        "ap:wlc-07/Aula": ("wlc-07/Aula", "AP-02", "", "wlc-gs-07"),
        "ap:wlc-07/AP/1:2": ("wlc-07/AP/1:2", "AP/1:2", "", "wlc-gs-07"),
        "ap:wlc-07/CN9": ("wlc-07/CN9", "wlc-07/CN9", "", "wlc-gs-07"),
    }


def _named(evidence: Evidence) -> tuple[str, str, str, str]:
    return (
        evidence.ap,
        evidence.ap_name,
        evidence.room,
        evidence.controller_name,
    )


def test_an_access_point_that_moved_takes_its_state_along(
    site: Site, city: Inventory
) -> None:
    other = structs.replace(city.buildings[0], id="gs-08", name="Grundschule 08 (Demo)")
    both = structs.replace(city, buildings=(*city.buildings, other))
    site.store.inventories.save(content_hash(both), encode(both), 1)
    engine = site.engine()
    site.aps({"gs-07-ap-1": 1.0})
    engine.run_once()
    for _ in range(2):
        site.clock.advance(60)
        site.aps({"gs-07-ap-1": 0.0}, building="gs-08")
        engine.run_once()
    (row,) = site.store.alarms.states()
    assert (row.target, row.building_id) == ("ap:gs-07-ap-1", "gs-08")
    (incident,) = site.store.alarms.incidents()
    assert incident.building_id == "gs-08"


def _line_states(site: Site) -> str:
    found = site.store.alarms.transitions_of("line:gs-07-main")
    chain = [t.to_state for t in found if t.rule == "line_below_target"]
    return " ".join(reversed(chain))


@pytest.mark.parametrize("restarted", [False, True])
def test_made_up_data_never_raise_an_alarm_not_even_after_a_restart(
    site: Site, *, restarted: bool
) -> None:
    engine = site.engine()
    for mbits in (240, 10, 10, 10, 10):
        site.clock.advance(60)
        site.lines(mbits, generated=True)
        site.aps({"gs-07-ap-1": float(mbits > 100)}, generated=True)
        engine = site.engine() if restarted else engine
        engine.run_once()
    rows = {(r.rule, r.target): r.state for r in site.store.alarms.states()}
    assert rows == {
        ("line_below_target", "line:gs-07-main"): AlarmState.SUSPECT,
        ("no_data", "line:gs-07-main"): AlarmState.OK,
        ("ap_down", "ap:gs-07-ap-1"): AlarmState.SUSPECT,
    }
    memories = [Held.of(row).watched.memory for row in site.store.alarms.states()]
    assert all(memory.generated for memory in memories)
    assert site.store.alarms.incidents() == []


@pytest.mark.parametrize("restarted", [False, True])
def test_a_probe_takes_over_a_line_that_was_made_up(
    site: Site, *, restarted: bool
) -> None:
    engine = site.engine()
    for mbits, generated, states in (
        (10, True, "suspect"),
        (10, True, "suspect"),
        # The made-up streak confirms nothing; two measured results do.
        (10, False, "suspect"),
        (10, False, "suspect bad"),
        # From now on made-up data can neither end an incident nor open one.
        (240, True, "suspect bad"),
        (240, False, "suspect bad ok"),
        (10, True, "suspect bad ok"),
        (10, True, "suspect bad ok"),
    ):
        site.clock.advance(60)
        site.lines(mbits, generated=generated)
        engine = site.engine() if restarted else engine
        engine.run_once()
        assert _line_states(site) == states


def test_made_up_data_keep_no_silent_probe_alive(site: Site) -> None:
    engine = site.engine()
    site.lines(240)
    engine.run_once()
    for _ in range(5):
        site.clock.advance(3600)
        site.lines(240, generated=True)
        engine.run_once()
    assert [i.rule for i in site.store.alarms.incidents(open_only=True)] == ["no_data"]


def test_a_retired_line_that_comes_back_made_up_raises_nothing(
    site: Site, city: Inventory
) -> None:
    engine = site.engine()
    site.lines(10, generated=True)
    engine.run_once()
    without = structs.replace(city, lines=())
    site.store.inventories.save(content_hash(without), encode(without), 1)
    engine.run_once()
    site.store.inventories.save(content_hash(city), encode(city), 2)
    for _ in range(4):
        site.clock.advance(60)
        site.lines(10, generated=True)
        engine.run_once()
    assert _line_states(site) == "suspect unknown suspect"
    assert site.store.alarms.incidents() == []


def test_an_unplanned_access_point_that_vanished_is_dropped_with_the_next_import(
    site: Site, city: Inventory
) -> None:
    engine = site.engine()
    site.aps({"gs-07-ap-1": 1.0, "wlc-07/fremd": 1.0})
    site.clock.advance(60)
    for _ in range(2):
        site.aps({"gs-07-ap-1": 0.0, "wlc-07/fremd": 0.0})
        engine.run_once()
        site.clock.advance(60)
    site.clock.advance(3600)
    engine.run_once()
    assert len(site.store.alarms.incidents(open_only=True)) == 2
    newer = Inventory(
        buildings=city.buildings,
        lines=city.lines,
        devices=city.devices,
        access_points=city.access_points,
    )
    site.store.inventories.save(content_hash(newer), encode(newer), 1)
    engine.run_once()
    (still,) = site.store.alarms.incidents(open_only=True)
    assert still.target == "ap:gs-07-ap-1"
    (row,) = [r for r in site.store.alarms.states() if r.target == "ap:wlc-07/fremd"]
    assert row.state is AlarmState.UNKNOWN


def test_a_failure_among_numbers_is_in_the_evidence(site: Site) -> None:
    engine = site.engine()
    site.lines(10)
    series = site._series(
        "throughput",
        {"line": "gs-07-main", "method": "tcp"},
        {"rate_down_bps": [None]},
        {},
    )
    series.failure = [FailureReason.BUSY]
    site._write([series])
    site.lines(20)
    engine.run_once()
    (incident,) = site.store.alarms.incidents()
    evidence = decode(incident.evidence)
    assert [r.value for r in evidence.results] == [10e6, None, 20e6]
    assert evidence.failure is FailureReason.BUSY
    assert evidence.measured_bps == 20e6


class KilledError(StorageError):
    """The process dies here."""


class Killing:
    """Lets the n-th writing call die, before or after it took effect."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.calls = 0
        self._at = at
        self._after = after

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            dies = self.calls == self._at
            if dies and not self._after:
                raise KilledError
            done = call(*args, **kwargs)
            if dies:
                raise KilledError
            return done

        return wrapped


def story(site: Site, killing: Killing | None) -> tuple[object, ...]:
    """Play a morning; a killed service is replaced by a new one at once."""
    if killing is not None:
        alarms = site.store.alarms
        alarms.commit = killing.around(alarms.commit)  # type: ignore[method-assign]
        threads = site.store.threads
        threads.tell = killing.around(threads.tell)  # type: ignore[method-assign]
    services: list[AlertService] = [site.service()]

    def evaluate() -> None:
        try:
            services[-1].evaluate()
        except KilledError:
            services.append(site.service())
            services[-1].evaluate()

    for mbits, up in ((240, 1), (10, 0), (10, 0), (10, 1), (240, 1), (240, 1)):
        site.clock.advance(300)
        site.lines(mbits)
        site.aps({"gs-07-ap-1": up, "gs-07-ap-2": up, "gs-07-ap-3": 1.0})
        evaluate()
    site.clock.advance(6 * 3600)
    evaluate()
    site.lines(240)
    evaluate()
    return site.outcome()


@pytest.fixture
def undisturbed(tmp_path: Path, city: Inventory) -> Iterator[tuple[object, ...]]:
    store = SqliteStore(tmp_path / "undisturbed.sqlite3")
    yield story(Site(store, city), None)
    store.close()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 15))
def test_killed_anywhere_nothing_is_repeated_or_lost(
    site: Site, undisturbed: tuple[object, ...], at: int, after: bool
) -> None:
    killing = Killing(at, after=after)
    outcome = story(site, killing)
    assert outcome == undisturbed
    assert killing.calls >= at, "the kill came too late to matter"


def test_the_story_is_worth_being_killed_for(undisturbed: tuple[object, ...]) -> None:
    _, incidents, mails = undisturbed
    assert isinstance(incidents, list)
    assert isinstance(mails, list)
    assert len(incidents) == 4  # slow line, two access points, silent line
    # Both events to two recipients, twice: what falls together in a building is one.
    assert len(mails) == 2 * 2 * 2
    events = [message_id.split(".")[2] for message_id, _, _ in mails]
    assert events.count(MailEvent.ALARM) == events.count(MailEvent.RECOVERY)


MODEM = Device(
    id="rt-07",
    building_id="gs-07",
    kind=DeviceKind.ROUTER,
    name="rt-07",
    address="192.0.2.8:161",
    line_id="gs-07-main",
)


@pytest.mark.parametrize("has_modem", [True, False])
def test_an_alarm_keeps_how_the_line_itself_was(
    store: SqliteStore, city: Inventory, has_modem: bool
) -> None:
    devices = (*city.devices, MODEM) if has_modem else city.devices
    site = Site(store, structs.replace(city, devices=devices))
    engine = site.engine()
    site.lines(240)
    site.modem(rate_down_bps=250e6)
    engine.run_once()
    for _ in range(2):
        site.clock.advance(60)
        site.modem(rate_down_bps=45e6)
        site.lines(43)
        engine.run_once()
    (incident,) = store.alarms.incidents(open_only=True)
    medium = decode(incident.evidence).medium
    # Only what the inventory calls the line's device may speak for it.
    assert (medium is not None) is has_modem
    if medium is not None:
        assert [finding.code for finding in medium.findings] == ["dsl_rate_low"]
    verdict = decode(incident.evidence).verdict
    assert verdict is not None
    assert verdict.verdict is VerdictClass.BELOW_TARGET
    first = verdict.reasons[0]
    assert first.code is (ReasonCode.BELOW_MEDIUM if has_modem else ReasonCode.BELOW)
    assert first.numbers == {"rate_bps": 43e6, "contracted_bps": 250e6}
    site.clock.advance(60)
    site.lines(240)
    engine.run_once()
    assert store.alarms.incidents(open_only=True) == []
    last = store.alarms.transitions_of("line:gs-07-main")[0]
    assert decode(last.evidence).medium is None
    assert decode(last.evidence).verdict is None


def test_a_silent_line_keeps_its_last_number_and_the_guilty_segment(
    store: SqliteStore, city: Inventory
) -> None:
    site = Site(store, city)
    engine = site.engine()
    site.lines(240)
    engine.run_once()
    site.clock.advance(3 * 3600 + 1)
    site.way("gateway", 0.001)
    site.way("provider", FailureReason.NO_REPLY)
    engine.run_once()
    incidents = store.alarms.incidents(open_only=True)
    (silent,) = (i for i in incidents if i.target == "line:gs-07-main")
    verdict = decode(silent.evidence).verdict
    assert verdict is not None
    assert verdict.verdict is VerdictClass.NOT_MEASURED
    assert verdict.reasons[0].code is ReasonCode.UNMEASURED_PATH
    assert ReasonCode.MEASURED in {reason.code for reason in verdict.reasons}
