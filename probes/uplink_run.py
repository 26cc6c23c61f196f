"""One test of the uplink from beginning to end: counters, load, and what is kept of it.

Blocking, for a thread of its own. What the network does becomes a record with a
reason; only mistakes of the program are raised.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from netmon.assignment_wire import LineAssignment
from netmon.lease_wire import Purpose
from netmon.model import FailureReason, Technology
from probes import capacity, floor
from probes.base import Emit, MeasureAddress, ProbeResult, failed
from probes.capacity import CapacityOptions, CapacityResult, CapacityTest
from probes.counters import CounterSource, Reading, Refresh, learn_refresh
from probes.estimate import FRAME_BYTES, PAYLOAD_BYTES
from probes.failures import ProbeFailedError, classify
from probes.floor import FloorTest
from probes.measure_protocol import Congestion, Direction
from probes.pinger import Pinger
from probes.uplink_records import floor_result, full_result
from probes.wan import WanPorts
from probes.wirelevel import OwnSource, SocketOctets

# Three refreshes of a slow router, with a margin.
LEARN_S = 18.0
CROSS_WINDOW_S = 0.5
_COUNTER_SLACK_S = 1.0
LOOPBACK = "lo"
_CAP_MARGIN = 1.05


Kind = Literal["full", "floor"]


class Job(Struct, frozen=True, kw_only=True):
    """What to test, and how politely.

    ``varies``: the line's rate changes by itself. ``base_rtt_s`` is the line's known empty round trip, None if not known yet.
    ``cap_bps`` is the most that the lease allows, L2; 0 for no bound.
    """

    kind: Kind
    direction: Direction
    purpose: Purpose
    line: LineAssignment
    in_lessons: bool
    varies: bool = False
    base_rtt_s: float | None = None
    cap_bps: float = 0.0
    campaign: str = ""

    @property
    def threshold_bps(self) -> float:
        """What the direction must reach, TCP payload."""
        down = self.direction == "down"
        return self.line.threshold_down_bps if down else self.line.threshold_up_bps

    @property
    def floor_cap_bps(self) -> int:
        """The most that a floor test puts on the line, L2 with a margin."""
        l2_bps = self.threshold_bps * FRAME_BYTES / PAYLOAD_BYTES
        return math.ceil(floor.OVER * l2_bps * _CAP_MARGIN)

    @property
    def tags(self) -> dict[str, str]:
        """The tags that a record of it has, whatever came of it."""
        tags = {
            "method": self.method,
            "direction": self.direction,
            "purpose": str(self.purpose),
        }
        if self.campaign:
            tags["campaign"] = self.campaign
        return tags

    @property
    def method(self) -> str:
        """The method's name and version."""
        return capacity.METHOD if self.kind == "full" else floor.METHOD


class Bench(Struct, frozen=True, kw_only=True):
    """What this probe measures with: its port, and the routers' counters."""

    interface: str
    wan: WanPorts

    @property
    def own(self) -> OwnSource | None:
        """What counts a test's own octets; None for the port's counter.

        Loopback carries everything of this machine: there only the test's sockets tell.
        """
        return SocketOctets if self.interface == LOOPBACK else None


def learn(job: Job, server: MeasureAddress, bench: Bench, emit: Emit) -> Refresh | None:
    """Return how the router refreshes its counters; None where nothing can be read.

    Takes three refreshes, so it is done before a slot is asked for.
    """
    counters = bench.wan.source(job.line.id)
    if counters is None:
        return None
    emit("counters_asked", {})
    pinger = Pinger(server)
    try:
        found = learn_refresh(
            counters, job.direction, limit_s=LEARN_S, poke=pinger.send
        )
    finally:
        pinger.close()
    if found is None:
        emit("counters_unreadable", {})
    return found


def run_test(
    job: Job,
    server: MeasureAddress,
    bench: Bench,
    refresh: Refresh | None,
    emit: Emit,
) -> ProbeResult:
    """Run one test; its tags say how it came about.

    ``refresh`` is what `learn` found, None for counters that can't be used. A test that another line carried has that line's tag, and as a further result the
    failure of the line that was to be measured.
    """
    tags = job.tags
    try:
        return _measured(job, server, bench, refresh, emit, tags)
    except (OSError, EOFError, ValueError, ProbeFailedError) as error:
        reason, text = classify(error)
        return replace(failed(reason, f"{job.direction}: {text}"), tags=tags)


