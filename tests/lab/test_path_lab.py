"""A segment is broken in a lab of namespaces, and named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from netmon.demo.lab.topology import (
    ROUTER_LAN_IP,
    SERVER_IP,
    Lab,
    LineShape,
    run,
    why_not,
)
from netmon.path import Fault, Segment

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.alone]

PORT = 5201
NOBODY = "10.91.1.9"

SERVE = f"""
import asyncio
from netmon.config import Secret
from probes.measure_server import MeasureServer
async def main():
    server = MeasureServer(Secret("t"))
    await server.start("{SERVER_IP}", {PORT})
    async with server:
        print("up", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""

ASK = f"""
import asyncio, json, sys
from netmon.clock import SystemClock
from netmon.config import Secret
from netmon.path import Segment, guilty
from probes.base import MeasureAddress, ProbeContext
from probes.path import PathProbe, PathSettings, reading_of
async def main():
    context = ProbeContext(
        building="b", line="l", probe="p", clock=SystemClock(),
        server=MeasureAddress("{SERVER_IP}", {PORT}, Secret("t")))
    settings = PathSettings(anchors=(sys.argv[1] + ":{PORT}",), spacing_s=0.02)
    result = await PathProbe(settings).run(context)
    found = {{each.tags["segment"]: each for each in result.all}}
    verdict = guilty([reading_of(Segment(n), r) for n, r in found.items()], {{}})
    print(json.dumps({{
        "values": {{name: each.values for name, each in found.items()}},
        "failures": {{name: each.failure for name, each in found.items()}},
        "details": {{name: each.detail for name, each in found.items()}},
        "guilty": verdict and [verdict.segment, verdict.reason, verdict.last_good]}}))
asyncio.run(main())
"""


@pytest.fixture
def lab():
    """A fresh one for each test: a mended link is not at once as good as new."""
    reason = why_not()
    if reason is None and shutil.which("ethtool") is None:
        reason = "the program ethtool is missing (apt-get install ethtool)"
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing in CI: {reason}")
        pytest.skip(reason)
    with Lab(LineShape(100e6, 100e6)) as built:
        server = built.start(
            "srv", [sys.executable, "-c", SERVE], stdout=subprocess.PIPE
        )
        try:
            assert server.stdout.readline() == b"up\n"
            # The tests ask more often than a probe does.
            for router in ("rtr", "isp"):
                limit_icmp(built, router, 0)
            yield built
        finally:
            server.kill()
            server.wait()
            server.stdout.close()


def ask(lab, anchor=SERVER_IP):
    said = run(*lab.command("probe", sys.executable, "-c", ASK, anchor))
    return json.loads(said)


def limit_icmp(lab, host, ms):
    """Set the pause between two of a router's ICMP answers; 0: none."""
    # Bit 11 of the mask: "time exceeded" is limited (icmp(7)).
    settings = (f"net.ipv4.icmp_ratelimit={ms}", f"net.ipv4.icmp_ratemask={1 << 11}")
    run(*lab.command(host, "sysctl", "-qw", *settings))


def test_a_healthy_way_has_numbers_that_grow_with_the_distance(lab):
    found = ask(lab)
    values = found["values"]
    assert found["guilty"] is None
    assert set(found["failures"].values()) == {None}
    assert values["port"] == {"loss_ratio": 0}
    # The lab's delay of 10 ms lies between provider and server.
    for near in ("gateway", "provider"):
        assert values[near]["rtt_min_s"] < 0.010
    for far in ("data_centre", "internet"):
        assert values[far]["rtt_min_s"] >= 0.010


def test_a_dead_anchor_is_the_internet(lab):
    assert ask(lab, NOBODY)["guilty"] == [
        Segment.INTERNET,
        Fault.SILENT,
        Segment.DATA_CENTRE,
    ]


@pytest.mark.parametrize(
    ("host", "device", "guilty", "last_good"),
    [
        ("isp", "srv0", Segment.DATA_CENTRE, Segment.PROVIDER),
        ("isp", "line", Segment.PROVIDER, Segment.GATEWAY),
        ("rtr", "lan0", Segment.PORT, None),
    ],
)
def test_the_first_link_that_is_cut_is_named(lab, host, device, guilty, last_good):
    run(*lab.command(host, "ip", "link", "set", device, "down"))
    found = ask(lab)
    assert found["guilty"] == [guilty, Fault.SILENT, last_good]
    for segment in list(Segment)[list(Segment).index(guilty) :]:
        assert found["values"][segment] == {}
        assert found["failures"][segment] is not None


def test_a_router_that_hangs_is_the_gateway(lab):
    """Its cable is fine and nobody is behind it any more."""
    entry = (ROUTER_LAN_IP, "dev", "eth0")
    nobody = ("lladdr", "02:00:00:00:00:01", "nud", "permanent")
    run(*lab.command("probe", "ip", "neigh", "replace", *entry, *nobody))
    found = ask(lab)
    assert found["guilty"] == [Segment.GATEWAY, Fault.SILENT, Segment.PORT]


def test_a_router_that_forwards_but_never_answers_is_not_blamed(lab):
    """The provider's router spends one ICMP answer an hour, and this is not it."""
    limit_icmp(lab, "isp", 3_600_000)
    while ask(lab)["failures"]["provider"] is None:
        pass  # spends what it has saved up
    found = ask(lab)
    assert found["failures"]["provider"] == "no_reply"
    assert found["guilty"] is None


LOAD = f"""
import sys, time
from netmon.config import Secret
from probes.base import MeasureAddress
from probes.load import Streams
from probes.measure_protocol import Request
server = MeasureAddress("{SERVER_IP}", {PORT}, Secret("t"))
asked = Request(
    op=sys.argv[1], token="t", line="l", seconds=20.0, bytes=50_000_000, silent=True)
streams = Streams(server, asked)
streams.open(1)
streams.release()
print("up", flush=True)
while not streams.broken:
    for sock in streams.sockets:
        streams.move(sock.fileno())
    time.sleep(0.001)
"""

PING = f"""
import asyncio, json
from netmon.clock import SystemClock
from netmon.config import Secret
from probes.base import MeasureAddress, ProbeContext
from probes.latency import LatencyProbe
context = ProbeContext(
    building="b", line="l", probe="p", clock=SystemClock(),
    server=MeasureAddress("{SERVER_IP}", {PORT}, Secret("t")))
print(json.dumps(asyncio.run(LatencyProbe().run(context)).values))
"""


@pytest.mark.parametrize(("loaded", "other"), [("down", "up"), ("up", "down")])
def test_packets_wait_in_the_direction_that_is_loaded(lab, loaded, other):
    lab.shape(LineShape(10e6, 10e6))
    load = lab.start(
        "room", [sys.executable, "-c", LOAD, loaded], stdout=subprocess.PIPE
    )
    try:
        assert load.stdout.readline() == b"up\n"
        for _ in range(4):  # a busy machine may hold up single runs
            said = run(*lab.command("probe", sys.executable, "-c", PING))
            values = json.loads(said)
            waits = {way: values[f"spread_{way}_s"] for way in (loaded, other)}
            if waits[loaded] > 0.004 > waits[other]:
                break
    finally:
        load.kill()
        load.wait()
        load.stdout.close()
    assert waits[loaded] > 0.004 > waits[other]
