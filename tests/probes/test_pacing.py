"""The token bucket lets through what its rate says, however it is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.pacing import BURST_S, MIN_SLICE_BYTES, TokenBucket


def test_new_bucket_is_empty():
    size, wait_s = TokenBucket(8e6, 0.0).take(0.0, 100_000)
    assert size == 0
    assert wait_s == pytest.approx(0.004)


def test_waiting_as_told_is_enough():
    bucket = TokenBucket(8e6, 0.0)
    _, wait_s = bucket.take(0.0, 100_000)
    size, _ = bucket.take(wait_s * 1.0001, 100_000)
    assert size == pytest.approx(1e6 * wait_s, abs=2)


def test_lateness_is_caught_up_but_a_long_silence_is_not_saved():
    bucket = TokenBucket(8e6, 0.0)
    assert bucket.take(0.03, 10**6)[0] == 30_000
    assert bucket.take(60.0, 10**6)[0] == 1e6 * BURST_S


def test_small_wishes_do_not_wait_for_a_slice():
    bucket = TokenBucket(8e6, 0.0)
    assert bucket.take(0.0001, 10)[0] == 10


def test_bytes_given_back_pass_later():
    bucket = TokenBucket(8e6, 0.0)
    assert bucket.take(0.01, 10_000)[0] == 10_000
    bucket.give_back(4_000)
    assert bucket.take(0.01, 10_000)[0] == 4_000


def test_cut_line_lets_nothing_pass_until_mended():
    bucket = TokenBucket(0, 0.0)
    size, wait_s = bucket.take(1000.0, 1)
    assert size == 0
    assert 0 < wait_s < 1
    bucket.set_rate(8e6, 1000.0)
    assert bucket.take(1000.01, 10**6)[0] == pytest.approx(10_000, abs=1)


def test_negative_rate_is_refused():
    with pytest.raises(ValueError, match="not negative"):
        TokenBucket(-1, 0.0)


@given(
    rate_bps=st.floats(64_000, 10e9),
    steps=st.lists(st.floats(1e-5, 0.04), min_size=20, max_size=200),
    want=st.integers(1, 300_000),
)
def test_never_more_than_the_rate_and_the_burst(rate_bps, steps, want):
    bucket = TokenBucket(rate_bps, 0.0)
    now_s, passed = 0.0, 0
    for step_s in steps:
        now_s += step_s
        size, _ = bucket.take(now_s, want)
        assert 0 <= size <= want
        passed += size
    assert passed <= rate_bps / 8 * now_s + 1


@given(rate_bps=st.floats(1e6, 1e9), steps=st.lists(st.floats(1e-4, 0.04), min_size=50))
def test_greedy_sender_gets_the_rate(rate_bps, steps):
    bucket = TokenBucket(rate_bps, 0.0)
    now_s, passed = 0.0, 0
    for step_s in steps:
        now_s += step_s
        while size := bucket.take(now_s, 10**9)[0]:
            passed += size
    kept_back = max(MIN_SLICE_BYTES, rate_bps / 8 * 0.004) + 1
    assert passed >= rate_bps / 8 * now_s - kept_back
