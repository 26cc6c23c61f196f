"""A direction of a played line: counters, queue and shares, for any order of events."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon.demo.line_fluid import GRANT_S, OWN_SHARE, Way
from netmon.demo.line_traffic import CHATTER_SHARE, SLOT_S, Others, Traffic

FRAMING = 1514 / 1448
QUEUE_S = 0.030
NOON_S = 12 * 3600.0


def way(
    rate_bps: float = 80e6,
    traffic: Traffic = Traffic.NONE,
    *,
    refresh_s: float = 0.0,
    seed: str = "gs-07",
) -> Way:
    others = Others(traffic, seed, NOON_S)
    return Way(rate_bps, others, queue_s=QUEUE_S, now_s=50.0, refresh_s=refresh_s)


def fill(line: Way, from_s: float, to_s: float, want: int = 256 * 1024) -> int:
    """Take all that may pass, as a sender that always has something; return it."""
    now_s, taken = from_s, 0
    while now_s < to_s:
        size, wait_s = line.take(now_s, want)
        taken += size
        now_s += wait_s
    return taken


@pytest.mark.parametrize("traffic", Traffic)
def test_a_full_line_counts_exactly_its_rate(traffic):
    line = way(traffic=traffic)
    fill(line, 50.0, 50.5)
    before = line.octets(50.5)
    fill(line, 50.5, 53.5)
    counted_bps = 8 * (line.octets(53.5) - before) / 3.0 / FRAMING
    assert counted_bps == pytest.approx(80e6, rel=1e-6)


@pytest.mark.parametrize("traffic", Traffic)
def test_batches_of_a_full_line_agree(traffic):
    line = way(traffic=traffic)
    fill(line, 50.0, 50.2)
    counted = [line.octets(50.2)]
    for n in range(20):
        fill(line, 50.2 + 0.06 * n, 50.26 + 0.06 * n)
        counted.append(line.octets(50.26 + 0.06 * n))
    steps = [b - a for a, b in pairwise(counted)]
    assert max(steps) - min(steps) <= 0.002 * min(steps)


@pytest.mark.parametrize(
    ("traffic", "least", "most"),
    [
        (Traffic.NONE, 0.99, 1.0),
        (Traffic.STEADY, 0.68, 0.72),
        (Traffic.BURSTY, 0.25, 0.40),
        (Traffic.FULL, OWN_SHARE, OWN_SHARE),
    ],
)
def test_a_test_gets_what_others_leave(traffic, least, most):
    line = way(traffic=traffic)
    fill(line, 50.0, 51.0)
    taken_bps = 8 * fill(line, 51.0, 71.0) / 20
    assert least * 80e6 * 0.999 <= taken_bps <= most * 80e6 * 1.001


@pytest.mark.parametrize(
    ("traffic", "share"),
    [
        (Traffic.NONE, CHATTER_SHARE),
        (Traffic.STEADY, 0.30),
        (Traffic.BURSTY, 0.70),
        (Traffic.FULL, 1.0),
    ],
)
def test_what_others_move_by_themselves(traffic, share):
    line = way(traffic=traffic)
    before = line.octets(50.0)
    moved_bps = 8 * (line.octets(250.0) - before) / 200 / FRAMING
    assert moved_bps == pytest.approx(share * 80e6, rel=0.05)


def test_school_hours_are_in_the_day_and_nights_are_quiet():
    def mean(day_s: float) -> float:
        others = Others(Traffic.SCHOOL, "gs-07", day_s)
        return sum(others.share(slot) for slot in range(2000)) / 2000

    assert mean(10 * 3600.0) > 0.4
    assert mean(14 * 3600.0) < mean(10 * 3600.0)
    assert mean(3 * 3600.0) < 0.05


def test_packets_wait_only_while_the_line_is_full():
    line = way()
    assert line.wait_s(50.1) == 0.0
    fill(line, 50.1, 50.6)
    assert QUEUE_S - 3 * GRANT_S <= line.wait_s(50.6) <= QUEUE_S
    assert 0 < line.wait_s(50.62) <= QUEUE_S - 0.018
    assert line.wait_s(50.7) == 0.0


def test_others_alone_make_packets_wait():
    line = way(traffic=Traffic.FULL)
    assert 0.02 < line.wait_s(50.1) <= QUEUE_S
    line.set_others(Others(Traffic.NONE, "gs-07"), 50.2)
    assert line.wait_s(50.2) == 0.0


def test_a_sender_below_the_rate_keeps_the_queue_empty_and_is_counted():
    line = way()
    before = line.octets(50.0)
    for n in range(1000):  # 40 Mbit/s in pieces of a millisecond
        size, wait_s = line.take(50.0 + n / 1000, 5_000)
        assert (size, wait_s) == (5_000, 0.0)
        assert line.wait_s(50.0 + (n + 0.9) / 1000) == 0.0
    moved_bps = 8 * (line.octets(51.0) - before) / FRAMING
    assert moved_bps == pytest.approx(40e6 + CHATTER_SHARE * 80e6, rel=0.001)


def test_a_fall_of_the_rate_shows_at_once():
    line = way(traffic=Traffic.STEADY)
    fill(line, 50.0, 51.0)
    line.set_rate(20e6, 51.0)
    before = line.octets(51.0)
    fill(line, 51.0, 53.0)
    counted_bps = 8 * (line.octets(53.0) - before) / 2 / FRAMING
    assert counted_bps == pytest.approx(20e6, rel=1e-6)
    assert line.rate_bps == 20e6


def test_a_line_that_is_cut_off_lets_nothing_pass():
    line = way()
    line.set_rate(0.0, 50.0)
    size, wait_s = line.take(51.0, 10_000)
    assert size == 0
    assert wait_s > 0
    assert line.octets(52.0) == line.octets(51.0)
    line.set_rate(80e6, 52.0)
    assert line.take(52.0, 10_000)[0] == 10_000


@pytest.mark.parametrize("refresh_s", [1.0, 3.0])
def test_a_rarely_refreshed_counter_shows_the_moment_of_its_refresh(refresh_s):
    line, fresh = way(refresh_s=refresh_s), way()
    for each in (line, fresh):
        fill(each, 50.0, 50.0 + 2.5 * refresh_s)
    # Asked long after the refresh, it shows what was then.
    assert line.shown_octets(50.0 + 2.5 * refresh_s) == pytest.approx(
        way_at(50.0 + 2 * refresh_s), abs=2
    )
    assert line.octets(50.0 + 2.5 * refresh_s) == fresh.octets(50.0 + 2.5 * refresh_s)


def way_at(at_s: float) -> int:
    line = way()
    fill(line, 50.0, at_s)
    return line.octets(at_s)


def test_the_same_seed_plays_the_same_and_another_does_not():
    def moved(seed: str) -> int:
        return way(traffic=Traffic.BURSTY, seed=seed).octets(50.0 + 7 * SLOT_S)

    assert moved("gs-07") == moved("gs-07")
    assert len({moved(f"gs-{n:02}") for n in range(12)}) > 1


STEPS = st.lists(
    st.tuples(
        st.floats(0.0, 0.5),
        st.sampled_from(["take", "partly", "rate", "others", "read"]),
        st.integers(1, 300_000),
    ),
    max_size=60,
)


@given(STEPS, st.sampled_from(Traffic), st.sampled_from([0.0, 0.7]))
def test_no_counter_runs_back_or_faster_than_the_line(steps, traffic, refresh_s):
    line = way(traffic=traffic, refresh_s=refresh_s)
    now_s = 50.0
    octets, shown = line.octets(now_s), line.shown_octets(now_s)
    for span_s, what, number in steps:
        now_s += span_s
        most = line.rate_bps / 8 * span_s * FRAMING
        assert octets <= line.octets(now_s) <= octets + most * (1 + 1e-9) + 1
        octets = line.octets(now_s)
        assert shown <= line.shown_octets(now_s) <= octets
        shown = line.shown_octets(now_s)
        assert 0.0 <= line.wait_s(now_s) <= QUEUE_S
        match what:
            case "take":
                line.take(now_s, number)
            case "partly":
                size, _ = line.take(now_s, number)
                line.give_back(size // 2)
            case "rate":
                line.set_rate(float(number) * 1000, now_s)
            case "others":
                line.set_others(Others(Traffic.BURSTY, str(number)), now_s)
        assert line.octets(now_s) == octets


@given(STEPS, st.sampled_from([Traffic.NONE, Traffic.STEADY, Traffic.SCHOOL]))
def test_a_wait_is_told_only_where_somebody_waits(steps, traffic):
    line = way(traffic=traffic)
    now_s = 50.0
    for span_s, what, number in steps:
        now_s += span_s
        size = 0
        if what == "take":
            size, wait_s = line.take(now_s, number)
            assert (size == 0) == (wait_s > 0)
        if size:
            assert line.wait_s(now_s) > 0
            # After the longest queue it is empty again.
            assert line.wait_s(now_s + 2 * QUEUE_S / OWN_SHARE) == 0.0
            now_s += 2 * QUEUE_S / OWN_SHARE
