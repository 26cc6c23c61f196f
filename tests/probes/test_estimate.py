"""From samples to a number with its interval: pure, so everything by table."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.estimate import (
    EDGE_BUSY_SHARE,
    MIN_BATCHES,
    VARYING_MIN_S,
    ResultKind,
    Sample,
    batch_rates,
    between_edges,
    clock_error_bps,
    converged,
    estimate,
    estimate_varying,
    half_width,
    mean_rate_bps,
    ramp_is_over,
    rate_ip_bps,
    rate_payload_bps,
    t95,
    trimmed_mean,
    window_s,
)

TICK_S = 0.020


def steady(rate_bps: float, seconds: float, start_s: float = 0.0) -> list[Sample]:
    n = round(seconds / TICK_S) + 1
    return [Sample(start_s + i * TICK_S, rate_bps / 8 * i * TICK_S) for i in range(n)]


def test_a_steady_line_is_read_exactly_and_converges_at_once():
    found = estimate([steady(100e6, 0.5)])
    assert found.kind is ResultKind.CAPACITY
    assert found.rate_bps == pytest.approx(100e6)
    assert found.low_bps == pytest.approx(100e6)
    assert found.batches == 12


def test_what_lies_between_two_runs_does_not_count():
    """A pause of the line: neither its time nor its octets."""
    early = steady(100e6, 0.2)
    late = [Sample(s.at_s + 0.5, s.octets + 2_600_000) for s in early]
    runs = [early, late]
    assert window_s(runs) == pytest.approx(0.4)
    assert mean_rate_bps(runs) == pytest.approx(100e6)
    assert batch_rates(runs) == pytest.approx([100e6] * 10)


def test_no_time_says_nothing():
    for runs in ([], [[]], [[Sample(0, 0)]], [[Sample(0, 0), Sample(0, 9)]]):
        found = estimate(runs)
        assert found.kind is ResultKind.NO_VERDICT
        assert math.isinf(found.high_bps)
        assert mean_rate_bps(runs) == 0


def test_too_few_batches_are_no_verdict():
    assert estimate([steady(100e6, 0.1)]).kind is ResultKind.NO_VERDICT


def test_a_token_bucket_running_dry_is_no_capacity():
    fast = steady(400e6, 0.3)
    last = fast[-1]
    slow = [
        Sample(last.at_s + s.at_s, last.octets + s.octets) for s in steady(100e6, 0.3)
    ]
    assert not converged(batch_rates([fast + slow[1:]]))


def test_the_ends_clock_errors_widen_the_interval():
    run = [Sample(0.0, 0, 0.01), Sample(1.0, 12_500_000, 0.01)]
    assert clock_error_bps([run]) == pytest.approx(2e6)
    # Independent errors of two runs add up as such, over twice the time.
    later = [Sample(2.0, 0, 0.01), Sample(3.0, 12_500_000, 0.01)]
    assert clock_error_bps([run, later]) == pytest.approx(2e6 / math.sqrt(2))
    assert clock_error_bps([]) == 0


def fading(seed: int, seconds: float) -> list[Sample]:
    """A line drawn anew between 60 and 100 Mbit/s every quarter of a second."""
    dice, octets, samples, rate_bps = random.Random(seed), 0.0, [], 0.0
    for i in range(round(seconds / TICK_S) + 1):
        if i % 12 == 0:
            rate_bps = dice.uniform(60e6, 100e6)
        samples.append(Sample(i * TICK_S, octets))
        octets += rate_bps / 8 * TICK_S
    return samples


def test_the_range_of_a_fading_line_holds_its_long_run_mean():
    held = [
        found.low_bps <= 80e6 <= found.high_bps
        for found in (estimate_varying([fading(seed, 3)]) for seed in range(200))
    ]
    assert sum(held) / len(held) >= 0.9


def test_a_varying_line_has_no_range_before_its_time():
    short = estimate_varying([fading(1, VARYING_MIN_S - 0.1)])
    assert short.kind is ResultKind.NO_VERDICT
    assert estimate_varying([fading(1, VARYING_MIN_S)]).kind is ResultKind.RANGE


def test_between_two_refreshes_the_line_has_to_be_full():
    run = [Sample(0.0, 0), Sample(1.0, 12_500_000)]
    full = between_edges(run, 1.0, 0.0)
    assert full.kind is ResultKind.CAPACITY
    assert (full.low_bps, full.rate_bps, full.high_bps) == pytest.approx([100e6] * 3)
    gaps = between_edges(run, EDGE_BUSY_SHARE - 0.01, 0.01)
    assert gaps.kind is ResultKind.AT_LEAST
    assert gaps.low_bps == pytest.approx(99e6)
    assert gaps.high_bps == pytest.approx(100e6 / (EDGE_BUSY_SHARE - 0.01) + 1e6)
    assert between_edges(run, 0.0, 0.0).kind is ResultKind.NO_VERDICT
    assert between_edges(run[:1], 1.0, 0.0).kind is ResultKind.NO_VERDICT


def test_the_slowest_twentieth_is_trimmed():
    assert trimmed_mean([1.0] * 19 + [100.0]) == 1.0
    assert trimmed_mean([5.0]) == 5.0
    assert trimmed_mean([]) is None


def test_bursts_that_hang_together_widen_the_interval():
    apart = [100.0, 104.0] * 10
    together = [100.0] * 10 + [104.0] * 10
    assert half_width(together) > 2 * half_width(apart)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_batches_have_no_interval(n):
    assert math.isinf(half_width([100.0] * n))


def test_students_t_is_the_tables():
    assert math.isinf(t95(0))
    assert (t95(1), t95(5), t95(20), t95(100)) == (12.71, 2.571, 2.086, 2.0)


def test_the_ramp_is_over_when_growth_ends():
    growing = [Sample(i * TICK_S, 1000 * 2.0**i) for i in range(15)]
    assert not ramp_is_over(growing, 0.0, 0.01)
    assert ramp_is_over(steady(100e6, 0.4), 0.0, 0.01)
    assert not ramp_is_over(steady(100e6, 0.14), 0.0, 0.01), "too early to say"
    assert not ramp_is_over(steady(100e6, 0.4), 0.0, 0.1), "five round trips first"
    assert not ramp_is_over([], 0.0, 0.01)


def test_layers_of_a_full_frame():
    assert rate_ip_bps(1514) == pytest.approx(1500)
    assert rate_payload_bps(1514) == pytest.approx(1448)


@given(st.integers(0, 2**32), st.floats(1e6, 1e10), st.floats(0.0, 0.01))
def test_the_interval_holds_the_truth_under_noise(seed, rate_bps, noise):
    dice = random.Random(seed)
    octets, samples = 0.0, []
    for i in range(60):
        samples.append(Sample(i * TICK_S, octets))
        octets += rate_bps / 8 * TICK_S * max(0.0, dice.gauss(1, noise))
    found = estimate([samples])
    assert found.batches >= MIN_BATCHES
    # Five standard errors: a bound that chance does not break in any run.
    width = found.high_bps - found.rate_bps
    assert abs(found.rate_bps - rate_bps) <= 2.5 * width + rate_bps * (noise + 1e-12)
    assert found.low_bps <= found.rate_bps <= found.high_bps
