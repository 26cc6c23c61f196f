"""The figure of a building: by table, over real devices, and at the terminal."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from netmon.cli import main
from netmon.coverage import (
    FULL_SHARE,
    BuildingCoverage,
    Ports,
    coverage,
    read_coverage,
)
from netmon.coverage_words import room_text
from netmon.demo.faults import ApFault
from netmon.model import Coverage, Room, Socket, Survey
from netmon.texts import Texts
from netmon.wlan_truth import ApState, ApTruth, Change

from .conftest import School, make_school, point

BUILDING = make_school().buildings[0]


def room(number: int, *, teaching: bool = True, survey: Survey | None = None) -> Room:
    return Room(
        id=f"r{number}",
        building_id="b1",
        name=f"R{number}",
        floor="EG",
        teaching=teaching,
        survey=survey,
    )


def socket(number: int, switch_id: str | None = "sw1", port: str = "") -> Socket:
    return Socket(
        room_id=f"r{number}",
        name="1",
        switch_id=switch_id,
        switch_port=port or f"{number}",
    )


def measured(
    rooms: list[Room],
    sockets: list[Socket],
    ports: dict[str, bool],
    works: dict[int, bool | None] | None = None,
    **declared: Coverage,
) -> BuildingCoverage:
    works = works or {}
    of: dict[str, list[Socket]] = {}
    for one in sockets:
        of.setdefault(one.room_id, []).append(one)
    truths = {
        f"ap{n}": ApTruth(ap=f"ap{n}", name="", state=ApState.DOWN, works=known)
        for n, known in works.items()
    }
    return coverage(
        replace(BUILDING, **declared),
        rooms,
        of,
        [point(n) for n in works],
        truths,
        Ports({("sw1", port): on for port, on in ports.items()}, frozenset()),
    )


TEN = [room(n) for n in range(1, 11)]
ALL_ON = {f"{n}": True for n in range(1, 11)}


@pytest.mark.parametrize(
    ("live", "silent", "declared", "found", "contradicts"),
    [
        (10, 0, Coverage.FULL, Coverage.FULL, False),
        (9, 0, Coverage.FULL, Coverage.FULL, False),
        (8, 0, Coverage.FULL, Coverage.PARTIAL, True),
        (0, 0, Coverage.FULL, Coverage.PARTIAL, True),
        (9, 0, Coverage.PARTIAL, Coverage.FULL, True),
        (3, 0, Coverage.PARTIAL, Coverage.PARTIAL, False),
        (9, 0, Coverage.UNKNOWN, Coverage.FULL, False),
        # Rooms behind a silent switch may be either.
        (8, 1, Coverage.FULL, Coverage.UNKNOWN, False),
        (0, 10, Coverage.FULL, Coverage.UNKNOWN, False),
        (9, 1, Coverage.FULL, Coverage.FULL, False),
        (7, 1, Coverage.FULL, Coverage.PARTIAL, True),
    ],
)
def test_lan(
    live: int, silent: int, declared: Coverage, found: Coverage, contradicts: bool
) -> None:
    sockets = [
        socket(n, "sw2" if live < n <= live + silent else "sw1") for n in range(1, 11)
    ]
    ports = {f"{n}": n <= live for n in range(1, 11)}
    figure = measured(TEN, sockets, ports, lan=declared).lan
    assert (figure.measured, figure.contradicts) == (found, contradicts)
    assert (figure.covered_count, figure.open_count) == (live, silent)


@pytest.mark.parametrize(
    ("works", "survey", "covered"),
    [
        (True, None, True),
        (False, None, False),
        (None, None, None),
        (False, Survey.GOOD, True),
        (True, Survey.POOR, False),
        (None, Survey.GOOD, True),
    ],
)
def test_wlan_of_a_room(
    works: bool | None, survey: Survey | None, covered: bool | None
) -> None:
    found = measured([room(1, survey=survey)], [], {}, {1: works})
    assert found.rooms[0].wlan is covered


def test_the_one_in_its_place_serves_the_room() -> None:
    truth = ApTruth(
        ap="ap1",
        name="",
        state=ApState.REPLACED,
        works=False,
        change=Change.SAME_PORT,
    )
    found = coverage(
        BUILDING, [room(1)], {}, [point(1)], {"ap1": truth}, Ports({}, frozenset())
    )
    assert found.wlan.covered_count == 1


def test_without_lists_nothing_is_said() -> None:
    found = measured(TEN, [], ALL_ON, lan=Coverage.FULL, wlan=Coverage.FULL)
    for figure in (found.lan, found.wlan):
        assert (figure.measured, figure.has_list) == (Coverage.UNKNOWN, False)
        assert figure.contradicts is False


def test_only_teaching_rooms_count_and_come_first() -> None:
    rooms = [room(1, teaching=False), room(2)]
    found = measured(rooms, [socket(2)], ALL_ON)
    assert [one.room.id for one in found.rooms] == ["r2", "r1"]
    assert (found.lan.rooms_count, found.lan.low_share) == (1, 1.0)
    none = measured([room(1, teaching=False)], [socket(1)], ALL_ON)
    assert (none.lan.measured, none.lan.low_share) == (Coverage.UNKNOWN, None)


@pytest.mark.parametrize(
    ("one", "lan"),
    [
        (socket(1), True),
        (socket(1, None), False),  # ends loose in the distributor
        (socket(1, "sw1", "99"), False),  # a port the switch does not have
        (socket(1, "sw9"), None),
    ],
)
def test_a_room_with_one_socket(one: Socket, lan: bool | None) -> None:
    assert measured([room(1)], [one], ALL_ON).rooms[0].lan is lan


async def test_over_real_devices(school: School) -> None:
    def read() -> BuildingCoverage:
        return read_coverage(school.store, school.inventory, "b1", school.now_ms)

    found = read()
    assert (found.lan.covered_count, found.wlan.covered_count) == (4, 4)
    assert not found.lan.contradicts
    # A socket that nobody uses is live; one whose port is switched off is not.
    school.fleet.set_port("sw1", "Gi1/0/11", oper_up=False)
    school.fleet.set_port("sw1", "Gi1/0/12", admin_up=False)
    school.fleet.break_ap("b1", "ap3", ApFault.CABLE)
    await school.poll()
    found = read()
    assert [one.lan for one in found.rooms] == [True, False, True, True]
    assert [one.linked_count for one in found.rooms][:2] == [0, 0]
    assert [one.wlan for one in found.rooms] == [True, True, False, True]
    assert found.wlan.contradicts
    assert found.wlan.low_share == 0.75 < FULL_SHARE
    # A switch that falls silent may be off: what it told before is worth nothing.
    school.fleet.set_device("sw1", answers=False)
    await school.poll()
    found = read()
    assert (found.lan.measured, found.lan.open_count) == (Coverage.UNKNOWN, 4)
    assert [one.linked_count for one in found.rooms] == [0, 0, 0, 0]
    # Long after its last word nothing is known either.
    school.clock.advance(3600)
    found = read()
    assert (found.lan.measured, found.lan.open_count) == (Coverage.UNKNOWN, 4)
    assert (found.wlan.measured, found.wlan.open_count) == (Coverage.UNKNOWN, 4)


async def test_a_switch_that_tells_half_of_its_ports(school: School) -> None:
    # Its names come, and nobody says any more which ports are switched on or up.
    school.fleet.agent("sw1").break_below("1.3.6.1.2.1.2.2.1.7")
    school.fleet.set_port("sw1", "Gi1/0/11", oper_up=False)
    await school.poll()
    found = read_coverage(school.store, school.inventory, "b1", school.now_ms)
    assert found.rooms[0].lan is None
    assert (found.rooms[0].live_count, found.rooms[0].open_count) == (0, 1)


def test_a_port_that_its_switch_does_not_have_is_told() -> None:
    sockets = [socket(1), socket(2), replace(socket(3), switch_id=None)]
    first, second, third = measured(TEN[:3], sockets, {"1": False}).rooms
    assert [one.lan for one in (first, second, third)] == [False] * 3
    assert [one.astray_count for one in (first, second, third)] == [0, 1, 0]
    lan, _ = room_text(second, None, Texts("de"))
    assert "1 an einem Port, den der Switch nicht hat" in lan


def test_of_a_table_that_broke_off_no_port_is_said_to_be_missing() -> None:
    ports = Ports({("sw1", "1"): True, ("sw1", "2"): None}, frozenset())
    assert [ports.is_live(socket(n)) for n in (1, 2, 3)] == [True, None, None]


@pytest.fixture
def config(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("NETMON_LANG", "de")
    path = tmp_path / "netmon.toml"
    path.write_text(f'data_dir = "{tmp_path}"\n')
    return str(path)


@pytest.fixture
def at_that_time(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netmon.clock.SystemClock", lambda: school.clock)


@pytest.mark.usefixtures("at_that_time")
async def test_the_command_explains_room_by_room(
    school: School, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    school.fleet.break_ap("b1", "ap3", ApFault.POWER)
    await school.poll()
    assert main(["coverage", "b1", "--config", config]) == 0
    told = capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ").splitlines()
    assert told[:4] == [
        "Grundschule 07 (Demo) (b1)",
        "LAN: gemessen flächendeckend, im Bestand flächendeckend. 4 von 4 "
        "Unterrichtsräumen mit aktiver Dose (100 %).",
        "WLAN: gemessen partiell, im Bestand flächendeckend – Widerspruch. 3 von 4 "
        "Unterrichtsräumen mit WLAN (75 %).",
        "Flächendeckend heißt hier: mindestens 90 % der Unterrichtsräume.",
    ]
    (third,) = [line for line in told if line.startswith("R3 ")]
    assert third.endswith("nein, ap3: Ausgefallen")
    assert "1 von 1 Dosen aktiv" in third
    assert main(["coverage", "b1", "--json", "--config", config]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["wlan"]["contradicts"] is True
    assert found["rooms"][2]["wlan"] is False


@pytest.mark.usefixtures("at_that_time")
async def test_all_buildings_as_a_list_and_as_csv(
    school: School,
    config: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["coverage", "--config", config]) == 0
    told = capsys.readouterr().out
    assert "1 Gebäude, 0 mit Widerspruch beim LAN, 0 beim WLAN" in told
    out = tmp_path / "ausbau.csv"
    assert main(["coverage", "--out", str(out), "--config", config]) == 0
    (row,) = csv.DictReader(out.read_text(encoding="utf-8").splitlines())
    assert (row["building_id"], row["lan_measured"], row["wlan_covered_rooms"]) == (
        "b1",
        "full",
        "4",
    )
    assert main(["coverage", "b9", "--config", config]) == 1
    with pytest.raises(SystemExit):
        main(["coverage", "b1", "--out", str(out), "--config", config])
