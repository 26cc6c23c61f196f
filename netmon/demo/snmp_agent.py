"""One real SNMP agent over UDP: a pysnmp engine that answers from a model in memory.

It bisects a sorted list (`netmon.demo.agent_data`): no MIB tree is involved, which
keeps a full poll of a device at some ten milliseconds.
"""

from __future__ import annotations

import asyncio
import socket
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from pyasn1.codec.ber import encoder
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.error import PySnmpError
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.proto.api import v2c
from pysnmp.smi.error import GenError

from collectors.base import oid_key
from collectors.credentials import Credential
from collectors.pysnmp_engine import new_engine
from collectors.recorded import RawRow
from netmon.clock import Clock, SystemClock
from netmon.config import Secret
from netmon.demo.agent_data import Key, Model, Plain, Row, ValueKind

DEMO_CREDENTIAL = Credential(
    name="default", version="v2c", community=Secret("netmon-demo")
)

_TYPES: dict[ValueKind, Any] = {
    "integer": rfc1902.Integer32,
    "counter32": rfc1902.Counter32,
    "counter64": rfc1902.Counter64,
    "gauge": rfc1902.Gauge32,
    "ticks": rfc1902.TimeTicks,
    "octets": rfc1902.OctetString,
    "oid": rfc1902.ObjectIdentifier,
    "ip": rfc1902.IpAddress,
}
_TAGS: dict[str, ValueKind] = {
    "2": "integer",
    "4": "octets",
    "6": "oid",
    "64": "ip",
    "65": "counter32",
    "66": "gauge",
    "67": "ticks",
    "70": "counter64",
}
_NUMBERS = {"2", "65", "66", "67", "70"}


class RecordedModel:
    """A model that plays a recording (see `collectors.recorded`)."""

    def __init__(self, rows: Sequence[RawRow]) -> None:
        self.version = 0
        self._rows = [
            (key, _TAGS[tag], _plain(tag, data))
            for key, tag, data in rows
            if tag in _TAGS
        ]

    def rows(self) -> Sequence[Row]:
        """Return the recorded objects."""
        return self._rows


class _Answers:
    """The instrumentation pysnmp's responders ask: exact match and successor."""

    def __init__(self, model: Model, clock: Clock) -> None:
        self._model = model
        self._clock = clock
        self._start_s = clock.monotonic_s()
        self._version: int | None = None
        self.silent = False
        self.broken_below: Key | None = None

    def read_variables(self, *asked: Any, **_context: Any) -> list[tuple[Any, Any]]:
        """Answer a GET."""
        elapsed_s = self._ready()
        return [(name, self._exact(tuple(name), elapsed_s)) for name, _ in asked]

    def read_next_variables(
        self, *asked: Any, **_context: Any
    ) -> list[tuple[Any, Any]]:
        """Answer a GETNEXT, or one round of a GETBULK."""
        elapsed_s = self._ready()
        return [self._successor(name, elapsed_s) for name, _ in asked]

    def _exact(self, key: Key, elapsed_s: float) -> Any:
        self._check(key)
        index = self._index.get(key)
        return rfc1905.noSuchInstance if index is None else self._at(index, elapsed_s)

    def _successor(self, name: Any, elapsed_s: float) -> tuple[Any, Any]:
        key = tuple(name)
        self._check(key)
        index = bisect_right(self._keys, key)
        if index == len(self._keys):
            return name, rfc1905.endOfMibView
        return self._names[index], self._at(index, elapsed_s)

    def _at(self, index: int, elapsed_s: float) -> Any:
        _, kind, value = self._rows[index]
        return _TYPES[kind](value(elapsed_s) if callable(value) else value)

    def _check(self, key: Key) -> None:
        top = self.broken_below
        if top is not None and key[: len(top)] == top:
            raise GenError(idx=0)

    def _ready(self) -> float:
        """Take over a changed model; return the seconds since the start."""
        if self.silent:
            # pysnmp's responder drops the request without an answer.
            raise PySnmpError("this device does not answer")
        if self._version != self._model.version:
            self._rows = sorted(self._model.rows(), key=lambda row: row[0])
            self._keys = [row[0] for row in self._rows]
            self._names = [rfc1902.ObjectIdentifier(key) for key in self._keys]
            self._index = {key: index for index, key in enumerate(self._keys)}
            self._version = self._model.version
        return self._clock.monotonic_s() - self._start_s


