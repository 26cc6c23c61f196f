"""The demo's switches: ports, power, and the access points plugged into them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from netmon.demo.agent_data import Key, Port, Row, mac_of, port_rows, system_rows
from netmon.model import AccessPoint, Device
from netmon.units import GBIT, MBIT

_POE: Key = (1, 3, 6, 1, 2, 1, 105, 1, 1, 1)
_CISCO_POE: Key = (1, 3, 6, 1, 4, 1, 9, 9, 402, 1, 2, 1)
_LOCAL_PORT: Key = (1, 0, 8802, 1, 1, 2, 1, 3, 7, 1)
_REMOTE: Key = (1, 0, 8802, 1, 1, 2, 1, 4, 1, 1)


@dataclass(frozen=True, slots=True)
class Attached:
    """An access point at a port: its id in the inventory and the name it tells."""

    id: str
    name: str


@dataclass(slots=True)
class SwitchModel:
    """A switch with IF-MIB, PoE and LLDP: copper ports, two uplinks, a VLAN interface.

    ``attached`` are the access points at its ports, named as in ifName.
    """

    name: str
    ports: int
    seed: str
    attached: Mapping[str, Attached] = field(default_factory=dict)
    version: int = 0
    _unpowered: set[str] = field(default_factory=set)
    _ports: dict[str, Port] = field(init=False)

    def __post_init__(self) -> None:
        dice = random.Random(self.seed)
        self._ports = {}
        for number in range(1, self.ports + 3):
            uplink = number > self.ports
            name = f"{'Te' if uplink else 'Gi'}1/0/{number}"
            used = uplink or dice.random() < 0.6
            used = used or name in self.attached
            busy_bps = dice.uniform(0.1, 12) * MBIT * (10 if uplink else 1)
            alias = "Uplink" if uplink else f"Dose {number:02d}" if used else ""
            self._ports[name] = Port(
                number,
                name,
                alias,
                10 * GBIT if uplink else GBIT,
                busy_bps if used else 0.0,
                busy_bps * dice.uniform(0.1, 0.9) if used else 0.0,
                oper_up=used,
            )

    def set_port(
        self,
        port: str,
        *,
        oper_up: bool | None = None,
        admin_up: bool | None = None,
        speed_bps: int | None = None,
        poe_on: bool | None = None,
    ) -> None:
        """Change a port; None leaves a property as it is.

        ``poe_on`` False: nothing draws power there, as without a cable.
        """
        state = self._ports[port]
        state.oper_up = state.oper_up if oper_up is None else oper_up
        state.admin_up = state.admin_up if admin_up is None else admin_up
        state.speed_bps = state.speed_bps if speed_bps is None else speed_bps
        if poe_on is not None:
            (self._unpowered.discard if poe_on else self._unpowered.add)(port)
        self.version += 1

    def attach(self, port: str, what: Attached | None) -> None:
        """Plug something into a port, or pull its cable (None)."""
        others = {name: one for name, one in self.attached.items() if name != port}
        self.attached = others if what is None else {**others, port: what}
        self.version += 1

    def rows(self) -> list[Row]:
        """Return the switch's objects."""
        dice = random.Random(f"{self.seed}/rows")
        rows = system_rows(
            f"Demo-Switch {self.ports}G, Version 1.0",
            "1.3.6.1.4.1.32473.1.1",  # the number reserved for examples, RFC 5612
            self.name,
            dice.uniform(1e5, 4e6),
        )
        rows += port_rows(list(self._ports.values()), if_type=6)
        vlan = Port(1000, "Vlan1", "", GBIT, 0.0, 0.0)
        rows += port_rows([vlan], if_type=53)
        for name, port in self._ports.items():
            if name.startswith("Gi"):
                rows += self._power_rows(port)
            rows.append(((*_LOCAL_PORT, 3, port.index), "octets", name))
            attached = self.attached.get(name)
            # The neighbour is forgotten with the link, at the latest when its TTL ends.
            if attached is not None and port.oper_up and port.admin_up:
                rows += _neighbour_rows(port.index, attached)
        return rows

    def _power_rows(self, port: Port) -> list[Row]:
        draws = port.name in self.attached and port.name not in self._unpowered
        watch: list[Row] = [
            # 3 is delivering power, 2 searching for somebody who wants it.
            ((*_POE, 6, 1, port.index), "integer", 3 if draws else 2),
            ((*_CISCO_POE, 9, 1, port.index), "gauge", 9200 if draws else 0),
        ]
        return watch


def _neighbour_rows(index: int, attached: Attached) -> list[Row]:
    at = (0, index, 1)
    return [
        ((*_REMOTE, 5, *at), "octets", bytes(mac_of(attached.id))),
        ((*_REMOTE, 7, *at), "octets", "eth0"),
        ((*_REMOTE, 9, *at), "octets", attached.name),
        # Bits of lldpRemSysCapEnabled: bridge 2, wlanAccessPoint 3.
        ((*_REMOTE, 12, *at), "octets", b"\x30\x00"),
    ]


def cabled(
    switches: Iterable[Device], points: Iterable[AccessPoint], default_ports: int
) -> dict[str, dict[str, Attached]]:
    """Return which access point is at which port, by switch and ifName.

    Those whose port the inventory does not know are at ports that it leaves free,
    from the last one down; where no port is left they hang on nothing.
    """
    points = list(points)
    plugged: dict[str, dict[str, Attached]] = {}
    free = [
        (switch.id, f"Gi1/0/{number}")
        for switch in switches
        for number in range(1, (switch.ports or default_ports) + 1)
    ]
    taken = {(point.switch_id, point.switch_port) for point in points}
    left = [key for key in free if key not in taken]
    for point in points:
        if point.switch_id is not None:
            key = (point.switch_id, point.switch_port)
        elif left:
            key = left.pop()
        else:
            continue
        plugged.setdefault(key[0], {})[key[1]] = Attached(point.id, point.name)
    return plugged
