"""The classes of connections that the annual report counts."""

from __future__ import annotations

from enum import StrEnum

from netmon.model.city import Line
from netmon.model.words import Technology
from netmon.units import MBIT


class ConnectionClass(StrEnum):
    """The report's connection classes, and the two columns it has no class for."""

    FIBRE = "Glasfaser"
    RADIO = "Richtfunk"
    FROM_100 = "ab 100 Mbit"
    FROM_25_TO_50 = "25 bis 50 Mbit"
    BETWEEN_50_AND_100 = "über 50 bis unter 100 Mbit"
    BELOW_25 = "unter 25 Mbit"
    NO_LINE = "ohne Anschluss"


REPORT_CLASSES = (
    ConnectionClass.FIBRE,
    ConnectionClass.RADIO,
    ConnectionClass.FROM_100,
    ConnectionClass.FROM_25_TO_50,
)

_CLASS_BY_TECHNOLOGY = {
    Technology.FIBRE: ConnectionClass.FIBRE,
    Technology.RADIO: ConnectionClass.RADIO,
}
# Lowest rate of each class, highest class first; "über 50" begins 1 bit/s above.
_CLASS_BY_RATE = (
    (100 * MBIT, ConnectionClass.FROM_100),
    (50 * MBIT + 1, ConnectionClass.BETWEEN_50_AND_100),
    (25 * MBIT, ConnectionClass.FROM_25_TO_50),
    (0, ConnectionClass.BELOW_25),
)


def connection_class(line: Line | None) -> ConnectionClass:
    """Return the report's class of a main line.

    Precedence as in the report: Glasfaser > Richtfunk > rate. The rate is the
    contracted download rate. What fits no class of the report has its own.
    """
    if line is None:
        return ConnectionClass.NO_LINE
    by_technology = _CLASS_BY_TECHNOLOGY.get(line.technology)
    if by_technology is not None:
        return by_technology
    rate_bps = line.contracted_down_bps
    return next(found for floor_bps, found in _CLASS_BY_RATE if rate_bps >= floor_bps)
