"""From the text of one cell to a value and back; each refusal has a code.

Every ``parse_...`` raises `RefusedError` for a text that is no such value.

The codes are keys below ``inventory.problem`` in the message catalogues.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from netmon.units import GBIT, KBIT, MBIT, is_ambiguous, parse_rate_bps

# North Rhine-Westphalia with a margin of a few kilometres.
NRW_LATITUDE_DEG = (50.3, 52.6)
NRW_LONGITUDE_DEG = (5.8, 9.5)
# The state's school numbers, ids of devices, MAC addresses: nothing that would
# need quoting in an address of a page or in line protocol.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
_MAC = re.compile(r"[0-9a-f]{12}")
_PLAIN_NUMBER = re.compile(r"\d+([.,]\d+)?")
_RATE_UNIT = re.compile(r"(\d+(?:[.,]\d+)?)\s*([^\d\s.,].*)")
_YES_NO = {
    "true": True,
    "ja": True,
    "yes": True,
    "1": True,
    "false": False,
    "nein": False,
    "no": False,
    "0": False,
}
MAX_COUNT = 100_000
# What people write where a closed list wants its own word: only for the hint.
_SYNONYMS = {
    "glasfaser": "fibre",
    "fiber": "fibre",
    "ftth": "fibre",
    "richtfunk": "radio",
    "funk": "radio",
    "dsl": "vdsl",
    "flächendeckend": "full",
    "vollausbau": "full",
    "partiell": "partial",
    "insellösung": "partial",
    "keine angabe": "unknown",
    "hauptanbindung": "main",
    "haupt": "main",
    "ausfallsicherung": "backup",
    "schule für kranke": "Förderschule",
}


class RefusedError(Exception):
    """A cell was refused: code of the problem and what its texts need."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Cell:
    """How a kind of value is read from and written to a cell.

    ``allowed`` names the words of a closed list; empty where any value may be.
    """

    parse: Callable[[str], object]
    write: Callable[[Any], str]
    allowed: str = ""


