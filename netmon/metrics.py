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
MAX_COUNT = 1e6
_MAX_COUNTER = 2.0**64


class Unit(StrEnum):
    """Units as they end the metric's name; ``COUNT`` and ``NONE`` are bare."""

    BITS_PER_SECOND = "bps"
    ROUNDS_PER_MINUTE = "rpm"
    BYTES = "bytes"
    SECONDS = "s"
    RATIO = "ratio"
    DBM = "dbm"
    DB = "db"
    QAM = "qam"
    HERTZ = "hz"
    WATT = "w"
    COUNT = "count"
    TOTAL = "total"
    NONE = ""


class Layer(StrEnum):
    """Which bytes a rate counts: a line of 100 Mbit/s carries 95 of TCP payload."""

    NONE = ""
    IP = "ip"
    TCP_PAYLOAD = "tcp_payload"


@dataclass(frozen=True, slots=True)
class Metric:
    """One number: its name with unit, and the range outside which it is refused."""

    name: str
    unit: Unit
    low: float
    high: float
    layer: Layer = Layer.NONE


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


def _bps(name: str, layer: Layer = Layer.NONE) -> Metric:
    return Metric(name, Unit.BITS_PER_SECOND, 0.0, float(MAX_RATE_BPS), layer)


def _rates(way: str) -> tuple[Metric, ...]:
    """Return what a test says of one direction; see docs/dev/metrics.md."""
    return (
        _bps(f"rate_{way}_bps", Layer.TCP_PAYLOAD),
        _bps(f"rate_{way}_low_bps", Layer.TCP_PAYLOAD),
        _bps(f"rate_{way}_high_bps", Layer.TCP_PAYLOAD),
        _bps(f"at_least_{way}_bps", Layer.TCP_PAYLOAD),
        _bps(f"goodput_{way}_bps", Layer.TCP_PAYLOAD),
        _bps(f"capacity_{way}_bps", Layer.IP),
        _bps(f"cross_{way}_bps", Layer.IP),
        _bps(f"demand_{way}_bps", Layer.IP),
    )


def _seconds(name: str, high: float = HOUR_S) -> Metric:
    return Metric(name, Unit.SECONDS, 0.0, high)


def _ratio(name: str) -> Metric:
    return Metric(name, Unit.RATIO, 0.0, 1.0)


def _count(name: str) -> Metric:
    return Metric(name, Unit.COUNT, 0.0, MAX_COUNT)


def _total(name: str) -> Metric:
    return Metric(name, Unit.TOTAL, 0.0, _MAX_COUNTER)


def _flag(name: str) -> Metric:
    return Metric(name, Unit.NONE, 0.0, 1.0)


def _decibel(name: str, low: float, high: float) -> Metric:
    return Metric(name, Unit.DB, low, high)


def _dbm(name: str, low: float, high: float) -> Metric:
    return Metric(name, Unit.DBM, low, high)


def _hertz(name: str, low: float, high: float) -> Metric:
    return Metric(name, Unit.HERTZ, low, high)


def _qam(name: str) -> Metric:
    # 2 is BPSK, 4 is QPSK; what has no phase at all is no radio link.
    return Metric(name, Unit.QAM, 2.0, 65_536.0)


def _optical(name: str) -> Metric:
    # SFF-8472 counts 0.1 uW up to 6.6 mW (-40 to 8.2 dBm); amplifiers send more.
    return Metric(name, Unit.DBM, -60.0, 30.0)


_YEARS_S = 20 * 366 * 24 * HOUR_S

