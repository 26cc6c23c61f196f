"""The machine as tables, and as properties over any sequence of results."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.machine import (
    Change,
    Level,
    Limits,
    Memory,
    Seen,
    Watched,
    deadline_ms,
    hearing,
    judge,
    retire,
    step,
)
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


def follow(
    limits: Limits, text: str, *, generated: bool = False
) -> tuple[Watched, list[Change]]:
    """Play a timeline of one character a minute.

    b bad, g good, m between, f failed, . nothing; L a late bad result, G a late
    good one; h an hour without anything.
    """
    watched = Watched(memory=Memory(generated=generated))
    changes, now_ms = [], 10**12
    values = {"b": 40.0, "g": 240.0, "m": 102.0, "L": 40.0, "G": 240.0}
    for letter in text.replace(" ", ""):
        now_ms += 61 * MINUTE_MS if letter == "h" else MINUTE_MS
        watched, change = step(limits, watched, None, now_ms)
        changes += [change] if change else []
        if letter in ".h":
            continue
        measured_ms = now_ms - 61 * MINUTE_MS if letter in "LG" else now_ms
        failure = FailureReason.TIMEOUT if letter == "f" else None
        seen = Seen(measured_ms, now_ms, values.get(letter), failure)
        watched, change = step(limits, watched, seen, now_ms)
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


results = st.lists(st.sampled_from("bgmf.hLG"), max_size=60).map("".join)
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
    assert watched.memory == Memory(generated=True) or watched.memory.first_ms
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
