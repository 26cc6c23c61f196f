"""A city for alarms: lines, routers, switches and access points in any number.

The bench counts them in thousands, the timelines of ``tests/alerts`` by hand: there
``gs-00`` is reached over ``gs-00-main`` and ``rt-gs-00``, and ``gs-00-ap-0`` hangs at
``sw-gs-00`` and is known to ``wlc``.
"""

from __future__ import annotations

from collections.abc import Iterator

from netmon.model import (
    AccessPoint,
    Building,
    Coverage,
    Device,
    DeviceKind,
    Inventory,
    Line,
    LineRole,
    SchoolType,
    Technology,
)
from netmon.units import MBIT

FIRST_BUILDING = "gs-00"


def alerts_city(
    buildings: int,
    points: int,
    *,
    switches: int = 0,
    controllers: int = 1,
    districts: int = 1,
) -> Inventory:
    """Return a city with ``points`` access points and its switches spread evenly.

    Each building has a switch at least; the first Campusbezirk is number 3.
    """
    ids = [f"gs-{number:02}" for number in range(buildings)]
    known_to = [f"wlc-{n}" if n else "wlc" for n in range(controllers)]
    central = [_device(name, None, DeviceKind.CONTROLLER) for name in known_to]
    inside = [
        device
        for number, id_ in enumerate(ids)
        for device in _devices(id_, max(1, _share(switches, buildings, number)))
    ]
    return Inventory(
        buildings=tuple(
            _building(id_, district(number, districts))
            for number, id_ in enumerate(ids)
        ),
        lines=tuple(map(_line, ids)),
        devices=(*central, *inside),
        access_points=tuple(
            AccessPoint(
                id=f"{id_}-ap-{n}",
                building_id=id_,
                name=f"AP-{n}",
                controller_id=known_to[n % controllers],
                switch_id=f"sw-{id_}",
                switch_port=str(n),
            )
            for number, id_ in enumerate(ids)
            for n in range(_share(points, buildings, number))
        ),
    )


def district(number: int, districts: int) -> str:
    """Return the Campusbezirk of a building by its number."""
    return f"Campusbezirk {number % districts + 3}"


def _share(total: int, among: int, number: int) -> int:
    return total // among + (number < total % among)


def _devices(id_: str, switches: int) -> Iterator[Device]:
    yield _device(f"rt-{id_}", id_, DeviceKind.ROUTER, line_id=f"{id_}-main")
    for n in range(switches):
        yield _device(f"sw-{id_}-{n}" if n else f"sw-{id_}", id_, DeviceKind.SWITCH)


def _device(
    id_: str, building_id: str | None, kind: DeviceKind, *, line_id: str | None = None
) -> Device:
    return Device(
        id=id_,
        building_id=building_id,
        kind=kind,
        name=id_,
        address="192.0.2.1:161",
        line_id=line_id,
    )


def _building(id_: str, campus_district: str) -> Building:
    return Building(
        id=id_,
        name=id_,
        school_type=SchoolType.GRUNDSCHULE,
        street="Demostraße 1",
        postcode="44137",
        city="Dortmund",
        campus_district=campus_district,
        city_district="Innenstadt-West",
        latitude_deg=51.5,
        longitude_deg=7.5,
        lan=Coverage.FULL,
        wlan=Coverage.FULL,
    )


def _line(id_: str) -> Line:
    return Line(
        id=f"{id_}-main",
        building_id=id_,
        role=LineRole.MAIN,
        technology=Technology.FIBRE,
        contracted_down_bps=250 * MBIT,
        contracted_up_bps=100 * MBIT,
        provider="DOKOM21",
    )
