"""From what a capacity test saw to its result: what the number may be called; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from probes.counters import Reading, Refresh, edges, live
from probes.course import Course, Why
from probes.estimate import (
    VARYING_MIN_S,
    Estimate,
    ResultKind,
    Sample,
    as_kind,
    batch_rates,
    between_edges,
    estimate,
    estimate_varying,
    half_width,
    mean_rate_bps,
    trimmed_mean,
    window_s,
)
from probes.limits import LimitedBy, holding_end, retransmitted_ratio, spoilt_by
from probes.machine import Health
from probes.measure_protocol import Direction, Side, Stat
from probes.pinger import EchoTime
from probes.spans import full_runs

Basis = Literal["router", "wire", "tcp"]
# A reading is always good enough if its time is known so well.
EXACT_S = 0.0005
# Waiting so long is a queue, whatever an end says of its buffers.
STRONG_WAIT_S = 0.005
# A line full for so much of a long window, yet without convergence, varies by itself.
VARYING_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class CapacityResult:
    """What a direction showed. All rates are bit/s at L2 without FCS.

    ``goodput_bps`` is our own share on the wire, ``cross_bps`` that of others (None
    without counters), ``basis`` where the octets were counted. ``limited_by`` names
    the end that bounded the test, ``weakness`` what spoilt it there. ``rpm`` is round
    trips per minute under load, ``refresh_s`` the counters' period (0: live; None: not
    used), ``window_s`` for how long the line was full and counted.
    """

    direction: Direction
    method: str
    basis: Basis
    total: Estimate
    goodput_bps: float
    cross_bps: float | None
    rtt_idle_s: float | None
    rtt_loaded_s: float | None
    rpm: float | None
    retransmitted_ratio: float | None
    saturated: bool
    streams: int
    congestion: str
    load_s: float
    window_s: float
    wire_bytes: float
    refresh_s: float | None
    late_s: float
    cpu_busy_ratio: float
    cpu_steal_ratio: float
    why: Why
    limited_by: LimitedBy = ""
    weakness: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen. ``own`` begins at 0 octets; ``side`` is the sender's view."""

    direction: Direction
    method: str
    congestion: str
    course: Course
    own: list[Sample]
    own_basis: Literal["wire", "tcp"]
    readings: list[Reading] | None
    refresh: Refresh | None
    idle_rtts_s: list[float]
    echoes: list[EchoTime]
    side: Side | None
    stat: Stat | None
    health: Health
    streams: int
    load_s: float


def counted(
    readings: Sequence[Reading], direction: Direction, course: Course
) -> list[Sample]:
    """Return the router's samples since the test began.

    Of live counters those whose time is known well: an answer that took much longer
    than the others says little about when.
    """
    since = [r for r in readings if r.at_s >= course.started_s - 0.1]
    if course.by_edges:
        return edges(since, direction)
    usual_s = median(r.error_s for r in since) if since else 0.0
    return live([r for r in since if r.error_s <= max(EXACT_S, 2 * usual_s)], direction)


def judged(seen: Seen) -> CapacityResult:
    """Return the result."""
    course = seen.course
    counts = seen.own
    if seen.readings is not None:
        counts = counted(seen.readings, seen.direction, course)
    runs = full_runs(counts, course.spans)
    has_edges = course.by_edges and len(_inside(counts, course)) >= 2
    by_router = seen.readings is not None and (has_edges or not course.by_edges)
    if course.by_edges and not has_edges:
        runs = full_runs(seen.own, course.spans)
        counts = seen.own
    total = _by_edges(seen, counts) if has_edges else _estimated(seen, counts, runs)
    limited_by, weakness = spoilt_by(seen.health, seen.stat)
    is_full = total.kind in {ResultKind.CAPACITY, ResultKind.RANGE}
    if not weakness and not _is_strongly_full(seen):
        limited_by = holding_end(seen.side, seen.direction) if seen.side else ""
        if limited_by and is_full:
            total = as_kind(total, ResultKind.AT_LEAST)
    if not by_router and total.kind in {ResultKind.CAPACITY, ResultKind.RANGE}:
        # Whether others used the line as well is not known: a lower bound.
        total = as_kind(total, ResultKind.AT_LEAST)
    if weakness:
        total = as_kind(total, ResultKind.INVALID)
    goodput_bps, cross_bps = _shares(seen, counts if by_router else None)
    loaded_s = trimmed_mean(_loaded_rtts(seen))
    return CapacityResult(
        direction=seen.direction,
        method=seen.method,
        basis="router" if by_router else seen.own_basis,
        total=total,
        goodput_bps=goodput_bps,
        cross_bps=cross_bps,
        rtt_idle_s=median(seen.idle_rtts_s) if seen.idle_rtts_s else None,
        rtt_loaded_s=loaded_s,
        rpm=60 / loaded_s if loaded_s else None,
        retransmitted_ratio=retransmitted_ratio(seen.side) if seen.side else None,
        saturated=is_full,
        streams=seen.streams,
        congestion=seen.congestion,
        load_s=seen.load_s,
        window_s=total.window_s,
        wire_bytes=seen.own[-1].octets if seen.own else 0.0,
        refresh_s=seen.refresh.period_s if by_router and seen.refresh else None,
        late_s=seen.health.late_s,
        cpu_busy_ratio=seen.health.busy_ratio,
        cpu_steal_ratio=seen.health.steal_ratio,
        why=course.why,
        limited_by=limited_by,
        weakness=weakness,
    )


