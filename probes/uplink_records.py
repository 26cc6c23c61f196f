"""From a test's result to the record that is kept; pure.

Which numbers a record has says what it is worth (docs/decisions/011). Tests count L2
without FCS; records say TCP payload where alarms judge, IP where lines are sold.
"""

from __future__ import annotations

import math

from netmon.model import FailureReason
from probes.base import ProbeResult, failed, measured
from probes.capacity import CapacityResult
from probes.estimate import (
    Estimate,
    ResultKind,
    rate_ip_bps,
    rate_payload_bps,
)
from probes.floor import Floor, FloorResult
from probes.measure_protocol import Direction
from probes.passive import PassiveView

Values = dict[str, float | None]
# What `probes.machine.weakness` finds, in words.
_WEAKNESSES = {
    "late": "it was late with its own ticks",
    "steal": "its host withheld the processor",
    "starved": "other programs had the processor",
    "busy": "its processor was busy all the time",
    "port_errors": "its port counted errors",
}


def full_result(run: CapacityResult, threshold_bps: float) -> ProbeResult:
    """Return what a full test shows.

    A test that one of its ends held back shows a lower bound; below the threshold
    (TCP payload) that bound would say something of the end only.
    """
    if run.total.kind is ResultKind.INVALID:
        return _not_ours(run)
    if run.limited_by and rate_payload_bps(run.total.low_bps) < threshold_bps:
        return _not_ours(run)
    if run.total.kind is ResultKind.NO_VERDICT:
        return failed(FailureReason.UNSETTLED, _span_words(run.total))
    values = _rates(run.total, run.direction)
    if run.total.kind is ResultKind.CAPACITY:
        values[f"capacity_{run.direction}_bps"] = rate_ip_bps(run.total.rate_bps)
    return measured(values | _course(run))


def floor_result(floor: FloorResult, threshold_bps: float) -> ProbeResult:
    """Return what a floor test shows: a lower bound, whatever the answer.

    ``threshold_bps`` is what was asked for, TCP payload.
    """
    run = floor.run
    if floor.verdict is Floor.INVALID or run.total.kind is ResultKind.INVALID:
        return _not_ours(run)
    low_bps = rate_payload_bps(run.total.low_bps)
    if floor.verdict is Floor.PASS:
        low_bps = max(low_bps, threshold_bps)
    if low_bps <= 0:
        return failed(FailureReason.UNSETTLED, _span_words(run.total))
    values: Values = {
        f"at_least_{run.direction}_bps": low_bps,
        "threshold_bps": threshold_bps,
    }
    return measured(values | _course(run))


def passive_result(
    view: PassiveView,
    direction: Direction,
    *,
    proven: bool,
    refresh_s: float,
    rtt_s: float | None,
) -> ProbeResult:
    """Return what the counters alone show: proof, or that nobody needs more."""
    values: Values = {
        f"demand_{direction}_bps": rate_ip_bps(view.mean_bps),
        "window_s": view.span_s,
        "counter_refresh_s": refresh_s,
        "rtt_idle_s": rtt_s,
    }
    if proven:
        values[f"at_least_{direction}_bps"] = rate_payload_bps(view.bound_bps)
    return measured(values)


def shown_bps(result: ProbeResult, direction: Direction) -> float | None:
    """Return what a result proves of a direction, TCP payload; None for nothing.

    Of a line that varies that is the lower end of its range.
    """
    names = (f"rate_{direction}_bps", f"at_least_{direction}_bps")
    for name in (*names, f"rate_{direction}_low_bps"):
        value = result.values.get(name)
        if value is not None:
            return value
    return None


def is_below(result: ProbeResult, direction: Direction, threshold_bps: float) -> bool:
    """Say whether a result is certainly below a threshold (TCP payload)."""
    high = result.values.get(f"rate_{direction}_high_bps")
    return high is not None and high < threshold_bps


def _rates(total: Estimate, direction: Direction) -> Values:
    low, high = rate_payload_bps(total.low_bps), rate_payload_bps(total.high_bps)
    if total.kind is ResultKind.AT_LEAST:
        return {f"at_least_{direction}_bps": low}
    values: Values = {
        f"rate_{direction}_low_bps": low,
        f"rate_{direction}_high_bps": high,
    }
    if total.kind is ResultKind.CAPACITY:
        values[f"rate_{direction}_bps"] = rate_payload_bps(total.rate_bps)
    return values


def _course(run: CapacityResult) -> Values:
    """Return how the test went, the same for all tests."""
    cross = None if run.cross_bps is None else rate_ip_bps(run.cross_bps)
    return {
        f"goodput_{run.direction}_bps": rate_payload_bps(run.goodput_bps),
        f"cross_{run.direction}_bps": cross,
        "rtt_idle_s": run.rtt_idle_s,
        "rtt_loaded_s": run.rtt_loaded_s,
        "responsiveness_rpm": run.rpm,
        "retransmitted_ratio": run.retransmitted_ratio,
        "transferred_bytes": run.wire_bytes,
        "duration_s": run.load_s,
        "window_s": run.window_s,
        "counter_refresh_s": run.refresh_s,
        "streams_count": float(run.streams),
        "probe_late_s": run.late_s,
        "cpu_busy_ratio": run.cpu_busy_ratio,
        "cpu_steal_ratio": run.cpu_steal_ratio,
    }


def _not_ours(run: CapacityResult) -> ProbeResult:
    """Return the failure of a run in which an end, not the line, was the limit."""
    why = _WEAKNESSES.get(run.weakness, "its end of the connection held the test back")
    if run.limited_by == "server":
        return failed(FailureReason.BUSY, f"the measurement server: {why}")
    return failed(FailureReason.PROBE_LIMITED, why)


def _span_words(total: Estimate) -> str:
    if not math.isfinite(total.high_bps):
        return "too little was counted"
    low, high = (rate_payload_bps(x) / 1e6 for x in (total.low_bps, total.high_bps))
    return f"between {low:.0f} and {high:.0f} Mbit/s after {total.window_s:.1f} s"
