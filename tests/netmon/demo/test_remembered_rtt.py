"""A round trip remembered from better days must not make a healthy line look full."""

from __future__ import annotations

import asyncio

import pytest

from netmon.assignment_wire import LineAssignment
from netmon.config import Secret
from netmon.demo.line_traffic import Traffic
from netmon.demo.played_line import LineShape, PlayedLine
from netmon.demo.wan_agent import WanAgent
from netmon.lease_wire import Purpose
from netmon.model import FailureReason, LineRole, Technology
from probes.base import MeasureAddress, say_nothing
from probes.line_use import line_use
from probes.measure_server import MeasureServer
from probes.snmp_counters import SnmpCounters
from probes.uplink_records import is_below
from probes.uplink_run import Bench, Job, run_test
from probes.wan import WanPorts

RATE_BPS = 114.6e6
LINE = LineAssignment(
    id="l1",
    role=LineRole.MAIN,
    technology=Technology.VDSL,
    contracted_down_bps=120_000_000,
    contracted_up_bps=40_000_000,
    threshold_down_bps=100e6,
    clear_down_bps=105e6,
    threshold_up_bps=36e6,
)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("base_rtt_s", [0.003, 0.010])
@pytest.mark.parametrize("traffic", [Traffic.BURSTY, Traffic.STEADY, Traffic.FULL])
async def test_a_base_that_is_no_longer_true_raises_nothing(base_rtt_s, traffic):
    shape = LineShape(
        id="l1",
        down_bps=RATE_BPS,
        up_bps=RATE_BPS / 3,
        base_rtt_s=0.020,
        queue_s=0.03,
        traffic=traffic,
    )
    line = PlayedLine(shape)
    server = MeasureServer(Secret("t"), lines={"l1": line}, echo_line=lambda *_: line)
    await server.start("127.0.0.1", 0)
    router = WanAgent({1: line.counters}, Secret("c"))
    await router.start()
    job = Job(
        kind="full",
        direction="down",
        purpose=Purpose.CONFIRMATION,
        line=LINE,
        in_lessons=True,
        base_rtt_s=base_rtt_s,
    )

    def measure():
        counters = SnmpCounters("127.0.0.1", Secret("c"), 1, port=router.port)
        bench = Bench(interface="lo", wan=WanPorts({"l1": counters}))
        address = MeasureAddress("127.0.0.1", server.port, Secret("t"))
        use = line_use(counters, "down", address, say_nothing)
        return use, run_test(job, address, bench, use, say_nothing).result

    async with server:
        try:
            for _ in range(4):
                use, found = await asyncio.to_thread(measure)
                if found.failure is not FailureReason.PROBE_LIMITED:
                    break
        finally:
            router.stop()
    assert use.cross_bps is not None
    assert not is_below(found, "down", LINE.threshold_down_bps)