def suggestion(given: str, known: list[str]) -> str:
    """Return the known word most like the given one; empty if none is like it."""
    synonym = _SYNONYMS.get(given.casefold(), "")
    if synonym in known:
        return synonym
    by_folded = {word.casefold(): word for word in known}
    match = get_close_matches(given.casefold(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[match[0]] if match else ""


def parse_id(text: str) -> str:
    """Return an id; refused with blanks or characters that need quoting."""
    if not _ID.fullmatch(text):
        raise RefusedError("bad_id", value=text)
    return text


def parse_ids(text: str) -> tuple[str, ...]:
    """Return ids separated by blanks or ``|``, in their order, each once."""
    ids = tuple(parse_id(part) for part in re.split(r"[\s|]+", text) if part)
    if not ids:
        raise RefusedError("empty")
    for one in ids:
        if ids.count(one) > 1:
            raise RefusedError("id_twice", value=one)
    return ids


def parse_count(text: str) -> int:
    """Return a whole number from 0 to `MAX_COUNT`."""
    if not text.isascii() or not text.isdecimal() or int(text) > MAX_COUNT:
        raise RefusedError("bad_count", value=text, maximum=MAX_COUNT)
    return int(text)


def parse_yes_no(text: str) -> bool:
    """Return True for ja, yes, true, 1 and False for nein, no, false, 0."""
    try:
        return _YES_NO[text.casefold()]
    except KeyError:
        raise RefusedError("bad_yes_no", value=text) from None


def parse_date(text: str) -> date:
    """Return an ISO date; a German one is refused with its ISO spelling."""
    if _ISO_DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise RefusedError("no_such_day", value=text) from None
    if match := _GERMAN_DATE.fullmatch(text):
        day, month, year = match.groups()
        iso = f"{year}-{month:0>2}-{day:0>2}"
        raise RefusedError("german_date", value=text, iso=iso)
    raise RefusedError("bad_date", value=text)


def parse_address(text: str) -> str:
    """Return ``host:port``; refused without port or with one above 65535."""
    match = _ADDRESS.fullmatch(text)
    if match is None or not 1 <= int(match.group(1)) <= 65535:
        raise RefusedError("bad_address", value=text)
    return text


def parse_mac(text: str) -> str:
    """Return a hardware address in lower case with colons, however it was written."""
    digits = re.sub(r"[:.\- ]", "", text).lower()
    if _MAC.fullmatch(digits) is None:
        raise RefusedError("bad_mac", value=text)
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def parse_rate(text: str) -> int:
    """Return bit/s of a rate with unit."""
    try:
        return parse_rate_bps(text)
    except ValueError:
        pass
    if _PLAIN_NUMBER.fullmatch(text):
        raise RefusedError("rate_no_unit", value=text)
    match = _RATE_UNIT.fullmatch(text)
    if match is None:
        raise RefusedError("rate_no_number", value=text)
    number, unit = match.group(1), match.group(2).strip()
    if unit.casefold() not in ("bit/s", "kbit/s", "mbit/s", "gbit/s"):
        raise RefusedError("rate_unit", value=text, unit=unit)
    if is_ambiguous(number):
        plain = f"{re.sub('[.,]', '', number)} {unit}"
        raise RefusedError("rate_thousands", value=text, plain=plain)
    raise RefusedError("rate_range", value=text)


def write_rate(rate_bps: int) -> str:
    """Return a rate that `parse_rate` reads back exactly."""
    for factor, unit in ((GBIT, "Gbit/s"), (MBIT, "Mbit/s"), (KBIT, "kbit/s")):
        if rate_bps % factor == 0:
            return f"{rate_bps // factor} {unit}"
    return f"{rate_bps} bit/s"


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def inside_nrw(latitude_deg: float, longitude_deg: float) -> bool:
    """Say whether a point lies in North Rhine-Westphalia or a little beside it."""
    return _within(latitude_deg, NRW_LATITUDE_DEG) and _within(
        longitude_deg, NRW_LONGITUDE_DEG
    )


def _degrees(
    text: str, own: tuple[float, float], other: tuple[float, float], outside: str
) -> float:
    # Plain decimals only: float() would also take "nan", "inf" and "1_0".
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        raise RefusedError("bad_degrees", value=text, point=text.replace(",", "."))
    value = float(text)
    if _within(value, own):
        return value
    code = "swapped_degrees" if _within(value, other) else outside
    raise RefusedError(code, value=text)


def parse_latitude(text: str) -> float:
    """Return degrees north, inside North Rhine-Westphalia."""
    return _degrees(text, NRW_LATITUDE_DEG, NRW_LONGITUDE_DEG, "latitude_outside")


def parse_longitude(text: str) -> float:
    """Return degrees east, inside North Rhine-Westphalia."""
    return _degrees(text, NRW_LONGITUDE_DEG, NRW_LATITUDE_DEG, "longitude_outside")


def choice(kind: type[StrEnum]) -> Cell:
    """Return how a word of a closed list is read; refusals name the list."""
    known = [member.value for member in kind]
    allowed = ", ".join(known)

    def parse(text: str) -> StrEnum:
        try:
            return kind(text)
        except ValueError:
            pass
        nearest = suggestion(text, known)
        code = "unknown_word_near" if nearest else "unknown_word"
        raise RefusedError(code, value=text, allowed=allowed, nearest=nearest)

    return Cell(parse, str, allowed)


TEXT = Cell(lambda text: text, str)
ID = Cell(parse_id, str)
IDS = Cell(parse_ids, " ".join)
COUNT = Cell(parse_count, str)
YES_NO = Cell(parse_yes_no, lambda value: "true" if value else "false")
DATE = Cell(parse_date, date.isoformat)
ADDRESS = Cell(parse_address, str)
MAC = Cell(parse_mac, str)
RATE = Cell(parse_rate, write_rate)
LATITUDE = Cell(parse_latitude, repr)
LONGITUDE = Cell(parse_longitude, repr)

# A field of this name, else of this type, is read so.
BY_NAME: dict[str, Cell] = {
    "address": ADDRESS,
    "mac": MAC,
    "latitude_deg": LATITUDE,
    "longitude_deg": LONGITUDE,
    "contracted_down_bps": RATE,
    "contracted_up_bps": RATE,
    "normal_down_bps": RATE,
    "normal_up_bps": RATE,
    "minimum_down_bps": RATE,
    "minimum_up_bps": RATE,
    "capacity_bps": RATE,
}
BY_TYPE: dict[object, Cell] = {
    str: TEXT,
    int: COUNT,
    bool: YES_NO,
    date: DATE,
    tuple[str, ...]: IDS,
}
