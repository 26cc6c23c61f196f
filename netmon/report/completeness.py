"""How complete the data of a report are, and where too much is missing; pure."""

from __future__ import annotations

from collections.abc import Sequence

from netmon.model import Coverage, Inventory
from netmon.report.availability import columns
from netmon.report.facts import LineYear
from netmon.report.figures import CellUnit, FigureRow, FigureTable, ratio
from netmon.report.period import Period
from netmon.texts import Texts

COMPLETENESS = "completeness"
ENOUGH, POOR = "reicht", "lückenhaft"
# What must at least be known for a figure to stand without a question mark. Nine
# buildings of ten and four days of five: what is missing then moves no share of the city
# by more than a fifth, and a whole year must be over.
_NEEDED = {
    "year": 1.0,
    "lines": 0.95,
    "lan": 0.95,
    "wlan": 0.95,
    "pupils": 0.95,
    "classes": 0.95,
    "rooms": 0.8,
    "holidays": 1.0,
    "measured": 0.9,
    "days": 0.8,
    "lessons": 0.8,
}


def completeness_table(
    inventory: Inventory, facts: Sequence[LineYear], period: Period, texts: Texts
) -> FigureTable:
    """Return what is known of what should be known."""
    buildings = inventory.buildings
    taught = {room.building_id for room in inventory.rooms if room.teaching}
    lesson_ms = sum(one.lesson.total_ms for one in facts)
    known = {
        "year": (len(period.days), period.year_days),
        "lines": (sum(one.line is not None for one in facts), len(facts)),
        "lan": (_stated([b.lan for b in buildings]), len(buildings)),
        "wlan": (_stated([b.wlan for b in buildings]), len(buildings)),
        "pupils": (sum(b.pupils is not None for b in buildings), len(buildings)),
        "classes": (sum(b.classes is not None for b in buildings), len(buildings)),
        "rooms": (len(taught), len(buildings)),
        "holidays": (sum(one.has_holidays for one in facts), len(facts)),
        "measured": (sum(bool(one.rates) for one in facts), len(facts)),
        "days": (sum(len(one.rates) for one in facts), sum(one.days for one in facts)),
        # In hours: milliseconds are no number for people.
        "lessons": (
            _hours(lesson_ms - sum(one.lesson.unknown_ms for one in facts)),
            _hours(lesson_ms),
        ),
    }
    notes = []
    if any(one.generated for one in facts):
        notes.append(texts("figures.completeness.generated"))
    return FigureTable(
        name=COMPLETENESS,
        rules_version="1",
        caption=texts("figures.completeness.caption"),
        sheet=texts("figures.completeness.sheet"),
        corner="Angabe",
        columns=columns(
            ("known_count", "bekannt", CellUnit.COUNT),
            ("total_count", "von", CellUnit.COUNT),
            ("known_ratio", "Anteil", CellUnit.RATIO),
            ("needed_ratio", "nötig", CellUnit.RATIO),
            ("verdict", "Urteil", CellUnit.TEXT),
        ),
        rows=tuple(
            _row(texts(f"figures.completeness.{key}"), *known[key], needed)
            for key, needed in _NEEDED.items()
        ),
        rules=(texts("figures.completeness.rule"),),
        notes=tuple(notes),
    )


def _stated(found: Sequence[Coverage]) -> int:
    return sum(each is not Coverage.UNKNOWN for each in found)


def _hours(duration_ms: int) -> int:
    return round(duration_ms / 3_600_000)


def _row(label: str, known: int, total: int, needed: float) -> FigureRow:
    share = ratio(known, total)
    enough = share is not None and share >= needed
    cells = (known, total, share, needed, ENOUGH if enough else POOR)
    return FigureRow(label=label, kind="item", cells=cells)


def poor_rows(table: FigureTable) -> tuple[FigureRow, ...]:
    """Return the rows in which too much is missing."""
    return tuple(row for row in table.rows if row.cells[-1] == POOR)
