"""The gateway takes campaign results into their chains beside the requests."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI
from msgspec.structs import replace

from dashboards import recording as module
from dashboards.app import create_app
from dashboards.recording import recording
from netmon.errors import StorageBusyError
from netmon.evidence.ordering import CampaignOrder, start
from netmon.evidence.plan import free_hours
from netmon.model import ProbeUnit
from netmon.school_calendar import SchoolCalendar

PROBE = ProbeUnit(id="ost-p1", building_id="b-ost", line_id="b-ost-main")


@pytest.fixture
def campaign(city):
    city.adopt(replace(city.inventory, probes=(PROBE,)))
    city.throughput("b-ost", (60.0, (200.0, 38.0)))
    return start(
        city.store,
        city.inventory,
        CampaignOrder(line_id="b-ost-main", from_ms=city.now_ms),
        now_ms=city.now_ms,
        allowed=free_hours(SchoolCalendar()),
    )


def _write(city, campaign) -> None:
    tags = {
        "line": "b-ost-main",
        "method": "tcp-adaptive/2",
        "direction": "down",
        "campaign": campaign.id,
    }
    city.write("throughput", "b-ost", tags, (0.0, {"rate_down_bps": 2e8}))


@pytest.fixture
async def rounds(monkeypatch):
    """What each round of recording brought: how many results, or the error."""
    found: asyncio.Queue[int | Exception] = asyncio.Queue()
    loop, real = asyncio.get_running_loop(), module.record_new

    def watched(store, now_ms):
        try:
            taken = real(store, now_ms)
        except Exception as error:
            loop.call_soon_threadsafe(found.put_nowait, error)
            raise
        loop.call_soon_threadsafe(found.put_nowait, taken)
        return taken

    monkeypatch.setattr(module, "record_new", watched)
    return found


async def test_a_result_becomes_a_link(store, settings, clock, city, campaign, rounds):
    app = create_app(settings, store, clock)
    async with app.router.lifespan_context(app):
        _write(city, campaign)
        async with recording(app.state.site, every_s=0.01):
            while await rounds.get() != 1:
                pass
    assert len(city.store.campaigns.entries(campaign.id)) == 2


async def test_the_app_records_from_its_start(
    store, settings, clock, city, campaign, rounds
):
    _write(city, campaign)
    app = create_app(settings, store, clock)
    async with app.router.lifespan_context(app):
        assert await rounds.get() == 1


async def test_a_store_that_refuses_is_asked_again(
    app: FastAPI, city, campaign, monkeypatch, caplog, rounds
):
    _write(city, campaign)
    calls = _refuse_once(city, monkeypatch)
    async with recording(app.state.site, every_s=0.01):
        while await rounds.get() != 1:
            pass
    assert "not recorded this time: busy" in caplog.text
    assert len(calls) > 1


def _refuse_once(city, monkeypatch) -> list[int]:
    advance, calls = city.store.campaigns.advance, []

    def first_busy(steps, **where):
        calls.append(len(steps))
        if len(calls) == 1:
            raise StorageBusyError("busy")
        return advance(steps, **where)

    monkeypatch.setattr(city.store.campaigns, "advance", first_busy)
    return calls
