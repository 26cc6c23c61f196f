"""An inventory in figures and a building in words, for screens."""

from __future__ import annotations

from netmon.model import (
    Building,
    Coverage,
    Device,
    Inventory,
    Line,
    connection_class,
)
from netmon.texts import NO_VALUE, Texts


def counts(inventory: Inventory) -> dict[str, int]:
    """Return how many of everything there are, by key of ``inventory.count``."""
    measured = {probe.building_id for probe in inventory.probes}
    return {
        "buildings": len(inventory.buildings),
        "schools": len(inventory.schools),
        "lines": len(inventory.lines),
        "devices": len(inventory.devices),
        "rooms": len(inventory.rooms),
        "teaching_rooms": sum(room.teaching for room in inventory.rooms),
        "access_points": len(inventory.access_points),
        "sockets": len(inventory.sockets),
        "probes": len(inventory.probes),
        "segments": len(inventory.segments),
        "pupils": sum(building.pupils or 0 for building in inventory.buildings),
        "without_main_line": sum(
            inventory.main_line(building.id) is None for building in inventory.buildings
        ),
        "without_probe": sum(
            building.id not in measured for building in inventory.buildings
        ),
        "without_address": sum(not device.address for device in inventory.devices),
        "without_coverage": sum(
            Coverage.UNKNOWN in {building.lan, building.wlan}
            for building in inventory.buildings
        ),
    }


def counts_text(inventory: Inventory, texts: Texts) -> str:
    """Return the figures, one a line."""
    return _aligned(
        [
            (texts(f"inventory.count.{key}"), texts.number(value))
            for key, value in counts(inventory).items()
        ]
    )


def _aligned(rows: list[tuple[str, str]]) -> str:
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label:<{width}}  {value}" for label, value in rows)


def _line(line: Line, texts: Texts) -> tuple[str, str]:
    role = texts(f"line_role.{line.role}")
    value = texts(
        "inventory.building.line_value",
        id=line.id,
        technology=texts(f"technology.{line.technology}"),
        down=texts.rate(line.contracted_down_bps),
        up=texts.rate(line.contracted_up_bps),
        provider=line.provider,
        checked=texts.date(line.checked_on),
        planned=texts.date(line.fibre_planned_on),
    )
    return texts("inventory.building.line", role=role), value


def _agreed(line: Line, texts: Texts) -> tuple[str, str] | None:
    """Return the agreed rates below the maximum; None where there are none."""
    rates = (
        line.normal_down_bps,
        line.normal_up_bps,
        line.minimum_down_bps,
        line.minimum_up_bps,
    )
    if all(rate is None for rate in rates):
        return None
    normal_down, normal_up, minimum_down, minimum_up = map(texts.rate, rates)
    role = texts(f"line_role.{line.role}")
    value = texts(
        "inventory.building.agreed_value",
        normal_down=normal_down,
        normal_up=normal_up,
        minimum_down=minimum_down,
        minimum_up=minimum_up,
    )
    return texts("inventory.building.agreed", role=role), value


def _device(device: Device, texts: Texts) -> str:
    return texts(
        "inventory.building.device_value",
        name=device.name,
        kind=texts(f"inventory.device_kind.{device.kind}"),
        address=device.address,
    )


def building_text(inventory: Inventory, building: Building, texts: Texts) -> str:
    """Return all that is known of a building, one thing a line."""

    def row(key: str, value: str) -> tuple[str, str]:
        return texts(f"inventory.building.{key}"), value or NO_VALUE

    lines = inventory.lines_of[building.id]
    rooms = [room for room in inventory.rooms if room.building_id == building.id]
    devices = [one for one in inventory.devices if one.building_id == building.id]
    probes = [one.id for one in inventory.probes if one.building_id == building.id]
    schools = [school.name for school in inventory.schools_of[building.id]]
    rows = [
        row("school_type", building.school_type.value),
        row("schools", ", ".join(schools)),
        row("address", f"{building.street}, {building.postcode} {building.city}"),
        row("campus_district", building.campus_district),
        row("city_district", building.city_district),
        row(
            "position",
            texts(
                "inventory.building.position_value",
                latitude=texts.number(building.latitude_deg, 5),
                longitude=texts.number(building.longitude_deg, 5),
            ),
        ),
        row("lan", texts(f"coverage.{building.lan}")),
        row("wlan", texts(f"coverage.{building.wlan}")),
        row("pupils", texts.number(building.pupils)),
        row("classes", texts.number(building.classes)),
        row("rack_room", building.rack_room),
        row("connection", connection_class(inventory.main_line(building.id)).value),
        *(_line(line, texts) for line in lines),
        *(pair for line in lines if (pair := _agreed(line, texts)) is not None),
        row(
            "rooms",
            texts(
                "inventory.building.rooms_value",
                rooms=len(rooms),
                teaching=sum(room.teaching for room in rooms),
            ),
        ),
        row("access_points", str(len(inventory.access_points_of[building.id]))),
        row("probes", ", ".join(probes)),
        *(row("devices", _device(device, texts)) for device in devices),
    ]
    title = texts("inventory.building.title", name=building.name, id=building.id)
    return f"{title}\n{_aligned(rows)}"
