"""Which measurement server is nearest: a few echoes to each, once an hour."""

from __future__ import annotations

import select
import time
from collections.abc import Mapping, Sequence

from netmon.config import Secret
from netmon.lease_wire import ServerAddress
from probes.address import parse_address
from probes.base import MeasureAddress
from probes.pinger import Pinger

AGE_S = 3600.0
ECHOES = 3
WAIT_S = 0.5


class Nearest:
    """Remembers the servers of the last lease by round trip; for one thread."""

    def __init__(self) -> None:
        self._order: tuple[str, ...] = ()
        self._at_s: float | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """Ids of the servers that answered, nearest first; empty before."""
        return self._order

    def update(self, servers: Sequence[ServerAddress], now_s: float) -> None:
        """Measure the servers if the last time is an hour ago; blocks for seconds.

        With one server there is nothing to choose and nothing is sent.
        """
        if self._at_s is not None and now_s - self._at_s < AGE_S:
            return
        self._at_s = now_s
        if len(servers) > 1:
            self._order = by_round_trip({each.id: _rtt_s(each) for each in servers})


def by_round_trip(rtts_s: Mapping[str, float | None]) -> tuple[str, ...]:
    """Return the servers that answered, shortest round trip first."""
    known = [(rtt_s, name) for name, rtt_s in rtts_s.items() if rtt_s is not None]
    return tuple(name for _, name in sorted(known))


def _rtt_s(server: ServerAddress) -> float | None:
    """Return the shortest of some round trips; None where none came back."""
    try:
        host, port = parse_address(server.address)
        pinger = Pinger(MeasureAddress(host, port, Secret("")))
    except (ValueError, OSError):
        return None
    try:
        found: list[float] = []
        deadline_s = time.monotonic() + WAIT_S
        for _ in range(ECHOES):
            pinger.send()
        while len(found) < ECHOES and (left_s := deadline_s - time.monotonic()) > 0:
            select.select([pinger], [], [], left_s)
            found += [echo.rtt_s for echo in pinger.receive()]
        return min(found, default=None)
    finally:
        pinger.close()
