"""Frozen years: sealed, verified, refused when touched."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from netmon.demo import city
from netmon.errors import InputError
from netmon.report import (
    FrozenYear,
    SnapshotError,
    count,
    decode_year,
    encode_year,
    freeze,
    totals_only,
)
from netmon.report.counting import TableName
from netmon.report.totals import read_totals

NOW = datetime(2025, 12, 31, 22, 59, tzinfo=UTC)
TOTALS: dict[TableName, dict[str, int]] = {
    "connection": {
        "Glasfaser": 66,
        "Richtfunk": 14,
        "ab 100 Mbit": 93,
        "25 bis 50 Mbit": 5,
    },
    "coverage": {
        "LAN flächendeckend": 140,
        "LAN partiell": 20,
        "WLAN flächendeckend": 157,
        "WLAN partiell": 9,
    },
}


@pytest.fixture(scope="module")
def frozen() -> FrozenYear:
    return freeze(city.load(), 2025, NOW, inventory_sha256="abc")


def test_a_frozen_year_reads_back(frozen: FrozenYear) -> None:
    again = decode_year(encode_year(frozen))
    assert again == frozen
    assert again.frozen_at == NOW
    assert again.counts() == count(city.load())


def test_the_same_input_freezes_to_the_same_bytes(frozen: FrozenYear) -> None:
    second = freeze(city.load(), 2025, NOW, inventory_sha256="abc")
    assert encode_year(second) == encode_year(frozen)


def test_every_changed_number_is_noticed(frozen: FrozenYear) -> None:
    document = json.loads(encode_year(frozen))
    document["connection"]["Grundschule"]["Glasfaser"] += 1
    document["connection"]["Grundschule"]["Richtfunk"] -= 1
    body = (
        msgspec.json.format(json.dumps(document, ensure_ascii=False).encode()) + b"\n"
    )
    with pytest.raises(SnapshotError, match="nachträglich verändert"):
        decode_year(body)


def test_any_changed_byte_is_refused(frozen: FrozenYear) -> None:
    body = encode_year(frozen)
    # Every position of the file would take long; a prime step visits all kinds.
    for position in range(0, len(body), 37):
        flipped = bytearray(body)
        flipped[position] ^= 1
        with pytest.raises(SnapshotError):
            decode_year(bytes(flipped))
    with pytest.raises(SnapshotError):
        decode_year(body + b" ")


def test_an_unknown_format_says_so(frozen: FrozenYear) -> None:
    newer = msgspec.structs.replace(frozen, format=2)
    with pytest.raises(SnapshotError, match="Format 2; bekannt ist 1"):
        decode_year(encode_year(newer))


def test_something_else_is_no_frozen_year() -> None:
    with pytest.raises(SnapshotError, match="kein festgeschriebenes Jahr"):
        decode_year(b"{}")


def test_a_year_of_totals_has_sums_but_no_rows() -> None:
    year = totals_only(2024, NOW, buildings=178, totals=TOTALS, origin="gedruckt")
    assert decode_year(encode_year(year)) == year
    assert year.total("connection", "Glasfaser") == 66
    assert year.total("connection", "unter 25 Mbit") is None
    with pytest.raises(SnapshotError, match="nur Summen"):
        year.counts()


@pytest.mark.parametrize(
    ("table", "column", "value", "reason"),
    [
        ("connection", "Glasfaser", 67, "ergeben 179 von 178"),
        ("coverage", "LAN partiell", 39, "ergeben 179 von 178"),
        ("coverage", "LAN halb", 1, "unbekannte Spalten"),
        ("coverage", "WLAN partiell", None, "fehlt die Summe von „WLAN partiell“"),
    ],
)
def test_totals_that_cannot_be_are_refused(
    table: TableName, column: str, value: int | None, reason: str
) -> None:
    row = {key: number for key, number in TOTALS[table].items() if key != column}
    if value is not None:
        row[column] = value
    with pytest.raises(SnapshotError, match=reason):
        totals_only(
            2024, NOW, buildings=178, totals={**TOTALS, table: row}, origin="gedruckt"
        )


def _totals_csv(path: Path, *more: str, head: str = "table,column,value") -> Path:
    rows = [f"{t},{c},{n}" for t, columns in TOTALS.items() for c, n in columns.items()]
    path.write_text("\n".join([head, *rows, *more]) + "\n", encoding="utf-8")
    return path


def test_totals_come_from_a_small_csv(tmp_path: Path) -> None:
    year = read_totals(_totals_csv(tmp_path / "t.csv"), 2024, NOW)
    shipped = city.load_previous_year()
    assert year.connection == shipped.connection
    assert year.coverage == shipped.coverage
    assert year.buildings == 178


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("links,Glasfaser,1", "t.csv:10 [table]: Tabelle „links“"),
        ("coverage,Glasfaser,1", "t.csv:10 [column]: Tabelle „coverage“"),
        ("connection,Glasfaser,66", "t.csv:10 [column]: „Glasfaser“ kommt zweimal"),
        ("connection,unter 25 Mbit,-1", "t.csv:10 [value]: „-1“ ist keine Anzahl"),
        ("coverage,LAN keine Angabe,19", "t.csv: Jahr 2024: „LAN flächendeckend“"),
    ],
)
def test_a_bad_total_is_named(tmp_path: Path, more: str, problem: str) -> None:
    path = _totals_csv(tmp_path / "t.csv", more)
    with pytest.raises(InputError) as caught:
        read_totals(path, 2024, NOW)
    assert str(caught.value).startswith(problem)


def test_another_header_or_no_file_is_refused(tmp_path: Path) -> None:
    path = _totals_csv(tmp_path / "t.csv", head="a,b,c")
    with pytest.raises(InputError, match="Kopfzeile"):
        read_totals(path, 2024, NOW)
    with pytest.raises(InputError, match="nicht lesbar"):
        read_totals(tmp_path / "missing.csv", 2024, NOW)
