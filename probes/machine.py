"""How this machine was during a test: a starved one looks exactly like a bad line.

Sources: ``/proc/stat`` (proc(5)), ``/proc/thread-self/schedstat`` (Linux
Documentation/scheduler/sched-stats.rst: time run and time waited for a core, in ns),
``/sys/class/net/*/statistics``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

# A tick this late means that the probe, not the line, was busy.
MAX_LATE_S = 0.025
# What the host of a virtual machine withheld.
MAX_STEAL_RATIO = 0.08
# Time in which this thread could have run but another had the core.
MAX_WAIT_RATIO = 0.25
# A thread that needs more of a core than this is what bounds the test.
MAX_BUSY_RATIO = 0.90
# Neither counts what the stack threw away for reasons of its own (rx_dropped).
_PORT_ERRORS = ("rx_errors", "tx_errors", "rx_missed_errors", "rx_fifo_errors")


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Time of all cores since boot, in the kernel's ticks."""

    total: int
    busy: int
    steal: int

    @classmethod
    def read(cls, root: Path = Path("/")) -> Self:
        """Return the times now; zeros where the kernel does not tell."""
        try:
            line = (root / "proc/stat").read_text(encoding="ascii").split("\n", 1)[0]
        except OSError:
            return cls(0, 0, 0)
        # user nice system idle iowait irq softirq steal; guest is part of user.
        fields = [int(field) for field in line.split()[1:9]]
        fields += [0] * (8 - len(fields))
        idle, steal = fields[3] + fields[4], fields[7]
        return cls(sum(fields), sum(fields) - idle - steal, steal)

    def since(self, before: CpuTimes) -> tuple[float, float]:
        """Return the busy and the stolen share since an earlier reading."""
        total = self.total - before.total
        if total <= 0:
            return 0.0, 0.0
        return (self.busy - before.busy) / total, (self.steal - before.steal) / total


@dataclass(frozen=True, slots=True)
class Health:
    """A machine during a test.

    ``late_s`` is its worst tick, ``busy_ratio`` and ``steal_ratio`` are of all its
    cores, ``thread_ratio`` is what the measuring thread used of one,
    ``wait_ratio`` how long it waited for one; ``port_errors`` counts new ones,
    ``port_use_ratio`` is the busier way of the port (None: its speed is unknown).
    """

    late_s: float = 0.0
    busy_ratio: float = 0.0
    steal_ratio: float = 0.0
    thread_ratio: float = 0.0
    wait_ratio: float = 0.0
    port_errors: int = 0
    port_use_ratio: float | None = None


def weakness(health: Health) -> str:
    """Return what spoils a test on such a machine, empty if nothing; pure.

    One of ``late``, ``steal``, ``starved``, ``busy``, ``port_errors``.
    """
    found = {
        "late": health.late_s > MAX_LATE_S,
        "steal": health.steal_ratio > MAX_STEAL_RATIO,
        "starved": health.wait_ratio > MAX_WAIT_RATIO,
        "busy": health.thread_ratio > MAX_BUSY_RATIO,
        "port_errors": health.port_errors > 0,
    }
    return next((name for name, is_so in found.items() if is_so), "")


class Watch:
    """Health from its making on; of the thread that made it and asks."""

    def __init__(self, interface: str = "", root: Path = Path("/")) -> None:
        self._root = root
        self._interface = interface
        self._began_s = time.monotonic()
        self._cpu = CpuTimes.read(root)
        self._thread_s = time.thread_time()
        self._waited_s = _waited_s(root)
        self._errors = self._port(_PORT_ERRORS)
        self._speed_bps = port_speed_bps(interface, root) if interface else None
        self._octets = self._octets_now()

    def health(self, late_s: float = 0.0) -> Health:
        """Return the health since the beginning."""
        wall_s = max(1e-6, time.monotonic() - self._began_s)
        busy, steal = CpuTimes.read(self._root).since(self._cpu)
        return Health(
            late_s=late_s,
            busy_ratio=busy,
            steal_ratio=steal,
            thread_ratio=(time.thread_time() - self._thread_s) / wall_s,
            wait_ratio=(_waited_s(self._root) - self._waited_s) / wall_s,
            port_errors=self._port(_PORT_ERRORS) - self._errors,
            port_use_ratio=self._port_use(wall_s),
        )

    def _port_use(self, wall_s: float) -> float | None:
        if self._speed_bps is None:
            return None
        before = self._octets
        moved = max(n - b for n, b in zip(self._octets_now(), before, strict=True))
        return 8 * moved / wall_s / self._speed_bps

    def _octets_now(self) -> tuple[int, int]:
        return self._port(("rx_bytes",)), self._port(("tx_bytes",))

    def _port(self, names: Sequence[str]) -> int:
        """Return the sum of some of the port's counters; 0 without a port."""
        if not self._interface:
            return 0
        base = self._root / "sys/class/net" / self._interface / "statistics"
        total = 0
        for name in names:
            with suppress(OSError, ValueError):
                total += int((base / name).read_text(encoding="ascii"))
        return total


def _waited_s(root: Path) -> float:
    """Return how long this thread has waited for a core; 0 where nobody counts."""
    try:
        text = (root / "proc/thread-self/schedstat").read_text(encoding="ascii")
        return int(text.split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def port_speed_bps(interface: str, root: Path = Path("/")) -> float | None:
    """Return a port's speed; None where its driver names none (virtual ports)."""
    try:
        text = (root / "sys/class/net" / interface / "speed").read_text("ascii")
        megabits = int(text)
    except (OSError, ValueError):
        return None
    return megabits * 1e6 if megabits > 0 else None
