"""The one place that decides a state; pure, and given the time.

::

              bad result                N bad results of M
    OK ------------------> SUSPECT ---------------------------> BAD
    ^  <------------------    |                                  |
    |    any other result     |                                  |
    +------------- clear results in a row (ends the incident) ---+

Silence: OK, SUSPECT and BAD become STALE once nothing valid came within
``valid_for_s``. An incident stays open while STALE and is BAD again with the
next valid result. Rules about silence itself (`Limits.silence_is_bad`) go from
OK or UNKNOWN straight to BAD.

A value with an interval is bad only if all of it is; a lower bound can be good, never
bad: below the threshold it says nothing at all.

Late data is ignored altogether: a result older than the newest one seen, or one
that reached the gateway more than ``late_after_s`` after it was measured. Failed
measurements are neither good nor bad: they keep a streak as it is and don't
count as valid, so a line that only fails ends up STALE, never BAD by a made-up 0.

An incident begins only if the gate (`alerts.gate`) is open: a confirmed target whose
parent is down, or was not seen since, stays SUSPECT and remembers what holds it
(`recheck` asks again). Once the parent is back, only what was measured since counts
(`restart`). A parent that is only suspected holds no longer than it takes to be sure of
it (`Passage.patience_ms`): then the child's own results count. No gate ever keeps an
incident from ending.

What comes and goes too often flaps (`alerts.flap`): its incident stays open until
that is over; one about silence is SUSPECT meanwhile whenever something is heard. What is
bad every other time is never confirmed by N in a row: half of a longer window raises too
(`Limits.waver_of`), and so do breaks that come again and again (`breaks_within_s`).

A transition carries the time at which its reason existed (arrival of the result,
or the end of the waiting time), not the time of the evaluation: an engine that
was stopped for an hour writes the same history as one that was not.
"""

from __future__ import annotations

from enum import Enum, auto

from msgspec.structs import replace

from alerts import flap, window
from alerts.gate import OPEN, Ask, Gate, Passage, always_open
from alerts.watched import Change, Limits, Memory, Result, Seen, Watched
from netmon.storage.records import AlarmState

# What a mail shows of the past; also bounds the memory of a target.
RESULTS_KEPT = 6
_WAITS = frozenset({AlarmState.OK, AlarmState.SUSPECT, AlarmState.BAD})
_SILENCE_WAITS = frozenset({AlarmState.UNKNOWN, AlarmState.OK, AlarmState.SUSPECT})


class Level(Enum):
    """How a value stands to the limits."""

    BAD = auto()
    BETWEEN = auto()
    GOOD = auto()


def judge(limits: Limits, value: float, high: float | None = None) -> Level:
    """Return how a value stands to the limits.

    Bad is only what is bad with certainty: where the value has an interval, all of
    it lies below the threshold.
    """
    certain = value if high is None else high
    if limits.raise_below is not None and certain < limits.raise_below:
        return Level.BAD
    if limits.clear_from is not None and value < limits.clear_from:
        return Level.BETWEEN
    return Level.GOOD


def says_nothing(limits: Limits, seen: Seen, *, incident_open: bool) -> bool:
    """Say whether a result is a lower bound too low to tell good from bad.

    While an incident is open only one at which it may end says anything: a short test
    stops as soon as it has shown the threshold.
    """
    needed = limits.clear_from if incident_open else limits.raise_below
    if not seen.at_least or seen.value is None or needed is None:
        return False
    return seen.value < needed


def is_late(limits: Limits, memory: Memory, seen: Seen) -> bool:
    """Say whether a result may neither raise nor clear anything."""
    measured_ms = min(seen.ts_ms, seen.received_ms)
    if seen.received_ms - measured_ms > limits.late_after_ms:
        return True
    known = limits.one_a_moment and measured_ms == memory.newest_ms
    return known or measured_ms < memory.newest_ms


