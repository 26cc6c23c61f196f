"""All buildings in a real browser: nothing axe objects to, a map for hands and keys."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, Page, expect

from netmon.config import Settings
from netmon.login_settings import LoginSettings
from netmon.model import FailureReason
from netmon.site_settings import SiteSettings
from netmon.storage.records import AlarmState
from tests.dashboards.axe import violations
from tests.dashboards.browsing import serving, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OST = "Ostschule: Gestört"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)


@pytest.fixture
async def site_url(app, city) -> AsyncIterator[str]:
    spread = [
        replace(x, latitude_deg=51.5 + n % 2 * 0.03, longitude_deg=7.4 + n * 0.04)
        for n, x in enumerate(city.inventory.buildings)
    ]
    city.adopt(replace(city.inventory, buildings=tuple(spread)))
    city.throughput("b-ost", (60, (18.2, 4.0)))
    city.line_state("b-ost", AlarmState.BAD, measured_bps=18.2e6, expected_bps=1e8)
    city.throughput("b-oest", (60, (190.0, 40.0)), generated=True)
    city.line_state("b-oest", AlarmState.OK)
    city.throughput("b-z9", (600, (48, 9)), (300, FailureReason.TIMEOUT))
    city.line_state("b-z9", AlarmState.SUSPECT)
    city.access_point("b-ost", "ost-1", 7)
    city.write(
        "coverage",
        "b-ost",
        {"network": "lan"},
        (1200, {"rooms_count": 40.0, "covered_count": 38.0, "open_count": 2.0}),
    )
    async with serving(app) as url:
        yield url


def watch(page: Page) -> list[str]:
    """Return the list into which the page's complaints go."""
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    return problems


async def test_nothing_to_object_to_at_any_width(browser: Browser, site_url: str):
    page = await browser.new_page()
    problems = watch(page)
    for width in (1440, 768, 360):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.goto(site_url)
        await expect(page.locator(".map-live .map-pin")).to_have_count(5)
        assert await violations(page) == [], f"{width} px"
        assert not await too_wide(page), f"{width} px"
    # On a laptop nothing is cut off, nor just before a table becomes cards.
    for width in (1366, 1341, 1340, 1280, 1231, 1230):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto(site_url)
        cut_off = await page.evaluate(
            "[...document.querySelectorAll('.scroll')]"
            ".filter(e => e.scrollWidth > e.clientWidth).length"
        )
        assert cut_off == 0, f"{width} px"
    # An empty selection has a page of its own kind.
    await page.goto(f"{site_url}/?q=nirgends")
    assert await violations(page) == []
    assert problems == []


async def test_a_building_is_opened_from_the_map_by_keys_alone(
    browser: Browser, site_url: str
):
    # Nothing moves, so that what axe sees is what stays.
    page = await browser.new_page(reduced_motion="reduce")
    problems = watch(page)
    await page.goto(site_url)
    pin = page.get_by_role("button", name=OST)
    await pin.focus()
    assert await pin.evaluate("e => getComputedStyle(e).outlineStyle") != "none"
    await page.keyboard.press("Enter")
    link = page.locator(".leaflet-popup a")
    await expect(link).to_be_focused()
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await expect(link).to_have_count(0)
    await expect(pin).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(link).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/gebaeude/b-ost")
    assert problems == []


async def test_the_map_can_be_skipped_and_the_page_asked_again(
    browser: Browser, site_url: str
):
    page = await browser.new_page()
    await page.goto(f"{site_url}/?q=schule")
    await page.get_by_role("link", name="Karte überspringen").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    focused = await page.evaluate(
        "document.activeElement.closest('#anbindung') !== null"
    )
    assert focused, "the next stop is in the table"
    await page.get_by_role("button", name="Aktualisieren").click()
    await page.wait_for_url("**/?q=schule")


async def test_without_scripts_the_drawing_and_its_links_stay(
    browser: Browser, site_url: str
):
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(site_url)
    pins = page.locator(".city-map a.pin")
    await expect(pins).to_have_count(5)
    await page.locator(".city-map").get_by_role("link", name=OST).focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/gebaeude/b-ost")
    await context.close()


class Tiles:
    """A server of tiles that can also refuse."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.has_tiles = True

    async def answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head.split()[1])
        status, body = ("200 OK", PIXEL) if self.has_tiles else ("404 Not Found", b"")
        head = f"HTTP/1.1 {status}\r\nContent-Type: image/png\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


class TestWithTiles:
    @pytest.fixture
    async def tiles(self) -> AsyncIterator[tuple[Tiles, str]]:
        made = Tiles()
        server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        yield made, f"http://127.0.0.1:{port}"
        server.close()
        await server.wait_closed()

    @pytest.fixture
    def settings(self, tiles) -> Settings:
        return Settings(
            login=LoginSettings(required=False),
            site=SiteSettings(
                map_tiles_url=f"{tiles[1]}/{{z}}/{{x}}/{{y}}.png",
                map_attribution="© Katasteramt <Dortmund>",
            ),
        )

    async def test_tiles_lie_below_and_their_owner_is_named(
        self, browser: Browser, tiles, site_url: str
    ):
        page = await browser.new_page()
        problems = watch(page)
        await page.goto(site_url)
        await expect(page.locator(".leaflet-tile-loaded").first).to_be_attached()
        assert all(path.endswith(".png") for path in tiles[0].asked)
        credit = page.locator(".leaflet-control-attribution")
        await expect(credit).to_contain_text("© Katasteramt <Dortmund>")
        await expect(page.locator(".map-hull").first).to_have_css("fill-opacity", "0")
        assert problems == []

    async def test_without_them_the_outline_stays_and_the_page_says_so(
        self, browser: Browser, tiles, site_url: str
    ):
        tiles[0].has_tiles = False
        page = await browser.new_page()
        await page.goto(site_url)
        hint = page.locator("#karte-hinweis")
        await expect(hint).to_contain_text("nicht erreichbar")
        await expect(page.locator(".map-hull").first).to_have_css("fill-opacity", "1")
        await expect(page.locator(".map-pin")).to_have_count(5)
