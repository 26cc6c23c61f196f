"""Buildings, lines and routers as tests need them: they say what matters, the rest is here."""

from __future__ import annotations

from typing import Any

from netmon.model import (
    Building,
    Coverage,
    Device,
    DeviceKind,
    Line,
    LineRole,
    SchoolType,
    Technology,
)
from netmon.units import MBIT


def a_building(building_id: str = "b1", **changes: Any) -> Building:
    """A primary school with everything, in the middle of Dortmund."""
    fields: dict[str, Any] = {
        "name": "Grundschule 07 (Demo)",
        "school_type": SchoolType.GRUNDSCHULE,
        "street": "Testweg 1",
        "postcode": "44137",
        "city": "Dortmund",
        "campus_district": "Campusbezirk 3",
        "city_district": "Innenstadt-West",
        "latitude_deg": 51.51,
        "longitude_deg": 7.46,
        "lan": Coverage.FULL,
        "wlan": Coverage.FULL,
    }
    return Building(id=building_id, **(fields | changes))


def a_line(
    building_id: str = "b1",
    down_mbits: int = 100,
    up_mbits: int = 40,
    technology: Technology = Technology.VDSL,
    **changes: Any,
) -> Line:
    """A building's main line, unless told otherwise."""
    fields: dict[str, Any] = {
        "id": f"{building_id}-{changes.get('role', LineRole.MAIN)}",
        "building_id": building_id,
        "role": LineRole.MAIN,
        "technology": technology,
        "contracted_down_bps": down_mbits * MBIT,
        "contracted_up_bps": up_mbits * MBIT,
        "provider": "DOKOM21",
    }
    return Line(**(fields | changes))


def a_router(**changes: Any) -> Device:
    """The router that ends the main line of a building."""
    fields: dict[str, Any] = {
        "id": "rt1",
        "building_id": "b1",
        "kind": DeviceKind.ROUTER,
        "name": "rt1",
        "address": "127.0.0.1:161",
        "line_id": "b1-main",
    }
    return Device(**(fields | changes))
