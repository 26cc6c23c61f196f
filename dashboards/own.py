"""What the time-series database is told of netmon's own conclusions.

The same city, read and judged by the same functions as the pages: Grafana and the
status site can't say different things of a building.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dashboards.city_queries import city_at
from dashboards.facts import Moment
from dashboards.health import allowed_ages, judge
from dashboards.views import BuildingRow, LineView, Reading
from netmon.config import Settings
from netmon.metrics import KINDS
from netmon.model import TARGET_DOWN_BPS, Inventory, expected_down_bps
from netmon.own_record import OwnRecord, Reader, standing_values
from netmon.storage.current import CurrentInventory
from netmon.storage.ports import Store
from netmon.storage.records import Heartbeat, Latest, Source

# Figures of the processes that say the same thing under names of their own.
_WAITING = (
    "backlog_chunks",
    "behind_chunks_count",
    "mails_waiting_count",
    "events_waiting_count",
)
_ERRORS = ("send_errors_total", "mails_failed_total", "events_failed_total")


def own_reader(store: Store, settings: Settings) -> Reader:
    """Return what reads all records of a moment."""
    inventory = CurrentInventory(store.inventories)

    def read(now_ms: int) -> Iterator[OwnRecord]:
        moment = Moment(now_ms, settings.alerts.no_data_after_s)
        city = city_at(store, inventory(), moment)
        for row in city.rows:
            yield building_record(row)
            yield from (line_record(view) for view in row.lines)
        polled = store.measurements.latest(kind="device")
        yield from device_records(polled, inventory(), moment)
        for source in store.sources.all():
            yield sender_record(source, now_ms)
        beats = store.heartbeats.all()
        yield from process_records(beats, settings, now_ms)
        yield OwnRecord(
            "system",
            {"site": settings.gateway.public_url.rstrip("/")},
            {
                "quarantined_count": store.measurements.quarantine_count(),
                "open_incidents_count": sum(row.open_incidents for row in city.rows),
            },
        )

    return read


def building_record(row: BuildingRow) -> OwnRecord:
    """Return a building: where it lies, whom it belongs to, how it stands."""
    building = row.building
    told = [rate for view in row.lines if (rate := told_down_bps(view)) is not None]
    return OwnRecord(
        "building",
        {
            "building": building.id,
            "name": building.name,
            "school_type": building.school_type.value,
            "campus_district": building.campus_district,
            "city_district": building.city_district,
        },
        {
            **standing_values(row.verdict.value),
            "latitude_deg": building.latitude_deg,
            "longitude_deg": building.longitude_deg,
            "open_incidents_count": row.open_incidents,
            "aps_count": row.aps.total,
            "aps_ok_count": row.aps.ok,
            "aps_down_count": row.aps.down,
            "told": any(_is_new(r) for v in row.lines for r in (v.down, v.proof)),
            # The best line counts; where none tells anything there is no answer.
            "below_target": max(told) < TARGET_DOWN_BPS if told else None,
        },
        generated=row.generated,
    )


def line_record(view: LineView) -> OwnRecord:
    """Return a line: what its contract says, and how it stands."""
    line = view.line
    readings = (view.down, view.proof, view.up, view.up_proof, view.rtt)
    return OwnRecord(
        "line",
        {
            "building": line.building_id,
            "line": line.id,
            "role": line.role.value,
            "technology": line.technology.value,
        },
        {
            **standing_values(view.verdict.value),
            "contracted_down_bps": line.contracted_down_bps,
            "contracted_up_bps": line.contracted_up_bps,
            "expected_down_bps": expected_down_bps(line),
        },
        generated=any(reading.generated for reading in readings),
    )


def told_down_bps(view: LineView) -> float | None:
    """Return what was last said of the download; None where nothing was of late.

    A lower bound below the target tells nothing, one above it proves the line.
    """
    found = [view.down] if _is_new(view.down) else []
    if _is_new(view.proof) and (view.proof.value or 0.0) >= TARGET_DOWN_BPS:
        found.append(view.proof)
    return max(found, key=lambda reading: reading.at_ms or 0).value if found else None


def _is_new(reading: Reading) -> bool:
    return reading.value is not None and not reading.stale


def device_records(
    polled: Sequence[Latest], inventory: Inventory, moment: Moment
) -> Iterator[OwnRecord]:
    """Yield the devices polled of late: the newest attempt says if they answer."""
    newest: dict[tuple[str, str], Latest] = {}
    for item in polled:
        key = (item.series.tags["building"], item.series.tags["device"])
        if key not in newest or item.ts_ms > newest[key].ts_ms:
            newest[key] = item
    for (building, device), item in sorted(newest.items()):
        if moment.is_stale("device", item.ts_ms):
            continue
        known = inventory.device_by_id.get(device)
        yield OwnRecord(
            "polled_device",
            {
                "building": building,
                "device": device,
                "device_kind": known.kind.value if known else "",
            },
            {"answering": item.failure is None},
            generated=item.series.generated,
        )


def sender_record(source: Source, now_ms: int) -> OwnRecord:
    """Return a sender: how long it has been silent, whose clock it keeps."""
    seen_ms, offset_ms = source.last_seen_ms, source.clock_offset_ms
    silence_s = None if seen_ms is None else max(0, now_ms - seen_ms) / 1000
    return OwnRecord(
        "sender",
        {
            "sender": source.name,
            "sender_kind": source.kind.value,
            "building": source.building_id or "",
            "agent": source.agent,
        },
        {
            "silence_s": silence_s,
            # As the page of all senders says it.
            "silent": silence_s is None
            or silence_s > KINDS["probe_health"].stale_after_s,
            "clock_offset_s": None if offset_ms is None else offset_ms / 1000,
        },
        generated=source.generated,
    )


def process_records(
    beats: list[Heartbeat], settings: Settings, now_ms: int
) -> Iterator[OwnRecord]:
    """Yield netmon's own processes; one that is needed and never ran is silent."""
    needed = {
        part.part.value: part
        for part in judge(beats, allowed_ages(settings), now_ms)
        if part.allowed_s is not None
    }
    known = {beat.process: beat for beat in beats}
    for name in sorted({*needed, *known}):
        beat = known.get(name)
        figures = {} if beat is None else beat.figures
        waiting = [figures[each] for each in _WAITING if each in figures]
        errors = [figures[each] for each in _ERRORS if each in figures]
        silence_s = None if beat is None else max(0, now_ms - beat.at_ms) / 1000
        yield OwnRecord(
            "process",
            {"process": name},
            {
                "silent": not needed[name].ok if name in needed else None,
                "silence_s": silence_s,
                "waiting_count": waiting[0] if waiting else None,
                "errors_count": errors[0] if errors else None,
            },
        )
