"""What people may do through the API: windows, silences, marks, audit trail.

`action_guard` lets in operators' tokens, and sessions of people who may operate.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response

from dashboards import acting
from dashboards import action_schemas as s
from dashboards.bodies import read_wish
from dashboards.context import Site, SiteDep
from dashboards.openapi import CSRF, OPERATOR, SESSION, link, refusal, wire_body
from dashboards.schemas import MarkReply
from netmon.actions import commands
from netmon.actions.wishes import (
    MAX_WISH_BYTES,
    decode_maintenance,
    decode_note,
    decode_silence,
)
from netmon.clock import from_ms
from netmon.storage.action_records import Mark
from netmon.wire import ErrorBody

_GONE: dict[int | str, dict[str, Any]] = {
    404: refusal("there is none of that number"),
    409: refusal("it is over already"),
}
_READING: dict[str, Any] = {"security": [{SESSION: []}, {OPERATOR: []}]}
_CHANGING: dict[str, Any] = {"security": [{SESSION: [], CSRF: []}, {OPERATOR: []}]}

_NO_WORD = ErrorBody(
    "csrf",
    "the header X-CSRF-Token is missing or is not this session's",
    "send the value of the field 'csrf' of any form of this session",
)

router = APIRouter(
    prefix="/api/v1",
    tags=["actions"],
    responses={
        401: refusal("nobody is logged in, or the token is none of an operator"),
        403: refusal("this account may not, or X-CSRF-Token is missing", _NO_WORD),
        413: refusal("too many bytes"),
        422: refusal("a field is wrong; it is named"),
        500: refusal("an error of netmon; see its log"),
        503: refusal("the store is busy; come again"),
    },
)

Made = TypeVar("Made", s.MaintenanceReply, s.SilenceReply)
Number = Annotated[int, Path(ge=1, le=2**62, description="Its number")]
All = Annotated[bool, Query(alias="all", description="Also those that are over")]

_ONCE_EXAMPLE = {
    "scope": "building",
    "value": "gs-07",
    "when": {
        "kind": "one_off",
        "starts_at": "2026-12-01T18:00:00+01:00",
        "ends_at": "2026-12-01T22:00:00+01:00",
    },
    "reason": "Austausch des Routers",
}
_SILENCE_EXAMPLE = {
    "matchers": [
        {"field": "rule", "value": "ap_down"},
        {"field": "severity", "value": "critical", "negated": True},
    ],
    "ends_at": "2026-12-04T08:00:00+01:00",
    "reason": "Access Points im Umbau",
}
_NOTE_EXAMPLE = {"note": "Techniker ist bestellt"}


@router.get("/maintenance", summary="Maintenance windows", openapi_extra=_READING)
async def maintenance(
    site: SiteDep, include_over: All = False
) -> s.MaintenanceListReply:
    """Return the windows that still count, or all, newest first."""
    now_ms = site.moment().now_ms
    found = await site.in_thread(acting.windows, site, include_over=include_over)
    return s.MaintenanceListReply(
        at=from_ms(now_ms), maintenance=[s.maintenance(x, now_ms) for x in found]
    )


@router.post(
    "/maintenance",
    status_code=201,
    summary="Announce work on a building, Campusbezirk or provider",
    description=(
        "Alarms wait while the window counts; what is still bad at its end is told "
        "then. `when` is `one_off`, or `weekly`: `days` (mo, tu, ...), `start` and "
        "`end` by the clock in Europe/Berlin (an end not after the start is on the "
        "day after), `first` and `last` day, and `excluded` days."
    ),
    responses={201: {"links": link("cancel_maintenance", "number")}},
    openapi_extra=wire_body("MaintenanceWish", _ONCE_EXAMPLE),
)
async def add_maintenance(
    request: Request, response: Response, site: SiteDep
) -> s.MaintenanceReply:
    """Store a window; see the route's description."""
    wish = await read_wish(request, decode_maintenance, MAX_WISH_BYTES)
    place = wish.scope, wish.value
    stored = await site.in_thread(
        acting.add_maintenance, site, place, wish.times, wish.reason
    )
    reply = s.maintenance(stored, site.moment().now_ms)
    return _made(response, "maintenance", reply)


@router.delete(
    "/maintenance/{number}",
    status_code=204,
    response_class=Response,
    summary="End a maintenance window before its time",
    responses=_GONE,
    openapi_extra=_CHANGING,
)
async def cancel_maintenance(site: SiteDep, number: Number) -> Response:
    """End a window; what waited because of it and is still bad is told."""
    return await _ended(site, number, acting.cancel_maintenance)


