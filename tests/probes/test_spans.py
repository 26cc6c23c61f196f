"""What echoes prove about the line's queue; pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.estimate import Sample, mean_rate_bps
from probes.spans import (
    LEAST_WAIT_S,
    MOST_NOISE_S,
    BusySpans,
    full_runs,
    least_wait_s,
)


def spans(*stretches: tuple[float, float]) -> BusySpans:
    found = BusySpans()
    for from_s, to_s in stretches:
        found.add(from_s, to_s)
    return found


def test_echoes_that_overlap_make_one_stretch():
    found = spans((0.00, 0.02), (0.01, 0.03), (0.031, 0.05))
    assert found.cover(0.0, 0.05)
    assert found.first_s == 0.0
    assert found.last_s == 0.05


def test_a_pause_between_two_echoes_is_none_of_the_line():
    found = spans((0.00, 0.02), (0.03, 0.05))
    assert not found.cover(0.01, 0.04)
    assert found.cover(0.03, 0.05)
    assert found.share(0.0, 0.05) == pytest.approx(0.8)
    assert found.share(0.05, 0.05) == 0


def test_a_short_wait_is_jitter():
    found = spans((0.0, LEAST_WAIT_S - 1e-4))
    assert found.last_s is None
    assert not found.is_busy
    assert found.share(0.0, 1.0) == 0


def test_an_echo_that_came_late_joins_what_it_overlaps():
    found = spans((0.0, 0.01), (0.02, 0.03), (0.005, 0.028))
    assert found.cover(0.0, 0.03)


def test_reaching_on_takes_nothing_back():
    found = spans((0.0, 0.01))
    assert found.reaching(0.05).cover(0.0, 0.05)
    assert not found.cover(0.0, 0.05)
    assert spans().reaching(0.05).last_s is None


@pytest.mark.parametrize(
    ("idle_s", "wait_s"),
    [
        ([], LEAST_WAIT_S),
        ([0.010] * 9, LEAST_WAIT_S),
        ([0.010, 0.010, 0.011, 0.012, 0.030, 0.040, 0.050, 0.060], 0.002),
        ([0.010 + i / 100 for i in range(12)], MOST_NOISE_S),
    ],
)
def test_what_counts_as_waiting_depends_on_the_idle_lines_quicker_half(idle_s, wait_s):
    assert least_wait_s(idle_s) <= max(wait_s, LEAST_WAIT_S) + 1e-9
    assert least_wait_s(idle_s) >= min(wait_s, MOST_NOISE_S) - 1e-3


def test_only_samples_without_a_pause_between_them_count():
    samples = [Sample(i * 0.02, i * 1000) for i in range(8)]
    found = full_runs(samples, spans((0.01, 0.065), (0.08, 0.15)))
    assert [[s.at_s for s in run] for run in found] == [
        pytest.approx([0.02, 0.04, 0.06]),
        pytest.approx([0.08, 0.10, 0.12, 0.14]),
    ]
    assert full_runs([], spans()) == []


@given(st.lists(st.booleans(), min_size=4, max_size=80), st.floats(0.0, 0.9))
def test_pauses_never_make_a_line_look_slower(pauses, load):
    """A line of 100 Mbit/s that carries less in some ticks: runs show 100, always."""
    octets, samples, busy = 0.0, [Sample(0.0, 0.0)], BusySpans()
    for i, is_pause in enumerate(pauses):
        octets += 250_000 * (load if is_pause else 1.0)
        samples.append(Sample((i + 1) * 0.02, octets))
        if not is_pause:
            busy.add(i * 0.02, (i + 1) * 0.02)
    runs = full_runs(samples, busy)
    assert len(runs) <= len(pauses)
    if runs:
        assert mean_rate_bps(runs) == pytest.approx(100e6)
