"""Reads traps and informs of one group of devices: pysnmp, and nobody else.

One engine for each credential, so that a group's community or user opens nothing for
devices of another group. Of a notification only its name is looked at; the objects in
it may name clients and are neither kept nor passed on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pysnmp.carrier.base import AbstractTransportDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413.ntfrcv import NotificationReceiver
from pysnmp.proto.rfc1902 import OctetString

from collectors.credentials import Credential
from collectors.pysnmp_engine import new_engine
from collectors.snmp_pysnmp import AUTH_PROTOCOLS, PRIV_PROTOCOLS
from netmon.config import Secret

SNMP_TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
_V2C_MODEL = 1
_V3_MODEL = 3
_AUTH_PRIV = 3
_DOMAIN = (1, 3, 6, 1, 6, 1, 1)  # snmpUDPDomain (RFC 3417); only a key here
_AREA = "group"

_INTEGER = 0x02
# More than a city has devices; beyond, the engines met first are forgotten.
MAX_ENGINES = 4096

# An address of a socket, as the system gives it.
Address = tuple[Any, ...]


class TrapRefusedError(Exception):
    """The community, user, key or level is not that of the group."""


class TrapUnreadableError(Exception):
    """No notification of SNMPv2c or SNMPv3 can be made out of the datagram."""


class TrapEngine:
    """Takes datagrams from devices of one credential; ``send`` answers them."""

    def __init__(
        self, credential: Credential, send: Callable[[bytes, Address], None]
    ) -> None:
        self._credential = credential
        # Devices' engines by their ids, those met last at the end.
        self._met: dict[bytes, None] = {}
        self._engine = new_engine()
        self._dispatcher = _Outgoing(send)
        self._engine.register_transport_dispatcher(self._dispatcher)
        self._receiver = _Receiver(self._engine, credential.version)
        if credential.version == "v2c":
            community = _text(credential.community)
            config.add_v1_system(self._engine, _AREA, community)
        else:
            self._let_in(None)

    def take(self, datagram: bytes, sender: Address, now_s: float) -> str | None:
        """Return the name (object id) of a notification; an inform is answered.

        None is a question that SNMPv3 asks before it informs; it is answered, too.

        Raises:
            TrapRefusedError: the sender does not know the group's secrets.
            TrapUnreadableError: it is no notification.
        """
        self._receiver.begin()
        # pysnmp forgets what nobody answered when its clock moves on.
        self._dispatcher.handle_timer_tick(now_s)
        if self._credential.version == "v3":
            self._meet(engine_id(datagram))
        before = self._count(*_UNREADABLE), self._count(*_QUESTIONS)
        try:
            self._engine.message_dispatcher.receive_message(
                self._engine, _DOMAIN, sender, datagram
            )
        except Exception as error:  # noqa: BLE001 - whatever odd octets do to it
            # Its text may quote the datagram.
            raise TrapUnreadableError(type(error).__name__) from None
        if self._receiver.name is not None:
            return self._receiver.name
        if self._count(*_UNREADABLE) > before[0]:
            raise TrapUnreadableError("no SNMP")
        if self._count(*_QUESTIONS) > before[1]:
            return None
        raise TrapRefusedError

    def close(self) -> None:
        """Forget everything."""
        self._receiver.close(self._engine)
        self._engine.close_dispatcher()

    def _meet(self, engine: bytes | None) -> None:
        """Know the group's user at an engine; keys are made for each engine anew.

        Of a trap the sender is the engine that counts (RFC 3414, 1.5.1), and pysnmp
        wants to know it beforehand.
        """
        if engine is None or engine in self._met:
            return
        if engine == bytes(self._engine.snmpEngineID):
            return
        if len(self._met) >= MAX_ENGINES:
            oldest = next(iter(self._met))
            del self._met[oldest]
            config.delete_v3_user(
                self._engine, self._credential.user, OctetString(oldest)
            )
        self._let_in(OctetString(engine))
        self._met[engine] = None

    def _let_in(self, engine: OctetString | None) -> None:
        credential = self._credential
        config.add_v3_user(
            self._engine,
            credential.user,
            authProtocol=AUTH_PROTOCOLS[credential.auth_protocol],
            authKey=_text(credential.auth_secret),
            privProtocol=PRIV_PROTOCOLS[credential.priv_protocol],
            privKey=_text(credential.priv_secret),
            securityEngineId=engine,
        )

    def _count(self, *names: tuple[str, str]) -> int:
        builder = self._engine.get_mib_builder()
        found = (builder.import_symbols(module, name)[0] for module, name in names)
        return sum(int(symbol.syntax) for symbol in found)


_UNREADABLE = (
    ("__SNMPv2-MIB", "snmpInASNParseErrs"),
    ("__SNMPv2-MIB", "snmpInBadVersions"),
    ("__SNMP-MPD-MIB", "snmpUnknownPDUHandlers"),
)
_QUESTIONS = (
    ("__SNMP-USER-BASED-SM-MIB", "usmStatsUnknownEngineIDs"),
    ("__SNMP-USER-BASED-SM-MIB", "usmStatsNotInTimeWindows"),
)


class _Outgoing(AbstractTransportDispatcher):
    """Sends an engine's answers by the socket that all engines share."""

    def __init__(self, send: Callable[[bytes, Address], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._send = send

    def send_message(self, *said: Any) -> None:
        """Send; pysnmp gives message, domain and address."""
        message, _, receiver = said
        self._send(bytes(message), receiver)


class _Receiver(NotificationReceiver):
    """Notes the name of a notification that was sent as the group has to.

    pysnmp checks keys but not whether any were used: a user's name alone would do.
    """

    def __init__(self, engine: SnmpEngine, version: str) -> None:
        self.name: str | None = None
        self._version = version
        super().__init__(engine, self._note)

    def begin(self) -> None:
        """Forget the datagram before."""
        self.name = None

    def process_pdu(self, engine: Any, *said: Any) -> None:
        """Answer and note what has the group's version and level; drop all else."""
        model, _, _, level = said[:4]
        if self._version == "v2c":
            is_due = model == _V2C_MODEL
        else:
            is_due = model == _V3_MODEL and level == _AUTH_PRIV
        if is_due:
            super().process_pdu(engine, *said)

    def _note(
        self,
        engine: Any,
        reference: Any,
        context_engine: Any,
        context: Any,
        objects: Any,
        _: Any,
    ) -> None:
        for name, value in objects:
            if str(name) == SNMP_TRAP_OID:
                self.name = str(value)
                return
        self.name = ""


def engine_id(datagram: bytes) -> bytes | None:
    """Return the authoritative engine of an SNMPv3 message (RFC 3412, RFC 3414).

    None where there is none of a legal length, or the octets are no such message.
    """
    message = _parts(datagram)
    if len(message) < 1:
        return None
    fields = _parts(message[0][1])
    if len(fields) < 3 or fields[0] != (_INTEGER, b"\x03"):
        return None
    security = _parts(fields[2][1])
    parameters = _parts(security[0][1]) if security else []
    if not parameters:
        return None
    engine = parameters[0][1]
    return engine if 5 <= len(engine) <= 32 else None


def _parts(octets: bytes) -> list[tuple[int, bytes]]:
    """Return tag and content of what stands in a row (BER); empty if it is no BER."""
    found = []
    at = 0
    while at + 2 <= len(octets):
        tag, length = octets[at], octets[at + 1]
        at += 2
        if length > 0x80:
            size = length - 0x80
            length = int.from_bytes(octets[at : at + size], "big")
            at += size
        if at + length > len(octets):
            return []
        found.append((tag, octets[at : at + length]))
        at += length
    return found


def _text(secret: Secret | None) -> str:
    return "" if secret is None else secret.reveal()
