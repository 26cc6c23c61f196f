"""What depends on what: line -> router -> switch -> controller -> access point; pure.

One hop each, out of the inventory alone. That a parent has no state, or none worth
anything, is the gate's business (`alerts.gate`).
"""

from __future__ import annotations

from alerts.gate import Key
from alerts.rules import (
    AP_DEGRADED,
    AP_DOWN,
    DEVICE_DOWN,
    LINE_BELOW_TARGET,
    LINE_DOWN,
    LINE_FLAPPING,
    MONITOR,
    NETMON,
    NO_DATA,
    Scope,
    access_point_of,
    device_of,
)
from netmon.model import Device, DeviceKind, Inventory

MONITOR_KEY: Key = (MONITOR, NETMON)


def parents_of(
    key: Key, building_id: str, inventory: Inventory, via: str = ""
) -> tuple[Key, ...]:
    """Return what a rule on a target depends on; nearest first, empty for nothing.

    ``building_id`` is where the target is, empty for what stands in the centre. ``via``
    is the controller that an access point has joined, empty for the planned one.
    """
    rule, target = key
    if rule == LINE_DOWN:
        return (MONITOR_KEY,)
    if rule in {LINE_BELOW_TARGET, LINE_FLAPPING, NO_DATA}:
        return (*_line(building_id, inventory), MONITOR_KEY)
    if rule == DEVICE_DOWN:
        device = inventory.device_by_id.get(device_of(target))
        return () if device is None else _of_device(device, inventory)
    if rule in {AP_DOWN, AP_DEGRADED}:
        return _of_access_point(access_point_of(target), building_id, inventory, via)
    return ()


def device_key(device_id: str) -> Key:
    """Return the state that says whether a device answers."""
    return DEVICE_DOWN, f"{Scope.DEVICE}:{device_id}"


def line_key(line_id: str) -> Key:
    """Return the state that says whether a line is down altogether."""
    return LINE_DOWN, f"{Scope.LINE}:{line_id}"


def _line(building_id: str, inventory: Inventory) -> tuple[Key, ...]:
    line = inventory.main_line(building_id)
    return () if line is None else (line_key(line.id),)


def _way(building_id: str, inventory: Inventory) -> tuple[Key, ...]:
    """Return what all polls of a building come over: it may be gone, or come and go."""
    lost = _line(building_id, inventory)
    return (*lost, *((LINE_FLAPPING, target) for _, target in lost))


def _of_device(device: Device, inventory: Inventory) -> tuple[Key, ...]:
    if device.building_id is None:
        return (MONITOR_KEY,)
    behind = _before(device, device.building_id, inventory)
    keys = () if behind is None else (device_key(behind),)
    return (*keys, *_way(device.building_id, inventory))


def _before(device: Device, building_id: str, inventory: Inventory) -> str | None:
    """Return the device that one is reached through; None for none known."""
    if device.kind is DeviceKind.ROUTER:
        return None
    if device.kind is DeviceKind.ACCESS_POINT:
        # It stands alone, so it is planned as its own controller.
        for ap in inventory.access_points_of.get(building_id, ()):
            if ap.controller_id == device.id and ap.switch_id:
                return ap.switch_id
    router = _router(building_id, inventory)
    return None if router is None else router.id


def _router(building_id: str, inventory: Inventory) -> Device | None:
    """Return the building's gateway: the router that ends its main line, else any."""
    routers = [
        device
        for device in inventory.devices_of.get(building_id, ())
        if device.kind is DeviceKind.ROUTER
    ]
    main = inventory.main_line(building_id)
    of_main = (r for r in routers if main is not None and r.line_id == main.id)
    return next(of_main, routers[0] if routers else None)


def _of_access_point(
    ap: str, building_id: str, inventory: Inventory, via: str
) -> tuple[Key, ...]:
    planned = inventory.access_point_by_id.get(ap)
    if planned is not None:
        switch, controller = planned.switch_id, via or planned.controller_id
        if planned.controller_id in inventory.alone_at:
            # It is the device that is asked.
            controller = ""
    else:
        # Nobody planned it: its tag begins with its controller.
        switch, controller = None, ap.partition("/")[0]
    if not switch:
        # At which switch it is nobody wrote down: the router is in its way all the same.
        router = _router(building_id, inventory)
        switch = None if router is None else router.id
    keys = tuple(device_key(device) for device in (switch, controller) if device)
    return (*keys, *_way(building_id, inventory))
