"""What the demo city is made of: plausible numbers, made-up names, steady choices.

Used by ``make_demo_city.py`` only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from netmon.model import SchoolType
from netmon.report.counting import TableName

T = TypeVar("T")


@dataclass(frozen=True)
class TypeFacts:
    """What is typical of a school type: numbers per building."""

    prefix: str
    schools: int
    classes: tuple[int, int]
    pupils_per_class: int
    teaching_rooms_per_class: float


FACTS = {
    SchoolType.GRUNDSCHULE: TypeFacts("gs", 89, (8, 16), 24, 1.4),
    SchoolType.GYMNASIUM: TypeFacts("gy", 14, (24, 36), 27, 1.4),
    SchoolType.REALSCHULE: TypeFacts("rs", 13, (17, 24), 27, 1.4),
    SchoolType.HAUPTSCHULE: TypeFacts("hs", 8, (11, 16), 22, 1.4),
    SchoolType.GESAMTSCHULE: TypeFacts("ge", 11, (26, 42), 27, 1.35),
    SchoolType.FOERDERSCHULE: TypeFacts("fs", 11, (9, 15), 12, 1.5),
    SchoolType.BERUFSKOLLEG: TypeFacts("bk", 8, (36, 64), 22, 1.1),
    SchoolType.WEITERBILDUNGSKOLLEG: TypeFacts("wk", 2, (14, 18), 22, 1.2),
}
# Stadtbezirk: middle (degrees north, east), postcodes, share of the schools.
# Ordered so that neighbours follow each other: Campusbezirke are cut along it.
DISTRICTS: dict[str, tuple[float, float, tuple[str, ...], int]] = {
    "Innenstadt-Nord": (51.524, 7.465, ("44145", "44147"), 17),
    "Eving": (51.558, 7.476, ("44339",), 8),
    "Scharnhorst": (51.556, 7.547, ("44328", "44329"), 14),
    "Brackel": (51.527, 7.577, ("44309", "44319"), 13),
    "Aplerbeck": (51.490, 7.558, ("44269", "44287", "44289"), 11),
    "Hörde": (51.474, 7.498, ("44263", "44265", "44267"), 16),
    "Innenstadt-Ost": (51.507, 7.490, ("44139", "44141", "44143"), 14),
    "Hombruch": (51.473, 7.441, ("44225", "44227", "44229"), 12),
    "Innenstadt-West": (51.508, 7.438, ("44137", "44139"), 18),
    "Lütgendortmund": (51.501, 7.351, ("44379", "44388"), 11),
    "Huckarde": (51.527, 7.387, ("44369",), 11),
    "Mengede": (51.561, 7.378, ("44357", "44359"), 11),
}
CAMPUS_DISTRICTS = 11

FIBRE_PROVIDER = "DOKOM21 (Demo)"
RADIO_PROVIDER = "Funknetz Ruhr (Demo)"
VDSL_PROVIDER = "DSL West (Demo)"

TOTALS_2024: dict[TableName, dict[str, int]] = {
    "connection": {
        "Glasfaser": 66,
        "Richtfunk": 14,
        "ab 100 Mbit": 93,
        "25 bis 50 Mbit": 5,
    },
    "coverage": {
        "LAN flächendeckend": 140,
        "LAN partiell": 20,
        "WLAN flächendeckend": 157,
        "WLAN partiell": 9,
    },
}


def roll(key: str) -> float:
    """Return a number from 0 up to 1 that depends only on the key."""
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def pick(key: str, options: Sequence[T]) -> T:
    """Return one of the options, always the same for a key."""
    return options[int(roll(key) * len(options))]


def mixed(items: Iterable[T], key: str) -> list[T]:
    """Return the items in an order that looks random and is always the same."""
    numbered = enumerate(items)
    return [item for _, item in sorted(numbered, key=lambda x: roll(f"{key}/{x[0]}"))]
