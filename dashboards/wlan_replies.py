"""Access points and coverage as API answers: renaming only."""

from __future__ import annotations

from dashboards import wlan_schemas as s
from dashboards.building_views import ApFinding, CoverageView, FigureView
from netmon.coverage import Measured, RoomCoverage


def finding(view: ApFinding) -> s.FindingReply:
    """Return what three sources say of an access point."""
    truth = view.truth
    return s.FindingReply(
        state=truth.state,
        works=truth.works,
        text=view.state,
        trail=view.trail,
        end=truth.end,
        change=truth.change,
        unknown=truth.unknown,
        other=truth.other,
        switch_id=truth.switch_id,
        port=truth.port,
        place=truth.place,
        planned_port=truth.planned_port,
        controller_id=truth.controller_id,
        port_up=truth.port_up,
        port_speed_bps=truth.port_speed_bps,
        uplink_speed_bps=truth.uplink_speed_bps,
        poe_on=truth.poe_on,
        poe_w=truth.poe_w,
        radios_on_count=truth.radios_on_count,
        silent_days_count=truth.silent_days_count,
    )


def _figure(known: Measured, view: FigureView) -> s.CoverageFigure:
    return s.CoverageFigure(
        declared=known.declared,
        measured=known.measured,
        contradicts=known.contradicts,
        has_list=known.has_list,
        rooms_count=known.rooms_count,
        covered_count=known.covered_count,
        unknown_count=known.open_count,
        low_ratio=known.low_share,
        high_ratio=known.high_share,
        text=view.figure,
    )


def _room(known: RoomCoverage) -> s.RoomReply:
    room = known.room
    return s.RoomReply(
        id=room.id,
        name=room.name,
        floor=room.floor,
        teaching=room.teaching,
        survey=room.survey,
        lan=known.lan,
        sockets_count=known.sockets_count,
        live_count=known.live_count,
        linked_count=known.linked_count,
        unknown_count=known.open_count,
        wlan=known.wlan,
        access_points=list(known.points),
        working_count=known.points_working_count,
        working_unknown_count=known.points_open_count,
    )


def coverage(view: CoverageView) -> s.CoverageReply:
    """Return the measured coverage of a building."""
    return s.CoverageReply(
        lan=_figure(view.known.lan, view.lan),
        wlan=_figure(view.known.wlan, view.wlan),
        rooms=[_room(room) for room in view.known.rooms],
    )
