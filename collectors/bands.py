"""In which band a radio is, by what it is told and by its channel: pure.

Channels of 20 MHz are numbered anew in each band (IEEE 802.11): those of 5 GHz are no
channels of 6 GHz up to 144, but 1, 5, 9, 13 are channels of 2.4 and 6 GHz, and 149 to
177 of 5 and 6 GHz.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from collectors.decode import Row

LOW_HZ, MIDDLE_HZ, HIGH_HZ = 2.4e9, 5.0e9, 6.0e9
# No radio of 2.4 GHz has channels as wide as that.
_WIDE_HZ = 80e6


@lru_cache(maxsize=512)
def bands_of(channel: float) -> frozenset[float]:
    """Return the bands that have a channel; none of what is no channel of 20 MHz."""
    if not channel.is_integer():
        return frozenset()
    number = int(channel)
    found = set()
    if 1 <= number <= 14:
        found.add(LOW_HZ)
    if number in range(32, 145, 4) or number in range(149, 178, 4):
        found.add(MIDDLE_HZ)
    if number in range(1, 234, 4):
        found.add(HIGH_HZ)
    return frozenset(found)


def with_band(radio: Row) -> Row:
    """Return a radio with the band that its channel allows.

    A device that tells a band without that channel (a radio that can change its band
    is often told as what it was) is not believed. Where a channel is in two bands and
    nothing tells which, the band stays open.
    """
    band_hz = _band_hz(radio.numbers)
    if band_hz == radio.numbers.get("band_hz"):
        return radio
    return Row(radio.parts, {**radio.numbers, "band_hz": band_hz}, radio.words)


def _band_hz(numbers: Mapping[str, float | None]) -> float | None:
    told_hz, channel = numbers.get("band_hz"), numbers.get("channel")
    allowed = bands_of(channel) if channel is not None else frozenset()
    is_six, width_hz = numbers.get("is_six_ghz"), numbers.get("width_hz")
    if is_six is not None:
        allowed -= {LOW_HZ} if is_six else {HIGH_HZ}
    if told_hz is None and width_hz is not None and width_hz >= _WIDE_HZ:
        allowed -= {LOW_HZ}
    if not allowed or told_hz in allowed:
        return told_hz
    return next(iter(allowed)) if len(allowed) == 1 else None
