"""The floor question is answered from samples alone; pure, by table."""

from __future__ import annotations

import math

import pytest

from probes.estimate import Sample
from probes.floor import Floor, judge, pacing_bps

F = 100e6
NEVER = math.inf


def steady(rate_bps: float, seconds: float) -> list[Sample]:
    n = round(seconds / 0.020) + 1
    return [Sample(i * 0.020, rate_bps / 8 * i * 0.020) for i in range(n)]


@pytest.mark.parametrize(
    ("rate_bps", "seconds", "full_from_s", "answer"),
    [
        (108e6, 0.30, NEVER, Floor.PASS),
        (105e6, 0.30, 0.0, Floor.PASS),
        (108e6, 0.10, NEVER, None),
        (97e6, 0.70, 0.0, Floor.MISS),
        (97e6, 0.70, NEVER, None),
        (97e6, 0.60, 0.3, None),
        (60e6, 2.00, NEVER, None),
        (100e6, 2.00, 0.0, None),
    ],
    ids=[
        "room to spare",
        "full and above",
        "too short",
        "full and below",
        "below but not full: nobody knows",
        "full too shortly",
        "pushed aside by lessons",
        "exactly on it",
    ],
)
def test_answers(rate_bps, seconds, full_from_s, answer):
    assert judge(steady(rate_bps, seconds), F, full_from_s) is answer


def test_no_samples_no_answer():
    assert judge([], F, 0.0) is None


@pytest.mark.parametrize(
    ("cross_bps", "paced_bps"), [(0, 108e6), (50e6, 58e6), (200e6, 25e6)]
)
def test_the_stream_asks_only_for_what_lessons_leave(cross_bps, paced_bps):
    assert pacing_bps(F, cross_bps) == pytest.approx(paced_bps)
