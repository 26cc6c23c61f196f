"""The shipped city: loads, follows its table, and can be made again."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from netmon.demo import city
from netmon.demo.plan import with_addresses
from netmon.inventory import load_folder, write_folder
from netmon.inventory.describe import counts
from netmon.model import (
    Coverage,
    DeviceKind,
    Inventory,
    SchoolType,
    SegmentKind,
    Technology,
    connection_class,
)

COVERAGE_WORDS = {Coverage.FULL: "flächendeckend", Coverage.PARTIAL: "partiell"}


@pytest.fixture(scope="module")
def demo_city() -> Inventory:
    return city.load()


def test_buildings_are_those_of_the_table(demo_city: Inventory, repo_dir: Path) -> None:
    with (repo_dir / "tools" / "demo_city_table.csv").open(encoding="utf-8") as file:
        expected = Counter(
            {
                tuple(row.values())[:4]: int(row["gebaeude"])
                for row in csv.DictReader(file)
            }
        )
    found = Counter(
        (
            building.school_type.value,
            connection_class(demo_city.main_line(building.id)).value,
            COVERAGE_WORDS[building.lan],
            COVERAGE_WORDS[building.wlan],
        )
        for building in demo_city.buildings
    )
    assert found == expected
    assert found.total() == 178


def test_the_table_is_the_one_handed_over(repo_dir: Path, shared_dir: Path) -> None:
    shipped = (repo_dir / "tools" / "demo_city_table.csv").read_text()
    assert shipped == (shared_dir / "data" / "buildings_2025_joint.csv").read_text()


def test_schools_are_as_many_as_the_city_has(demo_city: Inventory) -> None:
    assert Counter(school.school_type for school in demo_city.schools) == {
        SchoolType.GRUNDSCHULE: 89,
        SchoolType.GYMNASIUM: 14,
        SchoolType.REALSCHULE: 13,
        SchoolType.HAUPTSCHULE: 8,
        SchoolType.GESAMTSCHULE: 11,
        SchoolType.FOERDERSCHULE: 11,
        SchoolType.BERUFSKOLLEG: 8,
        SchoolType.WEITERBILDUNGSKOLLEG: 2,
    }


def test_schools_and_buildings_are_many_to_many(demo_city: Inventory) -> None:
    users = demo_city.schools_of
    assert all(users[building.id] for building in demo_city.buildings)
    assert any(len(schools) > 1 for schools in users.values())
    assert any(
        len({school.school_type for school in schools}) > 1
        for schools in users.values()
    )
    assert any(len(school.building_ids) > 1 for school in demo_city.schools)


def test_places_are_in_dortmund(demo_city: Inventory) -> None:
    buildings = demo_city.buildings
    assert all(51.42 <= b.latitude_deg <= 51.60 for b in buildings)
    assert all(7.30 <= b.longitude_deg <= 7.63 for b in buildings)
    assert all(b.postcode.startswith("44") for b in buildings)
    assert len({b.city_district for b in buildings}) == 12
    assert len({b.campus_district for b in buildings}) == 11
    assert len({b.street for b in buildings}) == 178
    # A Campusmanager*in looks after 17 schools at most.
    assert max(Counter(b.campus_district for b in buildings).values()) <= 17


def test_every_building_has_what_the_demo_measures(demo_city: Inventory) -> None:
    assert len(demo_city.probes) == 178
    assert 3_800 <= len(demo_city.access_points) <= 4_200
    kinds = Counter((one.building_id, one.kind) for one in demo_city.devices)
    teaching = Counter(room.building_id for room in demo_city.rooms if room.teaching)
    for building in demo_city.buildings:
        assert kinds[building.id, DeviceKind.CONTROLLER] == 1
        assert 1 <= kinds[building.id, DeviceKind.SWITCH] <= 3
        aps = len(demo_city.access_points_of[building.id])
        rooms = teaching[building.id]
        if building.wlan is Coverage.FULL:
            assert 0.7 * rooms <= aps <= rooms + 2
        else:
            assert 2 <= aps <= 4
        assert building.pupils
        assert building.classes


def test_lines_look_like_contracts(demo_city: Inventory) -> None:
    backups = 0
    for building in demo_city.buildings:
        main, *further = demo_city.lines_of[building.id]
        backups += len(further)
        assert main.checked_on is not None
        is_fibre = main.technology is Technology.FIBRE
        assert (main.fibre_planned_on is None) == is_fibre
    assert 5 <= backups <= 30


def test_every_line_knows_what_it_shares(demo_city: Inventory) -> None:
    kinds = {one.id: one.kind for one in demo_city.segments}
    assert Counter(kinds.values())[SegmentKind.BACKBONE] == 11
    for line in demo_city.lines:
        found = [kinds[one] for one in line.segments]
        is_radio = line.technology is Technology.RADIO
        hops = [SegmentKind.RADIO_HOP] if is_radio else []
        assert found == [*hops, SegmentKind.BACKBONE]
    assert all("(Demo)" in one.name for one in demo_city.segments)


def test_nothing_pretends_to_be_real(demo_city: Inventory) -> None:
    assert all("(Demo)" in building.name for building in demo_city.buildings)
    assert all("(Demo)" in line.provider for line in demo_city.lines)
    # A reserved name that never resolves: nobody polls a stranger by mistake.
    assert {one.address for one in demo_city.devices} == {"demo.invalid:161"}


def test_the_script_makes_the_shipped_files(repo_dir: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, repo_dir / "tools" / "make_demo_city.py", "--out", tmp_path],
        check=True,
        capture_output=True,
        timeout=60,
    )
    shipped = repo_dir / "netmon" / "demo" / "city"
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(
        path.name for path in shipped.iterdir() if path.suffix in {".csv", ".json"}
    )
    for name in made:
        assert (tmp_path / name).read_bytes() == (shipped / name).read_bytes(), name


def test_last_years_totals_are_sealed() -> None:
    previous = city.load_previous_year()
    assert (previous.year, previous.buildings) == (2024, 178)
    assert previous.total("connection", "Glasfaser") == 66


def test_what_the_running_demo_stores_can_be_written_and_imported(
    demo_city: Inventory, tmp_path: Path
) -> None:
    """So that a proposal can be tried out: most of its devices are not polled."""
    stored = with_addresses(demo_city, {"gs-03-sw1": "127.0.1.2:1611"})
    write_folder(stored, tmp_path / "bestand")
    assert load_folder(tmp_path / "bestand") == stored
    assert counts(stored)["without_address"] == len(stored.devices) - 1