def _estimated(seen: Seen, counts: list[Sample], runs: list[list[Sample]]) -> Estimate:
    course = seen.course
    if course.is_varying:
        return estimate_varying(runs)
    if course.why in {Why.LOSSES, Why.NOT_FULL} and course.ramp_over_s is not None:
        after_s = course.ramp_over_s
        found = estimate([[s for s in counts if s.at_s >= after_s]])
        if course.why is Why.NOT_FULL:
            found = as_kind(found, ResultKind.AT_LEAST)
        return found
    found = estimate(runs)
    if found.kind is ResultKind.NO_VERDICT and counts:
        lasted_s = counts[-1].at_s - course.started_s
        if window_s(runs) >= max(VARYING_MIN_S, VARYING_SHARE * lasted_s):
            return estimate_varying(runs)
    if not runs and course.ramp_over_s is not None:
        # It was never full: at least this much was carried.
        whole = estimate([[s for s in counts if s.at_s >= course.ramp_over_s]])
        return as_kind(whole, ResultKind.AT_LEAST) if whole.batches else whole
    return found


def _inside(counts: Sequence[Sample], course: Course) -> list[Sample]:
    """Return the refreshes since the line was full."""
    if course.full_s is None:
        return []
    return [sample for sample in counts if sample.at_s >= course.full_s]


def _by_edges(seen: Seen, counts: list[Sample]) -> Estimate:
    inside = _inside(counts, seen.course)
    first_s, last_s = inside[0].at_s, inside[-1].at_s
    own = [s for s in seen.own if first_s <= s.at_s <= last_s]
    rate_bps = mean_rate_bps([own])
    scatter = half_width(batch_rates([own])) if rate_bps else 0.0
    all_bps = mean_rate_bps([inside])
    # What our own octets scatter by, seen against all there are.
    ratio = min(0.02, scatter / all_bps) if all_bps else 0.0
    found = between_edges(inside, seen.course.spans.share(first_s, last_s), ratio)
    # How it swings between two refreshes nobody sees: what was carried, was carried.
    return as_kind(found, ResultKind.AT_LEAST) if seen.course.is_varying else found


def _loaded_rtts(seen: Seen) -> list[float]:
    since = seen.course.full_s or seen.course.ramp_over_s
    if since is None:
        return []
    return [echo.rtt_s for echo in seen.echoes if echo.back_s >= since]


def _is_strongly_full(seen: Seen) -> bool:
    since = seen.course.full_s
    if since is None:
        return False
    waits = [e.wait_s(seen.direction) for e in seen.echoes if e.back_s >= since]
    return bool(waits) and median(waits) >= STRONG_WAIT_S


def _shares(seen: Seen, counts: list[Sample] | None) -> tuple[float, float | None]:
    """Return our own rate and that of others over the same time."""
    course = seen.course
    from_s = course.full_s or course.ramp_over_s or course.started_s
    own = [s for s in seen.own if s.at_s >= from_s]
    goodput_bps = mean_rate_bps([own])
    if counts is None:
        return goodput_bps, None
    inside = [s for s in counts if s.at_s >= from_s]
    all_bps = mean_rate_bps([inside])
    return goodput_bps, max(0.0, all_bps - goodput_bps)
