"""The pages people read: German, server-rendered, usable without JavaScript."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from dashboards import chart
from dashboards.answers import page_answer
from dashboards.context import Site, SiteDep
from dashboards.health import read_own_state
from dashboards.history import HISTORY_METRICS, History, HistoryMetric, Span
from dashboards.queries import (
    LineHistory,
    UnknownError,
    read_building,
    read_line_history,
)
from dashboards.tables import HistoryRow, Plot, history_rows
from dashboards.views import LineView
from netmon.model import TARGET_DOWN_BPS

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_RATES = (HistoryMetric.RATE_DOWN, HistoryMetric.RATE_UP)
_DELAYS = (HistoryMetric.RTT, HistoryMetric.JITTER)
_LOSS = (HistoryMetric.LOSS,)
_FULL_WIDTH = (chart.WIDE, chart.MEDIUM, chart.NARROW)
_HALF_WIDTH = (chart.MEDIUM, chart.NARROW)


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
    histories = {
        view.line.id: _plots(
            view,
            read_line_history(
                site, building_id, (*_RATES, *_DELAYS, *_LOSS), span, view.line.id
            ),
        )
        for view in found.row.lines
        if view.watched or view is found.row.main
    }
    return page_answer(
        site,
        "building.html",
        "city",
        page=found,
        row=found.row,
        now_ms=found.now_ms,
        histories=histories,
        span=span,
        spans=list(Span),
    )


def _plots(view: LineView, found: LineHistory) -> list[Plot]:
    down_bps = float(view.line.contracted_down_bps)
    marks = [("contract", down_bps)]
    if down_bps != TARGET_DOWN_BPS:
        marks.append(("target", float(TARGET_DOWN_BPS)))
    return [
        _plot("rates", found.history, _RATES, "bps", marks),
        _plot("delays", found.history, _DELAYS, "s", []),
        _plot("loss", found.history, _LOSS, "ratio", []),
    ]


def _plot(
    name: str,
    history: History,
    metrics: tuple[HistoryMetric, ...],
    unit: str,
    marks: list[tuple[str, float]],
) -> Plot:
    rows: list[HistoryRow] = history_rows(history, metrics)
    return Plot(
        name=name,
        kind=HISTORY_METRICS[metrics[0]][0],
        unit=unit,
        metrics=tuple(metrics),
        grain=history.grain,
        generated=history.generated and bool(rows),
        rows=tuple(rows),
        charts=tuple(
            found
            for size in (_FULL_WIDTH if name == "rates" else _HALF_WIDTH)
            if (found := chart.build(history, metrics, marks, size)) is not None
        ),
    )


@router.get("/system")
async def system(site: SiteDep) -> HTMLResponse:
    """Show netmon's own health; nobody who is limited to some buildings sees it."""
    if site.visitor.campus_district is not None:
        raise UnknownError("system")

    def render() -> HTMLResponse:
        own = read_own_state(site)
        return page_answer(site, "system.html", "system", own=own, now_ms=own.now_ms)

    return await site.in_thread(render)
