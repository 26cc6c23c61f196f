"""What is kept of a test: by its kind, its layer, and who was the limit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netmon.metrics import METRICS
from netmon.model import FailureReason
from probes.course import Why
from probes.estimate import Estimate, ResultKind
from probes.floor import Floor, FloorResult
from probes.outcome import CapacityResult
from probes.passive import PassiveView
from probes.uplink_records import (
    floor_result,
    full_result,
    is_below,
    passive_result,
    shown_bps,
)

PAYLOAD, IP = 1448 / 1514, 1500 / 1514
THRESHOLD = 90e6
TOTAL = Estimate(ResultKind.CAPACITY, 100e6, 98e6, 102e6, 0.5, 8)
RUN = CapacityResult(
    direction="down",
    method="tcp-adaptive/2",
    basis="router",
    total=TOTAL,
    goodput_bps=60e6,
    cross_bps=40e6,
    rtt_idle_s=0.010,
    rtt_loaded_s=0.040,
    rpm=1500.0,
    retransmitted_ratio=0.001,
    saturated=True,
    streams=2,
    congestion="cubic",
    load_s=0.8,
    window_s=0.5,
    wire_bytes=6e6,
    refresh_s=0.0,
    late_s=0.003,
    cpu_busy_ratio=0.2,
    cpu_steal_ratio=0.0,
    why=Why.CERTAIN,
)


def run(kind=ResultKind.CAPACITY, **change):
    return replace(RUN, total=replace(TOTAL, kind=kind), **change)


def test_a_capacity_names_each_layer():
    found = full_result(run(), THRESHOLD)
    assert found.failure is None
    assert found.values["rate_down_bps"] == pytest.approx(100e6 * PAYLOAD)
    assert found.values["rate_down_low_bps"] == pytest.approx(98e6 * PAYLOAD)
    assert found.values["rate_down_high_bps"] == pytest.approx(102e6 * PAYLOAD)
    assert found.values["capacity_down_bps"] == pytest.approx(100e6 * IP)
    assert found.values["goodput_down_bps"] == pytest.approx(60e6 * PAYLOAD)
    assert found.values["cross_down_bps"] == pytest.approx(40e6 * IP)
    assert shown_bps(found, "down") == found.values["rate_down_bps"]
    for name in found.values:
        assert f"throughput_{name}" in METRICS


def test_only_a_capacity_can_be_below():
    found = full_result(run(), 99e6)
    assert is_below(found, "down", 99e6)
    assert not is_below(found, "down", 102e6 * PAYLOAD)
    bound = full_result(run(ResultKind.AT_LEAST), THRESHOLD)
    assert not is_below(bound, "down", 99e6)


def test_what_is_not_full_is_a_lower_bound_and_no_rate():
    found = full_result(run(ResultKind.AT_LEAST), THRESHOLD)
    assert found.values["at_least_down_bps"] == pytest.approx(98e6 * PAYLOAD)
    assert "rate_down_bps" not in found.values
    assert "rate_down_high_bps" not in found.values


def test_a_line_that_varies_has_a_range_and_no_rate():
    found = full_result(run(ResultKind.RANGE), THRESHOLD)
    assert "rate_down_bps" not in found.values
    low_bps = found.values["rate_down_low_bps"]
    assert low_bps == pytest.approx(98e6 * PAYLOAD)
    assert shown_bps(found, "down") == low_bps
    assert is_below(found, "down", 98e6)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": ResultKind.NO_VERDICT}, FailureReason.UNSETTLED),
        (
            {"kind": ResultKind.INVALID, "weakness": "late"},
            FailureReason.PROBE_LIMITED,
        ),
        (
            {"kind": ResultKind.INVALID, "weakness": "busy", "limited_by": "server"},
            FailureReason.BUSY,
        ),
    ],
)
def test_no_number_where_there_is_a_reason(change, reason):
    found = full_result(run(**change), THRESHOLD)
    assert (found.failure, found.values) == (reason, {})


def test_an_end_that_held_the_test_back_proves_what_it_let_through():
    held = run(ResultKind.AT_LEAST, limited_by="probe")
    assert full_result(held, THRESHOLD).failure is None
    # Below the threshold the bound says something of the probe only.
    assert full_result(held, 120e6).failure is FailureReason.PROBE_LIMITED


def floor(verdict, **change):
    return FloorResult(verdict, THRESHOLD / PAYLOAD, run(**change))


def test_a_passed_floor_test_proves_its_threshold():
    found = floor_result(floor(Floor.PASS), THRESHOLD)
    assert found.values["at_least_down_bps"] >= THRESHOLD
    assert found.values["threshold_bps"] == THRESHOLD
    assert "rate_down_bps" not in found.values


def test_a_missed_floor_test_never_reads_as_a_rate():
    low = replace(TOTAL, rate_bps=60e6, low_bps=58e6, high_bps=62e6)
    found = floor_result(floor(Floor.MISS, kind=ResultKind.CAPACITY), THRESHOLD)
    assert "rate_down_bps" not in found.values
    missed = FloorResult(Floor.MISS, 94e6, replace(RUN, total=low))
    shown = floor_result(missed, THRESHOLD).values["at_least_down_bps"]
    assert shown == pytest.approx(58e6 * PAYLOAD)


def test_an_invalid_floor_test_has_no_number():
    spoilt = floor(Floor.INVALID, weakness="steal")
    assert floor_result(spoilt, THRESHOLD).failure is FailureReason.PROBE_LIMITED


def test_a_passive_window_tells_demand_and_only_a_proof_tells_more():
    view = PassiveView(110e6, 5.0, 112e6, 70e6, (112e6, 28e6), 60.0)
    proof = passive_result(view, "down", proven=True, refresh_s=3.0, rtt_s=0.04)
    assert proof.values["at_least_down_bps"] == pytest.approx(110e6 * PAYLOAD)
    quiet = passive_result(view, "down", proven=False, refresh_s=3.0, rtt_s=None)
    assert "at_least_down_bps" not in quiet.values
    assert quiet.values["demand_down_bps"] == pytest.approx(70e6 * IP)
    assert shown_bps(quiet, "down") is None
