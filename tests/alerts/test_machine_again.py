"""What comes and goes: windows, flapping, breaks, silence."""

from __future__ import annotations

import dataclasses

import pytest

from netmon.storage.records import AlarmState
from tests.alerts.played import LINE, MINUTE_MS, SILENCE, follow

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
