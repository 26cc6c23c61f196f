"""The schedule: one instant a slot, spread out, and the same after a restart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.schedule import instant_in_slot_ms, is_lost, next_instant_ms

HOUR_MS = 3_600_000
keys = st.text(max_size=20)
intervals = st.integers(1, 7 * 24 * HOUR_MS)
moments = st.integers(0, 2**43)


@given(key=keys, slot=st.integers(0, 10**9), interval_ms=intervals)
def test_each_slot_has_its_instant_inside(key, slot, interval_ms):
    instant_ms = instant_in_slot_ms(key, slot, interval_ms)
    assert slot * interval_ms <= instant_ms < (slot + 1) * interval_ms


@given(key=keys, interval_ms=intervals, after_ms=moments)
def test_next_is_later_and_at_most_two_slots_away(key, interval_ms, after_ms):
    next_ms = next_instant_ms(key, interval_ms, after_ms)
    assert after_ms < next_ms < after_ms + 2 * interval_ms


@given(key=keys, interval_ms=intervals, after_ms=moments, stop=st.floats(0, 1))
def test_a_restart_before_the_instant_finds_it_again(key, interval_ms, after_ms, stop):
    next_ms = next_instant_ms(key, interval_ms, after_ms)
    restart_ms = after_ms + int((next_ms - 1 - after_ms) * stop)
    assert next_instant_ms(key, interval_ms, restart_ms) == next_ms


@given(key=keys, interval_ms=intervals, after_ms=moments)
def test_no_slot_is_visited_twice_or_left_out(key, interval_ms, after_ms):
    first_ms = next_instant_ms(key, interval_ms, after_ms)
    second_ms = next_instant_ms(key, interval_ms, first_ms)
    assert second_ms // interval_ms == first_ms // interval_ms + 1


def test_probes_spread_over_the_slot():
    instants_ms = [instant_in_slot_ms(f"probe-{n}", 5, HOUR_MS) for n in range(178)]
    tenths = {(ms - 5 * HOUR_MS) * 10 // HOUR_MS for ms in instants_ms}
    assert len(set(instants_ms)) > 170
    assert tenths == set(range(10))


def test_interval_of_nothing_is_refused():
    with pytest.raises(ValueError, match="longer than nothing"):
        next_instant_ms("key", 0, 0)


@pytest.mark.parametrize(
    ("due_ms", "now_ms", "lost"),
    [
        (1_000, 1_000, False),
        (1_000, 1_090, False),
        (1_000, 1_101, True),  # slept through a whole slot
        (1_200, 1_000, False),
        (1_201, 1_000, True),  # the clock was set back
    ],
)
def test_an_instant_of_another_time_is_lost(due_ms, now_ms, lost):
    assert is_lost(due_ms, now_ms, interval_ms=100) is lost


@given(key=keys, interval_ms=intervals, now_ms=moments)
def test_a_fresh_instant_is_never_lost(key, interval_ms, now_ms):
    due_ms = next_instant_ms(key, interval_ms, now_ms)
    assert not is_lost(due_ms, now_ms, interval_ms)