class SnmpAgent:
    """One device on a UDP port of loopback, by v2c or v3.

    ``engine_id`` is its SNMPv3 name; None for the one of this process. ``host`` is
    its address: whoever receives traps knows devices by that.
    """

    def __init__(
        self,
        model: Model,
        credential: Credential = DEMO_CREDENTIAL,
        *,
        clock: Clock | None = None,
        engine_id: bytes | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self._engine_id = engine_id
        self._host = host
        self._answers = _Answers(model, clock or SystemClock())
        self._credential = credential
        self._engine: SnmpEngine | None = None
        self._transport: Any = None
        self._socket: socket.socket | None = None

    async def start(self, port: int = 0) -> str:
        """Open the port (0: a free one) and return ``host:port``."""
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.setblocking(False)
        server.bind((self._host, port))
        engine = new_engine()
        if self._engine_id is not None:
            # Giving it to the constructor would leave a folder in /tmp.
            (holder,) = engine.get_mib_builder().import_symbols(
                "__SNMP-FRAMEWORK-MIB", "snmpEngineID"
            )
            holder.syntax = holder.syntax.clone(self._engine_id)
            engine.snmpEngineID = holder.syntax
        self._transport = udp.UdpAsyncioTransport().open_server_mode(sock=server)
        config.add_transport(engine, udp.DOMAIN_NAME, self._transport)
        _let_in(engine, self._credential)
        room = context.SnmpContext(engine)
        room.context_names[b""] = self._answers  # type: ignore[assignment]
        for responder in (
            cmdrsp.GetCommandResponder,
            cmdrsp.NextCommandResponder,
            cmdrsp.BulkCommandResponder,
        ):
            responder(engine, room)
        self._engine, self._socket = engine, server
        host, bound = server.getsockname()
        return f"{host}:{bound}"

    async def stop(self) -> None:
        """Close the port; nothing happens if it is closed."""
        if self._engine is None:
            return
        engine, self._engine, self._socket = self._engine, None, None
        # What comes now is too late; what has come is answered in the loop's next
        # round, while the engine still knows its transport.
        self._transport.unregister_callback()
        self._transport.register_callback(lambda *_: None)
        await asyncio.sleep(0)
        engine.close_dispatcher()
        # The loop closes the socket and ends the timer in its next rounds.
        for _ in range(3):
            await asyncio.sleep(0)

    def send_trap(self, name: str, receiver: tuple[str, int]) -> None:
        """Send a v2c trap of this name (object id) from the agent's own address.

        Nothing happens while the agent is silent or not started.
        """
        if self._socket is None or self._answers.silent:
            return
        community = self._credential.community
        self._socket.sendto(
            _trap(name, community.reveal() if community else ""), receiver
        )

    def set_silent(self, silent: bool) -> None:
        """Stop answering, as a device without power; or answer again."""
        self._answers.silent = silent

    def break_below(self, root: str | None) -> None:
        """Answer genErr to everything below an object id; None heals it."""
        self._answers.broken_below = None if root is None else oid_key(root)


def _let_in(engine: SnmpEngine, credential: Credential) -> None:
    """Tell the engine who may ask."""
    if credential.version == "v2c":
        community = credential.community
        config.add_v1_system(engine, "netmon", community.reveal() if community else "")
        config.add_vacm_user(engine, 2, "netmon", "noAuthNoPriv", (1,))
        return
    from collectors.snmp_pysnmp import AUTH_PROTOCOLS, PRIV_PROTOCOLS

    auth, priv = credential.auth_secret, credential.priv_secret
    config.add_v3_user(
        engine,
        credential.user,
        AUTH_PROTOCOLS[credential.auth_protocol],
        auth.reveal() if auth else "",
        PRIV_PROTOCOLS[credential.priv_protocol],
        priv.reveal() if priv else "",
    )
    config.add_vacm_user(engine, 3, credential.user, "authPriv", (1,))


def _plain(tag: str, data: bytes) -> Plain:
    if tag in _NUMBERS:
        return int(data)
    if tag == "6":
        return data.decode()
    if tag == "64" and len(data) != 4:
        return data.decode()
    return data


def _trap(name: str, community: str) -> bytes:
    """Return a trap without objects: whoever receives it asks for them."""
    pdu, message = v2c.TrapPDU(), v2c.Message()
    v2c.apiTrapPDU.set_defaults(pdu)
    v2c.apiTrapPDU.set_varbinds(
        pdu, [(v2c.apiTrapPDU.snmpTrapOID, v2c.ObjectIdentifier(name))]
    )
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))
