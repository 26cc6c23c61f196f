"""Shared stretches of the demo city's network: a ring port and a radio mast a district.

Used by ``make_demo_city.py`` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from netmon.model import Building, Line, Segment, SegmentKind, Technology
from netmon.units import GBIT


def _number(building: Building) -> int:
    """Return the number in ``Campusbezirk 3 (Demo)``."""
    return int(building.campus_district.split()[1])


def with_segments(
    lines: Sequence[Line], buildings: Mapping[str, Building]
) -> tuple[list[Line], list[Segment]]:
    """Return the lines with the segments on their way, and the segments."""
    found: dict[str, Segment] = {}

    def segment(kind: SegmentKind, number: int, capacity_bps: int, word: str) -> str:
        name = f"{word} Campusbezirk {number} (Demo)"
        segment_id = f"cb-{number:02d}-{kind.value.replace('_', '-')}"
        found.setdefault(
            segment_id,
            Segment(id=segment_id, kind=kind, capacity_bps=capacity_bps, name=name),
        )
        return segment_id

    done = []
    for line in lines:
        number = _number(buildings[line.building_id])
        ids = [segment(SegmentKind.BACKBONE, number, 10 * GBIT, "Backbone")]
        if line.technology is Technology.RADIO:
            ids.insert(0, segment(SegmentKind.RADIO_HOP, number, GBIT, "Funkmast"))
        done.append(replace(line, segments=tuple(ids)))
    return done, [found[one] for one in sorted(found)]