def deadline_ms(limits: Limits, watched: Watched) -> int | None:
    """Return after which time silence changes the state; None for never."""
    memory = watched.memory
    if limits.silence_is_bad:
        waiting = _SILENCE_WAITS
        heard_ms = memory.first_ms if memory.valid_ms is None else memory.valid_ms
    else:
        waiting = _WAITS
        heard_ms = memory.valid_ms
    if watched.state not in waiting or heard_ms is None:
        return None
    limit_ms = max(heard_ms, memory.counts_from_ms) + limits.valid_for_ms
    if limits.silence_is_bad and limit_ms <= memory.held_ms:
        # The gate was shut then; it is asked again when a parent changes.
        return None
    return limit_ms


def hearing(watched: Watched, *, generated: bool) -> Watched | None:
    """Return a target ready for measured or made-up data; None if it ignores them.

    Nothing made up may count towards a fault: measured data take over a target
    that was only made up, with an empty memory, and made-up data say nothing of
    a target that is measured.
    """
    memory = watched.memory
    if memory.generated is generated:
        return watched
    if memory.generated or memory.first_ms is None:
        return replace(watched, memory=Memory(generated=generated))
    return None


def step(
    limits: Limits,
    watched: Watched,
    seen: Seen | None,
    now_ms: int,
    ask: Ask = always_open,
) -> tuple[Watched, Change | None]:
    """Return what a result, or the passing of time (None), makes of a target.

    ``now_ms`` is the present of the step: for a result its arrival. Let the time
    pass up to the arrival first, else silence before it goes unnoticed. ``ask`` is
    the gate, asked only where an incident would begin.
    """
    if seen is None:
        return _wait(limits, watched, now_ms, ask)
    if is_late(limits, watched.memory, seen):
        return watched, None
    if says_nothing(limits, seen, incident_open=watched.incident_open):
        return watched, None
    level = None if seen.value is None else judge(limits, seen.value, seen.high)
    memory = _remember(limits, watched, seen, level)
    kept = replace(watched, memory=memory)
    measured_ms = memory.newest_ms
    if level is None or (
        # From before the parent's return: it told of the parent.
        level is Level.BAD
        and measured_ms < memory.counts_from_ms
        and not watched.incident_open
    ):
        return kept, None
    return _decide(limits, kept, level, max(now_ms, watched.since_ms), ask)


def recheck(
    limits: Limits, watched: Watched, now_ms: int, ask: Ask
) -> tuple[Watched, Change | None]:
    """Return what becomes of a held target now that a parent has changed."""
    memory = watched.memory
    if memory.held_by is None or watched.incident_open:
        return watched, None
    if limits.silence_is_bad:
        heard_ms = max(memory.valid_ms or memory.first_ms or 0, memory.counts_from_ms)
        confirmed = now_ms > heard_ms + limits.valid_for_ms
    else:
        confirmed = _is_confirmed(limits, memory)
    if not confirmed:
        return watched, None
    return _raise(limits, watched, max(now_ms, watched.since_ms), ask)


def restart(watched: Watched, from_ms: int, *, explained: bool = True) -> Watched:
    """Return a target whose parent is back: only what is measured from now counts.

    An open incident goes on as it is. What was held stays so until it is measured.
    A parent that was only suspected (not ``explained``) and is back again and again
    does that no longer than it may hold.
    """
    memory = watched.memory
    if watched.incident_open or memory.counts_from_ms >= from_ms:
        return watched
    if not explained and _is_impatient(memory, from_ms):
        return watched
    memory = replace(
        memory,
        counts_from_ms=from_ms,
        window=(),
        bad_since_ms=None,
        patient_until_ms=0 if explained else memory.patient_until_ms,
    )
    return replace(watched, memory=memory)


def retire(watched: Watched, now_ms: int) -> tuple[Watched, list[Change]]:
    """Return what becomes of a target that is no longer in the inventory.

    An open incident ends by way of OK, so that its alarm mail gets an answer.
    """
    changes = []
    at_ms = max(now_ms, watched.since_ms)
    if watched.incident_open:
        watched, change = _change(watched, AlarmState.OK, at_ms)
        changes += [change] if change else []
    watched, change = _change(watched, AlarmState.UNKNOWN, at_ms)
    changes += [change] if change else []
    return replace(watched, memory=Memory()), changes


