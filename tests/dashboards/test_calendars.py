"""Calendars on disk: strict at the start, and at no change a step back."""

from __future__ import annotations

import logging
import os
from datetime import date, time
from pathlib import Path

import pytest

from dashboards.app import create_app
from dashboards.calendars import Calendars
from netmon.config import MeasureSettings, Settings
from netmon.errors import ConfigError
from netmon.school_calendar import Lessons, SchoolCalendar

EXAM = "[[protected]]\nday = 2027-04-20\nstart = 09:00:00\nend = 14:00:00\n"
HOLIDAYS = "[[holidays]]\nfirst = 2026-12-23\nlast = 2027-01-06\n"


def lessons(start: int) -> str:
    return f"[[lessons]]\nstart = {start:02}:00:00\nend = 13:00:00\n"


class Files:
    """A city's calendar and a folder of buildings; a change is always seen."""

    def __init__(self, folder: Path) -> None:
        self.city = folder / "city.toml"
        self.folder = folder / "buildings"
        self.folder.mkdir()
        self._writes = 0

    def write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        # Clocks of file systems are coarse: two changes must not look like one.
        self._writes += 1
        os.utime(path, ns=(0, self._writes))

    def building(self, building_id: str, text: str) -> Path:
        path = self.folder / f"{building_id}.toml"
        self.write(path, text)
        return path

    @property
    def settings(self) -> MeasureSettings:
        return MeasureSettings(
            calendar_file=str(self.city), calendar_dir=str(self.folder)
        )


@pytest.fixture
def on_disk(tmp_path: Path) -> Files:
    found = Files(tmp_path)
    found.write(found.city, lessons(7) + HOLIDAYS)
    return found


def starts(calendar: SchoolCalendar) -> list[int]:
    return [one.start.hour for one in calendar.lessons]


def test_without_files_lessons_are_from_eight_to_four() -> None:
    assert Calendars(MeasureSettings()).of("b") == SchoolCalendar()


def test_a_building_says_what_differs_there(on_disk: Files) -> None:
    on_disk.building("b", lessons(9) + EXAM)
    calendars = Calendars(on_disk.settings)
    assert calendars.of("a").lessons == (Lessons(start=time(7), end=time(13)),)
    own = calendars.of("b")
    assert starts(own) == [9]
    assert own.holidays == calendars.of("a").holidays
    assert [one.day for one in own.protected] == [date(2027, 4, 20)]
    assert calendars.of("a").protected == ()


def test_a_folder_alone_is_enough(on_disk: Files) -> None:
    on_disk.building("b", lessons(9))
    calendars = Calendars(MeasureSettings(calendar_dir=str(on_disk.folder)))
    assert starts(calendars.of("a")) == [8]
    assert starts(calendars.of("b")) == [9]


def test_what_changes_counts_at_the_next_question(on_disk: Files) -> None:
    calendars = Calendars(on_disk.settings)
    assert starts(calendars.of("b")) == [7]
    on_disk.write(on_disk.city, lessons(6))
    assert starts(calendars.of("b")) == [6]
    path = on_disk.building("b", lessons(10))
    assert starts(calendars.of("b")) == [10]
    on_disk.building("b", lessons(11))
    assert starts(calendars.of("b")) == [11]
    path.unlink()
    assert starts(calendars.of("b")) == [6]
    on_disk.building("b", lessons(12))
    assert starts(calendars.of("b")) == [12]


def test_a_broken_change_keeps_the_old_one_and_says_so_once(
    on_disk: Files, caplog: pytest.LogCaptureFixture
) -> None:
    on_disk.building("b", lessons(9) + EXAM)
    calendars = Calendars(on_disk.settings)
    good = calendars.of("b")
    path = on_disk.building("b", lessons(9).replace("start", "begin"))
    on_disk.write(on_disk.city, "holidays = 3")
    with caplog.at_level(logging.ERROR):
        assert [calendars.of("b") for _ in range(3)] == [good] * 3
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert str(on_disk.city) in told[0]
    assert "[holidays]" in told[0]
    assert str(path) in told[1]
    assert "unknown field `begin`" in told[1]
    assert all("the old one counts" in text for text in told)
    on_disk.building("b", lessons(10))
    assert starts(calendars.of("b")) == [10]


def test_a_broken_file_that_is_new_leaves_the_citys(on_disk: Files) -> None:
    calendars = Calendars(on_disk.settings)
    on_disk.building("b", "lessons")
    assert starts(calendars.of("b")) == [7]


def test_files_that_went_away_with_their_disk_still_count(on_disk: Files) -> None:
    path = on_disk.building("b", lessons(9) + EXAM)
    calendars = Calendars(on_disk.settings)
    good = calendars.of("b")
    on_disk.city.unlink()
    on_disk.folder.rename(on_disk.folder.with_name("elsewhere"))
    assert calendars.of("b") == good
    on_disk.folder.mkdir()
    on_disk.building(path.stem, lessons(10))
    assert starts(calendars.of("b")) == [10]
    assert calendars.of("b").holidays == good.holidays


def test_what_editors_leave_is_no_calendar(on_disk: Files) -> None:
    (on_disk.folder / ".#b.toml").symlink_to("nowhere")
    (on_disk.folder / "b.toml~").write_text("lessons")
    (on_disk.folder / "README.md").write_text("lessons")
    assert starts(Calendars(on_disk.settings).of("b")) == [7]


def test_the_start_names_every_mistake(on_disk: Files, store, clock) -> None:
    on_disk.write(on_disk.city, lessons(14))
    on_disk.building("a", "[[exams]]\n")
    on_disk.building("b", lessons(9))
    on_disk.building("c", "[[protected]]\nday = 2027-04-20\nstart = 1\nend = 2\n")
    with pytest.raises(ConfigError) as caught:
        create_app(Settings(measure=on_disk.settings), store, clock)
    told = [str(problem) for problem in caught.value.problems]
    assert len(told) == 3
    assert "city.toml [lessons[0]]: 13:00:00 is not after 14:00:00" in told[0]
    assert "a.toml: Object contains unknown field `exams`" in told[1]
    assert "c.toml [protected[0].start]: " in told[2]
    assert all("-> see docs/betrieb/kalender.md" in text for text in told)


def test_the_start_names_what_is_missing(tmp_path: Path) -> None:
    settings = MeasureSettings(
        calendar_file=str(tmp_path / "gone.toml"), calendar_dir=str(tmp_path / "gone")
    )
    with pytest.raises(ConfigError) as caught:
        Calendars(settings)
    folder, city = map(str, caught.value.problems)
    assert "gone [measure.calendar_dir]: No such file" in folder
    assert "gone.toml [measure.calendar_file]: No such file" in city


async def test_a_file_named_like_no_building_is_warned_of(
    on_disk: Files, store, clock, city, caplog: pytest.LogCaptureFixture
) -> None:
    on_disk.building("b-ost", EXAM)
    on_disk.building("b-ots", EXAM)
    made = create_app(Settings(measure=on_disk.settings), store, clock)
    with caplog.at_level(logging.WARNING, "dashboards.calendars"):
        async with made.router.lifespan_context(made):
            pass
    (warning,) = caplog.messages
    assert warning.endswith("b-ots.toml")
