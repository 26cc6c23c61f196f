"""From what plan, controller and switch say to one state: pure.

Nothing is concluded from silence: a controller that does not answer, a line that
is down or a table that broke off leave the state open. What the switch says then
still shows in the trail.
"""

from __future__ import annotations

from msgspec import Struct

from netmon.model import AccessPoint
from netmon.units import MBIT
from netmon.wlan_truth.states import (
    ApState,
    ApTruth,
    Change,
    PlaceSource,
    TrailEnd,
    UnknownReason,
)

# A port at this speed or less cannot carry one classroom: a worn cable of which only
# two pairs work, or an old switch.
SLOW_PORT_BPS = 100 * MBIT
# Without any client in the lessons of so many school days, something is wrong, though
# the controller finds it in order: an excursion does not take a school week.
LESSON_DAYS = 5
# The detection of a device takes less than this (802.3af, 0.44 W for class 1), an
# access point that runs a few times as much.
_MIN_DRAW_W = 0.5


class PortFacts(Struct, frozen=True, kw_only=True):
    """A switch port, and why it is taken for the access point's.

    ``fresh`` says whether the switch told of it lately; the rest is worth nothing
    otherwise. Each is None where the switch does not tell. ``neighbour`` is who
    LLDP names there now, ``own`` whether that is the access point.
    """

    switch_id: str
    port: str
    source: PlaceSource
    fresh: bool
    oper_up: bool | None = None
    admin_up: bool | None = None
    speed_bps: float | None = None
    poe_on: bool | None = None
    poe_w: float | None = None
    neighbour: str = ""
    own: bool = False


class Reported(Struct, frozen=True, kw_only=True):
    """An access point as its controller tells.

    ``up`` is None where the newest poll gave no number for it. ``serial`` and
    ``name`` are as told now, empty where they are not. ``was_up`` says whether it
    ever worked, ``radios_on`` how many of ``radios`` work, None where that is not
    told. ``clients_most`` is the most of its clients in the lessons of `LESSON_DAYS`
    school days, None if too little is known of them.
    """

    ap: str
    name: str
    serial: str = ""
    up: bool | None = None
    fresh: bool = True
    was_up: bool = True
    uplink_speed_bps: float | None = None
    radios_on: int | None = None
    clients_most: float | None = None


class ApFacts(Struct, frozen=True, kw_only=True):
    """All that is known of one access point; ``plan`` or ``reported`` is there.

    ``elsewhere`` is the controller that speaks of it where that is not the planned one.
    ``alone`` says that it has no controller: what is asked is the access point itself.
    ``way_works`` says that nothing comes back from it while another device of its
    building answers, ``confirmed`` that its alarm is sure of that.
    ``successor`` is an access point nobody planned that stands in its place,
    ``predecessor`` the planned one in whose place this one stands.
    """

    plan: AccessPoint | None = None
    reported: Reported | None = None
    controller_speaks: bool = True
    elsewhere: str = ""
    line_down: bool = False
    alone: bool = False
    way_works: bool = False
    confirmed: bool = False
    port: PortFacts | None = None
    successor: str = ""
    successor_by: Change | None = None
    predecessor: str = ""


def trail_end(port: PortFacts | None) -> TrailEnd:
    """Return where the trail of an access point that has not joined ends."""
    if port is None:
        return TrailEnd.PORT_UNKNOWN
    if not port.fresh or port.oper_up is None:
        return TrailEnd.SWITCH_SILENT
    if port.oper_up:
        if port.neighbour and not port.own:
            return TrailEnd.OTHER_DEVICE
        return TrailEnd.NOT_JOINED
    if port.admin_up is False:
        return TrailEnd.PORT_DISABLED
    draws = port.poe_on if port.poe_w is None else port.poe_w >= _MIN_DRAW_W
    return TrailEnd.NO_POWER if draws is False else TrailEnd.PORT_DOWN


def _end_of(facts: ApFacts) -> TrailEnd:
    end = trail_end(facts.port)
    return TrailEnd.NO_ANSWER if facts.alone and end is TrailEnd.NOT_JOINED else end


def judge(facts: ApFacts) -> ApTruth:
    """Return the state of an access point.

    Raises:
        ValueError: it is neither planned nor reported.
    """
    plan, told = facts.plan, facts.reported
    if plan is None and told is None:
        raise ValueError("an access point that nobody planned or saw")
    if reason := _unknown(facts):
        end = None if facts.port is None else _end_of(facts)
        state = ApState.UNKNOWN if plan else ApState.UNPLANNED
        return _truth(facts, state, None, end=end, unknown=reason)
    if facts.alone and not facts.controller_speaks:
        return _absent(facts, told)
    # What the controller no longer tells of is not there.
    joined = told is not None and told.fresh and bool(told.up)
    if plan is None:
        end = None if joined else _end_of(facts)
        other = facts.predecessor
        return _truth(facts, ApState.UNPLANNED, joined, end=end, other=other)
    if told is None or not joined:
        return _absent(facts, told)
    return _present(facts, plan, told)


