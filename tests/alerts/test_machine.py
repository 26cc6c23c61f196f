"""The machine as tables."""

from __future__ import annotations

import dataclasses

import pytest

from alerts.machine import (
    Level,
    deadline_ms,
    hearing,
    judge,
    restart,
    retire,
    step,
)
from alerts.watched import Change, Limits, Memory, Seen, Watched
from netmon.storage.records import AlarmState
from tests.alerts.played import LINE, MINUTE_MS, SILENCE, follow


@pytest.mark.parametrize(
    ("timeline", "states"),
    [
        ("", ""),
        ("g", "ok"),
        ("m", "ok"),
        ("f", ""),
        ("b", "suspect"),
        ("bb", "suspect"),
        ("bbb", "suspect bad"),
        ("gbg", "ok suspect ok"),
        ("gbbg bbg", "ok suspect ok suspect ok"),
        ("gbm", "ok suspect ok"),
        ("gbbm bb", "ok suspect ok suspect"),
        ("bbb g", "suspect bad"),
        ("bbb gg", "suspect bad ok"),
        ("bbb gbgg", "suspect bad ok"),
        ("bbb gmg", "suspect bad"),
        ("bbb gmgg", "suspect bad ok"),
        ("bbb mmmmm", "suspect bad"),
        # a failure is neither good nor bad: streaks go on over it
        ("bfbfb", "suspect bad"),
        ("bbb gfg", "suspect bad ok"),
        ("bbb ffff", "suspect bad"),
        ("gffff", "ok"),
        # late results change nothing, and break no streak
        ("gLLLLL", "ok"),
        ("LLLL", ""),
        ("bbLLL", "suspect"),
        ("bbLb", "suspect bad"),
        ("bbb GGGG", "suspect bad"),
        # silence
        ("gh", "ok stale"),
        ("ghh", "ok stale"),
        ("bh", "suspect stale"),
        ("bhb", "suspect stale suspect"),
        ("bbhb", "suspect stale suspect"),
        ("ghg", "ok stale ok"),
        ("bbbh", "suspect bad stale"),
        ("bbbhb", "suspect bad stale bad"),
        ("bbbhg", "suspect bad stale bad"),
        ("bbbhgg", "suspect bad stale bad ok"),
        ("bbbghg", "suspect bad stale bad"),
        ("bbbhm", "suspect bad stale bad"),
        ("gf" + "f" * 61, "ok stale"),
        ("bbbhh GG", "suspect bad stale"),
    ],
)
def test_a_threshold_rule(timeline: str, states: str) -> None:
    _, changes = follow(LINE, timeline)
    assert " ".join(c.to_state for c in changes) == states


@pytest.mark.parametrize(
    ("timeline", "states"),
    [
        ("", ""),
        ("hhh", ""),  # never heard of: nothing is expected
        ("g", "ok"),
        ("b", "ok"),  # any number is a sign of life
        ("gh", "ok bad"),
        ("ghh", "ok bad"),
        ("ghg", "ok bad ok"),
        ("ghGG", "ok bad"),
        ("ghffff", "ok bad"),
        ("fh", "bad"),
        ("g" + "f" * 62, "ok bad"),
        ("g" + "." * 59 + "g" + "." * 59, "ok"),
    ],
)
def test_a_rule_about_silence(timeline: str, states: str) -> None:
    _, changes = follow(SILENCE, timeline)
    assert " ".join(c.to_state for c in changes) == states


@pytest.mark.parametrize(
    ("limits", "timeline", "states", "is_held"),
    [
        (LINE, "(bbb", "suspect", True),
        (LINE, "(bb", "suspect", False),
        (LINE, "(bbbbb", "suspect", True),
        # no gate delays a recovery
        (LINE, "(bbbg", "suspect ok", False),
        (LINE, "bbb(gg", "suspect bad ok", False),
        (LINE, "bbb(hb", "suspect bad stale bad", False),
        # the parent was seen good meanwhile: told at once
        (LINE, "(bbb)", "suspect bad", False),
        (LINE, "(bb)b", "suspect bad", False),
        # the parent is back: only what is measured from now counts
        (LINE, "(bbb>", "suspect", True),
        (LINE, "(bbb>bb", "suspect", True),
        (LINE, "(bbb>bbb", "suspect bad", False),
        (LINE, "(bbb>g", "suspect ok", False),
        (LINE, "bb>b", "suspect", False),
        (LINE, "(bbbh", "suspect stale", False),
        # silence: held when its time is up, and again its full time from the return
        (SILENCE, "g(h", "ok suspect", True),
        (SILENCE, "g(hh", "ok suspect", True),
        (SILENCE, "g(h)", "ok suspect bad", False),
        (SILENCE, "g(h>", "ok suspect", True),
        (SILENCE, "g(hh>" + "." * 59, "ok suspect", True),
        (SILENCE, "g(h>h", "ok suspect bad", False),
        (SILENCE, "g(hg", "ok suspect ok", False),
        (SILENCE, "g(h>gh", "ok suspect ok bad", False),
        (SILENCE, "g(h>(hh", "ok suspect", True),
    ],
)
def test_a_gate(limits, timeline, states, is_held):
    watched, changes = follow(limits, timeline)
    assert " ".join(c.to_state for c in changes) == states
    assert (watched.memory.held_by is not None) is is_held


