"""Passive proof: never too much, whatever the router's refresh; quiet; suspicion."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.counters import Reading
from probes.passive import Passive, is_plateau, judge, look

MBIT = 1e6
BASE_S = 0.010


def readings(rates_bps, gap_s=30.0, refresh_s=0.0, phase_s=0.0):
    """Readings of a counter that shows what passed up to its last refresh."""
    found = []
    for number in range(len(rates_bps) + 1):
        at_s = number * gap_s
        shown_s = at_s
        if refresh_s:
            shown_s = math.floor((at_s - phase_s) / refresh_s) * refresh_s + phase_s
        whole = int(max(0.0, shown_s) // gap_s)
        bits = sum(rates_bps[:whole]) * gap_s
        if whole < len(rates_bps):
            bits += rates_bps[whole] * (max(0.0, shown_s) - whole * gap_s)
        found.append(Reading(at_s, 0.0, int(bits / 8), 0))
    return found


@given(
    rates=st.lists(st.floats(0, 1000 * MBIT), min_size=2, max_size=12),
    gap_s=st.floats(1.0, 120.0),
    refresh_s=st.just(0.0) | st.floats(0.01, 30.0),
    phase=st.floats(0.0, 1.0),
)
def test_the_bound_never_overstates_for_any_refresh_and_phase(
    rates, gap_s, refresh_s, phase
):
    shown = readings(rates, gap_s, refresh_s, phase * refresh_s)
    view = look(shown, "down", refresh_s)
    assert view is not None
    assert view.bound_bps <= max(rates) * (1 + 1e-9) + 8


def test_live_counters_lose_nothing_of_the_bound():
    view = look(readings([20 * MBIT, 140 * MBIT, 60 * MBIT]), "down", 0.0)
    assert view is not None
    assert view.bound_bps == pytest.approx(140 * MBIT)
    assert view.mean_bps == pytest.approx(220 / 3 * MBIT)
    assert view.span_s == 90


def test_a_restarted_counter_says_nothing_of_that_interval():
    found = readings([20 * MBIT] * 4)
    found[2] = Reading(found[2].at_s, 0.0, 0, 0)
    view = look(found, "down", 0.0)
    assert view is not None
    # Down to zero is left out; up from zero is what has passed since.
    assert view.bound_bps <= 20 * MBIT * 3 + 1
    assert look(readings([20 * MBIT]), "down", 0.0) is None


@pytest.mark.parametrize(
    ("rates", "rtt_s", "said"),
    [
        ([120] * 3, 0.045, Passive.PROVEN),
        ([5, 12, 8], 0.011, Passive.QUIET),
        # Little demand, but packets wait: something is wrong or the other way is full.
        ([5, 12, 8], 0.045, Passive.NOTHING),
        # The degraded line of 60 and the healthy one with 60 of demand differ in ping.
        ([60, 60.1, 59.9, 60, 60, 60.1], 0.049, Passive.SUSPICIOUS),
        ([60, 60.1, 59.9, 60, 60, 60.1], 0.0116, Passive.NOTHING),
        ([60, 45, 70, 58, 62, 30], 0.049, Passive.NOTHING),
        ([60.0] * 5, 0.049, Passive.NOTHING),
        ([4.0] * 8, 0.049, Passive.NOTHING),
    ],
)
def test_what_counters_and_echoes_say_together(rates, rtt_s, said):
    view = look(readings([rate * MBIT for rate in rates]), "down", 0.0)
    assert judge(view, 94 * MBIT, [rtt_s] * 3, BASE_S) is said


def test_more_than_such_a_line_can_carry_is_another_device_not_a_proof():
    found = readings([20 * MBIT, 9000 * MBIT, 20 * MBIT, 20 * MBIT])
    view = look(found, "down", 0.0, most_bps=300 * MBIT)
    assert view is not None
    assert view.bound_bps == pytest.approx(20 * MBIT)


def test_without_echoes_or_counters_only_proof_is_left():
    proof = look(readings([120 * MBIT] * 2), "down", 3.0)
    assert judge(proof, 94 * MBIT, [], None) is Passive.PROVEN
    quiet = look(readings([5 * MBIT] * 2), "down", 3.0)
    assert judge(quiet, 94 * MBIT, [], BASE_S) is Passive.NOTHING
    assert judge(quiet, 94 * MBIT, [BASE_S], None) is Passive.NOTHING
    assert judge(None, 94 * MBIT, [BASE_S], BASE_S) is Passive.NOTHING


def test_a_plateau_is_flat_long_and_below():
    assert is_plateau([60.0] * 6, 94)
    assert not is_plateau([60.0] * 5, 94)
    assert not is_plateau([96.0] * 6, 94)
    assert not is_plateau([60.0, 60, 60, 60, 60, 70], 94)
