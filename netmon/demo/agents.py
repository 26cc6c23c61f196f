"""Real SNMP agents over UDP for the demo and for tests, all in one process.

Each agent is a pysnmp engine on a free port of 127.0.0.1 that answers from a
model in memory (`netmon.demo.agent_data`) by bisecting a sorted list: no MIB
tree is involved, which keeps a full poll of a device at some ten milliseconds.
"""

from __future__ import annotations

import asyncio
import socket
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.error import PySnmpError
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.smi.error import GenError

from collectors.base import oid_key
from collectors.credentials import Credential
from collectors.recorded import RawRow
from netmon.clock import Clock, SystemClock
from netmon.config import Secret
from netmon.demo.agent_data import (
    ApSpec,
    ControllerModel,
    Key,
    Model,
    Plain,
    Row,
    ValueKind,
)
from netmon.demo.faults import ApFault
from netmon.demo.line_models import LineModel, line_model
from netmon.demo.switch_model import Attached, SwitchModel, cabled
from netmon.model import Device, DeviceKind, Inventory
from netmon.units import GBIT, MBIT

__all__ = [
    "DEMO_CREDENTIAL",
    "AgentFleet",
    "AgentSpec",
    "ApFault",
    "ApSpec",
    "Attached",
    "ControllerModel",
    "RecordedModel",
    "SnmpAgent",
    "SwitchModel",
    "specs_for",
]

