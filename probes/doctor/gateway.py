"""The centre: name resolution, the gateway with its token, and its clock."""

from __future__ import annotations

import ssl
import time
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
import msgspec

from netmon.assignment_wire import ASSIGNMENT_PATH, Assignment, decode_assignment
from netmon.clock import ClockOffset, clock_offset, to_ms
from netmon.errors import ConfigError
from netmon.wire import decode_error
from probes.config import gateway_token
from probes.dns import DnsProbe
from probes.doctor.base import Finding, Place, error, hint, ok
from probes.doctor.context import context_of
from probes.settings import ProbeSettings

# A lease is good for seconds, and a record from ten minutes ahead is refused.
MAX_OFFSET_S = 2.0
# The Date header counts whole seconds.
_DATE_STEP_MS = 1000


async def dns(place: Place) -> list[Finding]:
    """Say whether the name that the DNS probe asks for is resolved."""
    if place.settings is None:
        return []
    found = await DnsProbe(place.settings.dns).run(context_of(place.settings, place))
    name = place.settings.dns.name
    if found.failure is not None:
        return [
            error("failed", name=name, reason=found.failure.value, text=found.detail)
        ]
    return [ok("resolved", name=name, answer_s=found.values["duration_s"] or 0.0)]


async def gateway(place: Place) -> list[Finding]:
    """Say whether the gateway is there, believes our token and knows our line."""
    settings, client = place.settings, place.client
    if settings is None or client is None:
        return []
    url = settings.gateway.url
    try:
        token = gateway_token(settings)
    except ConfigError:
        return []  # the secrets' check has said it
    findings = []
    if not _is_private(url):
        findings.append(hint("plain", url=url))
    asked_s = time.monotonic()
    try:
        answer = await client.get(
            url.rstrip("/") + ASSIGNMENT_PATH,
            headers={"Authorization": f"Bearer {token.reveal()}"},
        )
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError) as problem:
        return [*findings, _unreached(problem, url)]
    answer_s = time.monotonic() - asked_s
    return [*findings, *_answer(answer, settings, answer_s)]


def _answer(
    answer: httpx.Response, settings: ProbeSettings, answer_s: float
) -> list[Finding]:
    match answer.status_code:
        case HTTPStatus.OK:
            try:
                told = decode_assignment(answer.content)
            except msgspec.DecodeError:
                return [error("stranger", url=settings.gateway.url)]
            return [ok("reached", answer_s=answer_s), *_fits(told, settings)]
        case HTTPStatus.UNAUTHORIZED:
            return [error("token")]
        case HTTPStatus.NOT_FOUND if decode_error(answer.content) is None:
            return [error("stranger", url=settings.gateway.url)]
        case HTTPStatus.NOT_FOUND:
            return [hint("older", answer_s=answer_s)]
        case status:
            said = decode_error(answer.content)
            text = said.message if said else answer.reason_phrase
            return [error("refused", status_count=float(status), text=text)]


def _fits(told: Assignment, settings: ProbeSettings) -> list[Finding]:
    """Compare who the gateway thinks we are with what the settings say."""
    findings = [
        error("mixed_up", name=name, here=here, there=there)
        for name, here, there in (
            ("probe", settings.probe, told.probe),
            ("building", settings.building, told.building),
        )
        if here != there
    ]
    known = [line.id for line in told.lines]
    if settings.line not in known:
        lines = ", ".join(known) or "–"
        findings.append(error("no_line", line=settings.line, lines=lines))
    return findings


def _is_private(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in {
        "localhost",
        "127.0.0.1",
        "::1",
    }


def _unreached(problem: Exception, url: str) -> Finding:
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            text = getattr(cause, "verify_message", "") or cause.reason
            return error("tls", url=url, text=str(text))
        cause = cause.__cause__ or cause.__context__
    if isinstance(problem, UnicodeEncodeError):
        return error("token")
    return error("unreached", url=url, text=str(problem) or type(problem).__name__)


async def gateway_clock(place: Place) -> list[Finding]:
    """Say how far this machine's clock is from the gateway's."""
    if place.settings is None or place.client is None:
        return []
    asked_ms = to_ms(place.clock.now())
    try:
        answer = await place.client.get(
            place.settings.gateway.url.rstrip("/") + "/healthz"
        )
    except (httpx.HTTPError, httpx.InvalidURL):
        return []  # the gateway's own check has said it
    found = date_offset(asked_ms, to_ms(place.clock.now()), answer.headers.get("date"))
    if found is None:
        return [hint("no_time")]
    fields = {"offset_s": found.offset_s, "uncertainty_s": found.uncertainty_s}
    if abs(found.offset_s) - found.uncertainty_s > MAX_OFFSET_S:
        return [error("off", **fields)]
    return [ok("agrees", **fields)]


def date_offset(
    asked_ms: int, answered_ms: int, header: str | None
) -> ClockOffset | None:
    """Return the offset by a Date header; None without a sensible one.

    The header's second has begun at most one second ago: the middle of it is the
    best guess, half a second is added to the uncertainty.
    """
    try:
        moment = parsedate_to_datetime(header or "")
        said_ms = to_ms(moment)
    except ValueError:
        return None
    found = clock_offset(asked_ms, answered_ms, said_ms + _DATE_STEP_MS // 2)
    return ClockOffset(found.offset_s, found.uncertainty_s + _DATE_STEP_MS / 2000)
