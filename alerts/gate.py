"""Whether an alarm may be raised, given what is known of what it depends on; pure.

A parent that is down explains its children: their alarms are not created. Compared
is one hop only; that a parent is itself held by its own parent makes it suspect,
and so the chain follows. The gate is asked when an incident would begin, and never
when one would end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto

from netmon.storage.records import AlarmState

# A rule and its target.
Key = tuple[str, str]
# Stands for a rule where what holds a target is that it was never in order.
NEVER_SEEN = "never_seen"


class Gate(Enum):
    """``HOLD``: the parent was not measured since, so wait. ``CLOSED``: it is down."""

    OPEN = auto()
    HOLD = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Parent:
    """What is known of a parent.

    ``good_ms`` is when it was last seen in order, None for never. From ``until_ms``
    on that says nothing any more; None where the parent's own state tells.
    ``patience_ms`` is how long it may hold a child without an incident of its own: by
    then it would have one, were it down. None for one that something else explains.
    """

    key: Key
    state: AlarmState
    incident_open: bool = False
    good_ms: int | None = None
    until_ms: int | None = None
    patience_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """The answer; ``by`` is the parent that holds, until ``until_ms`` at most.

    ``patience_ms`` is how long all in all a child may be held by what is only
    suspected; None for as long as it takes.
    """

    gate: Gate
    by: Key | None = None
    until_ms: int | None = None
    patience_ms: int | None = None


OPEN = Passage(Gate.OPEN)

# Asked with the time of a child's first bad result.
Ask = Callable[[int], Passage]


def always_open(_: int) -> Passage:
    """Let everything pass: the target depends on nothing."""
    return OPEN


def passage(parents: Iterable[Parent], bad_since_ms: int) -> Passage:
    """Return whether a child that is bad since then may raise its alarm.

    A parent of which nothing is known (no state, or stale without an incident)
    explains nothing: otherwise a switch that is no longer polled would silence its
    access points for good.
    """
    waits = OPEN
    for parent in parents:
        if parent.incident_open or parent.state is AlarmState.BAD:
            return Passage(Gate.CLOSED, parent.key)
        if parent.state is AlarmState.SUSPECT or (
            parent.state is AlarmState.OK and not _seen_since(parent, bad_since_ms)
        ):
            patience_ms = parent.patience_ms
            if waits.gate is Gate.HOLD and patience_ms is not None:
                longer = waits.patience_ms
                patience_ms = None if longer is None else max(longer, patience_ms)
            waits = Passage(Gate.HOLD, parent.key, parent.until_ms, patience_ms)
    return waits


def _seen_since(parent: Parent, bad_since_ms: int) -> bool:
    return parent.good_ms is not None and parent.good_ms >= bad_since_ms
