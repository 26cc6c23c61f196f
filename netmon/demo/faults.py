"""What the demo can break."""

from __future__ import annotations

from enum import StrEnum


class ApFault(StrEnum):
    """What can be wrong with an access point: each ends its trail elsewhere.

    No power at its port; a cable that carries power but no data; up but not joined
    to its controller; radios off; a cable of which two pairs work; another device
    under its name.
    """

    POWER = "power"
    CABLE = "cable"
    JOIN = "join"
    RADIO = "radio"
    SLOW = "slow"
    SWAP = "swap"
