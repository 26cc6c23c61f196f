"""Sockets, and the ports that they and the access points are patched to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from demo_city_facts import roll
from msgspec.structs import replace

from netmon.model import (
    AccessPoint,
    Building,
    Coverage,
    Device,
    DeviceKind,
    Room,
    Socket,
    Survey,
)

# Of so many access points nobody has written down where they are patched.
_UNKNOWN_SHARE = 0.1


def surveyed(
    building: Building, rooms: Sequence[Room], points: Sequence[AccessPoint]
) -> list[Room]:
    """Return the rooms; those that a neighbour's access point serves were measured."""
    served = {point.room_id for point in points}
    return [
        replace(room, survey=Survey.GOOD)
        if building.wlan is Coverage.FULL and room.teaching and room.id not in served
        else room
        for room in rooms
    ]


def socket_rooms(
    building: Building, rooms: Sequence[Room], points: Sequence[AccessPoint]
) -> list[Room]:
    """Return the rooms with a socket: all for lessons, or where one was needed."""
    teaching = [room for room in rooms if room.teaching]
    if building.lan is Coverage.FULL:
        return teaching
    served = {point.room_id for point in points}
    return [room for room in teaching if room.id in served][: len(teaching) // 3]


def _ports(devices: Sequence[Device]) -> Iterator[tuple[str, str]]:
    for device in devices:
        if device.kind is DeviceKind.SWITCH:
            for number in range(1, (device.ports or 0) + 1):
                yield device.id, f"Gi1/0/{number}"


def patched(
    points: Sequence[AccessPoint], rooms: Sequence[Room], devices: Sequence[Device]
) -> tuple[list[AccessPoint], list[Socket]]:
    """Return access points and sockets with their ports, access points first."""
    ports = _ports(devices)
    known = []
    for point in points:
        switch_id, port = next(ports)
        if roll(f"{point.id}/patched") < _UNKNOWN_SHARE:
            known.append(point)
        else:
            known.append(replace(point, switch_id=switch_id, switch_port=port))
    sockets = []
    for room in rooms:
        switch_id, port = next(ports)
        name = f"{room.id.rpartition('-r')[2]}-1"
        sockets.append(
            Socket(room_id=room.id, name=name, switch_id=switch_id, switch_port=port)
        )
    return known, sockets
