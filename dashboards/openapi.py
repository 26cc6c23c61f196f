"""The API's description: FastAPI's own, completed by what msgspec reads and writes.

A test holds it complete: every operation has words, a tag, what opens it, and
examples that fit their schemas. Examples of what pydantic writes are real answers, in
``openapi_examples.json``; those of the wire stand beside their routes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from netmon.actions.wishes import MaintenanceWish, NoteWish, SilenceWish
from netmon.assignment_wire import Assignment
from netmon.lease_wire import LeaseAsk, LeaseGranted, LeaseWait
from netmon.wire import Batch, ErrorBody, ErrorReply, Receipt, encode

ABOUT = """\
What netmon knows and takes: the state of all buildings as JSON, what operators do about \
alarms, and what probes and collectors hand over.

- Units are in the names (`rate_bps`, `duration_s`), numbers are SI, times UTC in ISO 8601 \
or, where a name ends in `_ms`, milliseconds since 1970. `null` means: not known; it is \
never zero and never good.
- Every error has the shape of `ErrorReply`: `code` for programs, `message` and `fix` for \
people, `retry` says whether the same request may succeed later, `field` what it is about. \
With 429, 503 and 507 comes `Retry-After` in seconds.
- Unknown fields of operators' and probes' wishes and unknown parameters of lists are refused.
- Answers that may be asked for again have a weak `ETag`; send it as `If-None-Match` and a \
304 says that nothing has changed.
"""
TAGS = (
    ("status", "What the status site shows, for programs."),
    (
        "actions",
        "What people decide about alarms: windows, silences, marks, audit trail.",
    ),
    ("ingest", "Where probes and collectors hand over what they measured."),
    ("leases", "Slots at the measurement servers."),
    ("assignment", "What a probe is to do."),
    ("own health", "Is netmon itself well?"),
)
SESSION, OPERATOR, SENDER = "session", "operatorToken", "senderToken"
# What a session sends beside its cookie where it changes something.
CSRF = "csrfWord"
_BEARER = {"type": "http", "scheme": "bearer"}
# What opens the operations of a tag that do not say so themselves.
_OPENED_BY: dict[str, list[dict[str, list[str]]]] = {
    "status": [{SESSION: []}, {OPERATOR: []}],
    "own health": [],
}
# Whose answers can be asked for again: see `dashboards.caching`.
_TAGGED = frozenset({"status", "actions", "assignment"})
_ETAG = {
    "description": "Weak; send it back as `If-None-Match`.",
    "schema": {"type": "string"},
}
_UNCHANGED = "nothing has changed since the answer whose tag was sent"
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
_FASTAPIS_WORDS = "Successful Response"
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_NO_TOKEN = ErrorBody(
    "no_token",
    "no bearer token was sent",
    "send 'Authorization: Bearer <token>' with the token of an operator",
)
_COME_AGAIN = ErrorBody(
    "store", "the store is not ready", "come again later", retry=True
)
# One answer of each kind as an example, where a route has none of its own.
_ERROR_EXAMPLES = {
    "401": _NO_TOKEN,
    "403": ErrorBody(
        "forbidden_building",
        "the token is that of another building's probe",
        "send with the token of that building's probe",
        field="tags.building",
    ),
    "404": ErrorBody(
        "not_found",
        "Das gibt es hier nicht",
        "Die Adresse prüfen.",
    ),
    "409": ErrorBody(
        "conflict",
        "Störung 12 ist vorbei",
        "„netmon alerts list“ zeigt, was offen ist",
    ),
    "413": ErrorBody(
        "too_large",
        "the body is larger than 32768 bytes",
        "send one wish",
        field="body",
    ),
    "415": ErrorBody(
        "bad_encoding",
        "content encoding 'br' is not spoken here",
        "send gzip or no encoding",
        field="content-encoding",
    ),
    "422": ErrorBody(
        "invalid",
        "Ein Parameter hat keinen gültigen Wert",
        "Der Parameter ist genannt; seine Werte stehen in /api/v1/openapi.json.",
        field="span",
    ),
    "429": ErrorBody("busy", "too many batches wait", "come again later", retry=True),
    "500": ErrorBody(
        "internal",
        "Unerwarteter Fehler",
        "Der Fehler steht im Protokoll des Servers. Mit der Uhrzeit melden.",
    ),
    "503": _COME_AGAIN,
    "507": ErrorBody(
        "disk_full",
        "the gateway's disk is full",
        "keep the data; somebody has to make room on the gateway's disk",
        retry=True,
    ),
}


def wire_answer(
    name: str, description: str, example: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return how an answer is described that is JSON of a type of the wire."""
    content = _json_of(name)
    if example is not None:
        content["application/json"]["example"] = example
    return {"description": description, "content": content}


