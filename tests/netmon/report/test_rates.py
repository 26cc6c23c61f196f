"""A line's days: rates where there are, lower bounds where there is no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon.report.rates import Rate, day_rates, quantile
from netmon.storage.records import Rollup


def rollup(day: int, *values: float) -> Rollup:
    return Rollup(day, len(values), sum(values), min(values), max(values))


def test_a_day_has_the_mean_of_its_rates_over_all_series() -> None:
    found = day_rates(
        {
            "rate_down_bps": [rollup(1, 100.0, 80.0), rollup(1, 60.0), rollup(2, 50.0)],
            "at_least_down_bps": [rollup(1, 999.0)],
        }
    )
    assert found == {1: Rate(80.0), 2: Rate(50.0)}


def test_without_a_rate_the_highest_lower_bound_counts() -> None:
    found = day_rates(
        {
            "at_least_down_bps": [rollup(1, 90.0, 95.0)],
            "rate_down_low_bps": [rollup(1, 97.0), rollup(2, 40.0)],
        }
    )
    assert found == {1: Rate(97.0, at_least=True), 2: Rate(40.0, at_least=True)}


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([10.0], 0.1, 10.0),
        ([10.0, 20.0, 30.0], 0.5, 20.0),
        ([10.0, 20.0, 30.0, 40.0], 0.5, 20.0),
        ([float(n) for n in range(1, 11)], 0.1, 1.0),
        ([float(n) for n in range(1, 12)], 0.1, 2.0),
    ],
)
def test_a_quantile_is_a_value_that_was_measured(
    values: list[float], share: float, expected: float
) -> None:
    assert quantile([Rate(value) for value in values], share) == Rate(expected)


def test_nothing_has_no_quantile() -> None:
    assert quantile([], 0.5) is None


@given(
    days=st.lists(
        st.tuples(st.integers(1, 9), st.integers(0, 5), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    share=st.sampled_from([0.1, 0.5]),
)
def test_a_quantile_is_only_called_exact_if_no_truth_can_move_it(
    days: list[tuple[int, int, bool]], share: float
) -> None:
    """Each lower bound hides a truth that is so much higher."""
    told = [Rate(float(low), at_least=bound) for low, _, bound in days]
    truth = [Rate(float(low + (more if bound else 0))) for low, more, bound in days]
    found, true = quantile(told, share), quantile(truth, share)
    assert found is not None
    assert true is not None
    if found.at_least:
        assert true.rate_bps >= found.rate_bps
    else:
        assert true.rate_bps == found.rate_bps
