"""The machine as tables, and as properties over any sequence of results."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.gate import OPEN, Gate, Passage
from alerts.machine import (
    Level,
    deadline_ms,
    hearing,
    judge,
    recheck,
    restart,
    retire,
    step,
)
from alerts.watched import Change, Limits, Memory, Seen, Watched
from netmon.model import FailureReason
from netmon.storage.records import AlarmState

LINE = Limits(
    raise_below=100.0,
    clear_from=105.0,
    confirm_count=3,
    clear_count=2,
    valid_for_s=3600,
)
SILENCE = Limits(
    raise_below=None,
    clear_from=None,
    confirm_count=1,
    clear_count=1,
    valid_for_s=3600,
    silence_is_bad=True,
)
MINUTE_MS = 60_000


PARENT = ("device_down", "device:sw-07")
SHUT = Passage(Gate.CLOSED, PARENT)


def follow(
    limits: Limits,
    text: str,
    *,
    generated: bool = False,
    watched: Watched | None = None,
    minute: int = 0,
) -> tuple[Watched, list[Change]]:
    """Play a timeline of one character a minute.

    b bad, g good, m between, f failed, . nothing; L a late bad result, G a late
    good one; h an hour without anything. ( shuts the gate, ) opens it, > lets the
    parent return, and each of these takes no time.
    """
    watched = watched or Watched(memory=Memory(generated=generated))
    changes: list[Change] = []
    now_ms = 10**12 + minute * MINUTE_MS
    passage = OPEN

    def ask(_: int) -> Passage:
        return passage

    values = {"b": 40.0, "g": 240.0, "m": 102.0, "L": 40.0, "G": 240.0}
    for letter in text.replace(" ", ""):
        if letter in "()>":
            passage = SHUT if letter == "(" else OPEN
            if letter == ">":
                watched = restart(watched, now_ms + 1)
            watched, change = recheck(limits, watched, now_ms, ask)
            changes += [change] if change else []
            continue
        now_ms += 61 * MINUTE_MS if letter == "h" else MINUTE_MS
        watched, change = step(limits, watched, None, now_ms, ask)
        changes += [change] if change else []
        if letter in ".h":
            continue
        measured_ms = now_ms - 61 * MINUTE_MS if letter in "LG" else now_ms
        failure = FailureReason.TIMEOUT if letter == "f" else None
        seen = Seen(measured_ms, now_ms, values.get(letter), failure)
        watched, change = step(limits, watched, seen, now_ms, ask)
        changes += [change] if change else []
    return watched, changes


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


OFTEN = dataclasses.replace(LINE, confirm_count=3, confirm_of=5)
LASTING = dataclasses.replace(LINE, confirm_count=2, confirm_for_s=300)
BOTH = dataclasses.replace(OFTEN, confirm_for_s=300)


@pytest.mark.parametrize(
    ("limits", "timeline", "states"),
    [
        # N of M: three of the last five
        (OFTEN, "gbgbgb", "ok suspect ok suspect ok bad"),
        (OFTEN, "bggbggb", "suspect ok suspect ok suspect"),
        (OFTEN, "bgmgb", "suspect ok suspect"),
        (OFTEN, "bbfffb", "suspect bad"),
        # what led to an incident confirms no other one
        (OFTEN, "bbb gg b", "suspect bad ok suspect"),
        (OFTEN, "bbb gg bbb", "suspect bad ok suspect bad"),
        (OFTEN, "bbhb", "suspect stale suspect"),
        # a duration: two in a row that are five minutes apart
        (LASTING, "bbbbb", "suspect"),
        (LASTING, "b....b", "suspect bad"),
        (LASTING, "b...g.b", "suspect ok suspect"),
        # however many results come in that time
        (LASTING, "bbbbbb", "suspect bad"),
        (LASTING, "bbbgbbbbb", "suspect ok suspect"),
        (BOTH, "bgbgbgbg", "suspect ok suspect ok suspect ok suspect ok"),
        (BOTH, "bbgbbgbb", "suspect ok suspect ok bad"),
    ],
)
def test_results_of_a_window_confirm(limits, timeline, states):
    _, changes = follow(limits, timeline)
    assert " ".join(c.to_state for c in changes) == states


def test_what_slid_out_of_the_window_is_not_since_when():
    watched, _ = follow(OFTEN, "b gggg bgb")
    assert watched.memory.bad_since_ms == 10**12 + 6 * MINUTE_MS


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


def test_what_flaps_keeps_its_incident_until_it_is_calm():
    watched, changes = follow(LINE, "g" + "bbbgg" * 6)
    assert watched.memory.flapping
    # The third change for the worse begins it; from then on it stays open.
    assert [c.to_state for c in changes if c.opens] == [AlarmState.BAD] * 3
    assert len([c for c in changes if c.closes]) == 2
    assert watched.state is AlarmState.BAD
    assert not watched.memory.confirmed
    calm, more = follow(LINE, "g" * 20, watched=watched, minute=31)
    assert [c.to_state for c in more] == [AlarmState.OK]
    assert more[0].closes
    assert not calm.memory.flapping


def test_what_flaps_and_is_bad_when_calm_goes_on():
    watched, _ = follow(LINE, "g" + "bbbgg" * 6)
    worse, changes = follow(LINE, "b" * 20, watched=watched, minute=31)
    assert changes == []
    assert (worse.state, worse.memory.flapping) == (AlarmState.BAD, False)
    assert worse.memory.confirmed
    _, changes = follow(LINE, "gg", watched=worse, minute=51)
    assert [c.to_state for c in changes] == [AlarmState.OK]


WAVERING = dataclasses.replace(LINE, confirm_of=4, waver_of=12)
BREAKING = dataclasses.replace(LINE, confirm_count=3, breaks_within_s=1200)


@pytest.mark.parametrize(
    ("limits", "timeline", "states"),
    [
        # half of twelve, over half an hour, though never three of four
        (WAVERING, "b...g..." * 6, "bad"),
        (WAVERING, "bg" * 10, ""),
        (WAVERING, "b...g...g..." * 6, ""),
        # over with no more than a quarter of twelve
        (WAVERING, "b...g..." * 6 + "gggg", "bad"),
        (WAVERING, "b...g..." * 6 + "ggggg", "bad ok"),
        # bad all the time since, it ends as any other
        (WAVERING, "b...g..." * 6 + "bbbbb gg", "bad ok"),
        # of three bad of four nothing stays behind
        (WAVERING, "g bbbbbbbbbbbb gg", "bad ok"),
        # breaks: bad ones in a row are one, and the first of all breaks nothing off
        (BREAKING, "gbbbbbbg", ""),
        (BREAKING, "gbgbbg b", "bad"),
        (BREAKING, "bgbgb", ""),
        (BREAKING, "gb" + "g" * 9 + "b" + "g" * 9 + "b", ""),
        (BREAKING, "gbgbgb" + "g" * 19, "bad"),
        (BREAKING, "gbgbgb" + "g" * 20, "bad ok"),
        (BREAKING, "gbgbgb" + "b" * 21, "bad"),
        # failures of the other end say nothing
        (BREAKING, "gfgfgfgf", ""),
    ],
)
def test_what_is_bad_again_and_again_is_confirmed_too(limits, timeline, states):
    _, changes = follow(limits, timeline)
    told = [c.to_state for c in changes if c.opens or c.closes]
    assert " ".join(told) == states


def test_silence_that_comes_and_goes_is_suspect_while_something_is_heard():
    watched, changes = follow(SILENCE, "ghg" * 3)
    assert [c.to_state for c in changes if c.opens] == [AlarmState.BAD] * 3
    assert watched.memory.flapping
    assert (watched.state, watched.incident_open) == (AlarmState.SUSPECT, True)
    silent, changes = follow(SILENCE, "h", watched=watched, minute=189)
    assert [(c.to_state, c.opens) for c in changes] == [(AlarmState.BAD, False)]
    assert silent.memory.bad_since_ms == watched.memory.bad_since_ms
    calm, changes = follow(SILENCE, "g" * 500, watched=silent, minute=250)
    assert [c.to_state for c in changes] == [AlarmState.SUSPECT, AlarmState.OK]
    assert not calm.memory.flapping


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


results = st.lists(st.sampled_from("bgmf.hLG()>"), max_size=60).map("".join)
rules = st.sampled_from([LINE, SILENCE])


@given(rules, results)
def test_incidents_open_and_close_by_turns(limits: Limits, timeline: str) -> None:
    watched, changes = follow(limits, timeline)
    is_open = False
    for change in changes:
        assert not (change.opens and is_open)
        assert not (change.closes and not is_open)
        is_open = (is_open or change.opens) and not change.closes
        assert is_open or change.to_state is not AlarmState.BAD
        assert not is_open or change.to_state in {AlarmState.BAD, AlarmState.STALE}
    assert is_open is watched.incident_open


@given(rules, results)
def test_made_up_data_open_no_incident(limits: Limits, timeline: str) -> None:
    watched, changes = follow(limits, timeline, generated=True)
    assert not watched.incident_open
    assert watched.memory.generated
    assert watched.memory.first_ms or not watched.memory.results
    assert not any(c.opens or c.closes for c in changes)
    assert AlarmState.BAD not in {c.to_state for c in changes}


@given(rules, results)
def test_transitions_chain_without_a_gap(limits: Limits, timeline: str) -> None:
    watched, changes = follow(limits, timeline)
    state, at_ms = AlarmState.UNKNOWN, 0
    for change in changes:
        assert change.from_state is state
        assert change.to_state is not state
        assert change.at_ms >= at_ms
        state, at_ms = change.to_state, change.at_ms
    assert (watched.state, watched.since_ms) == (state, at_ms)


@given(rules, results)
def test_late_results_change_nothing(limits: Limits, timeline: str) -> None:
    as_if_never_sent = timeline.replace("L", ".").replace("G", ".")
    assert follow(limits, timeline) == follow(limits, as_if_never_sent)


@given(results)
def test_failures_alone_neither_raise_nor_clear(timeline: str) -> None:
    _, changes = follow(LINE, timeline)
    _, without = follow(LINE, timeline.replace("f", "."))
    assert changes == without


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
