"""The pages in a real browser: a way through by keyboard, and no sideways scrolling."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser

from netmon.model import FailureReason
from netmon.storage.records import AlarmState
from tests.dashboards.browsing import serving, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
async def site_url(app: FastAPI, city) -> AsyncIterator[str]:
    """The site on a free port; the fixture `app` has opened it already."""
    city.throughput("b-ost", (60, (180.0, 40.0)))
    city.test(
        "b-ost",
        (
            3600,
            {
                "rate_down_bps": 241.3,
                "rate_down_low_bps": 238.4,
                "rate_down_high_bps": 244.2,
                "cross_down_bps": 17.6,
                "rtt_idle_s": 0.011,
                "rtt_loaded_s": 0.0853,
                "cpu_steal_ratio": 0.12,
                "probe_late_s": 0.04,
                "port_speed_bps": 1000.0,
            },
        ),
        (90, FailureReason.OTHER_LINE),
    )
    city.test(
        "b-ost",
        (120, {"at_least_down_bps": 104.2, "threshold_bps": 100.0}),
        method="tcp-floor/2",
        purpose="floor",
    )
    city.line_state("b-ost", AlarmState.OK)
    city.all_alive()
    async with serving(app) as url:
        yield url


@pytest.mark.parametrize("width", [1440, 768, 360])
async def test_no_page_scrolls_sideways(browser: Browser, site_url: str, width: int):
    page = await browser.new_page(viewport={"width": width, "height": 900})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    for path in ("/", "/gebaeude/b-ost", "/stoerungen", "/sonden", "/system"):
        answer = await page.goto(f"{site_url}{path}")
        assert answer is not None
        assert answer.ok, path
        assert not await too_wide(page), f"{path} at {width} px"
        assert await page.locator("h1").count() == 1
    assert problems == [], "the content security policy or a script complained"


async def test_a_building_is_found_and_opened_by_keyboard_alone(
    browser: Browser, site_url: str
):
    page = await browser.new_page()
    await page.goto(site_url)
    await page.keyboard.press("Tab")
    focused = await page.evaluate("document.activeElement.getAttribute('href')")
    assert str(focused).startswith("#"), "the first stop skips to the content"
    await page.locator("input[name=q]").focus()
    name = await page.locator("th a[href='/gebaeude/b-ost']").first.inner_text()
    await page.keyboard.type(name)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**q=*")
    link = page.locator("th a[href='/gebaeude/b-ost']").first
    await link.focus()
    outline = await link.evaluate("e => getComputedStyle(e).outlineStyle")
    assert outline != "none", "focus is visible"
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/gebaeude/b-ost*")
    assert name in await page.locator("h1").inner_text()
