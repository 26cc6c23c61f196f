"""The charts of the building page in a real browser: pointer, keys, and without."""

from __future__ import annotations

from collections.abc import AsyncIterator
from math import sin

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, Page

from netmon.model import FailureReason
from netmon.storage.records import AlarmState
from tests.dashboards.axe import violations
from tests.dashboards.browsing import serving, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIGURES = "figure[data-history]"
# The policy's own word on what it did not let happen, and what a script threw.
WATCH = """
window.refused = [];
addEventListener("securitypolicyviolation", (e) => refused.push(e.violatedDirective));
addEventListener("error", (e) => refused.push(String(e.message)));
"""


@pytest.fixture
async def building_url(app: FastAPI, city) -> AsyncIterator[str]:
    """A building with something of everything."""
    hours = range(1, 24)
    city.throughput(
        "b-ost", *((h * 3600 - 900, (200 + 30 * sin(h), 40)) for h in hours)
    )
    city.throughput("b-ost", (2 * 3600, FailureReason.TIMEOUT))
    numbers = {"rate_down_bps": 180.0, "rtt_idle_s": 0.011, "rtt_loaded_s": 0.085}
    city.test("b-ost", *((h * 3600, numbers) for h in (3, 9)))
    city.latency("b-ost", *((60.0 * n, 12 + sin(n)) for n in range(1, 400)))
    light = {"rx_dbm": -12.25, "tx_dbm": -3.0, "rx_low_warn_dbm": -21.0}
    told = {"device": "sw-1", "line": "b-ost-main", "port": "25"}
    city.write("line_optics", "b-ost", told, *((h * 3600, light) for h in hours))
    for n in (1, 2):
        city.access_point("b-ost", f"ost-{n}", 12)
    city.write("device", "b-ost", {"device": "sw-1"}, (60, {"up": 1.0}))
    for port in range(1, 25):
        values = {"oper_up": 1.0, "speed_bps": 1e9, "in_errors_total": 0.0}
        tags = {"device": "sw-1", "port": str(port)}
        city.write("lan_port", "b-ost", tags, (60, values))
    city.source("sonde-ost", "b-ost")
    health = {"spool_records_count": 12.0, "spool_dropped_total": 1.0}
    own = {"probe": "sonde-ost"}
    city.write("probe_health", "b-ost", own, (60, health), source="sonde-ost")
    city.line_state("b-ost", AlarmState.BAD, measured_bps=2e7, expected_bps=1e8)
    city.all_alive()
    async with serving(app) as url:
        yield f"{url}/gebaeude/b-ost"


async def drawn(page: Page, url: str) -> None:
    """Open the page and wait until every chart is drawn, also those far below."""
    await page.add_init_script(WATCH)
    await page.goto(url)
    for figure in await page.locator(FIGURES).all():
        await figure.scroll_into_view_if_needed()
        await figure.locator("canvas").wait_for()


async def test_charts_are_drawn_in_place_and_break_no_rule(
    browser: Browser, building_url: str
):
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await drawn(page, building_url)
    assert await page.locator(f"{FIGURES}.is-live").count() == 4
    assert await page.locator(".drawn svg.chart:visible").count() == 0
    assert await page.evaluate("refused") == []
    # The drawing has its size from a script, which the policy lets set styles.
    box = await page.locator(".stage canvas").first.bounding_box()
    assert box is not None
    assert box["width"] > 1000
    assert 250 < box["height"] < 350


async def test_arrow_keys_go_from_value_to_value_and_say_it(
    browser: Browser, building_url: str
):
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await drawn(page, building_url)
    rates = page.locator(".plot-rates")
    stage, said = rates.locator(".stage"), rates.locator("[aria-live=polite]")
    assert "Pfeiltasten" in (await stage.get_attribute("aria-label") or "")
    await rates.locator("[data-metric]").first.wait_for()
    await stage.focus()
    told = []
    for key in ("End", "ArrowLeft", "ArrowLeft", "ArrowRight", "Home"):
        await page.keyboard.press(key)
        told.append(await said.inner_text())
    assert told[0].startswith("20.11.2026, 07:27: Download ")
    assert "Mbit/s, Upload 40,0 Mbit/s" in told[0]
    assert told[1].startswith("20.11.2026, 06:27: Download ")
    assert told[1] == told[3] != told[2]
    assert told[4].startswith("19.11.2026, 09:27: Download ")
    assert await rates.locator(".readout").inner_text() == told[4]
    await page.keyboard.press("Escape")
    assert await said.inner_text() == ""


async def test_the_pointer_shows_the_nearest_value(browser: Browser, building_url: str):
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await drawn(page, building_url)
    light = page.locator(".plot-light")
    readout = light.locator(".readout")
    assert "Maus" in await readout.inner_text()
    await light.locator(".u-over").hover()
    text = await readout.inner_text()
    assert "Empfangspegel −12,3 dBm, Sendepegel −3,0 dBm" in text
    # Only keys are spoken: a pointer would not let anybody finish a sentence.
    assert await light.locator("[aria-live]").inner_text() == ""


async def test_without_scripts_the_servers_drawing_and_table_stay(
    browser: Browser, building_url: str
):
    context = await browser.new_context(
        java_script_enabled=False, viewport={"width": 1440, "height": 900}
    )
    page = await context.new_page()
    await page.goto(building_url)
    assert await page.locator(".drawn svg.chart:visible").count() == 4
    assert await page.locator(".stage").count() == 0
    table = page.locator(".plot-rates details")
    await table.locator("summary").click()
    assert await table.locator("tbody tr").first.is_visible()
    await context.close()


async def test_a_history_that_does_not_come_leaves_the_servers_drawing(
    browser: Browser, building_url: str
):
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.route("**/history/loss*", lambda route: route.abort())
    async with page.expect_event(
        "console", lambda message: "stays" in message.text
    ) as told:
        await page.goto(building_url)
        await page.locator(".plot-loss").scroll_into_view_if_needed()
    assert (await told.value).type == "warning"
    assert await page.locator(".plot-loss svg.chart:visible").count() == 1
    assert await page.locator(".plot-loss .stage").count() == 0


@pytest.mark.parametrize("width", [1440, 360])
async def test_nothing_bars_the_way(browser: Browser, building_url: str, width: int):
    page = await browser.new_page(viewport={"width": width, "height": 900})
    await drawn(page, building_url)
    await page.evaluate(
        "document.querySelectorAll('details').forEach(e => { e.open = true; })"
    )
    assert not await too_wide(page)
    assert await violations(page) == []
    await page.goto(f"{building_url}/verlauf/delays")
    assert not await too_wide(page)
    assert await violations(page) == []
