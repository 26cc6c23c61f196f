"""Access points and coverage ready to be shown; pure."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.building_views import ApFinding, CoverageView, FigureView, RoomView
from dashboards.views import Verdict
from netmon.coverage import BuildingCoverage, Measured
from netmon.coverage_words import figure_text, room_text, verdict_text
from netmon.model import Inventory
from netmon.texts import Texts
from netmon.wlan_truth import (
    ApState,
    ApTruth,
    WlanTruth,
    port_text,
    state_text,
    trail_text,
)

LOOKS: Mapping[ApState, Verdict] = {
    ApState.IN_ORDER: Verdict.OK,
    ApState.DOWN: Verdict.BAD,
    ApState.NEVER_SEEN: Verdict.NEVER_SEEN,
    ApState.REPLACED: Verdict.SUSPECT,
    ApState.UNPLANNED: Verdict.SUSPECT,
    ApState.SLOW_PORT: Verdict.DEGRADED,
    ApState.NO_CLIENTS: Verdict.DEGRADED,
    ApState.UNKNOWN: Verdict.UNKNOWN,
}


def ap_finding(truth: ApTruth, inventory: Inventory, texts: Texts) -> ApFinding:
    """Return what the three sources together say of an access point."""
    return ApFinding(
        truth=truth,
        look=LOOKS[truth.state],
        state=state_text(truth, texts),
        trail=trail_text(truth, inventory, texts),
        port=port_text(truth, inventory, texts),
    )


def coverage_view(
    found: BuildingCoverage, truth: WlanTruth, texts: Texts
) -> CoverageView:
    """Return the coverage of a building with its rooms in words."""
    rooms = []
    for room in found.rooms:
        lan, wlan = room_text(room, truth, texts)
        rooms.append(RoomView(known=room, lan=lan, wlan=wlan))
    return CoverageView(
        known=found,
        lan=_figure("lan", found.lan, texts),
        wlan=_figure("wlan", found.wlan, texts),
        rooms=tuple(rooms),
    )


def _figure(what: str, figure: Measured, texts: Texts) -> FigureView:
    return FigureView(
        verdict=verdict_text(figure, texts),
        figure=figure_text(what, figure, texts),
        contradicts=figure.contradicts,
    )
