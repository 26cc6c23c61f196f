"""The router's WAN counters by SNMP: both octet counters and the clocks in one GET.

gufo-snmp's blocking session: one request takes some 40 microseconds of CPU, so that
polling every 20 ms does not disturb the test it serves. Objects: IF-MIB (RFC 2863),
SNMPv2-MIB (RFC 3418).
"""

from __future__ import annotations

import time
from enum import StrEnum

from gufo.snmp import SnmpAuthError, SnmpVersion, User
from gufo.snmp.sync import SnmpSession
from msgspec import Struct

from netmon.config import Secret
from netmon.errors import NetmonError
from netmon.snmp_user import AuthProtocol, PrivProtocol, snmp_user
from probes.counters import Reading

SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
IF_IN_OCTETS = "1.3.6.1.2.1.2.2.1.10"
IF_HC_IN_OCTETS = "1.3.6.1.2.1.31.1.1.1.6"
IF_HC_OUT_OCTETS = "1.3.6.1.2.1.31.1.1.1.10"
IF_DISCONTINUITY = "1.3.6.1.2.1.31.1.1.1.19"
TIMEOUT_S = 0.5


class SnmpUser(Struct, frozen=True, kw_only=True):
    """Who asks by SNMPv3; always authenticated and encrypted (authPriv)."""

    name: str
    auth_secret: Secret
    priv_secret: Secret
    auth_protocol: AuthProtocol = "sha256"
    priv_protocol: PrivProtocol = "aes128"


class Unreadable(StrEnum):
    """Why a router's counters can't serve a test: a closed list.

    ``no_answer``: nobody there, or a wrong community (agents are silent then).
    ``denied``: SNMPv3 refused the user. ``no_port``: no such port.
    ``only_32_bit``: it has no 64-bit counters; a 32-bit one wraps after 34 s at
    1 Gbit/s, and nobody would see it.
    """

    NO_ANSWER = "no_answer"
    DENIED = "denied"
    NO_PORT = "no_port"
    ONLY_32_BIT = "only_32_bit"


class CountersUnreadableError(NetmonError):
    """The counters can't be read; ``why`` names the cause, the text holds no secret."""

    def __init__(self, why: Unreadable) -> None:
        super().__init__(f"the router's counters cannot be read: {why}")
        self.why = why


class SnmpCounters:
    """Reads one port of one router, by v2c (a community) or v3 (a user)."""

    def __init__(
        self,
        host: str,
        access: Secret | SnmpUser,
        if_index: int,
        *,
        port: int = 161,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._in = f"{IF_HC_IN_OCTETS}.{if_index}"
        self._out = f"{IF_HC_OUT_OCTETS}.{if_index}"
        self._narrow = f"{IF_IN_OCTETS}.{if_index}"
        self._discontinuity = f"{IF_DISCONTINUITY}.{if_index}"
        self._asked = [self._in, self._out, SYS_UPTIME, self._discontinuity]
        self._address = host, port, timeout_s
        self._access = access
        self._opened: SnmpSession | None = None

    def check(self) -> None:
        """Read once, to say what is wrong where something is.

        Raises:
            CountersUnreadableError: with the cause.
        """
        answer = self._get([*self._asked, self._narrow])
        if _number(answer, self._in) is None or _number(answer, self._out) is None:
            narrow = _number(answer, self._narrow) is not None
            raise CountersUnreadableError(
                Unreadable.ONLY_32_BIT if narrow else Unreadable.NO_PORT
            )

    def read(self) -> Reading | None:
        """Return a reading; None where the router did not answer properly."""
        asked_s = time.monotonic()
        try:
            answer = self._get(self._asked)
        except CountersUnreadableError:
            return None
        half_s = (time.monotonic() - asked_s) / 2
        into, out = _number(answer, self._in), _number(answer, self._out)
        if into is None or out is None:
            return None
        return Reading(
            asked_s + half_s,
            half_s,
            into,
            out,
            _number(answer, SYS_UPTIME),
            _number(answer, self._discontinuity),
        )

    def _get(self, oids: list[str]) -> dict[str, object]:
        try:
            return dict(self._session().get_many(oids))
        except SnmpAuthError as error:
            raise CountersUnreadableError(Unreadable.DENIED) from error
        except (TimeoutError, OSError, ValueError) as error:
            raise CountersUnreadableError(Unreadable.NO_ANSWER) from error
        except Exception as error:
            # gufo's errors have no common base beside this; others are mistakes.
            if not type(error).__module__.startswith("gufo"):
                raise
            raise CountersUnreadableError(Unreadable.NO_ANSWER) from error

    def _session(self) -> SnmpSession:
        if self._opened is not None:
            return self._opened
        host, port, timeout_s = self._address
        if isinstance(self._access, SnmpUser):
            session = SnmpSession(
                addr=host,
                port=port,
                version=SnmpVersion.v3,
                user=_user(self._access),
                timeout=timeout_s,
            )
            # The engine's id and clock are asked for once, or nothing is understood.
            session.refresh()
        else:
            session = SnmpSession(
                addr=host,
                port=port,
                version=SnmpVersion.v2c,
                community=self._access.reveal(),
                timeout=timeout_s,
            )
        self._opened = session
        return session


def _user(access: SnmpUser) -> User:
    return snmp_user(
        access.name,
        (access.auth_protocol, access.auth_secret.reveal()),
        (access.priv_protocol, access.priv_secret.reveal()),
    )


def _number(answer: dict[str, object], oid: str) -> int | None:
    value = answer.get(oid)
    return value if isinstance(value, int) else None
