"""Radios of devices that count at their networks instead: pure.

Some access points tell channel, power and clients of each network on a radio
(a virtual access point) and of the radio only how busy it is. A radio has the
clients of all its networks, and what its networks agree on.
"""

from __future__ import annotations

from collections.abc import Sequence

from collectors.decode import Row, TableResult

_AGREED = ("channel", "tx_power_dbm")


def with_vaps(tables: Sequence[TableResult]) -> list[TableResult]:
    """Return the tables, radios completed by their networks; others as they are."""
    vaps = next((table for table in tables if table.result == "vap"), None)
    if vaps is None:
        return list(tables)
    return [
        TableResult(
            table.name,
            table.result,
            tuple(_completed(row, vaps) for row in table.rows),
            table.complete,
            table.remarks,
        )
        if table.result == "radio"
        else table
        for table in tables
    ]


def _completed(radio: Row, vaps: TableResult) -> Row:
    key = radio.words.get("key")
    own = [vap.numbers for vap in vaps.rows if key and vap.words.get("key") == key]
    numbers = dict(radio.numbers)
    counts = [vap.get("clients_count") for vap in own]
    if vaps.complete and counts and None not in counts:
        numbers["clients_count"] = sum(count for count in counts if count is not None)
    for name in _AGREED:
        said = {vap.get(name) for vap in own} - {None}
        if numbers.get(name) is None and len(said) == 1:
            numbers[name] = said.pop()
    return Row(radio.parts, numbers, radio.words)
