"""The API's description: FastAPI's own, completed by what msgspec reads and writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from netmon.actions.wishes import MaintenanceWish, NoteWish, SilenceWish
from netmon.assignment_wire import Assignment
from netmon.lease_wire import LeaseAsk, LeaseGranted, LeaseWait
from netmon.wire import MEASUREMENTS_PATH, Batch, ErrorReply, Receipt

_WIRE_TYPES = (
    Batch,
    Receipt,
    ErrorReply,
    LeaseAsk,
    LeaseGranted,
    LeaseWait,
    Assignment,
    MaintenanceWish,
    SilenceWish,
    NoteWish,
)
_REFERENCE = "#/components/schemas/{name}"


def _wire_schemas() -> dict[str, Any]:
    _, components = msgspec.json.schema_components(
        _WIRE_TYPES,
        ref_template=_REFERENCE,
    )
    return components


def wire_answer(
    name: str, description: str, example: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return how an answer is described that is JSON of a type of the wire."""
    content = _json_of(name)
    if example is not None:
        content["application/json"]["example"] = example
    return {"description": description, "content": content}


def wire_body(
    name: str, example: dict[str, Any], security: str = "operatorToken"
) -> dict[str, Any]:
    """Return how a request is described whose body is JSON of a type of the wire."""
    content = _json_of(name)
    content["application/json"]["example"] = example
    return {
        "security": [{security: []}],
        "requestBody": {"required": True, "content": content},
    }


def _json_of(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=name)}}}


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return a function that makes the description once and keeps it."""

    def make() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            components = found.setdefault("components", {})
            components.setdefault("schemas", {}).update(_wire_schemas())
            components["securitySchemes"] = {
                "probeToken": {"type": "http", "scheme": "bearer"},
                "operatorToken": {"type": "http", "scheme": "bearer"},
            }
            _type_ingest(found)
            app.openapi_schema = found
        return app.openapi_schema

    return make


def _type_ingest(found: dict[str, Any]) -> None:
    """Give the measurements' answers their types: the route writes plain bytes."""
    operation = found["paths"].get(MEASUREMENTS_PATH, {}).get("post")
    if operation is None:
        return
    for status, response in operation["responses"].items():
        response["content"] = _json_of("Receipt" if status == "200" else "ErrorReply")
