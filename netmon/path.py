"""Which segment of the way to the internet is to blame; pure.

The readings of one run stand in the order of the way. What is wrong at a segment
is wrong at all that lie behind it, so the first one that differs from what is
usual is the guilty one. Two things keep that honest: a router that answers badly
but forwards well is only busy with better things, and a segment that never
answered says nothing by being silent today.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from netmon.model import FailureReason


class Segment(StrEnum):
    """Where a reading ends, in the order of the way."""

    PORT = "port"
    GATEWAY = "gateway"
    PROVIDER = "provider"
    DATA_CENTRE = "data_centre"
    INTERNET = "internet"


class Fault(StrEnum):
    """How a segment differs from what is usual."""

    SILENT = "silent"
    LOSS = "loss"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one run found at a segment: a round trip and a loss, or a failure."""

    segment: Segment
    rtt_s: float | None = None
    loss_ratio: float | None = None
    failure: FailureReason | None = None


@dataclass(frozen=True, slots=True)
class Usual:
    """What a segment's readings say on other days; ``rtt_s`` None: not known."""

    rtt_s: float | None = None
    loss_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The guilty segment, what is wrong with it, and the last good one before it.

    ``last_good`` is None where nothing before it is known to be good.
    """

    segment: Segment
    reason: Fault
    last_good: Segment | None = None


# Asked by way of their ICMP answers, which they owe nobody.
ROUTERS = frozenset({Segment.GATEWAY, Segment.PROVIDER})
_ENDS = (Segment.DATA_CENTRE, Segment.INTERNET)
# Other reasons (our own fault, not supported, a name unknown) say nothing of the way.
_SILENT = frozenset(
    {
        FailureReason.NO_REPLY,
        FailureReason.TIMEOUT,
        FailureReason.UNREACHABLE,
        FailureReason.REFUSED,
        FailureReason.BROKEN_OFF,
    }
)
# Of the three to five packets of a run one may get lost by chance; two are a jump.
LOSS_JUMP = 0.35
# The port counts all frames since the run before, so little is much already.
PORT_LOSS_JUMP = 0.01
# Half more than usual, and 10 ms: Wi-Fi hops and busy routers stay below.
SLOW_FACTOR = 1.5
SLOW_JUMP_S = 0.010
# Who answers less than one time in ten is usually silent.
USUALLY_SILENT = 0.9
# A usual value of fewer readings is chance.
MIN_HISTORY = 5
_NOT_KNOWN = Usual()


def guilty(
    readings: Iterable[Reading], baseline: Mapping[Segment, Usual]
) -> Verdict | None:
    """Return who is to blame for this run; None where nothing jumps.

    ``readings`` are of one run, in any order, one a segment; a segment without a
    reading is unknown. A segment missing in ``baseline`` is taken to answer
    always; its round trip can't be judged.
    """
    found = {reading.segment: reading for reading in readings}
    faults = {
        segment: fault_of(found[segment], baseline.get(segment, _NOT_KNOWN))
        for segment in Segment
        if segment in found
    }
    judged = {segment: fault for segment, (known, fault) in faults.items() if known}
    if _is_dead(judged):
        # A router spends the few ICMP answers it allows itself (Linux: six, then one
        # a second) on telling of a dead way: here, one that answers at all is good.
        for router in ROUTERS & judged.keys():
            if judged[router] is not Fault.SILENT:
                judged[router] = None
    suspects = {
        segment: fault
        for segment, fault in judged.items()
        if fault is not None and not _forwards(segment, judged)
    }
    # Who loses packets also shows odd times: losing is looked at first.
    for grave in (frozenset({Fault.SILENT, Fault.LOSS}), frozenset({Fault.SLOW})):
        for segment in Segment:
            fault = suspects.get(segment)
            if fault in grave:
                return Verdict(segment, fault, _last_good(segment, judged))
    return None


def fault_of(reading: Reading, usual: Usual) -> tuple[bool, Fault | None]:
    """Return whether a reading says anything, and what is wrong; None where nothing is."""
    if reading.failure is not None:
        if reading.failure not in _SILENT or usual.loss_ratio >= USUALLY_SILENT:
            return False, None
        return True, Fault.SILENT
    jump = PORT_LOSS_JUMP if reading.segment is Segment.PORT else LOSS_JUMP
    if (reading.loss_ratio or 0.0) - usual.loss_ratio >= jump:
        return True, Fault.LOSS
    if (
        reading.rtt_s is not None
        and usual.rtt_s is not None
        and reading.rtt_s > SLOW_FACTOR * usual.rtt_s + SLOW_JUMP_S
    ):
        return True, Fault.SLOW
    return True, None


def usual(history: Iterable[Reading]) -> dict[Segment, Usual]:
    """Return what is usual at each segment: medians of its readings.

    A silence counts as a loss of everything; what says nothing is left out, and
    so is a segment with fewer than five readings.
    """
    losses: dict[Segment, list[float]] = {}
    rtts_s: dict[Segment, list[float]] = {}
    for reading in history:
        if reading.failure is None:
            losses.setdefault(reading.segment, []).append(reading.loss_ratio or 0.0)
            if reading.rtt_s is not None:
                rtts_s.setdefault(reading.segment, []).append(reading.rtt_s)
        elif reading.failure in _SILENT:
            losses.setdefault(reading.segment, []).append(1.0)
    return {
        segment: Usual(
            statistics.median(rtts_s[segment]) if segment in rtts_s else None,
            statistics.median(each),
        )
        for segment, each in losses.items()
        if len(each) >= MIN_HISTORY
    }


def _is_dead(judged: Mapping[Segment, Fault | None]) -> bool:
    ends = [judged[each] for each in _ENDS if each in judged]
    return bool(ends) and all(fault is Fault.SILENT for fault in ends)


def _forwards(segment: Segment, judged: Mapping[Segment, Fault | None]) -> bool:
    """Say whether a router lets through what it does not answer itself."""
    if segment not in ROUTERS:
        return False
    order = list(Segment)
    behind = order[order.index(segment) + 1 :]
    return any(each in judged and judged[each] is None for each in behind)


def _last_good(
    segment: Segment, judged: Mapping[Segment, Fault | None]
) -> Segment | None:
    order = list(Segment)
    before = order[: order.index(segment)]
    return next(
        (each for each in reversed(before) if each in judged and judged[each] is None),
        None,
    )
