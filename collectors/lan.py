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
_POE = ("poe_on", "poe_w")


def with_lan(tables: Sequence[TableResult]) -> list[TableResult]:
    """Return the tables, ports completed by power and neighbours."""
    by_result = {table.result: table for table in tables}
    ports = by_result.get("port")
    if ports is None or not ports.rows:
        return list(tables)
    remarks: list[Remark] = []
    power = _power(by_result.get("poe"), ports.rows, remarks)
    neighbours = _neighbours(
        by_result.get("neighbour"), by_result.get("local_port"), ports.rows, remarks
    )
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
    found: dict[str, dict[str, float | None]] = {}
    lost = 0
    by_number = _by_last_number(ports) if poe else {}
    for row in poe.rows if poe else ():
        fitting = by_number.get(int(row.parts["port"]), {})
        port = _port_of_power(row.parts["group"], fitting)
        if port is None:
            lost += 1
        else:
            found[port] = {name: row.numbers.get(name) for name in _POE}
    if lost:
        remarks.append(Remark("poe_unplaced", {"n": lost}))
    return found


def _by_last_number(ports: Sequence[Row]) -> dict[int, dict[str, list[int]]]:
    """Return the numbers in the names of ports, by the last of them and ifIndex."""
    found: dict[int, dict[str, list[int]]] = {}
    for row in ports:
        numbers = [int(text) for text in _NUMBERS.findall(row.words.get("name", ""))]
        if numbers:
            found.setdefault(numbers[-1], {})[row.parts["port"]] = numbers
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
    told: TableResult | None,
    local: TableResult | None,
    ports: Sequence[Row],
    remarks: list[Remark],
) -> dict[str, dict[str, str]]:
    by_port: dict[str, list[dict[str, str]]] = {}
    lost = 0
    for row in told.rows if told else ():
        port = _port_of_neighbour(row.parts["port"], local, ports)
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


def _port_of_neighbour(
    number: str, local: TableResult | None, ports: Sequence[Row]
) -> str | None:
    """Return the ifIndex of an LLDP port number; None if that is not certain."""
    own = next(
        (r for r in (local.rows if local else ()) if r.parts["port"] == number), None
    )
    if own is not None:
        for name in (own.words.get("name", ""), own.words.get("descr", "")):
            named = [r.parts["port"] for r in ports if r.words.get("name") == name]
            if name and len(named) == 1:
                return named[0]
    indexes = {row.parts["port"] for row in ports}
    return number if number in indexes else None
