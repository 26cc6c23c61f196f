"""A state and its trail in words: the same for pages, API, mails and the terminal."""

from __future__ import annotations

from netmon.model import Inventory
from netmon.texts import Texts
from netmon.wlan_truth.states import ApState, ApTruth, TrailEnd, UnknownReason


def state_text(truth: ApTruth, texts: Texts) -> str:
    """Return the name of an access point's state."""
    return texts(f"wlan.state.{truth.state}")


def trail_text(truth: ApTruth, inventory: Inventory, texts: Texts) -> str:
    """Return what explains the state; empty where there is nothing to add.

    Sentences without a full stop at the end of the last one.
    """
    # Of a list that is not complete nobody knows who is missing in it.
    joined_unknown = (
        truth.unknown is UnknownReason.INCOMPLETE and truth.end is TrailEnd.NOT_JOINED
    )
    tells_end = truth.end is not None and not joined_unknown
    parts = [
        _first(truth, texts),
        _end(truth, inventory, texts) if tells_end else "",
    ]
    if truth.planned_port and truth.works:
        switch, _, port = truth.planned_port.partition(" ")
        planned = _port(switch, port, inventory, texts)
        parts.append(
            texts("wlan.moved", planned=planned, port=_own(truth, inventory, texts))
        )
    if truth.controller_id and truth.works:
        parts.append(elsewhere_text(truth, inventory, texts))
    return ". ".join(part for part in parts if part)


def port_text(truth: ApTruth, inventory: Inventory, texts: Texts) -> str:
    """Return the port where an access point is; empty where that is not known."""
    return _own(truth, inventory, texts) if truth.port else ""


def elsewhere_text(truth: ApTruth, inventory: Inventory, texts: Texts) -> str:
    """Return at which controller it is instead of the planned one."""
    plan = inventory.access_point_by_id.get(truth.ap)
    return texts(
        "wlan.elsewhere",
        controller=_name(truth.controller_id, inventory),
        planned="" if plan is None else _name(plan.controller_id, inventory),
    )


def _name(device_id: str, inventory: Inventory) -> str:
    device = inventory.device_by_id.get(device_id)
    return device_id if device is None else device.name


def _first(truth: ApTruth, texts: Texts) -> str:
    if truth.unknown is not None:
        return texts(f"wlan.unknown.{truth.unknown}")
    if truth.change is not None:
        return texts(f"wlan.change.{truth.change}", other=truth.other)
    if truth.state is ApState.UNPLANNED and truth.other:
        return texts("wlan.instead_of", other=truth.other)
    if truth.state is ApState.SLOW_PORT:
        speeds = (truth.port_speed_bps, truth.uplink_speed_bps)
        least = min(speed for speed in speeds if speed is not None)
        return texts("wlan.slow", rate=texts.rate(least))
    if truth.state is ApState.NO_CLIENTS:
        return texts("wlan.no_clients", n=truth.silent_days_count)
    return ""


def _end(truth: ApTruth, inventory: Inventory, texts: Texts) -> str:
    return texts(
        f"wlan.end.{truth.end}",
        port=_own(truth, inventory, texts),
        other=truth.other or texts("wlan.something"),
        place="" if truth.place is None else texts(f"wlan.place.{truth.place}"),
        power="" if truth.poe_w is None else texts.number(truth.poe_w, 1),
    )


def _own(truth: ApTruth, inventory: Inventory, texts: Texts) -> str:
    return _port(truth.switch_id, truth.port, inventory, texts)


def _port(switch_id: str, port: str, inventory: Inventory, texts: Texts) -> str:
    return texts("wlan.port", port=port, switch=_name(switch_id, inventory))
