"""What a number may be called: pure, from everything that a test saw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probes.counters import Reading, Refresh
from probes.course import Course, Why
from probes.estimate import ResultKind, Sample
from probes.limits import LimitedBy
from probes.machine import Health
from probes.measure_protocol import Side, Stat
from probes.outcome import Seen, judged
from probes.pinger import EchoTime

START_S = 100.0
RATE = 100e6


def echo(at_s: float, wait_s: float) -> EchoTime:
    return EchoTime(at_s - 0.010 - wait_s, at_s, wait_s, 0.0)


def seen(
    *,
    wait_s: float = 0.02,
    own_share: float = 1.0,
    counters: bool = True,
    seconds: float = 0.6,
    why: Why = Why.CERTAIN,
    **course_more: object,
) -> Seen:
    """A download of 100 Mbit/s that was full all the time if echoes waited."""
    course = Course(START_S, 0.010, **course_more)  # type: ignore[arg-type]
    course.why = why
    course.ramp_over_s = START_S + 0.1
    echoes = [echo(START_S + i * 0.005, wait_s) for i in range(round(seconds / 0.005))]
    for each in echoes:
        course.spans.add(*each.queued("down", None))
    course.full_s = course.spans.first_s
    ticks = [START_S + i * 0.020 for i in range(round(seconds / 0.020))]
    octets = [RATE / 8 * (at_s - START_S) for at_s in ticks]
    readings = [
        Reading(at_s, 0.0002, round(amount), 0)
        for at_s, amount in zip(ticks, octets, strict=True)
    ]
    return Seen(
        direction="down",
        method="tcp-adaptive/2",
        congestion="bbr",
        course=course,
        own=[Sample(a, own_share * o) for a, o in zip(ticks, octets, strict=True)],
        own_basis="wire",
        readings=readings if counters else None,
        refresh=Refresh(0.0, START_S) if counters else None,
        idle_rtts_s=[0.010, 0.011, 0.012],
        echoes=echoes,
        side=Side(streams=1, delivered=1000, retransmitted=2, stream_s=1, busy_s=1),
        stat=Stat(ok=True),
        health=Health(late_s=0.001, busy_ratio=0.2),
        streams=1,
        load_s=seconds,
    )


def test_a_full_line_with_all_octets_counted_is_a_capacity():
    found = judged(seen(own_share=0.4))
    assert found.total.kind is ResultKind.CAPACITY
    assert found.total.rate_bps == pytest.approx(RATE, rel=0.001)
    assert found.basis == "router"
    assert found.refresh_s == 0
    assert found.goodput_bps == pytest.approx(0.4 * RATE, rel=0.01)
    assert found.cross_bps == pytest.approx(0.6 * RATE, rel=0.01)
    assert found.rtt_idle_s == pytest.approx(0.011)
    assert found.rtt_loaded_s == pytest.approx(0.030)
    assert found.rpm == pytest.approx(60 / 0.030)
    assert found.retransmitted_ratio == pytest.approx(0.002)
    assert found.window_s > 0.5


def test_without_counters_it_is_a_lower_bound():
    found = judged(seen(counters=False))
    assert found.total.kind is ResultKind.AT_LEAST
    assert found.basis == "wire"
    assert found.cross_bps is None
    assert found.refresh_s is None


def test_a_line_that_was_not_full_is_a_lower_bound():
    found = judged(seen(wait_s=0.0, why=Why.NOT_FULL))
    assert found.total.kind is ResultKind.AT_LEAST
    assert found.total.low_bps == pytest.approx(RATE, rel=0.01)
    assert not found.saturated


def test_time_that_ran_out_on_a_line_that_was_never_full_proves_what_was_carried():
    found = judged(seen(wait_s=0.0, why=Why.TIME))
    assert found.total.kind is ResultKind.AT_LEAST


def test_losses_that_no_further_stream_mends_are_a_full_line():
    found = judged(seen(wait_s=0.0, why=Why.LOSSES))
    assert found.total.kind is ResultKind.CAPACITY


@pytest.mark.parametrize(
    ("side", "limited_by"),
    [
        (Side(stream_s=1, busy_s=1, rwnd_limited_s=0.6), "probe"),
        (Side(stream_s=1, busy_s=0.4), "server"),
    ],
)
def test_an_end_that_held_it_back_takes_the_capacity_away(
    side: Side, limited_by: LimitedBy
):
    weak = replace(seen(wait_s=0.003), side=side)
    found = judged(weak)
    assert found.limited_by == limited_by
    assert found.total.kind is ResultKind.AT_LEAST
    # A long queue is the line's, whatever the buffers say.
    strong = judged(replace(seen(wait_s=0.02), side=side))
    assert strong.limited_by == ""
    assert strong.total.kind is ResultKind.CAPACITY


def test_a_weak_machine_makes_it_invalid():
    probe = judged(replace(seen(), health=Health(late_s=0.2)))
    assert probe.total.kind is ResultKind.INVALID
    assert (probe.limited_by, probe.weakness) == ("probe", "late")
    server = judged(replace(seen(), stat=Stat(cpu_busy_ratio=0.99)))
    assert server.total.kind is ResultKind.INVALID
    assert (server.limited_by, server.weakness) == ("server", "busy")


def test_a_varying_line_gives_a_range():
    found = judged(seen(seconds=3.2, is_varying=True))
    assert found.total.kind is ResultKind.RANGE
    assert judged(seen(seconds=1.0, is_varying=True)).total.kind is (
        ResultKind.NO_VERDICT
    )


def test_a_line_that_was_full_and_never_agreed_varies_by_itself():
    run = seen(seconds=4.0, why=Why.TIME)
    octets, readings = 0.0, []
    for i in range(200):
        octets += 250_000 * (0.5 if i // 13 % 2 else 1.5)
        readings.append(Reading(START_S + i * 0.02, 0.0002, round(octets), 0))
    found = judged(replace(run, readings=readings))
    assert found.total.kind is ResultKind.RANGE
    assert found.total.low_bps <= RATE <= found.total.high_bps


def test_rare_counters_are_read_from_edge_to_edge():
    run = seen(seconds=2.6, by_edges=True)
    rare = [
        replace(r, in_octets=round(RATE / 8 * (0.3 + int(r.at_s - START_S - 0.3))))
        for r in run.readings or []
        if r.at_s - START_S >= 0.3
    ]
    found = judged(replace(run, readings=rare, refresh=Refresh(1.0, START_S)))
    assert found.total.kind is ResultKind.CAPACITY
    assert found.total.low_bps <= RATE <= found.total.high_bps
    assert found.refresh_s == 1.0
    run.course.is_varying = True
    swings = judged(replace(run, readings=rare, refresh=Refresh(1.0, START_S)))
    assert swings.total.kind is ResultKind.AT_LEAST
    run.course.is_varying = False
    # One edge is no stretch: our own octets are all there is.
    early = [r for r in rare if r.at_s < START_S + 1.5]
    alone = judged(replace(run, readings=early, refresh=Refresh(1.0, START_S)))
    assert alone.basis == "wire"
    assert alone.total.kind is ResultKind.AT_LEAST


def test_a_reading_whose_time_is_not_known_is_left_out():
    run = seen()
    readings = list(run.readings or [])
    readings[10] = replace(readings[10], in_octets=readings[12].in_octets, error_s=0.02)
    found = judged(replace(run, readings=readings))
    assert found.total.rate_bps == pytest.approx(RATE, rel=0.001)
    assert found.total.high_bps == pytest.approx(RATE, rel=0.01)
