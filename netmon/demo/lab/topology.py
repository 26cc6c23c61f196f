"""Namespaces and links of the lab, built and removed with ``ip`` and ``tc``.

```
srv ==delay, down only==> isp --line, tbf both ways-- rtr --+-- probe
 ^------- up, no delay -----' '-- net                       +-- room
```

Other traffic runs between net and room: from a host of its own, because a sender that
has the line's queue on its own machine is held back by it instead of losing packets.

What is shaped is L2 without FCS (payload 1448 of 1514 bytes in a full frame), the
same bytes that the interface counters count. Offloads are off on the line, so that
real frames queue there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

SERVER_IP = "10.91.1.2"
PROVIDER_IP = "10.91.3.1"
ROUTER_WAN_IP = "10.91.3.2"
ROUTER_LAN_IP = "10.91.4.1"
PROBE_IP = "10.91.4.2"
ROOM_IP = "10.91.5.2"
NET_IP = "10.91.6.2"
WAN = "wan"
_FRAME = 1514


class LabError(RuntimeError):
    """The lab could not be built; the text says which command failed."""


def why_not() -> str | None:
    """Return why no lab can be built here; None where one can."""
    if sys.platform != "linux":
        return "namespaces need Linux"
    if os.geteuid() != 0:
        return "namespaces need root"
    for program in ("ip", "tc"):
        if shutil.which(program) is None:
            return f"the program {program} is missing (apt-get install iproute2)"
    if not Path("/dev/net/tun").exists():
        return "the delay needs /dev/net/tun"
    return None


@dataclass(frozen=True, slots=True)
class LineShape:
    """How the line behaves. Rates in bit/s at L2; ``queue_s`` is its buffer.

    ``burst_bytes`` None means one millisecond of the rate: no token bucket that a
    short test could mistake for capacity. ``limit_bytes`` is the queue's size (None:
    what fits ``queue_s``): one that changes under load stalls the kernel's tbf.
    """

    down_bps: float
    up_bps: float
    delay_s: float = 0.010
    queue_s: float = 0.040
    burst_bytes: int | None = None
    limit_bytes: int | None = None

    def burst_at(self, rate_bps: float) -> int:
        """Return the bucket's size at a rate."""
        return self.burst_bytes or max(2 * _FRAME, int(rate_bps / 8 * 0.001))

    def limit_at(self, rate_bps: float) -> int:
        """Return the queue's size at a rate, the bucket included."""
        queued = max(4 * _FRAME, int(rate_bps / 8 * self.queue_s))
        return self.limit_bytes or self.burst_at(rate_bps) + queued


