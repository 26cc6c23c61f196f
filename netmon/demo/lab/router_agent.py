"""An SNMP agent for the lab's router: its WAN counters, fresh or refreshed rarely.

``python -m netmon.demo.lab.router_agent DEVICE REFRESH_S``; prints ``up``. It speaks
v2c GET for ifHCInOctets.1, ifHCOutOctets.1 and sysUpTime.0 and nothing more, so that
answering 50 times a second costs next to nothing. ``REFRESH_S`` 0 reads the port for
every request; else a thread copies the counters so often, as real routers do.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path

from netmon.demo.snmp_get import Responder


class Counters:
    """The port's counters as the agent shows them."""

    def __init__(self, device: str, refresh_s: float) -> None:
        base = Path("/sys/class/net") / device / "statistics"
        self._files = [
            (base / n).open("rb", buffering=0) for n in ("rx_bytes", "tx_bytes")
        ]
        self._shown = self._now()
        self._refresh_s = refresh_s
        if refresh_s > 0:
            threading.Thread(target=self._refresh, daemon=True).start()

    def _now(self) -> tuple[int, int]:
        values = []
        for file in self._files:
            file.seek(0)
            values.append(int(file.read(32)))
        return values[0], values[1]

    def _refresh(self) -> None:
        due_s = time.monotonic()
        while True:
            due_s += self._refresh_s
            time.sleep(max(0.0, due_s - time.monotonic()))
            self._shown = self._now()

    def read(self) -> tuple[int, int]:
        """Return octets received and sent, as old as the refresh makes them."""
        return self._shown if self._refresh_s > 0 else self._now()


def serve(device: str, refresh_s: float) -> None:
    """Answer on UDP port 161 until killed."""
    responder = Responder({1: Counters(device, refresh_s).read})
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", 161))
    sys.stdout.write("up\n")
    sys.stdout.flush()
    while True:
        request, peer = server.recvfrom(4096)
        response = responder.answer(request)
        if response is not None:
            server.sendto(response, peer)


if __name__ == "__main__":
    try:
        serve(sys.argv[1], float(sys.argv[2]))
    except KeyboardInterrupt:
        sys.exit(0)