DEMO_CREDENTIAL = Credential(
    name="default", version="v2c", community=Secret("netmon-demo")
)
DEFAULT_PORTS = 24

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


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One device to play: its id in the inventory and what it says."""

    device_id: str
    model: Model


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
    """One device on a UDP port of 127.0.0.1, by v2c or v3.

    ``engine_id`` is its SNMPv3 name; None for the one of this process.
    """

    def __init__(
        self,
        model: Model,
        credential: Credential = DEMO_CREDENTIAL,
        *,
        clock: Clock | None = None,
        engine_id: bytes | None = None,
    ) -> None:
        self._engine_id = engine_id
        self._answers = _Answers(model, clock or SystemClock())
        self._credential = credential
        self._engine: SnmpEngine | None = None
        self._transport: Any = None

    async def start(self, port: int = 0) -> str:
        """Open the port (0: a free one) and return ``127.0.0.1:port``."""
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.setblocking(False)
        server.bind(("127.0.0.1", port))
        engine = SnmpEngine()
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
        self._engine = engine
        host, bound = server.getsockname()
        return f"{host}:{bound}"

    async def stop(self) -> None:
        """Close the port; nothing happens if it is closed."""
        if self._engine is None:
            return
        self._engine.close_dispatcher()
        self._engine = None
        # The loop closes the socket and ends the timer in its next rounds.
        for _ in range(3):
            await asyncio.sleep(0)

    def set_silent(self, silent: bool) -> None:
        """Stop answering, as a device without power; or answer again."""
        self._answers.silent = silent

    def break_below(self, root: str | None) -> None:
        """Answer genErr to everything below an object id; None heals it."""
        self._answers.broken_below = None if root is None else oid_key(root)


class AgentFleet:
    """All devices of the demo."""

    def __init__(
        self,
        *,
        credential: Credential = DEMO_CREDENTIAL,
        clock: Clock | None = None,
    ) -> None:
        self._credential = credential
        self._clock = clock or SystemClock()
        self._agents: dict[str, SnmpAgent] = {}
        self._models: dict[str, Model] = {}

    async def start(self, devices: Sequence[AgentSpec]) -> dict[str, str]:
        """Start an agent a device; return addresses ``127.0.0.1:port`` by id."""
        addresses = {}
        for spec in devices:
            agent = SnmpAgent(spec.model, self._credential, clock=self._clock)
            addresses[spec.device_id] = await agent.start()
            self._agents[spec.device_id] = agent
            self._models[spec.device_id] = spec.model
            # An engine takes 50 ms to build: others on the loop get their turn.
            await asyncio.sleep(0)
        return addresses

    async def stop(self) -> None:
        """Close all ports."""
        for agent in self._agents.values():
            await agent.stop()
        self._agents.clear()
        self._models.clear()

    def agent(self, device_id: str) -> SnmpAgent:
        """Return the agent of a device; KeyError if there is none."""
        return self._agents[device_id]

    def model(self, device_id: str) -> Model:
        """Return what a device says; KeyError if there is none."""
        return self._models[device_id]

    def set_ap(
        self,
        building_id: str,
        ap: str,
        *,
        up: bool | None = None,
        present: bool | None = None,
        clients_count: int | None = None,
        radios_on: bool | None = None,
        serial: str | None = None,
    ) -> str:
        """Change an access point, named by id or name; return its id.

        Raises:
            KeyError: no controller has it.
        """
        for model in self._models.values():
            if not isinstance(model, ControllerModel):
                continue
            ap_id = model.find(building_id, ap)
            if ap_id is not None:
                model.set_ap(
                    ap_id,
                    up=up,
                    present=present,
                    clients_count=clients_count,
                    radios_on=radios_on,
                    serial=serial,
                )
                return ap_id
        raise KeyError(f"{building_id}/{ap}")

    def break_ap(self, building_id: str, ap: str, fault: ApFault | None) -> str:
        """Give an access point a fault and no other, or heal it (None); return its id.

        Where no switch of the demo has it, only its controller tells.

        Raises:
            KeyError: no controller has it.
        """
        gone = fault in {ApFault.POWER, ApFault.CABLE, ApFault.JOIN}
        ap_id = self.set_ap(
            building_id,
            ap,
            up=not gone,
            radios_on=fault is not ApFault.RADIO,
            serial="ANDERE0001" if fault is ApFault.SWAP else "",
        )
        for model in self._models.values():
            if isinstance(model, SwitchModel):
                for port, attached in list(model.attached.items()):
                    if attached.id == ap_id:
                        model.set_port(
                            port,
                            oper_up=fault not in {ApFault.POWER, ApFault.CABLE},
                            poe_on=fault is not ApFault.POWER,
                            speed_bps=100 * MBIT if fault is ApFault.SLOW else GBIT,
                        )
        return ap_id

    def set_port(
        self,
        device_id: str,
        port: str,
        *,
        oper_up: bool | None = None,
        admin_up: bool | None = None,
        speed_bps: int | None = None,
    ) -> None:
        """Change a port of a switch, named as in ifName.

        Raises:
            KeyError: there is no such switch or port.
        """
        model = self._models[device_id]
        if not isinstance(model, SwitchModel):
            raise KeyError(f"{device_id} is no switch")
        model.set_port(port, oper_up=oper_up, admin_up=admin_up, speed_bps=speed_bps)

    def set_line(self, line_id: str, *, broken: bool) -> bool:
        """Let the device that ends a line tell of a fault, or of none.

        False where no device of the demo ends that line.
        """
        found = [
            model
            for model in self._models.values()
            if isinstance(model, LineModel) and model.line.id == line_id
        ]
        for model in found:
            model.set_broken(broken)
        return bool(found)

    def set_device(self, device_id: str, *, answers: bool) -> None:
        """Let a device fall silent or speak again; KeyError if there is none."""
        self._agents[device_id].set_silent(not answers)


def specs_for(inventory: Inventory, building_ids: Sequence[str]) -> list[AgentSpec]:
    """Return specs for the controllers, switches and routers of some buildings.

    A controller without building is played if one of its access points stands
    in these buildings. Routers that end no line are left out.
    """
    wanted = set(building_ids)
    specs = []
    for device in inventory.devices:
        aps = [ap for ap in inventory.access_points if ap.controller_id == device.id]
        serves = {ap.building_id for ap in aps} | {device.building_id}
        if serves & wanted and (model := _model(device, inventory)) is not None:
            specs.append(AgentSpec(device.id, model))
    return specs


def _model(device: Device, inventory: Inventory) -> Model | None:
    if device.kind is DeviceKind.SWITCH:
        here = device.building_id
        attached = cabled(
            [
                one
                for one in inventory.devices
                if one.building_id == here and one.kind is DeviceKind.SWITCH
            ],
            inventory.access_points_of.get(here or "", ()),
            DEFAULT_PORTS,
        )
        ports = device.ports or DEFAULT_PORTS
        return SwitchModel(device.name, ports, device.id, attached.get(device.id, {}))
    if device.kind is DeviceKind.ROUTER:
        line = inventory.line_by_id.get(device.line_id or "")
        return None if line is None else line_model(device.name, line, device.id)
    points = [
        ApSpec(
            ap.id,
            ap.building_id,
            ap.name,
            ap.serial or f"DEMO{zlib.crc32(ap.id.encode()):08X}",
            ap.model or "515",
        )
        for ap in inventory.access_points
        if ap.controller_id == device.id
    ]
    return ControllerModel(device.name, points, device.id)


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
