"""One test of the uplink from beginning to end: counters, load, and what is kept of it.

Blocking, for a thread of its own. What the network does becomes a record with a
reason; only mistakes of the program are raised.
"""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from netmon.assignment_wire import LineAssignment
from netmon.lease_wire import Purpose
from netmon.model import FailureReason, Technology
from probes import capacity, floor
from probes.base import Emit, MeasureAddress, ProbeResult, failed
from probes.capacity import CapacityOptions, CapacityResult, CapacityTest
from probes.counters import Reading
from probes.estimate import FRAME_BYTES, PAYLOAD_BYTES
from probes.failures import ProbeFailedError, classify
from probes.floor import FloorTest
from probes.line_use import LEARN_S, LineUse
from probes.measure_protocol import Congestion, Direction
from probes.plan import BUSY_RATIO
from probes.uplink_records import floor_result, full_result
from probes.wan import WanPorts
from probes.wirelevel import OwnSource, SocketOctets

# A full line carries no more with our test than without; counters are read this exactly.
_GROWTH = 1.05
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
    def contract_bps(self) -> int:
        """What the contract says of the direction."""
        line = self.line
        down = self.direction == "down"
        return line.contracted_down_bps if down else line.contracted_up_bps

    @property
    def threshold_l2_bps(self) -> float:
        """What the direction must reach, L2 without FCS."""
        return self.threshold_bps * FRAME_BYTES / PAYLOAD_BYTES

    @property
    def floor_cap_bps(self) -> int:
        """The most that a floor test puts on the line, L2 with a margin."""
        return math.ceil(floor.OVER * self.threshold_l2_bps * _CAP_MARGIN)

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


class Ran(Struct, frozen=True, kw_only=True):
    """A test that is over: its result, and what tells which line carried it.

    ``before`` are the WAN counters before it, empty where there is nothing to tell;
    ``wire_bytes`` is what it moved.
    """

    result: ProbeResult
    before: dict[str, Reading] = {}
    wire_bytes: float = 0.0
    wait_s: float = 0.0


def run_test(
    job: Job, server: MeasureAddress, bench: Bench, use: LineUse, emit: Emit
) -> Ran:
    """Run one test; what the network does becomes a result with a reason."""
    try:
        return _measured(job, server, bench, use, emit)
    except (OSError, EOFError, ValueError, ProbeFailedError) as error:
        reason, text = classify(error)
        result = failed(reason, f"{job.direction}: {text}")
        return Ran(result=replace(result, tags=job.tags))


def attribute(ran: Ran, job: Job, bench: Bench, emit: Emit) -> ProbeResult:
    """Return the result under the line that carried it; waits for a rare refresh.

    A test that another line carried has that line's tag, and as a further result the
    failure of the line that was to be measured.
    """
    if not ran.before:
        return ran.result
    carried = bench.wan.carrier(ran.before, job.direction, ran.wire_bytes, ran.wait_s)
    if carried is None or carried == job.line.id:
        return ran.result
    emit("other_line", {"line": carried})
    missed = failed(FailureReason.OTHER_LINE, f"the test went over {carried}")
    return replace(
        ran.result,
        tags=ran.result.tags | {"line": carried},
        more=(replace(missed, tags=job.tags, at_ms=ran.result.at_ms),),
    )


def _measured(
    job: Job, server: MeasureAddress, bench: Bench, use: LineUse, emit: Emit
) -> Ran:
    before = bench.wan.read() if len(bench.wan.lines) > 1 else {}
    measure = _floor if job.kind == "floor" else _full
    base_s = _base_rtt_s(job, use)
    result, run = measure(job, server, bench, use, base_s, emit)
    moved = run.wire_bytes
    if base_s is not None and _grew(run, use):
        # The line was not full before: the remembered round trip is no longer true.
        emit("base_untrue", {"rtt_s": base_s})
        result, run = measure(job, server, bench, use, None, emit)
        moved += run.wire_bytes
    tags = job.tags | {"basis": run.basis, "congestion": run.congestion}
    refresh = use.refresh
    return Ran(
        result=replace(result, tags=tags, moved_bytes=moved),
        before=before,
        wire_bytes=run.wire_bytes,
        wait_s=(refresh.period_s if refresh else LEARN_S) + _COUNTER_SLACK_S,
    )


def _base_rtt_s(job: Job, use: LineUse) -> float | None:
    """Return the line's empty round trip where the test's own echoes can't show it.

    That is on a line that others fill already; else the test measures it itself.
    """
    cross_bps = use.cross_bps
    if job.base_rtt_s is None or cross_bps is None or not use.is_steady:
        return None
    return job.base_rtt_s if cross_bps >= BUSY_RATIO * job.contract_bps else None


def _grew(run: CapacityResult, use: LineUse) -> bool:
    """Say whether the line carried more with our test than without.

    A full line doesn't: what we get, others lose. One that does was not full, however
    long its packets took.
    """
    if run.basis != "router" or use.cross_bps is None or not run.saturated:
        return False
    return run.total.low_bps > _GROWTH * use.cross_bps


def _full(
    job: Job,
    server: MeasureAddress,
    bench: Bench,
    use: LineUse,
    base_rtt_s: float | None,
    emit: Emit,
) -> tuple[ProbeResult, CapacityResult]:
    test = CapacityTest(
        server,
        line=job.line.id,
        interface=bench.interface,
        counters=bench.wan.source(job.line.id),
        refresh=use.refresh,
        options=_options(job, base_rtt_s),
        own=bench.own,
        emit=emit,
    )
    run = test.run(job.direction)
    return full_result(run, job.threshold_bps), run


def _floor(
    job: Job,
    server: MeasureAddress,
    bench: Bench,
    use: LineUse,
    base_rtt_s: float | None,
    emit: Emit,
) -> tuple[ProbeResult, CapacityResult]:
    test = FloorTest(
        server,
        line=job.line.id,
        interface=bench.interface,
        threshold_bps=job.threshold_l2_bps,
        cross_bps=use.cross_bps or 0.0,
        counters=bench.wan.source(job.line.id),
        refresh=use.refresh,
        options=_options(job, base_rtt_s),
        own=bench.own,
        emit=emit,
    )
    answer = test.ask(job.direction)
    return floor_result(answer, job.threshold_bps), answer.run


def _options(job: Job, base_rtt_s: float | None) -> CapacityOptions:
    return CapacityOptions(
        congestion=_congestion(job),
        base_rtt_s=base_rtt_s,
        # Twice what a test of the usual length moves on a line that keeps its contract.
        max_bytes=round(job.contract_bps),
        pacing_bps=job.cap_bps if job.cap_bps < job.contract_bps else 0.0,
        varying=job.varies,
    )


def _congestion(job: Job) -> Congestion:
    """Beside lessons CUBIC, which gives way; else BBR, which fills a line soonest."""
    return "cubic" if job.in_lessons or job.kind == "floor" else "bbr"


def varies(technology: Technology) -> bool:
    """Say whether a line's rate changes by itself, as radio does in rain."""
    return technology is Technology.RADIO
