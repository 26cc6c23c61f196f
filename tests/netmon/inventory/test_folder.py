"""Folders: good ones load, each way to be bad has its exact message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest
import yaml

from netmon.errors import InputError
from netmon.inventory import load_folder, write_folder
from netmon.inventory.columns import KINDS
from netmon.model import (
    Coverage,
    Inventory,
    LineRole,
    SchoolType,
    SegmentKind,
    Technology,
)
from netmon.texts import Texts

Replace = Callable[[str, str, str], None]
Refusals = Callable[[], list[str]]


def test_a_good_folder_becomes_an_inventory(folder: Path) -> None:
    inventory = load_folder(folder)
    first = inventory.building_by_id["g1"]
    assert (first.school_type, first.lan, first.wlan, first.pupils) == (
        SchoolType.GRUNDSCHULE,
        Coverage.FULL,
        Coverage.PARTIAL,
        200,
    )
    assert inventory.building_by_id["g2"].pupils is None
    line = inventory.main_line("g1")
    assert line is not None
    assert line.technology is Technology.VDSL
    assert line.contracted_down_bps == 250_000_000
    assert line.fibre_planned_on == date(2026, 12, 31)
    assert [one.role for one in inventory.lines_of["g2"]] == [
        LineRole.MAIN,
        LineRole.BACKUP,
    ]
    assert line.segments == ()
    assert inventory.line_by_id["l3"].segments == ("f1", "b1")
    hop = inventory.segment_by_id["f1"]
    assert (hop.kind, hop.capacity_bps) == (SegmentKind.RADIO_HOP, 400_000_000)
    assert inventory.schools[1].building_ids == ("g2", "g1")
    assert inventory.device_by_id["s1"].credential == "default"
    assert inventory.device_by_id["c0"].building_id is None
    assert inventory.rooms[0].teaching
    assert not inventory.rooms[1].teaching


def test_a_written_folder_reads_back_equal(folder: Path, tmp_path: Path) -> None:
    inventory = load_folder(folder)
    write_folder(inventory, tmp_path / "out")
    assert load_folder(tmp_path / "out") == inventory


def test_an_empty_kind_is_written_with_its_header(folder: Path, tmp_path: Path) -> None:
    inventory = msgspec.structs.replace(load_folder(folder), probes=())
    write_folder(inventory, tmp_path / "out")
    assert (tmp_path / "out" / "probes.csv").read_text() == "id,building_id,line_id\n"


def test_yaml_says_the_same_as_csv(folder: Path) -> None:
    inventory = load_folder(folder)
    for kind in KINDS:
        entries = [
            {
                column.name: list(value)
                if isinstance(value, tuple)
                else column.cell.write(value)
                for column in kind.columns
                if (value := getattr(record, column.field)) is not None
            }
            for record in getattr(inventory, kind.name)
        ]
        text = yaml.safe_dump(entries, allow_unicode=True, sort_keys=False)
        (folder / f"{kind.name}.yaml").write_text(text, encoding="utf-8")
        (folder / f"{kind.name}.csv").unlink(missing_ok=True)
    assert load_folder(folder) == inventory


def test_plain_yaml_scalars_keep_their_text(folder: Path, replace_in: Replace) -> None:
    (folder / "lines.csv").unlink()
    (folder / "lines.yml").write_text(
        "- id: l1\n  building_id: g1\n  role: main\n  technology: fibre\n"
        "  contracted_down: 1 Gbit/s\n  contracted_up: 1 Gbit/s\n"
        "  provider: 0815\n  checked_on: 2025-10-01\n  fibre_planned_on: null\n"
    )
    line = load_folder(folder).lines[0]
    assert (line.provider, line.checked_on) == ("0815", date(2025, 10, 1))
    assert line.fibre_planned_on is None


def test_only_buildings_and_lines_are_required(folder: Path) -> None:
    for name in ("schools", "devices", "rooms", "access_points", "probes"):
        (folder / f"{name}.csv").unlink()
    inventory = load_folder(folder)
    assert (len(inventory.buildings), inventory.devices) == (2, ())


def test_lines_need_no_column_of_segments(folder: Path) -> None:
    path = folder / "lines.csv"
    rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(row.rpartition(",")[0] for row in rows))
    (folder / "segments.csv").unlink()
    inventory = load_folder(folder)
    assert inventory.segments == ()
    assert {line.segments for line in inventory.lines} == {()}


def test_a_byte_order_mark_and_windows_line_ends_are_fine(folder: Path) -> None:
    path = folder / "buildings.csv"
    text = path.read_text(encoding="utf-8").replace("\n", "\r\n")
    expected = load_folder(folder)
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_folder(folder) == expected


def test_problems_speak_the_readers_language(folder: Path) -> None:
    (folder / "lines.csv").unlink()
    with pytest.raises(InputError) as caught:
        load_folder(folder, Texts("en"))
    assert str(caught.value.problems[0]) == (
        "lines.csv: file is missing -> create the file (as .csv or .yaml)"
    )


def test_no_folder_is_a_problem_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ist kein Ordner"):
        load_folder(tmp_path / "nowhere")


def test_every_field_of_the_model_is_a_column() -> None:
    """Each kind fills one field of Inventory, each column one of its struct."""
    assert {kind.name for kind in KINDS} == set(Inventory.__struct_fields__)
    for kind in KINDS:
        assert [column.field for column in kind.columns] == list(
            kind.record.__struct_fields__
        )


AGREED = """\
id,building_id,role,technology,contracted_down,contracted_up,provider,normal_down,minimum_down
l1,g1,main,vdsl,100 Mbit/s,40 Mbit/s,Netz,83 Mbit/s,{minimum}
l2,g2,main,fibre,1 Gbit/s,1 Gbit/s,Netz,,
"""


def test_rates_below_the_maximum_are_read_where_the_contract_has_them(
    folder: Path,
) -> None:
    text = AGREED.format(minimum="54 Mbit/s")
    (folder / "lines.csv").write_text(text, encoding="utf-8")
    one, other = load_folder(folder).lines
    assert (one.normal_down_bps, one.minimum_down_bps) == (83_000_000, 54_000_000)
    assert (one.normal_up_bps, one.minimum_up_bps) == (None, None)
    assert other.normal_down_bps is None


def test_a_minimum_above_the_normal_rate_is_refused(
    folder: Path, refusals: Refusals
) -> None:
    text = AGREED.format(minimum="90 Mbit/s")
    (folder / "lines.csv").write_text(text, encoding="utf-8")
    assert refusals() == [
        "lines.csv:2 [minimum_down]: ist mehr als normal_down -> prüfen, ob die "
        "Spalten vertauscht sind: Mindestrate ≤ normalerweise verfügbare Rate ≤ "
        "vereinbarte Höchstrate"
    ]