def test_bad_results_from_before_the_parents_return_count_for_nothing():
    watched, _ = follow(LINE, "g")
    back_ms = 10**12 + 30 * MINUTE_MS
    watched = restart(watched, back_ms)
    for minute in (20, 25, 29):
        at_ms = 10**12 + minute * MINUTE_MS
        watched, change = step(LINE, watched, Seen(at_ms, back_ms, 40.0), back_ms)
        assert change is None
    assert watched.state is AlarmState.OK
    assert watched.memory.window == ()


def test_one_result_a_moment():
    limits = dataclasses.replace(LINE, one_a_moment=True)
    watched = Watched()
    for _ in range(5):
        watched, _ = step(limits, watched, Seen(1000, 2000, 40.0), 2000)
    assert watched.memory.window == (1000,)


def test_lateness_has_its_own_limit():
    limits = dataclasses.replace(LINE, late_after_s=900)
    at_ms = 10**12
    for late_ms, taken in ((900_000, True), (900_001, False)):
        seen = Seen(at_ms, at_ms + late_ms, 40.0)
        watched, _ = step(limits, Watched(), seen, at_ms + late_ms)
        assert bool(watched.memory.window) is taken


@pytest.mark.parametrize(
    ("limits", "timeline", "states"),
    [
        (LINE, "g", "ok"),
        (LINE, "bbbbbb", "suspect"),
        (LINE, "bbb gg", "suspect ok"),
        (LINE, "gbbbbh", "ok suspect stale"),
        (LINE, "bbbhbbb", "suspect stale suspect"),
        (LINE, "bbbhm", "suspect stale ok"),
        (LINE, "ffff", ""),
        (LINE, "gf" + "f" * 61, "ok stale"),
        (SILENCE, "gh", "ok stale"),
        (SILENCE, "ghhh", "ok stale"),
        (SILENCE, "ghg", "ok stale ok"),
        (SILENCE, "fh", "stale"),
        (SILENCE, "hhh", ""),
    ],
)
def test_made_up_data_have_a_state_but_are_never_bad(
    limits: Limits, timeline: str, states: str
) -> None:
    watched, changes = follow(limits, timeline, generated=True)
    assert " ".join(c.to_state for c in changes) == states
    assert watched.memory.generated


def test_made_up_data_confirmed_by_one_result_are_suspect() -> None:
    limits = Limits(1.0, 1.0, confirm_count=1, clear_count=1, valid_for_s=60)
    watched = Watched(memory=Memory(generated=True))
    watched, _ = step(limits, watched, Seen(10, 10, 0.0), 10)
    assert (watched.state, watched.incident_open) == (AlarmState.SUSPECT, False)


@pytest.mark.parametrize("timeline", ["", "g", "b", "bbb", "bf", "f", "ghb"])
def test_what_a_target_listens_to(timeline: str) -> None:
    measured, _ = follow(LINE, timeline)
    made_up, _ = follow(LINE, timeline, generated=True)
    assert hearing(measured, generated=False) is measured
    assert hearing(made_up, generated=True) is made_up
    taken_over = hearing(made_up, generated=False)
    assert taken_over is not None
    assert taken_over.memory == Memory()
    assert (taken_over.state, taken_over.since_ms) == (made_up.state, made_up.since_ms)
    replaced = hearing(measured, generated=True)
    if timeline:
        assert replaced is None
    else:
        assert replaced == Watched(memory=Memory(generated=True))


def test_a_forgotten_target_listens_to_whoever_comes_first() -> None:
    watched, _ = follow(LINE, "bbb")
    gone, _ = retire(watched, 10**13)
    for generated in (False, True):
        found = hearing(gone, generated=generated)
        assert found is not None
        assert found.memory == Memory(generated=generated)


def test_an_incident_opens_with_the_confirmed_result_and_closes_once() -> None:
    _, changes = follow(LINE, "g bbb h b gg bbb")
    opened = [c.to_state for c in changes if c.opens]
    closed = [c.from_state for c in changes if c.closes]
    assert opened == [AlarmState.BAD, AlarmState.BAD]
    assert closed == [AlarmState.BAD]


