"""The library's dates against those of the ministry, a whole school year and more."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from netmon.state_holidays import known_until, state_holidays

# Ferienordnung of Nordrhein-Westfalen; public holidays by its Feiertagsgesetz.
SCHOOL = [
    ("Herbstferien", date(2026, 10, 17), date(2026, 10, 31)),
    ("Weihnachtsferien", date(2026, 12, 23), date(2027, 1, 6)),
    ("Oster-/Frühjahrsferien", date(2027, 3, 22), date(2027, 4, 3)),
    ("Himmelfahrts-/Pfingstferien", date(2027, 5, 18), date(2027, 5, 18)),
    ("Sommerferien", date(2027, 7, 19), date(2027, 8, 31)),
]
PUBLIC = [
    date(2026, 11, 1),  # Allerheiligen
    date(2027, 3, 26),  # Karfreitag
    date(2027, 3, 29),  # Ostermontag
    date(2027, 5, 1),
    date(2027, 5, 6),  # Christi Himmelfahrt
    date(2027, 5, 17),  # Pfingstmontag
    date(2027, 5, 27),  # Fronleichnam
]
FIRST, LAST = date(2026, 9, 2), date(2027, 8, 31)


@pytest.mark.parametrize(("name", "first", "last"), SCHOOL)
def test_school_holidays_of_2026_27(name: str, first: date, last: date) -> None:
    known = [(one.name, one.first, one.last) for one in state_holidays()]
    assert (name, first, last) in known


def test_nothing_else_is_free_in_2026_27() -> None:
    off = {date(2026, 10, 3), *PUBLIC}
    for _, first, last in SCHOOL:
        off |= {first + timedelta(days=n) for n in range((last - first).days + 1)}
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    known = [
        day
        for day in days
        if any(one.first <= day <= one.last for one in state_holidays())
    ]
    assert known == sorted(off)


def test_they_are_in_order_apart_and_known_for_years() -> None:
    found = state_holidays()
    assert all(one.last < other.first for one, other in pairwise(found))
    assert all(one.name for one in found)
    assert known_until() >= date(2029, 8, 14)
    assert found[-1].last.year == known_until().year
