"""Counting a train of echoes: late, duplicate, reordered, and which way it waited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.train import Train, spread_s


def train(rtts_s: dict[int, float], *, sent: int, wait_s: float = 1.0) -> Train:
    """Datagrams a tenth of a second apart with these round trips, half each way."""
    made = Train(wait_s)
    for number in range(sent):
        made.sent(number, number * 0.1)
    for number, rtt_s in rtts_s.items():
        at_s = number * 0.1
        made.received(number, at_s + rtt_s, 5000.0 + at_s + rtt_s / 2)
    return made


def test_summary_of_known_round_trips():
    values = train({0: 0.010, 1: 0.014, 2: 0.011, 4: 0.030}, sent=5).values()
    assert values == {
        "rtt_s": pytest.approx(0.0125),
        "rtt_min_s": pytest.approx(0.010),
        "rtt_max_s": pytest.approx(0.030),
        # 0-1 and 1-2 are neighbours, 2-4 are not.
        "jitter_s": pytest.approx((0.004 + 0.003) / 2),
        # Four are too few for a 95th percentile.
        "spread_down_s": None,
        "spread_up_s": None,
        "loss_ratio": pytest.approx(0.2),
        "late_count": 0.0,
        "duplicate_count": 0.0,
        "reordered_count": 0.0,
    }


def test_without_neighbours_there_is_no_jitter():
    assert train({1: 0.01, 3: 0.02}, sent=4).values()["jitter_s"] is None


def test_summary_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no round trip"):
        train({}, sent=5).values()


@pytest.mark.parametrize("offset_s", [-3600.0, 0.001, 9e6])
def test_the_loaded_way_is_told_whatever_the_servers_clock_says(offset_s):
    made = Train(1.0)
    for number in range(20):
        sent_s = 1e4 + number * 0.05
        # Up: 5 ms, always. Down: 5 ms and every fifth 40 ms more.
        down_s = 0.005 + (0.040 if number % 5 == 0 else 0.0)
        made.sent(number, sent_s)
        made.received(number, sent_s + 0.005 + down_s, sent_s + 0.005 + offset_s)
    values = made.values()
    assert values["spread_up_s"] == pytest.approx(0.0, abs=1e-6)
    assert values["spread_down_s"] == pytest.approx(0.040, abs=1e-6)


def test_a_late_answer_is_lost_whichever_number_it_has():
    values = train({0: 0.31, 1: 0.01, 9: 0.31}, sent=10, wait_s=0.3).values()
    assert values["late_count"] == 2
    assert values["loss_ratio"] == pytest.approx(0.9)
    assert values["rtt_max_s"] == pytest.approx(0.01)


def test_the_first_answer_counts_a_second_is_a_duplicate_also_of_a_late_one():
    made = train({0: 0.02, 1: 0.4}, sent=2, wait_s=0.3)
    made.received(0, 0.9, 0.0)
    made.received(1, 0.9, 0.0)
    values = made.values()
    assert (values["duplicate_count"], values["late_count"]) == (2, 1)
    assert values["rtt_s"] == pytest.approx(0.02)
    assert values["loss_ratio"] == pytest.approx(0.5)


def test_a_number_never_sent_is_ignored():
    made = train({0: 0.02}, sent=1)
    made.received(7, 0.1, 1.0)
    assert made.values()["duplicate_count"] == 0
    assert made.complete(1)


@pytest.mark.parametrize(
    ("order", "overtaken"),
    [([0, 1, 2, 3], 0), ([1, 0, 3, 2], 2), ([3, 0, 1, 2], 3), ([0, 2, 3], 0)],
)
def test_reordered_is_what_a_higher_number_overtook(order, overtaken):
    made = Train(1.0)
    for number in range(4):
        made.sent(number, 0.0)
    for index, number in enumerate(order):
        made.received(number, 0.1 + index * 0.01, 0.0)
    assert made.values()["reordered_count"] == overtaken


@given(st.lists(st.floats(0, 10), min_size=5, max_size=200), st.floats(-1e6, 1e6))
def test_spread_is_never_negative_and_knows_no_offset(ways_s, offset_s):
    found_s = spread_s(ways_s)
    assert found_s is not None
    assert 0 <= found_s <= max(ways_s) - min(ways_s)
    assert spread_s([way + offset_s for way in ways_s]) == pytest.approx(
        found_s, abs=1e-6
    )
