"""ETag and 304: an answer that a browser holds already is not sent again."""

from __future__ import annotations

import hashlib

from fastapi import Request, Response
from pydantic import BaseModel

# A copy may be kept by the browser alone, and is asked for anew before each use.
_KEEP = "private, no-cache"


def etag_of(body: bytes) -> str:
    """Return a weak tag: compressed or not, it is the same answer."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'


def _is_known(request: Request, tag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    known = {each.strip().removeprefix("W/") for each in given.split(",")}
    return tag.removeprefix("W/") in known or "*" in known


def conditional(request: Request, reply: BaseModel) -> Response:
    """Return the reply as JSON, or 304 without a body where the browser has it."""
    body = reply.model_dump_json().encode()
    headers = {"ETag": etag_of(body), "Cache-Control": _KEEP}
    if _is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
