"""What is known of a line at the moment its alarm changes, out of the store."""

from __future__ import annotations

from msgspec.structs import replace

from alerts.evidence import Evidence
from netmon.line_medium import read_medium
from netmon.line_path import read_path
from netmon.line_verdict import LineAlarms, gather_facts, judge_line
from netmon.metrics import MEDIUM_KINDS
from netmon.model import Inventory, Line
from netmon.storage.ports import MeasurementStore


def explain_line(
    evidence: Evidence,
    line: Line,
    alarms: LineAlarms,
    inventory: Inventory,
    measurements: MeasurementStore,
    now_ms: int,
) -> Evidence:
    """Return the evidence with the verdict on the line and the state of its medium.

    Only the kinds that are needed are read: a building has many ports.

    Raises:
        StorageError: the store refused.
    """
    building = line.building_id
    latest = measurements.latest(kind="throughput", building_id=building)
    medium = None
    if any(device.line_id == line.id for device in inventory.devices):
        for kind in MEDIUM_KINDS:
            latest += measurements.latest(kind=kind, building_id=building)
        found = read_medium(measurements, line, latest, now_ms)
        medium = None if found is None else found.health
    way = measurements.latest(kind="path", building_id=building)
    blamed = read_path(measurements, line, way, now_ms)
    measured = gather_facts(line, latest, now_ms, blamed=blamed)
    verdict = judge_line(line, alarms, measured, medium, now_ms)
    return replace(evidence, medium=medium, verdict=verdict)
