"""Calendars on disk: strict at the start, and at no change a step back."""

from __future__ import annotations

import logging
import os
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from netmon.calendars import Calendars
from netmon.clock import to_ms
from netmon.config import MeasureSettings
from netmon.errors import ConfigError
from netmon.model import Building, Coverage, Inventory, SchoolType
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


def building(building_id: str, school_type: SchoolType) -> Building:
    return Building(
        id=building_id,
        name=building_id,
        school_type=school_type,
        street="Weg 1",
        postcode="44135",
        city="Dortmund",
        campus_district="Campusbezirk 1",
        city_district="Mitte",
        latitude_deg=51.5,
        longitude_deg=7.5,
        lan=Coverage.UNKNOWN,
        wlan=Coverage.UNKNOWN,
    )


CITY = Inventory(
    buildings=(
        building("a", SchoolType.GYMNASIUM),
        building("b", SchoolType.GRUNDSCHULE),
        building("w", SchoolType.WEITERBILDUNGSKOLLEG),
    )
)


def city_of(settings: MeasureSettings) -> Calendars:
    return Calendars(settings, lambda: CITY)


def starts(calendar: SchoolCalendar) -> list[int]:
    return [one.start.hour for one in calendar.lessons]


def test_without_files_lessons_are_from_eight_to_four() -> None:
    assert city_of(MeasureSettings()).of("b").lessons == SchoolCalendar().lessons


def test_a_building_says_what_differs_there(on_disk: Files) -> None:
    on_disk.building("b", lessons(9) + EXAM)
    calendars = city_of(on_disk.settings)
    assert calendars.of("a").lessons == (Lessons(start=time(7), end=time(13)),)
    own = calendars.of("b")
    assert starts(own) == [9]
    assert own.holidays == calendars.of("a").holidays
    assert [one.day for one in own.protected] == [date(2027, 4, 20)]
    assert calendars.of("a").protected == ()


def test_a_folder_alone_is_enough(on_disk: Files) -> None:
    on_disk.building("b", lessons(9))
    calendars = city_of(MeasureSettings(calendar_dir=str(on_disk.folder)))
    assert starts(calendars.of("a")) == [8]
    assert starts(calendars.of("b")) == [9]


def test_what_changes_counts_at_the_next_question(on_disk: Files) -> None:
    calendars = city_of(on_disk.settings)
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
    calendars = city_of(on_disk.settings)
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
    assert "[lessons[0].begin]: there is no such key" in told[1]
    assert all("the old one counts" in text for text in told)
    on_disk.building("b", lessons(10))
    assert starts(calendars.of("b")) == [10]


def test_a_broken_file_that_is_new_leaves_the_citys(on_disk: Files) -> None:
    calendars = city_of(on_disk.settings)
    on_disk.building("b", "lessons")
    assert starts(calendars.of("b")) == [7]


def test_files_that_went_away_with_their_disk_still_count(on_disk: Files) -> None:
    path = on_disk.building("b", lessons(9) + EXAM)
    calendars = city_of(on_disk.settings)
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
    assert starts(city_of(on_disk.settings).of("b")) == [7]


def test_the_start_names_every_mistake(on_disk: Files) -> None:
    on_disk.write(on_disk.city, lessons(14))
    on_disk.building("a", "[[exams]]\n")
    on_disk.building("b", lessons(9))
    on_disk.building("c", "[[protected]]\nday = 2027-04-20\nstart = 1\nend = 2\n")
    with pytest.raises(ConfigError) as caught:
        city_of(on_disk.settings)
    told = [str(problem) for problem in caught.value.problems]
    assert len(told) == 3
    assert "city.toml [lessons[0]]: 13:00:00 is not after 14:00:00" in told[0]
    assert "a.toml [exams]: there is no such key" in told[1]
    assert "c.toml [protected[0].start]: " in told[2]
    assert all(" -> " in text for text in told)


def test_the_start_names_what_is_missing(tmp_path: Path) -> None:
    settings = MeasureSettings(
        calendar_file=str(tmp_path / "gone.toml"), calendar_dir=str(tmp_path / "gone")
    )
    with pytest.raises(ConfigError) as caught:
        city_of(settings)
    folder, city = map(str, caught.value.problems)
    assert "gone [measure.calendar_dir]: No such file" in folder
    assert "gone.toml [measure.calendar_file]: No such file" in city


def test_each_school_type_has_its_lessons(on_disk: Files) -> None:
    own = lessons(8) + 'school_types = ["Grundschule", "Förderschule"]\n'
    on_disk.write(on_disk.city, lessons(7) + own)
    calendars = city_of(on_disk.settings)
    assert [starts(calendars.of(x)) for x in ("a", "b")] == [[7], [8]]
    assert starts(calendars.city()) == [7]
    on_disk.write(on_disk.city, own)
    # The file says nothing of a Gymnasium: then the default counts.
    assert starts(calendars.of("a")) == [8]
    assert calendars.of("a").lessons[0].end == time(16)
    assert calendars.of("b").lessons[0].end == time(13)
    on_disk.building("b", lessons(10))
    assert starts(calendars.of("b")) == [10]


def test_a_buildings_file_names_no_school_type(on_disk: Files) -> None:
    on_disk.building("b", lessons(9) + 'school_types = ["Gymnasium"]\n')
    with pytest.raises(ConfigError) as caught:
        city_of(on_disk.settings)
    assert "b.toml [lessons[0].school_types]: " in str(caught.value)
    assert "city's file" in str(caught.value)


def off(calendar: SchoolCalendar, day: date) -> bool:
    return any(one.first <= day <= one.last for one in calendar.holidays)


