"""``/api/v1/assignment``: what the centre tells a probe."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from dashboards.assigning import assign
from dashboards.bearer import RefusedError, authenticate, reply
from dashboards.caching import knows, tag_of
from dashboards.context import Site, SiteDep
from dashboards.openapi import refusal, wire_answer
from netmon.assignment_wire import ASSIGNMENT_PATH, encode_assignment
from netmon.calendars import Calendars
from netmon.wire import ErrorReply, encode

router = APIRouter(tags=["assignment"])

_EXAMPLE = {
    "probe": "gs-07-p1",
    "building": "gs-07",
    "line": "gs-07-main",
    "lines": [
        {
            "id": "gs-07-main",
            "role": "main",
            "technology": "fibre",
            "contracted_down_bps": 250_000_000,
            "contracted_up_bps": 50_000_000,
            "threshold_down_bps": 100_000_000.0,
            "clear_down_bps": 105_000_000.0,
            "threshold_up_bps": 45_000_000.0,
        }
    ],
    "calendar": {
        "lessons": [
            {
                "start": "07:45:00",
                "end": "15:30:00",
                "days": ["mo", "tu", "we", "th", "fr"],
            }
        ],
        "holidays": [
            {"first": "2026-12-23", "last": "2027-01-06", "name": "Weihnachtsferien"}
        ],
        "protected": [
            {
                "day": "2027-04-20",
                "start": "09:00:00",
                "end": "14:00:00",
                "name": "Abiturprüfung",
            }
        ],
    },
    "budget_share": 0.001,
    "full_tests_per_day": 2,
    "slot_s": 3600.0,
    "confirm": False,
    "campaign": {"id": "ev-20261120-3f9a2c1b", "moments_ms": [1_795_162_327_500]},
}


def _answer(request: Request, site: Site, calendars: Calendars) -> Response:
    source = authenticate(request, site.store)
    body = encode_assignment(assign(site, calendars, source))
    tag = tag_of(body)
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if knows(request.headers.getlist("if-none-match"), tag):
        return Response(status_code=int(HTTPStatus.NOT_MODIFIED), headers=headers)
    return Response(body, int(HTTPStatus.OK), headers, "application/json")


@router.get(
    ASSIGNMENT_PATH,
    summary="What this probe is to measure",
    description=(
        "The probe's line and the other lines of its building with what they must "
        "reach, the school calendar, the budget, and whether an alarm waits for a "
        "full test to confirm it. Send the ETag back as If-None-Match: the answer "
        "is 304 while nothing has changed."
    ),
    response_class=Response,
    responses={
        200: wire_answer("Assignment", "what to do", _EXAMPLE),
        401: refusal("no, unknown or revoked token"),
        403: refusal("no probe, or one of another building"),
        404: refusal("the inventory does not know the probe"),
        500: refusal("an error of netmon; see its log"),
        503: refusal("the store is busy; come again"),
    },
    openapi_extra={"security": [{"senderToken": []}]},
)
async def read_assignment(request: Request, site: SiteDep) -> Response:
    """Tell a probe what to do; see the route's description."""
    calendars: Calendars = request.app.state.calendars
    try:
        return await site.in_thread(_answer, request, site, calendars)
    except RefusedError as error:
        return reply(error.status, encode(ErrorReply(error.body)))
