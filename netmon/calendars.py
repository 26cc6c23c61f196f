"""The calendars of the city and its buildings, read again when a file changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import date, time, timedelta
from pathlib import Path

from netmon.clock import berlin_day
from netmon.config import MeasureSettings
from netmon.errors import ConfigError, Problem
from netmon.model import Inventory, SchoolType
from netmon.refused import refused
from netmon.school_calendar import (
    SCHOOL_MORNING,
    CalendarFile,
    SchoolCalendar,
    in_lessons,
    is_school_day,
    next_school_morning_ms,
    put_together,
    read_calendar,
)
from netmon.state_holidays import known_until, state_holidays

_log = logging.getLogger(__name__)

# Holidays have to be known at least so far ahead.
WARN_BEFORE_DAYS = 365

_SUFFIX = ".toml"
_FILE, _FOLDER = "measure.calendar_file", "measure.calendar_dir"
# Of a file: when it was changed, its size, and which file it is.
_Stamp = tuple[int, int, int]
_NO_STAMP: _Stamp = (0, 0, 0)
# What a calendar was put together from: the city's file, the building's, its type.
_Made = tuple[CalendarFile, CalendarFile, SchoolType | None]


class _Watched:
    """A file that may change at any time; what was last good in it counts."""

    def __init__(self, path: Path, setting: str) -> None:
        self._path = path
        self._setting = setting
        self._stamp: _Stamp | None = None
        self._said = CalendarFile()

    def read(self) -> None:
        """Take what the file says; raises `ConfigError` as `read_calendar`."""
        # The stamp is older than what is read: who writes meanwhile is seen next time.
        self._stamp = _stamp(self._path)
        said = read_calendar(self._path, setting=self._setting)
        if self._setting == _FOLDER:
            _refuse_school_types(said, self._path)
        self._said = said

    def newest(self) -> CalendarFile:
        """Return what the file says now, or said when it was last in order."""
        if _stamp(self._path) != self._stamp:
            try:
                self.read()
            except ConfigError as error:
                text = "a changed calendar is not taken, the old one counts: %s"
                _log.error(text, error)
            else:
                _log.info("calendar read: %s", self._path)
        return self._said

    def newest_if_there(self) -> CalendarFile:
        """Return the same; a file that was deleted says nothing any more."""
        # A folder that is gone is a lost mount: then nobody deleted the file.
        if _stamp(self._path) is None and self._path.parent.is_dir():
            self._stamp, self._said = None, _NOTHING
        return self.newest()


class Calendars:
    """Calendars by building; several threads may ask at once."""

    def __init__(
        self, settings: MeasureSettings, inventory: Callable[[], Inventory]
    ) -> None:
        """Read all there are; the inventory knows the school type of a building.

        Raises:
            ConfigError: every file that is missing or wrong, with the field.
        """
        self._lock = threading.Lock()
        self._inventory = inventory
        self._made: dict[str | None, tuple[_Made, SchoolCalendar]] = {}
        self._asked: tuple[int, dict[str, bool]] = (0, {})
        name, folder = settings.calendar_file, settings.calendar_dir
        self._city = _Watched(Path(name), _FILE) if name else None
        self._folder = Path(folder) if folder else None
        problems: list[Problem] = []
        self._by_building = {
            path.stem: _Watched(path, _FOLDER)
            for path in _files(self._folder, problems)
        }
        found = [self._city] if self._city else []
        for one in (*found, *self._by_building.values()):
            try:
                one.read()
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(problems)

    def of(self, building_id: str) -> SchoolCalendar:
        """Return the calendar of a building: its own over the city's.

        Raises:
            StorageError: the inventory could not be read.
        """
        building = self._inventory().building_by_id.get(building_id)
        school_type = None if building is None else building.school_type
        with self._lock:
            return self._calendar(building_id, school_type)

    def city(self) -> SchoolCalendar:
        """Return the calendar of the whole city."""
        with self._lock:
            return self._calendar(None, None)

    def in_lessons(self, building_id: str, now_ms: int) -> bool:
        """Say whether a building has lessons now.

        Asked about thousands of targets at one moment, it looks once a building.

        Raises:
            StorageError: the inventory could not be read.
        """
        at_ms, answers = self._asked
        if at_ms != now_ms:
            answers = {}
            self._asked = (now_ms, answers)
        if building_id not in answers:
            answers[building_id] = in_lessons(self.of(building_id), now_ms)
        return answers[building_id]

    def is_school_day(self, day: date) -> bool:
        """Say whether the city has lessons on a day."""
        return is_school_day(self.city(), day)

    def next_digest_ms(self, now_ms: int, at: time = SCHOOL_MORNING) -> int:
        """Return when the next digest is due: a school day's morning, after now."""
        return next_school_morning_ms(self.city(), now_ms, at)

    def known_until(self) -> date | None:
        """Return the last day of the last holidays that the city's calendar knows.

        None where it has none at all. Days off are chosen year by year and say nothing.
        """
        with self._lock:
            said = _NOTHING if self._city is None else self._city.newest()
        days = [one.last for one in said.holidays or ()]
        if said.state_holidays is not False:
            days.append(known_until())
        return max(days, default=None)

    def ends_days(self, now_ms: int) -> int | None:
        """Return for how many days from now holidays are known; None as above."""
        until = self.known_until()
        return None if until is None else (until - berlin_day(now_ms)).days

    def warn_of_end(self, now_ms: int) -> None:
        """Log when holidays are known for less than a year ahead."""
        days = self.ends_days(now_ms)
        if days is None:
            _log.warning("the calendar has no holidays at all; see %s", _DOCS)
        elif days < WARN_BEFORE_DAYS:
            until = berlin_day(now_ms) + timedelta(days=days)
            text = "holidays are known until %s only; update netmon or see %s"
            _log.warning(text, until, _DOCS)

    def warn_of_strangers(self, building_ids: Iterable[str]) -> None:
        """Log each file that is named like no building: it counts for nobody."""
        for building_id in sorted(self._by_building.keys() - set(building_ids)):
            _log.warning("no building is called like the calendar %s.toml", building_id)

    def _own(self, building_id: str) -> CalendarFile:
        if self._folder is None:
            return _NOTHING
        own = self._by_building.get(building_id)
        if own is None:
            path = self._folder / f"{building_id}{_SUFFIX}"
            own = self._by_building[building_id] = _Watched(path, _FOLDER)
        return own.newest_if_there()

    def _calendar(
        self, building_id: str | None, school_type: SchoolType | None
    ) -> SchoolCalendar:
        city = _NOTHING if self._city is None else self._city.newest()
        own = _NOTHING if building_id is None else self._own(building_id)
        known = self._made.get(building_id)
        if known is not None:
            known_city, known_own, known_type = known[0]
            if known_city is city and known_own is own and known_type is school_type:
                return known[1]
        calendar = put_together([city, own], school_type, state_holidays())
        self._made[building_id] = ((city, own, school_type), calendar)
        return calendar


_NOTHING = CalendarFile()
_DOCS = "docs/betrieb/kalender.md"


def _refuse_school_types(said: CalendarFile, path: Path) -> None:
    """Refuse types in the file of a building: it has one already.

    Raises:
        ConfigError: a lesson time names some.
    """
    for number, one in enumerate(said.lessons or ()):
        if one.school_types:
            field = f"lessons[{number}].school_types"
            raise ConfigError([refused(str(path), field, "school_types_here")])


def _files(folder: Path | None, problems: list[Problem]) -> list[Path]:
    """Return the calendars in a folder, without hidden files that editors leave."""
    if folder is None:
        return []
    try:
        return sorted(
            path
            for path in folder.iterdir()
            if path.suffix == _SUFFIX and not path.name.startswith(".")
        )
    except OSError as error:
        problems.append(refused(str(folder), _FOLDER, "folder_unreadable", why=error))
        return []


def _stamp(path: Path) -> _Stamp | None:
    """Return how to know the file again; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError:
        return _NO_STAMP
    return found.st_mtime_ns, found.st_size, found.st_ino
