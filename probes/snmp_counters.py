"""The router's WAN counters by SNMP: both octet counters and sysUpTime in one GET.

gufo-snmp's blocking session: one request takes some 40 microseconds of CPU, so that
polling every 20 ms does not disturb the test it serves.
"""

from __future__ import annotations

import time

from gufo.snmp import SnmpVersion
from gufo.snmp.sync import SnmpSession

from netmon.config import Secret
from probes.counters import Reading

SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
IF_HC_IN_OCTETS = "1.3.6.1.2.1.31.1.1.1.6"
IF_HC_OUT_OCTETS = "1.3.6.1.2.1.31.1.1.1.10"
TIMEOUT_S = 0.5


class SnmpCounters:
    """Reads one port of one router; a context manager."""

    def __init__(
        self, host: str, community: Secret, if_index: int, *, port: int = 161
    ) -> None:
        self._in = f"{IF_HC_IN_OCTETS}.{if_index}"
        self._out = f"{IF_HC_OUT_OCTETS}.{if_index}"
        self._session = SnmpSession(
            addr=host,
            port=port,
            community=community.reveal(),
            version=SnmpVersion.v2c,
            timeout=TIMEOUT_S,
        )

    def read(self) -> Reading | None:
        """Return a reading; None where the router did not answer properly."""
        asked_s = time.monotonic()
        try:
            answer = self._session.get_many([self._in, self._out, SYS_UPTIME])
        except (TimeoutError, OSError, ValueError):
            return None
        except Exception as error:
            if not type(error).__module__.startswith("gufo"):
                raise
            return None
        now_s = time.monotonic()
        values = [answer.get(oid) for oid in (self._in, self._out, SYS_UPTIME)]
        if not all(isinstance(value, int) for value in values):
            return None
        into, out, _ = (int(str(value)) for value in values)
        half_s = (now_s - asked_s) / 2
        return Reading(asked_s + half_s, half_s, into, out)
