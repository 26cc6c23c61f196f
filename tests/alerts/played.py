"""Two rules, and a timeline played as text."""

from __future__ import annotations

from alerts.gate import OPEN, Gate, Passage
from alerts.machine import (
    recheck,
    restart,
    step,
)
from alerts.watched import Change, Limits, Memory, Seen, Watched
from netmon.model import FailureReason

LINE = Limits(
    raise_below=100.0,
    clear_from=105.0,
    confirm_count=3,
    clear_count=2,
    valid_for_s=3600,
)


SILENCE = Limits(
    raise_below=None,
    clear_from=None,
    confirm_count=1,
    clear_count=1,
    valid_for_s=3600,
    silence_is_bad=True,
)


MINUTE_MS = 60_000


PARENT = ("device_down", "device:sw-07")


SHUT = Passage(Gate.CLOSED, PARENT)


def follow(
    limits: Limits,
    text: str,
    *,
    generated: bool = False,
    watched: Watched | None = None,
    minute: int = 0,
) -> tuple[Watched, list[Change]]:
    """Play a timeline of one character a minute.

    b bad, g good, m between, f failed, . nothing; L a late bad result, G a late
    good one; h an hour without anything. ( shuts the gate, ) opens it, > lets the
    parent return, and each of these takes no time.
    """
    watched = watched or Watched(memory=Memory(generated=generated))
    changes: list[Change] = []
    now_ms = 10**12 + minute * MINUTE_MS
    passage = OPEN

    def ask(_: int) -> Passage:
        return passage

    values = {"b": 40.0, "g": 240.0, "m": 102.0, "L": 40.0, "G": 240.0}
    for letter in text.replace(" ", ""):
        if letter in "()>":
            passage = SHUT if letter == "(" else OPEN
            if letter == ">":
                watched = restart(watched, now_ms + 1)
            watched, change = recheck(limits, watched, now_ms, ask)
            changes += [change] if change else []
            continue
        now_ms += 61 * MINUTE_MS if letter == "h" else MINUTE_MS
        watched, change = step(limits, watched, None, now_ms, ask)
        changes += [change] if change else []
        if letter in ".h":
            continue
        measured_ms = now_ms - 61 * MINUTE_MS if letter in "LG" else now_ms
        failure = FailureReason.TIMEOUT if letter == "f" else None
        seen = Seen(measured_ms, now_ms, values.get(letter), failure)
        watched, change = step(limits, watched, seen, now_ms, ask)
        changes += [change] if change else []
    return watched, changes