def _wait(
    limits: Limits, watched: Watched, now_ms: int, ask: Ask
) -> tuple[Watched, Change | None]:
    limit_ms = deadline_ms(limits, watched)
    if limit_ms is None or now_ms <= limit_ms:
        return watched, None
    memory = watched.memory
    at_ms = max(limit_ms, watched.since_ms)
    if limits.silence_is_bad and watched.incident_open:
        # It flaps: silent once more, and the incident is open already.
        memory = flap.turned(limits, memory, at_ms, silent=True)
        return _change(replace(watched, memory=memory), AlarmState.BAD, at_ms)
    if limits.silence_is_bad and not memory.generated:
        heard_ms = memory.first_ms if memory.valid_ms is None else memory.valid_ms
        memory = replace(memory, bad_since_ms=heard_ms)
        return _raise(limits, replace(watched, memory=memory), at_ms, ask)
    memory = replace(memory, window=(), good_streak=0, held_by=None, patient_until_ms=0)
    return _change(replace(watched, memory=memory), AlarmState.STALE, at_ms)


def _remember(
    limits: Limits, watched: Watched, seen: Seen, level: Level | None
) -> Memory:
    memory = watched.memory
    measured_ms = min(seen.ts_ms, seen.received_ms)
    result = Result(measured_ms, seen.value, seen.failure, seen.at_least, seen.skewed)
    first_ms = seen.received_ms if memory.first_ms is None else memory.first_ms
    heard_ms, gap_ms = memory.heard_ms, memory.gap_ms
    if limits.silence_is_bad and heard_ms != seen.received_ms:
        gap_ms = None if heard_ms is None else seen.received_ms - heard_ms
        heard_ms = seen.received_ms
    if level is None:
        return replace(
            memory,
            newest_ms=measured_ms,
            first_ms=first_ms,
            heard_ms=heard_ms,
            gap_ms=gap_ms,
            results=(*memory.results, result)[-RESULTS_KEPT:],
        )
    bad = level is Level.BAD
    looked_at = window.push(limits, memory, measured_ms, bad=level is Level.BAD)
    wavers = window.wavers(
        limits, looked_at, before=memory.wavers, incident_open=watched.incident_open
    )
    recent = looked_at if wavers else window.recent(limits, looked_at)
    began_ms = next((ms for ms in recent if ms), None)
    if limits.silence_is_bad:
        # Only the failures since the last number explain a silence.
        results: tuple[Result, ...] = ()
    else:
        results = (*memory.results, result)[-RESULTS_KEPT:]
    # Made anew, not by `replace`: this runs for every result there is.
    return Memory(
        newest_ms=measured_ms,
        valid_ms=seen.received_ms if limits.silence_is_bad else measured_ms,
        first_ms=first_ms,
        bad_since_ms=began_ms
        if began_ms is not None and not watched.incident_open
        else memory.bad_since_ms,
        window=looked_at,
        good_streak=memory.good_streak + 1 if level is Level.GOOD else 0,
        results=results,
        generated=memory.generated,
        good_ms=measured_ms if level is Level.GOOD else memory.good_ms,
        heard_ms=heard_ms,
        gap_ms=gap_ms,
        counts_from_ms=memory.counts_from_ms,
        held_by=memory.held_by if bad else None,
        held_ms=memory.held_ms,
        cleared_ms=memory.cleared_ms,
        changes=memory.changes,
        flapping=memory.flapping,
        confirmed=memory.confirmed,
        via=memory.via,
        patient_until_ms=memory.patient_until_ms if bad else 0,
        shaken_ms=memory.shaken_ms,
        wavers=wavers,
    )


def _is_confirmed(limits: Limits, memory: Memory) -> bool:
    enough = memory.wavers or window.are_enough(
        limits, window.recent(limits, memory.window)
    )
    return enough and not memory.generated


