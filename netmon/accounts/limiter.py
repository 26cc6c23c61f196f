"""Guessing passwords is slowed down: by account and by address; pure, in memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

# So many wrong passwords are typing errors; each further one doubles the wait.
FREE_TRIES = 5
FIRST_WAIT_S = 5.0
LAST_WAIT_S = 900.0
# After so long without a try all is forgotten.
_FORGET_S = 3600.0
# Nobody may fill the memory by names that do not exist.
_MOST_KEYS = 10_000


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    last_s: float = 0.0


class Limiter:
    """Counts wrong passwords; the caller gives the monotonic time."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> float:
        """Return how long a key must wait before its next try; 0 for not at all."""
        tries = self._tries.get(key)
        if tries is None or now_s - tries.last_s >= _FORGET_S:
            return 0.0
        over = tries.wrong - FREE_TRIES
        if over < 0:
            return 0.0
        needed_s = min(LAST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(over, 16))
        return max(0.0, tries.last_s + needed_s - now_s)

    def failed(self, key: str, now_s: float) -> None:
        """Count a wrong password."""
        tries = self._tries.pop(key, None)
        if tries is None or now_s - tries.last_s >= _FORGET_S:
            tries = _Tries()
        tries.wrong += 1
        tries.last_s = now_s
        self._tries[key] = tries
        while len(self._tries) > _MOST_KEYS:
            self._tries.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget what was wrong before."""
        self._tries.pop(key, None)
