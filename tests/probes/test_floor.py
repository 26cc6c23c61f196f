"""The floor question is answered from samples alone; pure, by table."""

from __future__ import annotations

import pytest

from probes.estimate import Sample
from probes.floor import (
    MAX_BYTES,
    MAX_BYTES_LOADED,
    Floor,
    bounds,
    judge,
    max_bytes,
    pacing_bps,
)

F = 100e6


def steady(rate_bps: float, seconds: float, start_s: float = 0.0) -> list[Sample]:
    n = round(seconds / 0.020) + 1
    return [Sample(start_s + i * 0.020, rate_bps / 8 * i * 0.020) for i in range(n)]


@pytest.mark.parametrize(
    ("carried", "full", "answer"),
    [
        (steady(108e6, 0.3), [], Floor.PASS),
        (steady(108e6, 0.1), [], None),
        (steady(60e6, 2.0), [], None),
        (steady(80e6, 1.0), [steady(105e6, 0.3)], Floor.PASS),
        (steady(97e6, 0.7), [steady(97e6, 0.7)], Floor.MISS),
        (steady(60e6, 2.0), [steady(97e6, 0.3), steady(97e6, 0.4, 1)], Floor.MISS),
        (steady(97e6, 2.0), [steady(97e6, 0.5)], None),
        (steady(100e6, 2.0), [steady(100e6, 2.0)], None),
    ],
    ids=[
        "room to spare",
        "too short",
        "below but not full: nobody knows",
        "above while it was full, though pushed aside at times",
        "full and below",
        "full and below, in two stretches",
        "full too shortly",
        "exactly on it",
    ],
)
def test_answers(carried, full, answer):
    assert judge(carried, full, F) is answer


def test_no_samples_no_answer():
    assert judge([], [], F) is None
    assert bounds([]) == (0.0, float("inf"))


@pytest.mark.parametrize(
    ("cross_bps", "paced_bps"), [(0, 108e6), (50e6, 58e6), (200e6, 25e6)]
)
def test_the_stream_asks_only_for_what_lessons_leave(cross_bps, paced_bps):
    assert pacing_bps(F, cross_bps) == pytest.approx(paced_bps)


def test_beside_lessons_it_moves_little():
    assert max_bytes(F, 0) == max_bytes(F, 30e6) == MAX_BYTES
    assert max_bytes(F, 70e6) == MAX_BYTES_LOADED