DAY_OFF = '[[days_off]]\nday = {}\nname = "Rosenmontag"\n'


def test_movable_days_add_up(on_disk: Files) -> None:
    on_disk.write(on_disk.city, DAY_OFF.format("2027-02-08"))
    on_disk.building("b", DAY_OFF.format("2027-02-09"))
    calendars = city_of(on_disk.settings)
    february = [date(2027, 2, day) for day in (8, 9, 10)]
    assert [off(calendars.of("a"), x) for x in february] == [True, False, False]
    assert [off(calendars.of("b"), x) for x in february] == [True, True, False]
    # An own list of holidays replaces the city's, not the days off nor the state's.
    on_disk.building("b", "holidays = []\n" + DAY_OFF.format("2027-02-09"))
    assert off(calendars.of("b"), date(2027, 2, 8))
    assert off(calendars.of("b"), date(2026, 12, 24))


def test_the_states_holidays_can_be_switched_off(on_disk: Files) -> None:
    summer = date(2027, 8, 2)
    on_disk.building("w", "state_holidays = false\n")
    calendars = city_of(on_disk.settings)
    assert off(calendars.of("a"), summer)
    assert not off(calendars.of("w"), summer)
    assert off(calendars.of("w"), date(2026, 12, 24))  # of the city's own list
    on_disk.write(on_disk.city, "state_holidays = false\n" + lessons(7))
    assert calendars.of("a").holidays == ()
    on_disk.building("w", "state_holidays = true\n")
    assert off(calendars.of("w"), summer)


def test_an_unchanged_calendar_is_put_together_once(on_disk: Files) -> None:
    calendars = city_of(on_disk.settings)
    first = calendars.of("b")
    assert calendars.of("b") is first
    on_disk.building("b", lessons(9))
    assert calendars.of("b") is not first


def ms(*moment: int) -> int:
    return to_ms(datetime(*moment, tzinfo=UTC))  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("now_ms", "expected"),
    [
        (ms(2026, 11, 26, 7), True),
        (ms(2026, 11, 26, 5, 59), False),  # 6:59 in Dortmund
        (ms(2026, 11, 26, 6), True),  # 7:00 in Dortmund
        (ms(2026, 11, 26, 12), False),
        (ms(2026, 11, 28, 7), False),  # a Saturday
        (ms(2026, 12, 24, 7), False),
        (ms(2027, 3, 26, 6), False),  # Karfreitag
        (ms(2026, 10, 23, 6), False),
        (ms(2026, 11, 2, 6), True),  # after the autumn holidays, by winter time
        (ms(2027, 4, 5, 5), True),  # after Easter, by summer time
        (ms(2027, 4, 5, 4, 59), False),
    ],
)
def test_lesson_time_of_a_building(on_disk: Files, now_ms: int, expected: bool) -> None:
    calendars = city_of(on_disk.settings)
    assert calendars.in_lessons("a", now_ms) is expected
    assert calendars.in_lessons("b", now_ms) is expected


@pytest.mark.parametrize(
    ("now", "digest"),
    [
        ((2026, 11, 26, 5, 59), (2026, 11, 26, 6)),
        ((2026, 11, 26, 6), (2026, 11, 27, 6)),
        ((2026, 11, 27, 12), (2026, 11, 30, 6)),  # over a weekend
        ((2026, 12, 22, 12), (2027, 1, 7, 6)),
        ((2027, 7, 16, 12), (2027, 9, 1, 5)),  # over the summer holidays
        ((2027, 3, 19, 12), (2027, 4, 5, 5)),  # over the day clocks go forward
        ((2026, 10, 16, 12), (2026, 11, 2, 6)),  # and back
    ],
)
def test_the_digest_waits_for_a_school_day(
    on_disk: Files, now: tuple[int, ...], digest: tuple[int, ...]
) -> None:
    assert city_of(on_disk.settings).next_digest_ms(ms(*now)) == ms(*digest)


def test_a_city_without_lessons_gets_its_digest_all_the_same(on_disk: Files) -> None:
    on_disk.write(on_disk.city, "lessons = []\n")
    calendars = city_of(on_disk.settings)
    assert not calendars.is_school_day(date(2026, 11, 26))
    assert calendars.next_digest_ms(ms(2026, 11, 27, 12)) == ms(2026, 11, 30, 6)


def test_it_warns_when_holidays_end_within_a_year(
    on_disk: Files, caplog: pytest.LogCaptureFixture
) -> None:
    on_disk.write(on_disk.city, "state_holidays = false\n" + HOLIDAYS)
    calendars = city_of(on_disk.settings)
    assert calendars.known_until() == date(2027, 1, 6)
    caplog.set_level(logging.WARNING)
    calendars.warn_of_end(ms(2026, 1, 6, 12))
    assert calendars.ends_days(ms(2026, 1, 6, 12)) == 365
    assert not caplog.messages
    calendars.warn_of_end(ms(2026, 1, 7, 12))
    assert "until 2027-01-06 only" in caplog.messages[0]
    on_disk.write(on_disk.city, "state_holidays = false\n")
    calendars.warn_of_end(ms(2026, 1, 7, 12))
    assert calendars.ends_days(0) is None
    assert "no holidays at all" in caplog.messages[1]


def test_own_holidays_may_reach_further_than_the_states(on_disk: Files) -> None:
    on_disk.write(on_disk.city, "")
    calendars = city_of(on_disk.settings)
    until = calendars.known_until()
    assert until is not None
    assert until >= date(2029, 8, 14)
    own = "[[holidays]]\nfirst = 2090-10-01\nlast = 2090-10-12\n"
    on_disk.write(on_disk.city, own)
    assert calendars.known_until() == date(2090, 10, 12)
