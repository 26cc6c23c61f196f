"""The router's WAN ports of a building: their counters, and which line carried a test.

A probe measures whatever line its router sends it over. Where the building has two,
the counters of both tell which one carried the test, so that the backup's 16 Mbit/s
are never taken for the main line's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence

from msgspec import Struct

from netmon.config import Secret, read_secret
from probes.counters import CounterSource, Reading
from probes.measure_protocol import Direction
from probes.snmp_counters import SnmpCounters

log = logging.getLogger(__name__)

# The carrier's counter shows at least this share of our own octets.
CARRIED_SHARE = 0.5


class WanSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A WAN port: the line it ends, the router's SNMP address and the port's ifIndex.

    ``community_file`` holds the SNMP community; the counters are only read.
    """

    line: str
    address: str
    if_index: int
    community_file: str


class _Shared:
    """A source that several threads may read: the test, and the watch beside it."""

    def __init__(self, source: CounterSource) -> None:
        self._source = source
        self._lock = threading.Lock()

    def read(self) -> Reading | None:
        """Return a reading; waits for another thread's, a time-out at most."""
        with self._lock:
            return self._source.read()


class WanPorts:
    """The WAN ports that can be read, by any thread."""

    def __init__(self, sources: Mapping[str, CounterSource]) -> None:
        self._sources = {line: _Shared(source) for line, source in sources.items()}

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines whose ports can be read."""
        return tuple(self._sources)

    def source(self, line: str) -> CounterSource | None:
        """Return the counters of a line; None where none are set up."""
        return self._sources.get(line)

    def read(self) -> dict[str, Reading]:
        """Return a reading of each port that answers, by line."""
        found = {}
        for line, source in self._sources.items():
            reading = source.read()
            if reading is not None:
                found[line] = reading
        return found

    def carrier(
        self,
        before: Mapping[str, Reading],
        direction: Direction,
        own_octets: float,
        wait_s: float,
    ) -> str | None:
        """Return the line over which our octets went; None where it can't be told.

        Reads until one counter has moved by enough, for at most ``wait_s``: a router
        that refreshes its counters rarely shows a test late.
        """
        if len(self._sources) < 2:
            return None
        deadline_s = time.monotonic() + wait_s
        while True:
            found = carried_by(before, self.read(), direction, own_octets)
            if found is not None or time.monotonic() >= deadline_s:
                return found
            time.sleep(min(0.2, wait_s))


def carried_by(
    before: Mapping[str, Reading],
    after: Mapping[str, Reading],
    direction: Direction,
    own_octets: float,
) -> str | None:
    """Return the line whose counter moved by our octets; None if none or several did.

    On a line with other traffic both may have moved by as much: then nothing is said.
    """
    moved = [
        line
        for line, reading in after.items()
        if line in before
        and reading.octets(direction) - before[line].octets(direction)
        >= CARRIED_SHARE * own_octets
    ]
    return moved[0] if len(moved) == 1 and own_octets > 0 else None


def open_ports(settings: Sequence[WanSettings]) -> WanPorts:
    """Return the WAN ports of the settings; blocking sockets, opened at once.

    Raises:
        ConfigError: a community's file cannot be read.
        OSError: a router's name cannot be resolved.
    """
    sources: dict[str, CounterSource] = {}
    for each in settings:
        host, _, port = each.address.rpartition(":")
        community = read_secret(each.community_file, setting="wan.community_file")
        sources[each.line] = SnmpCounters(
            host.strip("[]"), community or Secret(""), each.if_index, port=int(port)
        )
    return WanPorts(sources)
