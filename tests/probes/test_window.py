"""The steady window counts bytes and seconds of the same stretch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.window import SteadyWindow


def window(**changes: float) -> SteadyWindow:
    settings = {"warmup_s": 1.0, "window_s": 2.0, "max_bytes": 10**12, **changes}
    return SteadyWindow(0.0, **settings)  # type: ignore[arg-type]


def test_warm_up_and_opening_edge_are_not_counted():
    w = window()
    assert not w.add(0.5, 1000)
    assert not w.add(1.1, 500)
    assert not w.add(2.0, 70)
    assert w.add(3.1, 30)
    assert (w.counted_bytes, w.total_bytes) == (100, 1600)
    assert w.duration_s == pytest.approx(2.0)


def test_pause_at_the_end_makes_the_window_longer():
    w = window()
    w.add(1.0, 1)
    w.add(2.0, 100)
    assert w.add(4.5, 1)
    assert w.duration_s == pytest.approx(3.5)


def test_nothing_is_counted_before_the_window_opens():
    w = window()
    w.add(0.2, 1000)
    assert (w.counted_bytes, w.duration_s) == (0, 0.0)


def test_byte_limit_ends_the_window():
    w = window(max_bytes=1000)
    assert not w.add(0.01, 249)
    assert not w.add(0.02, 1)  # a quarter of the limit: the warm-up is over
    assert not w.add(0.03, 749)
    assert w.add(0.04, 1)
    assert w.counted_bytes == 750
    assert w.duration_s == pytest.approx(0.02)


def test_one_arrival_beyond_the_limit_ends_it_without_a_window():
    w = window(max_bytes=1000)
    assert w.add(0.01, 1000)
    assert w.duration_s == 0.0


@given(
    rate=st.floats(1e4, 1e9),
    gap_s=st.floats(1e-3, 0.2),
    warm_factor=st.floats(0.01, 100),
)
def test_constant_rate_is_found_whatever_the_warm_up_did(rate, gap_s, warm_factor):
    w = window()
    now_s, done, left_over = 0.0, False, 0.0
    while not done:
        now_s += gap_s
        exact = rate * gap_s * (warm_factor if now_s < 1 else 1) + left_over
        left_over = exact % 1
        done = w.add(now_s, int(exact))
    found = w.counted_bytes / w.duration_s
    # What the warm-up left over may add one byte to an arrival.
    assert found == pytest.approx(rate, abs=2 / w.duration_s, rel=1e-9)
