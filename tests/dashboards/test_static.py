"""What is vendored is what npm gives, with its licence; files say how long they last."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dashboards.static_files import static_version
from netmon.config import Settings
from netmon.login_settings import LoginSettings
from netmon.site_settings import SiteSettings

REPO = Path(__file__).parents[2]
LEAFLET = "dashboards/static/vendor/leaflet-1.9.4"
AXE = "tests/vendor/axe-core-4.14.1"


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        (
            f"{LEAFLET}/leaflet.js",
            "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a",
        ),
        (
            f"{LEAFLET}/leaflet.css",
            "a7837102824184820dfa198d1ebcd109ff6d0ff9a2672a074b9a1b4d147d04c6",
        ),
        (
            f"{LEAFLET}/LICENSE",
            "53e8dc25862014e4324741ca18fbe3611e11d42ef69f59f86ea8c5389647d4cb",
        ),
        (
            f"{AXE}/axe.min.js",
            "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
        ),
        (
            f"{AXE}/LICENSE",
            "af175b9d96ee93c21a036152e1b905b0b95304d4ae8c2c921c7609100ba8df7e",
        ),
        (
            f"{AXE}/LICENSE-3RD-PARTY.txt",
            "4f8563870d0fca38bbc3e00b6f670cb7fa9f380ba9f26a7f7d1184a6b18b1653",
        ),
    ],
)
def test_vendored_files_are_those_of_the_pinned_version(name, sha256):
    assert hashlib.sha256((REPO / name).read_bytes()).hexdigest() == sha256


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("vendor/leaflet-1.9.4/leaflet.js", "public, max-age=31536000, immutable"),
        ("site.css?v={v}", "public, max-age=31536000, immutable"),
        ("site.css?v=old", "no-cache"),
        ("site.css", "no-cache"),
    ],
)
async def test_only_addresses_with_their_version_are_kept(client, path, kept):
    answer = await client.get(f"/static/{path.format(v=static_version())}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == kept
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_without_tiles_pictures_come_from_here_only(client):
    policy = (await client.get("/")).headers["content-security-policy"]
    assert "img-src 'self';" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


class TestTiles:
    @pytest.fixture
    def settings(self) -> Settings:
        tiles = SiteSettings(
            map_tiles_url="https://karten.example:8443/{z}/{x}/{y}.png",
            map_attribution="<b>Katasteramt</b> & Co",
        )
        return Settings(login=LoginSettings(required=False), site=tiles)

    async def test_the_tiles_host_and_no_other_is_allowed(self, city, client):
        answer = await client.get("/")
        policy = answer.headers["content-security-policy"]
        assert "img-src 'self' https://karten.example:8443;" in policy
        assert policy.count("http") == 1
        assert "&lt;b&gt;Katasteramt&lt;/b&gt; &amp; Co" in answer.text
