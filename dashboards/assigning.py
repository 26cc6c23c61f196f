"""What a probe is to do: its line, its calendar, its budget, and what is urgent."""

from __future__ import annotations

from http import HTTPStatus

from dashboards.bearer import refuse
from dashboards.context import Site
from dashboards.facts import LINE_RULE
from netmon.assignment_wire import Assignment, LineAssignment
from netmon.calendars import Calendars
from netmon.clock import berlin_day, to_ms
from netmon.evidence.campaign import running_task
from netmon.model import (
    Inventory,
    Line,
    ProbeUnit,
    clear_down_bps,
    expected_down_bps,
    threshold_up_bps,
)
from netmon.school_calendar import around
from netmon.storage.ports import Store
from netmon.storage.records import AlarmState, Source


def assign(site: Site, calendars: Calendars, source: Source) -> Assignment:
    """Return what a probe is to do; blocks.

    Raises:
        RefusedError: the sender is no probe, or the inventory does not know it.
        StorageError: the store could not be asked.
    """
    inventory = site.inventory()
    unit = _unit_of(source, inventory)
    measure = site.settings.measure
    now_ms = to_ms(site.clock.now())
    return Assignment(
        probe=source.name,
        building=unit.building_id,
        line=unit.line_id,
        lines=tuple(map(_line, inventory.lines_of[unit.building_id])),
        calendar=around(calendars.of(unit.building_id), berlin_day(now_ms)),
        budget_share=measure.budget_share,
        full_tests_per_day=measure.full_tests_per_day,
        slot_s=measure.slot_s,
        confirm=_is_suspect(site.store, unit),
        campaign=running_task(site.store, unit.line_id, now_ms),
    )


def _unit_of(source: Source, inventory: Inventory) -> ProbeUnit:
    """Return the inventory's probe of a sender: the one of its name, or the only one."""
    if source.building_id is None:
        raise refuse(
            HTTPStatus.FORBIDDEN,
            "no_probe",
            "only the probe of a building measures its line",
            "use a token made with 'netmon sources add --building'",
        )
    named = inventory.probe_by_id.get(source.name)
    if named is None:
        there = [x for x in inventory.probes if x.building_id == source.building_id]
        if len(there) == 1:
            return there[0]
        raise refuse(
            HTTPStatus.NOT_FOUND,
            "unknown_probe",
            "the inventory has no such probe, so nobody knows its line",
            "enter the probe and its line in probes.csv and import the inventory",
        )
    if named.building_id != source.building_id:
        raise refuse(
            HTTPStatus.FORBIDDEN,
            "forbidden_building",
            "by the inventory the probe is in another building than by its token",
            "mend probes.csv, or make a token for that building",
        )
    return named


def _line(line: Line) -> LineAssignment:
    return LineAssignment(
        id=line.id,
        role=line.role,
        technology=line.technology,
        contracted_down_bps=line.contracted_down_bps,
        contracted_up_bps=line.contracted_up_bps,
        threshold_down_bps=expected_down_bps(line),
        clear_down_bps=clear_down_bps(line),
        threshold_up_bps=threshold_up_bps(line),
    )


def _is_suspect(store: Store, unit: ProbeUnit) -> bool:
    """Say whether an alarm on the probe's line waits to be confirmed."""
    rows = store.alarms.states(rule=LINE_RULE, building_id=unit.building_id)
    target = f"line:{unit.line_id}"
    return any(x.target == target and x.state is AlarmState.SUSPECT for x in rows)
