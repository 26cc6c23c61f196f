"""The catalogue of what netmon itself writes to the time-series database.

These quantities are not measured but concluded or known: how a building or line
stands, where it lies, what netmon's own parts do. They go straight to the database
(see `netmon.own_record`) and never into the store, so ingest does not know them: no
sender can claim them, and no rule or page mistakes them for a measurement.
"""

from __future__ import annotations

from collections.abc import Mapping

from netmon.quantities import (
    Kind,
    Metric,
    Unit,
    bps,
    count,
    flag,
    metrics_by_name,
    seconds,
)

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


def _standing() -> tuple[Metric, ...]:
    """Return the number and, to be summed, one flag for each word."""
    return (
        Metric("standing", Unit.NONE, 0.0, 100.0),
        *(flag(f"is_{word}") for word in STANDINGS),
    )


_ALL_KINDS = (
    Kind(
        "building",
        ("building", "name", "school_type", "campus_district", "city_district"),
        (
            *_standing(),
            Metric("latitude_deg", Unit.NONE, -90.0, 90.0),
            Metric("longitude_deg", Unit.NONE, -180.0, 180.0),
            count("open_incidents_count", _MAX),
            count("aps_count", _MAX),
            count("aps_ok_count", _MAX),
            count("aps_down_count", _MAX),
            flag("told"),
            flag("below_target"),
        ),
        stale_after_s=_VALID_S,
    ),
    Kind(
        "line",
        ("building", "line", "role", "technology"),
        (
            *_standing(),
            bps("contracted_down_bps"),
            bps("contracted_up_bps"),
            bps("expected_down_bps"),
        ),
        stale_after_s=_VALID_S,
    ),
    Kind(
        "sender",
        ("sender", "sender_kind"),
        (
            flag("silent"),
            seconds("silence_s", _MAX),
            seconds("clock_offset_s", _MAX, low=-_MAX),
        ),
        stale_after_s=_VALID_S,
        optional_tags=("building", "agent"),
    ),
    Kind(
        # A device that answers nothing sends no number; that it is silent is known here.
        "polled_device",
        ("building", "device"),
        (flag("answering"),),
        stale_after_s=_VALID_S,
        optional_tags=("device_kind",),
    ),
    Kind(
        "process",
        ("process",),
        (
            flag("silent"),
            seconds("silence_s", _MAX),
            count("waiting_count", _MAX),
            count("errors_count", _MAX),
        ),
        stale_after_s=_VALID_S,
    ),
    Kind(
        "system",
        ("site",),
        (count("quarantined_count", _MAX), count("open_incidents_count", _MAX)),
        stale_after_s=_VALID_S,
    ),
)

OWN_KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL_KINDS}

OWN_METRICS: Mapping[str, Metric] = metrics_by_name(_ALL_KINDS)
