"""When probes run: one random instant in each slot of time; pure.

178 probes that were all switched on by the same power cut must not measure in
the same second, and a fixed second would always meet the same school bell.
The instant is drawn from the probe's id and the slot's number alone: a restart
finds the same instant again and neither repeats nor skips a measurement.
"""

from __future__ import annotations

import hashlib


def instant_in_slot_ms(key: str, slot: int, interval_ms: int) -> int:
    """Return the instant of a slot, in milliseconds since 1970.

    It lies in ``[slot * interval_ms, (slot + 1) * interval_ms)``.
    """
    digest = hashlib.blake2b(f"{key}\0{slot}".encode(), digest_size=8).digest()
    share = int.from_bytes(digest, "big")
    return slot * interval_ms + (share * interval_ms >> 64)


def next_instant_ms(key: str, interval_ms: int, after_ms: int) -> int:
    """Return the first instant later than ``after_ms``.

    Raises:
        ValueError: the interval is not positive.
    """
    if interval_ms <= 0:
        raise ValueError("an interval is longer than nothing")
    slot = after_ms // interval_ms
    instant_ms = instant_in_slot_ms(key, slot, interval_ms)
    if instant_ms > after_ms:
        return instant_ms
    return instant_in_slot_ms(key, slot + 1, interval_ms)


def is_lost(due_ms: int, now_ms: int, interval_ms: int) -> bool:
    """Say whether the wall clock was set so that an instant makes no sense.

    A probe without a battery clock starts in the past and jumps; an instant
    more than two slots ahead, or one slot behind, belongs to the old time.
    """
    return due_ms - now_ms > 2 * interval_ms or now_ms - due_ms > interval_ms
