"""The machine over any sequence of results."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.watched import Limits
from netmon.storage.records import AlarmState
from tests.alerts.played import LINE, SILENCE, follow

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
