"""A lab with its server, its router's agent and other traffic: what a test runs in."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any, Literal

from netmon.demo.lab.topology import (
    NET_IP,
    ROOM_IP,
    SERVER_IP,
    WAN,
    Lab,
    LabError,
    LineShape,
    run,
)

Traffic = Literal["udp", "tcp", "greedy", "bursts"]
# How far apart bursts begin; in between there is nothing.
_BURST_S = 0.050
_UDP_BYTES = 1400
_PAYLOAD = 1448 / 1514
_IPERF_S = 600
_PORTS = {"down": 5301, "up": 5302}


@dataclass(frozen=True, slots=True)
class Cross:
    """Other traffic on the line: a share of its rate, or greedy flows (share 1).

    ``bursts`` are UDP packets sent back to back twenty times a second.
    """

    kind: Traffic
    share: float
    flows: int = 1


class Scene:
    """A running lab; made by `scene`."""

    def __init__(self, lab: Lab, port: int) -> None:
        self.lab = lab
        self.port = port

    def measure(self, *, core: int | None = None, **job: Any) -> list[dict[str, Any]]:
        """Run tests on the probe, on one core if asked.

        Raises:
            LabError: that failed, with its words.
        """
        text = json.dumps({"port": self.port, **job})
        command = [sys.executable, "-m", "netmon.demo.lab.measure", text]
        if core is not None:
            command = ["taskset", "-c", str(core), *command]
        done = subprocess.run(
            self.lab.command("probe", *command),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LabError(done.stderr[-2000:])
        return [json.loads(line) for line in done.stdout.splitlines()]

    def carried_bps(self, seconds: float = 1.0) -> float:
        """Return what the line carries down just now, by the router's own counter."""
        command = ["cat", f"/sys/class/net/{WAN}/statistics/rx_bytes"]
        octets = []
        for wait_s in (seconds, 0.0):
            done = run(*self.lab.command("rtr", *command))
            octets.append((int(done), time.monotonic()))
            time.sleep(wait_s)
        (first, began_s), (last, ended_s) = octets
        return 8 * (last - first) / (ended_s - began_s)

    def iperf3(self, direction: str, seconds: float) -> tuple[float, float]:
        """Return L2 bit/s and bytes of an iperf3 TCP run from the probe."""
        with _iperf_server(self.lab, "srv", 5201):
            reverse = ["-R"] if direction == "down" else []
            command = ["iperf3", "-c", SERVER_IP, "-J", "-t", str(seconds), *reverse]
            done = subprocess.run(
                self.lab.command("probe", *command),
                capture_output=True,
                text=True,
                check=True,
            )
        received = json.loads(done.stdout)["end"]["sum_received"]
        return received["bits_per_second"] / _PAYLOAD, received["bytes"] / _PAYLOAD


@contextmanager
def starving(core: int) -> Iterator[None]:
    """Leave others on a core a thirtieth of it (fifteen steps of nice)."""
    spin = ["taskset", "-c", str(core), "nice", "-n", "-15"]
    spin += [sys.executable, "-c", "while True: pass"]
    process = subprocess.Popen(spin)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def scene(
    shape: LineShape, *, refresh_s: float = 0.0, cross: Cross | None = None
) -> Iterator[Scene]:
    """Give a lab in which everything runs; all of it is stopped again."""
    with ExitStack() as stack:
        lab = stack.enter_context(Lab(shape))
        agent = ["-m", "netmon.demo.lab.router_agent", WAN, str(refresh_s)]
        _ready(stack, lab, "rtr", agent)
        port = json.loads(_ready(stack, lab, "srv", ["-m", "netmon.demo.lab.server"]))
        if cross is not None:
            _traffic(stack, lab, cross, shape)
        yield Scene(lab, int(port["port"]))


def _ready(stack: ExitStack, lab: Lab, host: str, arguments: list[str]) -> bytes:
    """Start a Python program on a host; return its first line."""
    process = lab.start(host, [sys.executable, *arguments], stdout=subprocess.PIPE)
    stack.callback(_end, process)
    line = _stdout(process).readline()
    if not line:
        raise LabError(f"{' '.join(arguments)} did not start")
    return line


def _stdout(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdout is None:
        raise LabError("no output to read")
    return process.stdout


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def _iperf_server(lab: Lab, host: str, port: int) -> Iterator[None]:
    """Run ``iperf3 -s``; given once it says that it listens."""
    process = lab.start(
        host,
        ["iperf3", "-s", "-p", str(port), "--forceflush"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        for line in _stdout(process):
            if b"listening" in line:
                break
        yield
    finally:
        _end(process)


def _traffic(stack: ExitStack, lab: Lab, cross: Cross, shape: LineShape) -> None:
    for direction, rate_bps in (("down", shape.down_bps), ("up", shape.up_bps)):
        sender, receiver, address = (
            ("net", "room", ROOM_IP) if direction == "down" else ("room", "net", NET_IP)
        )
        port = _PORTS[direction]
        stack.enter_context(_iperf_server(lab, receiver, port))
        command = ["iperf3", "-c", address, "-p", str(port), "-t", str(_IPERF_S)]
        command += ["-P", str(cross.flows), "--forceflush"]
        each_bps = int(rate_bps * cross.share * _PAYLOAD / cross.flows)
        if cross.kind == "udp":
            command += ["-u", "-l", str(_UDP_BYTES), "-b", str(each_bps)]
        elif cross.kind == "bursts":
            packets = max(1, int(each_bps * _BURST_S / 8 / _UDP_BYTES))
            command += ["-u", "-l", str(_UDP_BYTES), "-b", f"{each_bps}/{packets}"]
        elif cross.kind == "tcp":
            command += ["-b", str(each_bps)]
        process = lab.start(
            sender, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        stack.callback(_end, process)
        for line in _stdout(process):
            if b"sec" in line and b"Bytes" in line:
                break  # the first second has been reported: it flows
