"""From the school ministry's ``schuldaten.csv`` to a draft of an inventory.

The open data knows schools and addresses. What it does not know (Campusbezirk,
lines, LAN and WLAN) is left empty in the draft, so that ``netmon inventory
check`` names every cell that a person has to fill.

Source of the data: Ministerium für Schule und Bildung NRW, Schulgrunddaten,
dl-de/by-2-0; the attribution line goes into the draft.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from netmon.errors import InputError, Problem
from netmon.inventory.columns import KIND_BY_NAME, KINDS
from netmon.inventory.fields import inside_nrw
from netmon.inventory.problems import Problems
from netmon.inventory.rows import read_text
from netmon.inventory.utm import utm32_to_degrees
from netmon.model import SchoolType
from netmon.texts import Texts

# Traegernummer of the Stadt Dortmund.
DORTMUND = "10297"
NOTES_FILE = "HINWEISE.txt"
# key_schulformschluessel of the ministry; the city counts its Schule für Kranke
# (83) as a Förderschule. What is not listed is no type of the report.
SCHOOL_TYPES = {
    "02": SchoolType.GRUNDSCHULE,
    "04": SchoolType.HAUPTSCHULE,
    "08": SchoolType.FOERDERSCHULE,
    "10": SchoolType.REALSCHULE,
    "15": SchoolType.GESAMTSCHULE,
    "20": SchoolType.GYMNASIUM,
    "25": SchoolType.WEITERBILDUNGSKOLLEG,
    "30": SchoolType.BERUFSKOLLEG,
    "83": SchoolType.FOERDERSCHULE,
}
_FIRST_COLUMN = "Schulnummer"
_COLUMNS = (
    _FIRST_COLUMN,
    "Schulform",
    "Schulbezeichnung_1",
    "PLZ",
    "Ort",
    "Strasse",
    "Traegernummer",
    "Schulbetriebsschluessel",
    "EPSG",
    "UTMRechtswert",
    "UTMHochwert",
)
_IN_OPERATION = "1"
# Some rows say "null" and mean the same system.
_KNOWN_EPSG = ("EPSG:25832", "null", "")
_METRES = re.compile(r"\d{5,7}(\.\d+)?")
# Five decimals of a degree are about a metre, which is what the source has.
_DECIMALS = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """Rows by column as they will be written; ``warnings`` are for people."""

    buildings: tuple[Mapping[str, str], ...]
    schools: tuple[Mapping[str, str], ...]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Address:
    """The schools found at one address so far."""

    building_id: str
    names: list[str] = field(default_factory=list)
    types: list[SchoolType] = field(default_factory=list)
    position: tuple[float, float] = (0.0, 0.0)
    moved: bool = False


Row = tuple[int, Mapping[str, str]]


def read_schuldaten(
    path: Path, *, carrier: str = DORTMUND, texts: Texts | None = None
) -> Draft:
    """Return the draft for the schools of one carrier (Traegernummer).

    Raises:
        InputError: the file is not the ministry's, a coordinate is none, or
            there is no school of that carrier.
    """
    texts = texts or Texts()
    problems = Problems(texts)
    text = read_text(path, problems)
    if text is None:
        raise InputError(problems.sorted())
    rows = _rows(path.name, text, texts)
    ours = [row for row in rows if row[1]["Traegernummer"] == carrier]
    if not ours:
        raise InputError(
            [
                Problem(
                    path.name,
                    None,
                    "Traegernummer",
                    texts("inventory.schuldaten.no_school", carrier=carrier),
                    texts("inventory.schuldaten.no_school_fix"),
                )
            ]
        )
    return _draft(path.name, sorted(ours, key=lambda row: row[1][_FIRST_COLUMN]), texts)


def _rows(source: str, text: str, texts: Texts) -> list[Row]:
    """Return (line, cells) of all schools; the header is found by its text."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    header: list[str] = []
    rows: list[Row] = []
    problems: list[Problem] = []
    fix = texts("inventory.schuldaten.no_header_fix")
    for raw in reader:
        line = reader.line_num
        # The header ends in ";", and so do the rows of some deliveries.
        cells = raw[:-1] if raw and not raw[-1].strip() else raw
        if not header:
            # "sep=;" or anything else may stand above the header.
            if cells and cells[0].strip() == _FIRST_COLUMN:
                header = [cell.strip() for cell in cells]
        elif len(cells) == len(header) or len(raw) == len(header):
            values = (cell.strip() for cell in raw)
            rows.append((line, dict(zip(header, values, strict=False))))
        elif any(raw):
            what = texts(
                "inventory.schuldaten.cell_count",
                found=len(raw),
                expected=len(header),
            )
            problems.append(Problem(source, line, None, what, fix))
    if not header:
        what = texts("inventory.schuldaten.no_header", column=_FIRST_COLUMN)
        problems.append(Problem(source, 1, None, what, fix))
    else:
        for column in _COLUMNS:
            if column not in header:
                what = texts("inventory.schuldaten.missing_column", column=column)
                problems.append(Problem(source, 1, column, what, fix))
    if problems:
        raise InputError(problems)
    return rows


