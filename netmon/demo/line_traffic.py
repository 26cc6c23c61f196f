"""What others do on a played line: demand as a share of its healthy rate; pure.

Demand stands still for a slot of a tenth of a second and is drawn from the line's seed
and the slot's number alone, so a run can be repeated.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

SLOT_S = 0.1
# Chatter of any network: a counter that never moves could not be told from a dead one.
CHATTER_SHARE = 0.0005
_DAY_H = 24
# By hour of the day; the first lessons begin at eight.
_SCHOOL_SHARES = {
    7: 0.15,
    8: 0.45,
    9: 0.5,
    10: 0.5,
    11: 0.45,
    12: 0.4,
    13: 0.3,
    14: 0.2,
}
_EVENING_SHARE = 0.03
_SCHOOL_SWING = 0.25
# A lesson's pupils open the same film: now and then they want more than there is.
_BURST_SHARE, _BURST_CHANCE, _LULL_SHARE = 1.2, 0.2, 0.625
_STEADY_SHARE, _WOBBLE = 0.30, 0.06


class Traffic(StrEnum):
    """Kinds of other traffic. ``full`` wants half as much again as there is."""

    NONE = "none"
    STEADY = "steady"
    BURSTY = "bursty"
    SCHOOL = "school"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Others:
    """The demand of one direction. ``day_s`` is the time of day at second 0.

    ``weight`` is for the way that is used less: schools send little.
    """

    traffic: Traffic
    seed: str
    day_s: float = 0.0
    weight: float = 1.0

    def share(self, slot: int) -> float:
        """Return the wanted share of the healthy rate in a slot; may exceed 1."""
        if self.traffic is Traffic.FULL:
            return 1.5  # on both ways
        return CHATTER_SHARE + self.weight * self._wanted(slot)

    def _wanted(self, slot: int) -> float:
        dice = _dice(self.seed, slot)
        match self.traffic:
            case Traffic.STEADY:
                return _STEADY_SHARE * (1 + _WOBBLE * (dice - 0.5))
            case Traffic.BURSTY:
                return _BURST_SHARE if dice < _BURST_CHANCE else _LULL_SHARE
            case Traffic.SCHOOL:
                hour = int((self.day_s + slot * SLOT_S) / 3600) % _DAY_H
                mean = _SCHOOL_SHARES.get(hour, _EVENING_SHARE)
                return mean * (1 + _SCHOOL_SWING * (2 * dice - 1))
            case _:
                return 0.0


def _dice(seed: str, slot: int) -> float:
    """Return a number from 0 up to 1."""
    digest = hashlib.blake2b(f"{seed}\0{slot}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
