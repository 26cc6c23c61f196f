"""The catalogue of what netmon itself writes to the time-series database.

These quantities are not measured but concluded or known: how a building or line
stands, where it lies, what netmon's own parts do. They go straight to the database
(see `netmon.own_record`) and never into the store, so ingest does not know them: no
sender can claim them, and no rule or page mistakes them for a measurement.
"""

from __future__ import annotations

from collections.abc import Mapping

from netmon.metrics import Kind, Layer, Metric, Unit
from netmon.units import MAX_RATE_BPS

_MAX = 1e9
_VALID_S = 5 * 60.0

# How things stand, as pages show it, worst first. The numbers are kept for good in
# databases: a new word gets a number of its own, between its neighbours'.
STANDINGS: Mapping[str, int] = {
    "bad": 10,
    "never_seen": 12,
    "degraded": 15,
    "suspect": 20,
    "stale": 30,
    "probe_limited": 40,
    "unknown": 50,
    "saturated": 60,
    "below_contract": 70,
    "ok": 80,
}


def _flag(name: str) -> Metric:
    return Metric(name, Unit.NONE, 0.0, 1.0)


def _count(name: str) -> Metric:
    return Metric(name, Unit.COUNT, 0.0, _MAX)


def _bps(name: str) -> Metric:
    return Metric(name, Unit.BITS_PER_SECOND, 0.0, float(MAX_RATE_BPS), Layer.NONE)


def _seconds(name: str, low: float = 0.0) -> Metric:
    return Metric(name, Unit.SECONDS, low, _MAX)


def _standing() -> tuple[Metric, ...]:
    """Return the number and, to be summed, one flag for each word."""
    return (
        Metric("standing", Unit.NONE, 0.0, 100.0),
        *(_flag(f"is_{word}") for word in STANDINGS),
    )


_ALL_KINDS = (
    Kind(
        "building",
        ("building", "name", "school_type", "campus_district", "city_district"),
        (
            *_standing(),
            Metric("latitude_deg", Unit.NONE, -90.0, 90.0),
            Metric("longitude_deg", Unit.NONE, -180.0, 180.0),
            _count("open_incidents_count"),
            _count("aps_count"),
            _count("aps_ok_count"),
            _count("aps_down_count"),
            _flag("told"),
            _flag("below_target"),
        ),
        stale_after_s=_VALID_S,
    ),
    Kind(
        "line",
        ("building", "line", "role", "technology"),
        (
            *_standing(),
            _bps("contracted_down_bps"),
            _bps("contracted_up_bps"),
            _bps("expected_down_bps"),
        ),
        stale_after_s=_VALID_S,
    ),
    Kind(
        "sender",
        ("sender", "sender_kind"),
        (_flag("silent"), _seconds("silence_s"), _seconds("clock_offset_s", -_MAX)),
        stale_after_s=_VALID_S,
        optional_tags=("building", "agent"),
    ),
    Kind(
        # A device that answers nothing sends no number; that it is silent is known here.
        "polled_device",
        ("building", "device"),
        (_flag("answering"),),
        stale_after_s=_VALID_S,
        optional_tags=("device_kind",),
    ),
    Kind(
        "process",
        ("process",),
        (
            _flag("silent"),
            _seconds("silence_s"),
            _count("waiting_count"),
            _count("errors_count"),
        ),
        stale_after_s=_VALID_S,
    ),
    Kind(
        "system",
        ("site",),
        (_count("quarantined_count"), _count("open_incidents_count")),
        stale_after_s=_VALID_S,
    ),
)

OWN_KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL_KINDS}

OWN_METRICS: Mapping[str, Metric] = {
    f"{kind.name}_{metric.name}": metric
    for kind in _ALL_KINDS
    for metric in kind.metrics
}
