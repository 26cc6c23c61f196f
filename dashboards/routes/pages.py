"""The pages people read: German, server-rendered, usable without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from dashboards.building_page import read_parts, read_plot
from dashboards.context import Site, SiteDep
from dashboards.floors import FEW_ACCESS_POINTS, FEW_DEVICES
from dashboards.health import Part, read_health, read_own_state
from dashboards.history import Span
from dashboards.listing import Listing, arrange, districts, select
from dashboards.plots import PlotName
from dashboards.queries import (
    UnknownError,
    line_of,
    open_incident_count,
    read_building,
    read_city,
    read_incidents,
    read_sources,
)
from dashboards.shaping import LOOKS
from dashboards.views import Verdict
from netmon.line_verdict import VerdictClass
from netmon.model import SchoolType, Technology

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

SORT_CHOICES = (
    "name",
    "state",
    "line_state",
    "down",
    "-down",
    "rtt",
    "wlan_state",
    "-aps_down",
    "-clients",
    "school_type",
    "district",
)


def _page(site: Site, template: str, current: str, **values: object) -> HTMLResponse:
    if "open_count" not in values:
        values["open_count"] = open_incident_count(site)
    alerts = next(part for part in read_health(site) if part.part is Part.ALERTS)
    body = site.pages.get_template(template).render(
        current=current, alerts=alerts, visitor=site.visitor, **values
    )
    return HTMLResponse(body)


@router.get("/")
async def city(site: SiteDep, listing: Annotated[Listing, Query()]) -> HTMLResponse:
    """Show the city: counts, open incidents, both tables."""
    return await site.in_thread(_city, site, listing)


def _city(site: Site, listing: Listing) -> HTMLResponse:
    found = read_city(site)
    rows = arrange(select(found.rows, listing), listing.sort)
    incidents, _ = read_incidents(site, open_only=True)
    return _page(
        site,
        "city.html",
        "city",
        open_count=len(incidents),
        city=found,
        now_ms=found.now_ms,
        rows=rows,
        incidents=incidents,
        listing=listing,
        query=listing.query(),
        choices={
            "school_type": [x.value for x in SchoolType],
            "campus_district": districts(found.rows),
            "technology": list(Technology),
            "state": list(Verdict),
            "ap_state": list(found.ap_counts()),
            "line_words": {
                LOOKS[each]: site.texts(f"verdict.class.{each}")
                for each in VerdictClass
            },
            "sort": SORT_CHOICES,
        },
    )


@router.get("/gebaeude/{building_id}")
async def building(
    site: SiteDep,
    building_id: Annotated[str, Path(max_length=128)],
    span: Annotated[Span, Query()] = Span.DAY,
) -> HTMLResponse:
    """Show one building."""
    return await site.in_thread(_building, site, building_id, span)


def _building(site: Site, building_id: str, span: Span) -> HTMLResponse:
    found = read_building(site, building_id)
    return _page(
        site,
        "building.html",
        "city",
        page=found,
        row=found.row,
        now_ms=found.now_ms,
        parts=read_parts(site, found, span),
        span=span,
        spans=list(Span),
        few=FEW_ACCESS_POINTS,
        few_devices=FEW_DEVICES,
    )


@router.get("/gebaeude/{building_id}/verlauf/{plot}")
async def history(
    site: SiteDep,
    building_id: Annotated[str, Path(max_length=128)],
    plot: PlotName,
    span: Annotated[Span, Query()] = Span.DAY,
    line: Annotated[str | None, Query(max_length=128)] = None,
) -> HTMLResponse:
    """Show every row of one plot of a line."""

    def render() -> HTMLResponse:
        own = line_of(site, building_id, line)
        return _page(
            site,
            "history.html",
            "city",
            building=site.inventory().building_by_id[building_id],
            line=own,
            plot=read_plot(site, own, plot, span),
            now_ms=site.moment().now_ms,
            span=span,
            spans=list(Span),
        )

    return await site.in_thread(render)


@router.get("/stoerungen")
async def incidents(site: SiteDep) -> HTMLResponse:
    """Show open and past incidents."""

    def render() -> HTMLResponse:
        is_open, past = read_incidents(site)
        values: Mapping[str, object] = {
            "open_count": len(is_open),
            "incidents": is_open,
            "past": past,
            "now_ms": site.moment().now_ms,
        }
        return _page(site, "incidents.html", "incidents", **values)

    return await site.in_thread(render)


@router.get("/sonden")
async def sources(site: SiteDep) -> HTMLResponse:
    """Show the senders."""

    def render() -> HTMLResponse:
        return _page(
            site,
            "sources.html",
            "sources",
            sources=read_sources(site),
            now_ms=site.moment().now_ms,
        )

    return await site.in_thread(render)


@router.get("/system")
async def system(site: SiteDep) -> HTMLResponse:
    """Show netmon's own health; nobody who is limited to some buildings sees it."""
    if site.visitor.campus_district is not None:
        raise UnknownError("system")

    def render() -> HTMLResponse:
        own = read_own_state(site)
        return _page(site, "system.html", "system", own=own, now_ms=own.now_ms)

    return await site.in_thread(render)
