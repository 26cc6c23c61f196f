"""How often a device is asked, and when its structure is read again: pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from collectors.schedule import offset_s

# A dead device is asked ever more seldom, but never more seldom than this: the time,
# and where rounds are short the rounds. A record of a device says something for 15
# minutes (`netmon.metrics`): before that it is said again that it is silent.
MOST_SELDOM_S = 840.0
MOST_SELDOM_ROUNDS = 14
# The first failures are asked on at the usual pace: most of them are a lost packet or
# a restart, and a replaced device needs its session made anew (`collectors.poll`).
PATIENT_POLLS = 2
STRUCTURE_S = 3600.0
# A reading with gaps is tried again after so many polls, then ever more seldom.
GAP_POLLS = 5
# Ports come and go all day, and LLDP takes its time to name a neighbour.
CHANGE_S = 900.0

TICKS_PER_S = 100
_TICKS = 2**32
# Agents that look at their clock now and then, and clocks that drift.
_SLACK_S = 30.0
_SLACK_RATIO = 0.1


def rounds_between(failed_polls: int, interval_s: float) -> int:
    """Return how many rounds lie between two polls of a device; 1 is every round.

    ``failed_polls`` have failed in a row: from the third on the distance doubles. The
    first answer restores it.
    """
    over = failed_polls - PATIENT_POLLS
    if over <= 0:
        return 1
    most = min(MOST_SELDOM_ROUNDS, max(1, int(MOST_SELDOM_S // interval_s)))
    return int(min(most, 2 ** min(over, 30)))


def structure_every_s(device_id: str, structure_s: float) -> float:
    """Return a device's own distance, within a quarter of ``structure_s``.

    Devices that were all read at the start drift apart that way.
    """
    return structure_s * 0.75 + offset_s(f"structure/{device_id}", structure_s) / 2


@dataclass(frozen=True, slots=True)
class Due:
    """When the structure was read last, and how long that is good for.

    ``read_s`` are monotonic seconds, None before the first time. ``soon_s`` is how
    long, where there is a reason for less than the usual distance. ``tries`` are
    readings in a row that left gaps.
    """

    read_s: float | None = None
    soon_s: float | None = None
    tries: int = 0

    def is_due(self, now_s: float, interval_s: float, every_s: float) -> bool:
        """Say whether the structure is to be read now."""
        if self.read_s is None:
            return True
        wait_s = every_s if self.soon_s is None else min(self.soon_s, every_s)
        # Half an interval early is nearer than half a round late.
        return now_s - self.read_s >= wait_s - interval_s / 2

    def read(self, now_s: float, interval_s: float, *, has_gaps: bool) -> Due:
        """Return what is due after the structure was read."""
        if not has_gaps:
            return Due(now_s)
        patience_s = GAP_POLLS * interval_s * 2 ** min(self.tries, 20)
        return Due(now_s, patience_s, self.tries + 1)

    def changed(self, interval_s: float) -> Due:
        """Return what is due after ports changed."""
        soon_s = max(CHANGE_S, GAP_POLLS * interval_s)
        return replace(self, soon_s=min(soon_s, self.soon_s or soon_s))


def has_restarted(before_ticks: int, now_ticks: int, elapsed_s: float) -> bool:
    """Say whether a device began anew, or is another one, by two sysUpTimes.

    The 32-bit ticks (1/100 s) start over after 497 days of running: that is no restart.
    """
    moved_s = ((now_ticks - before_ticks) % _TICKS) / TICKS_PER_S
    slack_s = elapsed_s * _SLACK_RATIO + _SLACK_S
    return abs(moved_s - elapsed_s) > slack_s
