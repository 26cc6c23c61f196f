"""What people read: message catalogues and the German way to write numbers.

Catalogues are TOML files in ``netmon/locale``, one per language, nested tables
flattened to dotted keys. Placeholders are ``str.format`` fields. German is the
default; a test holds all catalogues to the same keys and placeholders.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files

from netmon.clock import BERLIN

DEFAULT_LANGUAGE = "de"
LANGUAGES = ("de", "en")
NO_VALUE = "–"


def _flatten(
    table: Mapping[str, object], prefix: str = ""
) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flatten(value, f"{name}.")
        else:
            yield name, str(value)


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return all messages of a language, keyed ``group.name``.

    Every ``*.toml`` in ``netmon/locale/<language>`` is read, one per room of
    the house, so that two rooms never write into the same file.

    Raises:
        KeyError: there is no such language.
        ValueError: two files define the same key.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    merged: dict[str, str] = {}
    folder = files("netmon").joinpath("locale", language)
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if not entry.name.endswith(".toml"):
            continue
        for key, text in _flatten(tomllib.loads(entry.read_text(encoding="utf-8"))):
            if key in merged:
                raise ValueError(f"message {key} is defined twice ({entry.name})")
            merged[key] = text
    return merged


class Texts:
    """One language: ``texts("key", name=value)`` and number and time formats."""

    def __init__(self, language: str = DEFAULT_LANGUAGE) -> None:
        self.language = language
        self._messages = catalogue(language)

    def __call__(self, key: str, **values: object) -> str:
        """Return the message; KeyError for an unknown key (a test finds those)."""
        return self._messages[key].format(**values)

    def has(self, key: str) -> bool:
        """Say whether the catalogue holds the key."""
        return key in self._messages

    def named(self, group: str, name: str) -> str:
        """Return the word for a name of a group; the name where there is none."""
        key = f"{group}.{name}"
        return self(key) if self.has(key) else name

    def number(self, value: float | None, decimals: int = 0) -> str:
        """Return ``1.234,5`` (German) or ``1,234.5``; ``–`` for None."""
        if value is None:
            return NO_VALUE
        text = f"{abs(value):,.{decimals}f}"
        if self.language == "de":
            text = text.translate(str.maketrans(",.", ".,"))
        is_zero = not text.strip("0.,")
        return f"−{text}" if value < 0 and not is_zero else text

    def rate(self, rate_bps: float | None) -> str:
        """Return ``93,4 Mbit/s``; whole numbers from 100 on; ``–`` for None."""
        if rate_bps is None:
            return NO_VALUE
        mbits = rate_bps / 1e6
        return f"{self.number(mbits, 0 if mbits >= 99.95 else 1)} Mbit/s"

    def percent(self, ratio: float | None, decimals: int = 1) -> str:
        """Return ``53,9 %`` of a ratio 0..1; ``–`` for None."""
        if ratio is None:
            return NO_VALUE
        return f"{self.number(ratio * 100, decimals)}\u00a0%"

    def milliseconds(self, duration_s: float | None) -> str:
        """Return ``12,3 ms`` of seconds; ``–`` for None."""
        if duration_s is None:
            return NO_VALUE
        return f"{self.number(duration_s * 1000, 1)} ms"

    def date(self, moment: datetime | date | None) -> str:
        """Return ``20.11.2026`` in Europe/Berlin; ``–`` for None."""
        if moment is None:
            return NO_VALUE
        if isinstance(moment, datetime):
            moment = moment.astimezone(BERLIN).date()
        return moment.strftime("%d.%m.%Y" if self.language == "de" else "%Y-%m-%d")

    def time(self, moment: datetime | None) -> str:
        """Return ``08:12 Uhr`` in Europe/Berlin; ``–`` for None."""
        if moment is None:
            return NO_VALUE
        text = moment.astimezone(BERLIN).strftime("%H:%M")
        return f"{text} Uhr" if self.language == "de" else text

    def moment(self, moment: datetime | None) -> str:
        """Return ``20.11.2026, 08:12 Uhr``; ``–`` for None."""
        if moment is None:
            return NO_VALUE
        return f"{self.date(moment)}, {self.time(moment)}"

    def duration(self, duration_s: float | None) -> str:
        """Return ``45 Sek.``, ``24 Min.``, ``1 Std. 24 Min.``, ``3 Tage 2 Std.``."""
        if duration_s is None:
            return NO_VALUE
        seconds = max(0, round(duration_s))
        if seconds < 60:
            return self("format.seconds", n=seconds)
        minutes, hours = seconds // 60, seconds // 3600
        if minutes < 60:
            return self("format.minutes", n=minutes)
        if hours < 24:
            return self("format.hours_minutes", h=hours, m=minutes % 60)
        days = hours // 24
        key = "format.day_hours" if days == 1 else "format.days_hours"
        return self(key, d=days, h=hours % 24)

    def age(self, then: datetime | None, now: datetime) -> str:
        """Return the age of a value as a duration; ``–`` for None."""
        if then is None:
            return NO_VALUE
        return self.duration(
            (now.astimezone(UTC) - then.astimezone(UTC)).total_seconds()
        )
