"""What the on-site tools are tried at: two namespaces and a cable, and who answers there.

Real peers: lldpd speaks LLDP and CDP, dnsmasq gives addresses, the kernel answers ARP
and ND. Made with scapy is what this kernel or one cable cannot have: tagged VLANs, a
rogue server beside dnsmasq, and the frames on a monitor interface.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from contextlib import contextmanager

import pytest

from netmon.demo.lab.topology import run

MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE)


class Site:
    """A laptop (``eth0``) and what its socket leads to (``port17``)."""

    def __init__(self) -> None:
        tag = uuid.uuid4().hex[:6]
        self.laptop, self.switch = f"nm{tag}-laptop", f"nm{tag}-switch"

    def build(self) -> None:
        for host in (self.laptop, self.switch):
            run("ip", "netns", "add", host)
            # The kernel's own IPv6 chatter would blur the count of frames.
            self.on(host, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        names = ("name", "port17", "netns", self.switch)
        run(
            "ip",
            "link",
            "add",
            "eth0",
            "netns",
            self.laptop,
            "type",
            "veth",
            "peer",
            *names,
        )
        for host, device in ((self.laptop, "eth0"), (self.switch, "port17")):
            self.on(host, "ip", "link", "set", device, "up")

    def remove(self) -> None:
        for host in (self.laptop, self.switch):
            subprocess.run(
                ["ip", "netns", "del", host], capture_output=True, check=False
            )

    def on(self, host: str, *command: str) -> str:
        return run("ip", "netns", "exec", host, *command)

    @contextmanager
    def peer(self, *command: str, host: str | None = None, ready: str = "up"):
        """Run a program at the other end; ready once it says so."""
        process = subprocess.Popen(
            ["timeout", "30", "ip", "netns", "exec", host or self.switch, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if ready in line:
                    break
            else:
                pytest.fail("".join(said))
            yield process
        finally:
            process.terminate()
            process.communicate()

    def ask(self, tool: str, *options: str, before: tuple[str, ...] = ()):
        """Run a tool on the laptop; return its status, findings and all it printed."""
        done = subprocess.run(
            [
                *("ip", "netns", "exec", self.laptop, *before),
                *(sys.executable, "-m", "netmon", "probe", "lan", tool),
                *options,
                "--json",
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "NETMON_LANG": "de"},
        )
        assert "Traceback" not in done.stderr, done.stderr
        told = json.loads(done.stdout)
        found = [(each["finding"], each["values"]) for each in told["findings"]]
        return done.returncode, found, done.stdout + done.stderr

    def arrived_count(self) -> int:
        said = self.on(self.switch, "ip", "-s", "-j", "link", "show", "port17")
        return json.loads(said)[0]["stats64"]["rx"]["packets"]


def need(*programs: str) -> None:
    packages = {"dnsmasq": "dnsmasq-base", "ip": "iproute2", "setpriv": "util-linux"}
    reason = None
    if sys.platform != "linux" or os.geteuid() != 0:
        reason = "namespaces need Linux and root"
    for program in programs:
        if shutil.which(program) is None:
            package = packages.get(program, program)
            reason = f"the program {program} is missing (apt-get install {package})"
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing in CI: {reason}")
        pytest.skip(reason)


def words(found) -> list[str]:
    return [says for says, _ in found]


# Answers every discover in its own tag as it is told by arguments TAG=KIND.
RESPONDER = r"""
import sys
from scapy.arch.linux import L2Socket
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
wishes = dict(each.split("=") for each in sys.argv[1:])
sock = L2Socket(iface="port17", promisc=True, nofilter=1)
def head(to, tag):
    ether = Ether(src="02:00:00:00:00:99", dst=to)
    return ether / Dot1Q(vlan=tag) if tag else ether
def offer(asked, tag):
    options = [("message-type", "offer"), ("server_id", "192.168.178.1"),
               ("subnet_mask", "255.255.255.0"), ("router", "192.168.178.1"),
               ("lease_time", 600), "end"]
    return (head("ff:ff:ff:ff:ff:ff", tag) / IP(src="192.168.178.1", dst="255.255.255.255")
            / UDP(sport=67, dport=68) / BOOTP(op=2, xid=asked.xid, chaddr=asked.chaddr,
            yiaddr="192.168.178.20") / DHCP(options=options))
print("up", flush=True)
while True:
    frame = sock.recv()
    if frame is None:
        continue
    tag = frame[Dot1Q].vlan if Dot1Q in frame else 0
    kind = wishes.get(str(tag))
    if kind is None:
        continue
    if BOOTP in frame and frame[BOOTP].op == 1 and kind.startswith("dhcp"):
        sock.send(offer(frame[BOOTP], int(kind[4:] or tag)))
    if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == kind:
        sock.send(head(frame.src, tag) / ARP(op=2, hwsrc="02:00:00:00:00:99",
                  psrc=kind, hwdst=frame[ARP].hwsrc, pdst=frame[ARP].psrc))
"""
