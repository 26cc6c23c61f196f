"""Counters that are refreshed rarely: where they change is what counts; pure."""

from __future__ import annotations

import itertools

import pytest

from probes import counters
from probes.counters import Reading, Refresh, edges, learn_refresh, live, trouble


def reading(at_s: float, octets: int) -> Reading:
    return Reading(at_s, 0.001, octets, 2 * octets)


def test_an_edge_lies_between_the_last_old_and_the_first_new_reading():
    found = edges(
        [reading(0.0, 5), reading(0.1, 5), reading(0.2, 9), reading(0.3, 9)], "down"
    )
    assert [(e.at_s, e.octets) for e in found] == [(pytest.approx(0.15), 9)]
    assert found[0].error_s == pytest.approx(0.051)


def test_the_direction_chooses_the_counter():
    readings = [reading(0.0, 5), reading(0.1, 9)]
    assert edges(readings, "up")[0].octets == 18
    assert [sample.octets for sample in live(readings, "down")] == [5, 9]


@pytest.mark.parametrize(
    ("after_s", "next_s"), [(10.2, 11.0), (11.0, 12.0), (13.99, 14.0)]
)
def test_the_next_refresh_is_foretold(after_s, next_s):
    assert Refresh(1.0, 10.0).next_edge_s(after_s) == pytest.approx(next_s)


def test_live_counters_never_let_wait():
    refresh = Refresh(0.0, 10.0)
    assert refresh.is_live
    assert refresh.next_edge_s(12.3) == 12.3


@pytest.mark.parametrize(
    ("period_s", "usable"), [(0.0, True), (5.0, True), (10, False)]
)
def test_a_test_waits_for_two_refreshes_of_five_seconds_not_of_ten(period_s, usable):
    assert Refresh(period_s, 0.0).is_usable is usable


class Rare:
    """A router that shows a new value every nth reading, with a clock of its own."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._count = itertools.count()

    def read(self) -> Reading:
        n = next(self._count)
        shown = n - n % self._every
        return Reading(n * 0.02, 0.0001, shown * 1000, shown * 1000)


def test_the_period_is_learnt_from_the_edges():
    refresh = learn_refresh(Rare(5), "down", limit_s=5)
    assert refresh is not None
    assert refresh.period_s == pytest.approx(0.1)


def test_always_fresh_is_live():
    refresh = learn_refresh(Rare(1), "down", limit_s=5)
    assert refresh is not None
    assert refresh.is_live


def test_a_counter_that_never_moves_is_not_known():
    assert learn_refresh(Rare(10**9), "down", limit_s=0.2) is None


def told(n: int, **more: int) -> list[Reading]:
    """Live readings; ``more`` maps a field to what its last reading says."""
    readings = [Reading(i * 0.02, 0.001, i * 9, i * 7, i * 2, 0) for i in range(n)]
    last = readings[-1]
    fields = {name: getattr(last, name) for name in Reading.__slots__}
    return [*readings[:-1], Reading(**{**fields, **more})]


def test_good_readings_are_no_trouble():
    assert trouble(told(20), "down", 20, live_from_s=0.0) == ""
    assert trouble([], "down", 0, live_from_s=0.0) == ""
    assert trouble([reading(0.0, 5), reading(0.1, 9)], "up", 2, live_from_s=0.0) == ""


@pytest.mark.parametrize(
    "more", [{"uptime_ticks": 1}, {"discontinuity_ticks": 9}, {"out_octets": 3}]
)
def test_a_router_that_began_anew_is_recognised(more):
    assert trouble(told(20, **more), "down", 20, live_from_s=0.0) == "reset"


def test_a_router_that_stops_answering_is_recognised():
    assert trouble(told(8), "down", 20, live_from_s=0.0) == "silent"


def test_counters_that_are_live_no_more_are_recognised():
    """The other direction may stand still as it likes."""
    still = [Reading(i * 0.02, 0.001, i // 5, i) for i in range(20)]
    assert trouble(still, "down", 20, live_from_s=0.0) == "stale"
    assert trouble(still, "up", 20, live_from_s=0.0) == ""
    assert trouble(still, "down", 20, live_from_s=None) == ""
    assert trouble(still, "down", 20, live_from_s=0.3) == "", "hardly begun"


def test_a_router_that_says_nothing_is_given_up_soon(monkeypatch):
    monkeypatch.setattr(counters, "SILENT_S", 0.1)

    class Silent:
        asked = 0

        def read(self):
            self.asked += 1

    silent = Silent()
    assert learn_refresh(silent, "down", limit_s=3600.0) is None
    assert silent.asked > 1
