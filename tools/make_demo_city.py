"""Generate the inventory that netmon ships for its demo.

    python tools/make_demo_city.py [--out DIR]

School types, connections, LAN and WLAN are those of ``demo_city_table.csv``,
building by building. Everything else is made up, and depends only on names, so
that every run on every machine writes the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from demo_city_cabling import patched, socket_rooms, surveyed
from demo_city_facts import (
    CAMPUS_DISTRICTS,
    DISTRICTS,
    FACTS,
    FIBRE_PROVIDER,
    RADIO_PROVIDER,
    TOTALS_2024,
    VDSL_PROVIDER,
    mixed,
    pick,
    roll,
)
from demo_city_segments import with_segments

from netmon.inventory import write_folder
from netmon.model import (
    AccessPoint,
    Building,
    Coverage,
    Device,
    DeviceKind,
    Inventory,
    Line,
    LineRole,
    ProbeUnit,
    Room,
    School,
    SchoolType,
    Socket,
    Technology,
)
from netmon.report.snapshot import encode_year, totals_only
from netmon.units import MBIT

TABLE = Path(__file__).with_name("demo_city_table.csv")
CITY = Path(__file__).parents[1] / "netmon" / "demo" / "city"

COVERAGE = {"flächendeckend": Coverage.FULL, "partiell": Coverage.PARTIAL}


@dataclass(frozen=True)
class Plan:
    """A building before its details: what the table says, and where it is."""

    id: str
    number: int
    school_type: SchoolType
    connection: str
    lan: Coverage
    wlan: Coverage
    district: str = ""
    campus: int = 0


def read_plans() -> list[Plan]:
    """Return the buildings of the table, mixed within each school type."""
    states: dict[SchoolType, list[tuple[str, Coverage, Coverage]]] = {
        kind: [] for kind in SchoolType
    }
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            state = (row["anbindung"], COVERAGE[row["lan"]], COVERAGE[row["wlan"]])
            states[SchoolType(row["schulform"])] += [state] * int(row["gebaeude"])
    return [
        Plan(f"{FACTS[kind].prefix}-{number:02d}", number, kind, *state)
        for kind in SchoolType
        for number, state in enumerate(mixed(states[kind], kind.value), start=1)
    ]


def place(plans: list[Plan]) -> list[Plan]:
    """Return the plans with Stadtbezirk and Campusbezirk, in the given order."""
    shares = {name: facts[3] for name, facts in DISTRICTS.items()}
    exact = {
        name: share * len(plans) / sum(shares.values())
        for name, share in shares.items()
    }
    quota = {name: int(value) for name, value in exact.items()}
    # Largest remainder, so that the quotas add up.
    for name in sorted(exact, key=lambda name: int(exact[name]) - exact[name]):
        if sum(quota.values()) < len(plans):
            quota[name] += 1
    seats = [name for name, number in quota.items() for _ in range(number)]
    order = mixed(plans, "district")
    placed: dict[str, Plan] = {}
    for index, (plan, district) in enumerate(zip(order, seats, strict=True)):
        campus = index * CAMPUS_DISTRICTS // len(plans) + 1
        placed[plan.id] = Plan(**{**vars(plan), "district": district, "campus": campus})
    return [placed[plan.id] for plan in plans]


def make_building(plan: Plan, index: int) -> Building:
    """Return the building: near the middle of its Stadtbezirk, size by type."""
    north, east, postcodes, _ = DISTRICTS[plan.district]
    facts = FACTS[plan.school_type]
    angle = 2 * math.pi * roll(f"{plan.id}/angle")
    # The square root spreads points evenly over the circle.
    radius_km = 1.9 * math.sqrt(roll(f"{plan.id}/radius"))
    least, most = facts.classes
    classes = least + int(roll(f"{plan.id}/classes") * (most - least + 1))
    if plan.number > facts.schools:  # a further building of a school is smaller
        classes = max(4, classes // 2)
    swing = 0.92 + 0.16 * roll(f"{plan.id}/pupils")
    return Building(
        id=plan.id,
        name=building_name(plan.school_type, plan.number),
        school_type=plan.school_type,
        street=f"Demostraße {index}",
        postcode=pick(f"{plan.id}/postcode", postcodes),
        city="Dortmund",
        campus_district=f"Campusbezirk {plan.campus} (Demo)",
        city_district=plan.district,
        latitude_deg=round(north + radius_km * math.sin(angle) / 111.2, 5),
        longitude_deg=round(east + radius_km * math.cos(angle) / 69.3, 5),
        lan=plan.lan,
        wlan=plan.wlan,
        pupils=round(classes * facts.pupils_per_class * swing),
        classes=classes,
        rack_room="Verteilerraum, KG",
    )


def building_name(kind: SchoolType, number: int) -> str:
    """Return the name, e.g. ``Grundschule 07 (Demo)``."""
    return f"{kind.value} {number:02d} (Demo)"


def make_schools(plans: list[Plan]) -> list[School]:
    """Return 156 schools: further buildings shared out, some buildings shared."""
    schools = []
    for type_number, (kind, facts) in enumerate(FACTS.items(), start=1):
        ids = [plan.id for plan in plans if plan.school_type is kind]
        own = {number: [ids[number - 1]] for number in range(1, facts.schools + 1)}
        for extra, building_id in enumerate(ids[facts.schools :]):
            owner = 2 + extra * max(1, facts.schools // len(ids[facts.schools :]))
            own[(owner - 1) % facts.schools + 1].append(building_id)
        for number, building_ids in own.items():
            schools.append(
                School(
                    # Six digits like the ministry's, in a range it does not use.
                    id=f"99{type_number}{number:03d}",
                    name=building_name(kind, number),
                    school_type=kind,
                    building_ids=tuple(building_ids),
                )
            )
    # Two schools in one building, of one type and of two, as in the real city.
    shared = {
        "991020": "gs-19",
        "991053": "gs-52",
        "993005": "gy-04",
        "994003": "rs-07",
    }
    return [
        School(
            id=school.id,
            name=school.name,
            school_type=school.school_type,
            building_ids=(*school.building_ids, shared[school.id]),
        )
        if school.id in shared
        else school
        for school in schools
    ]


def main_line(plan: Plan) -> Line:
    """Return the main line: technology by the table, rates as usually sold."""
    key = f"{plan.id}/rate"
    small = plan.school_type in {SchoolType.GRUNDSCHULE, SchoolType.FOERDERSCHULE}
    fibre_planned_on: date | None = None
    if plan.connection == "Glasfaser":
        rate = pick(key, (500, 1000) if small else (1000, 1000, 1000, 500))
        kind, down, up, provider = Technology.FIBRE, rate, rate, FIBRE_PROVIDER
    elif plan.connection == "Richtfunk":
        rate = pick(key, (200, 300, 400))
        kind, down, up, provider = Technology.RADIO, rate, rate, RADIO_PROVIDER
    else:
        kind, provider = Technology.VDSL, VDSL_PROVIDER
        if plan.connection == "ab 100 Mbit":
            down, up = pick(key, (100, 100, 175, 250)), 40
        else:
            down, up = pick(f"{plan.id}/slow", ((50, 10), (25, 5)))
    if kind is not Technology.FIBRE:
        month = pick(f"{plan.id}/fibre", (3, 6, 9, 12))
        fibre_planned_on = date(2026, month, 30 if month in {6, 9} else 31)
    checked = date(2025, 9, 1) + timedelta(days=int(roll(f"{plan.id}/checked") * 90))
    # A few VDSL contracts state all three rates, as their product sheets do.
    agreed = kind is Technology.VDSL and roll(f"{plan.id}/agreed") < 0.1
    return Line(
        id=f"{plan.id}-l1",
        building_id=plan.id,
        role=LineRole.MAIN,
        technology=kind,
        contracted_down_bps=down * MBIT,
        contracted_up_bps=up * MBIT,
        provider=provider,
        checked_on=checked,
        fibre_planned_on=fibre_planned_on,
        normal_down_bps=down * MBIT * 84 // 100 if agreed else None,
        normal_up_bps=up * MBIT * 84 // 100 if agreed else None,
        minimum_down_bps=down * MBIT * 54 // 100 if agreed else None,
        minimum_up_bps=up * MBIT * 54 // 100 if agreed else None,
    )


def backup_line(plan: Plan) -> Line | None:
    """Return a radio line that stayed when the fibre came, for a few buildings."""
    if plan.connection != "Glasfaser" or roll(f"{plan.id}/backup") >= 0.2:
        return None
    rate = pick(f"{plan.id}/backup-rate", (100, 200))
    return Line(
        id=f"{plan.id}-l2",
        building_id=plan.id,
        role=LineRole.BACKUP,
        technology=Technology.RADIO,
        contracted_down_bps=rate * MBIT,
        contracted_up_bps=rate * MBIT,
        provider=RADIO_PROVIDER,
        checked_on=date(2025, 10, 1),
    )


def make_rooms(building: Building) -> list[Room]:
    """Return the rooms: numbered by floor, one of them the distributor's."""
    facts = FACTS[building.school_type]
    teaching = round((building.classes or 0) * facts.teaching_rooms_per_class)
    floors = ("EG", "1. OG", "2. OG", "3. OG")
    used = max(2, min(len(floors), 1 + teaching // 12))

    def room(number: str, name: str, floor: str, *, teaching: bool) -> Room:
        return Room(
            id=f"{building.id}-r{number}",
            building_id=building.id,
            name=name,
            floor=floor,
            teaching=teaching,
        )

    rooms = [
        room("001", "Verteilerraum", "KG", teaching=False),
        room("002", "Sekretariat", "EG", teaching=False),
        room("003", "Lehrkräftezimmer", "EG", teaching=False),
        room("004", "Aula", "EG", teaching=False),
    ]
    for index in range(teaching):
        floor = index % used
        number = f"{floor + 1}{index // used + 1:02d}"
        rooms.append(
            room(number, f"Raum {floor}.{number[1:]}", floors[floor], teaching=True)
        )
    return rooms


def make_access_points(building: Building, rooms: list[Room]) -> list[AccessPoint]:
    """Return an access point per teaching room, or a few where WLAN is partial."""
    teaching = [room for room in rooms if room.teaching]
    if building.wlan is Coverage.FULL:
        chosen = [
            room
            for room in teaching
            # Here and there one serves two rooms.
            if roll(f"{room.id}/ap") < 0.93
        ]
        chosen += [room for room in rooms if room.name in {"Aula", "Lehrkräftezimmer"}]
    else:
        chosen = teaching[: 2 + int(roll(f"{building.id}/island") * 3)]
    return [
        AccessPoint(
            id=f"{building.id}-ap{number:02d}",
            building_id=building.id,
            name=f"{building.id}-ap{number:02d}",
            controller_id=f"{building.id}-wc1",
            model=pick(f"{building.id}/ap-model", ("AP-515", "AP-635")),
            serial=f"DEMO{int(roll(f'{room.id}/serial') * 16**8):08X}",
            room_id=room.id,
        )
        for number, room in enumerate(sorted(chosen, key=lambda r: r.id), start=1)
    ]


def make_devices(building: Building, access_points: int, sockets: int) -> list[Device]:
    """Return a WLAN controller and one to three switches.

    ``demo.invalid`` never resolves; the demo sets the agents' own addresses.
    """
    devices = [
        Device(
            id=f"{building.id}-wc1",
            building_id=building.id,
            kind=DeviceKind.CONTROLLER,
            name=f"{building.id}-wc1",
            address="demo.invalid:161",
            platform="aruba_instant",
            model="Aruba Instant (Demo)",
            room=building.rack_room,
        )
    ]
    # Two ports a room with an access point, and some for offices and uplinks.
    needed = 8 + max(round(2.2 * access_points), access_points + sockets)
    choices = ((24, [24]), (48, [48]), (72, [48, 24]), (96, [48, 48]))
    sizes = next((sizes for most, sizes in choices if needed <= most), [48] * 3)
    devices += [
        Device(
            id=f"{building.id}-sw{number}",
            building_id=building.id,
            kind=DeviceKind.SWITCH,
            name=f"{building.id}-sw{number}",
            address="demo.invalid:161",
            platform="if_mib",
            model=f"Switch {ports} PoE (Demo)",
            room=building.rack_room,
            ports=ports,
        )
        for number, ports in enumerate(sizes, start=1)
    ]
    return devices


def make_city() -> Inventory:
    """Return the whole city."""
    plans = place(read_plans())
    buildings = [make_building(plan, i) for i, plan in enumerate(plans, start=1)]
    lines: list[Line] = []
    devices: list[Device] = []
    rooms: list[Room] = []
    access_points: list[AccessPoint] = []
    sockets: list[Socket] = []
    for plan, building in zip(plans, buildings, strict=True):
        backup = backup_line(plan)
        lines += [main_line(plan), *([backup] if backup else [])]
        own_rooms = make_rooms(building)
        own_aps = make_access_points(building, own_rooms)
        wired = socket_rooms(building, own_rooms, own_aps)
        own_devices = make_devices(building, len(own_aps), len(wired))
        own_aps, own_sockets = patched(own_aps, wired, own_devices)
        rooms += surveyed(building, own_rooms, own_aps)
        access_points += own_aps
        devices += own_devices
        sockets += own_sockets
    lines, segments = with_segments(lines, {one.id: one for one in buildings})
    return Inventory(
        buildings=tuple(buildings),
        schools=tuple(make_schools(plans)),
        lines=tuple(lines),
        devices=tuple(devices),
        rooms=tuple(rooms),
        access_points=tuple(access_points),
        probes=tuple(
            ProbeUnit(id=f"{b.id}-p1", building_id=b.id, line_id=f"{b.id}-l1")
            for b in buildings
        ),
        segments=tuple(segments),
        sockets=tuple(sockets),
    )


def write_city(folder: Path) -> Inventory:
    """Write the city and the totals of 2024 into a folder."""
    city = make_city()
    write_folder(city, folder)
    totals = totals_only(
        2024,
        datetime(2024, 12, 31, 11, tzinfo=UTC),
        buildings=len(city.buildings),
        totals=TOTALS_2024,
        origin="Summen 2024, aus dem Bericht 2025 abgeleitet",
    )
    (folder / "report_2024.json").write_bytes(encode_year(totals))
    return city


def main() -> None:
    """Write the files and say how many of everything there are."""
    parser = argparse.ArgumentParser(description="Generate the demo city.")
    parser.add_argument("--out", type=Path, default=CITY)
    city = write_city(parser.parse_args().out)
    for name in city.__struct_fields__:
        print(f"{name}: {len(getattr(city, name))}")


if __name__ == "__main__":
    main()
