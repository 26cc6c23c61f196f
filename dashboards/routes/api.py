"""The JSON twins of the pages, under ``/api/v1/``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from dashboards import plot_replies, replies
from dashboards.building_queries import read_building
from dashboards.city_queries import PAST_INCIDENTS, read_city, read_incidents
from dashboards.context import Site, SiteDep
from dashboards.history import HistoryMetric, Span
from dashboards.listing import Listing, arrange, select
from dashboards.openapi import refusal
from dashboards.plot_schemas import PlotReply
from dashboards.plots import PLOT_METRICS, PlotName, marks_of
from dashboards.queries import (
    history_reader,
    line_of,
    read_line_history,
    read_sources,
)
from dashboards.schemas import (
    BuildingDetailReply,
    BuildingsReply,
    HistoryReply,
    IncidentsReply,
    SourcesReply,
)
from netmon.clock import from_ms

_ERRORS: dict[int | str, dict[str, Any]] = {
    401: refusal("nobody is logged in, or the operator's token is not known"),
    422: refusal("a parameter is wrong"),
    500: refusal("an error of netmon; see its log"),
    503: refusal("the store is busy; come again"),
}
_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: refusal("there is no such building or line")
}

router = APIRouter(prefix="/api/v1", tags=["status"], responses=_ERRORS)

BuildingId = Annotated[str, Path(max_length=128, description="As in the inventory")]
LineId = Annotated[
    str | None, Query(max_length=128, description="Default: the main line")
]


@router.get("/buildings", summary="All buildings with their state")
async def buildings(
    site: SiteDep, listing: Annotated[Listing, Query()]
) -> BuildingsReply:
    """Return the buildings that pass the filters, sorted by name unless asked."""
    return await site.in_thread(_buildings, site, listing)


def _buildings(site: Site, listing: Listing) -> BuildingsReply:
    city = read_city(site)
    rows = arrange(select(city.rows, listing), listing.sort)
    return BuildingsReply(
        at=from_ms(city.now_ms),
        total_count=len(city.rows),
        matched_count=len(rows),
        state_counts=dict(city.counts()),
        buildings=[replies.building(row, site.texts, city.now_ms) for row in rows],
    )


@router.get(
    "/buildings/{building_id}",
    summary="One building with devices, incidents and newest measurements",
    responses=_NOT_FOUND,
)
async def building(site: SiteDep, building_id: BuildingId) -> BuildingDetailReply:
    """Return everything known about one building."""
    return await site.in_thread(
        lambda: replies.detail(read_building(site, building_id), site.texts)
    )


@router.get(
    "/buildings/{building_id}/history",
    summary="History of a line",
    responses=_NOT_FOUND,
)
async def history(
    site: SiteDep,
    building_id: BuildingId,
    metric: Annotated[HistoryMetric, Query()] = HistoryMetric.RATE_DOWN,
    span: Annotated[Span, Query()] = Span.DAY,
    line: LineId = None,
) -> HistoryReply:
    """Return one metric: raw for 24h, by hour for 7d, by day for 30d and 1y."""

    def read() -> HistoryReply:
        found = read_line_history(site, building_id, [metric], span, line)
        return replies.history(found.history, building_id, found.line_id, metric)

    return await site.in_thread(read)


@router.get(
    "/buildings/{building_id}/history/{plot}",
    summary="What a plot of a line is drawn of",
    responses=_NOT_FOUND,
)
async def plot(
    site: SiteDep,
    building_id: BuildingId,
    plot: PlotName,
    span: Annotated[Span, Query()] = Span.DAY,
    line: LineId = None,
) -> PlotReply:
    """Return the metrics of one plot as columns; under 100 kB for every span."""

    def read() -> PlotReply:
        own = line_of(site, building_id, line)
        latest = site.store.measurements.latest(building_id=building_id)
        until_ms = plot_replies.window_end_ms(site.moment().now_ms)
        reader = history_reader(site, own, span, latest, until_ms)
        found, marks = reader.read(PLOT_METRICS[plot]), marks_of(plot, own, latest)
        return plot_replies.plot(found, building_id, own.id, plot, marks)

    return await site.in_thread(read)


@router.get("/incidents", summary="Open and past incidents")
async def incidents(
    site: SiteDep,
    limit: Annotated[
        int, Query(ge=0, le=10_000, description="How many past ones at most")
    ] = PAST_INCIDENTS,
) -> IncidentsReply:
    """Return all open incidents and the newest past ones."""

    def read() -> IncidentsReply:
        now_ms = site.moment().now_ms
        is_open, past = read_incidents(site, limit=limit)
        return IncidentsReply(
            at=from_ms(now_ms),
            open=replies.incidents(is_open, now_ms),
            past=replies.incidents(past, now_ms),
        )

    return await site.in_thread(read)


@router.get("/sources", summary="Senders and their last contact")
async def sources(site: SiteDep) -> SourcesReply:
    """Return all senders that may push."""

    def read() -> SourcesReply:
        return SourcesReply(
            at=from_ms(site.moment().now_ms),
            sources=[replies.source(view) for view in read_sources(site)],
        )

    return await site.in_thread(read)
