"""The watch over the counters: how long it listens, when it is deaf, what it forgets."""

from __future__ import annotations

from probes.counters import LIVE_BELOW_S, Reading
from probes.passive_watch import UNKNOWN_REFRESH_S, PassiveWatch


class Router:
    """Counts a million octets between two questions; silent when told."""

    def __init__(self) -> None:
        self.silent = False
        self._at_s = 0.0

    def read(self) -> Reading | None:
        self._at_s += 1.0
        octets = int(self._at_s * 1_000_000)
        return None if self.silent else Reading(self._at_s, 0.0, octets, octets)


def test_it_reckons_with_the_rarest_refresh_until_it_knows():
    watch = PassiveWatch(Router())
    assert watch.wants_to_learn
    for _ in range(3):
        watch.sample()
    view = watch.view("down", 0.0, 1e9)
    assert view is not None
    assert view.bound_bps == 8e6 / (1 + UNKNOWN_REFRESH_S)
    watch.learnt(0.0)
    assert not watch.wants_to_learn
    view = watch.view("down", 0.0, 1e9)
    assert view is not None
    assert view.bound_bps == 8e6 / (1 + LIVE_BELOW_S)
    assert watch.now_bps("down", 2.0) == 8e6
    assert watch.now_bps("down", 2.5) is None


def test_what_cannot_be_learnt_is_not_asked_for_again():
    watch = PassiveWatch(Router())
    watch.learnt(None)
    assert not watch.wants_to_learn
    assert watch.refresh_s == UNKNOWN_REFRESH_S
    assert not PassiveWatch(None).wants_to_learn


def test_three_silences_in_a_row_make_it_deaf_and_one_answer_heals_it():
    router = Router()
    watch = PassiveWatch(router)
    router.silent = True
    for number in range(3):
        assert not watch.is_deaf, number
        watch.sample()
    assert watch.is_deaf
    router.silent = False
    watch.sample()
    assert not watch.is_deaf


def test_a_test_is_forgotten_and_old_readings_do_not_count():
    watch = PassiveWatch(Router())
    for _ in range(4):
        watch.sample()
    assert watch.view("down", 3.0, 1e9) is None  # one interval says too little
    watch.forget()
    assert watch.now_bps("down", 0.0) is None
    assert watch.view("down", 0.0, 1e9) is None


def test_without_counters_nothing_is_known():
    watch = PassiveWatch(None)
    watch.sample()
    assert not watch.is_deaf
    assert watch.view("down", 0.0, 1e9) is None
