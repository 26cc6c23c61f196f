"""When a device is polled: spread over the interval, the same place each time."""

from __future__ import annotations

import hashlib
import math


def offset_s(device_id: str, interval_s: float) -> float:
    """Return a device's fixed place in the interval, 0 <= place < interval.

    It depends on the id alone, so that a restart or a new neighbour moves
    nobody, and a thousand devices are not asked in the same second.
    """
    digest = hashlib.sha256(device_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * interval_s


def next_start_s(now_s: float, place_s: float, interval_s: float) -> float:
    """Return the first moment after ``now_s`` that is the device's turn.

    Moments are seconds since 1970. What was missed is not made up for.
    """
    rounds = math.floor((now_s - place_s) / interval_s) + 1
    start_s = place_s + rounds * interval_s
    # Rounding may put the product on the moment itself.
    return start_s if start_s > now_s else start_s + interval_s
