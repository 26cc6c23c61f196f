"""Whether netmon itself is blind: the gateway was down, or its own uplink is gone.

When many buildings fall silent at the same moment, what broke is what they share,
and most likely netmon's own end of it. Only probes that spoke regularly count: a
building's last two records came within ``blind_after_s`` of each other.

Of fewer buildings nothing can be said by shares. There the gateway is blind if it hears
nobody at all, no collector either, and sees again once it hears one of them.

An uplink that is back within minutes makes nobody silent for long. That many lines break
off again and again at the same times is told of as netmon's own trouble, for no line is
to blame (`alerts.board`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator
from math import floor

from alerts.derived.base import Finding, View
from alerts.rules import LINE_FLAPPING, MONITOR, NETMON, RULES, Scope
from alerts.watched import Seen

# Fewer buildings than this can fall silent together by chance.
LEAST_BUILDINGS = 5
# One that falls silent is a probe without power.
_LEAST_OF_FEW = 2
# Without a break for so long what shook many lines is over.
_CALM_MS = 15 * 60_000


def results(view: View, _: Collection[str] | None) -> Iterator[Finding]:
    """Yield whether too many buildings fell silent at once, or are back."""
    known = view.held.get((MONITOR, NETMON))
    silent_ms = view.after_ms(MONITOR)
    share, now_ms = view.settings.blind_share, view.now_ms
    shaken, watched = _flapping(view)
    together = shaken >= max(LEAST_BUILDINGS, floor(share * watched) + 1)
    if known is not None and known.watched.incident_open:
        if together:
            return
        began_ms = (known.watched.memory.bad_since_ms or 0) - silent_ms
        heard = [s.heard_ms for s in view.speakers.values() if s.heard_ms >= began_ms]
        silent = sum(now_ms - at_ms > silent_ms for at_ms in heard)
        few = len(heard) < LEAST_BUILDINGS
        if silent <= share * len(heard) or (few and silent < len(heard)):
            yield Finding(NETMON, "", Seen(now_ms, now_ms, 1.0))
        return
    if together:
        seen = Seen(now_ms, now_ms, 0.0)
        yield Finding(
            NETMON,
            "",
            seen,
            silent_count=shaken,
            speaking_count=watched,
            flapping=True,
        )
        return
    heard = sorted(
        speaker.heard_ms
        for speaker in view.speakers.values()
        if speaker.gap_ms is not None
        and speaker.gap_ms <= silent_ms
        and speaker.heard_ms >= now_ms - 2 * silent_ms
    )
    needed = max(LEAST_BUILDINGS, floor(share * len(heard)) + 1)
    if len(heard) < _LEAST_OF_FEW:
        return
    if len(heard) >= needed:
        last_ms = heard[needed - 1]
        silent = bisect_right(heard, now_ms - silent_ms - 1)
    else:
        needed, last_ms = len(heard), max(heard[-1], view.heard_ms)
        silent = needed if now_ms - last_ms > silent_ms else 0
    if silent < needed:
        yield Finding(NETMON, "", wake_ms=last_ms + silent_ms)
        return
    newest_ms = 0 if known is None else known.watched.memory.newest_ms
    at_ms = max(last_ms, newest_ms)
    yield Finding(
        NETMON,
        "",
        Seen(at_ms, now_ms, 0.0),
        silent_count=silent,
        speaking_count=len(heard),
    )


def _flapping(view: View) -> tuple[int, int]:
    """Return how many lines break off again and again now, and how many are watched."""
    enough, _ = RULES[LINE_FLAPPING].counts(view.settings)
    shaken = watched = 0
    for line in view.inventory.lines:
        held = view.held.get((LINE_FLAPPING, f"{Scope.LINE}:{line.id}"))
        if held is None:
            continue
        watched += 1
        breaks = held.watched.memory.window
        # It is over once none began for a while, else its end would come an hour late.
        shaken += len(breaks) >= enough and breaks[-1] > view.now_ms - _CALM_MS
    return shaken, watched
