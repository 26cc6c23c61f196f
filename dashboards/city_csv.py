"""The buildings as CSV for a German spreadsheet: ``;``, BOM, decimal comma; pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping

from dashboards.covered import RoomsCovered
from dashboards.views import BuildingRow, LineView, Reading
from netmon.clock import BERLIN, from_ms
from netmon.line_verdict import tell
from netmon.texts import Texts, catalogue
from netmon.units import MBIT

Cell = str | int | None
# A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HEADINGS = "city.csv."
_BOM = "\ufeff"


def _decimal(value: float | None, scale: float, decimals: int = 1) -> str | None:
    if value is None:
        return None
    return f"{value * scale:.{decimals}f}".replace(".", ",")


def _mbits(rate_bps: float | None) -> str | None:
    return _decimal(rate_bps, 1 / MBIT)


def _moment(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return from_ms(at_ms).astimezone(BERLIN).strftime("%d.%m.%Y %H:%M")


def _line(row: BuildingRow, pick: Callable[[LineView], Cell]) -> Cell:
    return None if row.main is None else pick(row.main)


def _reason(view: LineView, texts: Texts) -> str | None:
    """Return what the table tells below the state; None where that says it all."""
    if not view.speaks:
        return None
    return tell(view.judged, texts, lambda ms: texts.moment(from_ms(ms))).headline


def _rate(reading: Reading) -> tuple[Cell, Cell]:
    return _mbits(reading.value), _moment(reading.at_ms)


def _rooms(rooms: RoomsCovered | None) -> tuple[Cell, Cell, Cell]:
    return (
        (None, None, None)
        if rooms is None
        else (None if rooms.is_unknown else rooms.covered, rooms.rooms, rooms.open)
    )


def _cells(row: BuildingRow, texts: Texts) -> Mapping[str, Cell]:
    """Return a building's cells by the name of their column; None is an empty one."""
    building, aps, main = row.building, row.aps, row.main
    cells: dict[str, Cell] = {
        "id": building.id,
        "name": building.name,
        "school_type": building.school_type.value,
        "street": building.street,
        "postcode": building.postcode,
        "campus_district": building.campus_district,
        "city_district": building.city_district,
        "state": texts(f"state.{row.verdict}"),
        "line_state": _line(row, lambda x: texts(f"verdict.class.{x.judged.verdict}")),
        "line_reason": _line(row, lambda x: _reason(x, texts)),
        "line_since": _line(row, lambda x: _moment(x.since_ms)),
        "technology": _line(row, lambda x: texts(f"technology.{x.line.technology}")),
        "provider": _line(row, lambda x: x.line.provider),
        "contract_down": _line(row, lambda x: _mbits(x.line.contracted_down_bps)),
        "contract_up": _line(row, lambda x: _mbits(x.line.contracted_up_bps)),
        "need": _mbits(row.needed_down_bps),
    }
    for name in ("down", "proof", "up", "up_proof"):
        reading = None if main is None else getattr(main, name)
        cells[name], cells[f"{name}_at"] = _rate(reading) if reading else (None, None)
    rtt = None if main is None else main.rtt
    cells["rtt"] = None if rtt is None else _decimal(rtt.value, 1000)
    cells["rtt_at"] = None if rtt is None else _moment(rtt.at_ms)
    cells["lan"] = texts(f"coverage.{building.lan}")
    cells["lan_covered"], cells["lan_total"], cells["lan_open"] = _rooms(row.lan_rooms)
    cells |= {
        "wlan_state": texts(f"state.{aps.verdict}") if aps.total else None,
        "wlan": texts(f"coverage.{building.wlan}"),
        "aps": aps.total,
        "aps_ok": aps.ok if aps.total else None,
        "aps_down": aps.down if aps.total else None,
        "aps_degraded": aps.degraded if aps.total else None,
        "aps_suspect": aps.suspect if aps.total else None,
        "aps_never_seen": aps.never_seen if aps.total else None,
        "aps_unknown": aps.unknown if aps.total else None,
        "clients": None if aps.clients.value is None else round(aps.clients.value),
        "clients_at": _moment(aps.clients.at_ms),
    }
    covered = _rooms(row.wlan_rooms)
    cells["wlan_covered"], cells["wlan_total"], cells["wlan_open"] = covered
    cells["incidents"] = row.open_incidents
    cells["generated"] = texts("site.yes" if row.generated else "site.no")
    return cells


def _safe(cell: Cell) -> str | int:
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell


def _columns(texts: Texts) -> list[str]:
    return [
        key.removeprefix(_HEADINGS)
        for key in catalogue(texts.language)
        if key.startswith(_HEADINGS)
    ]


def city_csv(rows: Iterable[BuildingRow], texts: Texts) -> bytes:
    """Return the rows as shown, one line each; what is not known is an empty cell."""
    lines = [_cells(row, texts) for row in rows]
    # Columns have their headings also where no building fits.
    names = list(lines[0]) if lines else _columns(texts)
    out = io.StringIO()
    out.write(_BOM)
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(texts(f"{_HEADINGS}{name}") for name in names)
    for line in lines:
        writer.writerow(_safe(line[name]) for name in names)
    return out.getvalue().encode()
