"""Comparing two clocks by one question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon.clock import clock_offset


@pytest.mark.parametrize(
    ("asked_ms", "answered_ms", "peer_ms", "offset_s", "uncertainty_s"),
    [
        (1000, 1000, 1000, 0.0, 0.001),
        (1000, 1200, 1100, 0.0, 0.101),
        (5000, 5100, 1050, 4.0, 0.051),
        (1000, 1100, 5050, -4.0, 0.051),
        # The clock was set back while asking: no round trip can be told.
        (2000, 1000, 1500, 0.0, 0.001),
    ],
)
def test_known_offsets(asked_ms, answered_ms, peer_ms, offset_s, uncertainty_s):
    found = clock_offset(asked_ms, answered_ms, peer_ms)
    assert found.offset_s == pytest.approx(offset_s)
    assert found.uncertainty_s == pytest.approx(uncertainty_s)


@given(
    st.integers(0, 2**40),
    st.integers(0, 10**5),
    st.floats(0, 1),
    st.integers(-(10**9), 10**9),
)
def test_the_true_offset_lies_within_the_uncertainty(peer_ms, trip_ms, share, true_ms):
    """The peer answers anywhere between asking and hearing."""
    asked_ms = peer_ms - round(trip_ms * share) + true_ms
    found = clock_offset(asked_ms, asked_ms + trip_ms, peer_ms)
    assert abs(found.offset_s - true_ms / 1000) <= found.uncertainty_s + 1e-9
