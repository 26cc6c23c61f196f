"""Units at the edges: inside are bit/s, seconds, ratios, dBm."""

from __future__ import annotations

import re

from netmon.errors import WrongValueError

KBIT = 1_000
MBIT = 1_000_000
GBIT = 1_000_000_000
MINUTE_S = 60.0
HOUR_S = 3600.0

_RATE = re.compile(r"^\s*(\d+(?:[.,]\d+)?)\s*([A-Za-z/]*)\s*$")
# 1.000 is a thousand to a German and one to a program: nobody is to guess.
_THOUSANDS = re.compile(r"\d{1,3}[.,]\d{3}")
_FACTORS = {
    "bit/s": 1,
    "kbit/s": KBIT,
    "mbit/s": MBIT,
    "gbit/s": GBIT,
}
# Above what any school line can be; a larger number is a slip of the unit.
MAX_RATE_BPS = 100 * GBIT
MIN_RATE_BPS = 64 * KBIT


def is_ambiguous(number: str) -> bool:
    """Say whether a separator may stand for thousands as well as for decimals."""
    return _THOUSANDS.fullmatch(number) is not None


def named_rate_bps(name: str, text: str) -> int:
    """Return bit/s of the setting of a name; raises as `parse_rate_bps`, with it."""
    try:
        return parse_rate_bps(text)
    except WrongValueError as error:
        raise WrongValueError(error.code, name=name, **error.values) from None


def parse_rate_bps(text: str) -> int:
    """Return bit/s of a rate such as ``100 Mbit/s``, ``1 Gbit/s``, ``16000 kbit/s``.

    A number without a unit is refused: 100 could be bit/s or Mbit/s.

    Raises:
        WrongValueError: no number, one with a separator of thousands, no or unknown
            unit, or outside 64 kbit/s to 100 Gbit/s; the code says which.
    """
    match = _RATE.match(text)
    if match is None:
        raise WrongValueError("no_rate", value=text)
    number, unit = match.groups()
    if not unit:
        raise WrongValueError("rate_without_unit", value=text, number=number)
    factor = _FACTORS.get(unit.lower())
    if factor is None:
        raise WrongValueError("rate_unit", unit=unit)
    if is_ambiguous(number):
        plain = re.sub(r"[.,]", "", number)
        raise WrongValueError("rate_thousands", value=text, plain=f"{plain} {unit}")
    rate_bps = round(float(number.replace(",", ".")) * factor)
    if not MIN_RATE_BPS <= rate_bps <= MAX_RATE_BPS:
        raise WrongValueError("rate_outside", value=text)
    return rate_bps


def to_mbits(rate_bps: float) -> float:
    """Return Mbit/s of a rate in bit/s."""
    return rate_bps / MBIT
