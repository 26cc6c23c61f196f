"""Buildings, lines, routers and states as tests need them: they say what matters."""

from __future__ import annotations

import json
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
from netmon.storage.alarms import OPEN_INCIDENT
from netmon.storage.records import AlarmState, StateRow, Transition
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


def a_state(
    rule: str,
    target: str,
    building_id: str,
    state: AlarmState,
    since_ms: int,
    updated_ms: int | None = None,
) -> StateRow:
    """What the alarm machine holds of a target; BAD opens an incident."""
    return StateRow(
        rule=rule,
        target=target,
        building_id=building_id,
        state=state,
        since_ms=since_ms,
        updated_ms=since_ms if updated_ms is None else updated_ms,
        incident_id=OPEN_INCIDENT if state is AlarmState.BAD else None,
        memory=b"{}",
    )


def led_to(row: StateRow, **evidence: object) -> Transition:
    """The transition, from SUSPECT, with which a state began."""
    return Transition(
        id=0,
        rule=row.rule,
        target=row.target,
        building_id=row.building_id,
        from_state=AlarmState.SUSPECT,
        to_state=row.state,
        at_ms=row.since_ms,
        incident_id=row.incident_id,
        evidence=json.dumps(evidence).encode(),
    )
