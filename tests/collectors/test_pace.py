"""When a device is asked, and when all of it: tables of moments."""

from __future__ import annotations

import pytest

from collectors.pace import (
    MOST_SELDOM_S,
    Due,
    has_restarted,
    rounds_between,
    structure_every_s,
)
from netmon.metrics import KINDS


@pytest.mark.parametrize(
    ("failed_polls", "interval_s", "rounds"),
    [
        (0, 60.0, 1),
        (1, 60.0, 1),
        (2, 60.0, 1),
        (3, 60.0, 2),
        (4, 60.0, 4),
        (5, 60.0, 8),
        (6, 60.0, 14),
        (10_000, 60.0, 14),
        (10_000, 5.0, 14),
        (4, 300.0, 2),
        (10, 900.0, 1),
        (10, 3600.0, 1),
    ],
)
def test_the_dead_are_asked_ever_more_seldom(
    failed_polls: int, interval_s: float, rounds: int
) -> None:
    assert rounds_between(failed_polls, interval_s) == rounds
    assert rounds == 1 or rounds * interval_s <= MOST_SELDOM_S
    assert KINDS["device"].stale_after_s > MOST_SELDOM_S


def test_structures_are_read_at_different_times() -> None:
    every = {structure_every_s(f"sw{n}", 3600.0) for n in range(200)}
    assert len(every) == 200
    assert min(every) >= 2700
    assert max(every) < 4500
    assert structure_every_s("sw1", 3600.0) == structure_every_s("sw1", 3600.0)


@pytest.mark.parametrize(
    ("due", "now_s", "wanted"),
    [
        (Due(), 0.0, True),
        (Due(0.0), 3500.0, False),
        (Due(0.0), 3600.0, True),
        (Due(0.0).changed(60.0), 840.0, False),
        (Due(0.0).changed(60.0), 900.0, True),
        (Due(0.0, 300.0).changed(60.0), 300.0, True),
        # Patience ends where the usual distance does.
        (Due(0.0, 1e9), 3600.0, True),
    ],
)
def test_the_structure_is_due(due: Due, now_s: float, wanted: bool) -> None:
    assert due.is_due(now_s, 60.0, 3600.0) is wanted


def test_gaps_are_tried_again_with_growing_patience() -> None:
    due, waits = Due(), []
    for _ in range(4):
        due = due.read(0.0, 60.0, has_gaps=True)
        waits.append(due.soon_s)
    assert waits == [300.0, 600.0, 1200.0, 2400.0]
    assert due.read(0.0, 60.0, has_gaps=False) == Due(0.0)


@pytest.mark.parametrize(
    ("before", "now", "elapsed_s", "wanted"),
    [
        (100_000, 106_000, 60.0, False),
        (100_000, 500, 60.0, True),
        # It runs longer than it did before, but shorter than the time between.
        (1_000, 20_000, 300.0, True),
        # A clock that is looked at every few seconds.
        (100_000, 103_000, 60.0, False),
        # Another device answers at this address.
        (100_000, 9_000_000, 60.0, True),
        # 497 days: the ticks begin anew, the device does not.
        (2**32 - 1_000, 5_000, 60.0, False),
        (2**32 - 1_000, 50_000, 60.0, True),
    ],
)
def test_restarts(before: int, now: int, elapsed_s: float, wanted: bool) -> None:
    assert has_restarted(before, now, elapsed_s) is wanted
