"""The calendars of the city and its buildings, read again when a file changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path

from netmon.config import MeasureSettings
from netmon.errors import ConfigError, Problem
from netmon.school_calendar import CalendarFile, SchoolCalendar, read_calendar

_log = logging.getLogger(__name__)

_SUFFIX = ".toml"
_FILE, _FOLDER = "measure.calendar_file", "measure.calendar_dir"
# Of a file: when it was changed, its size, and which file it is.
_Stamp = tuple[int, int, int]
_NO_STAMP: _Stamp = (0, 0, 0)


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
        self._said = read_calendar(self._path, setting=self._setting)

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
            self._stamp, self._said = None, CalendarFile()
        return self.newest()


class Calendars:
    """Calendars by building; several threads may ask at once."""

    def __init__(self, settings: MeasureSettings) -> None:
        """Read all there are.

        Raises:
            ConfigError: every file that is missing or wrong, with the field.
        """
        self._lock = threading.Lock()
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
        """Return the calendar of a building: its own over the city's."""
        with self._lock:
            calendar = SchoolCalendar()
            if self._city is not None:
                calendar = self._city.newest().over(calendar)
            if self._folder is not None:
                own = self._by_building.get(building_id)
                if own is None:
                    path = self._folder / f"{building_id}{_SUFFIX}"
                    own = self._by_building[building_id] = _Watched(path, _FOLDER)
                calendar = own.newest_if_there().over(calendar)
            return calendar

    def warn_of_strangers(self, building_ids: Iterable[str]) -> None:
        """Log each file that is named like no building: it counts for nobody."""
        for building_id in sorted(self._by_building.keys() - set(building_ids)):
            _log.warning("no building is called like the calendar %s.toml", building_id)


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
        text = error.strerror or "cannot be read"
        fix = "name a folder that netmon may read"
        problems.append(Problem(str(folder), None, _FOLDER, text, fix))
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
