"""Who explains whom, one hop each, out of the inventory."""

from __future__ import annotations

import pytest
from msgspec import structs

from alerts.dependency import parents_of
from netmon.model import AccessPoint, Device, DeviceKind

LINE = ("line_down", "line:gs-07-main")
WAY = (LINE, ("line_flapping", "line:gs-07-main"))
NETMON = ("monitor", "netmon:self")
ROUTER = ("device_down", "device:rt-07")
SWITCH = ("device_down", "device:sw-07")
CONTROLLER = ("device_down", "device:wlc-07")


def device(id_: str, kind: DeviceKind, **more: object) -> Device:
    base = Device(
        id=id_, building_id="gs-07", kind=kind, name=id_, address="192.0.2.1:161"
    )
    return structs.replace(base, **more)


@pytest.fixture
def school(city):
    patched = structs.replace(city.access_points[0], switch_id="sw-07")
    remote = AccessPoint(
        id="far", building_id="gs-07", name="far", controller_id="central"
    )
    devices = (
        *city.devices,
        device("old", DeviceKind.ROUTER, line_id="gs-07-backup"),
        device("rt-07", DeviceKind.ROUTER, line_id="gs-07-main"),
        device("sw-07", DeviceKind.SWITCH),
        device("central", DeviceKind.CONTROLLER, building_id=None),
    )
    points = (patched, *city.access_points[1:], remote)
    return structs.replace(city, devices=devices, access_points=points)


@pytest.mark.parametrize(
    ("rule", "target", "parents"),
    [
        ("line_down", "line:gs-07-main", (NETMON,)),
        ("line_below_target", "line:gs-07-main", (LINE, NETMON)),
        ("line_flapping", "line:gs-07-main", (LINE, NETMON)),
        ("line_below_target", "line:gs-07-backup", (LINE, NETMON)),
        ("no_data", "line:gs-07-main", (LINE, NETMON)),
        ("below_by_contract", "line:gs-07-main", ()),
        ("monitor", "netmon:self", ()),
        ("device_down", "device:rt-07", WAY),
        ("device_down", "device:sw-07", (ROUTER, *WAY)),
        ("device_down", "device:wlc-07", (ROUTER, *WAY)),
        ("device_down", "device:central", (NETMON,)),
        ("device_down", "device:gone", ()),
        ("ap_down", "ap:gs-07-ap-1", (SWITCH, CONTROLLER, *WAY)),
        ("ap_degraded", "ap:gs-07-ap-1", (SWITCH, CONTROLLER, *WAY)),
        # At which switch these are nobody wrote down: the router is before all.
        ("ap_down", "ap:gs-07-ap-2", (ROUTER, CONTROLLER, *WAY)),
        ("ap_down", "ap:far", (ROUTER, ("device_down", "device:central"), *WAY)),
        # Nobody planned it: its tag begins with its controller.
        ("ap_down", "ap:wlc-07/Aula", (ROUTER, CONTROLLER, *WAY)),
    ],
)
def test_parents(school, rule, target, parents):
    building = "" if target.endswith("central") else "gs-07"
    assert parents_of((rule, target), building, school) == parents


def test_without_routers_and_lines_there_is_less_to_explain(school):
    bare = structs.replace(school, lines=(), devices=school.devices[-2:])
    assert parents_of(("device_down", "device:sw-07"), "gs-07", bare) == ()
    assert parents_of(("no_data", "line:x"), "gs-07", bare) == (NETMON,)


def test_any_router_is_better_than_none(school):
    devices = [d for d in school.devices if d.id != "rt-07"]
    other = structs.replace(school, devices=tuple(devices))
    assert parents_of(("device_down", "device:sw-07"), "gs-07", other)[0] == (
        "device_down",
        "device:old",
    )
