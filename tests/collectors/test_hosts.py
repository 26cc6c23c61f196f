"""Whose row it is, and which controller speaks of an access point."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from collectors.decode import Row, TableResult
from collectors.hosts import TWO_AFTER_MS, Hosts
from collectors.records import DeviceResult, Known, to_records
from netmon.model import AccessPoint, Device, DeviceKind, FailureReason, Inventory
from netmon.spool_record import SpoolRecord
from tests.city import a_building

MINUTE_MS = 60_000


def controller(name: str, building_id: str | None = None) -> Device:
    return Device(
        id=name,
        building_id=building_id,
        kind=DeviceKind.CONTROLLER,
        name=name,
        address=f"{name}.invalid:161",
    )


def plan(ap: str, at: str = "a", **more: str) -> AccessPoint:
    fields = {"id": ap, "building_id": "b1", "name": ap, **more}
    return AccessPoint(controller_id=at, **fields)


def row(name: str = "", up: float | None = 1.0, serial: str = "", mac: str = "") -> Row:
    parts = {"ap": f"{name}/{serial}/{mac}"} | ({"mac": mac} if mac else {})
    return Row(parts, {"up": up}, {"name": name, "serial": serial})


class Controllers:
    """Some controllers, polled in turn; what each says of access points."""

    def __init__(self, *plans: AccessPoint, devices: tuple[Device, ...] = ()) -> None:
        self.devices = {d.id: d for d in devices or map(controller, ("a", "b", "c"))}
        alone = replace(controller("w", "b1"), kind=DeviceKind.ACCESS_POINT)
        self.hosts = Hosts()
        self.at_ms = 0
        self.plans = plans
        buildings = tuple(
            a_building(name) for name in dict.fromkeys(p.building_id for p in plans)
        )
        self.hosts.know(
            Inventory(
                buildings=buildings,
                devices=(*self.devices.values(), alone),
                access_points=plans,
            )
        )

    def poll(
        self, name: str, *rows: Row, complete: bool = True, silent: bool = False
    ) -> dict[str, float | FailureReason | None]:
        """Return what is told of each access point by its tag."""
        return {
            record.tags["ap"]: record.failure or record.values["up"]
            for record in self.records(name, *rows, complete=complete, silent=silent)
            if record.kind == "wlan_ap"
        }

    def records(
        self, name: str, *rows: Row, complete: bool = True, silent: bool = False
    ) -> list[SpoolRecord]:
        self.at_ms += MINUTE_MS
        device = self.devices[name]
        # An empty table is complete only if the controller counts none itself.
        count = Row({"controller": "0"}, {"aps_count": float(len(rows))}, {})
        tables = (
            TableResult("t", "controller", (count,), complete=True),
            TableResult("t", "access_point", rows, complete),
        )
        failure = FailureReason.NO_REPLY if silent else None
        result = DeviceResult(self.at_ms, 0.1, failure, tables=() if silent else tables)
        own = [plan for plan in self.plans if plan.controller_id == name]
        roster = self.hosts.roster(device, self.at_ms)
        records, known = to_records(device, own, result, Known(), roster)
        up = None if silent else known.up
        self.hosts.note(device, self.at_ms, up, known.twice)
        return records

    def all_asked(self) -> Controllers:
        for name in self.devices:
            self.poll(name, silent=True)
        return self


@pytest.mark.parametrize(
    ("planned", "shown"),
    [
        (plan("R1", serial="S1"), row("anders", serial="s1")),
        (plan("R1", mac="00:1a:1e:00:00:0f"), row("anders", mac="0.26.30.0.0.15")),
        (plan("R1"), row("r1")),
        (plan("R1", serial="S1"), row("R1")),
    ],
    ids=["serial", "address", "name", "name where the serial is not told"],
)
def test_one_is_known_again_at_another_controller(
    planned: AccessPoint, shown: Row
) -> None:
    all_of_it = Controllers(planned).all_asked()
    assert all_of_it.poll("b", shown) == {"R1": 1.0}
    # The planned one comes back without it, and says nothing of it.
    assert all_of_it.poll("a") == {}
    assert all_of_it.poll("b", shown) == {"R1": 1.0}
    assert all_of_it.poll("a", shown) == {"R1": 1.0}
    # Its place at the other one is left, whether that keeps a row or not.
    left = replace_up(shown, 0.0)
    assert all_of_it.poll("b", left) == {}
    assert all_of_it.poll("b") == {}
    assert all_of_it.poll("a", left) == {"R1": 0.0}


def test_a_row_that_waits_for_one_says_nothing() -> None:
    """Huawei lists those that another controller has as "standby"."""
    pair = (controller("a", "b1"), controller("b", "b1"))
    two = Controllers(plan("R1"), devices=pair).all_asked()
    shown = row("R1")
    for _ in range(2):
        assert two.poll("a", shown) == {"R1": 1.0}
        assert two.poll("b", replace_up(shown, None)) == {}
    assert two.poll("b", shown) == {}
    assert two.poll("a", replace_up(shown, 0.0)) == {"R1": 0.0}
    assert two.poll("b", shown) == {"R1": 1.0}


def replace_up(shown: Row, up: float | None) -> Row:
    return Row(shown.parts, {"up": up}, shown.words)


@pytest.mark.parametrize(
    ("plans", "rows"),
    [
        # Two bear the name, at any controllers.
        ((plan("x", name="R1"), plan("y", "c", name="R1")), (row("R1"),)),
        ((plan("x", name="R1"), plan("y", "b", name="R1")), (row("R1"), row("R2"))),
        # One of two stands alone.
        ((plan("x", name="R1"), plan("y", "w", name="R1")), (row("R1"),)),
        # Two rows of one name.
        ((plan("R1"),), (row("R1"), row("R1", serial="S2"))),
        # Another device under the same name.
        ((plan("R1", serial="S1"),), (row("R1", serial="S9"),)),
        # Two of one serial number are wrong, whichever it is.
        (
            (plan("x", serial="S1"), plan("y", "c", serial="S1")),
            (row("n", serial="S1"),),
        ),
        # A row that says nothing of who it is.
        ((plan("R1"),), (row(""),)),
    ],
)
def test_nothing_is_guessed(
    plans: tuple[AccessPoint, ...], rows: tuple[Row, ...]
) -> None:
    all_of_it = Controllers(*plans).all_asked()
    told = all_of_it.poll("b", *rows)
    own = {plan.id for plan in plans if plan.controller_id == "b"}
    assert set(told) <= own
    missing = {plan.id: 0.0 for plan in plans if plan.controller_id == "a"}
    assert all_of_it.poll("a") == missing


def test_a_namesake_is_another_one_while_both_are_up() -> None:
    two = Controllers(plan("R1"), devices=(controller("a"), controller("b", "b1")))
    two.all_asked()
    shown = row("R1")
    assert two.poll("a", shown) == {"R1": 1.0}
    # It may be on its way here for a while, and is no stranger yet.
    for _ in range(TWO_AFTER_MS // MINUTE_MS // 2 + 1):
        assert two.poll("b", shown) == {}
        assert two.poll("a", shown) == {"R1": 1.0}
    assert two.poll("b", shown) == {"b/R1": 1.0}
    assert two.poll("a", shown) == {"R1": 1.0}
    # So the one that is planned is gone, and has not come here.
    assert two.poll("a") == {"R1": 0.0}
    assert two.poll("b", shown) == {"b/R1": 1.0}
    assert two.poll("a") == {"R1": 0.0}


def test_a_standby_that_lists_it_as_well_leaves_the_word_to_the_other() -> None:
    """Both list it, and both know that it runs: that is no failover."""
    two = Controllers(plan("R1", serial="S1")).all_asked()
    shown = row("R1", serial="S1")
    for _ in range(TWO_AFTER_MS // MINUTE_MS):
        two.poll("a", shown)
        two.poll("b", shown)
    for _ in range(3):
        assert two.poll("a", shown) == {"R1": 1.0}
        assert two.poll("b", shown) == {}
    assert two.poll("a", silent=True) == {}
    assert two.poll("b", shown) == {"R1": 1.0}
    assert two.poll("a") == {}
    assert two.poll("b") == {"R1": 0.0}


def test_one_that_is_shown_twice_for_a_while_has_moved() -> None:
    two = Controllers(plan("R1")).all_asked()
    shown = row("R1")
    two.poll("a", shown)
    assert two.poll("b", shown) == {}
    assert two.poll("a") == {"R1": 0.0}
    assert two.poll("b", shown) == {"R1": 1.0}
    assert two.poll("a") == {}


def test_the_controller_that_had_it_last_says_that_it_is_gone() -> None:
    all_of_it = Controllers(plan("R1"), plan("R2")).all_asked()
    assert all_of_it.poll("b", row("R1"), row("R2")) == {"R1": 1.0, "R2": 1.0}
    assert all_of_it.poll("a") == {}
    assert all_of_it.poll("b", row("R1", up=0.0)) == {"R1": 0.0, "R2": 0.0}
    assert all_of_it.poll("b", complete=False) == dict.fromkeys(
        ("R1", "R2"), FailureReason.PARTIAL
    )
    # Silence says nothing, here as there.
    assert all_of_it.poll("b", silent=True) == {}
    assert all_of_it.poll("a") == {}
    assert all_of_it.poll("c", row("R2")) == {"R2": 1.0}
    assert all_of_it.poll("b") == {"R1": 0.0}


def test_nobody_is_missing_before_all_were_asked() -> None:
    three = Controllers(plan("R1"), plan("R2"))
    assert three.poll("a", row("R2")) == {"R2": 1.0}
    three.poll("b", silent=True)
    assert three.poll("a", row("R2")) == {"R2": 1.0}
    three.poll("c")
    assert three.poll("a", row("R2")) == {"R1": 0.0, "R2": 1.0}


def test_a_school_s_own_controller_takes_in_no_other_school_s() -> None:
    """What the inventory would refuse to plan there is not there for a while."""
    devices = (controller("a", "b1"), controller("b", "b2"))
    plans = (plan("R1", serial="S1"), plan("R9", "b", building_id="b2"))
    schools = Controllers(*plans, devices=devices)
    shown = row("R1", serial="S1")
    assert schools.poll("b", shown) == {"b/R1": 1.0, "R9": 0.0}
    # Nor is it waited for.
    assert schools.poll("a") == {"R1": 0.0}


def test_a_standby_tells_of_itself_where_its_guests_are() -> None:
    two = Controllers(plan("R1"), plan("R2", building_id="b2")).all_asked()

    def told(*rows: Row, silent: bool = False) -> list[tuple[str, str]]:
        return [
            (record.tags["building"], record.kind)
            for record in two.records("b", *rows, silent=silent)
            if record.kind in {"device", "wlan_controller"}
        ]

    assert told() == []
    both = [("b1", "device"), ("b1", "wlan_controller")]
    assert told(row("R1")) == both
    assert told(silent=True) == [("b1", "device")]


def test_a_new_inventory_forgets_what_it_no_longer_has() -> None:
    all_of_it = Controllers(plan("R1"), plan("R2")).all_asked()
    all_of_it.poll("b", row("R1"), row("R2"))
    devices = tuple(all_of_it.devices.values())
    kept = replace(all_of_it.plans[0], controller_id="b")
    buildings = (a_building("b1"),)
    all_of_it.hosts.know(
        Inventory(buildings=buildings, devices=devices, access_points=(kept,))
    )
    all_of_it.plans = (kept,)
    assert all_of_it.hosts.roster(all_of_it.devices["b"], 0).guests == ()
    assert all_of_it.poll("b") == {"R1": 0.0}
