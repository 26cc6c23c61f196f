"""The probes of one building with their own health; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboards.facts import Moment, newest
from dashboards.views import Reading
from netmon.storage.records import Latest, Source


@dataclass(frozen=True, slots=True)
class ProbeView:
    """A sender that speaks for the building.

    ``silent``: its last contact is older than a sign of life may be, or there was
    none. ``clock_offset_s`` is gateway minus probe, None before the first contact.
    """

    name: str
    agent: str
    generated: bool
    last_seen_ms: int | None
    silent: bool
    clock_offset_s: float | None
    waiting: Reading
    dropped: Reading
    rejected: Reading
    port_speed: Reading
    full_duplex: Reading


def probe_views(
    sources: Iterable[Source],
    building_id: str,
    latest: Sequence[Latest],
    moment: Moment,
) -> tuple[ProbeView, ...]:
    """Return the building's probes by name."""
    views = []
    for source in sources:
        if source.building_id != building_id:
            continue
        told = [item for item in latest if item.series.source == source.name]
        health = [item for item in told if item.series.kind == "probe_health"]
        link = [item for item in told if item.series.kind == "probe_link"]
        seen_ms, offset_ms = source.last_seen_ms, source.clock_offset_ms
        views.append(
            ProbeView(
                name=source.name,
                agent=source.agent,
                generated=source.generated,
                last_seen_ms=seen_ms,
                silent=seen_ms is None or moment.is_stale("probe_health", seen_ms),
                clock_offset_s=None if offset_ms is None else offset_ms / 1000,
                waiting=newest(health, "spool_records_count", moment),
                dropped=newest(health, "spool_dropped_total", moment),
                rejected=newest(health, "spool_rejected_total", moment),
                port_speed=newest(link, "speed_bps", moment),
                full_duplex=newest(link, "full_duplex", moment),
            )
        )
    return tuple(views)