def test_what_a_mail_calls_since_is_the_first_bad_result() -> None:
    watched, changes = follow(LINE, "ggg bfbb b")
    first_bad_ms = 10**12 + 4 * MINUTE_MS
    assert watched.memory.bad_since_ms == first_bad_ms
    assert changes[-1].at_ms == first_bad_ms + 3 * MINUTE_MS


def test_silence_begins_with_the_last_sign_of_life() -> None:
    watched, changes = follow(SILENCE, "ggh")
    assert watched.memory.bad_since_ms == 10**12 + 2 * MINUTE_MS
    assert changes[-1].at_ms == 10**12 + 62 * MINUTE_MS


def test_time_passes_the_same_in_one_step_or_many() -> None:
    watched, _ = follow(LINE, "gg")
    late, change = step(LINE, watched, None, 10**13)
    assert change is not None
    assert change.at_ms == 10**12 + 62 * MINUTE_MS
    early = watched
    for minute in range(3, 200):
        early, _ = step(LINE, early, None, 10**12 + minute * MINUTE_MS)
    assert early == late


def test_a_clock_ahead_of_ours_does_not_make_later_results_late() -> None:
    now_ms = 10**12
    ahead = Seen(now_ms + 600_000, now_ms, 40.0)
    watched, _ = step(LINE, Watched(), ahead, now_ms)
    assert watched.memory.newest_ms == now_ms
    right = Seen(now_ms + 1000, now_ms + 1000, 240.0)
    _, change = step(LINE, watched, right, now_ms + 1000)
    assert change is not None
    assert change.to_state is AlarmState.OK


def test_confirmed_by_one_result_needs_no_suspicion() -> None:
    limits = Limits(1.0, 1.0, confirm_count=1, clear_count=1, valid_for_s=60)
    watched, change = step(limits, Watched(), Seen(10, 10, 0.0), 10)
    assert change is not None
    assert (change.from_state, change.to_state) == (AlarmState.UNKNOWN, AlarmState.BAD)
    assert watched.incident_open


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (0.0, Level.BAD),
        (99.9, Level.BAD),
        (100.0, Level.BETWEEN),
        (104.9, Level.BETWEEN),
        (105.0, Level.GOOD),
    ],
)
def test_thresholds_belong_to_the_better_side(value: float, level: Level) -> None:
    assert judge(LINE, value) is level


@pytest.mark.parametrize(
    ("timeline", "states"),
    [("", ""), ("g", "unknown"), ("bb", "unknown"), ("bbb", "ok unknown")],
)
def test_a_retired_target_is_forgotten(timeline: str, states: str) -> None:
    watched, _ = follow(LINE, timeline)
    gone, changes = retire(watched, 10**13)
    assert " ".join(c.to_state for c in changes) == states
    assert [c.closes for c in changes] == [c.to_state == "ok" for c in changes]
    assert not gone.incident_open
    assert deadline_ms(LINE, gone) is None


@pytest.mark.parametrize(
    ("value", "high", "level"),
    [
        (95.0, 99.0, Level.BAD),
        (95.0, 101.0, Level.BETWEEN),
        (101.0, 108.0, Level.BETWEEN),
        (106.0, 110.0, Level.GOOD),
        (95.0, None, Level.BAD),
    ],
)
def test_only_what_is_bad_with_certainty_is_bad(value, high, level):
    assert judge(LINE, value, high) is level


def bounded(*bounds: float) -> tuple[Watched, list[Change]]:
    watched, changes, now_ms = Watched(), [], 10**12
    for bound in bounds:
        now_ms += MINUTE_MS
        seen = Seen(now_ms, now_ms, abs(bound), at_least=bound > 0)
        watched, change = step(LINE, watched, seen, now_ms)
        changes += [change] if change else []
    return watched, changes


def test_a_lower_bound_is_never_bad_and_below_the_threshold_says_nothing():
    watched, changes = bounded(40.0, 40.0, 40.0, 40.0)
    assert (watched, changes) == (Watched(), [])
    watched, _ = bounded(120.0, 40.0, 40.0, 40.0)
    assert watched.state is AlarmState.OK
    # A negative number here is a measured value: three of them raise.
    watched, _ = bounded(-40.0, -40.0, 20.0, -40.0)
    assert watched.state is AlarmState.BAD


def test_lower_bounds_above_the_clear_threshold_end_an_incident():
    watched, _ = bounded(-40.0, -40.0, -40.0, 101.0, 101.0)
    assert watched.state is AlarmState.BAD
    # A short test that stopped just above the threshold breaks no good streak.
    watched, _ = bounded(-40.0, -40.0, -40.0, -240.0, 101.0, 101.0, -240.0)
    assert watched.state is AlarmState.OK
    watched, changes = bounded(-40.0, -40.0, -40.0, 106.0, 106.0)
    assert watched.state is AlarmState.OK
    assert changes[-1].closes
    assert watched.memory.results[-1].at_least
