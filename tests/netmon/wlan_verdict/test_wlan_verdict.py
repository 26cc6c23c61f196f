"""Classes of access points and of a building's together."""

from __future__ import annotations

import pytest

from netmon.wlan_truth import ApState, ApTruth
from netmon.wlan_verdict import (
    ApClass,
    ApReason,
    ApVerdict,
    group_of,
    judge_ap,
    worst,
)

OK, DOWN, BAD, NEVER, OPEN = (
    ApClass.IN_ORDER,
    ApClass.DOWN,
    ApClass.DEGRADED,
    ApClass.NEVER_SEEN,
    ApClass.UNKNOWN,
)


def truth(state: ApState, *, works: bool | None = None) -> ApTruth:
    return ApTruth(ap="gs-07-ap-1", name="AP-01", state=state, works=works)


@pytest.mark.parametrize(
    ("state", "works", "radios", "verdict", "reason"),
    [
        (ApState.IN_ORDER, True, (), OK, None),
        (ApState.IN_ORDER, True, (0.3, None), OK, None),
        (ApState.IN_ORDER, True, (0.3, 0.8), BAD, ApReason.CHANNEL_FULL),
        (ApState.SLOW_PORT, True, (0.9,), BAD, ApReason.SLOW_PORT),
        (ApState.NO_CLIENTS, True, (0.1,), BAD, ApReason.NO_CLIENTS),
        (ApState.REPLACED, True, (), BAD, ApReason.REPLACED),
        (ApState.REPLACED, False, (), BAD, ApReason.REPLACED),
        # What is down has no channel, whatever an old radio said.
        (ApState.DOWN, False, (0.9,), DOWN, None),
        (ApState.NEVER_SEEN, False, (), NEVER, None),
        (ApState.UNKNOWN, None, (0.9,), OPEN, None),
        (ApState.UNPLANNED, True, (), OK, None),
        (ApState.UNPLANNED, False, (), DOWN, None),
        (ApState.UNPLANNED, None, (), OPEN, None),
    ],
)
def test_the_class_of_an_access_point(
    state: ApState,
    works: bool | None,
    radios: tuple[float | None, ...],
    verdict: ApClass,
    reason: ApReason | None,
) -> None:
    found = judge_ap(truth(state, works=works), radios)
    fullest = max((ratio for ratio in radios if ratio is not None), default=None)
    assert found == ApVerdict("gs-07-ap-1", verdict, reason, fullest)


def test_every_state_has_a_class() -> None:
    assert {judge_ap(truth(state)).verdict for state in ApState} <= set(ApClass)


@pytest.mark.parametrize(
    ("members", "verdict", "affected"),
    [
        ([], None, 0),
        ([OK] * 24, OK, 0),
        ([OK] * 21 + [DOWN] * 3, BAD, 3),
        ([OK] * 21 + [BAD, NEVER, DOWN], BAD, 3),
        ([OK] * 12 + [DOWN] * 12, DOWN, 12),
        ([OK] * 12 + [DOWN] * 6 + [NEVER] * 6, DOWN, 12),
        ([OK] * 12 + [BAD] * 12, BAD, 12),
        # Nothing is concluded from those that nobody knows of.
        ([OPEN] * 24, OPEN, 0),
        ([OPEN] * 13 + [OK] * 11, OPEN, 0),
        ([OPEN] * 12 + [OK] * 12, OK, 0),
        ([OPEN] * 22 + [DOWN] * 2, DOWN, 2),
        ([OPEN] * 20 + [DOWN] + [OK] * 3, BAD, 1),
    ],
)
def test_a_share_decides_a_building(
    members: list[ApClass], verdict: ApClass | None, affected: int
) -> None:
    group = group_of(members)
    assert (group.verdict, group.affected, group.total) == (
        verdict,
        affected,
        len(members),
    )
    assert sum(group.counts.values()) == len(members)


def test_the_worst_member_decides_a_group() -> None:
    assert worst([OK, OPEN, BAD]) is BAD
    assert worst([OK, NEVER, DOWN]) is DOWN
    assert worst([OK, OPEN]) is OPEN
    assert worst([]) is OPEN
