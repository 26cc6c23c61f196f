"""The calendar: strict as data, and right on the days on which clocks change."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from netmon.clock import to_ms
from netmon.errors import ConfigError
from netmon.school_calendar import (
    CalendarFile,
    DayOff,
    FileLessons,
    Holidays,
    Lessons,
    Protected,
    SchoolCalendar,
    Span,
    Weekday,
    around,
    joined,
    lesson_time,
    protected_time,
    put_together,
    read_calendar,
    whole_day,
    without,
)

HOUR_MS = 3_600_000
FRIDAY = date(2026, 11, 20)

GOOD = """\
[[lessons]]
days = ["mo", "tu", "we", "th"]
start = 07:45:00
end = 15:30:00

[[lessons]]
days = ["fr"]
start = 07:45:00
end = 13:00:00

[[holidays]]
first = 2026-12-23
last = 2027-01-06
name = "Weihnachtsferien"

[[protected]]
day = 2026-11-20
start = 09:00:00
end = 11:30:00
name = "Klausur"
"""


@pytest.fixture
def load(tmp_path):
    def load_text(text: str) -> SchoolCalendar:
        file = tmp_path / "calendar.toml"
        file.write_text(text, encoding="utf-8")
        return put_together([read_calendar(file)])

    return load_text


def _utc(day: date, hour: int, minute: int = 0) -> int:
    return to_ms(datetime.combine(day, time(hour, minute), UTC))


def test_a_file_says_it_all(load):
    calendar = load(GOOD)
    assert lesson_time(calendar, FRIDAY) == [
        Span(_utc(FRIDAY, 6, 45), _utc(FRIDAY, 12))
    ]
    assert protected_time(calendar, FRIDAY) == [
        Span(_utc(FRIDAY, 8), _utc(FRIDAY, 10, 30))
    ]
    assert protected_time(calendar, date(2026, 11, 19)) == []
    assert len(lesson_time(calendar, date(2026, 11, 19))) == 1
    assert calendar.holidays[0].name == "Weihnachtsferien"


@pytest.mark.parametrize(
    ("day", "has_lessons"),
    [
        (date(2026, 12, 22), True),
        (date(2026, 12, 23), False),
        (date(2027, 1, 6), False),
        (date(2027, 1, 7), True),
        (date(2026, 11, 21), False),  # a Saturday
    ],
)
def test_no_lessons_on_holidays_and_weekends(load, day, has_lessons):
    assert bool(lesson_time(load(GOOD), day)) is has_lessons


def test_an_empty_file_means_weekdays_from_eight_to_four(load):
    assert load("") == SchoolCalendar()
    spans = lesson_time(SchoolCalendar(), FRIDAY)
    assert spans == [Span(_utc(FRIDAY, 7), _utc(FRIDAY, 15))]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('["fr"]', '["friday"]', "[lessons[1].days[0]]: is none of the values"),
        ("13:00:00", "07:00:00", "07:00:00 is not after 07:45:00"),
        ("2027-01-06", "2026-01-06", "2026-01-06 is not after 2026-12-23"),
        ("11:30:00", '"noon"', "[protected[0].end]"),
        (
            "[[holidays]]",
            "[[holiday]]",
            "[holiday]: there is no such key -> did you mean",
        ),
        ("first = 2026", "first = ", "no TOML: "),
    ],
)
def test_bad_calendars_are_refused_with_field_and_fix(load, old, new, message):
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load(GOOD.replace(old, new, 1))
    assert message in str(caught.value)
    assert " -> " in str(caught.value)


def test_a_buildings_lists_count_before_the_citys_and_exams_add_up(load, tmp_path):
    city = load(GOOD)
    file = tmp_path / "gs-07.toml"
    exam = "[[protected]]\nday = 2026-11-19\nstart = 08:00:00\nend = 09:00:00\n"
    file.write_text(f"holidays = []\n{exam}", encoding="utf-8")
    whole = tmp_path / "calendar.toml"
    own = put_together([read_calendar(whole), read_calendar(file)])
    assert own.lessons == city.lessons
    assert own.holidays == ()
    assert [one.day for one in own.protected] == [FRIDAY, date(2026, 11, 19)]
    file.write_text("[[lessons]]\nstart = 09:00:00\nend = 10:00:00", encoding="utf-8")
    own = put_together([read_calendar(whole), read_calendar(file)])
    assert own.lessons == (Lessons(start=time(9), end=time(10)),)
    assert (own.holidays, own.protected) == (city.holidays, city.protected)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.toml: No such file"):
        read_calendar(tmp_path / "gone.toml")


@pytest.mark.parametrize(
    ("day", "hours", "first_lesson_utc"),
    [
        (date(2026, 3, 27), 24, 7),
        (date(2026, 3, 29), 23, 6),
        (date(2026, 3, 30), 24, 6),
        (date(2026, 10, 25), 25, 7),
    ],
)
def test_days_on_which_clocks_change(day, hours, first_lesson_utc):
    everyday = Lessons(start=time(8), end=time(9), days=tuple(Weekday))
    assert whole_day(day).length_ms == hours * HOUR_MS
    spans = lesson_time(SchoolCalendar(lessons=(everyday,)), day)
    assert spans == [Span(_utc(day, first_lesson_utc), _utc(day, first_lesson_utc + 1))]


def test_overlapping_lessons_count_once():
    calendar = SchoolCalendar(
        lessons=(
            Lessons(start=time(8), end=time(12)),
            Lessons(start=time(10), end=time(14)),
            Lessons(start=time(15), end=time(16)),
        ),
        holidays=(Holidays(first=date(2026, 1, 1), last=date(2026, 1, 1)),),
        protected=(
            Protected(day=FRIDAY, start=time(9), end=time(10)),
            Protected(day=FRIDAY, start=time(10), end=time(11)),
        ),
    )
    lengths = [span.length_ms // HOUR_MS for span in lesson_time(calendar, FRIDAY)]
    assert lengths == [6, 1]
    assert [span.length_ms // HOUR_MS for span in protected_time(calendar, FRIDAY)] == [
        2
    ]


spans = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 12)).map(
        lambda pair: Span(pair[0], pair[0] + pair[1])
    ),
    max_size=8,
)


def _moments(found: list[Span]) -> set[int]:
    return {at for span in found for at in range(span.start_ms, span.end_ms)}


@given(some=spans, holes=spans)
def test_spans_are_sets_of_moments(some, holes):
    left = without(some, holes)
    assert _moments(joined(some)) == _moments(some)
    assert _moments(left) == _moments(some) - _moments(holes)
    for found in (joined(some), left):
        assert all(span.length_ms > 0 for span in found)
        assert found == sorted(found)
        assert len(_moments(found)) == sum(span.length_ms for span in found)


def test_a_probe_gets_the_years_around_a_day():
    days = [(2024, 12, 31), (2025, 1, 1), (2027, 12, 31), (2028, 1, 1)]
    holidays = tuple(Holidays(first=date(*x), last=date(*x)) for x in days)
    over = Holidays(first=date(2027, 12, 24), last=date(2028, 1, 8))
    calendar = SchoolCalendar(holidays=(*holidays, over))
    assert around(calendar, date(2026, 6, 1)).holidays == (*holidays[1:3], over)


def test_the_operators_page_shows_a_good_file_and_every_field(load, repo_dir):
    page = (repo_dir / "docs/betrieb/kalender.md").read_text(encoding="utf-8")
    settings, example, own = re.findall(r"```toml\n(.+?)```", page, re.DOTALL)
    assert set(tomllib.loads(settings)["measure"]) == {"calendar_file", "calendar_dir"}
    shown = load(example)
    assert [len(part) for part in structs.astuple(shown)] == [2, 2, 1]
    assert [len(part) for part in structs.astuple(load(own))] == [1, 1, 1]
    table = page.partition("| Abschnitt |")[2].partition("\n\n")[0]
    written = set(re.findall(r"`([a-z_]+)`", table)) - set(Weekday)
    kinds = (FileLessons, Holidays, DayOff, Protected)
    named = {one.name for kind in kinds for one in structs.fields(kind)}
    assert written == {*named, "state_holidays", "false"}
    sections = set(re.findall(r"`\[\[([a-z_]+)\]\]`", table))
    assert {*sections, "state_holidays"} == {
        one.name for one in structs.fields(CalendarFile)
    }
