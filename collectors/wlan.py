"""What several tables of a controller or access point say together: pure.

Some access points tell channel, power and clients of each network on a radio
(a virtual access point) and of the radio only how busy it is: a radio has the
clients of all its networks, and what its networks agree on. What a controller
counts of itself stands beside what its tables list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from collectors.decode import Row, TableResult
from netmon.metrics import KINDS, MAX_COUNT

_AGREED = ("channel", "tx_power_dbm")


def total(counts: Sequence[float | None]) -> float | None:
    """Return the sum; None of nothing, if a part is not known, or beyond all sense."""
    known = [count for count in counts if count is not None]
    if not counts or len(known) < len(counts) or sum(known) > MAX_COUNT:
        return None
    return sum(known)


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
    if vaps.complete and (clients := total(counts)) is not None:
        numbers["clients_count"] = clients
    for name in _AGREED:
        said = {vap.get(name) for vap in own} - {None}
        if numbers.get(name) is None and len(said) == 1:
            numbers[name] = said.pop()
    return Row(radio.parts, numbers, radio.words)


def checked_points(points: TableResult, radios: TableResult | None) -> TableResult:
    """Return a table of access points as incomplete if radios know more of them.

    An agent that breaks off early looks as if the table ended there.
    """
    listed = {row.parts["ap"] for row in points.rows}
    if radios is None or all(row.parts["ap"] in listed for row in radios.rows):
        return points
    return replace(points, complete=False)


def controller_totals(tables: Sequence[TableResult]) -> dict[str, float | None]:
    """Return what a controller counts of itself beside what its tables list.

    Empty for a device that counts nothing of itself. Rows of one table are the
    nodes of a cluster; of several tables the first that has a number counts.
    """
    own = [table for table in tables if table.result == "controller" and table.rows]
    if not own:
        return {}
    totals: dict[str, float | None] = {}
    for metric in KINDS["wlan_controller"].metrics:
        told = [[row.numbers.get(metric.name) for row in table.rows] for table in own]
        known = [values for values in told if values and None not in values]
        totals[metric.name] = total(known[0]) if known else None
    points = next((t for t in tables if t.result == "access_point"), None)
    radios = next((t for t in tables if t.result == "radio"), None)
    if points is not None and points.rows and checked_points(points, radios).complete:
        ups = [row.numbers.get("up") for row in points.rows]
        totals["listed_aps_count"] = None if None in ups else float(ups.count(1.0))
    counting = radios if radios is not None and radios.rows else points
    if counting is not None and counting.rows and counting.complete:
        counts = [row.numbers.get("clients_count") for row in counting.rows]
        totals["listed_clients_count"] = total(counts)
    if totals["clients_count"] is None:
        totals["clients_count"] = _clients_of_bands(tables)
    return totals if any(value is not None for value in totals.values()) else {}


def _clients_of_bands(tables: Sequence[TableResult]) -> float | None:
    """Return the clients of all networks where they are told by band only."""
    networks = next((t for t in tables if t.result == "network"), None)
    if networks is None or not networks.rows or not networks.complete:
        return None
    counts = [
        row.numbers.get(name)
        for row in networks.rows
        for name in ("clients_2g_count", "clients_5g_count")
    ]
    return total(counts)
