"""axe-core looks at a page in the browser (MPL-2.0, as npm gives it; tests only)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playwright.async_api import Page

SCRIPT = Path(__file__).parents[1] / "vendor" / "axe-core-4.14.1" / "axe.min.js"
# WCAG 2.1 A and AA, as EN 301 549 asks for, and what axe's authors hold for good use.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


@cache
def _source() -> str:
    return SCRIPT.read_text(encoding="utf-8")


async def violations(page: Page) -> list[str]:
    """Return what axe objects to on the page as it stands: rule, place, what to do."""
    # Evaluated by the browser itself: the page's own policy forbids foreign scripts.
    await page.evaluate(_source())
    found = await page.evaluate(
        "tags => axe.run({runOnly: tags, resultTypes: ['violations']})", _TAGS
    )
    return [
        f"{rule['id']} at {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
