"""The catalogue of measured quantities: what may be stored, and within what range.

A *kind* is one sort of measurement; its *tags* say what was measured, its
*metrics* are the numbers. Ingest accepts only what stands here, pages take
labels from here, and dashboards may query only names from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from netmon.units import MAX_RATE_BPS

MINUTE_S = 60.0
HOUR_S = 3600.0
_MAX_COUNT = 1e6
_MAX_COUNTER = 2.0**64


class Unit(StrEnum):
    """Units as they end the metric's name; ``COUNT`` and ``NONE`` are bare."""

    BITS_PER_SECOND = "bps"
    BYTES = "bytes"
    SECONDS = "s"
    RATIO = "ratio"
    DBM = "dbm"
    COUNT = "count"
    TOTAL = "total"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number: its name with unit, and the range outside which it is refused."""

    name: str
    unit: Unit
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of measurement.

    ``tags`` are required, ``optional_tags`` allowed. A value older than
    ``stale_after_s`` says nothing about now. ``keep_rollups`` is False for what
    nobody will ask for in a year (and there is a lot of it).
    """

    name: str
    tags: tuple[str, ...]
    metrics: tuple[Metric, ...]
    stale_after_s: float
    optional_tags: tuple[str, ...] = ()
    keep_rollups: bool = True


def _bps(name: str) -> Metric:
    return Metric(name, Unit.BITS_PER_SECOND, 0.0, float(MAX_RATE_BPS))


def _seconds(name: str, high: float = HOUR_S) -> Metric:
    return Metric(name, Unit.SECONDS, 0.0, high)


def _ratio(name: str) -> Metric:
    return Metric(name, Unit.RATIO, 0.0, 1.0)


def _count(name: str) -> Metric:
    return Metric(name, Unit.COUNT, 0.0, _MAX_COUNT)


def _total(name: str) -> Metric:
    return Metric(name, Unit.TOTAL, 0.0, _MAX_COUNTER)


def _flag(name: str) -> Metric:
    return Metric(name, Unit.NONE, 0.0, 1.0)


_YEARS_S = 20 * 366 * 24 * HOUR_S

_ALL_KINDS = (
    Kind(
        "throughput",
        ("building", "line", "method"),
        (
            _bps("rate_down_bps"),
            _bps("rate_up_bps"),
            Metric("transferred_bytes", Unit.BYTES, 0.0, _MAX_COUNTER),
            _seconds("duration_s"),
        ),
        stale_after_s=3 * HOUR_S,
    ),
    Kind(
        "latency",
        ("building", "line"),
        (
            _seconds("rtt_s"),
            _seconds("rtt_min_s"),
            _seconds("rtt_max_s"),
            _seconds("jitter_s"),
            _ratio("loss_ratio"),
        ),
        stale_after_s=15 * MINUTE_S,
    ),
    Kind(
        "dns",
        ("building", "line"),
        (_seconds("duration_s"),),
        stale_after_s=HOUR_S,
    ),
    Kind(
        "probe_link",
        ("building", "probe"),
        (_bps("speed_bps"), _flag("full_duplex")),
        stale_after_s=6 * HOUR_S,
        keep_rollups=False,
    ),
    Kind(
        "probe_health",
        ("building", "probe"),
        (
            _count("spool_records_count"),
            _total("spool_added_total"),
            _total("spool_sent_total"),
            _total("spool_dropped_total"),
            _total("spool_rejected_total"),
            Metric("spool_bytes", Unit.BYTES, 0.0, _MAX_COUNTER),
        ),
        stale_after_s=HOUR_S,
        keep_rollups=False,
    ),
    Kind(
        "device",
        ("building", "device"),
        (_flag("up"), _seconds("uptime_s", _YEARS_S), _seconds("poll_duration_s")),
        stale_after_s=15 * MINUTE_S,
    ),
    Kind(
        "wlan_ap",
        ("building", "device", "ap"),
        (_flag("up"), _count("clients_count"), _seconds("uptime_s", _YEARS_S)),
        stale_after_s=15 * MINUTE_S,
    ),
    Kind(
        "wlan_radio",
        ("building", "device", "ap", "radio"),
        (
            Metric("channel", Unit.NONE, 0.0, 300.0),
            _count("clients_count"),
            _ratio("utilisation_ratio"),
            Metric("noise_dbm", Unit.DBM, -120.0, 0.0),
            Metric("tx_power_dbm", Unit.DBM, -30.0, 40.0),
        ),
        stale_after_s=15 * MINUTE_S,
        keep_rollups=False,
    ),
    Kind(
        "lan_port",
        ("building", "device", "port"),
        (
            _flag("oper_up"),
            _flag("admin_up"),
            _bps("speed_bps"),
            _total("in_octets_total"),
            _total("out_octets_total"),
            _total("in_errors_total"),
            _total("out_errors_total"),
        ),
        stale_after_s=30 * MINUTE_S,
        keep_rollups=False,
    ),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL_KINDS}

# Every metric as the time-series database names it: kind, underscore, metric.
METRICS: Mapping[str, Metric] = {
    f"{kind.name}_{metric.name}": metric
    for kind in _ALL_KINDS
    for metric in kind.metrics
}

# In rollups a failed measurement is counted under this name; it is no metric.
FAILURES = "failures"
