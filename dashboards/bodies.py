"""Bodies of requests: small JSON, decoded strictly, its faults told by field."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

import msgspec
from fastapi import Request

from dashboards.bearer import refuse

T = TypeVar("T")


async def read_wish(
    request: Request, decode: Callable[[bytes], T], max_bytes: int
) -> T:
    """Return what a body asks for.

    Raises:
        RefusedError: it is too large, or not of the shape that ``decode`` wants.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:
            raise refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too_large",
                f"the body is larger than {max_bytes} bytes",
                "send one wish",
                field="body",
            )
    try:
        return decode(bytes(body))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        text, _, where = str(error).partition(" - at `")
        raise refuse(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "malformed",
            text,
            "send a wish as /api/v1/openapi.json describes it",
            field=where.rstrip("`").removeprefix("$.").removeprefix("$") or "body",
        ) from error
