"""What holds for every page: language, headings, landmarks, nothing inline."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from netmon.model import FailureReason
from netmon.storage.records import AlarmState

PAGES = (
    "/",
    "/?state=bad",
    "/gebaeude/b-ost",
    "/gebaeude/b-ost?span=1y",
    "/gebaeude/b-leer",
    "/stoerungen",
    "/stoerungen?state=over&rule=ap_down",
    "/stoerungen/1",
    "/wartung",
    "/wartung/neu",
    "/sonden",
    "/sonden?trouble=silent",
    "/berichte",
    "/berichte/2026",
    "/system",
    "/gibt-es-nicht",
    "/gebaeude/b-ost?span=7",
)


@pytest.fixture
def full_city(city):
    city.throughput("b-ost", *((h * 3600, (240, 40)) for h in range(1, 20)))
    city.throughput("b-ost", (60, FailureReason.DNS))
    city.test("b-ost", (90, {"at_least_down_bps": 104.2}), method="tcp-floor/2")
    city.latency("b-ost", (120, 12))
    city.throughput("b-oest", (60, (190, 40)), generated=True)
    city.access_point("b-ost", "ost-1", 3)
    city.state("ap_down", "ap:ost-1", "b-ost", AlarmState.OK)
    city.line_state("b-ost", AlarmState.BAD, measured_bps=2e7, expected_bps=1e8)
    return city


@pytest.fixture(params=PAGES)
async def any_page(request, full_city, client, read_page):
    return read_page((await client.get(request.param)).text)


async def test_language_title_heading_and_skip_link(any_page):
    assert any_page.all("html")[0].attrs["lang"] == "de"
    assert len(any_page.all("h1")) == 1
    assert any_page.all("h1")[0].text.strip()
    assert any_page.all("title")[0].text.strip()
    skip = any_page.all("a")[0]
    assert skip.attrs["href"] == "#inhalt"
    assert any_page.all("main")[0].attrs["id"] == "inhalt"
    assert any_page.unclosed == []


async def test_nothing_inline_and_nothing_from_elsewhere(any_page):
    for script in any_page.all("script"):
        assert script.attrs["src"].startswith("/static/")
        assert script.text == ""
    assert any_page.all("style") == []
    for element in any_page.elements:
        assert "style" not in element.attrs
        assert not [name for name in element.attrs if name.startswith("on")]
        for name in ("href", "src", "action"):
            assert not re.match(r"(https?:)?//", element.attrs.get(name, ""))


async def test_tables_have_captions_and_scoped_heads(any_page):
    assert len(any_page.all("caption")) == len(any_page.all("table"))
    for head in any_page.all("th"):
        assert head.attrs.get("scope") in {"col", "row"}


async def test_ids_are_unique_and_references_resolve(any_page):
    ids = [e.attrs["id"] for e in any_page.elements if "id" in e.attrs]
    assert len(ids) == len(set(ids))
    for element in any_page.elements:
        for name in ("aria-labelledby", "for"):
            if name in element.attrs:
                assert element.attrs[name] in ids
        href = element.attrs.get("href", "")
        if href.startswith("#"):
            assert href[1:] in ids


async def test_headings_leave_out_no_level(any_page):
    levels = [int(e.tag[1]) for e in any_page.elements if re.fullmatch(r"h\d", e.tag)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


async def test_a_state_is_symbol_and_word(any_page):
    elements = any_page.elements
    for index, element in enumerate(elements):
        if element.attrs.get("class", "").startswith("state "):
            assert element.text.strip()
            assert elements[index + 1].tag == "svg"


async def test_fields_have_labels(any_page):
    labelled = {e.attrs["for"] for e in any_page.all("label")}
    for element in any_page.all("input") + any_page.all("select"):
        if element.attrs.get("type") != "hidden":
            assert element.attrs["id"] in labelled


async def test_headers_forbid_everything_from_elsewhere(full_city, client):
    paths = (*PAGES, "/static/site.css", "/api/v1/sources", "/api/v1/x", "/healthz")
    for path in paths:
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


async def test_the_style_sheet_loads_nothing(client, repo_dir):
    answer = await client.get("/static/site.css")
    assert answer.status_code == 200
    assert "url(" not in answer.text
    assert "@import" not in answer.text


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "ground"),
        ("soft", "ground"),
        ("link", "ground"),
        ("ok", "ok-bg"),
        ("bad", "bad-bg"),
        ("suspect", "suspect-bg"),
        ("stale", "stale-bg"),
        ("below", "below-bg"),
        ("paper", "brand"),
    ],
)
def test_colours_have_enough_contrast(repo_dir, text, ground):
    sheet = (repo_dir / "dashboards/static/site.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", sheet))
    colours = {
        name: "#" + "".join(c * 2 for c in value[1:]) if len(value) == 4 else value
        for name, value in colours.items()
    }
    assert _contrast(colours[text], colours[ground]) >= 4.5
