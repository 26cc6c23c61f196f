"""The catalogue of measured quantities: what may be stored, and within what range.

A *kind* is one sort of measurement; its *tags* say what was measured, its
*metrics* are the numbers. Ingest accepts only what stands here, pages take
labels from here, and dashboards may query only names from here.
"""

from __future__ import annotations

from collections.abc import Mapping

from netmon.quantities import (
    MAX_COUNT,
    MAX_COUNTER,
    Kind,
    Layer,
    Metric,
    Unit,
    bps,
    count,
    dbm,
    decibel,
    flag,
    hertz,
    metrics_by_name,
    optical,
    qam,
    ratio,
    seconds,
    total,
)
from netmon.units import HOUR_S, MINUTE_S


def _rates(way: str) -> tuple[Metric, ...]:
    """Return what a test says of one direction; see docs/dev/metrics.md."""
    return (
        bps(f"rate_{way}_bps", Layer.TCP_PAYLOAD),
        bps(f"rate_{way}_low_bps", Layer.TCP_PAYLOAD),
        bps(f"rate_{way}_high_bps", Layer.TCP_PAYLOAD),
        bps(f"at_least_{way}_bps", Layer.TCP_PAYLOAD),
        bps(f"goodput_{way}_bps", Layer.TCP_PAYLOAD),
        bps(f"capacity_{way}_bps", Layer.IP),
        bps(f"cross_{way}_bps", Layer.IP),
        bps(f"demand_{way}_bps", Layer.IP),
    )


_YEARS_S = 20 * 366 * 24 * HOUR_S

