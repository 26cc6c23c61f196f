"""The state's days without lessons, known long before: school and public holidays.

They come from the library ``holidays``: school holidays as the Kultusministerkonferenz
publishes them, public ones by the law of the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from itertools import count, takewhile

import holidays

from netmon.school_calendar import Holidays

# Nordrhein-Westfalen. The first year is one that no measurement is older than.
_COUNTRY, _STATE, _LANGUAGE = "DE", "NW", "de"
_FIRST_YEAR = 2025
_SCHOOL, _PUBLIC = "school", "public"


@cache
def state_holidays() -> tuple[Holidays, ...]:
    """Return all that are known, in order.

    Public holidays within school holidays are left out, and those of the years
    after the last one whose school holidays are known.
    """
    years = _known_years()
    school = _joined(_days(years, _SCHOOL))
    public = _joined(_days(years, _PUBLIC))
    alone = [
        day for day in public if not any(x.first <= day.first <= x.last for x in school)
    ]
    return tuple(sorted((*school, *alone), key=lambda one: one.first))


@cache
def known_until() -> date:
    """Return the last day of the last school holidays that are known."""
    return max(_days(_known_years(), _SCHOOL))


@cache
def _known_years() -> tuple[int, ...]:
    years = count(_FIRST_YEAR)
    return tuple(takewhile(lambda year: bool(_days((year,), _SCHOOL)), years))


def _days(years: tuple[int, ...], category: str) -> Mapping[date, str]:
    return dict(
        holidays.country_holidays(
            _COUNTRY,
            subdiv=_STATE,
            years=years,
            categories=(category,),
            language=_LANGUAGE,
        )
    )


def _joined(days: Mapping[date, str]) -> list[Holidays]:
    """Return days in a row that have one name as one."""
    found: list[Holidays] = []
    for day, name in sorted(days.items()):
        last = found[-1] if found else None
        if last and last.name == name and day - last.last == timedelta(days=1):
            found[-1] = Holidays(first=last.first, last=day, name=name)
        else:
            found.append(Holidays(first=day, last=day, name=name))
    return found
