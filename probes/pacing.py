"""A token bucket that gives a line its rate; pure, it is told the time.

The rate counts TCP payload: neither TCP/IP nor Ethernet headers, and no
retransmissions. A shaped line of 100 Mbit/s on Ethernet carries 94.9 of these.
"""

from __future__ import annotations

# What may be caught up after the event loop was late; more would be a burst.
BURST_S = 0.1
# Shorter slices cost processor time, longer ones are coarse against a window.
SLICE_S = 0.004
MIN_SLICE_BYTES = 1_448
# How often a line that is cut off (rate 0) looks whether it has been mended.
_CUT_WAIT_S = 0.1


class TokenBucket:
    """Bytes that may pass, growing with time at ``rate_bps``.

    A rate of 0 lets nothing pass. Several transfers of a line share a bucket.
    """

    def __init__(self, rate_bps: float, now_s: float) -> None:
        self._bytes_per_s = _per_second(rate_bps)
        self._level = 0.0
        self._at_s = now_s

    def set_rate(self, rate_bps: float, now_s: float) -> None:
        """Change the rate from now on."""
        self._fill(now_s)
        self._bytes_per_s = _per_second(rate_bps)
        self._level = min(self._level, self._most())

    def take(self, now_s: float, want: int) -> tuple[int, float]:
        """Return bytes that may pass now and, where none, the seconds to wait."""
        self._fill(now_s)
        if self._bytes_per_s <= 0:
            return 0, _CUT_WAIT_S
        least = min(want, self._slice())
        if self._level < least:
            return 0, (least - self._level) / self._bytes_per_s
        granted = min(want, int(self._level))
        self._level -= granted
        return granted, 0.0

    def give_back(self, size: int) -> None:
        """Return bytes that were taken but did not pass."""
        self._level = min(self._level + size, self._most())

    def _fill(self, now_s: float) -> None:
        grown = self._level + max(0.0, now_s - self._at_s) * self._bytes_per_s
        self._level = min(grown, self._most())
        self._at_s = now_s

    def _slice(self) -> int:
        return max(MIN_SLICE_BYTES, int(self._bytes_per_s * SLICE_S))

    def _most(self) -> float:
        return max(2.0 * self._slice(), self._bytes_per_s * BURST_S)


def _per_second(rate_bps: float) -> float:
    if rate_bps < 0:
        raise ValueError("a rate is not negative")
    return rate_bps / 8