_ALL_KINDS = (
    Kind(
        "throughput",
        ("building", "line", "method"),
        (
            *_rates("down"),
            *_rates("up"),
            bps("threshold_bps", Layer.TCP_PAYLOAD),
            seconds("rtt_idle_s"),
            seconds("rtt_loaded_s"),
            Metric("responsiveness_rpm", Unit.ROUNDS_PER_MINUTE, 0.0, MAX_COUNT),
            ratio("retransmitted_ratio"),
            Metric("transferred_bytes", Unit.BYTES, 0.0, MAX_COUNTER),
            seconds("duration_s"),
            seconds("window_s"),
            seconds("counter_refresh_s"),
            count("streams_count"),
            # The probe's certificate: what it could have shown at that moment.
            seconds("probe_late_s"),
            ratio("cpu_busy_ratio"),
            ratio("cpu_steal_ratio"),
            bps("port_speed_bps"),
            bps("loopback_ceiling_bps"),
            seconds("clock_offset_s", _YEARS_S, low=-_YEARS_S),
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
            seconds("rtt_s"),
            seconds("rtt_min_s"),
            seconds("rtt_max_s"),
            seconds("jitter_s"),
            seconds("spread_down_s"),
            seconds("spread_up_s"),
            ratio("loss_ratio"),
            count("late_count"),
            count("duplicate_count"),
            count("reordered_count"),
        ),
        stale_after_s=15 * MINUTE_S,
    ),
    Kind(
        # One record a segment, all of one run at the same moment.
        "path",
        ("building", "line", "segment"),
        (
            seconds("rtt_s"),
            seconds("rtt_min_s"),
            seconds("jitter_s"),
            ratio("loss_ratio"),
        ),
        stale_after_s=15 * MINUTE_S,
    ),
    Kind(
        "dns",
        ("building", "line"),
        (seconds("duration_s"),),
        stale_after_s=HOUR_S,
    ),
    Kind(
        "probe_link",
        ("building", "probe"),
        (bps("speed_bps"), flag("full_duplex")),
        stale_after_s=6 * HOUR_S,
        keep_rollups=False,
    ),
    Kind(
        "probe_health",
        ("building", "probe"),
        (
            count("spool_records_count"),
            total("spool_added_total"),
            total("spool_sent_total"),
            total("spool_dropped_total"),
            total("spool_rejected_total"),
            Metric("spool_bytes", Unit.BYTES, 0.0, MAX_COUNTER),
        ),
        stale_after_s=HOUR_S,
        keep_rollups=False,
    ),
    Kind(
        # Of no building; the totals count since the collector's start.
        "collector_health",
        ("collector",),
        (
            count("devices_count"),
            count("silent_devices_count"),
            count("longest_walk_rows_count"),
            *(
                total(f"{name}_total")
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
            count("spool_records_count"),
            total("spool_dropped_total"),
            total("spool_rejected_total"),
        ),
        stale_after_s=15 * MINUTE_S,
        keep_rollups=False,
    ),
    Kind(
        "device",
        ("building", "device"),
        (flag("up"), seconds("uptime_s", _YEARS_S), seconds("poll_duration_s")),
        stale_after_s=15 * MINUTE_S,
    ),
    Kind(
        "wlan_ap",
        ("building", "device", "ap"),
        (
            flag("up"),
            count("clients_count"),
            seconds("uptime_s", _YEARS_S),
            bps("uplink_speed_bps"),
        ),
        stale_after_s=15 * MINUTE_S,
    ),
    Kind(
        # What a controller says of itself as a whole, beside what its tables list:
        # the two may contradict each other, and neither corrects the other.
        "wlan_controller",
        ("building", "device"),
        (
            count("aps_count"),
            count("aps_total_count"),
            count("clients_count"),
            count("listed_aps_count"),
            count("listed_clients_count"),
        ),
        stale_after_s=15 * MINUTE_S,
    ),
    Kind(
        "wlan_radio",
        ("building", "device", "ap", "radio"),
        (
            flag("up"),
            hertz("band_hz", 2.4e9, 6e9),
            Metric("channel", Unit.NONE, 0.0, 300.0),
            hertz("width_hz", 5e6, 320e6),
            count("clients_count"),
            ratio("utilisation_ratio"),
            ratio("retries_ratio"),
            dbm("noise_dbm", -120.0, 0.0),
            dbm("tx_power_dbm", -30.0, 40.0),
        ),
        stale_after_s=15 * MINUTE_S,
        keep_rollups=False,
    ),
    Kind(
        "lan_port",
        ("building", "device", "port"),
        (
            flag("oper_up"),
            flag("admin_up"),
            bps("speed_bps"),
            flag("full_duplex"),
            flag("poe_on"),
            Metric("poe_w", Unit.WATT, 0.0, 200.0),
            total("in_octets_total"),
            total("out_octets_total"),
            total("in_errors_total"),
            total("out_errors_total"),
            # Between two polls, as the collector compares them.
            bps("in_rate_bps"),
            bps("out_rate_bps"),
            total("oper_changes_total"),
        ),
        stale_after_s=30 * MINUTE_S,
        keep_rollups=False,
    ),
    # The line's own medium, as the device that ends it in the building tells.
    Kind(
        "line_dsl",
        ("building", "device", "line"),
        (
            flag("up"),
            bps("rate_down_bps"),
            bps("rate_up_bps"),
            bps("attainable_down_bps"),
            bps("attainable_up_bps"),
            decibel("snr_margin_down_db", -64.0, 63.0),
            decibel("snr_margin_up_db", -64.0, 63.0),
            decibel("attenuation_down_db", 0.0, 127.0),
            decibel("attenuation_up_db", 0.0, 127.0),
            count("resyncs_day_count"),
            total("resyncs_total"),
            count("errored_seconds_15min_count"),
            count("severely_errored_seconds_15min_count"),
            total("errored_seconds_total"),
            total("crc_errors_total"),
        ),
        stale_after_s=30 * MINUTE_S,
        optional_tags=("port",),
    ),
    Kind(
        "line_optics",
        ("building", "device", "line", "port"),
        (
            optical("rx_dbm"),
            optical("tx_dbm"),
            *(
                optical(f"{way}_{side}_{grade}_dbm")
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
            flag("up"),
            dbm("rx_level_dbm", -120.0, 10.0),
            dbm("rx_level_2_dbm", -120.0, 10.0),
            dbm("rx_level_far_dbm", -120.0, 10.0),
            dbm("noise_dbm", -130.0, 0.0),
            # Some units count the antenna in (EIRP).
            dbm("tx_power_dbm", -40.0, 90.0),
            decibel("snr_db", -30.0, 80.0),
            decibel("mse_db", -80.0, 0.0),
            qam("modulation_qam"),
            qam("modulation_far_qam"),
            bps("capacity_down_bps"),
            bps("capacity_up_bps"),
            bps("rate_down_bps"),
            bps("rate_up_bps"),
            ratio("airtime_ratio"),
            total("errored_blocks_total"),
        ),
        stale_after_s=30 * MINUTE_S,
    ),
    Kind(
        # What netmon concludes of sockets, ports and access points; network is lan
        # or wlan. Without a list to go by a record lacks the numbers.
        "coverage",
        ("building", "network"),
        (
            count("rooms_count"),
            count("covered_count"),
            count("open_count"),
            ratio("low_ratio"),
            ratio("high_ratio"),
            flag("declared_full"),
            flag("measured_full"),
            flag("contradicts"),
        ),
        stale_after_s=15 * MINUTE_S,
        keep_rollups=False,
    ),
)

# Kinds that tell of the medium of a line, not of what was measured over it.
MEDIUM_KINDS = ("line_dsl", "line_optics", "line_radio")

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL_KINDS}

METRICS: Mapping[str, Metric] = metrics_by_name(_ALL_KINDS)

# In rollups a failed measurement is counted under this name; it is no metric.
FAILURES = "failures"
