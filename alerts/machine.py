"""The one place that decides a state; pure, and given the time.

::

              bad result                N bad results in a row
    OK ------------------> SUSPECT ---------------------------> BAD
    ^  <------------------    |                                  |
    |    any other result     |                                  |
    +------------- M clear results in a row (ends the incident) -+

Silence: OK, SUSPECT and BAD become STALE once nothing valid came within
``valid_for_s``. An incident stays open while STALE and is BAD again with the
next valid result. Rules about silence itself (`Limits.silence_is_bad`) go from
OK or UNKNOWN straight to BAD.

A value with an interval is bad only if all of it is; a lower bound can be good, never
bad: below the threshold it says nothing at all.

Late data is ignored altogether: a result older than the newest one seen, or one
that reached the gateway more than ``valid_for_s`` after it was measured. Failed
measurements are neither good nor bad: they keep a streak as it is and don't
count as valid, so a line that only fails ends up STALE, never BAD by a made-up 0.

A transition carries the time at which its reason existed (arrival of the result,
or the end of the waiting time), not the time of the evaluation: an engine that
was stopped for an hour writes the same history as one that was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from msgspec import Struct
from msgspec.structs import replace

from netmon.model import FailureReason
from netmon.storage.records import AlarmState

# What a mail shows of the past; also bounds the memory of a target.
RESULTS_KEPT = 6


@dataclass(frozen=True, slots=True)
class Limits:
    """What a rule asks of one target.

    A value below ``raise_below`` is bad, one of at least ``clear_from`` is good,
    one between breaks every streak. Both are None for rules about silence, where
    any number is good. ``valid_for_s`` is how long a result says something about
    now.
    """

    raise_below: float | None
    clear_from: float | None
    confirm_count: int
    clear_count: int
    valid_for_s: float
    silence_is_bad: bool = False

    @property
    def valid_for_ms(self) -> int:
        """``valid_for_s`` in milliseconds."""
        return round(self.valid_for_s * 1000)


class Result(Struct, frozen=True, omit_defaults=True):
    """A value with its time, or the reason why there is none.

    ``at_least``: the value is a lower bound, the truth may be more.
    """

    ts_ms: int
    value: float | None = None
    failure: FailureReason | None = None
    at_least: bool = False


class Memory(Struct, frozen=True, omit_defaults=True):
    """What the machine remembers of a target; stored as JSON beside its state.

    ``newest_ms`` is the measuring time of the newest result taken. ``valid_ms``
    is when the newest number was measured, for rules about silence when it
    arrived; None before the first. ``first_ms`` is the arrival of the first
    result, with a number or not. ``bad_since_ms`` is the measuring time of the
    first bad result of the running streak or incident. ``generated`` says that
    all of it comes of made-up data: that has a state, but never opens an incident.
    """

    newest_ms: int = 0
    valid_ms: int | None = None
    first_ms: int | None = None
    bad_since_ms: int | None = None
    bad_streak: int = 0
    good_streak: int = 0
    results: tuple[Result, ...] = ()
    generated: bool = False


class Watched(Struct, frozen=True):
    """A target's state since when, whether an incident is open, and the memory."""

    state: AlarmState = AlarmState.UNKNOWN
    since_ms: int = 0
    incident_open: bool = False
    memory: Memory = Memory()


class Seen(Struct, frozen=True):
    """One result as it arrived; ``value`` and ``failure`` are never both given.

    ``high`` is the upper end of the value's interval, None where it has none.
    ``at_least``: the value is only a lower bound.
    """

    ts_ms: int
    received_ms: int
    value: float | None = None
    failure: FailureReason | None = None
    high: float | None = None
    at_least: bool = False


class Change(Struct, frozen=True):
    """A transition. ``opens`` and ``closes`` say what it does to an incident."""

    from_state: AlarmState
    to_state: AlarmState
    at_ms: int
    opens: bool = False
    closes: bool = False


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
    too_old = seen.received_ms - measured_ms > limits.valid_for_ms
    return too_old or measured_ms < memory.newest_ms


