"""All buildings: the page *Stadt* and the same as a file for a spreadsheet."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from dashboards.answers import page_answer
from dashboards.city_csv import city_csv
from dashboards.city_map import city_map
from dashboards.city_queries import read_city, read_newest
from dashboards.context import Site, SiteDep
from dashboards.line_shaping import LOOKS
from dashboards.listing import Listing, arrange, choices, select
from dashboards.views import City, Verdict
from netmon.line_verdict import VerdictClass
from netmon.model import SchoolType, Technology

router = APIRouter(include_in_schema=False)

INCIDENTS_SHOWN = 8

SORT_CHOICES = (
    "name",
    "state",
    "line_state",
    "down",
    "-down",
    "rtt",
    "-need",
    "wlan_state",
    "-aps_down",
    "-clients",
    "lan_rooms",
    "wlan_rooms",
    "school_type",
    "district",
    "city_district",
    "provider",
)


@router.get("/")
async def city(site: SiteDep, listing: Annotated[Listing, Query()]) -> HTMLResponse:
    """Show the city: counts, open incidents, map, both tables."""
    return await site.in_thread(_city, site, listing)


def _city(site: Site, listing: Listing) -> HTMLResponse:
    found = read_city(site)
    rows = arrange(select(found.rows, listing), listing.sort)
    incidents, open_count = read_newest(site, INCIDENTS_SHOWN)
    return page_answer(
        site,
        "city.html",
        "city",
        open_count=open_count,
        city=found,
        now_ms=found.now_ms,
        rows=rows,
        incidents=incidents,
        listing=listing,
        query=listing.query(),
        choices=_choices(site, found),
        map=city_map(site.inventory(), rows, site.texts),
        tiles=site.settings.site,
    )


def _choices(site: Site, found: City) -> dict[str, object]:
    """Return what the form offers: closed lists, and what occurs."""
    buildings = [row.building for row in found.rows]
    return {
        "school_type": [x.value for x in SchoolType],
        "campus_district": choices(x.campus_district for x in buildings),
        "city_district": choices(x.city_district for x in buildings),
        "provider": choices(row.main.line.provider for row in found.rows if row.main),
        "technology": list(Technology),
        "state": list(Verdict),
        # In their order: the words of access points are none for a line.
        "line_state": [x for x in Verdict if x in LOOKS.values()],
        "ap_state": list(found.ap_counts()),
        "line_words": {
            LOOKS[each]: site.texts(f"verdict.class.{each}") for each in VerdictClass
        },
        "sort": SORT_CHOICES,
    }


@router.get("/gebaeude.csv")
async def city_file(site: SiteDep, listing: Annotated[Listing, Query()]) -> Response:
    """Give what the tables show, with the same filters, for a spreadsheet."""

    def write() -> bytes:
        found = read_city(site)
        rows = arrange(select(found.rows, listing), listing.sort)
        return city_csv(rows, site.texts)

    body = await site.in_thread(write)
    attachment = {"Content-Disposition": 'attachment; filename="gebaeude.csv"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=attachment)
