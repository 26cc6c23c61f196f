"""What the result of a test means for the next one; changes the state, nothing else."""

from __future__ import annotations

from netmon.model import FailureReason
from probes.base import ProbeResult
from probes.uplink_records import is_below, shown_bps
from probes.uplink_run import Job
from probes.uplink_state import UplinkState

# One good full test can be luck: so many have to be good after a bad one.
DOUBT_AFTER_BELOW = 2


def note(state: UplinkState, job: Job, found: ProbeResult, at_ms: int) -> bool:
    """Remember a result of the download; say whether it answered the question.

    A floor test without a pass is followed by a full test; a full test without an
    answer leaves everything as it was. A result of another line says nothing of this.
    """
    if found.more:
        return False
    shown = shown_bps(found, "down")
    if job.kind == "floor":
        # Without an answer is as good as missed: the full test has to tell.
        if found.failure not in (None, FailureReason.UNSETTLED):
            return False
        passed = shown is not None and shown >= job.threshold_bps
        _after_floor(state, passed=passed, at_ms=at_ms)
        return True
    if found.failure is not None:
        return False
    if is_below(found, "down", job.threshold_bps):
        state.doubt = DOUBT_AFTER_BELOW
    elif shown is not None and shown >= job.threshold_bps:
        state.doubt = max(0, state.doubt - 1)
        state.proof_ms = at_ms
    else:
        return False
    state.statement_ms = at_ms
    return True


def _after_floor(state: UplinkState, *, passed: bool, at_ms: int) -> None:
    if passed:
        state.statement_ms = state.proof_ms = at_ms
        return
    state.doubt = max(1, state.doubt)
    state.tried_ms = None
