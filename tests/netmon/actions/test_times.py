"""Times as people type them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from netmon.actions.times import (
    TimeTextError,
    parse_date,
    parse_hours,
    parse_moment,
    parse_weekdays,
)
from netmon.school_calendar import Weekday

BASE = datetime(2026, 3, 28, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("jetzt", "2026-03-28T11:00"),
        ("now", "2026-03-28T11:00"),
        ("+90min", "2026-03-28T12:30"),
        ("+2h", "2026-03-28T13:00"),
        # Noon is noon, also after the night with an hour less.
        ("+1d", "2026-03-29T10:00"),
        ("+24h", "2026-03-29T11:00"),
        ("2026-12-01 18:00", "2026-12-01T17:00"),
        ("2026-07-01T18:00", "2026-07-01T16:00"),
        (" 01.12.2026 18:00 ", "2026-12-01T17:00"),
        ("1.12.2026, 8:05", "2026-12-01T07:05"),
        ("2026-10-25 02:30", "2026-10-25T00:30"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30"),
    ],
)
def test_a_moment(text, means):
    expected = datetime.fromisoformat(means).replace(tzinfo=UTC)
    assert parse_moment(text, BASE) == expected


def test_an_end_that_comes_twice_is_its_last_coming():
    found = parse_moment("2026-10-25 02:30", BASE, latest=True)
    assert found == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "no_time"),
        ("morgen", "no_time"),
        ("2026-12-01", "no_time"),
        ("2026-13-01 18:00", "no_time"),
        ("32.12.2026 18:00", "no_time"),
        ("0001-01-01 00:00", "no_time"),
        ("+2", "no_time"),
        ("-2h", "no_time"),
        ("2026-03-29 02:30", "left_out"),
    ],
)
def test_no_moment(text, code):
    with pytest.raises(TimeTextError) as refused:
        parse_moment(text, BASE)
    assert refused.value.code == code


def test_hours_days_and_weekdays():
    assert parse_hours("22:00-4:00") == (time(22), time(4))
    assert parse_date("24.12.2026") == parse_date("2026-12-24") == date(2026, 12, 24)
    assert parse_weekdays("di, MO") == (Weekday.MO, Weekday.TU)
    assert parse_weekdays("th") == (Weekday.TH,)


@pytest.mark.parametrize(
    ("parse", "text", "code"),
    [
        (parse_hours, "22:00", "no_hours"),
        (parse_hours, "22:00-24:00", "no_hours"),
        (parse_hours, "1:00-2:00-3:00", "no_hours"),
        (parse_date, "24.13.2026", "no_day"),
        (parse_date, "bald", "no_day"),
        (parse_weekdays, "mo,xx", "no_weekday"),
        (parse_weekdays, "", "no_weekday"),
    ],
)
def test_no_hours_days_or_weekdays(parse, text, code):
    with pytest.raises(TimeTextError) as refused:
        parse(text)
    assert refused.value.code == code
