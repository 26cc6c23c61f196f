"""``/healthz`` and ``/metrics``: what machines ask netmon about itself."""

from __future__ import annotations

import hmac
import logging
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from dashboards.bearer import bearer_token, refuse
from dashboards.context import SiteDep
from dashboards.health import Part, PartHealth, read_health
from dashboards.openapi import refusal
from dashboards.schemas import HealthReply, PartReply
from netmon.config import Secret
from netmon.errors import StorageError
from netmon.login_settings import MetricsSettings

_log = logging.getLogger(__name__)

router = APIRouter(tags=["own health"])

_METRICS_EXAMPLE = """\
# HELP netmon_quarantined_measurements Measurements kept aside
# TYPE netmon_quarantined_measurements gauge
netmon_quarantined_measurements 0.0
"""
_UNWELL: dict[int | str, dict[str, Any]] = {
    500: refusal("an error of netmon; see its log"),
    503: {"model": HealthReply, "description": "a part is not well; see `failing`"},
}
_NO_METRICS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/plain": {"example": _METRICS_EXAMPLE}},
        "description": "Prometheus text format",
    },
    401: refusal("the address is not allowed, and the token is missing or wrong"),
    403: refusal("the address is not allowed, and there is no token that would help"),
    500: refusal("an error of netmon; see its log"),
    503: refusal("the store does not answer"),
}


def _reply(parts: tuple[PartHealth, ...]) -> HealthReply:
    return HealthReply(
        ok=all(part.ok for part in parts),
        failing=[part.part for part in parts if not part.ok],
        parts=[
            PartReply(part=p.part, ok=p.ok, age_s=p.age_s, allowed_s=p.allowed_s)
            for p in parts
        ],
    )


@router.get("/healthz", summary="Is netmon itself well?", responses=_UNWELL)
async def healthz(site: SiteDep, response: Response) -> HealthReply:
    """Answer 200 when every part is well, else 503 with the parts that are not."""
    try:
        reply = _reply(await site.in_thread(read_health, site))
    except StorageError:
        _log.exception("the store did not answer")
        reply = _reply((PartHealth(Part.STORE, ok=False, age_s=None, allowed_s=None),))
    if not reply.ok:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return reply


def _let_in(request: Request, settings: MetricsSettings, token: Secret | None) -> None:
    """Let in who asks from an allowed network, or has the token.

    Raises:
        RefusedError: neither.
    """
    if settings.allows("" if request.client is None else request.client.host):
        return
    if token is None:
        raise refuse(
            HTTPStatus.FORBIDDEN,
            "forbidden_address",
            "this address may not read the metrics",
            "add its network to metrics.allowed_nets, or set metrics.token_file",
        )
    sent = bearer_token(request, "metrics.token_file")
    if not hmac.compare_digest(sent.encode(), token.reveal().encode()):
        raise refuse(
            HTTPStatus.UNAUTHORIZED,
            "bad_token",
            "this is not the token of metrics.token_file",
            "send the one that is in that file",
        )


@router.get(
    "/metrics",
    summary="Own metrics for Prometheus",
    response_class=Response,
    responses=_NO_METRICS,
)
async def metrics(site: SiteDep, request: Request) -> Response:
    """Answer with all own metrics, read from the store now.

    Allowed networks may ask (`metrics.allowed_nets`, by default this machine), others
    with the bearer token of `metrics.token_file`.
    """
    _let_in(request, site.settings.metrics, request.app.state.metrics_token)
    registry: CollectorRegistry = request.app.state.registry
    body = await site.in_thread(generate_latest, registry)
    return Response(body, media_type=CONTENT_TYPE_PLAIN_0_0_4)
