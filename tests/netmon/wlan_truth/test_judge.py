"""Each state and each end of a trail, by table."""

from __future__ import annotations

from typing import Any

import pytest

from netmon.model import AccessPoint
from netmon.texts import LANGUAGES, Texts, catalogue
from netmon.wlan_truth import (
    ApFacts,
    ApState,
    Change,
    PlaceSource,
    PortFacts,
    Reported,
    TrailEnd,
    UnknownReason,
    judge,
    trail_end,
)

PLAN = AccessPoint(
    id="a1",
    building_id="b1",
    name="AP-1.02",
    controller_id="c1",
    serial="S1",
    room_id="r1",
    switch_id="sw1",
    switch_port="Gi1/0/7",
)


def port(**changes: Any) -> PortFacts:
    fields: dict[str, Any] = {
        "switch_id": "sw1",
        "port": "Gi1/0/7",
        "source": PlaceSource.LLDP,
        "fresh": True,
        "oper_up": True,
        "admin_up": True,
        "speed_bps": 1e9,
        "poe_on": True,
        "poe_w": 9.0,
        "neighbour": "AP-1.02",
        "own": True,
    }
    return PortFacts(**(fields | changes))


def told(**changes: Any) -> Reported:
    fields: dict[str, Any] = {"ap": "a1", "name": "AP-1.02", "serial": "S1", "up": True}
    return Reported(**(fields | changes))


GONE = {"source": PlaceSource.PLAN, "neighbour": "", "own": False}


@pytest.mark.parametrize(
    ("found", "end"),
    [
        (None, TrailEnd.PORT_UNKNOWN),
        (port(fresh=False), TrailEnd.SWITCH_SILENT),
        (port(oper_up=None, **GONE), TrailEnd.SWITCH_SILENT),
        (port(), TrailEnd.NOT_JOINED),
        (port(**GONE), TrailEnd.NOT_JOINED),
        (port(poe_on=False, poe_w=0.0, **GONE), TrailEnd.NOT_JOINED),  # an injector
        (port(**(GONE | {"neighbour": "AP-9"})), TrailEnd.OTHER_DEVICE),
        (port(oper_up=False, admin_up=False, poe_on=False), TrailEnd.PORT_DISABLED),
        (port(oper_up=False, poe_on=False, poe_w=None), TrailEnd.NO_POWER),
        (port(oper_up=False, poe_on=True, poe_w=0.1), TrailEnd.NO_POWER),
        (port(oper_up=False, poe_on=True, poe_w=None), TrailEnd.PORT_DOWN),
        (port(oper_up=False, poe_on=True, poe_w=6.0), TrailEnd.PORT_DOWN),
        (port(oper_up=False, poe_on=None, poe_w=None), TrailEnd.PORT_DOWN),
    ],
)
def test_where_a_trail_ends(found: PortFacts | None, end: TrailEnd) -> None:
    assert trail_end(found) is end


DOWN = told(up=False)


ALONE_SILENT = {"alone": True, "controller_speaks": False, "way_works": True}


