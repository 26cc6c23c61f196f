"""What the uplink measuring remembers across a restart; a small file beside the spool.

Losing it costs a test more, nothing else, so a damaged file is set aside and begun
anew. It is written whole and renamed into place.
"""

from __future__ import annotations

import logging
import os
from datetime import date, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

log = logging.getLogger(__name__)

# The shortest round trip of the last days is that of the empty line.
BASE_DAYS = 2
# A clock may be set back by so much without anything remembered being called future.
FUTURE_SLACK_MS = 60_000
# What is tried and failed is tried again after this share of its slot.
RETRY_SHARE = 0.2
_KEPT_MOMENTS = 500


class UplinkState(Struct):
    """Of one line; times are UTC milliseconds, None before the first.

    ``statement_ms`` is when the newest valid statement was made, ``proof_ms`` when the
    line was last shown to reach its threshold, ``tried_ms`` when a test last ended.
    ``doubt`` counts the full tests that still have to be good before floor tests are
    believed again; 0 for a line in order. ``shortest_rtt_s`` is by day. ``done_ms``
    are moments of planned full tests and campaigns that are through.
    """

    line: str = ""
    statement_ms: int | None = None
    proof_ms: int | None = None
    tried_ms: int | None = None
    doubt: int = 0
    spent_day: str = ""
    spent_bytes: int = 0
    shortest_rtt_s: dict[str, float] = {}
    done_ms: list[int] = []

    def spent_on(self, day: date) -> int:
        """Return the bytes that tests have put on the line on a day."""
        return self.spent_bytes if self.spent_day == day.isoformat() else 0

    def spend(self, day: date, size: float) -> None:
        """Count bytes of a test."""
        self.spent_bytes = self.spent_on(day) + round(size)
        self.spent_day = day.isoformat()

    def saw_rtt(self, day: date, rtt_s: float) -> None:
        """Take the shortest round trip of a train of echoes."""
        known = self.shortest_rtt_s.get(day.isoformat())
        self.shortest_rtt_s[day.isoformat()] = min(rtt_s, known or rtt_s)
        oldest = (day - timedelta(days=BASE_DAYS)).isoformat()
        self.shortest_rtt_s = {
            each: value for each, value in self.shortest_rtt_s.items() if each > oldest
        }

    def forget_future(self, now_ms: int) -> None:
        """Drop what was remembered while the clock was ahead: it would silence us."""
        latest_ms = now_ms + FUTURE_SLACK_MS
        for name in ("statement_ms", "proof_ms", "tried_ms"):
            at_ms = getattr(self, name)
            if at_ms is not None and at_ms > latest_ms:
                setattr(self, name, None)
        self.done_ms = [at_ms for at_ms in self.done_ms if at_ms <= latest_ms]

    @property
    def base_rtt_s(self) -> float | None:
        """The round trip of the empty line; None before the first echo."""
        return min(self.shortest_rtt_s.values(), default=None)

    def is_done(self, at_ms: int) -> bool:
        """Say whether a planned moment is through."""
        return at_ms in self.done_ms

    def done(self, at_ms: int) -> None:
        """Note that a planned moment is through."""
        self.done_ms = [*self.done_ms, at_ms][-_KEPT_MOMENTS:]


class StateFile:
    """Reads and writes the state of one line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, line: str) -> UplinkState:
        """Return what was remembered of a line; an empty state if nothing was.

        Raises:
            OSError: the file is there and cannot be read.
        """
        try:
            body = self._path.read_bytes()
        except FileNotFoundError:
            return UplinkState(line=line)
        try:
            state = msgspec.json.decode(body, type=UplinkState)
        except (msgspec.DecodeError, UnicodeDecodeError):
            aside = self._path.with_suffix(".damaged")
            self._path.replace(aside)
            log.warning("%s was damaged; it is now %s", self._path, aside.name)
            return UplinkState(line=line)
        # The probe has moved to another line: nothing of the old one holds.
        return state if state.line == line else UplinkState(line=line)

    def save(self, state: UplinkState) -> None:
        """Write the state.

        Raises:
            OSError: the disk takes nothing.
        """
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(state))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
