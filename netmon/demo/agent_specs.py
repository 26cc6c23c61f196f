"""Which devices of an inventory the demo plays, and what they say at first."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from netmon.demo.agent_data import ApSpec, ControllerModel, Model
from netmon.demo.line_models import line_model
from netmon.demo.switch_model import SwitchModel, cabled
from netmon.model import Device, DeviceKind, Inventory

DEFAULT_PORTS = 24


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One device to play: its id in the inventory and what it says."""

    device_id: str
    model: Model


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
