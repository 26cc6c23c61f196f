"""Real SNMP agents over UDP for the demo and for tests, all in one process.

Each has an address of its own in 127.0.0.0/8, as devices do, and a free port there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from collectors.credentials import Credential
from netmon.clock import Clock, SystemClock
from netmon.demo.agent_data import ApSpec, ControllerModel, Model
from netmon.demo.agent_specs import AgentSpec, specs_for
from netmon.demo.faults import ApFault
from netmon.demo.line_models import LineModel
from netmon.demo.snmp_agent import DEMO_CREDENTIAL, RecordedModel, SnmpAgent
from netmon.demo.switch_model import Attached, SwitchModel
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

# linkDown and linkUp (RFC 2863); access point down and up (WLSX-TRAP-MIB).
LINK_TRAPS = ("1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.4")
AP_TRAPS = (
    "1.3.6.1.4.1.14823.2.3.1.11.1.2.1041",
    "1.3.6.1.4.1.14823.2.3.1.11.1.2.1040",
)


class AgentFleet:
    """All devices of the demo; changes are told by traps to ``traps_to`` if given."""

    def __init__(
        self,
        *,
        credential: Credential = DEMO_CREDENTIAL,
        clock: Clock | None = None,
        traps_to: tuple[str, int] | None = None,
    ) -> None:
        self._credential = credential
        self._traps_to = traps_to
        self._clock = clock or SystemClock()
        self._agents: dict[str, SnmpAgent] = {}
        self._models: dict[str, Model] = {}

    async def start(self, devices: Sequence[AgentSpec]) -> dict[str, str]:
        """Start an agent a device; return addresses ``host:port`` by id."""
        addresses = {}
        for number, spec in enumerate(devices, len(self._agents) + 1):
            agent = SnmpAgent(
                spec.model,
                self._credential,
                clock=self._clock,
                host=f"127.0.{number // 250 + 1}.{number % 250 + 1}",
            )
            addresses[spec.device_id] = await agent.start()
            self._agents[spec.device_id] = agent
            self._models[spec.device_id] = spec.model
            # Others on the loop get their turn.
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
        unlinked = fault in {ApFault.POWER, ApFault.CABLE}
        ap_id = self.set_ap(
            building_id,
            ap,
            up=not gone,
            radios_on=fault is not ApFault.RADIO,
            serial="ANDERE0001" if fault is ApFault.SWAP else "",
        )
        for name, model in self._models.items():
            if isinstance(model, SwitchModel):
                for port, attached in list(model.attached.items()):
                    if attached.id == ap_id:
                        model.set_port(
                            port,
                            oper_up=not unlinked,
                            poe_on=fault is not ApFault.POWER,
                            speed_bps=100 * MBIT if fault is ApFault.SLOW else GBIT,
                        )
                        self._tell(name, LINK_TRAPS[not unlinked])
            elif isinstance(model, ControllerModel) and model.find(building_id, ap_id):
                self._tell(name, AP_TRAPS[not gone])
        return ap_id

    def _tell(self, device_id: str, trap: str) -> None:
        if self._traps_to is not None:
            self._agents[device_id].send_trap(trap, self._traps_to)

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
