"""The router's WAN ports of a building: their counters, and which line carried a test.

A probe measures whatever line its router sends it over. Where the building has two,
the counters of both tell which one carried the test, so that the backup's 16 Mbit/s
are never taken for the main line's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from msgspec import Struct

from netmon.config import Secret, read_secret
from netmon.snmp_user import AuthProtocol, PrivProtocol
from probes.counters import CounterSource, Reading
from probes.measure_protocol import Direction
from probes.snmp_counters import CountersUnreadableError, SnmpCounters, SnmpUser

# The carrier's counter shows at least this share of our own octets.
CARRIED_SHARE = 0.5


class WanSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A WAN port: the line it ends, the router's SNMP address and the port's ifIndex.

    Who asks is an SNMPv3 user with the files of its two secrets (authPriv), or for a
    management network of its own a community (v2c). The counters are only read.
    """

    line: str
    address: str
    if_index: int
    user: str = ""
    auth_file: str = ""
    priv_file: str = ""
    auth_protocol: AuthProtocol = "sha256"
    priv_protocol: PrivProtocol = "aes128"
    community_file: str = ""


class _Shared:
    """A source that several threads may read: the test, and the watch beside it."""

    def __init__(self, source: CounterSource) -> None:
        self._source = source
        self._lock = threading.Lock()

    def read(self) -> Reading | None:
        """Return a reading; waits for another thread's, a time-out at most."""
        with self._lock:
            return self._source.read()

    def trouble(self) -> str:
        """Return why nothing can be read, empty where that can't be told."""
        if not isinstance(self._source, SnmpCounters):
            return ""
        try:
            with self._lock:
                self._source.check()
        except CountersUnreadableError as error:
            return str(error)
        return ""


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

    def trouble(self, line: str) -> str:
        """Return why a line's counters can't be read, empty if nobody knows."""
        source = self._sources.get(line)
        return "" if source is None else source.trouble()

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
        ConfigError: a secret's file cannot be read.
        OSError: a router's name cannot be resolved.
    """
    sources: dict[str, CounterSource] = {}
    for each in settings:
        host, _, port = each.address.rpartition(":")
        sources[each.line] = SnmpCounters(
            host.strip("[]"), _access(each), each.if_index, port=int(port)
        )
    return WanPorts(sources)


def _access(settings: WanSettings) -> Secret | SnmpUser:
    """Return who asks; raises ConfigError where a secret's file can't be read."""
    if not settings.user:
        file = settings.community_file
        return read_secret(file, setting="wan.community_file") or Secret("")
    auth = read_secret(settings.auth_file, setting="wan.auth_file")
    priv = read_secret(settings.priv_file, setting="wan.priv_file")
    return SnmpUser(
        name=settings.user,
        auth_secret=auth or Secret(""),
        priv_secret=priv or Secret(""),
        auth_protocol=settings.auth_protocol,
        priv_protocol=settings.priv_protocol,
    )