@router.get("/silences", summary="Silences", openapi_extra=_READING)
async def silences(site: SiteDep, include_over: All = False) -> s.SilencesReply:
    """Return the silences that still count, or all, newest first."""
    now_ms = site.moment().now_ms
    found = await site.in_thread(acting.silences, site, include_over=include_over)
    return s.SilencesReply(
        at=from_ms(now_ms), silences=[s.silence(x, now_ms) for x in found]
    )


@router.post(
    "/silences",
    status_code=201,
    summary="Let alarms wait by what they are about",
    description=(
        "All matchers have to hold. What is not known of an incident fits neither "
        "`=` nor `!=`. A silence lasts 90 days at most."
    ),
    responses={201: {"links": link("end_silence", "number")}},
    openapi_extra=wire_body("SilenceWish", _SILENCE_EXAMPLE),
)
async def add_silence(
    request: Request, response: Response, site: SiteDep
) -> s.SilenceReply:
    """Store a silence; see the route's description."""
    wish = await read_wish(request, decode_silence, MAX_WISH_BYTES)
    now_ms = site.moment().now_ms
    stored = await site.in_thread(
        acting.add_silence, site, wish.matchers, wish.span_ms(now_ms), wish.reason
    )
    reply = s.silence(stored, now_ms)
    return _made(response, "silences", reply)


@router.delete(
    "/silences/{number}",
    status_code=204,
    response_class=Response,
    summary="End a silence before its time",
    responses=_GONE,
    openapi_extra=_CHANGING,
)
async def end_silence(site: SiteDep, number: Number) -> Response:
    """End a silence; what waited because of it and is still bad is told."""
    return await _ended(site, number, acting.end_silence)


@router.post(
    "/incidents/{number}/acknowledge",
    summary="Say that somebody sees to an open incident",
    description="No more reminders and no escalation; its end is told all the same.",
    responses=_GONE,
    openapi_extra=wire_body("NoteWish", _NOTE_EXAMPLE),
)
async def acknowledge(request: Request, site: SiteDep, number: Number) -> MarkReply:
    """Acknowledge an incident; a later note replaces an earlier one."""
    return await _marked(request, site, number, commands.acknowledge)


@router.delete(
    "/incidents/{number}/acknowledge",
    status_code=204,
    response_class=Response,
    summary="Take an acknowledgement back",
    responses={**_GONE, 409: refusal("it is not acknowledged")},
    openapi_extra=_CHANGING,
)
async def unacknowledge(site: SiteDep, number: Number) -> Response:
    """Take an acknowledgement back: reminders and escalation go on."""
    return await _ended(site, number, acting.unacknowledge)


@router.post(
    "/incidents/{number}/false",
    summary="Say that an incident was a false alarm",
    description="Counted in `netmon_incidents_marked_false`; ends nothing.",
    responses={404: _GONE[404]},
    openapi_extra=wire_body("NoteWish", {"note": "Sonde war abgeschaltet"}),
)
async def mark_false(request: Request, site: SiteDep, number: Number) -> MarkReply:
    """Mark an incident, open or over, as a false alarm."""
    return await _marked(request, site, number, commands.mark_false)


@router.get("/audit", summary="What people did", openapi_extra=_READING)
async def audit(
    site: SiteDep,
    subject: Annotated[
        str | None, Query(max_length=128, description="E.g. incident:12")
    ] = None,
    before: Annotated[
        int | None, Query(ge=1, le=2**62, description="Only older ones than this id")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> s.AuditReply:
    """Return the audit trail, newest first."""
    found = await site.in_thread(acting.audit, site, subject, before, limit)
    return s.AuditReply(entries=[s.entry(one) for one in found])


def _made(response: Response, kind: str, reply: Made) -> Made:
    response.headers["Location"] = f"/api/v1/{kind}/{reply.id}"
    return reply


async def _ended(site: Site, number: int, end: Callable[[Site, int], None]) -> Response:
    await site.in_thread(end, site, number)
    return Response(status_code=int(HTTPStatus.NO_CONTENT))


async def _marked(
    request: Request, site: Site, number: int, command: Callable[..., Mark]
) -> MarkReply:
    wish = await read_wish(request, decode_note, MAX_WISH_BYTES)
    stored = await site.in_thread(acting.mark, site, command, number, wish.note)
    return s.mark(stored)
