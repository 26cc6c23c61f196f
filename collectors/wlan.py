"""What several tables of a controller or access point say together: pure.

Some access points tell channel, power and clients of each network on a radio
(a virtual access point) and of the radio only how busy it is: a radio has the
clients of all its networks, and what its networks agree on. What a controller
counts of itself stands beside what its tables list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from collectors.bands import with_band
from collectors.decode import Row, TableResult
from netmon.metrics import KINDS
from netmon.quantities import MAX_COUNT

# The index of a device that is an access point itself.
OWN_AP = "0"

_AGREED = ("channel", "tx_power_dbm")
_MERGED = frozenset(("access_point", "radio"))
_POWER = next(m for m in KINDS["wlan_radio"].metrics if m.name == "tx_power_dbm")
_DBM = re.compile(r"-?\d{1,2}")


def total(counts: Sequence[float | None]) -> float | None:
    """Return the sum; None of nothing, if a part is not known, or beyond all sense."""
    known = [count for count in counts if count is not None]
    if not counts or len(known) < len(counts) or sum(known) > MAX_COUNT:
        return None
    return sum(known)


def merged(tables: Sequence[TableResult]) -> list[TableResult]:
    """Return the tables, those of access points as one and those of radios as one.

    A device may know them by several MIBs, each of which it has or has not.
    """
    found: list[TableResult] = []
    for table in tables:
        at = next(
            (n for n, each in enumerate(found) if each.result == table.result), -1
        )
        if at < 0 or table.result not in _MERGED:
            found.append(table)
            continue
        first = found[at]
        found[at] = replace(
            first,
            rows=first.rows + table.rows,
            complete=first.complete and table.complete,
            remarks=first.remarks + table.remarks,
        )
    return found


def with_radios(tables: Sequence[TableResult]) -> list[TableResult]:
    """Return the tables, radios completed by networks, lists of powers and channels."""
    vaps = next((table for table in tables if table.result == "vap"), None)
    return [
        replace(table, rows=_completed(table.rows, vaps))
        if table.result == "radio"
        else table
        for table in tables
    ]


def _completed(radios: Sequence[Row], vaps: TableResult | None) -> tuple[Row, ...]:
    powered = [_with_power(radio) for radio in radios]
    if vaps is None:
        return tuple(map(with_band, powered))
    keys = {radio.words.get("key") for radio in powered} - {None, ""}
    # The clients of a network of no known radio may be on any of them.
    whole = vaps.complete and all(
        vap.words.get("key") in keys or vap.numbers.get("clients_count") == 0
        for vap in vaps.rows
    )
    return tuple(
        with_band(_with_networks(radio, vaps, whole=whole)) for radio in powered
    )


def _with_power(radio: Row) -> Row:
    """Return a radio that tells its power as a place in a list with the power itself.

    "20,17,14,11": level 2 is 17 dBm. -1 behind the last one also fills up lists, so
    it tells nothing there.
    """
    level, powers = radio.numbers.get("power_level"), radio.words.get("powers", "")
    if level is None or radio.numbers.get("tx_power_dbm") is not None:
        return radio
    listed = powers.split(",")
    place = int(level) - 1
    if not 0 <= place < len(listed) or not _DBM.fullmatch(listed[place].strip()):
        return radio
    power_dbm = float(listed[place])
    is_filling = power_dbm == -1 and set(listed[place:]) == {listed[place]}
    if is_filling or not _POWER.low <= power_dbm <= _POWER.high:
        return radio
    return replace(radio, numbers={**radio.numbers, "tx_power_dbm": power_dbm})


def _with_networks(radio: Row, vaps: TableResult, *, whole: bool) -> Row:
    key = radio.words.get("key")
    own = [vap.numbers for vap in vaps.rows if key and vap.words.get("key") == key]
    numbers = dict(radio.numbers)
    counts = [vap.get("clients_count") for vap in own]
    if whole and (clients := total(counts)) is not None:
        numbers["clients_count"] = clients
    for name in _AGREED:
        said = {vap.get(name) for vap in own} - {None}
        if numbers.get(name) is None and len(said) == 1:
            numbers[name] = said.pop()
    return Row(radio.parts, numbers, radio.words)


def checked_points(tables: Sequence[TableResult]) -> TableResult | None:
    """Return the table of access points; None where a device has none.

    An agent that breaks off early looks as if the table ended there: where radios know
    more access points it is incomplete. So is an empty one, as firmware without the
    table and views that hide it look, unless the controller counts none itself; and
    one with nothing but the device itself, where it counts others.
    """
    points = next((t for t in tables if t.result == "access_point"), None)
    if points is None or not points.complete:
        return points
    radios = [row for t in tables if t.result == "radio" for row in t.rows]
    listed = {row.parts["ap"] for row in points.rows}
    if any(row.parts["ap"] not in listed for row in radios):
        return replace(points, complete=False)
    is_short = (
        counts_others(tables)
        if listed == {OWN_AP}
        else not listed and _own_counts(tables).get("aps_count") != 0
    )
    return replace(points, complete=False) if is_short else points


def counts_others(tables: Sequence[TableResult]) -> bool:
    """Say whether a device counts access points that it controls."""
    counts = _own_counts(tables)
    return any(counts.get(name) for name in ("aps_count", "aps_total_count"))


def bare_points(tables: Sequence[TableResult]) -> set[str]:
    """Return the access points that are up, and of which no radio is listed.

    Agents are known that end the table of radios after the first access point.
    """
    points = next((t for t in tables if t.result == "access_point"), None)
    listed = {row.parts["ap"] for t in tables if t.result == "radio" for row in t.rows}
    return {
        row.parts["ap"]
        for row in (points.rows if points else ())
        if row.numbers.get("up") == 1 and row.parts["ap"] not in listed
    }


def controller_totals(tables: Sequence[TableResult]) -> dict[str, float | None]:
    """Return what a controller counts of itself beside what its tables list.

    Empty for a device that counts nothing of itself. Rows of one table are the
    nodes of a cluster; of several tables the first that has a number counts.
    A number is None where the table it comes from has a gap.
    """
    totals = _own_counts(tables)
    if not totals:
        return {}
    points = checked_points(tables)
    radios = next((t for t in tables if t.result == "radio"), None)
    if points is not None and points.rows and points.complete:
        ups = [row.numbers.get("up") for row in points.rows]
        totals["listed_aps_count"] = None if None in ups else float(ups.count(1.0))
    counting = radios if radios is not None and radios.rows else points
    whole = counting is not radios or not bare_points(tables)
    if counting is not None and counting.rows and counting.complete and whole:
        counts = [row.numbers.get("clients_count") for row in counting.rows]
        totals["listed_clients_count"] = total(counts)
    if totals["clients_count"] is None:
        totals["clients_count"] = _clients_of_bands(tables)
    return totals if any(value is not None for value in totals.values()) else {}


def _own_counts(tables: Sequence[TableResult]) -> dict[str, float | None]:
    own = [table for table in tables if table.result == "controller" and table.rows]
    totals: dict[str, float | None] = {}
    for metric in KINDS["wlan_controller"].metrics if own else ():
        told = [[row.numbers.get(metric.name) for row in table.rows] for table in own]
        known = [values for values in told if values and None not in values]
        totals[metric.name] = total(known[0]) if known else None
    return totals


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
