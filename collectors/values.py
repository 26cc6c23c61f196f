"""What one value of a device means: pure."""

from __future__ import annotations

import math
import re
import unicodedata

from collectors.base import Value
from collectors.platform_model import DARK_DBM, Column

MAX_TEXT = 128

# An unsigned 32-bit number from here on was a negative one.
_SIGN = 2**31
_MAC_OCTETS = 6
# What float() takes beside this ("1_0", digits of other scripts, "nan") is no number.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$", re.IGNORECASE)
# Counter64 ends there; broken agents send longer integers.
_MAX_INTEGER = 2**64
_PRINTABLE = re.compile(rb"[\x21-\x7e]*$")
# A recording of a printed walk: an octet, then the bits in it ("28 2 4").
_PRINTED_BITS = re.compile(rb"([0-9A-F]{2})(?: \d)+$")


def clean_text(value: Value) -> str:
    """Return text of a device: UTF-8, else Latin-1, without control characters.

    Runs of white space become one blank, and 128 characters are enough.
    """
    if isinstance(value, int):
        return str(value)
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    kept = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or not unicodedata.category(char).startswith("C")
    )
    return " ".join(kept.split())[:MAX_TEXT].strip()


def cut_out(pattern: str, text: str) -> str:
    """Return the one group of a pattern; all the text where there is none."""
    if not pattern:
        return text
    match = re.search(pattern, text)
    return (match.group(1) or "").strip() if match else ""


def number(column: Column, value: Value) -> float | None:
    """Return a column's value in the field's unit; None where it says nothing."""
    if column.bits:
        return _bit(column, value) if isinstance(value, bytes) else None
    is_open = column.low is None and column.high is None
    if isinstance(value, bytes) and column.becomes is not None and value and is_open:
        return column.becomes
    if isinstance(value, bytes) and column.words:
        word = _word(column, clean_text(value))
        if word is not None and word in column.words:
            return column.words[word]
    if column.words and not column.pattern:
        return None
    raw = _raw(column, value)
    if (
        raw is None
        or raw in column.missing
        or not _within(raw, column.low, column.high)
    ):
        return None
    return _meaning(column, raw)


def _meaning(column: Column, raw: float) -> float | None:
    if column.becomes is not None:
        return column.becomes
    if raw in column.dark:
        return DARK_DBM
    if column.enumeration:
        code = column.enumeration.get(int(raw)) if raw.is_integer() else None
        return None if code is None else float(code)
    if column.milliwatt:
        return dbm_of_milliwatt(raw * column.scale)
    # 57 x 0.01 is 0.5700000000000001 otherwise.
    told = raw + column.offset
    return told if column.scale == 1 else round(told * column.scale, 9)


def _bit(column: Column, value: bytes) -> float:
    """Return 1 for a BITS value that has a wanted bit and no unwanted one."""
    printed = _PRINTED_BITS.match(value)
    if printed:
        value = bytes.fromhex(printed.group(1).decode())
    # Bit 0 is the first and highest one.
    said = {
        8 * place + bit
        for place, octet in enumerate(value)
        for bit in range(8)
        if octet & (0x80 >> bit)
    }
    wanted = bool(said.intersection(column.bits))
    return float(wanted and said.isdisjoint(column.without_bits))


def _word(column: Column, text: str) -> str | None:
    """Return what of a text may be a word: what the pattern cuts out, else all of it.

    None of an empty text in which the pattern does not find its empty word.
    """
    match = re.search(column.pattern, text) if column.pattern else None
    cut = (match.group(1) or "").strip().casefold() if match else ""
    if match and cut in column.words:
        return cut
    return text.casefold() or None


def _raw(column: Column, value: Value) -> float | None:
    """Return the number in a value before it means anything."""
    if isinstance(value, bytes):
        text = cut_out(column.pattern, clean_text(value))
        if not _NUMBER.match(text):
            return None
        raw = float(text)
    elif abs(value) > _MAX_INTEGER:
        return None
    else:
        raw = float(value)
    if not math.isfinite(raw):
        return None
    return raw - 2 * _SIGN if column.signed and raw >= _SIGN else raw


def text_of(column: Column, value: Value) -> str:
    """Return what a text column says; a hardware address in the usual pairs."""
    if column.octets and isinstance(value, bytes) and len(value) == _MAC_OCTETS:
        # "1/1/17" has six characters too.
        return value.decode() if _PRINTABLE.match(value) else value.hex(":")
    return cut_out(column.pattern, clean_text(value))


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or low <= value) and (high is None or value <= high)


def dbm_of_milliwatt(power_mw: float) -> float | None:
    """Return dBm, `DARK_DBM` for no power; None for what is no power at all."""
    if power_mw < 0:
        return None
    if power_mw == 0:
        return DARK_DBM
    return round(10 * math.log10(power_mw), 2)
