"""Headers on every answer: nothing from elsewhere, nothing inline, no framing."""

from __future__ import annotations

from fastapi import Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# A page is about now: a copy from yesterday must not come out of a cache.
_NO_STORE = "no-store"


def headers_with(images: str) -> dict[str, str]:
    """Return the headers; pictures may come from that origin too, unless empty."""
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    if images:
        policy = policy.replace("img-src 'self'", f"img-src 'self' {images}")
    return {**SECURITY_HEADERS, "Content-Security-Policy": policy}


def with_security_headers(response: Response) -> Response:
    """Return the answer with the headers set, for answers outside the middleware."""
    _set(response.headers, SECURITY_HEADERS)
    return response


def _set(headers: MutableHeaders, wanted: dict[str, str]) -> None:
    for name, value in wanted.items():
        headers[name] = value
    headers.setdefault("Cache-Control", _NO_STORE)


class SecurityHeaders:
    """ASGI middleware; plain, so that a body streams through untouched.

    ``images`` is the origin of the map's tiles, empty for none.
    """

    def __init__(self, app: ASGIApp, images: str = "") -> None:
        self._app = app
        self._headers = headers_with(images)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers when the answer starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _set(MutableHeaders(scope=message), self._headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)