def refusal(description: str, example: ErrorBody | None = None) -> dict[str, Any]:
    """Return how an error is described; without an example one of its status is shown."""
    shown = None if example is None else json.loads(encode(ErrorReply(example)))
    return wire_answer("ErrorReply", description, shown)


def wire_body(
    name: str, example: dict[str, Any], security: str = OPERATOR
) -> dict[str, Any]:
    """Return how a request is described whose body is JSON of a type of the wire."""
    content = _json_of(name)
    content["application/json"]["example"] = example
    ways: list[dict[str, list[str]]] = [{security: []}]
    if security == OPERATOR:
        ways.insert(0, {SESSION: [], CSRF: []})
    return {
        "security": ways,
        "requestBody": {"required": True, "content": content},
    }


def link(operation: str, parameter: str) -> dict[str, Any]:
    """Return the link from something made to an operation that needs its id."""
    return {
        operation: {
            "operationId": operation,
            "parameters": {parameter: "$response.body#/id"},
        }
    }


def operation_id(route: APIRoute) -> str:
    """Return the short name of an operation, e.g. for generated clients."""
    return route.name


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return a function that makes the description once and keeps it."""

    def make() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=[{"name": tag, "description": text} for tag, text in TAGS],
            )
            login = app.state.site.settings.login.required
            _complete(found, app.state.cookie_name, login_required=login)
            app.openapi_schema = found
        return app.openapi_schema

    return make


def operations(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return method, path and description of every operation."""
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            if method in _METHODS:
                yield method.upper(), path, operation


def _json_of(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=name)}}}


def _wire_schemas() -> dict[str, Any]:
    _, components = msgspec.json.schema_components(_WIRE_TYPES, ref_template=_REFERENCE)
    return components


def _complete(found: dict[str, Any], cookie: str, *, login_required: bool) -> None:
    """Add what the routes do not say one by one."""
    components = found.setdefault("components", {})
    components.setdefault("schemas", {}).update(_wire_schemas())
    components["securitySchemes"] = {
        SESSION: {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "The session of somebody who is logged in at /anmelden.",
        },
        CSRF: {
            "type": "apiKey",
            "in": "header",
            "name": "X-CSRF-Token",
            "description": "The value of the field `csrf` of any form of the session.",
        },
        OPERATOR: {
            **_BEARER,
            "description": "Made by `netmon alerts operators add`.",
        },
        SENDER: {
            **_BEARER,
            "description": "That of a probe or collector, made by `netmon sources add`.",
        },
    }
    examples = json.loads(
        files("dashboards").joinpath("openapi_examples.json").read_bytes()
    )
    for method, _, operation in operations(found):
        keys = [*_OPENED_BY.get(operation["tags"][0], [])]
        if keys and not login_required:
            keys.append({})
        operation.setdefault("security", keys)
        if method == "GET" and operation["tags"][0] in _TAGGED:
            operation["responses"]["200"]["headers"] = {"ETag": _ETAG}
            operation["responses"]["304"] = {"description": _UNCHANGED}
        for status, answer in operation["responses"].items():
            _give_example(operation["operationId"], status, answer, examples)
            if answer["description"] == _FASTAPIS_WORDS:
                answer["description"] = _words_of(answer, components["schemas"])


def _words_of(answer: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return the first paragraph of what the type of an answer says of itself."""
    content = answer.get("content", {}).get("application/json")
    if content is None:
        return "done"
    _, _, name = content["schema"]["$ref"].rpartition("/")
    return str(schemas[name]["description"]).partition("\n\n")[0]


def _give_example(
    operation_id: str, status: str, answer: dict[str, Any], examples: dict[str, Any]
) -> None:
    content = answer.get("content", {}).get("application/json")
    if content is None or "example" in content:
        return
    shown = examples.get(f"{operation_id} {status}")
    if shown is None and status in _ERROR_EXAMPLES:
        shown = json.loads(encode(ErrorReply(_ERROR_EXAMPLES[status])))
    if shown is not None:
        content["example"] = shown
