"""``/api/v1/leases``: probes ask for their slot before they load a line."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from dashboards.bearer import RefusedError, authenticate, refuse, reply
from dashboards.bodies import read_wish
from dashboards.context import Site, SiteDep
from dashboards.leasing import LeaseDesk
from dashboards.openapi import link, refusal, wire_answer
from netmon.errors import StorageError
from netmon.lease_wire import (
    LEASES_PATH,
    MAX_ASK_BYTES,
    LeaseWait,
    decode_ask,
    encode_lease_message,
)
from netmon.wire import ErrorBody, ErrorReply, encode

_log = logging.getLogger(__name__)

router = APIRouter(tags=["leases"])


_ASK_EXAMPLE = {
    "line": "gs-07-main",
    "purpose": "floor",
    "directions": ["down"],
    "rate_cap_bps": 110_000_000,
    "length_s": 2.5,
    "expected_s": 0.8,
}
_GRANTED_EXAMPLE = {
    "state": "granted",
    "id": "9f2c4a52b1d84f0e8f6f0c2a7d1e3b45",
    "token": "nml1.eyJpZCI6Ii4uLiJ9.c2lnbmF0dXJl",
    "line": "gs-07-main",
    "directions": ["down"],
    "rate_cap_bps": 110_000_000,
    "bytes": 34_375_000,
    "length_s": 2.5,
    "streams_count": 1,
    "expires_ms": 1_795_162_327_500,
    "servers": [
        {"id": "m1", "address": "messserver1.example:5201", "healthy": True},
        {"id": "m2", "address": "messserver2.example:5201", "healthy": True},
    ],
}
_WAIT_EXAMPLE = {
    "state": "waiting",
    "retry_after_s": 1.4,
    "why": "radio_hop_busy",
    "message": "Über die Funkstrecke mast-3 läuft schon eine Messung.",
    "resource": "mast-3",
    "ahead_count": 2,
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    401: refusal("no, unknown or revoked token"),
    403: refusal("no probe, or not the probe of that building"),
    500: refusal("an error of netmon; see its log"),
    503: refusal("the store is busy; come again"),
}


async def _ask(request: Request, site: Site, desk: LeaseDesk) -> Response:
    source = await site.in_thread(authenticate, request, site.store)
    answer = await site.in_thread(
        desk.ask, source, await read_wish(request, decode_ask, MAX_ASK_BYTES)
    )
    body = encode_lease_message(answer)
    if isinstance(answer, LeaseWait):
        headers = {"Retry-After": str(math.ceil(answer.retry_after_s))}
        return Response(body, int(HTTPStatus.ACCEPTED), headers, "application/json")
    headers = {"Location": f"{LEASES_PATH}/{answer.id}", "Cache-Control": "no-store"}
    return Response(body, int(HTTPStatus.CREATED), headers, "application/json")


async def _release(request: Request, site: Site, desk: LeaseDesk, lease: str) -> None:
    source = await site.in_thread(authenticate, request, site.store)
    if not await site.in_thread(desk.release, source, lease):
        raise refuse(
            HTTPStatus.NOT_FOUND,
            "not_found",
            "your building has no such lease, or no longer",
            "nothing: what has expired holds nothing",
        )


def _refusal(error: RefusedError | StorageError) -> Response:
    if isinstance(error, RefusedError):
        return reply(error.status, encode(ErrorReply(error.body)))
    # The text stays in the log: it may name paths.
    _log.error("a lease could not be settled", exc_info=error)
    body = ErrorBody("store", "the store is not ready", "come again later", True)
    return reply(HTTPStatus.SERVICE_UNAVAILABLE, encode(ErrorReply(body)))


@router.post(
    LEASES_PATH,
    status_code=201,
    summary="Ask for a slot to measure",
    description=(
        "Grants a lease, or says when to ask again; the place in the queue is kept "
        "while the probe comes when told. All leases together hold at most 80 % of "
        "each measurement server and shared segment. Asking again for a test whose "
        "lease still runs gives the same lease: a lost answer does no harm. The "
        "token is for the first of the servers, for one test."
    ),
    responses={
        201: {
            **wire_answer("LeaseGranted", "go ahead", _GRANTED_EXAMPLE),
            "links": link("release_lease", "lease_id"),
        },
        202: wire_answer("LeaseWait", "not yet; ask again when told", _WAIT_EXAMPLE),
        404: refusal("this gateway gives out no slots"),
        409: refusal("no way can ever give least_bps"),
        413: refusal("too many bytes"),
        422: refusal("no wish, or an unknown line"),
        **_ERRORS,
    },
    openapi_extra={
        "security": [{"senderToken": []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/LeaseAsk"},
                    "example": _ASK_EXAMPLE,
                }
            },
        },
    },
)
async def ask_lease(request: Request, site: SiteDep) -> Response:
    """Grant a slot or tell when to come again; see the route's description."""
    try:
        return await _ask(request, site, request.app.state.leases)
    except (RefusedError, StorageError) as error:
        return _refusal(error)


@router.delete(
    f"{LEASES_PATH}/{{lease_id}}",
    status_code=204,
    response_class=Response,
    summary="Give a slot back",
    description="A probe does so as soon as its test is over, whatever came of it.",
    responses={
        404: refusal("your building has no such lease, or no longer"),
        422: refusal("no id of a lease"),
        **_ERRORS,
    },
    openapi_extra={"security": [{"senderToken": []}]},
)
async def release_lease(
    request: Request,
    site: SiteDep,
    lease_id: Annotated[str, Path(max_length=64, description="As it was granted")],
) -> Response:
    """End a lease; see the route's description."""
    try:
        await _release(request, site, request.app.state.leases, lease_id)
    except (RefusedError, StorageError) as error:
        return _refusal(error)
    return Response(status_code=int(HTTPStatus.NO_CONTENT))