@pytest.mark.parametrize(
    ("facts", "state", "works", "extra"),
    [
        ({"reported": told()}, ApState.IN_ORDER, True, {}),
        # A port nobody knows takes nothing from one that works.
        ({"reported": told(), "port": None}, ApState.IN_ORDER, True, {}),
        ({"reported": told(radios_on=2)}, ApState.IN_ORDER, True, {}),
        ({"reported": told(clients_most=3.0)}, ApState.IN_ORDER, True, {}),
        ({"reported": told(serial="")}, ApState.IN_ORDER, True, {}),
        ({"reported": told(name="ap-1.02 ")}, ApState.IN_ORDER, True, {}),
        (
            {"reported": DOWN, "port": port(oper_up=False, poe_on=False, poe_w=0.0)},
            ApState.DOWN,
            False,
            {"end": TrailEnd.NO_POWER},
        ),
        (
            {"reported": DOWN, "port": port(oper_up=False)},
            ApState.DOWN,
            False,
            {"end": TrailEnd.PORT_DOWN},
        ),
        ({"reported": DOWN}, ApState.DOWN, False, {"end": TrailEnd.NOT_JOINED}),
        (
            {"reported": told(radios_on=0)},
            ApState.DOWN,
            False,
            {"end": TrailEnd.RADIO_OFF},
        ),
        (
            {"reported": DOWN, "port": None},
            ApState.DOWN,
            False,
            {"end": TrailEnd.PORT_UNKNOWN},
        ),
        (
            {"reported": DOWN, "port": port(**(GONE | {"neighbour": "AP-9"}))},
            ApState.DOWN,
            False,
            {"end": TrailEnd.OTHER_DEVICE, "other": "AP-9"},
        ),
        (
            {"reported": told(up=False, was_up=False)},
            ApState.NEVER_SEEN,
            False,
            {"end": TrailEnd.NOT_JOINED},
        ),
        (
            {"reported": told(serial="S2")},
            ApState.REPLACED,
            True,
            {"change": Change.OTHER_SERIAL, "other": "S2"},
        ),
        (
            {"reported": told(name="AP-NEU")},
            ApState.REPLACED,
            True,
            {"change": Change.OTHER_NAME, "other": "AP-NEU"},
        ),
        (
            {
                "reported": DOWN,
                "successor": "AP-NEU",
                "successor_by": Change.SAME_PORT,
            },
            ApState.REPLACED,
            False,
            {"change": Change.SAME_PORT, "other": "AP-NEU"},
        ),
        (
            {
                "reported": told(up=False, was_up=False),
                "successor": "AP-NEU",
                "successor_by": Change.SAME_ROOM,
            },
            ApState.REPLACED,
            False,
            {"change": Change.SAME_ROOM},
        ),
        (
            {"reported": told(), "port": port(speed_bps=1e8)},
            ApState.SLOW_PORT,
            True,
            {},
        ),
        ({"reported": told(uplink_speed_bps=1e8)}, ApState.SLOW_PORT, True, {}),
        (
            # What is at the planned port now is something else's link.
            {
                "reported": told(),
                "port": port(speed_bps=1e8, **(GONE | {"neighbour": "printer-sw"})),
            },
            ApState.IN_ORDER,
            True,
            {},
        ),
        (
            {"reported": told(clients_most=0.0)},
            ApState.NO_CLIENTS,
            True,
            {"silent_days_count": 5},
        ),
        (
            {"reported": None},
            ApState.UNKNOWN,
            None,
            {"unknown": UnknownReason.NOT_ASKED},
        ),
        (
            {"reported": told(fresh=False)},
            ApState.UNKNOWN,
            None,
            {"unknown": UnknownReason.NOT_ASKED},
        ),
        (
            {"reported": told(up=None)},
            ApState.UNKNOWN,
            None,
            {"unknown": UnknownReason.INCOMPLETE},
        ),
        (
            {"reported": DOWN, "controller_speaks": False},
            ApState.UNKNOWN,
            None,
            {"unknown": UnknownReason.CONTROLLER_SILENT},
        ),
        (
            # A central controller misses them all when the building's line is down.
            {"reported": DOWN, "line_down": True},
            ApState.UNKNOWN,
            None,
            {"unknown": UnknownReason.LINE_DOWN},
        ),
        # One without a controller: silent for long, while its building answers.
        ({"reported": told(), "alone": True}, ApState.IN_ORDER, True, {}),
        (
            ALONE_SILENT | {"reported": told(fresh=False)},
            ApState.DOWN,
            False,
            {"end": TrailEnd.NO_ANSWER},
        ),
        (
            ALONE_SILENT | {"reported": told(fresh=False), "port": port(**GONE)},
            ApState.DOWN,
            False,
            {"end": TrailEnd.NO_ANSWER},
        ),
        (
            ALONE_SILENT
            | {"reported": None, "port": port(oper_up=False, poe_w=0.0, **GONE)},
            ApState.NEVER_SEEN,
            False,
            {"end": TrailEnd.NO_POWER},
        ),
        # A lost answer is no outage, nor is the silence of all of a building.
        *(
            (
                ALONE_SILENT | {"reported": told(fresh=fresh), "way_works": works},
                ApState.UNKNOWN,
                None,
                {"unknown": UnknownReason.AP_SILENT, "end": TrailEnd.NO_ANSWER},
            )
            for fresh, works in ((True, True), (True, False), (False, False))
        ),
        ({"plan": None, "reported": told()}, ApState.UNPLANNED, True, {}),
        (
            {"plan": None, "reported": told(), "predecessor": "AP-1.02"},
            ApState.UNPLANNED,
            True,
            {"other": "AP-1.02"},
        ),
        ({"plan": None, "reported": told(fresh=False)}, ApState.UNPLANNED, False, {}),
        (
            {"plan": None, "reported": told(), "controller_speaks": False},
            ApState.UNPLANNED,
            None,
            {},
        ),
    ],
)
def test_states(
    facts: dict[str, Any], state: ApState, works: bool | None, extra: dict[str, Any]
) -> None:
    given: dict[str, Any] = {"plan": PLAN, "port": port()}
    truth = judge(ApFacts(**(given | facts)))
    assert (truth.state, truth.works) == (state, works)
    assert {name: getattr(truth, name) for name in extra} == extra


def test_one_that_works_at_another_port_than_planned_says_so() -> None:
    truth = judge(ApFacts(plan=PLAN, reported=told(), port=port(port="Gi1/0/9")))
    assert truth.state is ApState.IN_ORDER
    assert (truth.port, truth.planned_port) == ("Gi1/0/9", "sw1 Gi1/0/7")


def test_a_link_whose_speed_nobody_knows_is_not_slow() -> None:
    facts = ApFacts(plan=PLAN, reported=told(uplink_speed_bps=0.0), port=port())
    assert judge(facts).state is ApState.IN_ORDER
    facts = ApFacts(plan=PLAN, reported=told(), port=port(speed_bps=0.0))
    assert judge(facts).state is ApState.IN_ORDER


def test_numbers_of_a_silent_switch_are_not_shown() -> None:
    truth = judge(ApFacts(plan=PLAN, reported=told(), port=port(fresh=False)))
    assert (truth.switch_id, truth.port) == ("sw1", "Gi1/0/7")
    assert (truth.port_up, truth.port_speed_bps, truth.poe_w) == (None, None, None)


def test_nothing_is_no_access_point() -> None:
    with pytest.raises(ValueError, match="nobody planned or saw"):
        judge(ApFacts())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_member_of_the_closed_lists_has_its_text(language: str) -> None:
    words = catalogue(language)
    for group, members in {
        "state": ApState,
        "end": TrailEnd,
        "change": Change,
        "unknown": UnknownReason,
        "place": PlaceSource,
    }.items():
        for member in members:
            assert words[f"wlan.{group}.{member.value}"].strip()
        known = {key for key in words if key.startswith(f"wlan.{group}.")}
        assert len(known) == len(members)


def test_texts_can_be_built_in_both_languages() -> None:
    assert Texts("de")("wlan.port", port="7", switch="sw1") == "Port 7 an sw1"
    assert Texts("en")("wlan.port", port="7", switch="sw1") == "port 7 of sw1"
