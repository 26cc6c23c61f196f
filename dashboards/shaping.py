"""Buildings from their members: lines and access points; the worst member decides."""

from __future__ import annotations

from dashboards.facts import Facts, Moment
from dashboards.kept import Kept
from dashboards.views import BuildingRow, City, Verdict, worst
from netmon.model import Building, Inventory, LineRole


def building_row(
    building: Building,
    inventory: Inventory,
    facts: Facts,
    moment: Moment,
    kept: Kept,
) -> BuildingRow:
    """Return one building; its worst member decides its verdict.

    A backup line that nobody watches is no member, nor is a WLAN without any
    access point. ``kept`` spares making what is known already.
    """
    lines = tuple(
        kept.line_view(line, facts, moment) for line in inventory.lines_of[building.id]
    )
    main = next((view for view in lines if view.line.role is LineRole.MAIN), None)
    planned = inventory.access_points_of[building.id]
    aps = kept.ap_group(planned, facts, building.id, moment)
    members = [Verdict.STALE if main is None else main.verdict]
    members += [view.verdict for view in lines if view is not main and view.watched]
    if aps.total:
        members.append(aps.verdict)
    return BuildingRow(
        building=building,
        schools=inventory.schools_of[building.id],
        lines=lines,
        main=main,
        aps=aps,
        verdict=worst(members),
        open_incidents=facts.open_incidents.get(building.id, 0),
        lan_rooms=facts.covered.get((building.id, "lan")),
        wlan_rooms=facts.covered.get((building.id, "wlan")),
    )


def city(inventory: Inventory, facts: Facts, moment: Moment, kept: Kept) -> City:
    """Return all buildings in the inventory's order."""
    rows = tuple(
        building_row(building, inventory, facts, moment, kept)
        for building in inventory.buildings
    )
    return City(now_ms=moment.now_ms, rows=rows)
