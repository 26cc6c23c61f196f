"""How doubt about a line comes and goes, by what its tests showed."""

from __future__ import annotations

import pytest

from netmon.assignment_wire import LineAssignment
from netmon.lease_wire import Purpose
from netmon.model import FailureReason, LineRole, Technology
from netmon.units import MBIT
from probes.base import ProbeResult, failed, measured
from probes.uplink_effects import DOUBT_AFTER_BELOW, note
from probes.uplink_run import Job
from probes.uplink_state import UplinkState

LINE = LineAssignment(
    id="l1",
    role=LineRole.MAIN,
    technology=Technology.RADIO,
    contracted_down_bps=250 * MBIT,
    contracted_up_bps=50 * MBIT,
    threshold_down_bps=100.0 * MBIT,
    clear_down_bps=105.0 * MBIT,
    threshold_up_bps=45.0 * MBIT,
)


def job(kind) -> Job:
    return Job(
        kind=kind,
        direction="down",
        purpose=Purpose.FLOOR,
        line=LINE,
        in_lessons=True,
    )


def rate(mbits: float) -> ProbeResult:
    value = mbits * MBIT
    return measured(
        {
            "rate_down_bps": value,
            "rate_down_low_bps": 0.98 * value,
            "rate_down_high_bps": 1.02 * value,
        }
    )


def at_least(mbits: float) -> ProbeResult:
    return measured({"at_least_down_bps": mbits * MBIT})


def varies(low: float, high: float) -> ProbeResult:
    return measured(
        {"rate_down_low_bps": low * MBIT, "rate_down_high_bps": high * MBIT}
    )


def test_doubt_needs_two_good_full_tests_after_a_bad_one():
    state = UplinkState(tried_ms=7)
    assert note(state, job("floor"), at_least(58), 1)
    # The confirmation is due at once, and nothing is stated yet.
    assert (state.doubt, state.statement_ms, state.tried_ms) == (1, None, None)
    assert note(state, job("full"), rate(60), 2)
    assert (state.doubt, state.statement_ms) == (DOUBT_AFTER_BELOW, 2)
    assert note(state, job("full"), rate(240), 3)
    assert state.doubt == 1
    assert note(state, job("full"), at_least(120), 4)
    assert (state.doubt, state.proof_ms, state.statement_ms) == (0, 4, 4)


@pytest.mark.parametrize(
    "found",
    [
        at_least(70),
        varies(80, 140),
        rate(99),  # its interval reaches above the threshold
        failed(FailureReason.UNSETTLED, ""),
        failed(FailureReason.BUSY, ""),
    ],
)
def test_a_full_test_without_an_answer_changes_nothing_and_says_so(found):
    state = UplinkState(doubt=1)
    assert not note(state, job("full"), found, 5)
    assert state == UplinkState(doubt=1)


@pytest.mark.parametrize(
    ("low", "high", "doubt"), [(180, 220, 0), (40, 60, DOUBT_AFTER_BELOW)]
)
def test_a_radio_line_answers_by_the_end_of_its_range_that_is_certain(low, high, doubt):
    state = UplinkState(doubt=1)
    assert note(state, job("full"), varies(low, high), 5)
    assert (state.doubt, state.statement_ms) == (doubt, 5)


def test_a_passed_floor_test_is_a_proof():
    state = UplinkState()
    assert note(state, job("floor"), at_least(101), 9)
    assert (state.statement_ms, state.proof_ms, state.doubt) == (9, 9, 0)


@pytest.mark.parametrize(
    ("reason", "doubt"),
    [(FailureReason.UNSETTLED, 1), (FailureReason.BUSY, 0), (FailureReason.DNS, 0)],
)
def test_a_floor_test_that_settled_nothing_is_followed_up_a_failed_one_repeated(
    reason, doubt
):
    state = UplinkState()
    assert note(state, job("floor"), failed(reason, ""), 9) is (doubt == 1)
    assert state.doubt == doubt


def test_what_another_line_carried_says_nothing_of_this_one():
    state = UplinkState()
    missed = failed(FailureReason.OTHER_LINE, "")
    carried = ProbeResult(values=rate(16).values, more=(missed,))
    assert not note(state, job("full"), carried, 5)
    assert state == UplinkState()
