"""From samples to a number with its interval: pure, so everything by table."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.estimate import (
    MIN_BATCHES,
    Progress,
    ResultKind,
    Sample,
    batch_rates,
    clock_error_bps,
    converged,
    estimate,
    full_since_s,
    half_width,
    is_saturated,
    ramp_is_over,
    rate_ip_bps,
    rate_payload_bps,
    t95,
)

TICK_S = 0.020


def steady(rate_bps: float, seconds: float, start_s: float = 0.0) -> list[Sample]:
    n = round(seconds / TICK_S) + 1
    return [Sample(start_s + i * TICK_S, rate_bps / 8 * i * TICK_S) for i in range(n)]


def test_a_steady_line_is_read_exactly_and_converges_at_once():
    found = estimate(steady(100e6, 0.5), saturated=True)
    assert found.kind is ResultKind.CAPACITY
    assert found.rate_bps == pytest.approx(100e6)
    assert found.low_bps == pytest.approx(100e6)
    assert found.batches == 8


def test_a_line_that_was_not_full_gives_a_lower_bound():
    assert estimate(steady(50e6, 1), saturated=False).kind is ResultKind.AT_LEAST


def test_too_few_samples_say_nothing():
    for samples in ([], [Sample(0, 0)], [Sample(0, 0), Sample(0, 9)]):
        found = estimate(samples, saturated=True)
        assert found.kind is ResultKind.NO_VERDICT
        assert math.isinf(found.high_bps)


def test_a_token_bucket_running_dry_is_no_capacity():
    fast = steady(400e6, 0.3)
    last = fast[-1]
    slow = [
        Sample(last.at_s + s.at_s, last.octets + s.octets) for s in steady(100e6, 0.3)
    ]
    assert not converged(batch_rates(fast + slow[1:]))


def test_the_ends_clock_errors_widen_the_interval():
    samples = [Sample(0.0, 0, 0.01), Sample(1.0, 12_500_000, 0.01)]
    assert clock_error_bps(samples) == pytest.approx(2e6)


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


@pytest.mark.parametrize(
    ("loaded", "idle_s", "share", "full"),
    [
        ([0.030] * 5, 0.010, 0.0, True),
        ([0.0125] * 5, 0.010, 0.0, False),
        ([0.010] * 5, 0.010, 0.001, True),
        ([], 0.010, 0.0, False),
        ([0.0035] * 5, 0.001, 0.0, True),
    ],
)
def test_a_full_line_shows_in_its_queue_or_its_losses(loaded, idle_s, share, full):
    assert is_saturated(loaded, idle_s, share) is full


def test_a_line_without_pause_is_full_since_its_last_short_echo():
    echoes = [(i * 0.005, 0.030) for i in range(20)]
    assert full_since_s(echoes, 0.010, 0.005) == 0.0
    echoes[6] = (0.030, 0.011)
    assert full_since_s(echoes, 0.010, 0.005) == pytest.approx(0.035)
    short = [(0.0, 0.030), (0.005, 0.014), (0.010, 0.014)]
    assert math.isinf(full_since_s(short, 0.010, 0.005)), "a queue of 4 ms runs empty"
    assert math.isinf(full_since_s([], 0.010, 0.005))


def test_progress_throws_the_ramp_away():
    progress = Progress(0.0, 0.010)
    octets = 0.0
    for i in range(60):
        octets += 250_000 * min(1.0, i / 8)
        progress.add(Sample(i * TICK_S, octets))
        progress.add_rtt(0.030)
    window = progress.window()
    assert 0 < len(window) < 60
    assert estimate(window, saturated=True).rate_bps == pytest.approx(100e6, rel=0.01)
    assert len(progress.loaded_rtt_s) == len(window)


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
    found = estimate(samples, saturated=True)
    assert found.batches >= MIN_BATCHES
    # Five standard errors: a bound that chance does not break in any run.
    width = found.high_bps - found.rate_bps
    assert abs(found.rate_bps - rate_bps) <= 2.5 * width + rate_bps * (noise + 1e-12)
    assert found.low_bps <= found.rate_bps <= found.high_bps
