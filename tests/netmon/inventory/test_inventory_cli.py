"""``netmon inventory``: what a person sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from netmon.errors import InputError
from netmon.inventory import content_hash, decode, load_folder
from netmon.storage.sqlite import SqliteStore

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def test_check_says_what_there_is(
    inventory_command: Run, folder: Path, capsys: Capture
) -> None:
    assert inventory_command("check", folder) == 0
    out = capsys.readouterr().out
    assert out.startswith("Das Inventar ist in Ordnung.\n")
    assert "Gebäude ohne Messsonde                1\n" in out


def test_check_as_json_names_problems(
    inventory_command: Run, folder: Path, capsys: Capture
) -> None:
    assert inventory_command("check", folder, "--json") == 0
    good = json.loads(capsys.readouterr().out)
    assert (good["ok"], good["counts"]["lines"]) == (True, 3)
    (folder / "lines.csv").unlink()
    assert inventory_command("check", folder, "--json") == 1
    bad = json.loads(capsys.readouterr().out)
    assert bad["problems"] == [
        {
            "source": "lines.csv",
            "line": None,
            "field": None,
            "text": "Datei fehlt",
            "fix": "die Datei anlegen (als .csv oder .yaml)",
        }
    ]


def test_import_stores_a_version_and_the_same_again_is_none(
    inventory_command: Run, folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert inventory_command("import", folder) == 0
    assert inventory_command("import", folder) == 0
    out = capsys.readouterr().out
    assert "Übernommen als Version 1." in out
    assert "Unverändert: Version 1 hat denselben Inhalt." in out
    store = SqliteStore(tmp_path / "var" / "state.sqlite3")
    try:
        version = store.inventories.current()
    finally:
        store.close()
    assert version is not None
    inventory = load_folder(folder)
    assert decode(version.body) == inventory
    assert version.sha256 == content_hash(inventory)


def test_a_refused_folder_leaves_the_store_as_it_was(
    inventory_command: Run, folder: Path, capsys: Capture
) -> None:
    inventory_command("import", folder)
    (folder / "probes.csv").write_text("id,building_id,line_id\np1,g1,l9\n")
    with pytest.raises(InputError):
        inventory_command("import", folder)
    capsys.readouterr()
    inventory_command("show", "--json")
    assert json.loads(capsys.readouterr().out)["probes"] == 1


def test_show_before_any_import_says_what_to_do(inventory_command: Run) -> None:
    with pytest.raises(InputError, match="netmon inventory import"):
        inventory_command("show")


def test_show_tells_all_of_a_building(
    inventory_command: Run, folder: Path, capsys: Capture
) -> None:
    inventory_command("import", folder)
    capsys.readouterr()
    assert inventory_command("show", "--building", "g2") == 0
    out = capsys.readouterr().out
    assert out.startswith("Realschule Zwei, Haus A (g2)\n")
    assert "Klasse im Bericht  Glasfaser" in out
    assert "Ausfallsicherung   l3: Richtfunk, Download 100 Mbit/s" in out
    assert "Koordinaten        51,52000° N, 7,47000° O" in out


def test_show_as_json_has_the_same_building(
    inventory_command: Run, folder: Path, capsys: Capture
) -> None:
    assert inventory_command("show", folder, "--building", "g1", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["building"]["id"] == "g1"
    assert [line["id"] for line in shown["lines"]] == ["l1"]
    assert [school["id"] for school in shown["schools"]] == ["100001", "100002"]


def test_an_unknown_building_gets_the_nearest(
    inventory_command: Run, folder: Path
) -> None:
    with pytest.raises(InputError, match="vermutlich ist „g2“ gemeint"):
        inventory_command("show", folder, "--building", "g22")


def test_show_reports_version_and_figures(
    inventory_command: Run, folder: Path, capsys: Capture
) -> None:
    inventory_command("import", folder)
    capsys.readouterr()
    assert inventory_command("show") == 0
    out = capsys.readouterr().out
    assert out.startswith("Version 1 vom ")
    assert "Schüler*innen                         200" in out


def test_schuldaten_become_a_folder(
    inventory_command: Run, shared_dir: Path, tmp_path: Path, capsys: Capture
) -> None:
    source = shared_dir / "data" / "schuldaten-dortmund.csv"
    out = tmp_path / "draft"
    assert inventory_command("import", "--schuldaten", source, "--out", out) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("154 Schulen an 147 Adressen")
    assert "Reinoldi-Sekundarschule" in captured.err
    assert (out / "buildings.csv").exists()


@pytest.mark.parametrize(
    "argv",
    [("import",), ("import", "--schuldaten", "x"), ("import", "d", "--out", "o")],
)
def test_half_a_command_is_wrong_usage(
    inventory_command: Run, argv: tuple[str, ...], capsys: Capture
) -> None:
    with pytest.raises(SystemExit) as caught:
        inventory_command(*argv)
    assert caught.value.code == 2
    assert "--schuldaten zusammen mit --out" in capsys.readouterr().err