def _decide(
    limits: Limits, watched: Watched, level: Level, at_ms: int, ask: Ask
) -> tuple[Watched, Change | None]:
    """Return what a judged result makes of a target that has it in its memory."""
    memory = watched.memory
    if limits.silence_is_bad:
        return _heard(limits, watched, at_ms)
    if limits.breaks_within_s is not None and watched.incident_open:
        confirmed = level is Level.BAD or bool(memory.window)
    elif watched.incident_open and (memory.confirmed or not memory.flapping):
        confirmed = memory.good_streak < limits.clear_count or memory.wavers
    else:
        confirmed = level is Level.BAD and _is_confirmed(limits, memory)
    if confirmed and not watched.incident_open:
        passage = _asked(memory, at_ms, ask)
        if passage.gate is not Gate.OPEN:
            return _hold(watched, passage, at_ms)
    if limits.breaks_within_s is None:
        memory = flap.judged(memory, confirmed=confirmed)
    watched = replace(watched, memory=memory)
    if confirmed or (watched.incident_open and memory.flapping):
        return _change(watched, AlarmState.BAD, at_ms)
    suspect = level is Level.BAD and not watched.incident_open
    return _change(watched, AlarmState.SUSPECT if suspect else AlarmState.OK, at_ms)


def _heard(
    limits: Limits, watched: Watched, at_ms: int
) -> tuple[Watched, Change | None]:
    """Return what a sign of life makes of a rule about silence."""
    memory = flap.calmed(limits, watched.memory, at_ms)
    if memory.confirmed:
        memory = flap.turned(limits, memory, at_ms, silent=False)
    watched = replace(watched, memory=memory)
    stays = watched.incident_open and memory.flapping
    return _change(watched, AlarmState.SUSPECT if stays else AlarmState.OK, at_ms)


def _raise(
    limits: Limits, watched: Watched, at_ms: int, ask: Ask
) -> tuple[Watched, Change | None]:
    """Return a confirmed target with an incident, or held where the gate is shut."""
    memory = watched.memory
    passage = _asked(memory, at_ms, ask)
    if passage.gate is not Gate.OPEN:
        return _hold(watched, passage, at_ms)
    memory = replace(memory, held_by=None)
    if limits.silence_is_bad:
        memory = flap.turned(limits, memory, at_ms, silent=True)
    else:
        memory = replace(memory, confirmed=True)
    return _change(replace(watched, memory=memory), AlarmState.BAD, at_ms)


def _asked(memory: Memory, at_ms: int, ask: Ask) -> Passage:
    passage = ask(memory.bad_since_ms or at_ms)
    is_bounded = passage.gate is Gate.HOLD and passage.patience_ms is not None
    return OPEN if is_bounded and _is_impatient(memory, at_ms) else passage


def _is_impatient(memory: Memory, at_ms: int) -> bool:
    return 0 < memory.patient_until_ms < at_ms


def _hold(
    watched: Watched, passage: Passage, at_ms: int
) -> tuple[Watched, Change | None]:
    until_ms = watched.memory.patient_until_ms
    if not until_ms and passage.patience_ms is not None:
        until_ms = at_ms + passage.patience_ms
    memory = replace(
        watched.memory, held_by=passage.by, held_ms=at_ms, patient_until_ms=until_ms
    )
    return _change(replace(watched, memory=memory), AlarmState.SUSPECT, at_ms)


def _change(
    watched: Watched, after: AlarmState, at_ms: int
) -> tuple[Watched, Change | None]:
    before = watched.state
    if after is before:
        return watched, None
    opens = after is AlarmState.BAD and not watched.incident_open
    closes = after is AlarmState.OK and watched.incident_open
    change = Change(before, after, at_ms, opens, closes)
    memory = watched.memory
    if opens:
        memory = replace(memory, held_by=None, patient_until_ms=0)
    elif closes:
        # What led to the incident confirms no other one.
        memory = replace(
            memory, cleared_ms=at_ms, confirmed=False, window=(), wavers=False
        )
    changed = Watched(
        state=after,
        since_ms=at_ms,
        incident_open=(watched.incident_open or opens) and not closes,
        memory=memory,
    )
    return changed, change
