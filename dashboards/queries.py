"""What pages and API ask of the store about senders and the history of a line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboards.building_views import SourceView
from dashboards.facts import newest
from dashboards.history import History, HistoryMetric, HistoryReader, Span
from netmon.collation import collation_key
from netmon.model import Line, LineRole
from netmon.storage.records import Latest

if TYPE_CHECKING:
    from dashboards.context import Site


class UnknownError(LookupError):
    """There is no such thing; the argument names it for the error answer."""


@dataclass(frozen=True, slots=True)
class LineHistory:
    """A line's history with the line it belongs to."""

    line_id: str
    history: History


def read_line_history(
    site: Site,
    building_id: str,
    metrics: Sequence[HistoryMetric],
    span: Span,
    line_id: str | None = None,
) -> LineHistory:
    """Return the history of a line; without an id that of the main line.

    Raises:
        UnknownError: no such building, or no such line in it.
    """
    line = line_of(site, building_id, line_id)
    latest = site.store.measurements.latest(building_id=building_id)
    now_ms = site.moment().now_ms
    history = history_reader(site, line, span, latest, now_ms).read(metrics)
    return LineHistory(line_id=line.id, history=history)


def history_reader(
    site: Site, line: Line, span: Span, latest: Iterable[Latest], until_ms: int
) -> HistoryReader:
    """Return what reads the histories of a line up to a time.

    ``latest`` are the newest values of the line's building.
    """
    own = [x.series for x in latest if x.series.tags.get("line") == line.id]
    return HistoryReader(site.store.measurements, own, span, until_ms)


def line_of(site: Site, building_id: str, line_id: str | None = None) -> Line:
    """Return a line of a building; without an id the main line.

    Raises:
        UnknownError: no such building, or no such line in it.
    """
    inventory = site.inventory()
    if building_id not in inventory.building_by_id:
        raise UnknownError(building_id)
    lines = inventory.lines_of[building_id]
    wanted = [
        line
        for line in lines
        if (line.role is LineRole.MAIN if line_id is None else line.id == line_id)
    ]
    if not wanted:
        raise UnknownError(line_id or "main")
    return wanted[0]


def read_sources(site: Site) -> list[SourceView]:
    """Return all senders by name, with what they say of their own spool."""
    moment, inventory = site.moment(), site.inventory()
    health: dict[str, list[Latest]] = defaultdict(list)
    for item in site.store.measurements.latest(kind="probe_health"):
        health[item.series.source].append(item)
    views = []
    sources = site.store.sources.all()
    for source in sorted(sources, key=lambda source: collation_key(source.name)):
        if not site.shows(source.building_id):
            continue
        building = inventory.building_by_id.get(source.building_id or "")
        offset_ms, seen_ms = source.clock_offset_ms, source.last_seen_ms
        own = health.get(source.name, [])
        views.append(
            SourceView(
                name=source.name,
                kind=source.kind.value,
                building_id=source.building_id,
                building_name=building.name if building else None,
                generated=source.generated,
                last_seen_ms=seen_ms,
                silent=seen_ms is None or moment.is_stale("probe_health", seen_ms),
                clock_offset_s=None if offset_ms is None else offset_ms / 1000,
                agent=source.agent,
                spool_records=newest(own, "spool_records_count", moment),
                spool_dropped=newest(own, "spool_dropped_total", moment),
            )
        )
    return views
