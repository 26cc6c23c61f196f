"""One class for an access point, out of what the three sources say of it; pure.

The truth (`netmon.wlan_truth`) says where it is and whether it is there. Here is
added what that means for a lesson: one that works, but badly, is *degraded*.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from netmon.wlan_truth import ApState, ApTruth

# From this share of air time in use on, a cell has none left for one more class:
# Cisco's radio resource management alarms at the same (default of its load profile,
# "RF utilisation threshold 80 %").
FULL_RATIO = 0.8


class ApClass(StrEnum):
    """The classes, worst first; ``wlan.class.<class>`` names them."""

    DOWN = "down"
    NEVER_SEEN = "never_seen"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    IN_ORDER = "in_order"


class ApReason(StrEnum):
    """Why an access point is degraded; ``wlan.reason.<reason>`` says it."""

    SLOW_PORT = "slow_port"
    CHANNEL_FULL = "channel_full"
    NO_CLIENTS = "no_clients"
    REPLACED = "replaced"


class ApVerdict(Struct, frozen=True, omit_defaults=True):
    """The class; ``reason`` is None unless it is degraded.

    ``utilisation_ratio`` is that of the fullest channel, None where no radio tells.
    """

    ap: str
    verdict: ApClass
    reason: ApReason | None = None
    utilisation_ratio: float | None = None


_CLASS = {
    ApState.IN_ORDER: ApClass.IN_ORDER,
    ApState.DOWN: ApClass.DOWN,
    ApState.NEVER_SEEN: ApClass.NEVER_SEEN,
    ApState.UNKNOWN: ApClass.UNKNOWN,
}
_REASON = {
    ApState.SLOW_PORT: ApReason.SLOW_PORT,
    ApState.NO_CLIENTS: ApReason.NO_CLIENTS,
    ApState.REPLACED: ApReason.REPLACED,
}


def judge_ap(truth: ApTruth, utilisation: Iterable[float | None] = ()) -> ApVerdict:
    """Return the class of an access point.

    ``utilisation`` are the shares of air time in use its radios told of lately,
    None where one does not tell. An unplanned one is judged by whether it works.
    """
    told = [ratio for ratio in utilisation if ratio is not None]
    fullest = max(told, default=None)
    if truth.state is ApState.UNPLANNED:
        verdict = _of_stranger(truth)
    elif truth.state in _REASON:
        verdict = ApClass.DEGRADED
    else:
        verdict = _CLASS[truth.state]
    reason = _REASON.get(truth.state)
    if verdict is ApClass.IN_ORDER and fullest is not None and fullest >= FULL_RATIO:
        verdict, reason = ApClass.DEGRADED, ApReason.CHANNEL_FULL
    return ApVerdict(truth.ap, verdict, reason, fullest)


def _of_stranger(truth: ApTruth) -> ApClass:
    if truth.works is None:
        return ApClass.UNKNOWN
    return ApClass.IN_ORDER if truth.works else ApClass.DOWN