def _present(facts: ApFacts, plan: AccessPoint, told: Reported) -> ApTruth:
    if told.radios_on == 0:
        return _truth(facts, ApState.DOWN, False, end=TrailEnd.RADIO_OFF)
    if change := _changed(plan, told):
        other = told.serial if change is Change.OTHER_SERIAL else told.name
        return _truth(facts, ApState.REPLACED, True, change=change, other=other)
    if _is_slow(facts.port, told):
        return _truth(facts, ApState.SLOW_PORT, True)
    if told.clients_most == 0:
        days = LESSON_DAYS
        return _truth(facts, ApState.NO_CLIENTS, True, silent_days_count=days)
    return _truth(facts, ApState.IN_ORDER, True)


def _unknown(facts: ApFacts) -> UnknownReason | None:
    """Return why the controller's word does not count; None where it does."""
    told = facts.reported
    if facts.line_down:
        return UnknownReason.LINE_DOWN
    if not facts.controller_speaks:
        if not facts.alone:
            return UnknownReason.CONTROLLER_SILENT
        # One that stands alone and is silent is gone if nothing else explains it, but
        # a lost answer or two are no outage: its alarm says when it is one.
        lately = told is not None and told.fresh and not facts.confirmed
        return UnknownReason.AP_SILENT if lately or not facts.way_works else None
    if told is None:
        return UnknownReason.NOT_ASKED
    if facts.plan is not None and not told.fresh:
        return UnknownReason.NOT_ASKED
    return UnknownReason.INCOMPLETE if told.fresh and told.up is None else None


def _absent(facts: ApFacts, told: Reported | None) -> ApTruth:
    end = _end_of(facts)
    if facts.successor:
        by, other = facts.successor_by, facts.successor
        return _truth(facts, ApState.REPLACED, False, end=end, change=by, other=other)
    was_up = told is not None and told.was_up
    state = ApState.DOWN if was_up else ApState.NEVER_SEEN
    port = facts.port
    other = port.neighbour if port and end is TrailEnd.OTHER_DEVICE else ""
    return _truth(facts, state, False, end=end, other=other)


def _changed(plan: AccessPoint, told: Reported) -> Change | None:
    # The collectors match by serial number, then by name: one of them is the plan's.
    if plan.serial and told.serial and not _same(plan.serial, told.serial):
        return Change.OTHER_SERIAL
    if told.name and not _same(plan.name, told.name):
        return Change.OTHER_NAME
    return None


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _is_slow(port: PortFacts | None, told: Reported) -> bool:
    speeds = [told.uplink_speed_bps]
    # What is at a planned port, if LLDP names something else there, is not its link.
    if port is not None and port.fresh and port.oper_up:
        speeds.append(port.speed_bps if port.own or not port.neighbour else None)
    # 0 is what some tell of a link whose speed they do not know.
    return any(speed is not None and 0 < speed <= SLOW_PORT_BPS for speed in speeds)


def _truth(  # noqa: PLR0913 - each is a different thing to say
    facts: ApFacts,
    state: ApState,
    works: bool | None,
    *,
    end: TrailEnd | None = None,
    change: Change | None = None,
    unknown: UnknownReason | None = None,
    other: str = "",
    silent_days_count: int | None = None,
) -> ApTruth:
    plan, told, port = facts.plan, facts.reported, facts.port
    fresh = port if port is not None and port.fresh else None
    planned = ""
    if plan is not None and plan.switch_id and port is not None:
        is_moved = (plan.switch_id, plan.switch_port) != (port.switch_id, port.port)
        planned = f"{plan.switch_id} {plan.switch_port}" if is_moved else ""
    return ApTruth(
        ap=plan.id if plan else told.ap if told else "",
        name=plan.name if plan else told.name if told else "",
        state=state,
        works=works,
        room_id=plan.room_id if plan else "",
        end=end,
        change=change,
        unknown=unknown,
        other=other,
        switch_id="" if port is None else port.switch_id,
        port="" if port is None else port.port,
        place=None if port is None else port.source,
        planned_port=planned,
        controller_id=facts.elsewhere,
        port_up=None if fresh is None else fresh.oper_up,
        # What is told of a port that is down is what it would run at.
        port_speed_bps=fresh.speed_bps if fresh is not None and fresh.oper_up else None,
        uplink_speed_bps=None if told is None else told.uplink_speed_bps,
        poe_on=None if fresh is None else fresh.poe_on,
        poe_w=None if fresh is None else fresh.poe_w,
        radios_on_count=None if told is None else told.radios_on,
        silent_days_count=silent_days_count,
    )
