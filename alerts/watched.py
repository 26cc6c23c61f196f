"""What the machine (`alerts.machine`) is told, remembers and answers."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from alerts.gate import Key
from netmon.model import FailureReason
from netmon.storage.records import AlarmState

_FOLLOWING = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What a rule asks of one target.

    A value below ``raise_below`` is bad, one of at least ``clear_from`` is good,
    one between is neither. Both are None for rules about silence, where any number
    is good. ``confirm_count`` bad results of the last ``confirm_of`` (None: in a
    row) raise once the trouble lasts ``confirm_for_s``, ``clear_count`` good ones in
    a row clear. ``valid_for_s`` is how long a result says something about now; one
    that arrives ``late_after_s`` (None: ``valid_for_s``) after it was measured says
    nothing. ``one_a_moment``: results measured at the same moment are one.

    ``waver_of``: an incident begins as well once half of the last so many results were
    bad, and such a one ends only when no more than a quarter are; 0 for neither.
    ``breaks_within_s``: bad results in a row after a good one are one break, and
    ``confirm_count`` breaks that began within so long raise; it ends once none did.
    """

    raise_below: float | None
    clear_from: float | None
    confirm_count: int
    clear_count: int
    valid_for_s: float
    silence_is_bad: bool = False
    confirm_of: int | None = None
    confirm_for_s: float = 0.0
    late_after_s: float | None = None
    one_a_moment: bool = False
    waver_of: int = 0
    breaks_within_s: float | None = None

    @property
    def valid_for_ms(self) -> int:
        """``valid_for_s`` in milliseconds."""
        return round(self.valid_for_s * 1000)

    @property
    def settled_ms(self) -> int:
        """In what time trouble is confirmed at the latest, in milliseconds.

        A result counts for so long that three can follow each other (of devices,
        `alerts.rules.SELDOM_POLLED_S`); more of them take longer.
        """
        most = max(_FOLLOWING, self.confirm_of or self.confirm_count)
        lasting_ms = round(self.confirm_for_s * 1000)
        return self.valid_for_ms * most // _FOLLOWING + lasting_ms

    @property
    def late_after_ms(self) -> int:
        """After how many milliseconds a result is late."""
        late_after_s = self.late_after_s
        valid = late_after_s is None or late_after_s > self.valid_for_s
        return self.valid_for_ms if valid else round((late_after_s or 0.0) * 1000)


class Result(Struct, frozen=True, omit_defaults=True):
    """A value with its time, or the reason why there is none.

    ``at_least``: the value is a lower bound, the truth may be more. ``skewed``: the
    sender's clock was wrong, the time is that of the gateway.
    """

    ts_ms: int
    value: float | None = None
    failure: FailureReason | None = None
    at_least: bool = False
    skewed: bool = False


class Memory(Struct, frozen=True, omit_defaults=True):
    """What the machine remembers of a target; stored as JSON beside its state.

    ``newest_ms`` is the measuring time of the newest result taken. ``valid_ms``
    is when the newest number was measured, for rules about silence when it
    arrived; None before the first. ``good_ms`` is when the newest good result was
    measured. ``first_ms`` is the arrival of the first result, with a number or not.
    ``window`` holds the results that may confirm, newest last: the measuring time of
    a bad one, 0 for another; where breaks count, the beginning of each. ``bad_since_ms``
    is the first bad one of those, or of the incident. ``generated`` says that all of it comes of made-up data: that has a
    state, but never opens an incident.

    For rules about silence ``heard_ms`` is the arrival of the newest result,
    ``gap_ms`` how long after the one before.

    ``counts_from_ms`` is when a parent was back: nothing bad from before counts.
    ``held_by`` is the parent that keeps a confirmed target from raising,
    ``held_ms`` when the gate was last found shut. Parents that are only suspected may
    do so until ``patient_until_ms``, 0 while none does. ``cleared_ms`` is when the last
    incident ended. ``changes`` is the memory of `alerts.flap`; while ``flapping``,
    ``confirmed`` says what the state would be.

    ``via`` is the controller that had an access point up last, empty for the planned
    one.
    """

    newest_ms: int = 0
    valid_ms: int | None = None
    first_ms: int | None = None
    bad_since_ms: int | None = None
    window: tuple[int, ...] = ()
    good_streak: int = 0
    results: tuple[Result, ...] = ()
    generated: bool = False
    good_ms: int | None = None
    heard_ms: int | None = None
    gap_ms: int | None = None
    counts_from_ms: int = 0
    held_by: Key | None = None
    held_ms: int = 0
    cleared_ms: int | None = None
    changes: int = 0
    flapping: bool = False
    confirmed: bool = False
    via: str = ""
    patient_until_ms: int = 0
    shaken_ms: int = 0
    wavers: bool = False

    @property
    def unsettled(self) -> bool:
        """Whether it comes and goes, by either measure."""
        return self.flapping or self.wavers


class Watched(Struct, frozen=True):
    """A target's state since when, whether an incident is open, and the memory."""

    state: AlarmState = AlarmState.UNKNOWN
    since_ms: int = 0
    incident_open: bool = False
    memory: Memory = Memory()


class Seen(Struct, frozen=True):
    """One result as it arrived; ``value`` and ``failure`` are never both given.

    ``high`` is the upper end of the value's interval, None where it has none.
    ``at_least``: the value is only a lower bound. ``skewed``: the sender's clock was
    wrong by more than it may be.
    """

    ts_ms: int
    received_ms: int
    value: float | None = None
    failure: FailureReason | None = None
    high: float | None = None
    at_least: bool = False
    skewed: bool = False


class Change(Struct, frozen=True):
    """A transition. ``opens`` and ``closes`` say what it does to an incident."""

    from_state: AlarmState
    to_state: AlarmState
    at_ms: int
    opens: bool = False
    closes: bool = False
