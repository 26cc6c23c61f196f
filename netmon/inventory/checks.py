"""What must hold between rows, once each cell is read.

A check sees every row with the values that could be read, so that one wrong
cell does not hide the other problems, and never reports the same one twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netmon.inventory.columns import KIND_BY_NAME, REFERENCES
from netmon.inventory.fields import suggestion
from netmon.inventory.problems import Problems
from netmon.inventory.rows import RawRow
from netmon.model import DeviceKind, LineRole, Technology
from netmon.units import GBIT

# More than this on copper is a slip of the unit: supervectoring ends at 0.3 Gbit/s,
# two bonded pairs at twice that.
MAX_VDSL_BPS = GBIT
# No access line is asymmetric in this direction by more; swapped columns are.
MAX_UP_PER_DOWN = 10


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row with the values by field that could be read, others left out."""

    source: str
    raw: RawRow
    values: Mapping[str, object]

    def text(self, field: str) -> str | None:
        """Return a text field's value; None if empty or unreadable."""
        value = self.values.get(field)
        return value if isinstance(value, str) and value else None

    def number(self, field: str) -> int | None:
        """Return a number field's value; None if empty or unreadable."""
        value = self.values.get(field)
        return value if isinstance(value, int) else None


Tables = Mapping[str, Sequence[ReadRow]]


def check_all(tables: Tables, problems: Problems) -> None:
    """Run every check. A kind whose file was refused is missing in ``tables``."""
    for check in CHECKS:
        check(tables, problems)


def _report(
    row: ReadRow, field: str, code: str, problems: Problems, **values: object
) -> None:
    problems.add(row.source, row.raw.line_of(field), field, code, **values)


def _by_id(rows: Sequence[ReadRow]) -> dict[str, ReadRow]:
    found: dict[str, ReadRow] = {}
    for row in rows:
        if (row_id := row.text("id")) is not None:
            found.setdefault(row_id, row)
    return found


def check_ids(tables: Tables, problems: Problems) -> None:
    """Refuse an id used twice in a file."""
    for rows in tables.values():
        first = _by_id(rows)
        for row in rows:
            row_id = row.text("id")
            if row_id is not None and first[row_id] is not row:
                line = first[row_id].raw.line_of("id")
                _report(row, "id", "id_used", problems, value=row_id, line=line)


def check_references(tables: Tables, problems: Problems) -> None:
    """Refuse a reference to nothing; the nearest existing id is suggested."""
    known = {name: _by_id(rows) for name, rows in tables.items()}
    for kind, field, target in REFERENCES:
        if kind not in tables or target not in tables:
            continue
        for row in tables[kind]:
            value = row.values.get(field)
            ids = value if isinstance(value, tuple) else (value,) if value else ()
            for one in ids:
                if one in known[target]:
                    continue
                # Comparing with thousands of ids is slow; nobody reads the hint.
                names = list(known[target]) if len(known[target]) < 1000 else []
                nearest = suggestion(one, names)
                code = "dangling_near" if nearest else "dangling"
                source = f"{KIND_BY_NAME[target].name}"
                _report(
                    row, field, code, problems, value=one, file=source, nearest=nearest
                )


def check_lines(tables: Tables, problems: Problems) -> None:
    """Refuse two main lines for a building, and rates that make no sense."""
    main_of: dict[str, ReadRow] = {}
    for row in tables.get("lines", ()):
        building_id = row.text("building_id")
        if building_id is not None and row.values.get("role") is LineRole.MAIN:
            first = main_of.setdefault(building_id, row)
            if first is not row:
                _report(
                    row,
                    "role",
                    "two_main_lines",
                    problems,
                    building=building_id,
                    line=first.raw.line,
                )
        _check_agreed_rates(row, problems)
        down, up = row.number("contracted_down_bps"), row.number("contracted_up_bps")
        if down is None or up is None:
            continue
        if row.values.get("technology") is Technology.VDSL and down > MAX_VDSL_BPS:
            _report(row, "contracted_down", "vdsl_too_fast", problems)
        elif up > MAX_UP_PER_DOWN * down:
            _report(
                row, "contracted_up", "up_too_big", problems, factor=MAX_UP_PER_DOWN
            )


def _check_agreed_rates(row: ReadRow, problems: Problems) -> None:
    """Refuse a minimum above the normal rate, or a normal one above the maximum."""
    for way in ("down", "up"):
        upper = ("contracted", row.number(f"contracted_{way}_bps"))
        for name in ("normal", "minimum"):
            rate = row.number(f"{name}_{way}_bps")
            if rate is None:
                continue
            if upper[1] is not None and rate > upper[1]:
                column = f"{name}_{way}"
                other = f"{upper[0]}_{way}"
                _report(row, column, "rate_above", problems, other=other)
            upper = (name, rate)


def check_segments(tables: Tables, problems: Problems) -> None:
    """Refuse a line whose contract is more than a segment of its way carries."""
    segments = _by_id(tables.get("segments", ()))
    for row in tables.get("lines", ()):
        ids = row.values.get("segments")
        down, up = row.number("contracted_down_bps"), row.number("contracted_up_bps")
        for one in ids if isinstance(ids, tuple) else ():
            segment = segments.get(one)
            capacity = None if segment is None else segment.number("capacity_bps")
            if capacity is not None and max(down or 0, up or 0) > capacity:
                _report(row, "segments", "segment_too_small", problems, value=one)


