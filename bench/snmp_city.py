"""The city that ``bench/snmp.py`` polls: its size and its agents."""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from processes import child, said

from collectors.credentials import Credential
from netmon.config import Secret

SWITCHES, PORTS = 1200, 48
CONTROLLERS, APS, RADIOS = 50, 100, 2
IF, IFX = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
RADIO = "1.3.6.1.4.1.14823.2.2.1.5.2.1.5.1"
PORT_COLUMNS = [
    *(f"{IF}.{n}" for n in (7, 8, 14, 16, 20)),
    *(f"{IFX}.{n}" for n in (6, 10, 15)),
]
RADIO_COLUMNS = [f"{RADIO}.{n}" for n in (2, 3, 4, 6, 7, 17, *range(20, 30))]
REQUESTS = [[f"{c}.{i}" for i in range(1, PORTS + 1)] for c in PORT_COLUMNS]
PUBLIC = Credential(name="default", version="v2c", community=Secret("public"))
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Agents:
    """The responder's port, and how to let time pass there."""

    port: int

    def switch(self, number: int) -> str:
        """Return the address of a switch."""
        return f"127.1.{number // 250}.{number % 250 + 1}"

    def dead(self, number: int) -> str:
        """Return an address whose agent never answers."""
        return f"127.3.0.{number + 1}"

    def controller(self, number: int) -> str:
        """Return the address of a controller."""
        return f"127.2.0.{number + 1}"

    def next_round(self) -> None:
        """Let a minute pass for all agents."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(30)
            link.sendto(b"next", ("127.9.9.9", self.port))
            link.recv(16)


def agents(stack: ExitStack, log: IO[bytes], delay_s: float = 0.0) -> Agents:
    script = str(HERE / "snmp_responder.py")
    process = child(stack, [sys.executable, script, "--delay-s", str(delay_s)], log)
    return Agents(int(said(process).split()[1]))
