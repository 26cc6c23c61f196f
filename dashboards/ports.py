"""The ports of a building's switches, one by one; pure.

Of what is plugged in only the network's own devices are named: a computer that
tells its name by LLDP is somebody's, and is none of a monitor's business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from dashboards.facts import Moment
from netmon.model import Inventory
from netmon.storage.records import Latest, SeenAccessPoint


class PortView(Struct, frozen=True, gc=False):
    """A port as its switch last told; None where it did not tell.

    ``neighbour`` is the name of a device of the network, empty for another one or
    none; ``has_neighbour`` says whether there is any. ``errors_total`` counts since
    the switch began, ``changes_total`` how often the link came or went. ``failed``:
    the newest poll brought nothing.
    """

    port: str
    name: str
    up: bool | None
    switched_on: bool | None
    speed_bps: float | None
    full_duplex: bool | None
    neighbour: str
    has_neighbour: bool
    poe_on: bool | None
    poe_w: float | None
    errors_total: int | None
    changes_total: int | None
    in_rate_bps: float | None
    out_rate_bps: float | None
    at_ms: int | None
    stale: bool
    failed: bool

    @property
    def is_odd(self) -> bool:
        """Whether somebody should look: errors, or half duplex."""
        return bool(self.errors_total) or (self.up is True and not self._is_full)

    @property
    def _is_full(self) -> bool:
        return self.full_duplex is not False


def known_names(
    inventory: Inventory, building_id: str, seen: Iterable[SeenAccessPoint]
) -> set[str]:
    """Return what the network's own devices are called, as `_short` writes it."""
    names = [device.name for device in inventory.devices]
    names += [device.id for device in inventory.devices]
    names += [ap.name for ap in inventory.access_points_of[building_id]]
    names += [ap.name for ap in seen]
    return {_short(name) for name in names if name}


@lru_cache(maxsize=8192)
def _short(name: str) -> str:
    # Some write their domain behind the name. The same names come with every page.
    return name.strip().casefold().partition(".")[0]


def ports_of(
    ports: Sequence[Latest], names: Collection[str], moment: Moment
) -> Mapping[str, tuple[PortView, ...]]:
    """Return the ports by device, in the order of their numbers."""
    found: dict[str, list[PortView]] = {}
    for item in ports:
        view = _port(item, names, moment)
        found.setdefault(item.series.tags["device"], []).append(view)
    return {
        device: tuple(sorted(views, key=lambda view: _order(view.port)))
        for device, views in found.items()
    }


def _order(port: str) -> tuple[int, str]:
    return (int(port), "") if port.isdecimal() else (1 << 31, port)


def _flag(value: float | None) -> bool | None:
    return None if value is None else value == 1.0


def _port(item: Latest, names: Collection[str], moment: Moment) -> PortView:
    values, info = item.values, item.info
    told = info.get("neighbour", "")
    errors = [values.get(f"{way}_errors_total") for way in ("in", "out")]
    known = [number for number in errors if number is not None]
    changes = values.get("oper_changes_total")
    at_ms = item.ok_ts_ms
    return PortView(
        port=item.series.tags["port"],
        name=info.get("name", ""),
        up=_flag(values.get("oper_up")),
        switched_on=_flag(values.get("admin_up")),
        speed_bps=values.get("speed_bps"),
        full_duplex=_flag(values.get("full_duplex")),
        neighbour=told if _short(told) in names else "",
        has_neighbour=bool(told or info.get("neighbour_chassis")),
        poe_on=_flag(values.get("poe_on")),
        poe_w=values.get("poe_w"),
        errors_total=round(sum(known)) if known else None,
        changes_total=None if changes is None else round(changes),
        in_rate_bps=values.get("in_rate_bps"),
        out_rate_bps=values.get("out_rate_bps"),
        at_ms=at_ms,
        stale=at_ms is None or moment.is_stale("lan_port", at_ms),
        failed=item.failure is not None,
    )
