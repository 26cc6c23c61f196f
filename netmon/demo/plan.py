"""Which buildings of the shipped city are live, and how their lines behave; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from netmon.demo.line_traffic import Traffic
from netmon.demo.played_line import LineShape
from netmon.model import (
    Building,
    Device,
    DeviceKind,
    Inventory,
    Line,
    Technology,
    below_by_contract,
    expected_down_bps,
)

# Enough of each technology to see them side by side, and one line whose contract
# is below the target. Every live building is measured and polled for real.
_WANTED = {Technology.FIBRE: 5, Technology.RADIO: 4, Technology.VDSL: 4}
_WANTED_BELOW_CONTRACT = 1
# What is left of the contract on its way through framing, on a healthy line.
HEALTHY_SHARE = 0.955
# The address of what no agent plays yet; see `with_addresses`.
UNPOLLED = "demo.invalid:161"
_ROUTERS = {
    Technology.FIBRE: "Router mit SFP (Demo)",
    Technology.RADIO: "Richtfunkgerät (Demo)",
    Technology.VDSL: "VDSL-Modem (Demo)",
}
BROKEN_SHARE = 0.4
# Empty round trip and buffer of a line, seconds.
_WAITS = {
    Technology.FIBRE: (0.004, 0.025),
    Technology.RADIO: (0.007, 0.030),
    Technology.VDSL: (0.016, 0.040),
}
_TRAFFIC = (Traffic.NONE, Traffic.STEADY, Traffic.BURSTY, Traffic.SCHOOL)
# Most routers' counters are always fresh; by number of the building those that are
# renewed so often, and one that nobody can read (None).
_REFRESHES_S: dict[int, float | None] = {1: None, 6: 1.0, 10: 3.0}


@dataclass(frozen=True, slots=True)
class Plan:
    """The city with the buildings that are measured for real, in their order."""

    city: Inventory
    live: tuple[Building, ...]

    @property
    def others(self) -> tuple[Building, ...]:
        """Buildings whose values are generated."""
        live = {building.id for building in self.live}
        return tuple(b for b in self.city.buildings if b.id not in live)

    def line(self, building_id: str) -> Line:
        """Return the main line of a live building.

        Raises:
            KeyError: it has none; no live building is without.
        """
        line = self.city.main_line(building_id)
        if line is None:
            raise KeyError(building_id)
        return line


def make_plan(city: Inventory) -> Plan:
    """Choose the live buildings: few access points each, all technologies."""
    chosen: list[Building] = []
    by_size = sorted(
        (b for b in city.buildings if len(city.access_points_of[b.id]) >= 3),
        key=lambda b: (len(city.access_points_of[b.id]), b.id),
    )
    for technology, wanted in _WANTED.items():
        fitting = [
            b
            for b in by_size
            if (line := city.main_line(b.id)) is not None
            and line.technology is technology
            and not below_by_contract(line)
        ]
        chosen += fitting[:wanted]
    below = [
        b
        for b in by_size
        if (line := city.main_line(b.id)) is not None and below_by_contract(line)
    ]
    chosen += below[:_WANTED_BELOW_CONTRACT]
    live = tuple(sorted(chosen, key=lambda b: b.id))
    return Plan(with_routers(city, live), live)


def with_routers(city: Inventory, live: Sequence[Building]) -> Inventory:
    """Return the city with a router for one live line of each technology.

    They end the line in the building and tell how it is itself.
    """
    routers: dict[Technology, Device] = {}
    for building in live:
        line = city.main_line(building.id)
        if line is None or below_by_contract(line) or line.technology in routers:
            continue
        routers[line.technology] = Device(
            id=f"{building.id}-rt1",
            building_id=building.id,
            kind=DeviceKind.ROUTER,
            name=f"{building.id}-rt1",
            address=UNPOLLED,
            model=_ROUTERS[line.technology],
            room=building.rack_room,
            line_id=line.id,
        )
    return replace(city, devices=(*city.devices, *routers.values()))


def with_addresses(city: Inventory, addresses: Mapping[str, str]) -> Inventory:
    """Return the city with the addresses of live agents; others are not polled."""
    devices = tuple(
        replace(device, address=addresses.get(device.id, "")) for device in city.devices
    )
    return replace(city, devices=devices)


def healthy_rates(line: Line) -> tuple[float, float]:
    """Return the pace, down and up in bit/s, of a line in order."""
    return (
        line.contracted_down_bps * HEALTHY_SHARE,
        line.contracted_up_bps * HEALTHY_SHARE,
    )


def line_shapes(plan: Plan) -> tuple[LineShape, ...]:
    """Return how each live line is played, in the buildings' order."""
    shapes = []
    for number, building in enumerate(plan.live):
        line = plan.line(building.id)
        down_bps, up_bps = healthy_rates(line)
        base_rtt_s, queue_s = _WAITS[line.technology]
        shapes.append(
            LineShape(
                id=line.id,
                down_bps=down_bps,
                up_bps=up_bps,
                base_rtt_s=base_rtt_s,
                queue_s=queue_s,
                traffic=_TRAFFIC[number % len(_TRAFFIC)],
                refresh_s=_REFRESHES_S.get(number, 0.0),
            )
        )
    return tuple(shapes)


def broken_rates(line: Line) -> tuple[float, float]:
    """Return the pace of a broken line: clearly below what it must reach."""
    down_bps = expected_down_bps(line) * BROKEN_SHARE
    return down_bps, min(down_bps, line.contracted_up_bps * HEALTHY_SHARE)
