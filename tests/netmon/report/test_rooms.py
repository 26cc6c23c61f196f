"""Covered rooms in the report: counted, frozen with the year, in every format."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import UNSET
from msgspec.structs import replace
from openpyxl import load_workbook

from netmon.coverage import BuildingCoverage, Measured
from netmon.demo import city
from netmon.model import Coverage, Inventory, SchoolType, Technology
from netmon.report import (
    AnnualReport,
    CountingError,
    CoveredRooms,
    NoRooms,
    SnapshotError,
    annual_report,
    count,
    count_rooms,
    decode_year,
    encode_year,
    freeze,
)
from netmon.report.export import write_annual
from netmon.report.rooms import COLUMNS
from netmon.report.screen import print_rooms
from netmon.report.workbook import workbook_bytes
from netmon.texts import Texts

FULL, PARTIAL, UNKNOWN = Coverage.FULL, Coverage.PARTIAL, Coverage.UNKNOWN
NOW = datetime(2025, 12, 31, 22, 59, tzinfo=UTC)
# Of `freeze(city.load(), 2025, NOW, inventory_sha256="abc")` before rooms were counted.
FROZEN_BEFORE = "2fd23d7f68c6fa2e46bd772fee4ce0ef4981b58051058c5ed5307b46a328bc3d"
# The sheets of the two printed tables of the shipped city, as they were before.
SHEETS = {
    "xl/worksheets/sheet1.xml": (
        "a9496b6980f690d435d935e5fd847da8e7f5e15e5d752dea64a924231c369d2e"
    ),
    "xl/worksheets/sheet2.xml": (
        "99d10be71f7c561095ec0caa5247389ad4dac19f60ff1e041d597068a9b7c979"
    ),
}


def figure(
    rooms: int,
    covered: int,
    unknown: int = 0,
    *,
    classes: tuple[Coverage, Coverage] = (UNKNOWN, UNKNOWN),
    has_list: bool = True,
) -> Measured:
    declared, measured = classes
    return Measured(
        declared=declared,
        measured=measured,
        has_list=has_list,
        rooms_count=rooms,
        covered_count=covered,
        open_count=unknown,
    )


@pytest.fixture
def four(make_city: Callable[..., Inventory]) -> Inventory:
    kinds = [SchoolType.GRUNDSCHULE] * 3 + [SchoolType.GYMNASIUM]
    return make_city([(kind, Technology.FIBRE, 1000, FULL, PARTIAL) for kind in kinds])


@pytest.fixture
def counted(four: Inventory) -> CoveredRooms:
    """A school with a list, one without patch list, one without rooms, one unknown."""
    figures = [
        (figure(10, 6, 1, classes=(FULL, PARTIAL)), figure(10, 10)),
        # Of a room without a list nothing is known, whatever a survey says.
        (
            figure(10, 0, 10, has_list=False),
            figure(10, 9, classes=(PARTIAL, FULL)),
        ),
        (figure(0, 0, has_list=False), figure(0, 0, has_list=False)),
        (figure(8, 0, 8), figure(8, 0, 7, has_list=False)),
    ]
    return count_rooms(
        four,
        [
            BuildingCoverage(building_id=f"b{n}", lan=lan, wlan=wlan, rooms=())
            for n, (lan, wlan) in enumerate(figures)
        ],
    )


def _rows(part: AnnualReport) -> dict[str, dict[str, int | float | None]]:
    return {
        label: dict(zip(COLUMNS, cells, strict=True))
        for label, cells in part.rooms.rows()
    }


def _report(four: Inventory, rooms: CoveredRooms | NoRooms) -> AnnualReport:
    return annual_report(count(four), 2025, None, Texts(), rooms)


def test_rows_are_counted_and_what_is_not_known_stays_apart(
    four: Inventory, counted: CoveredRooms
) -> None:
    rows = _rows(_report(four, counted))
    assert rows["Grundschule"] == {
        "Gebäude": 3,
        "Gebäude keine Angabe": 1,
        "Unterrichtsräume": 20,
        "LAN aktive Dose": 6,
        "LAN unbekannt": 11,
        "LAN Anteil mindestens": 0.3,
        "LAN Anteil höchstens": 0.85,
        "WLAN versorgt": 19,
        "WLAN unbekannt": 0,
        "WLAN Anteil mindestens": 0.95,
        "WLAN Anteil höchstens": 0.95,
    }
    # Not one room is known: no number, and above all no 0.
    assert list(rows["Gymnasium"].values()) == [1, 0, 8, *[None, 8, None, None] * 2]
    assert list(rows["Realschule"].values()) == [0, 0, *[None] * 9]
    assert list(rows["Summe"].values()) == [
        *(4, 1, 28),
        *(6, 19, 0.2143, 0.8929),
        *(19, 8, 0.6786, 0.9643),
    ]
    assert list(rows) == [*map(str, SchoolType), "Summe"]


def test_contradictions_are_listed_with_both_classes(counted: CoveredRooms) -> None:
    told = [
        (c.building_id, c.network, c.declared, c.measured, c.shares)
        for c in counted.contradictions
    ]
    assert told == [
        ("b0", "lan", FULL, PARTIAL, (0.6, 0.7)),
        ("b1", "wlan", PARTIAL, FULL, (0.9, 0.9)),
    ]


def test_figures_of_other_buildings_are_refused(
    four: Inventory, counted: CoveredRooms, make_city: Callable[..., Inventory]
) -> None:
    one = BuildingCoverage(
        building_id="b0", lan=figure(1, 1), wlan=figure(1, 1), rooms=()
    )
    for coverages in ([one], [one] * 4):
        with pytest.raises(CountingError, match="the inventory has 4"):
            count_rooms(four, coverages)
    fewer = make_city([(SchoolType.GYMNASIUM, Technology.FIBRE, 1000, FULL, FULL)])
    with pytest.raises(CountingError, match="rooms of 4 buildings, but there are 1"):
        annual_report(count(fewer), 2025, None, Texts(), counted)


def test_a_frozen_year_keeps_its_rooms_under_the_seal(
    four: Inventory, counted: CoveredRooms
) -> None:
    frozen = freeze(four, 2025, NOW, inventory_sha256="abc", rooms=counted)
    body = encode_year(frozen)
    assert decode_year(body).rooms == counted
    assert freeze(four, 2025, NOW, inventory_sha256="abc").sha256 != frozen.sha256
    with pytest.raises(SnapshotError, match="nachträglich verändert"):
        decode_year(body.replace(b'"lan_covered": 6', b'"lan_covered": 7', 1))
    rows = {name: row for name, row in counted.rows.items() if name != "Summe"}
    broken = freeze(
        four, 2025, NOW, inventory_sha256="abc", rooms=replace(counted, rows=rows)
    )
    with pytest.raises(SnapshotError, match="„rooms“ hat keine Summe"):
        decode_year(encode_year(broken))


def test_a_year_without_rooms_has_the_bytes_it_always_had(shipped: Inventory) -> None:
    body = encode_year(freeze(shipped, 2025, NOW, inventory_sha256="abc"))
    assert hashlib.sha256(body).hexdigest() == FROZEN_BEFORE
    assert decode_year(body).rooms is UNSET


def test_every_format_has_the_rooms(
    four: Inventory, counted: CoveredRooms, tmp_path: Path
) -> None:
    report = _report(four, counted)
    write_annual(report, tmp_path, Texts())
    with (tmp_path / "rooms.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["Schulform/Räume", *COLUMNS]
    assert rows[0][:7] == ["Grundschule", "3", "1", "20", "6", "11", "0.3"]
    assert rows[-1] == [
        *("Summe", "4", "1", "28", "6", "19", "0.2143", "0.8929"),
        *("19", "8", "0.6786", "0.9643"),
    ]
    gymnasium = next(row for row in rows if row[0] == "Gymnasium")
    assert gymnasium[4:] == ["", "8", "", "", "", "8", "", ""]
    assert (tmp_path / "contradictions.csv").read_text(encoding="utf-8") == (
        "building_id,name,school_type,network,declared,measured,teaching_rooms,"
        "covered_rooms,unknown_rooms,low_ratio,high_ratio\n"
        "b0,B,Grundschule,lan,full,partial,10,6,1,0.6,0.7\n"
        "b1,B,Grundschule,wlan,partial,full,10,9,0,0.9,0.9\n"
    )
    excel = (tmp_path / "excel" / "rooms.csv").read_text("utf-8-sig").splitlines()
    assert ";LAN Anteil mindestens (%);" in excel[0]
    assert excel[1].startswith("Grundschule;3;1;20;6;11;30;85;")
    excel = (tmp_path / "excel" / "contradictions.csv").read_text("utf-8-sig")
    assert excel.splitlines()[1] == (
        "b0;B;Grundschule;LAN;flächendeckend;partiell;10;6;1;60;70"
    )
    document = json.loads((tmp_path / "report_2025.json").read_bytes())
    assert document["rooms_missing"] is None
    told = document["rooms"]
    assert {row["school_type"]: row["values"] for row in told["rows"]} == _rows(report)
    assert told["full_ratio"] == 0.9
    assert [c["building_id"] for c in told["contradictions"]] == ["b0", "b1"]
    # The long form stays what it was: the two printed tables.
    long = csv.DictReader((tmp_path / "tables.csv").read_text("utf-8").splitlines())
    assert {row["table"] for row in long} == {"connection", "coverage"}


def test_cells_of_the_workbook_have_types(
    four: Inventory, counted: CoveredRooms
) -> None:
    named = [replace(c, name="=1+1") for c in counted.contradictions]
    counted = replace(counted, contradictions=tuple(named))
    body = workbook_bytes(_report(four, counted), Texts())
    book = load_workbook(io.BytesIO(body))
    assert book.sheetnames[2:] == ["Räume", "Widersprüche", "Zählregeln"]
    rooms, contradictions, _ = book.worksheets[2:]
    assert [cell.value for cell in rooms[2]] == ["Schulform/Räume", *COLUMNS]
    labels = [cell.value for cell in rooms["A"]]
    total = rooms[labels.index("Summe") + 1]
    assert [type(cell.value) for cell in total[1:8]] == [*[int] * 5, float, float]
    assert [cell.number_format for cell in total[5:7]] == ["#,##0", "0.0%"]
    assert total[1].font.b
    gymnasium = rooms[labels.index("Gymnasium") + 1]
    assert gymnasium[4].value is None
    first = [cell.value for cell in contradictions[3]]
    assert first == [
        *("b0", "=1+1", "Grundschule", "LAN", "flächendeckend", "partiell"),
        *(10, 6, 1, 0.6, 0.7),
    ]
    assert contradictions["B3"].data_type == "s"


def test_the_sheets_of_the_printed_tables_stay_byte_for_byte(
    shipped: Inventory,
) -> None:
    inventory = shipped
    nothing = figure(5, 0, 5)
    rooms = count_rooms(
        inventory,
        [
            BuildingCoverage(building_id=b.id, lan=nothing, wlan=nothing, rooms=())
            for b in inventory.buildings
        ],
    )
    previous = city.load_previous_year()
    for measured in (rooms, NoRooms.FROZEN_BEFORE):
        report = annual_report(count(inventory), 2025, previous, Texts(), measured)
        body = workbook_bytes(report, Texts())
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for name, expected in SHEETS.items():
                assert hashlib.sha256(archive.read(name)).hexdigest() == expected


def test_without_rooms_every_format_says_why(four: Inventory, tmp_path: Path) -> None:
    report = _report(four, NoRooms.FROZEN_BEFORE)
    write_annual(report, tmp_path, Texts())
    why = "bevor netmon die Räume zählte"
    names = {path.name for path in tmp_path.iterdir()}
    assert not names & {"rooms.csv", "contradictions.csv"}
    document = json.loads((tmp_path / "report_2025.json").read_bytes())
    assert document["rooms"] is None
    assert why in document["rooms_missing"]
    sheet = load_workbook(tmp_path / "report_2025.xlsx")["Räume"]
    assert why in sheet["A2"].value
    assert sheet.max_row == 2
    assert why in print_rooms(report.rooms, Texts())


def test_the_terminal_shows_shares_in_words(
    four: Inventory, counted: CoveredRooms
) -> None:
    text = print_rooms(_report(four, counted).rooms, Texts())
    (line,) = [line for line in text.splitlines() if line.startswith("Grundschule")]
    assert "30,0\u00a0%" in line
    assert "Widersprüche zwischen gemessenem und angegebenem Ausbau: 2." in text
