"""The probe's own port: speed and duplex as the kernel knows them.

A port that runs at 100 Mbit/s can never show 100 Mbit/s of payload; without
this number a bad patch cable looks like a bad line.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from netmon.model import FailureReason
from netmon.units import MBIT
from probes.base import ProbeContext, ProbeResult, failed, measured

_DEFAULT_V4 = "00000000"
_DEFAULT_V6 = "0" * 32
_DUPLEX = {"full": 1.0, "half": 0.0}


class LinkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``interface`` is empty for the one that the default route uses."""

    interval_s: float = 900.0
    interface: str = ""


class LinkProbe:
    """Reads the port's speed and duplex.

    ``root`` is where ``/proc`` and ``/sys`` are found.
    """

    name = "link"
    kind = "probe_link"
    limit_s = 10.0

    def __init__(
        self, settings: LinkSettings | None = None, *, root: Path = Path("/")
    ) -> None:
        self._settings = settings or LinkSettings()
        self._root = root

    def tags(self, context: ProbeContext) -> dict[str, str]:
        """Return building and probe."""
        return {"building": context.building, "probe": context.probe}

    async def run(self, context: ProbeContext) -> ProbeResult:
        """Read the port once. ``full_duplex`` is None where the driver won't say."""
        found = read_port(self._settings, self._root)
        if found.info:
            context.emit("link_start", {"interface": found.info["interface"]})
        return found


def read_port(settings: LinkSettings, root: Path = Path("/")) -> ProbeResult:
    """Return speed and duplex of the port, or why they can't be known."""
    interface = settings.interface or default_interface(root)
    if interface is None:
        return failed(FailureReason.UNREACHABLE, "there is no default route")
    port = physical_port(root, interface)
    # Loopback, bridges and tunnels have no device; veth invents a speed.
    if not (port / "device").exists():
        return failed(FailureReason.UNSUPPORTED, f"{interface} is not a physical port")
    speed = _read(port / "speed")
    if speed is None or not speed.isdecimal() or int(speed) == 0:
        return failed(
            FailureReason.UNSUPPORTED, f"the driver of {port.name} names no speed"
        )
    return measured(
        {
            "speed_bps": float(int(speed) * MBIT),
            "full_duplex": _DUPLEX.get(_read(port / "duplex") or ""),
        },
        {"interface": port.name},
    )


class Frames(Struct, frozen=True):
    """Frames that passed the port since it came up, and those damaged."""

    passed: int
    damaged: int


def read_frames(settings: LinkSettings, root: Path = Path("/")) -> Frames | ProbeResult:
    """Return the port's frame counters, or the failure of a port without link.

    A virtual port (VLAN, container) has counters as well.
    """
    interface = settings.interface or default_interface(root)
    if interface is None:
        return failed(FailureReason.UNREACHABLE, "there is no default route")
    port = physical_port(root, interface)
    # The kernel refuses to tell the carrier of a port that is switched off.
    if _read(port / "carrier") == "0" or _read(port / "operstate") == "down":
        return failed(FailureReason.UNREACHABLE, f"{port.name} has no link")
    texts = {
        name: _read(port / "statistics" / name) or ""
        for name in ("rx_packets", "tx_packets", "rx_errors", "tx_errors")
    }
    if not all(text.isdecimal() for text in texts.values()):
        return failed(FailureReason.UNSUPPORTED, f"{port.name} has no counters")
    counts = {name: int(text) for name, text in texts.items()}
    damaged = counts["rx_errors"] + counts["tx_errors"]
    return Frames(counts["rx_packets"] + counts["tx_packets"] + damaged, damaged)


def damaged_ratio(before: Frames, after: Frames) -> float:
    """Return the share of damaged frames between two readings, 0 to 1.

    0 where nothing passed, and where the counters began anew in between.
    """
    passed = after.passed - before.passed
    damaged = after.damaged - before.damaged
    return damaged / passed if 0 <= damaged <= passed and passed else 0.0


def default_interface(root: Path) -> str | None:
    """Return the interface of the default route, IPv4 first; None without one."""
    best: tuple[int, str] | None = None
    for line in (_read(root / "proc/net/route") or "").splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and fields[1] == fields[7] == _DEFAULT_V4:
            best = min(best or (1 << 32, ""), (int(fields[6]), fields[0]))
    if best is not None:
        return best[1]
    for line in (_read(root / "proc/net/ipv6_route") or "").splitlines():
        fields = line.split()
        # Linux lists an "unreachable" default at lo even without IPv6.
        if (
            len(fields) > 9
            and fields[0] == _DEFAULT_V6
            and fields[1] == "00"
            and fields[9] != "lo"
        ):
            return fields[9]
    return None


def physical_port(root: Path, interface: str) -> Path:
    """Return the port's folder; a VLAN or bridge with one port leads down to it."""
    return _physical(root / "sys/class/net" / interface)


def _physical(port: Path) -> Path:
    """Follow a VLAN or bridge with one port down to that port."""
    lower = sorted(port.glob("lower_*"))
    if not lower:
        lower = sorted(port.glob("brif/*"))
    if len(lower) != 1:
        return port
    return _physical(port.parent / lower[0].name.removeprefix("lower_"))


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        # A port that is down answers EINVAL to the question for its speed.
        return None
