"""How long a sender waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon.push import BACKOFF_CAP_S, backoff_s, parse_retry_after_s
from tests.netmon.push.gateway import START


def test_backoff_doubles_to_its_cap():
    assert [backoff_s(n, 1.0) for n in range(4)] == [1.0, 2.0, 4.0, 8.0]
    assert backoff_s(5000, 1.0) == BACKOFF_CAP_S


def test_backoff_waits_at_least_what_was_asked_for():
    assert backoff_s(3, 0.0, retry_after_s=30) == 30
    assert backoff_s(3, 0.5, retry_after_s=30) == 34
    assert backoff_s(0, 0.0, retry_after_s=10**9) == 3600


@given(attempt=st.integers(0, 10**6), share=st.floats(0, 1))
def test_backoff_is_never_negative_nor_beyond_its_cap(attempt, share):
    assert 0 <= backoff_s(attempt, share) <= BACKOFF_CAP_S


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        ("Fri, 20 Nov 2026 07:13:00 GMT", 60.0),
        ("Fri, 20 Nov 2026 07:13:00 -0000", 60.0),
        ("Fri, 20 Nov 2020 07:13:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_header(header, seconds):
    assert parse_retry_after_s(header, START) == seconds
