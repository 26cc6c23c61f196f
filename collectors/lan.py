"""Power and neighbours at the ports of a switch: pure.

POWER-ETHERNET-MIB and LLDP-MIB number ports in their own ways. Where the port
that is meant is not certain, nothing is said of any: power or a neighbour at a
wrong port would send somebody to the wrong room.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from collectors.decode import Remark, Row, TableResult

_NUMBERS = re.compile(r"\d+")
_FIRST = re.compile(r"(?<!\d)0$")
_POE = ("poe_on", "poe_w")


def with_lan(tables: Sequence[TableResult]) -> list[TableResult]:
    """Return the tables, ports completed by power and neighbours."""
    by_result = {table.result: table for table in tables}
    ports = by_result.get("port")
    if ports is None or not ports.rows:
        return list(tables)
    remarks: list[Remark] = []
    power = _power(by_result.get("poe"), ports.rows, remarks)
    for own in (table for table in tables if table.result == "if_poe"):
        power |= {row.parts["port"]: _told(row, power) for row in own.rows}
    neighbours: dict[str, dict[str, str]] = {}
    # Between two readings of the structure nobody tells of neighbours.
    if (told := by_result.get("neighbour")) is not None:
        finder = _Finder(
            ports.rows, by_result.get("local_port"), by_result.get("bridge_port")
        )
        neighbours = _neighbours(told, finder, remarks)
    rows = tuple(
        Row(
            row.parts,
            {**row.numbers, **power.get(row.parts["port"], {})},
            {**row.words, **neighbours.get(row.parts["port"], {})},
        )
        for row in ports.rows
    )
    done = replace(ports, rows=rows, remarks=(*ports.remarks, *remarks))
    return [done if table is ports else table for table in tables]


def _power(
    poe: TableResult | None, ports: Sequence[Row], remarks: list[Remark]
) -> dict[str, dict[str, float | None]]:
    found: dict[str, list[Row]] = {}
    lost = 0
    by_number = _by_last_number(ports) if poe else {}
    for row in poe.rows if poe else ():
        fitting = by_number.get(int(row.parts["port"]), {})
        port = _port_of_power(row.parts["group"], fitting)
        if port is None:
            lost += 1
        else:
            found.setdefault(port, []).append(row)
    # Ports of two groups whose names do not tell the group.
    lost += sum(len(rows) for rows in found.values() if len(rows) > 1)
    if lost:
        remarks.append(Remark("poe_unplaced", {"n": lost}))
    return {
        port: {name: rows[0].numbers.get(name) for name in _POE}
        for port, rows in found.items()
        if len(rows) == 1
    }


def _told(
    row: Row, power: Mapping[str, Mapping[str, float | None]]
) -> dict[str, float | None]:
    """Return what a row by ifIndex tells, and what POWER-ETHERNET-MIB does beside it."""
    before = power.get(row.parts["port"], {})
    own = {name: row.numbers.get(name) for name in _POE}
    return {n: before.get(n) if value is None else value for n, value in own.items()}


def _by_last_number(ports: Sequence[Row]) -> dict[int, dict[str, list[int]]]:
    """Return the numbers in the names of ports, by the last of them and ifIndex.

    Ports that are counted from 0 are left out: their power is counted from 1.
    """
    found: dict[int, dict[str, list[int]]] = {}
    names = [(row.parts["port"], row.words.get("name", "")) for row in ports]
    from_0 = {name.removesuffix("0") for _, name in names if _FIRST.search(name)}
    for port, name in names:
        numbers = [int(text) for text in _NUMBERS.findall(name)]
        if numbers and name.rstrip("0123456789") not in from_0:
            found.setdefault(numbers[-1], {})[port] = numbers
    return found


def _port_of_power(group: str, fitting: Mapping[str, list[int]]) -> str | None:
    """Return the ifIndex of a port in ``group``; None if that is not certain.

    Names tell more than numbers: of "Gi1/0/7", "1/7", "1:7" and "7" the last
    number is the port, the first one the group. Between them stands a module,
    0 or the group's own if it is the fixed one. ``fitting`` are the ports whose
    last number is the right one.
    """
    of_group = {
        port: numbers
        for port, numbers in fitting.items()
        if len(numbers) == 1
        or numbers[0] == int(group)
        # Groups count from 1, the units of some switches from 0.
        or (numbers[0] == 0 and int(group) == 1)
    }
    chosen = list(of_group)
    if len(chosen) > 1:
        chosen = [port for port in chosen if 0 in fitting[port][1:-1]]
    return chosen[0] if len(chosen) == 1 else None


def _neighbours(
    told: TableResult, finder: _Finder, remarks: list[Remark]
) -> dict[str, dict[str, str]]:
    by_port: dict[str, list[dict[str, str]]] = {}
    lost = 0
    for row in told.rows:
        port = finder.port(row.parts["port"])
        if port is None:
            lost += 1
            continue
        words = {
            "neighbour": row.words.get("name", ""),
            "neighbour_port": row.words.get("port_id", ""),
            "neighbour_chassis": row.words.get("chassis", ""),
        }
        if words not in by_port.setdefault(port, []):
            by_port[port].append(words)
    if lost:
        remarks.append(Remark("neighbours_unplaced", {"n": lost}))
    # Two neighbours at one port share a cable with something in between.
    return {port: found[0] for port, found in by_port.items() if len(found) == 1}


class _Finder:
    """Finds the port that a number of LLDP means.

    The name tells it. Where LLDP calls ports otherwise, the number is that of the
    bridge's port, or of the interface where there is no bridge (LldpPortNumber, IEEE
    802.1AB); agents that count in a third way give themselves away by a port whose
    name is known.
    """

    def __init__(
        self,
        ports: Sequence[Row],
        local: TableResult | None,
        bridge: TableResult | None,
    ) -> None:
        named: dict[str, list[str]] = {}
        for row in ports:
            named.setdefault(row.words.get("name", ""), []).append(row.parts["port"])
        self._indexes = {row.parts["port"] for row in ports}
        own = {row.parts["port"]: row for row in (local.rows if local else ())}
        self._by_name: dict[str, str] = {}
        for number, row in own.items():
            for name in (row.words.get("name", ""), row.words.get("descr", "")):
                if name and len(named.get(name, ())) == 1:
                    self._by_name.setdefault(number, named[name][0])
        bridged = {
            row.parts["port"]: f"{if_index:.0f}"
            for row in (bridge.rows if bridge else ())
            if (if_index := row.numbers.get("if_index")) is not None
        }
        by_number = bridged or {number: number for number in own}
        fits = all(
            by_number.get(number) == port for number, port in self._by_name.items()
        )
        # Without a bridge and any known name, numbers alone must fit all ports.
        fits &= bool(bridged or self._by_name) or own.keys() <= self._indexes
        # What a lost table would have told against it nobody knows.
        fits &= all(table is None or table.complete for table in (local, bridge))
        self._by_number = by_number if fits else {}

    def port(self, number: str) -> str | None:
        """Return the ifIndex; None if it is not certain."""
        port = self._by_name.get(number) or self._by_number.get(number)
        return port if port in self._indexes else None
