"""The main way through in a real browser, by mouse and by keyboard alone.

Find a building below 100 Mbit/s, see why, acknowledge, plan maintenance, download the
export. And every page on that way: nothing axe objects to, no sideways scrolling.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import openpyxl
import pytest
from playwright.async_api import Browser, Download, Page, expect

from netmon.accounts.passwords import hash_password
from netmon.config import Settings
from netmon.storage.account_records import Role
from netmon.storage.records import AlarmState
from tests.dashboards.axe import violations
from tests.dashboards.browsing import serving, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "apfel-tür-wolke-sieben"
CAUSE = "Download 18,2 Mbit/s, erwartet mindestens 100 Mbit/s"


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
async def site_url(app, city) -> AsyncIterator[str]:
    city.throughput("b-ost", (60, (18.2, 4.0)))
    city.line_state("b-ost", AlarmState.BAD, measured_bps=18.2e6, expected_bps=1e8)
    city.throughput("b-oest", (60, (190.0, 40.0)))
    city.line_state("b-oest", AlarmState.OK)
    city.source("b-ost-p1", "b-ost")
    city.all_alive()
    hashed = hash_password(PASSWORD, "ada")
    city.store.accounts.save("Ada", Role.ADMIN, None, hashed, city.now_ms)
    async with serving(app) as url:
        yield url


async def check_outcome(city, saved: Download, folder: Path) -> None:
    """Hold what the way through left behind, whichever hands walked it."""
    mark = city.store.actions.acknowledgements()[1]
    assert (mark.author, mark.note) == ("Ada", "Techniker ist bestellt")
    window = city.store.actions.maintenance()[0]
    assert (window.value, window.reason) == ("b-ost", "Routertausch")
    assert saved.suggested_filename == "netmon-bericht-2026-vorlaeufig.xlsx"
    await saved.save_as(folder / saved.suggested_filename)
    book = openpyxl.load_workbook(folder / saved.suggested_filename)
    caption = book["Internetanschluss"].cell(1, 1).value
    assert caption == (
        "Abbildung 2 – Internetanschluss nach Schulform (5 zu vernetzende Gebäude)"
    )


async def test_the_way_by_mouse(browser: Browser, site_url: str, city, tmp_path):
    page = await browser.new_page()
    await page.goto(site_url)
    await page.get_by_label("Name").fill("ada")
    await page.get_by_label("Passwort").fill(PASSWORD)
    await page.get_by_role("button", name="Anmelden").click()
    # Find: of all buildings those that are bad.
    await page.locator("select[name=state]").select_option("bad")
    await page.locator("form.filter button[type=submit]").click()
    await page.wait_for_url("**state=bad**")
    await page.locator("#anbindung a[href^='/gebaeude/b-ost']").first.click()
    # See why.
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Ostschule")
    await page.locator("a[href='/stoerungen/1']").first.click()
    await expect(page.locator(".headline")).to_contain_text(CAUSE)
    # Acknowledge.
    await page.locator("#f-quittieren").fill("Techniker ist bestellt")
    await page.get_by_role("button", name="Quittieren").click()
    await expect(page.get_by_role("status")).to_contain_text("ist quittiert")
    await expect(page.locator(".timeline")).to_contain_text("Techniker ist bestellt")
    # Plan maintenance; what is missing is told, what was typed stays.
    await page.get_by_role("link", name="Wartung für dieses Gebäude").click()
    await expect(page.get_by_label("Gebäude, Campusbezirk")).to_have_value(
        "building:b-ost"
    )
    await page.get_by_label("Ende").fill("+4h")
    await page.get_by_role("button", name="Wartung speichern").click()
    await expect(page.locator("#f-reason-fault")).to_contain_text("nicht leer")
    await expect(page.get_by_label("Ende")).to_have_value("+4h")
    await page.get_by_label("Grund").fill("Routertausch")
    await page.get_by_role("button", name="Wartung speichern").click()
    await expect(page.get_by_role("status")).to_contain_text("ist eingetragen")
    # Download the export.
    await page.get_by_role("link", name="Berichte").click()
    await page.get_by_role("link", name="2026", exact=True).click()
    async with page.expect_download() as caught:
        await page.get_by_role("link", name="Excel", exact=True).click()
    await check_outcome(city, await caught.value, tmp_path)


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus, which is seen wherever it is.

    While a page is still coming nothing has it.
    """
    for _ in range(120):
        await page.keyboard.press("Tab")
        seen = await page.evaluate(
            "s => { const e = document.activeElement, c = getComputedStyle(e);"
            " const seen = c.outlineStyle !== 'none' || e === document.body;"
            " return [e.matches(s), seen, e.outerHTML.slice(0, 200)] }",
            selector,
        )
        assert seen[1], f"focus is not seen on {seen[2]}"
        if seen[0]:
            return
    pytest.fail(f"no {selector} is reached by Tab")


