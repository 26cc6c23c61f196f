"""``netmon report``: freeze, export, and what is refused."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from netmon.clock import to_ms
from netmon.errors import InputError, StorageError
from netmon.inventory import content_hash, encode
from netmon.model import Inventory
from netmon.report import SnapshotError
from netmon.storage.sqlite import SqliteStore
from tests.netmon.report.totals import TOTALS

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def state_path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "state.sqlite3"


@pytest.fixture
def store_inventory(state_path: Path) -> Callable[[Inventory], None]:
    def save(inventory: Inventory) -> None:
        store = SqliteStore(state_path)
        try:
            store.inventories.save(content_hash(inventory), encode(inventory), 0)
        finally:
            store.close()

    return save


def _changes(folder: Path, table: str) -> list[str]:
    with (folder / "tables.csv").open(encoding="utf-8", newline="") as file:
        return [
            row["value"]
            for row in csv.DictReader(file)
            if row["table"] == table
            and row["school_type"] == "Veränderungen zum Vorjahr"
        ]


def test_the_demo_needs_no_store(
    report_command: Run, tmp_path: Path, state_path: Path, capsys: Capture
) -> None:
    assert report_command("annual", "--demo", "--year", 2025, "--out", tmp_path) == 0
    out = capsys.readouterr().out
    assert "plus 12" in out
    assert "minus 15" in out
    assert _changes(tmp_path, "connection") == ["12", "4", "-15", "-1", ""]
    assert not state_path.exists()


def test_the_demo_has_one_year(report_command: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gehört zum Jahr 2025"):
        report_command("annual", "--demo", "--year", 2026, "--out", tmp_path)


def test_without_a_frozen_year_before_there_is_a_note(
    shipped: Inventory,
    report_command: Run,
    store_inventory: Callable[[Inventory], None],
    tmp_path: Path,
    capsys: Capture,
) -> None:
    store_inventory(shipped)
    assert report_command("annual", "--year", 2025, "--out", tmp_path / "r") == 0
    out = capsys.readouterr().out
    assert "vorläufig, Stand" in out
    assert "aus dem Inventar Version 1" in out
    assert "Das Jahr 2024 ist nicht festgeschrieben." in out
    assert set(_changes(tmp_path / "r", "connection")) == {""}


def test_years_follow_each_other(
    shipped: Inventory,
    report_command: Run,
    store_inventory: Callable[[Inventory], None],
    tmp_path: Path,
    capsys: Capture,
) -> None:
    """2024 as totals, 2025 frozen; the inventory goes on, 2025 stays as it was."""
    inventory = shipped
    store_inventory(inventory)
    totals = tmp_path / "2024.csv"
    totals.write_text(TOTALS, encoding="utf-8")
    assert report_command("import", "--year", 2024, totals) == 0
    assert report_command("freeze", "--year", 2025, "--force") == 0
    assert "Jahr 2025 festgeschrieben: 178 Gebäude" in capsys.readouterr().out
    fewer = msgspec.structs.replace(inventory, probes=(), lines=inventory.lines[1:])
    store_inventory(fewer)
    assert report_command("annual", "--year", 2025, "--out", tmp_path / "25") == 0
    assert "festgeschrieben am" in capsys.readouterr().out
    assert _changes(tmp_path / "25", "coverage") == ["26", "-8", "10", "2"]
    assert report_command("annual", "--year", 2026, "--out", tmp_path / "26") == 0
    # One building lost its line: it left its class and stands in its own column.
    assert sorted(_changes(tmp_path / "26", "connection")) == sorted(
        ["0", "0", "0", "-1", "1", ""]
    )


def test_a_frozen_year_is_never_overwritten(
    shipped: Inventory,
    report_command: Run,
    store_inventory: Callable[[Inventory], None],
    state_path: Path,
) -> None:
    store_inventory(shipped)
    report_command("freeze", "--year", 2025, "--force")
    store = SqliteStore(state_path)
    before = store.snapshots.load(2025)
    with pytest.raises(StorageError, match="wird nicht überschrieben"):
        report_command("freeze", "--year", 2025, "--force")
    assert store.snapshots.load(2025) == before
    store.close()


def test_a_changed_snapshot_is_refused(
    shipped: Inventory,
    report_command: Run,
    store_inventory: Callable[[Inventory], None],
    state_path: Path,
    tmp_path: Path,
) -> None:
    store_inventory(shipped)
    report_command("freeze", "--year", 2025, "--force")
    store = SqliteStore(state_path)
    snapshot = store.snapshots.load(2025)
    store.close()
    assert snapshot is not None
    touched = snapshot.body.replace(b'"Glasfaser": 30', b'"Glasfaser": 31')
    assert touched != snapshot.body
    connection = sqlite3.connect(state_path)
    with connection:
        connection.execute("UPDATE snapshots SET body = ?", (touched,))
    connection.close()
    for year in (2025, 2026):
        with pytest.raises(SnapshotError, match="nachträglich verändert"):
            report_command("annual", "--year", year, "--out", tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_nothing_to_count_says_what_to_do(report_command: Run, tmp_path: Path) -> None:
    for argv in (
        ("annual", "--year", 2025, "--out", tmp_path),
        ("freeze", "--year", 2025, "--force"),
    ):
        with pytest.raises(InputError, match="netmon inventory import"):
            report_command(*argv)


def test_a_year_of_totals_is_printed_with_its_gaps(
    report_command: Run, tmp_path: Path, capsys: Capture
) -> None:
    totals = tmp_path / "2024.csv"
    totals.write_text(TOTALS, encoding="utf-8")
    report_command("import", "--year", 2024, totals)
    told = capsys.readouterr()
    assert "Jahr 2024 übernommen: 178 Gebäude" in told.out
    assert "nennen 160 von 178 Gebäuden" in told.err
    assert report_command("annual", "--year", 2024, "--out", tmp_path / "r") == 0
    assert "Die Quelle nennt nur Summen" in capsys.readouterr().out
    rows = (tmp_path / "r" / "connection.csv").read_text("utf-8").splitlines()
    assert rows[1] == "Grundschule,,,,,"
    assert rows[9] == "Summe,66,14,93,5,178"
    report_command("years")
    assert "übernommen aus 2024.csv, SHA-256 " in capsys.readouterr().out


def test_an_inventory_of_the_next_year_is_named(
    shipped: Inventory, report_command: Run, state_path: Path, capsys: Capture
) -> None:
    store = SqliteStore(state_path)
    inventory, imported_ms = shipped, to_ms(datetime(2026, 1, 9, 8, tzinfo=UTC))
    store.inventories.save(content_hash(inventory), encode(inventory), imported_ms)
    store.close()
    report_command("freeze", "--year", 2025, "--force")
    assert "am 09.01.2026, 09:00 Uhr eingelesen, nach dem" in capsys.readouterr().err


def test_a_year_to_come_cannot_be_frozen(
    shipped: Inventory,
    report_command: Run,
    store_inventory: Callable[[Inventory], None],
) -> None:
    store_inventory(shipped)
    with pytest.raises(InputError, match="2100 hat noch nicht begonnen"):
        report_command("freeze", "--year", 2100, "--force")


def test_a_year_with_gaps_in_its_data_needs_force(
    shipped: Inventory,
    report_command: Run,
    store_inventory: Callable[[Inventory], None],
    state_path: Path,
    capsys: Capture,
) -> None:
    store_inventory(shipped)
    with pytest.raises(InputError, match=r"lückenhaft.*0 von 178.*--force"):
        report_command("freeze", "--year", 2025)
    store = SqliteStore(state_path)
    assert store.snapshots.years() == []
    store.close()
    report_command("freeze", "--year", 2025, "--force")
    told = capsys.readouterr().err
    assert "Gebäude mit mindestens einer gültigen Messung: 0 von 178" in told


@pytest.mark.parametrize("year", ["1999", "25", "zwei"])
def test_a_year_is_a_year(report_command: Run, year: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        report_command("freeze", "--year", year)
    assert caught.value.code == 2
    assert "kein Jahr von 2000 bis 2100" in capsys.readouterr().err
