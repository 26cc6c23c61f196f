"""Filtering and sorting of the overview: pure, the same for pages and API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dashboards.covered import RoomsCovered
from dashboards.views import BuildingRow, Reading, Verdict, rank
from netmon.collation import collation_key, fold
from netmon.model import SchoolType, Technology

# A key is compared only with keys of the same column; None comes last either way.
SortKey = tuple[object, ...] | float | str | None


def _empty_is_none(value: object) -> object:
    # A form sends every field; an untouched one arrives as an empty text.
    return None if value == "" else value


_Optional = BeforeValidator(_empty_is_none)


class Listing(BaseModel):
    """The overview's query: every field is optional, empty means all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: Annotated[
        str,
        Field(max_length=100, description="Words in name, address or school"),
    ] = ""
    school_type: Annotated[
        SchoolType | None, _Optional, Field(description="Reporting school type")
    ] = None
    campus_district: Annotated[
        Annotated[str, Field(max_length=100)] | None,
        _Optional,
        Field(description="Campusbezirk"),
    ] = None
    city_district: Annotated[
        Annotated[str, Field(max_length=100)] | None,
        _Optional,
        Field(description="Stadtbezirk"),
    ] = None
    provider: Annotated[
        Annotated[str, Field(max_length=100)] | None,
        _Optional,
        Field(description="Of the main line"),
    ] = None
    technology: Annotated[
        Technology | None, _Optional, Field(description="Of the main line")
    ] = None
    state: Annotated[
        Verdict | None, _Optional, Field(description="Of the worst member")
    ] = None
    line_state: Annotated[
        Verdict | None, _Optional, Field(description="Of the main line")
    ] = None
    sort: Annotated[
        str,
        Field(
            pattern=r"^-?[a-z_]{1,40}$|^$",
            description="A column's name, with '-' for descending",
        ),
    ] = ""

    def query(self) -> dict[str, str]:
        """Return the parameters that differ from their defaults, for links."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        return {name: str(value) for name, value in fields.items() if value}


def _line(pick: Callable[[BuildingRow], SortKey]) -> Callable[[BuildingRow], SortKey]:
    return lambda row: None if row.main is None else pick(row)


def _reading(name: str) -> Callable[[BuildingRow], SortKey]:
    def pick(row: BuildingRow) -> SortKey:
        reading = None if row.main is None else getattr(row.main, name)
        return reading.value if isinstance(reading, Reading) else None

    return pick


def _contract(row: BuildingRow) -> SortKey:
    return None if row.main is None else float(row.main.line.contracted_down_bps)


def _need(row: BuildingRow) -> SortKey:
    needed = row.needed_down_bps
    return None if needed is None else float(needed)


def _share(rooms: RoomsCovered | None) -> SortKey:
    return None if rooms is None else rooms.share


def _school_type(row: BuildingRow) -> SortKey:
    return float(list(SchoolType).index(row.building.school_type))


# One line per column that can be sorted by; the templates link to these names.
SORTS: Mapping[str, Callable[[BuildingRow], SortKey]] = {
    "name": lambda row: collation_key(row.building.name),
    "state": lambda row: float(rank(row.verdict)),
    "line_state": lambda row: float(rank(row.line_verdict)),
    "school_type": _school_type,
    "district": lambda row: collation_key(row.building.campus_district),
    "city_district": lambda row: collation_key(row.building.city_district),
    "technology": _line(lambda row: row.main.line.technology if row.main else None),
    "provider": _line(
        lambda row: collation_key(row.main.line.provider) if row.main else None
    ),
    "contract": _contract,
    "need": _need,
    "down": _reading("down"),
    "up": _reading("up"),
    "rtt": _reading("rtt"),
    "lan": lambda row: row.building.lan.value,
    "lan_rooms": lambda row: _share(row.lan_rooms),
    "wlan": lambda row: row.building.wlan.value,
    "wlan_rooms": lambda row: _share(row.wlan_rooms),
    "wlan_state": lambda row: float(rank(row.aps.verdict)) if row.aps.total else None,
    "aps": lambda row: float(row.aps.total) if row.aps.total else None,
    "aps_down": lambda row: float(row.aps.down) if row.aps.total else None,
    "clients": lambda row: row.aps.clients.value,
}
DEFAULT_SORT = "name"


def _matches(row: BuildingRow, words: list[str]) -> bool:
    if not words:
        return True
    building = row.building
    texts = [
        building.id,
        building.name,
        building.street,
        building.postcode,
        building.city_district,
        *(f"{school.id} {school.name}" for school in row.schools),
    ]
    haystack = fold(" ".join(texts))
    return all(word in haystack for word in words)


def select(rows: Iterable[BuildingRow], listing: Listing) -> list[BuildingRow]:
    """Return the rows that pass all filters, in the order given."""
    words = fold(listing.q).split()

    def passes(row: BuildingRow) -> bool:
        line = None if row.main is None else row.main.line
        wanted: tuple[tuple[object, object], ...] = (
            (listing.school_type, row.building.school_type),
            (listing.campus_district, row.building.campus_district),
            (listing.city_district, row.building.city_district),
            (listing.provider, line and line.provider),
            (listing.technology, line and line.technology),
            (listing.state, row.verdict),
            (listing.line_state, row.line_verdict),
        )
        return all(want is None or want == has for want, has in wanted) and _matches(
            row, words
        )

    return [row for row in rows if passes(row)]


def arrange(rows: Iterable[BuildingRow], sort: str) -> list[BuildingRow]:
    """Return the rows sorted; equal ones by name, missing values last.

    An unknown column sorts by name: an old link still shows the list.
    """
    descending = sort.startswith("-")
    key = SORTS.get(sort.removeprefix("-"), SORTS[DEFAULT_SORT])
    by_name = sorted(rows, key=lambda row: collation_key(row.building.name))
    known = [row for row in by_name if key(row) is not None]
    missing = [row for row in by_name if key(row) is None]
    # reverse=True would turn round the names of equal rows as well: it is stable.
    return sorted(known, key=_sortable(key), reverse=descending) + missing


def _sortable(
    key: Callable[[BuildingRow], SortKey],
) -> Callable[[BuildingRow], tuple[object, ...]]:
    return lambda row: (key(row),)


def choices(names: Iterable[str]) -> list[str]:
    """Return the names that occur, each once, sorted as German text."""
    return sorted({name for name in names if name}, key=collation_key)
