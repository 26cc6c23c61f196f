"""How a page or a file leaves: rendered, told apart by its content, not kept by others."""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from dashboards.context import Site
from dashboards.health import Part, read_health
from dashboards.queries import open_incident_count

# Kept by this person's browser only, and asked for again before it is shown.
_ASK_AGAIN = "private, no-cache"
HTML = "text/html; charset=utf-8"


def render_page(site: Site, template: str, current: str, **values: object) -> str:
    """Return a page; ``current`` is the entry of the navigation it belongs to."""
    if "open_count" not in values:
        values["open_count"] = open_incident_count(site)
    alerts = next(part for part in read_health(site) if part.part is Part.ALERTS)
    return site.pages.get_template(template).render(
        current=current, alerts=alerts, visitor=site.visitor, **values
    )


def page_answer(
    site: Site, template: str, current: str, **values: object
) -> HTMLResponse:
    """Return a page as an answer."""
    return HTMLResponse(render_page(site, template, current, **values))


def tagged_answer(
    request: Request, body: bytes, media_type: str, **headers: str
) -> Response:
    """Return the body with an ETag, or 304 where the browser has just that.

    The tag is weak: on its way the body may be compressed.
    """
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers |= {"ETag": tag, "Cache-Control": _ASK_AGAIN, "Vary": "Cookie"}
    known = request.headers.get("If-None-Match", "")
    if tag in {each.strip() for each in known.split(",")}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
