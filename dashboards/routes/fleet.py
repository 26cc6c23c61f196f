"""The senders: ``/sonden``, with filters and sorting."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from dashboards.answers import page_answer
from dashboards.context import SiteDep
from dashboards.fleet import SORTS, Contact, FleetQuery, Trouble, arrange, read_fleet
from netmon.storage.records import SourceKind

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/sonden")
async def sources(site: SiteDep, wanted: Annotated[FleetQuery, Query()]) -> Response:
    """Show the senders."""

    def render() -> Response:
        found = read_fleet(site)
        versions = Counter(row.source.agent for row in found if row.source.agent)
        return page_answer(
            site,
            "sources.html",
            "sources",
            rows=arrange(found, wanted),
            total=len(found),
            versions=versions.most_common(),
            counts=Counter(trouble for row in found for trouble in row.troubles),
            wanted=wanted,
            query=wanted.query(),
            choices={
                "kind": list(SourceKind),
                "contact": list(Contact),
                "trouble": list(Trouble),
                "sort": [
                    *SORTS,
                    *(f"-{name}" for name in ("clock", "spool", "dropped", "speed")),
                ],
            },
            now_ms=site.moment().now_ms,
        )

    return await site.in_thread(render)
