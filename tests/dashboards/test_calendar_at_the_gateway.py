"""What the gateway says of its calendars: in the log, on its page, in its metrics."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from msgspec.structs import replace

from dashboards.app import create_app
from netmon.clock import berlin_day
from netmon.config import MeasureSettings, Settings
from netmon.state_holidays import known_until

SOON = "state_holidays = false\n[[holidays]]\nfirst = 2027-07-19\nlast = 2027-08-31\n"


async def test_a_file_named_like_no_building_is_warned_of(
    tmp_path: Path, store, clock, city, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("b-ost", "b-ots"):
        (tmp_path / f"{name}.toml").write_text("")
    settings = Settings(measure=MeasureSettings(calendar_dir=str(tmp_path)))
    made = create_app(settings, store, clock)
    with caplog.at_level(logging.WARNING, "netmon.calendars"):
        async with made.router.lifespan_context(made):
            pass
    (warning,) = caplog.messages
    assert warning.endswith("b-ots.toml")


async def test_metrics_say_for_how_long_holidays_are_known(city, client) -> None:
    days = (known_until() - berlin_day(city.now_ms)).days
    body = (await client.get("/metrics")).text
    assert f"netmon_calendar_ends_days {days}.0" in body
    page = (await client.get("/system")).text
    assert f"{known_until():%d.%m.%Y}" in page
    assert "weniger als ein Jahr" not in page


class TestHolidaysEndSoon:
    @pytest.fixture
    def settings(self, settings: Settings, tmp_path: Path) -> Settings:
        file = tmp_path / "city.toml"
        file.write_text(SOON)
        return replace(settings, measure=MeasureSettings(calendar_file=str(file)))

    async def test_the_page_says_so(self, city, client) -> None:
        page = (await client.get("/system")).text
        assert "31.08.2027" in page
        assert "weniger als ein Jahr" in page

    async def test_the_log_says_so(
        self, settings, store, clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        made = create_app(settings, store, clock)
        with caplog.at_level(logging.WARNING, "netmon.calendars"):
            async with made.router.lifespan_context(made):
                pass
        assert "until 2027-08-31 only" in caplog.messages[0]
