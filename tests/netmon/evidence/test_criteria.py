"""The three criteria count exactly as the rule says, on the edge as well."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon.evidence.criteria import (
    Verdict,
    findings,
    highest_threshold_bps,
    maximum,
    minimum,
    normal,
)
from netmon.lease_wire import Direction
from netmon.storage.campaign_records import AgreedRates
from netmon.units import MBIT

DOWN = Direction.DOWN
DAYS = (date(2026, 12, 1), date(2026, 12, 3), date(2026, 12, 5))
B, H = Verdict.BREACHED, Verdict.HOLDS


def _days(*of_day: list[float]) -> dict[date, list[float]]:
    return dict(zip(DAYS, of_day, strict=True))


def _ten(low: float, *others: float) -> list[float]:
    return [low] * (10 - len(others)) + list(others)


@pytest.mark.parametrize(
    ("best", "hits", "verdict"),
    [
        ((90.0, 90.0, 90.0), 3, H),
        ((90.0, 90.0, 89.9), 2, H),
        ((90.0, 89.999999, 89.9), 1, B),
        ((60.0, 60.0, 60.0), 0, B),
    ],
)
def test_90_percent_of_the_maximum_on_two_of_three_days(best, hits, verdict):
    rates = _days(*(_ten(50.0 * MBIT, rate * MBIT) for rate in best))
    found = maximum(DOWN, rates, 100 * MBIT, complete=True)
    assert (found.hits, found.total, found.limit) == (hits, 3, 2)
    assert found.threshold_bps == 90 * MBIT
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("below", "hits", "verdict"), [(0, 30, H), (3, 27, H), (4, 26, B), (30, 0, B)]
)
def test_the_normal_rate_in_90_percent_of_the_measurements(below, hits, verdict):
    every = [83.9 * MBIT] * below + [84.0 * MBIT] * (30 - below)
    rates = _days(every[::3], every[1::3], every[2::3])
    found = normal(DOWN, rates, 84 * MBIT, complete=True)
    assert (found.hits, found.total, found.limit) == (hits, 30, 27)
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("worst", "hits", "verdict"),
    [
        ((54.0, 54.0, 54.0), 0, H),
        ((53.9, 54.0, 54.0), 1, H),
        ((53.9, 54.0, 20.0), 2, B),
        ((1.0, 1.0, 1.0), 3, B),
    ],
)
def test_the_minimum_undercut_on_two_of_three_days(worst, hits, verdict):
    rates = _days(*(_ten(90.0 * MBIT, rate * MBIT) for rate in worst))
    found = minimum(DOWN, rates, 54 * MBIT, complete=True)
    assert (found.hits, found.total, found.limit) == (hits, 3, 2)
    assert found.verdict is verdict


def test_what_is_not_agreed_is_not_checked():
    agreed = AgreedRates(maximum_bps=100 * MBIT)
    rates = _days([1.0] * 10, [1.0] * 10, [1.0] * 10)
    verdicts = [one.verdict for one in findings(DOWN, rates, agreed, complete=True)]
    assert verdicts == [B, Verdict.NOT_AGREED, Verdict.NOT_AGREED]
    assert highest_threshold_bps(agreed) == 90 * MBIT


def test_too_few_measurements_have_counts_but_no_verdict():
    agreed = AgreedRates(maximum_bps=100 * MBIT, normal_bps=95 * MBIT, minimum_bps=5)
    found = findings(DOWN, {DAYS[0]: [1.0, 96.0 * MBIT]}, agreed, complete=False)
    assert {one.verdict for one in found} == {Verdict.NOT_ENOUGH}
    assert [(one.hits, one.total) for one in found] == [(1, 1), (1, 2), (1, 1)]
    assert highest_threshold_bps(agreed) == 95 * MBIT


rates = st.lists(st.floats(0, 200 * MBIT), min_size=10, max_size=10)


@given(rates, rates, rates, st.floats(0, 50 * MBIT))
def test_a_faster_line_never_breaches_what_a_slower_one_kept(one, two, three, more):
    agreed = AgreedRates(
        maximum_bps=100 * MBIT, normal_bps=84 * MBIT, minimum_bps=54 * MBIT
    )
    slow = findings(DOWN, _days(one, two, three), agreed, complete=True)
    faster = _days(*([rate + more for rate in day] for day in (one, two, three)))
    fast = findings(DOWN, faster, agreed, complete=True)
    for before, after in zip(slow, fast, strict=True):
        assert not (before.verdict is H and after.verdict is B)
