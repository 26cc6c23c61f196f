"""The gateway removes what is old, shows what it keeps, and stops at a full disk."""

from __future__ import annotations

import asyncio
import gzip

import pytest
from msgspec.structs import replace

from dashboards.history import HistoryMetric, Span, read_history
from dashboards.keeping import PROCESS, keeping
from netmon.ingest import new_token, token_hash
from netmon.retention import ALERTS, EVIDENCE, Retention
from netmon.storage.records import SourceKind
from netmon.store_settings import StoreSettings
from netmon.wire import MEASUREMENTS_PATH, Batch, Series, decode_receipt, encode
from tests.dashboards.test_health import scrape

DAY_S = 86_400.0


def read_all(city):
    for reader in (ALERTS, EVIDENCE):
        city.store.cursors.set(
            reader, city.store.measurements.last_position(), city.now_ms
        )


async def until_told(city, figure=None):
    """Wait for a sign of life of the removal, with a figure above 0 if one is named."""
    async with asyncio.timeout(60):
        while not any(  # noqa: ASYNC110 - nobody announces it
            figure is None or beat.figures[figure]
            for beat in city.store.heartbeats.all()
            if beat.process == PROCESS
        ):
            await asyncio.sleep(0.02)


def test_the_pages_show_all_their_spans_after_the_removal(city, settings, clock):
    clock.advance(-420 * DAY_S)
    for days in (60, 330, 15, 10, 4, 0.5, 0.4):
        city.throughput("b-ost", (60, (240, 40)))
        city.latency("b-ost", (50, 20.0))
        city.access_point("b-ost", "ost-1", 12)
        clock.advance(days * DAY_S)
    store = city.store.measurements
    series = [item.series for item in store.latest(building_id="b-ost")]
    metrics = (HistoryMetric.RATE_DOWN, HistoryMetric.RTT)

    def shown():
        return {
            span: read_history(store, series, metrics, span, city.now_ms).points
            for span in Span
        }

    before, count = shown(), store.count()
    assert [len(points["rtt_s"]) for points in before.values()] == [2, 3, 3, 5]
    read_all(city)
    while Retention(city.store, settings).step(city.now_ms):
        pass
    assert store.count() < count - 5
    assert shown() == before


async def test_the_gateway_sweeps_by_itself_and_gives_a_sign_of_life(city, app, clock):
    city.access_point("b-ost", "ost-1", 12)
    clock.advance(8 * DAY_S)
    read_all(city)
    async with keeping(app.state.site, every_s=0.05):
        await until_told(city, "removed_chunks_total")
    assert city.store.measurements.count() == 0


async def test_a_sweep_that_fails_is_tried_again(city, app, monkeypatch, caplog):
    city.access_point("b-ost", "ost-1", 12)
    failed = asyncio.Event()
    loop = asyncio.get_running_loop()
    step = Retention.step

    def fail_once(self, now_ms):
        if not failed.is_set():
            loop.call_soon_threadsafe(failed.set)
            raise RuntimeError("a bug")
        loop.call_soon_threadsafe(again.set)
        return step(self, now_ms)

    again = asyncio.Event()
    monkeypatch.setattr(Retention, "step", fail_once)
    async with asyncio.timeout(60), keeping(app.state.site, every_s=0.05):
        await failed.wait()
        await again.wait()
    assert "old measurements not removed this time" in caplog.text


async def test_page_and_metrics_say_what_is_kept_and_who_holds_it(
    city, client, clock, settings
):
    await until_told(city)  # the next one comes in a minute, and says the same
    city.access_point("b-ost", "ost-1", 12)
    clock.advance(8 * DAY_S)
    city.store.cursors.set(EVIDENCE, 1, city.now_ms)
    figures = Retention(city.store, settings).figures(city.now_ms)
    city.store.heartbeats.beat(PROCESS, city.now_ms, figures)
    page = (await client.get("/system")).text
    assert "Die Alarmierung hat seit 20.11.2026" in page
    assert "Die Aufzeichnung der Nachweise hat" not in page
    assert "netmon relay forget" not in page
    assert f"aufgehalten seit (s): {round(8 * DAY_S):,}".replace(",", ".") in page
    assert not any(name in page for name in figures), "a figure without a name"
    city.store.cursors.set("relay", 0, city.now_ms)
    assert "netmon relay forget" in (await client.get("/system")).text
    for days in ("3 Tage", "35 Tage", "400 Tage"):
        assert days in page
    found = await scrape(client)
    assert found["netmon_reader_waiting_seconds", "alerts"] == 8 * DAY_S
    assert found["netmon_reader_waiting_seconds", "evidence"] == 0
    assert found["netmon_store_bytes",] > 0
    assert found["netmon_store_disk_free_bytes",] > 0
    assert found["netmon_store_reusable_bytes",] >= 0


@pytest.fixture
def probe(store):
    token = new_token()
    store.sources.create("p", SourceKind.PROBE, "b-ost", token_hash(token))

    async def post(client, now_ms):
        tags = {"building": "b-ost", "line": "b-ost-main"}
        series = Series("latency", tags, [1], [now_ms], {"rtt_s": [0.01]})
        return await client.post(
            MEASUREMENTS_PATH,
            content=gzip.compress(encode(Batch("p", "a" * 32, now_ms, [series]))),
            headers={"Authorization": f"Bearer {token}", "Content-Encoding": "gzip"},
        )

    return post


class TestBelowTheReserve:
    """No disk has as much free as is asked for here."""

    @pytest.fixture
    def settings(self, settings):
        return replace(settings, store=StoreSettings(min_free_mb=1_000_000))

    async def test_nothing_is_taken_and_everybody_is_told(self, city, client, probe):
        answer = await probe(client, city.now_ms)
        assert answer.status_code == 507
        assert answer.headers["Retry-After"]
        assert answer.json()["error"]["code"] == "disk_full"
        assert answer.json()["error"]["retry"] is True
        assert city.store.measurements.count() == 0
        city.all_alive()
        health = await client.get("/healthz")
        assert health.status_code == 503
        assert health.json()["failing"] == ["store"]
        assert "Kein Platz" in (await client.get("/system")).text


async def test_a_disk_that_fills_up_costs_nothing_that_was_taken(
    city, store, probe, client, app
):
    """SQLite's own limit of pages gives the very error of a full disk."""
    connection = store.measurements._database.connection
    write = store.measurements.write

    def on_a_full_disk(batches):
        connection().execute("PRAGMA max_page_count=1")
        # More than the pages that are there have room for.
        batches[0].series[0].info["note"] = "x" * 10_000
        return write(batches)

    app.state.ingest.commits._write = on_a_full_disk
    answer = await probe(client, city.now_ms)
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "disk_full")
    app.state.ingest.commits._write = lambda batches: (
        connection().execute(f"PRAGMA max_page_count={2**30}") and write(batches)
    )
    answer = await probe(client, city.now_ms)
    assert decode_receipt(answer.content).accepted == 1
    assert store.measurements.count() == 1