def _measured(
    job: Job,
    server: MeasureAddress,
    bench: Bench,
    refresh: Refresh | None,
    emit: Emit,
    tags: dict[str, str],
) -> ProbeResult:
    before = bench.wan.read() if len(bench.wan.lines) > 1 else {}
    if job.kind == "floor":
        result, run = _floor(job, server, bench, refresh, emit)
    else:
        result, run = _full(job, server, bench, refresh, emit)
    tags |= {"basis": run.basis, "congestion": run.congestion}
    carried = _carrier(job, bench, before, run, refresh)
    if carried is None or carried == job.line.id:
        return replace(result, tags=tags)
    emit("other_line", {"line": carried})
    missed = failed(FailureReason.OTHER_LINE, f"the test went over {carried}")
    return replace(
        result,
        tags=tags | {"line": carried},
        more=(replace(missed, tags=tags),),
    )


def _full(
    job: Job,
    server: MeasureAddress,
    bench: Bench,
    refresh: Refresh | None,
    emit: Emit,
) -> tuple[ProbeResult, CapacityResult]:
    test = CapacityTest(
        server,
        line=job.line.id,
        interface=bench.interface,
        counters=bench.wan.source(job.line.id),
        refresh=refresh,
        options=_options(job),
        own=bench.own,
        emit=emit,
    )
    run = test.run(job.direction)
    return full_result(run, job.threshold_bps), run


def _floor(
    job: Job,
    server: MeasureAddress,
    bench: Bench,
    refresh: Refresh | None,
    emit: Emit,
) -> tuple[ProbeResult, CapacityResult]:
    counters = bench.wan.source(job.line.id)
    cross_bps = _cross_bps(counters, job.direction) if refresh is not None else 0.0
    test = FloorTest(
        server,
        line=job.line.id,
        interface=bench.interface,
        threshold_bps=job.threshold_bps * FRAME_BYTES / PAYLOAD_BYTES,
        cross_bps=cross_bps,
        counters=counters,
        refresh=refresh,
        options=_options(job),
        own=bench.own,
        emit=emit,
    )
    answer = test.ask(job.direction)
    return floor_result(answer, job.threshold_bps), answer.run


def _options(job: Job) -> CapacityOptions:
    down = job.direction == "down"
    contract_bps = job.line.contracted_down_bps if down else job.line.contracted_up_bps
    return CapacityOptions(
        congestion=_congestion(job),
        base_rtt_s=job.base_rtt_s,
        # Twice what a test of the usual length moves on a line that keeps its contract.
        max_bytes=round(contract_bps),
        pacing_bps=job.cap_bps if job.cap_bps < contract_bps else 0.0,
        varying=job.varies,
    )


def _congestion(job: Job) -> Congestion:
    """Beside lessons CUBIC, which gives way; else BBR, which fills a line soonest."""
    return "cubic" if job.in_lessons or job.kind == "floor" else "bbr"


def _cross_bps(counters: CounterSource | None, direction: Direction) -> float:
    """Return what others move now, read over half a second; 0 where unknown."""
    if counters is None:
        return 0.0
    first = counters.read()
    time.sleep(CROSS_WINDOW_S)
    last = counters.read()
    if first is None or last is None or last.at_s <= first.at_s:
        return 0.0
    octets = last.octets(direction) - first.octets(direction)
    return max(0.0, 8 * octets / (last.at_s - first.at_s))


def _carrier(
    job: Job,
    bench: Bench,
    before: Mapping[str, Reading],
    run: CapacityResult,
    refresh: Refresh | None,
) -> str | None:
    if not before:
        return None
    wait_s = (refresh.period_s if refresh else LEARN_S) + _COUNTER_SLACK_S
    return bench.wan.carrier(before, job.direction, run.wire_bytes, wait_s)


def varies(technology: Technology) -> bool:
    """Say whether a line's rate changes by itself, as radio does in rain."""
    return technology is Technology.RADIO
