"""The store that ``bench/pages.py`` reads: the whole city, a year old."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from netmon.clock import to_ms
from netmon.coverage_record import CoverageRecorder
from netmon.demo import city
from netmon.demo.generated import history, write_history
from netmon.inventory import content_hash, encode
from netmon.metrics import KINDS
from netmon.model import DeviceKind, Inventory
from netmon.storage.alarms import OPEN_INCIDENT
from netmon.storage.records import (
    AlarmState,
    CheckedBatch,
    CheckedSeries,
    Source,
    SourceKind,
    StateRow,
    Transition,
)
from netmon.storage.sqlite import SqliteStore

ACCESS_POINTS = 7000
RADIOS = ("0", "1")
# One line in eight and one access point in fifty is in trouble.
BAD_LINE_EVERY, BAD_AP_EVERY = 8, 50
_SERIES_A_BATCH = 2000


def make_city() -> Inventory:
    """Return the demo's 178 buildings with 7,000 access points."""
    shipped = city.load()
    points = list(shipped.access_points)
    for number in range(ACCESS_POINTS - len(points)):
        twin = shipped.access_points[number]
        new = f"{twin.building_id}-x{number:04}"
        points.append(
            replace(twin, id=new, name=new, serial=new, switch_id=None, switch_port="")
        )
    return replace(shipped, access_points=tuple(points))


def _series(
    kind: str, building_id: str, now_ms: int, values: dict[str, float], **tags: str
) -> CheckedSeries:
    return CheckedSeries(
        kind=kind,
        building_id=building_id,
        tags={"building": building_id, **tags},
        seq=[0],
        ts=[now_ms - 60_000],
        values={name: [value] for name, value in values.items()},
        failure=None,
        info={"name": tags["ap"]} if kind == "wlan_ap" else {},
        keep_rollups=KINDS[kind].keep_rollups,
    )


def _newest(inventory: Inventory, now_ms: int) -> Iterator[CheckedSeries]:
    """Yield what collectors polled a minute ago."""
    for ap in inventory.access_points:
        where, device = ap.building_id, ap.controller_id
        values = {"up": 1.0, "clients_count": float(len(ap.id))}
        yield _series("wlan_ap", where, now_ms, values, device=device, ap=ap.id)
        for radio in RADIOS:
            values = {"channel": 36.0, "utilisation_ratio": 0.2, "clients_count": 4.0}
            tags = {"device": device, "ap": ap.id, "radio": radio}
            yield _series("wlan_radio", where, now_ms, values, **tags)
    for device in inventory.devices:
        if device.building_id is None:
            continue
        where, values = device.building_id, {"up": 1.0, "uptime_s": 1e6}
        yield _series("device", where, now_ms, values, device=device.id)
        if device.kind is DeviceKind.SWITCH:
            ports = {f"Gi1/0/{n}" for n in range(1, (device.ports or 0) + 1)}
            values = {"admin_up": 1.0, "oper_up": 1.0, "speed_bps": 1e9}
            for port in sorted(ports):
                tags = {"device": device.id, "port": port}
                yield _series("lan_port", where, now_ms, values, **tags)


def _batches(
    inventory: Inventory, source: Source, now_ms: int
) -> Iterator[CheckedBatch]:
    everything = list(_newest(inventory, now_ms))
    for number, each in enumerate(everything, 1):
        each.seq = [number]
    for begin in range(0, len(everything), _SERIES_A_BATCH):
        yield CheckedBatch(
            source=source,
            spool="1" * 32,
            received_ms=now_ms,
            sent_ms=now_ms,
            agent="bench",
            series=everything[begin : begin + _SERIES_A_BATCH],
            quarantined=[],
        )


def _states(inventory: Inventory, store: SqliteStore, now_ms: int) -> None:
    """Store a state of every line and access point, and incidents of some."""
    targets = [
        *(
            ("line_below_target", f"line:{x.id}", x.building_id)
            for x in inventory.lines
        ),
        *(("no_data", f"line:{x.id}", x.building_id) for x in inventory.lines),
        *(("ap_down", f"ap:{x.id}", x.building_id) for x in inventory.access_points),
    ]
    every = {"line_below_target": BAD_LINE_EVERY, "ap_down": BAD_AP_EVERY}
    evidence = json.dumps({"measured_bps": 18.2e6, "expected_bps": 1e8}).encode()
    rows, changes = [], []
    for number, (rule, target, building_id) in enumerate(targets):
        is_bad = rule in every and number % every[rule] == 0
        incident = OPEN_INCIDENT if is_bad else None
        row = StateRow(
            rule=rule,
            target=target,
            building_id=building_id,
            state=AlarmState.BAD if is_bad else AlarmState.OK,
            since_ms=now_ms - 600_000,
            updated_ms=now_ms,
            incident_id=incident,
            memory=b"{}",
        )
        rows.append(row)
        if is_bad:
            changes.append(
                Transition(
                    id=0,
                    rule=rule,
                    target=target,
                    building_id=building_id,
                    from_state=AlarmState.SUSPECT,
                    to_state=AlarmState.BAD,
                    at_ms=row.since_ms,
                    incident_id=incident,
                    evidence=evidence,
                )
            )
    store.alarms.commit(rows, changes, reader="alerts", position=0, now_ms=now_ms)


def fill(path: Path, now: datetime) -> Inventory:
    """Make the store; return the city in it."""
    now_ms, inventory = to_ms(now), make_city()
    store = SqliteStore(path)
    store.inventories.save(content_hash(inventory), encode(inventory), now_ms)
    probes = store.sources.create("bench-probes", SourceKind.COLLECTOR, None, "p" * 64)
    polls = store.sources.create("bench-polls", SourceKind.COLLECTOR, None, "c" * 64)
    batches = history(inventory, inventory.buildings, probes, now)
    write_history(store.measurements, batches)
    write_history(store.measurements, _batches(inventory, polls, now_ms))
    _states(inventory, store, now_ms)
    CoverageRecorder(store).record(now_ms)
    for process in ("ingest", "alerts", "relay"):
        store.heartbeats.beat(process, now_ms, {})
    store.close()
    return inventory
