"""The pages people read: German, server-rendered, usable without JavaScript."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from dashboards.answers import page_answer
from dashboards.building_page import read_parts, read_plot
from dashboards.building_queries import read_building
from dashboards.context import Site, SiteDep
from dashboards.floors import FEW_ACCESS_POINTS, FEW_DEVICES
from dashboards.health import read_own_state
from dashboards.history import Span
from dashboards.plots import PlotName
from dashboards.queries import UnknownError, line_of
from netmon.retention import DAY_MS, Kept, span_ms

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


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
    return page_answer(
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
        return page_answer(
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


@router.get("/system")
async def system(site: SiteDep) -> HTMLResponse:
    """Show netmon's own health; nobody who is limited to some buildings sees it."""
    if site.visitor.campus_district is not None:
        raise UnknownError("system")

    def render() -> HTMLResponse:
        own = read_own_state(site)
        return page_answer(
            site,
            "system.html",
            "system",
            own=own,
            now_ms=own.now_ms,
            kept=[(each, span_ms(each, site.settings) // DAY_MS) for each in Kept],
        )

    return await site.in_thread(render)