def check_access_points(tables: Tables, problems: Problems) -> None:
    """Refuse an access point whose controller or room is of another building.

    A device that is an access point itself is one, not several.
    """
    devices = _by_id(tables.get("devices", ()))
    rooms = _by_id(tables.get("rooms", ()))
    named: dict[tuple[str, str], ReadRow] = {}
    alone: dict[str, ReadRow] = {}
    for row in tables.get("access_points", ()):
        building_id = row.text("building_id")
        controller = devices.get(row.text("controller_id") or "")
        if controller is not None:
            if controller.values.get("kind") in {DeviceKind.SWITCH, DeviceKind.ROUTER}:
                _report(row, "controller_id", "no_controller", problems)
            elif controller.text("building_id") not in {None, building_id}:
                _report(row, "controller_id", "controller_elsewhere", problems)
            elif controller.values.get("kind") is DeviceKind.ACCESS_POINT:
                first = alone.setdefault(row.text("controller_id") or "", row)
                if first is not row:
                    line = first.raw.line_of("controller_id")
                    _report(row, "controller_id", "ap_alone", problems, line=line)
        room = rooms.get(row.text("room_id") or "")
        if room is not None and room.text("building_id") not in {None, building_id}:
            _report(row, "room_id", "room_elsewhere", problems)
        name, controller_id = row.text("name"), row.text("controller_id")
        if name is not None and controller_id is not None:
            first = named.setdefault((controller_id, name), row)
            if first is not row:
                _report(
                    row,
                    "name",
                    "ap_name_used",
                    problems,
                    value=name,
                    line=first.raw.line_of("name"),
                )


def _check_port(
    row: ReadRow, building_id: str | None, switch: ReadRow | None, problems: Problems
) -> tuple[str, str] | None:
    """Refuse a port of what is no switch, or of another building's; return the port."""
    switch_id, port = row.text("switch_id"), row.text("switch_port")
    if switch_id is None or port is None:
        if (switch_id is None) != (port is None):
            field = "switch_port" if port is None else "switch_id"
            _report(row, field, "port_half", problems)
        return None
    if switch is not None:
        theirs = switch.text("building_id")
        if switch.values.get("kind") not in {None, DeviceKind.SWITCH}:
            _report(row, "switch_id", "no_switch", problems, value=switch_id)
        elif None not in (theirs, building_id) and theirs != building_id:
            _report(row, "switch_id", "switch_elsewhere", problems, building=theirs)
    return switch_id, port


def _check_used_once(
    row: ReadRow,
    port: tuple[str, str] | None,
    used: dict[tuple[str, str], ReadRow],
    problems: Problems,
) -> None:
    if port is None:
        return
    first = used.setdefault(port, row)
    if first is not row:
        line = first.raw.line_of("switch_port")
        _report(row, "switch_port", "port_used", problems, value=port[1], line=line)


def check_patching(tables: Tables, problems: Problems) -> None:
    """Refuse two access points, or two sockets, at one port, and ports elsewhere."""
    devices = _by_id(tables.get("devices", ()))
    rooms = _by_id(tables.get("rooms", ()))
    used: dict[tuple[str, str], ReadRow] = {}
    for row in tables.get("access_points", ()):
        switch = devices.get(row.text("switch_id") or "")
        port = _check_port(row, row.text("building_id"), switch, problems)
        _check_used_once(row, port, used, problems)
    used = {}
    named: dict[tuple[str, str], ReadRow] = {}
    for row in tables.get("sockets", ()):
        room = rooms.get(row.text("room_id") or "")
        building_id = None if room is None else room.text("building_id")
        switch = devices.get(row.text("switch_id") or "")
        port = _check_port(row, building_id, switch, problems)
        _check_used_once(row, port, used, problems)
        room_id, name = row.text("room_id"), row.text("name")
        if room_id is not None and name is not None:
            first = named.setdefault((room_id, name), row)
            if first is not row:
                line = first.raw.line_of("name")
                _report(row, "name", "socket_used", problems, value=name, line=line)


def check_probes(tables: Tables, problems: Problems) -> None:
    """Refuse a probe that measures the line of another building."""
    lines = _by_id(tables.get("lines", ()))
    for row in tables.get("probes", ()):
        line = lines.get(row.text("line_id") or "")
        if line is None:
            continue
        theirs = line.text("building_id")
        if theirs is not None and theirs != row.text("building_id"):
            _report(row, "line_id", "line_elsewhere", problems, building=theirs)


def check_devices(tables: Tables, problems: Problems) -> None:
    """Refuse a line on a device that cannot end it, or of another building."""
    lines = _by_id(tables.get("lines", ()))
    for row in tables.get("devices", ()):
        if row.text("line_id") is None:
            if row.text("line_port") is not None:
                _report(row, "line_port", "line_port_alone", problems)
            continue
        if row.values.get("kind") not in {None, DeviceKind.ROUTER}:
            _report(row, "line_id", "line_no_router", problems)
        line = lines.get(row.text("line_id") or "")
        theirs = None if line is None else line.text("building_id")
        if theirs is not None and theirs != row.text("building_id"):
            _report(row, "line_id", "line_elsewhere", problems, building=theirs)


CHECKS = (
    check_ids,
    check_references,
    check_lines,
    check_devices,
    check_segments,
    check_access_points,
    check_patching,
    check_probes,
)
