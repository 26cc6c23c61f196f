"""A test's course on played lines: when it grows, when it stops; pure."""

from __future__ import annotations

import pytest

from probes.course import Course, Step, Why
from probes.estimate import LIMIT_S, VARYING_S, Sample

TICK_S = 0.020
RTT_S = 0.010


class Line:
    """A line of ``rate_bps`` that one stream fills to ``share`` after a quick ramp.

    A full line makes echoes wait ``queue_s``.
    """

    def __init__(
        self, rate_bps: float, shares: list[float], queue_s: float = 0.02
    ) -> None:
        self.rate_bps = rate_bps
        self.shares = shares
        self.queue_s = queue_s

    def run(
        self, course: Course, lost: float | None = None
    ) -> tuple[float, list[float]]:
        """Return when the course stopped and when it grew."""
        octets, samples, grown = 0.0, [Sample(0.0, 0.0)], []
        for tick in range(1, 400):
            now_s = tick * TICK_S
            share = self.shares[min(course.streams, len(self.shares)) - 1]
            ramped = min(1.0, now_s / 0.1)
            octets += self.rate_bps / 8 * share * ramped * TICK_S
            samples.append(Sample(now_s, octets))
            if share * ramped >= 1:
                course.spans.add(now_s - self.queue_s, now_s)
            else:
                course.spans.add(now_s, now_s)
            step = course.decide(now_s, samples, lost)
            if step is Step.STOP:
                return now_s, grown
            if step is Step.GROW:
                grown.append(now_s)
                course.grew(now_s, course.streams + 1)
        pytest.fail("it never stopped")


def test_a_line_that_one_stream_fills_is_certain_with_one():
    course = Course(0.0, RTT_S, most_streams=4)
    stopped_s, grown = Line(100e6, [1.0]).run(course)
    assert course.why is Why.CERTAIN
    assert grown == []
    assert stopped_s < 0.5


def test_it_grows_until_the_line_is_full():
    course = Course(0.0, RTT_S, most_streams=4)
    stopped_s, grown = Line(100e6, [0.4, 0.8, 1.0]).run(course)
    assert course.why is Why.CERTAIN
    assert len(grown) == 2
    assert stopped_s < 1.5


def test_a_stream_is_not_trusted_to_hold_a_large_window():
    """1 Gbit/s at 40 ms: five megabytes on the way; grown while still ramping."""
    course = Course(0.0, 0.040, most_streams=4)
    _, grown = Line(1e9, [1.0]).run(course)
    assert grown
    assert grown[0] <= 0.12


def test_what_others_move_is_no_reason_to_grow():
    course = Course(0.0, 0.040, most_streams=4, own=[Sample(0.0, 0.0)])
    _, grown = Line(1e9, [1.0]).run(course)
    assert grown == []


def test_streams_that_bring_nothing_are_no_reason_for_more():
    course = Course(0.0, RTT_S, most_streams=8)
    _, grown = Line(100e6, [0.6]).run(course)
    assert len(grown) == 1
    assert course.why is Why.NOT_FULL


def test_losses_show_a_full_line_only_where_a_further_stream_brings_nothing():
    course = Course(0.0, RTT_S, most_streams=8)
    stopped_s, grown = Line(100e6, [0.6]).run(course, lost=0.01)
    assert course.why is Why.LOSSES
    assert len(grown) == 1
    assert stopped_s < 1.5
    alone = Course(0.0, RTT_S, most_streams=1)
    Line(100e6, [0.6]).run(alone, lost=0.01)
    assert alone.why is Why.NOT_FULL, "nobody has tried whether more would come"


def test_a_varying_line_is_watched_for_its_time():
    course = Course(0.0, RTT_S, is_varying=True)
    stopped_s, _ = Line(100e6, [1.0]).run(course)
    assert stopped_s >= VARYING_S


def test_time_ends_every_test():
    course = Course(0.0, RTT_S)
    # Echoes wait, but what is counted swings: no agreement.
    octets, samples = 0.0, [Sample(0.0, 0.0)]
    for tick in range(1, 400):
        now_s = tick * TICK_S
        octets += 250_000 * (0.5 if tick % 10 < 5 else 1.5)
        samples.append(Sample(now_s, octets))
        course.spans.add(now_s - 0.02, now_s)
        if course.decide(now_s, samples, None) is Step.STOP:
            break
    assert course.why is Why.TIME
    assert samples[-1].at_s == pytest.approx(LIMIT_S, abs=TICK_S)


def test_rare_counters_wait_for_two_refreshes_on_a_full_line():
    course = Course(0.0, RTT_S, by_edges=True, limit_s=3.0)
    course.spans.add(0.2, 2.5)
    early = [Sample(0.1, 0), Sample(1.1, 5)]
    assert course.decide(1.2, early, None) is Step.GO_ON, "one came before it was full"
    assert course.decide(2.2, [*early, Sample(2.1, 9)], None) is Step.STOP
    assert course.why is Why.CERTAIN


def test_rare_counters_let_it_grow_too():
    course = Course(0.0, RTT_S, by_edges=True, most_streams=2, limit_s=3.0)
    steps = [course.decide(i * TICK_S, [], None) for i in range(40)]
    assert steps.count(Step.GROW) == 1


def test_what_echoes_have_not_shown_yet_is_taken_as_the_last_ones_showed_it():
    course = Course(0.0, RTT_S)
    samples = [Sample(i * TICK_S, i * 1000) for i in range(11)]
    course.spans.add(0.0, 0.15)
    assert course.runs(samples, 0.20)[-1][-1].at_s == pytest.approx(0.20)
    course.spans.add(0.16, 0.16)  # the newest had no queue
    assert course.runs(samples, 0.20)[-1][-1].at_s == pytest.approx(0.14)
