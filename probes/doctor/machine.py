"""The machine: its port, what it can move at all, its clock and its kernel."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

from netmon.model import TARGET_DOWN_BPS, FailureReason
from probes.certificate import PAYLOAD_SHARE, Certificate, can_prove
from probes.doctor.base import Finding, Place, error, hint, ok
from probes.hops import has_error_queue
from probes.kernel_clock import kernel_clock
from probes.link import LinkSettings, read_port
from probes.loopback import measure_ceiling
from probes.wirelevel import TCP_INFO_BYTES

# Before Linux 4.18 the answer lacks the segments delivered.
_TCP_INFO_NEEDED = 200
_CONGESTION = Path("proc/sys/net/ipv4/tcp_available_congestion_control")


async def port(place: Place) -> list[Finding]:
    """Say what the own port can show at most."""
    found = read_port(LinkSettings(interface=_named(place)), place.root)
    if found.failure is not None:
        # A virtual machine's port names no speed, which is no fault of its line.
        is_virtual = found.failure is FailureReason.UNSUPPORTED
        says = hint if is_virtual else error
        return [says("unknown" if is_virtual else "none", text=found.detail)]
    interface, speed_bps = found.info["interface"], found.values["speed_bps"] or 0.0
    duplex = found.values["full_duplex"]
    if duplex == 0.0:
        return [error("half", interface=interface, speed_bps=speed_bps)]
    limit_bps = PAYLOAD_SHARE * speed_bps
    fields: dict[str, float | str] = {
        "interface": interface,
        "speed_bps": speed_bps,
        "limit_bps": limit_bps,
    }
    certificate = Certificate(port_speed_bps=speed_bps)
    if not can_prove(TARGET_DOWN_BPS, certificate):
        return [error("slow", target_bps=float(TARGET_DOWN_BPS), **fields)]
    return [ok("fast", **fields)]


def _named(place: Place) -> str:
    """Return the port that tests go through; empty for the default route's."""
    if place.settings is None:
        return ""
    return place.settings.uplink.interface or place.settings.link.interface


async def processor(_place: Place) -> list[Finding]:
    """Say what this machine can move without any line, measured now."""
    try:
        ceiling_bps = await asyncio.to_thread(measure_ceiling)
    except OSError:
        return [error("no_loopback")]
    cpu_count = len(os.sched_getaffinity(0))
    fields = {"cpu_count": float(cpu_count), "ceiling_bps": ceiling_bps}
    only = Certificate(loopback_ceiling_bps=ceiling_bps)
    if not can_prove(TARGET_DOWN_BPS, only):
        return [error("weak", target_bps=float(TARGET_DOWN_BPS), **fields)]
    if not can_prove(PAYLOAD_SHARE * 1e9, only):
        return [hint("below_port", **fields)]
    return [ok("strong", **fields)]


async def clock(_place: Place) -> list[Finding]:
    """Say whether the kernel's clock is being kept on time."""
    found = kernel_clock()
    if found is None:
        return [hint("unknown")]
    if not found.synchronised:
        return [hint("free_running")]
    return [ok("kept", error_s=found.max_error_s)]


async def kernel(place: Place) -> list[Finding]:
    """Say which of the kernel's features the methods find."""
    findings = [_tcp_info(), _bbr(place.root)]
    if has_error_queue():
        findings.append(ok("error_queue"))
    else:
        findings.append(hint("no_error_queue"))
    return findings


def _tcp_info() -> Finding:
    with socket.socket() as sock:
        try:
            size = len(
                sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
            )
        except (OSError, AttributeError):
            size = 0
    if size < _TCP_INFO_NEEDED:
        return error("old_tcp_info", size_count=float(size))
    return ok("tcp_info", size_count=float(size))


def _bbr(root: Path) -> Finding:
    try:
        known = (root / _CONGESTION).read_text("ascii").split()
    except OSError:
        known = []
    return ok("bbr") if "bbr" in known else hint("no_bbr")
