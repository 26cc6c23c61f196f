"""What all replies write alike: times in UTC, and what stands beside a reading."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from dashboards.views import Reading
from netmon.clock import from_ms


class Told(TypedDict):
    """When a reading was taken, and what it is worth now."""

    measured_at: datetime | None
    stale: bool
    generated: bool


def at(ms: int | None) -> datetime | None:
    """Return the UTC time; None stays None."""
    return None if ms is None else from_ms(ms)


def whole(value: float | None) -> int | None:
    """Return the rounded number; None stays None."""
    return None if value is None else round(value)


def told(reading: Reading) -> Told:
    """Return what stands beside a reading's number."""
    return Told(
        measured_at=at(reading.at_ms),
        stale=reading.stale,
        generated=reading.generated,
    )
