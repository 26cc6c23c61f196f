"""``/healthz`` and ``/metrics``: which part is unwell, and numbers that parse."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashboards import schemas
from dashboards.app import create_app
from dashboards.health import Part, allowed_ages, judge
from netmon.config import AlertSettings, MailSettings, Settings, TsdbSettings
from netmon.errors import StorageError
from netmon.storage.records import AlarmState, Heartbeat

NOW = 1_795_000_000_000


def beat(process: str, age_s: float) -> Heartbeat:
    return Heartbeat(
        process=process, at_ms=NOW - round(age_s * 1000), figures={}, note=""
    )


@pytest.mark.parametrize(
    ("beats", "failing"),
    [
        ([beat("ingest", 5), beat("alerts", 5)], []),
        ([beat("ingest", 61), beat("alerts", 5)], [Part.INGEST]),
        ([beat("ingest", 60), beat("alerts", 60)], []),
        ([beat("alerts", 5)], [Part.INGEST]),
        ([], [Part.INGEST, Part.ALERTS]),
        # A clock that was set back must not make a living part unwell.
        ([beat("ingest", -30), beat("alerts", 0)], []),
    ],
)
def test_parts_are_judged_by_age(beats, failing):
    parts = judge(beats, allowed_ages(Settings()), NOW)
    assert [p.part for p in parts if not p.ok] == failing


def test_the_relay_counts_only_where_a_database_is_set():
    assert Part.RELAY not in allowed_ages(Settings())
    assert Part.MAIL not in allowed_ages(Settings())
    assert Part.MAIL in allowed_ages(Settings(mail=MailSettings(host="localhost")))
    assert Part.RELAY in allowed_ages(Settings(tsdb=TsdbSettings(url="http://x")))


def test_slow_alerts_get_the_time_they_are_set_to():
    slow = Settings(alerts=AlertSettings(interval_s=300))
    assert allowed_ages(slow)[Part.ALERTS] == 1200


async def test_healthz_is_200_when_all_parts_live(city, client):
    city.all_alive()
    answer = await client.get("/healthz")
    assert answer.status_code == 200
    schemas.HealthReply.model_validate(answer.json())
    assert answer.json()["ok"] is True


async def test_healthz_names_the_part_that_fell_silent(city, client, clock):
    city.all_alive()
    clock.advance(300)
    city.store.heartbeats.beat("ingest", city.now_ms, {})
    answer = await client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["failing"] == ["alerts"]
    alerts = next(p for p in answer.json()["parts"] if p["part"] == "alerts")
    assert alerts["age_s"] == 300.0


async def test_healthz_says_when_the_store_does_not_answer(city, client, monkeypatch):
    def fail(self: object) -> None:
        raise StorageError("gone")

    monkeypatch.setattr(type(city.store.heartbeats), "all", fail)
    answer = await client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["failing"] == ["store"]


async def test_the_app_gives_its_own_sign_of_life(settings, store, clock):
    app = create_app(settings, store, clock)
    async with app.router.lifespan_context(app):
        assert "ingest" in {b.process for b in store.heartbeats.all()}


async def scrape(client) -> dict[tuple[str, ...], float]:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation for family in families)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


async def test_metrics_tell_the_own_health(city, client, clock):
    city.all_alive()
    city.throughput("b-ost", (60, (240, 40)), (30, (241, 40)))
    city.write("latency", "b-ost", {"line": "b-ost-main"}, quarantined=2)
    city.write(
        "probe_health",
        "b-ost",
        {"probe": "p1"},
        (30, {"spool_records_count": 12.0, "spool_dropped_total": 7.0}),
        source="b-ost-p1",
    )
    city.write(
        "collector_health",
        "",
        {"collector": "c1"},
        (30, {"requests_total": 13650.0, "silent_devices_count": 3.0}),
    )
    city.line_state("b-ost", AlarmState.BAD)
    city.store.heartbeats.beat("mail", city.now_ms, {"mails waiting": 4.0})
    clock.advance(90)
    found = await scrape(client)
    assert all(name.startswith("netmon_") for name, *_ in found)
    assert found["netmon_stored_measurements",] == 4
    assert found["netmon_quarantined_measurements",] == 2
    assert found["netmon_last_position_chunks",] == 3
    assert found["netmon_reader_lag_chunks", "alerts"] == 3
    assert found["netmon_heartbeat_age_seconds", "alerts"] == 90
    assert found["netmon_alarm_targets", "line_below_target", "bad"] == 1
    assert found["netmon_alarm_targets", "line_below_target", "ok"] == 0
    assert found["netmon_open_incidents",] == 1
    assert found["netmon_mails", "alarm", "false"] == 0
    assert found["netmon_mails_unwritten",] == 0
    assert found["netmon_spool_dropped_records_total", "b-ost-p1"] == 7
    assert found["netmon_spool_waiting_records", "b-ost-p1"] == 12
    assert found["netmon_collector_requests_total", "c1"] == 13650
    assert found["netmon_collector_silent_devices_count", "c1"] == 3
    assert found["netmon_process_figure", "mails_waiting", "mail"] == 4


async def test_the_relay_has_a_lag_once_it_has_run(city, client):
    city.throughput("b-ost", (60, (240, 40)))
    assert ("netmon_reader_lag_chunks", "relay") not in await scrape(client)
    city.store.cursors.set("relay", 1, city.now_ms)
    city.throughput("b-ost", (30, (240, 40)))
    assert (await scrape(client))["netmon_reader_lag_chunks", "relay"] == 1


async def test_all_records_are_counted_at_most_every_ten_seconds(city, client, clock):
    city.throughput("b-ost", (60, (240, 40)))
    assert (await scrape(client))["netmon_stored_measurements",] == 1
    city.throughput("b-ost", (30, (240, 40)))
    assert (await scrape(client))["netmon_stored_measurements",] == 1
    clock.advance(10)
    assert (await scrape(client))["netmon_stored_measurements",] == 2


async def test_two_apps_do_not_share_a_registry(settings, store, clock):
    one, other = (create_app(settings, store, clock) for _ in range(2))
    assert one.state.registry is not other.state.registry
