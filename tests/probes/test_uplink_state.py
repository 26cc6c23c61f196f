"""What the uplink remembers: over a restart, a damaged file, another line."""

from __future__ import annotations

import logging
from datetime import date, timedelta

import pytest

from probes.uplink_state import StateFile, UplinkState

DAY = date(2026, 11, 20)


def test_a_restart_finds_all_of_it(tmp_path):
    state = UplinkState(line="l1", statement_ms=5, doubt=2, done_ms=[1, 2])
    state.spend(DAY, 7_000_000)
    state.saw_rtt(DAY, 0.011)
    StateFile(tmp_path / "uplink.json").save(state)
    assert StateFile(tmp_path / "uplink.json").load("l1") == state
    assert [path.name for path in tmp_path.iterdir()] == ["uplink.json"]


def test_nothing_is_remembered_of_another_line_or_before_the_first(tmp_path):
    file = StateFile(tmp_path / "uplink.json")
    assert file.load("l1") == UplinkState(line="l1")
    file.save(UplinkState(line="l1", statement_ms=5))
    assert file.load("l2") == UplinkState(line="l2")


@pytest.mark.parametrize("body", [b"", b"{", b'{"doubt":"x"}', b"\xff\xfe"])
def test_a_damaged_file_is_set_aside_and_told(tmp_path, caplog, body):
    path = tmp_path / "uplink.json"
    path.write_bytes(body)
    with caplog.at_level(logging.WARNING):
        assert StateFile(path).load("l1") == UplinkState(line="l1")
    assert "damaged" in caplog.text
    assert (tmp_path / "uplink.damaged").read_bytes() == body


def test_the_budget_begins_anew_each_day():
    state = UplinkState()
    state.spend(DAY, 100)
    state.spend(DAY, 50.4)
    assert state.spent_on(DAY) == 150
    assert state.spent_on(DAY + timedelta(days=1)) == 0
    state.spend(DAY + timedelta(days=1), 7)
    assert state.spent_on(DAY + timedelta(days=1)) == 7


def test_the_empty_round_trip_is_the_shortest_of_two_days():
    state = UplinkState()
    assert state.base_rtt_s is None
    state.saw_rtt(DAY, 0.010)
    state.saw_rtt(DAY, 0.030)
    assert state.base_rtt_s == 0.010
    for number in range(1, 3):
        state.saw_rtt(DAY + timedelta(days=number), 0.020)
    assert state.base_rtt_s == 0.020
    assert len(state.shortest_rtt_s) == 2


def test_a_clock_that_was_ahead_silences_nothing():
    state = UplinkState(
        statement_ms=9_000_000, tried_ms=9_000_000, done_ms=[5, 9_000_000]
    )
    state.proof_ms = 1_050_000
    state.forget_future(1_000_000)
    assert (state.statement_ms, state.tried_ms, state.done_ms) == (None, None, [5])
    assert state.proof_ms == 1_050_000  # within what a clock may be set back by
