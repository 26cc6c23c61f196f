"""Every error answer: one JSON shape for the API, a page in words for people.

A text of an unexpected error never leaves the house: it goes to the log.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from dashboards.bearer import RefusedError, reply
from dashboards.caching import NotModifiedError, not_modified
from dashboards.context import Visitor
from dashboards.interrupted import give_token, keep_typed, page_of
from dashboards.queries import UnknownError
from dashboards.security import with_security_headers
from dashboards.visitors import LoginNeededError
from netmon.actions.errors import ActionError, Refusal
from netmon.errors import StorageError
from netmon.texts import Texts
from netmon.wire import ErrorBody, ErrorReply, encode

if TYPE_CHECKING:
    from dashboards.context import Site

_log = logging.getLogger(__name__)
_JSON_PREFIXES = ("/api/", "/healthz", "/metrics")
RETRY_AFTER_S = 5
# What programs read is English, as the description of the API.
_API_TEXTS = Texts("en")

# Status -> code and whether the same request may succeed later; texts come from
# the catalogue.
_CODES: dict[int, tuple[str, bool]] = {
    400: ("bad_request", False),
    401: ("no_token", False),
    403: ("forbidden", False),
    404: ("not_found", False),
    405: ("method_not_allowed", False),
    413: ("too_large", False),
    415: ("unsupported_media_type", False),
    422: ("invalid", False),
    429: ("busy", True),
    500: ("internal", False),
    503: ("unavailable", True),
}


def wants_json(path: str) -> bool:
    """Say whether an address belongs to programs rather than to people."""
    return path.startswith(_JSON_PREFIXES)


def error_body(texts: Texts, status: int, field: str | None = None) -> ErrorBody:
    """Return the error of a status, worded by the catalogue."""
    code, retry = _CODES.get(status, ("bad_request", False))
    return ErrorBody(
        code=code,
        message=texts(f"site.error.{code}.message"),
        fix=texts(f"site.error.{code}.fix"),
        retry=retry,
        field=field,
    )


def answer(
    request: Request,
    status: int,
    field: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return the error answer that fits the address."""
    site: Site = request.app.state.site
    is_json = wants_json(request.url.path)
    body = error_body(_API_TEXTS if is_json else site.texts, status, field)
    headers = dict(headers or {})
    if body.retry:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    response: Response
    if is_json:
        response = Response(
            encode(ErrorReply(body)), status, headers, "application/json"
        )
    else:
        page = site.pages.get_template("error.html").render(
            error=body,
            status=status,
            current="",
            open_count=None,
            visitor=getattr(request.state, "visitor", Visitor(role=None)),
        )
        response = HTMLResponse(page, status, headers)
    return with_security_headers(response)


async def _on_http(request: Request, error: Exception) -> Response:
    status, headers = HTTPStatus.INTERNAL_SERVER_ERROR.value, {}
    if isinstance(error, HTTPException):
        status, headers = error.status_code, dict(error.headers or {})
        if "Allow" in headers:
            headers["Allow"] = ", ".join(_allowed(request))
    return answer(request, status, headers=headers)


def _allowed(request: Request) -> list[str]:
    """Return the methods of an address: the router names those of one route only."""
    routes, scope = request.app.routes, request.scope
    found = [
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches({**scope, "method": method})[0] is Match.FULL
            for route in routes
        )
    ]
    # See `dashboards.heads`.
    return ["GET", "HEAD", *found[1:]] if found[:1] == ["GET"] else found


async def _on_invalid(request: Request, error: Exception) -> Response:
    field = None
    if isinstance(error, RequestValidationError) and error.errors():
        place = error.errors()[0].get("loc", ())
        # The first part says where: query, path or body.
        field = ".".join(str(part) for part in place[1:])[:200] or None
    return answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, field)


async def _on_unknown(request: Request, error: Exception) -> Response:
    _log.debug("nothing named %s", error)
    return answer(request, HTTPStatus.NOT_FOUND)


async def _on_storage(request: Request, error: Exception) -> Response:
    _log.error("the store did not answer", exc_info=error)
    return answer(request, HTTPStatus.SERVICE_UNAVAILABLE)


async def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101 - registered for it alone
    if not wants_json(request.url.path):
        return answer(request, error.status)
    return with_security_headers(reply(error.status, encode(ErrorReply(error.body))))


async def _on_stranger(request: Request, error: Exception) -> Response:
    """Lead to the login and back: what was typed into a form waits there."""
    path, token = request.url.path, ""
    if request.method != "GET":
        path, _ = page_of(path)
        token = await keep_typed(request.app.state.site, request)
    query = f"?{request.url.query}" if request.url.query and path != "/" else ""
    target = (
        f"/anmelden?{urlencode({'weiter': path + query})}"
        if path != "/"
        else "/anmelden"
    )
    response = RedirectResponse(target, HTTPStatus.SEE_OTHER)
    if token:
        give_token(request.app.state.site, response, token)
    return with_security_headers(response)


async def _on_not_modified(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotModifiedError)  # noqa: S101 - registered for it alone
    return not_modified(error.tag)


async def _on_any(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(request, HTTPStatus.INTERNAL_SERVER_ERROR)


_STATUS_OF = {
    Refusal.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Refusal.CONFLICT: HTTPStatus.CONFLICT,
}


async def _on_action(request: Request, error: Exception) -> Response:
    assert isinstance(error, ActionError)  # noqa: S101 - registered for it alone
    # The answer has room for one; the next comes when that is mended.
    first = error.faults[0]
    text, fix = first.text(_API_TEXTS), first.fix(_API_TEXTS)
    body = ErrorBody(error.kind.value, text, fix, False, first.field)
    answer = reply(_STATUS_OF[error.kind], encode(ErrorReply(body)))
    return with_security_headers(answer)


# Which error is answered by what; the nearest class of an error counts.
_HANDLERS: dict[
    type[Exception], Callable[[Request, Exception], Awaitable[Response]]
] = {
    HTTPException: _on_http,
    RequestValidationError: _on_invalid,
    UnknownError: _on_unknown,
    ActionError: _on_action,
    StorageError: _on_storage,
    RefusedError: _on_refused,
    LoginNeededError: _on_stranger,
    NotModifiedError: _on_not_modified,
    Exception: _on_any,
}


def install(app: FastAPI) -> None:
    """Make every error of the app come out in its one shape."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
