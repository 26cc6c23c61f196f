"""Timelines of what says nothing: silence, failures, late and made-up data, restarts.

Every timeline runs twice: with one alarm process, and with a new one each time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from alerts.service import AlertService
from netmon.clock import from_ms
from netmon.config import Settings
from netmon.model import (
    FailureReason,
    Inventory,
)
from netmon.storage.records import (
    SourceKind,
)
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts
from tests.acceptance.alert_world import (
    ALARM,
    CITY,
    CLEAR,
    KNOWN,
    SERVICE,
    START,
    World,
)


def test_a_silent_controller_says_nothing_of_its_access_points(world: World) -> None:
    world.polled({"gs-07-ap-1": True})
    for minute in ("08:05", "08:10", "08:15", "08:20", "08:25", "08:30"):
        world.at(minute)
        world.polled({"gs-07-ap-1": None})
    (row,) = world.store.alarms.states(rule="ap_down")
    assert row.state == "stale"
    assert world.sent() == []


def test_late_data_raise_nothing_and_clear_nothing(world: World) -> None:
    world.measured(240)
    world.pinged()
    world.at("13:00")  # the line was gone, the probe kept measuring into its spool
    assert world.states() == "ok stale"
    early = [START + timedelta(minutes=m) for m in (15, 30, 45, 60)]
    world.measured(5, 5, 5, 5, measured=early)
    assert world.states() == "ok stale"
    assert world.states("no_data") == "ok bad"
    world.measured(240)
    assert world.states("no_data") == "ok bad ok"
    for minute in ("13:15", "13:30", "13:45"):
        world.at(minute)
        world.measured(5)
    world.measured(240, 240, 240, measured=early[:3])
    assert world.states() == "ok stale ok suspect bad"
    assert [subject for _, _, subject in world.sent()] == [
        ALARM + "Anbindung nicht gemessen seit 08:00 Uhr",
        CLEAR + "Anbindung nicht gemessen, Dauer 5 Std. 0 Min.",
        ALARM + "Anbindung unter Soll seit 13:15 Uhr",
    ]


def test_a_line_that_only_fails_is_not_measured_rather_than_slow(world: World) -> None:
    world.measured(240)
    for hour in (9, 10, 11, 12):
        world.at(f"{hour:02}:00")
        world.measured(None, failure=FailureReason.UNREACHABLE)
    assert world.states() == "ok stale"
    assert world.states("no_data") == "ok bad"
    assert world.sent() == [
        ("20. 11:05", SERVICE, ALARM + "Anbindung nicht gemessen seit 08:00 Uhr")
    ]
    text = " ".join(world.letters()[0].get_body(("plain",)).get_content().split())
    assert "ihre Messungen scheitern aber" not in text
    assert (
        "aber ihre Messungen scheitern, zuletzt 11:00 Uhr: Kein Weg zum Ziel." in text
    )
    world.at("12:30")
    world.measured(240)
    assert world.sent()[1:] == [
        (
            "20. 12:30",
            SERVICE,
            CLEAR + "Anbindung nicht gemessen, Dauer 4 Std. 30 Min.",
        )
    ]


def test_a_probe_that_never_worked_is_told_of_once_it_tried(world: World) -> None:
    world.at("08:30", days=3, every_s=6 * 3600)
    assert world.sent() == []  # in the inventory, never heard of: nobody is called
    world.measured(None, failure=FailureReason.REFUSED)
    world.at("12:30", days=3)
    assert world.sent() == [
        ("23. 11:35", SERVICE, ALARM + "Anbindung nicht gemessen seit 08:30 Uhr")
    ]


def test_latency_alone_shows_that_a_line_is_measured(world: World) -> None:
    world.measured(240)
    for hour in range(9, 20):
        world.at(f"{hour:02}:00")
        world.pinged()
    assert world.states() == "ok stale"
    assert world.states("no_data") == "ok"
    assert world.sent() == []


def test_an_open_incident_stays_open_while_nothing_is_known(world: World) -> None:
    for minute in ("08:05", "08:10", "08:15"):
        world.at(minute)
        world.measured(10)
    world.at("12:00")
    assert world.states() == "suspect bad stale"
    assert len(world.incidents(open_only=True)) == 2
    world.measured(240)
    assert world.states() == "suspect bad stale bad"
    world.at("12:05")
    world.measured(240)
    assert world.states() == "suspect bad stale bad ok"
    assert [subject for _, _, subject in world.sent()] == [
        ALARM + "Anbindung unter Soll seit 08:05 Uhr",
        ALARM + "Anbindung nicht gemessen seit 08:15 Uhr",
        CLEAR + "Anbindung nicht gemessen, Dauer 3 Std. 45 Min.",
        CLEAR + "Anbindung unter Soll, Dauer 4 Std. 0 Min.",
    ]


def test_a_line_taken_out_of_the_inventory_ends_its_incident(world: World) -> None:
    for minute in ("08:05", "08:10", "08:15"):
        world.at(minute)
        world.measured(10)
    world.plan(Inventory(buildings=CITY.buildings, lines=CITY.lines[1:]))
    world.at("20:00")
    assert world.states() == "suspect bad ok unknown"
    assert world.states("no_data") == "ok unknown"
    assert [subject for _, _, subject in world.sent()] == [
        ALARM + "Anbindung unter Soll seit 08:05 Uhr",
        CLEAR + "Anbindung unter Soll, Dauer 15 Min.",
    ]
    text = world.letters()[1].get_body(("plain",)).get_content()
    assert "steht nicht mehr im Inventar" in text


def test_an_engine_that_was_stopped_writes_the_history_it_missed(world: World) -> None:
    """Nothing ran from 08:00 to 12:00: states and times are as if it had."""
    world.measured(240)
    for minutes in (15, 15, 15, 150, 15):
        world.clock.advance(60 * minutes)
        tags = {"building": "gs-07", "line": "gs-07-main", "method": "tcp"}
        rate_bps = 240e6 if minutes == 150 or world.clock.now() > NOON else 10e6
        world.store_series("throughput", tags, {"rate_down_bps": [rate_bps]})
    world.run()
    assert world.states() == "ok suspect bad ok"
    (incident,) = world.incidents()
    assert from_ms(incident.started_ms) == START + timedelta(minutes=45)
    # Over before anybody could be told: no alarm any more, but no secret either.
    assert world.sent() == []
    world.pinged()
    world.at("07:00", days=3, every_s=3600)
    digest = world.sent()[-1]
    assert digest == ("23. 07:00", SERVICE, "[Lagebericht] 23.11.2026 – offen: 1")
    text = world.told(-1)
    assert "Aufgetreten und behoben: 1" in text
    assert "Anbindung unter Soll, Beginn 20.11.2026, 08:45 Uhr, Dauer 2 Std. 45" in text


NOON = datetime(2026, 11, 20, 10, 20, tzinfo=UTC)


def test_made_up_data_call_nobody(world: World) -> None:
    world._source = world.store.sources.create(
        "history",
        SourceKind.COLLECTOR,
        None,
        sha256(b"other").hexdigest(),
        generated=True,
    )
    world.measured(240)
    world.polled({"gs-07-ap-1": True})
    assert _states(world) == {
        ("line_below_target", "line:gs-07-main"): "ok",
        ("no_data", "line:gs-07-main"): "ok",
        ("ap_down", "ap:gs-07-ap-1"): "ok",
    }
    for minute in ("08:05", "08:10", "08:15", "08:20"):
        world.at(minute)
        world.measured(1)
        world.polled({"gs-07-ap-1": False})
    assert _states(world) == {
        ("line_below_target", "line:gs-07-main"): "suspect",
        ("no_data", "line:gs-07-main"): "ok",
        ("ap_down", "ap:gs-07-ap-1"): "suspect",
    }
    world.at("20:00")
    assert set(_states(world).values()) == {"stale"}
    assert world.states() == "ok suspect stale"
    assert world.states("no_data") == "ok stale"
    assert world.incidents() == []
    assert world.sent() == []


def _states(world: World) -> dict[tuple[str, str], str]:
    rows = world.store.alarms.states()
    return {(r.rule, r.target): r.state.value for r in rows if r.rule != KNOWN}


def test_before_the_first_inventory_nothing_is_lost(tmp_path: Path) -> None:
    world = World(tmp_path, 1, restarting=False)
    reader = world.store.cursors
    world.settings = Settings(data_dir=str(tmp_path))
    for _ in range(3):
        world.clock.advance(60)
        world.store_series(
            "throughput",
            {"building": "gs-07", "line": "gs-07-main", "method": "tcp"},
            {"rate_down_bps": [1e6]},
        )
    empty = SqliteStore(tmp_path / "empty.sqlite3")
    idle = AlertService(empty, world.settings, world.clock, None, Texts("de"))
    assert idle.evaluate()[0].transitions == ()
    assert reader.get("alerts").position == 0
    world.run()
    assert world.states() == "suspect bad"
    empty.close()
    world.store.close()