def _position(
    source: str, line: int, cells: Mapping[str, str], texts: Texts
) -> tuple[float, float] | Problem:
    """Return (latitude, longitude) in degrees, or why there is none."""
    if cells["EPSG"] not in _KNOWN_EPSG:
        return Problem(
            source,
            line,
            "EPSG",
            texts("inventory.schuldaten.bad_epsg", epsg=cells["EPSG"]),
            texts("inventory.schuldaten.bad_epsg_fix"),
        )
    east, north = cells["UTMRechtswert"], cells["UTMHochwert"]
    if _METRES.fullmatch(east) and _METRES.fullmatch(north):
        latitude_deg, longitude_deg = utm32_to_degrees(float(east), float(north))
        if inside_nrw(latitude_deg, longitude_deg):
            return latitude_deg, longitude_deg
    return Problem(
        source,
        line,
        "UTMRechtswert",
        texts("inventory.schuldaten.bad_coordinate", east=east, north=north),
        texts("inventory.schuldaten.bad_coordinate_fix"),
    )


def _draft(source: str, rows: Sequence[Row], texts: Texts) -> Draft:
    addresses: dict[tuple[str, str, str], _Address] = {}
    schools: list[dict[str, str]] = []
    warnings: list[str] = []
    problems: list[Problem] = []
    for line, cells in rows:
        number, name = cells[_FIRST_COLUMN], cells["Schulbezeichnung_1"]
        known = {"line": line, "number": number, "name": name}
        school_type = SCHOOL_TYPES.get(cells["Schulform"])
        if school_type is None:
            code = cells["Schulform"]
            warnings.append(
                texts("inventory.schuldaten.unknown_type", code=code, **known)
            )
            continue
        if (code := cells["Schulbetriebsschluessel"]) != _IN_OPERATION:
            warnings.append(
                texts("inventory.schuldaten.not_running", code=code, **known)
            )
        position = _position(source, line, cells, texts)
        if isinstance(position, Problem):
            problems.append(position)
            continue
        at = (cells["Strasse"], cells["PLZ"], cells["Ort"])
        if at not in addresses:
            addresses[at] = _Address(f"b-{number}", position=position)
        address = addresses[at]
        address.names.append(name)
        address.types.append(school_type)
        address.moved = address.moved or position != address.position
        schools.append(
            {
                "id": number,
                "name": name,
                "school_type": school_type.value,
                "building_ids": address.building_id,
            }
        )
    if problems:
        raise InputError(problems)
    buildings = [_building(at, address) for at, address in addresses.items()]
    warnings += _address_warnings(addresses.values(), texts)
    return Draft(tuple(buildings), tuple(schools), tuple(warnings))


def _address_warnings(addresses: Iterable[_Address], texts: Texts) -> list[str]:
    warnings = []
    for address in addresses:
        if len(set(address.types)) > 1:
            warnings.append(
                texts(
                    "inventory.schuldaten.several_types",
                    building=address.building_id,
                    schools=" / ".join(address.names),
                )
            )
        if address.moved:
            warnings.append(
                texts("inventory.schuldaten.moved", building=address.building_id)
            )
    return warnings


def _building(at: tuple[str, str, str], address: _Address) -> dict[str, str]:
    street, postcode, city = at
    latitude_deg, longitude_deg = address.position
    types = set(address.types)
    return {
        "id": address.building_id,
        "name": " / ".join(address.names),
        # Which type the report counts a shared building under, people decide.
        "school_type": types.pop().value if len(types) == 1 else "",
        "street": street,
        "postcode": postcode,
        "city": city,
        "latitude_deg": f"{latitude_deg:.{_DECIMALS}f}",
        "longitude_deg": f"{longitude_deg:.{_DECIMALS}f}",
    }


def _csv(kind_name: str, rows: Sequence[Mapping[str, str]]) -> str:
    out = io.StringIO()
    names = [column.name for column in KIND_BY_NAME[kind_name].columns]
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write_draft(draft: Draft, folder: Path, texts: Texts | None = None) -> None:
    """Write the draft and a text file that says what is to be completed.

    Raises:
        InputError: the folder holds files already; a person's work in it is
            never overwritten.
        OSError: the folder cannot be written.
    """
    texts = texts or Texts()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            [
                Problem(
                    str(folder),
                    None,
                    None,
                    texts("inventory.schuldaten.folder_used"),
                    texts("inventory.schuldaten.folder_used_fix"),
                )
            ]
        )
    folder.mkdir(parents=True, exist_ok=True)
    rows = {"buildings": draft.buildings, "schools": draft.schools}
    for kind in KINDS:
        (folder / f"{kind.name}.csv").write_text(
            _csv(kind.name, rows.get(kind.name, ())), encoding="utf-8", newline="\n"
        )
    warnings = draft.warnings or (texts("inventory.schuldaten.no_warnings"),)
    notes = texts(
        "inventory.schuldaten.notes",
        schools=len(draft.schools),
        buildings=len(draft.buildings),
        attribution=texts("inventory.schuldaten.attribution"),
        folder=folder,
        warnings="\n".join(f"  - {warning}" for warning in warnings),
    )
    (folder / NOTES_FILE).write_text(notes, encoding="utf-8", newline="\n")
