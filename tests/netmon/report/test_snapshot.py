"""Frozen years: sealed, verified, refused when touched."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from netmon.model import Inventory
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
def frozen(shipped: Inventory) -> FrozenYear:
    return freeze(shipped, 2025, NOW, inventory_sha256="abc")


def test_a_frozen_year_reads_back(shipped: Inventory, frozen: FrozenYear) -> None:
    again = decode_year(encode_year(frozen))
    assert again == frozen
    assert again.frozen_at == NOW
    assert again.counts() == count(shipped)


def test_the_same_input_freezes_to_the_same_bytes(
    shipped: Inventory, frozen: FrozenYear
) -> None:
    second = freeze(shipped, 2025, NOW, inventory_sha256="abc")
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
    assert list(year.counts().connection) == ["Summe"]


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
