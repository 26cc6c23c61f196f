"""A token bucket: how often something may happen. Pure."""

from __future__ import annotations


class Bucket:
    """Allows ``burst`` at once and ``per_s`` a second in the long run.

    Moments are monotonic seconds and never go back.
    """

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._tokens = burst
        self._at_s: float | None = None

    def take(self, now_s: float) -> bool:
        """Say whether it may happen now, and count it if so."""
        self._fill(now_s)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def wait_s(self, now_s: float) -> float:
        """Return in how many seconds it may happen; 0 for now."""
        self._fill(now_s)
        return max(0.0, (1.0 - self._tokens) / self._per_s)

    def _fill(self, now_s: float) -> None:
        if self._at_s is not None:
            gained = (now_s - self._at_s) * self._per_s
            self._tokens = min(self._burst, self._tokens + gained)
        self._at_s = now_s
