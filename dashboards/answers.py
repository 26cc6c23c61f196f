"""How a page leaves: rendered, with what every page shows."""

from __future__ import annotations

from fastapi.responses import HTMLResponse

from dashboards.city_queries import open_incident_count
from dashboards.context import Site
from dashboards.health import Part, read_health


def page_answer(
    site: Site, template: str, current: str, **values: object
) -> HTMLResponse:
    """Return a page; ``current`` is the entry of the navigation it belongs to."""
    if "open_count" not in values:
        values["open_count"] = open_incident_count(site)
    alerts = next(part for part in read_health(site) if part.part is Part.ALERTS)
    body = site.pages.get_template(template).render(
        current=current, alerts=alerts, visitor=site.visitor, **values
    )
    return HTMLResponse(body)