def deadline_ms(limits: Limits, watched: Watched) -> int | None:
    """Return after which time silence changes the state; None for never."""
    memory = watched.memory
    if limits.silence_is_bad:
        waiting = watched.state in {AlarmState.UNKNOWN, AlarmState.OK}
        heard_ms = memory.first_ms if memory.valid_ms is None else memory.valid_ms
    else:
        waiting = watched.state in {AlarmState.OK, AlarmState.SUSPECT, AlarmState.BAD}
        heard_ms = memory.valid_ms
    if not waiting or heard_ms is None:
        return None
    return heard_ms + limits.valid_for_ms


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
    limits: Limits, watched: Watched, seen: Seen | None, now_ms: int
) -> tuple[Watched, Change | None]:
    """Return what a result, or the passing of time (None), makes of a target.

    ``now_ms`` is the present of the step: for a result its arrival. Let the time
    pass up to the arrival first, else silence before it goes unnoticed.
    """
    if seen is None:
        return _wait(limits, watched, now_ms)
    if is_late(limits, watched.memory, seen):
        return watched, None
    if says_nothing(limits, seen, incident_open=watched.incident_open):
        return watched, None
    memory = _remember(limits, watched, seen)
    kept = replace(watched, memory=memory)
    if seen.value is None:
        return kept, None
    after = _next_state(limits, kept, judge(limits, seen.value, seen.high))
    return _change(kept, after, max(now_ms, watched.since_ms))


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
    limits: Limits, watched: Watched, now_ms: int
) -> tuple[Watched, Change | None]:
    limit_ms = deadline_ms(limits, watched)
    if limit_ms is None or now_ms <= limit_ms:
        return watched, None
    memory = watched.memory
    if limits.silence_is_bad and not memory.generated:
        memory = replace(memory, bad_since_ms=limit_ms - limits.valid_for_ms)
        after = AlarmState.BAD
    else:
        memory = replace(memory, bad_streak=0, good_streak=0)
        after = AlarmState.STALE
    at_ms = max(limit_ms, watched.since_ms)
    return _change(replace(watched, memory=memory), after, at_ms)


def _remember(limits: Limits, watched: Watched, seen: Seen) -> Memory:
    memory = watched.memory
    measured_ms = min(seen.ts_ms, seen.received_ms)
    result = Result(measured_ms, seen.value, seen.failure, seen.at_least)
    first_ms = seen.received_ms if memory.first_ms is None else memory.first_ms
    if seen.value is None:
        return replace(
            memory,
            newest_ms=measured_ms,
            first_ms=first_ms,
            results=(*memory.results, result)[-RESULTS_KEPT:],
        )
    level = judge(limits, seen.value, seen.high)
    bad_streak = memory.bad_streak + 1 if level is Level.BAD else 0
    starts = bad_streak == 1 and not watched.incident_open
    if limits.silence_is_bad:
        # Only the failures since the last number explain a silence.
        results: tuple[Result, ...] = ()
    else:
        results = (*memory.results, result)[-RESULTS_KEPT:]
    return Memory(
        newest_ms=measured_ms,
        valid_ms=seen.received_ms if limits.silence_is_bad else measured_ms,
        first_ms=first_ms,
        bad_since_ms=measured_ms if starts else memory.bad_since_ms,
        bad_streak=bad_streak,
        good_streak=memory.good_streak + 1 if level is Level.GOOD else 0,
        results=results,
        generated=memory.generated,
    )


def _next_state(limits: Limits, watched: Watched, level: Level) -> AlarmState:
    memory = watched.memory
    if watched.incident_open:
        cleared = memory.good_streak >= limits.clear_count
        return AlarmState.OK if cleared else AlarmState.BAD
    if level is not Level.BAD:
        return AlarmState.OK
    confirmed = memory.bad_streak >= limits.confirm_count and not memory.generated
    return AlarmState.BAD if confirmed else AlarmState.SUSPECT


def _change(
    watched: Watched, after: AlarmState, at_ms: int
) -> tuple[Watched, Change | None]:
    before = watched.state
    if after is before:
        return watched, None
    opens = after is AlarmState.BAD and not watched.incident_open
    closes = after is AlarmState.OK and watched.incident_open
    change = Change(before, after, at_ms, opens, closes)
    changed = replace(
        watched,
        state=after,
        since_ms=at_ms,
        incident_open=(watched.incident_open or opens) and not closes,
    )
    return changed, change