_ALL_KINDS = (
    Kind(
        "throughput",
        ("building", "line", "method"),
        (
            *_rates("down"),
            *_rates("up"),
            _bps("threshold_bps", Layer.TCP_PAYLOAD),
            _seconds("rtt_idle_s"),
            _seconds("rtt_loaded_s"),
            Metric("responsiveness_rpm", Unit.ROUNDS_PER_MINUTE, 0.0, MAX_COUNT),
            _ratio("retransmitted_ratio"),
            Metric("transferred_bytes", Unit.BYTES, 0.0, _MAX_COUNTER),
            _seconds("duration_s"),
            _seconds("window_s"),
            _seconds("counter_refresh_s"),
            _count("streams_count"),
            # The probe's certificate: what it could have shown at that moment.
            _seconds("probe_late_s"),
            _ratio("cpu_busy_ratio"),
            _ratio("cpu_steal_ratio"),
            _bps("port_speed_bps"),
            _bps("loopback_ceiling_bps"),
            Metric("clock_offset_s", Unit.SECONDS, -_YEARS_S, _YEARS_S),
        ),
        stale_after_s=3 * HOUR_S,
        # Few values each: a series is one way of measuring, so each record keeps
        # how it came about.
        optional_tags=("direction", "basis", "congestion", "purpose", "campaign"),
    ),
    Kind(
        "latency",
        ("building", "line"),
        (
            _seconds("rtt_s"),
            _seconds("rtt_min_s"),
            _seconds("rtt_max_s"),
            _seconds("jitter_s"),
            _seconds("spread_down_s"),
            _seconds("spread_up_s"),
            _ratio("loss_ratio"),
            _count("late_count"),
            _count("duplicate_count"),
            _count("reordered_count"),
        ),
        stale_after_s=15 * MINUTE_S,
    ),
    Kind(
        # One record a segment, all of one run at the same moment.
        "path",
        ("building", "line", "segment"),
        (
            _seconds("rtt_s"),
            _seconds("rtt_min_s"),
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
        # Of no building; the totals count since the collector's start.
        "collector_health",
        ("collector",),
        (
            _count("devices_count"),
            _count("silent_devices_count"),
            _count("longest_walk_rows_count"),
            *(
                _total(f"{name}_total")
                for name in (
                    "polls",
                    "failed_polls",
                    "structures",
                    "skipped",
                    "overdue",
                    "requests",
                    "retries",
                    "timeouts",
                    "unreadable",
                    "refused",
                    "splits",
                    "walks",
                    "walk_rows",
                    "sessions_opened",
                    "traps",
                    "traps_strange",
                    "traps_limited",
                    "traps_refused",
                    "traps_unreadable",
                    "traps_unknown",
                    "trap_polls",
                )
            ),
            _count("spool_records_count"),
            _total("spool_dropped_total"),
            _total("spool_rejected_total"),
        ),
        stale_after_s=15 * MINUTE_S,
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
        (
            _flag("up"),
            _count("clients_count"),
            _seconds("uptime_s", _YEARS_S),
            _bps("uplink_speed_bps"),
        ),
        stale_after_s=15 * MINUTE_S,
    ),
    Kind(
        # What a controller says of itself as a whole, beside what its tables list:
        # the two may contradict each other, and neither corrects the other.
        "wlan_controller",
        ("building", "device"),
        (
            _count("aps_count"),
            _count("aps_total_count"),
            _count("clients_count"),
            _count("listed_aps_count"),
            _count("listed_clients_count"),
        ),
        stale_after_s=15 * MINUTE_S,
    ),
    Kind(
        "wlan_radio",
        ("building", "device", "ap", "radio"),
        (
            _flag("up"),
            _hertz("band_hz", 2.4e9, 6e9),
            Metric("channel", Unit.NONE, 0.0, 300.0),
            _hertz("width_hz", 5e6, 320e6),
            _count("clients_count"),
            _ratio("utilisation_ratio"),
            _ratio("retries_ratio"),
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
            _flag("full_duplex"),
            _flag("poe_on"),
            Metric("poe_w", Unit.WATT, 0.0, 200.0),
            _total("in_octets_total"),
            _total("out_octets_total"),
            _total("in_errors_total"),
            _total("out_errors_total"),
            # Between two polls, as the collector compares them.
            _bps("in_rate_bps"),
            _bps("out_rate_bps"),
            _total("oper_changes_total"),
        ),
        stale_after_s=30 * MINUTE_S,
        keep_rollups=False,
    ),
    # The line's own medium, as the device that ends it in the building tells.
    Kind(
        "line_dsl",
        ("building", "device", "line"),
        (
            _flag("up"),
            _bps("rate_down_bps"),
            _bps("rate_up_bps"),
            _bps("attainable_down_bps"),
            _bps("attainable_up_bps"),
            _decibel("snr_margin_down_db", -64.0, 63.0),
            _decibel("snr_margin_up_db", -64.0, 63.0),
            _decibel("attenuation_down_db", 0.0, 127.0),
            _decibel("attenuation_up_db", 0.0, 127.0),
            _count("resyncs_day_count"),
            _total("resyncs_total"),
            _count("errored_seconds_15min_count"),
            _count("severely_errored_seconds_15min_count"),
            _total("errored_seconds_total"),
            _total("crc_errors_total"),
        ),
        stale_after_s=30 * MINUTE_S,
        optional_tags=("port",),
    ),
    Kind(
        "line_optics",
        ("building", "device", "line", "port"),
        (
            _optical("rx_dbm"),
            _optical("tx_dbm"),
            *(
                _optical(f"{way}_{side}_{grade}_dbm")
                for way in ("rx", "tx")
                for side in ("low", "high")
                for grade in ("alarm", "warn")
            ),
        ),
        stale_after_s=30 * MINUTE_S,
    ),
    Kind(
        "line_radio",
        ("building", "device", "line", "radio"),
        (
            _flag("up"),
            _dbm("rx_level_dbm", -120.0, 10.0),
            _dbm("rx_level_2_dbm", -120.0, 10.0),
            _dbm("rx_level_far_dbm", -120.0, 10.0),
            _dbm("noise_dbm", -130.0, 0.0),
            # Some units count the antenna in (EIRP).
            _dbm("tx_power_dbm", -40.0, 90.0),
            _decibel("snr_db", -30.0, 80.0),
            _decibel("mse_db", -80.0, 0.0),
            _qam("modulation_qam"),
            _qam("modulation_far_qam"),
            _bps("capacity_down_bps"),
            _bps("capacity_up_bps"),
            _bps("rate_down_bps"),
            _bps("rate_up_bps"),
            _ratio("airtime_ratio"),
            _total("errored_blocks_total"),
        ),
        stale_after_s=30 * MINUTE_S,
    ),
    Kind(
        # What netmon concludes of sockets, ports and access points; network is lan
        # or wlan. Without a list to go by a record lacks the numbers.
        "coverage",
        ("building", "network"),
        (
            _count("rooms_count"),
            _count("covered_count"),
            _count("open_count"),
            _ratio("low_ratio"),
            _ratio("high_ratio"),
            _flag("declared_full"),
            _flag("measured_full"),
            _flag("contradicts"),
        ),
        stale_after_s=15 * MINUTE_S,
        keep_rollups=False,
    ),
)

# Kinds that tell of the medium of a line, not of what was measured over it.
MEDIUM_KINDS = ("line_dsl", "line_optics", "line_radio")

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL_KINDS}

# Every metric as the time-series database names it: kind, underscore, metric.
METRICS: Mapping[str, Metric] = {
    f"{kind.name}_{metric.name}": metric
    for kind in _ALL_KINDS
    for metric in kind.metrics
}

# In rollups a failed measurement is counted under this name; it is no metric.
FAILURES = "failures"