def run(*command: str) -> str:
    """Run a command and return its output.

    Raises:
        LabError: it failed, with what it said.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Lab:
    """One lab; a context manager that removes all it made."""

    def __init__(self, shape: LineShape) -> None:
        self._tag = uuid.uuid4().hex[:6]
        self._shape = shape
        self._delay: subprocess.Popen[bytes] | None = None
        self._made: list[str] = []
        self._is_shaped = False

    def name(self, host: str) -> str:
        """Return the namespace of a host: srv, isp, net, rtr, probe or room."""
        return f"nm{self._tag}-{host}"

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def command(self, host: str, *command: str) -> list[str]:
        """Return the command as it runs on a host."""
        return ["ip", "netns", "exec", self.name(host), *command]

    def start(
        self, host: str, command: Sequence[str], **options: object
    ) -> subprocess.Popen[bytes]:
        """Start a program on a host; the caller stops it."""
        return subprocess.Popen(self.command(host, *command), **options)  # type: ignore[call-overload,no-any-return]

    def _on(self, host: str, *command: str) -> str:
        return run(*self.command(host, *command))

    def _build(self) -> None:
        for host in ("srv", "isp", "net", "rtr", "probe", "room"):
            run("ip", "netns", "add", self.name(host))
            self._made.append(self.name(host))
            self._on(host, "ip", "link", "set", "lo", "up")
        self._link("srv", "up0", f"{SERVER_IP}/24", "isp", "srv0", "10.91.1.1/24")
        self._link(
            "isp", "line", f"{PROVIDER_IP}/24", "rtr", WAN, f"{ROUTER_WAN_IP}/24"
        )
        self._link(
            "rtr", "lan0", f"{ROUTER_LAN_IP}/24", "probe", "eth0", f"{PROBE_IP}/24"
        )
        self._link("rtr", "lan1", "10.91.5.1/24", "room", "eth0", f"{ROOM_IP}/24")
        self._link("isp", "net0", "10.91.6.1/24", "net", "eth0", f"{NET_IP}/24")
        for host in ("isp", "rtr"):
            self._on(host, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self._on("isp", "ip", "route", "add", "10.91.4.0/22", "via", ROUTER_WAN_IP)
        self._on("rtr", "ip", "route", "add", "default", "via", PROVIDER_IP)
        self._on("probe", "ip", "route", "add", "default", "via", ROUTER_LAN_IP)
        self._on("room", "ip", "route", "add", "default", "via", "10.91.5.1")
        self._on("net", "ip", "route", "add", "default", "via", "10.91.6.1")
        self._on("srv", "ip", "route", "add", "10.91.0.0/16", "via", "10.91.1.1")
        for host, device in (("isp", "line"), ("rtr", WAN)):
            self._on(
                host, "ethtool", "-K", device, "tso", "off", "gso", "off", "gro", "off"
            )
        self.shape(self._shape)
        if self._shape.delay_s > 0:
            self._start_delay(self._shape.delay_s)

    def _link(
        self, a: str, a_name: str, a_ip: str, b: str, b_name: str, b_ip: str
    ) -> None:
        run(
            "ip",
            "link",
            "add",
            a_name,
            "netns",
            self.name(a),
            "type",
            "veth",
            "peer",
            "name",
            b_name,
            "netns",
            self.name(b),
        )
        for host, device, address in ((a, a_name, a_ip), (b, b_name, b_ip)):
            self._on(host, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")
            self._on(host, "sysctl", "-qw", f"net.ipv4.conf.{device}.rp_filter=0")
            self._on(host, "ip", "addr", "add", address, "dev", device)
            self._on(host, "ip", "link", "set", device, "up")

    def shape(self, shape: LineShape) -> None:
        """Set both directions of the line, also under load (the delay stays).

        A change keeps what is queued; a new qdisc would stop the port for a moment.
        """
        verb = "change" if self._is_shaped else "add"
        self._is_shaped = True
        for host, device, rate_bps in (
            ("isp", "line", shape.down_bps),
            ("rtr", WAN, shape.up_bps),
        ):
            self._on(
                host,
                "tc",
                "qdisc",
                verb,
                "dev",
                device,
                "root",
                "handle",
                "1:",
                "tbf",
                "rate",
                f"{int(rate_bps)}bit",
                "burst",
                str(shape.burst_at(rate_bps)),
                "limit",
                str(shape.limit_at(rate_bps)),
            )
        self._shape = shape

    def _start_delay(self, delay_s: float) -> None:
        self._delay = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "netmon.demo.lab.delay",
                self.name("srv"),
                self.name("isp"),
                str(delay_s),
            ],
            stdout=subprocess.PIPE,
        )
        stdout = self._delay.stdout
        if stdout is None or stdout.readline() != b"up\n":
            raise LabError("the delay did not start")
        self._on("srv", "ip", "link", "set", "delay", "up")
        self._on("isp", "ip", "link", "set", "delay", "up")
        self._on("isp", "sysctl", "-qw", "net.ipv4.conf.delay.rp_filter=0")
        self._on(
            "srv",
            "ip",
            "route",
            "replace",
            "10.91.4.0/24",
            "dev",
            "delay",
            "src",
            SERVER_IP,
        )

    def remove(self) -> None:
        """Remove everything; harmless to call twice."""
        if self._delay is not None:
            self._delay.kill()
            self._delay.wait()
            if self._delay.stdout is not None:
                self._delay.stdout.close()
            self._delay = None
        while self._made:
            run("ip", "netns", "del", self._made.pop())
