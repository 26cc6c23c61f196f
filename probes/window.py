"""Counting received bytes over the steady part of a transfer; pure.

Both edges of the window are arrivals, so nothing is counted whose time is not.
A pause at the end makes the window longer instead of being forgotten.
"""

from __future__ import annotations


class SteadyWindow:
    """Bytes between the first arrival after the warm-up and the closing one.

    ``started_s`` is when the transfer began. The window closes with the first
    arrival at least ``window_s`` after it opened. A quarter of ``max_bytes`` ends
    the warm-up early: a line so fast has long left its slow start by then.
    """

    def __init__(
        self, started_s: float, *, warmup_s: float, window_s: float, max_bytes: int
    ) -> None:
        self.total_bytes = 0
        self.counted_bytes = 0
        self._window_s = window_s
        self._max_bytes = max_bytes
        self._open_after_s = started_s + warmup_s
        self._opened_s: float | None = None
        self._last_s = started_s

    def add(self, now_s: float, size: int) -> bool:
        """Count an arrival; return True once the window or the byte limit is full."""
        self.total_bytes += size
        self._last_s = now_s
        if self._opened_s is None:
            # What arrives with the opening edge came before it.
            if now_s >= self._open_after_s or 4 * self.total_bytes >= self._max_bytes:
                self._opened_s = now_s
            return self.total_bytes >= self._max_bytes
        self.counted_bytes += size
        return (
            now_s - self._opened_s >= self._window_s
            or self.total_bytes >= self._max_bytes
        )

    @property
    def duration_s(self) -> float:
        """Seconds counted so far; 0 while the window has not opened."""
        return 0.0 if self._opened_s is None else self._last_s - self._opened_s