async def press(page: Page, selector: str, url: str, key: str = "Enter") -> None:
    """Go to a link or button by Tab, press it, and wait for where it leads."""
    await tab_to(page, selector)
    await page.keyboard.press(key)
    await page.wait_for_url(url)


async def test_the_way_by_keyboard_alone(
    browser: Browser, site_url: str, city, tmp_path
):
    page = await browser.new_page()
    await page.goto(site_url)
    await tab_to(page, "#name")
    await page.keyboard.type("ada")
    await tab_to(page, "#password")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site_url}/")
    await tab_to(page, "select[name=state]")
    await page.keyboard.type("Gest")
    await press(page, "form.filter button[type=submit]", "**state=bad**")
    await press(page, "#anbindung a[href^='/gebaeude/b-ost']", "**/gebaeude/b-ost**")
    await press(page, "a[href='/stoerungen/1']", "**/stoerungen/1")
    await expect(page.locator(".headline")).to_contain_text(CAUSE)
    await tab_to(page, "#f-quittieren")
    await page.keyboard.type("Techniker ist bestellt")
    await press(page, "form[action$=quittieren] button", "**erledigt=acknowledged**")
    await press(page, "a[href^='/wartung/neu']", "**/wartung/neu**")
    await tab_to(page, "#f-ends_at")
    await page.keyboard.type("+4h")
    await page.keyboard.press("Enter")
    await expect(page.locator("#f-reason-fault")).to_contain_text("nicht leer")
    # The summary leads to the field.
    await tab_to(page, ".notice a[href='#f-reason']")
    await page.keyboard.press("Enter")
    await expect(page.locator("#f-reason")).to_be_focused()
    await page.keyboard.type("Routertausch")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**erledigt=maintenance_added**")
    await press(page, ".nav a[href='/berichte']", "**/berichte")
    await press(page, "a[href='/berichte/2026']", "**/berichte/2026")
    await tab_to(page, "a[href$='/xlsx']")
    async with page.expect_download() as caught:
        await page.keyboard.press("Enter")
    await check_outcome(city, await caught.value, tmp_path)


PAGES = [
    "/anmelden",
    "/stoerungen",
    "/stoerungen?state=false",
    "/stoerungen/1",
    "/wartung",
    "/wartung/neu",
    "/wartung/neu?woechentlich=true",
    "/wartung/stumm",
    "/protokoll",
    "/sonden",
    "/berichte",
    "/berichte/2026",
]


async def test_nothing_to_object_to_at_any_width(
    browser: Browser, site_url: str, city, client, log_in
):
    session = log_in(Role.ADMIN)
    for path, form in (
        ("/stoerungen/1/quittieren", {"note": "Techniker ist bestellt"}),
        ("/wartung/neu", {"place": "building:b-ost", "ends_at": "+4h", "reason": "x"}),
        ("/wartung/stumm", {"rule": "ap_down", "ends_at": "+4h", "reason": "x" * 90}),
    ):
        answer = await client.post(path, data={"csrf": session.csrf, **form})
        assert answer.status_code == 303
    context = await browser.new_context()
    page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    for path in PAGES:
        await page.goto(f"{site_url}{path}")
        if path == PAGES[0]:
            assert await violations(page) == [], path
            cookie = {"name": "netmon", "value": session.token, "url": site_url}
            await context.add_cookies([cookie])  # type: ignore[list-item]
            continue
        await look(page, path)
    # Forms that are refused have more on them.
    for path in PAGES[5:8]:
        await page.goto(f"{site_url}{path}")
        await page.locator("form.sheet button[type=submit]").click()
        await expect(page.get_by_role("alert").first).to_contain_text(
            "nicht gespeichert"
        )
        await look(page, f"{path}, refused")
    assert [each for each in problems if "422" not in each] == []


async def look(page: Page, name: str) -> None:
    """Hold a page to axe and to its width, at three widths."""
    for width in (1440, 768, 360):
        await page.set_viewport_size({"width": width, "height": 900})
        assert not await too_wide(page), f"{name} at {width} px"
        if width != 768:
            assert await violations(page) == [], f"{name} at {width} px"
