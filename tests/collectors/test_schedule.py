"""Every device has its own fixed place in the interval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.schedule import next_start_s, offset_s

INTERVALS = st.floats(min_value=0.5, max_value=86_400.0)


@given(st.text(max_size=30), INTERVALS)
def test_the_place_lies_in_the_interval(name: str, interval_s: float) -> None:
    assert 0 <= offset_s(name, interval_s) <= interval_s


def test_places_are_spread_evenly() -> None:
    tenths = [int(offset_s(f"switch-{n}", 300.0) // 30) for n in range(1000)]
    counts = [tenths.count(tenth) for tenth in range(10)]
    assert sum(counts) == 1000
    assert min(counts) > 60
    assert max(counts) < 140


@given(st.floats(min_value=0, max_value=4e9), INTERVALS, st.floats(0, 1))
def test_the_next_start_is_within_one_interval(
    now_s: float, interval_s: float, share: float
) -> None:
    start_s = next_start_s(now_s, share * interval_s, interval_s)
    # At 4e9 seconds a float counts in steps of half a microsecond.
    assert now_s < start_s <= now_s + interval_s + 1e-5


@pytest.mark.parametrize(
    ("now_s", "start_s"),
    [(1000.0, 1020.0), (1019.9, 1020.0), (1020.0, 1080.0), (1500.0, 1500.0 + 60)],
)
def test_the_turn_comes_once_in_every_interval(now_s: float, start_s: float) -> None:
    """Place 0 of 60 s: 1020 = 17 x 60; 1500 = 25 x 60."""
    assert next_start_s(now_s, 0.0, 60.0) == start_s
