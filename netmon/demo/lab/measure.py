"""Runs tests inside the lab's probe: ``python -m netmon.demo.lab.measure JSON``.

The job names the server's port, how the router refreshes its counters (None: they
can't be read), and which tests to run; each result is one JSON line.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from netmon.config import Secret
from netmon.demo.lab.server import TOKEN
from netmon.demo.lab.topology import ROUTER_LAN_IP, SERVER_IP
from probes.base import MeasureAddress
from probes.capacity import CapacityOptions, CapacityTest
from probes.counters import CounterSource, Refresh, learn_refresh
from probes.failures import ProbeFailedError, classify
from probes.floor import FloorTest
from probes.load import Streams, pump
from probes.measure_protocol import Direction, Request
from probes.pinger import Pinger
from probes.snmp_counters import SnmpCounters

_LEARN_S = 25.0
_CROSS_WINDOW_S = 0.5


def _cross_bps(counters: CounterSource, direction: Direction) -> float:
    """Return what others move now, read over half a second."""
    first = counters.read()
    time.sleep(_CROSS_WINDOW_S)
    last = counters.read()
    if first is None or last is None or last.at_s <= first.at_s:
        return 0.0
    octets = last.octets(direction) - first.octets(direction)
    return 8 * octets / (last.at_s - first.at_s)


def run(job: dict[str, Any]) -> None:
    """Run a job's tests and print their results."""
    host = str(job.get("host", SERVER_IP))
    server = MeasureAddress(host, int(job["port"]), Secret(TOKEN))
    if "ceiling_s" in job:
        print(json.dumps({"ceiling_bps": _ceiling_bps(server, job["ceiling_s"])}))
        return
    counters = None
    pinger = Pinger(server)
    if job.get("counters", True):
        counters = SnmpCounters(ROUTER_LAN_IP, Secret("lab"), 1)
    for _ in range(int(job.get("runs", 1))):
        for direction in job.get("directions", ["down", "up"]):
            refresh = None
            if counters is not None:
                refresh = learn_refresh(
                    counters, direction, limit_s=_LEARN_S, poke=pinger.send
                )
            try:
                result = _one(job, direction, server, counters, refresh)
            except (OSError, EOFError, ValueError, ProbeFailedError) as error:
                result = {"failure": classify(error)[0], "direction": direction}
            peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            result["peak_mb"] = peak_kib / 1024
            print(json.dumps(result), flush=True)
            time.sleep(float(job.get("pause_s", 0.2)))
    pinger.close()


def _one(
    job: dict[str, Any],
    direction: Direction,
    server: MeasureAddress,
    counters: CounterSource | None,
    refresh: Refresh | None,
) -> dict[str, Any]:
    options = CapacityOptions(**job.get("options", {}))
    events: list[list[Any]] = []

    def emit(event: str, fields: Mapping[str, float | str]) -> None:
        if job.get("explain"):
            events.append([event, dict(fields)])

    if "threshold_bps" not in job:
        test = CapacityTest(
            server,
            line="lab",
            interface="eth0",
            counters=counters,
            refresh=refresh,
            options=options,
            emit=emit,
        )
        return {"capacity": asdict(test.run(direction)), "events": events}
    cross_bps = 0.0 if counters is None else _cross_bps(counters, direction)
    floor = FloorTest(
        server,
        line="lab",
        interface="eth0",
        threshold_bps=float(job["threshold_bps"]),
        cross_bps=cross_bps,
        counters=counters,
        refresh=refresh,
        emit=emit,
    )
    answer = asdict(floor.ask(direction))
    return {"floor": answer, "cross_bps": cross_bps, "events": events}


def _ceiling_bps(server: MeasureAddress, seconds: float) -> float:
    """Return what this machine moves to itself: no line in between."""
    pinger = Pinger(server)
    request = Request(
        op="down",
        token=server.token.reveal(),
        test="ceiling",
        seconds=seconds + 1,
        bytes=2**31,
        silent=True,
        held=True,
    )
    streams = Streams(server, request)
    try:
        streams.open(1)
        streams.release()
        end_s = time.monotonic() + seconds
        pump(streams, pinger, lambda _: None, lambda now_s: now_s < end_s)
        return 8 * streams.moved_bytes / seconds
    finally:
        streams.close()
        pinger.close()


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
