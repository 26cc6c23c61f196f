"""Covered rooms by school type, and where measured and declared class contradict.

Counted from the same figures that the pages show. What is not known stays apart: it
makes the share lie between two ends and is never counted as a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from netmon.coverage import FULL_SHARE, BuildingCoverage, Measured
from netmon.model import Building, Coverage, Inventory, SchoolType
from netmon.report.counting import SUM, CountingError

Network = Literal["lan", "wlan"]

# The export's columns, the same in every language like those of the other tables.
COLUMNS = (
    "Gebäude",
    "Gebäude keine Angabe",
    "Unterrichtsräume",
    "LAN aktive Dose",
    "LAN unbekannt",
    "LAN Anteil mindestens",
    "LAN Anteil höchstens",
    "WLAN versorgt",
    "WLAN unbekannt",
    "WLAN Anteil mindestens",
    "WLAN Anteil höchstens",
)
Cell = int | float | None


class RoomsRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rooms of the buildings of one school type, or of all.

    ``without_rooms`` buildings have no teaching room in the inventory. ``rooms`` is
    None where that holds for all of them. ``…_covered`` is None where nothing is
    known of any room, ``…_open`` counts the rooms of which nothing is known.
    """

    buildings: int
    without_rooms: int
    rooms: int | None
    lan_covered: int | None
    lan_open: int | None
    wlan_covered: int | None
    wlan_open: int | None

    def cells(self) -> tuple[Cell, ...]:
        """Return the cells below `COLUMNS`."""
        return (
            self.buildings,
            self.without_rooms,
            self.rooms,
            *_figure(self.rooms, self.lan_covered, self.lan_open),
            *_figure(self.rooms, self.wlan_covered, self.wlan_open),
        )


class Contradiction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A building whose measured class is not the declared one, with the figure."""

    building_id: str
    name: str
    school_type: SchoolType
    network: Network
    declared: Coverage
    measured: Coverage
    rooms: int
    covered: int
    open: int

    @property
    def shares(self) -> tuple[float, float]:
        """The two ends of the share of covered rooms."""
        return self.covered / self.rooms, (self.covered + self.open) / self.rooms


class CoveredRooms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was counted: rows of all school types and the sum, and contradictions.

    ``full_ratio`` is the share from which a building was called flächendeckend.
    """

    full_ratio: float
    rows: Mapping[str, RoomsRow]
    contradictions: tuple[Contradiction, ...]


def count_rooms(
    inventory: Inventory, coverages: Sequence[BuildingCoverage]
) -> CoveredRooms:
    """Return the covered rooms by school type; pure.

    Raises:
        CountingError: these are not the figures of the inventory's buildings.
    """
    found = {one.building_id: one for one in coverages}
    if set(found) != set(inventory.building_by_id) or len(found) != len(coverages):
        raise CountingError(
            f"rooms: figures of {len(coverages)} buildings, but the inventory has "
            f"{len(inventory.buildings)}"
        )
    of_type: dict[str, list[BuildingCoverage]] = {kind: [] for kind in SchoolType}
    for building in inventory.buildings:
        of_type[building.school_type].append(found[building.id])
    return CoveredRooms(
        full_ratio=FULL_SHARE,
        rows={
            **{str(kind): _row(of_type[kind]) for kind in SchoolType},
            SUM: _row(coverages),
        },
        contradictions=tuple(_contradictions(inventory.buildings, found)),
    )


def _row(coverages: Sequence[BuildingCoverage]) -> RoomsRow:
    # A building has the same rooms for both networks.
    rooms = [one.lan.rooms_count for one in coverages]
    total = sum(rooms) or None
    lan_covered, lan_open = _sums((one.lan for one in coverages), total)
    wlan_covered, wlan_open = _sums((one.wlan for one in coverages), total)
    return RoomsRow(
        buildings=len(coverages),
        without_rooms=rooms.count(0),
        rooms=total,
        lan_covered=lan_covered,
        lan_open=lan_open,
        wlan_covered=wlan_covered,
        wlan_open=wlan_open,
    )


def _sums(
    figures: Iterable[Measured], rooms: int | None
) -> tuple[int | None, int | None]:
    if rooms is None:
        return None, None
    covered = unknown = 0
    for figure in figures:
        # Without a list to go by nothing is known of the building's rooms.
        covered += figure.covered_count if figure.has_list else 0
        unknown += figure.open_count if figure.has_list else figure.rooms_count
    return (None if unknown == rooms else covered), unknown


def _figure(
    rooms: int | None, covered: int | None, unknown: int | None
) -> tuple[Cell, ...]:
    if not rooms or covered is None or unknown is None:
        return covered, unknown, None, None
    low, high = covered / rooms, (covered + unknown) / rooms
    return covered, unknown, round(low, 4), round(high, 4)


def _contradictions(
    buildings: Iterable[Building], found: Mapping[str, BuildingCoverage]
) -> Iterator[Contradiction]:
    networks: tuple[Network, ...] = ("lan", "wlan")
    for building in buildings:
        of = found[building.id]
        for network in networks:
            figure = of.lan if network == "lan" else of.wlan
            if figure.contradicts:
                yield Contradiction(
                    building_id=building.id,
                    name=building.name,
                    school_type=building.school_type,
                    network=network,
                    declared=figure.declared,
                    measured=figure.measured,
                    rooms=figure.rooms_count,
                    covered=figure.covered_count,
                    open=figure.open_count,
                )
