"""The buildings on a map drawn by ourselves: it needs no tiles and no script; pure.

Open outlines of the Stadtbezirke are not part of netmon. What is drawn instead is the
hull around the school buildings of each, and the page calls it that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import quote

from markupsafe import Markup, escape

from dashboards.views import BuildingRow, Verdict, rank
from netmon.model import Building, Inventory
from netmon.texts import Texts

WIDTH = 1000
_MARGIN = 60
_PIN = 24
Point = tuple[float, float]


def hull(points: Iterable[Point]) -> tuple[Point, ...]:
    """Return the convex hull, counter-clockwise (Andrew's monotone chain).

    Fewer than three corners enclose nothing: then it is empty.
    """
    ordered = sorted(set(points))
    corners: list[Point] = []
    for chain in (ordered, ordered[::-1]):
        begin = len(corners)
        for point in chain:
            while (
                len(corners) - begin >= 2
                and _turn(corners[-2], corners[-1], point) <= 0
            ):
                corners.pop()
            corners.append(point)
        if corners:
            corners.pop()
    return tuple(corners) if len(corners) >= 3 else ()


def _turn(a: Point, b: Point, c: Point) -> float:
    """Return more than 0 for a turn to the left at ``b``."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


class Frame:
    """Where a place lies in the drawing; degrees of longitude are narrower up here."""

    def __init__(self, points: Sequence[Point]) -> None:
        lons, lats = [x for x, _ in points], [y for _, y in points]
        self._west, self._north = min(lons), max(lats)
        narrow = math.cos(math.radians((self._north + min(lats)) / 2))
        span_deg = max((max(lons) - self._west) * narrow, 1e-3)
        self._x = (WIDTH - 2 * _MARGIN) / span_deg * narrow
        self._y = self._x / narrow
        self.height = round((self._north - min(lats)) * self._y) + 2 * _MARGIN

    def at(self, point: Point) -> tuple[int, int]:
        """Return where a place lies."""
        x = (point[0] - self._west) * self._x + _MARGIN
        y = (self._north - point[1]) * self._y + _MARGIN
        return round(x), round(y)


def _place(building: Building) -> Point:
    return building.longitude_deg, building.latitude_deg


@lru_cache(maxsize=32)
def _outline(buildings: tuple[Building, ...]) -> tuple[Frame, Markup]:
    """Return frame and hulls; they change with an import only."""
    frame = Frame([_place(each) for each in buildings])
    drawn, names = Markup(), Markup()
    for name in sorted({each.city_district for each in buildings} - {""}):
        corners = hull(_place(x) for x in buildings if x.city_district == name)
        if not corners:
            continue
        shape = " ".join("{},{}".format(*frame.at(point)) for point in corners)
        told = " ".join(f"{lat:.5f},{lon:.5f}" for lon, lat in corners)
        places = [frame.at(point) for point in corners]
        x = (min(x for x, _ in places) + max(x for x, _ in places)) // 2
        # Above the area, where fewer marks lie on it.
        y = min(y for _, y in places) - 16
        drawn += Markup(
            '<polygon class="hull" points="{}" data-corners="{}" data-name="{}"/>'
        ).format(shape, told, name)
        names += Markup('<text class="hull-name" x="{}" y="{}">{}</text>').format(
            x, y, name
        )
    # Names come after all areas, so that no neighbour's area hides one.
    return frame, drawn + names


def city_map(
    inventory: Inventory, rows: Iterable[BuildingRow], texts: Texts
) -> Markup | None:
    """Return the drawing with a linked mark for each row; None without a building.

    A mark has the shape of its state and tells it in its title; worse ones lie above.
    """
    if not inventory.buildings:
        return None
    frame, drawn = _outline(inventory.buildings)
    words = {look: escape(texts(f"state.{look}")) for look in Verdict}
    pins = []
    for row in sorted(rows, key=lambda row: -rank(row.verdict)):
        building, look = row.building, row.verdict
        x, y = frame.at(_place(building))
        pins.append(
            f'<a class="pin state-{look}" href="/gebaeude/{quote(building.id)}" '
            f'data-look="{look}" data-at="{building.latitude_deg:.5f},'
            f'{building.longitude_deg:.5f}"><title>{escape(building.name)}: '
            f"{words[look]}</title>"
            f'<rect class="pin-back" x="{x - 13}" y="{y - 13}" width="26" height="26" '
            f'rx="13"/><use href="#s-{look}" x="{x - 12}" y="{y - 12}" '
            f'width="{_PIN}" height="{_PIN}"/></a>'
        )
    return Markup(  # noqa: S704 - every text in it is escaped above
        f'<svg class="city-map" viewBox="0 0 {WIDTH} {frame.height}" role="group" '
        f'aria-label="{escape(texts("city.map.label"))}">'
        f"<g>{drawn}</g>{''.join(pins)}</svg>"
    )
