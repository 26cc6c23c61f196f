"""The description is complete: words, keys, and examples that are true."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import dashboards
from dashboards.openapi import TAGS, operations

EXAMPLES = Path(dashboards.__file__).with_name("openapi_examples.json")
# Which request an example is the answer of, in this order: operation, method, path.
# A new operation is a line here, and NETMON_RENEW=1 writes its example.
ASKED: tuple[tuple[str, str, str], ...] = (
    ("buildings 200", "GET", "/api/v1/buildings?q=beispielweg"),
    ("building 200", "GET", "/api/v1/buildings/gs-07"),
    ("history 200", "GET", "/api/v1/buildings/gs-07/history"),
    ("plot 200", "GET", "/api/v1/buildings/gs-07/history/rates"),
    ("acknowledge 200", "POST", "/api/v1/incidents/1/acknowledge"),
    ("mark_false 200", "POST", "/api/v1/incidents/2/false"),
    ("incidents 200", "GET", "/api/v1/incidents"),
    ("sources 200", "GET", "/api/v1/sources"),
    ("add_maintenance 201", "POST", "/api/v1/maintenance"),
    ("maintenance 200", "GET", "/api/v1/maintenance"),
    ("add_silence 201", "POST", "/api/v1/silences"),
    ("silences 200", "GET", "/api/v1/silences"),
    ("audit 200", "GET", "/api/v1/audit?limit=2"),
    ("healthz 200", "GET", "/healthz"),
    ("healthz 503", "GET", "/healthz"),
)


@pytest.fixture
async def found(client) -> dict[str, Any]:
    answer = await client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json()


async def test_every_operation_has_words_a_tag_and_what_opens_it(found):
    assert found["info"]["description"]
    known = {tag for tag, _ in TAGS}
    assert {tag["name"] for tag in found["tags"]} == known
    assert all(tag["description"] for tag in found["tags"])
    schemes = found["components"]["securitySchemes"]
    assert all(scheme["description"] for scheme in schemes.values())
    ids = []
    for method, path, operation in operations(found):
        ids.append(operation["operationId"])
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        assert set(operation["tags"]) <= known, where
        keys = {name for each in operation["security"] for name in each}
        assert keys <= set(schemes), where
        assert bool(keys) == (operation["tags"] != ["own health"]), where
        for parameter in operation.get("parameters", ()):
            assert parameter["schema"], where
        for answer in operation["responses"].values():
            assert answer["description"] not in {"", "Successful Response"}, where
    assert len(set(ids)) == len(ids)


async def test_every_body_has_an_example_that_fits(found):
    for method, path, operation in operations(found):
        bodies = {"request": operation.get("requestBody", {}).get("content", {})}
        for status, answer in operation["responses"].items():
            bodies[status] = answer.get("content", {})
        for what, content in bodies.items():
            for media_type, body in content.items():
                where = f"{method} {path}, {what}, {media_type}"
                assert "example" in body, where
                if media_type == "application/json":
                    _check(found, body["schema"], body["example"], where)


def _check(found: dict[str, Any], schema: Any, example: Any, where: str) -> None:
    whole = {**schema, "components": found["components"]}
    problems = jsonschema_rs.Draft202012Validator(
        whole, validate_formats=True
    ).iter_errors(example)
    assert not [str(problem) for problem in problems], where


async def test_schemas_tell_their_examples_right(found):
    for name, schema in found["components"]["schemas"].items():
        for shown in schema.get("examples", ()):
            # FastAPI leaves out what is null.
            example = dict.fromkeys(schema["required"]) | shown
            _check(found, {"$ref": f"#/components/schemas/{name}"}, example, name)


async def test_every_refusal_has_the_one_shape(found):
    for method, path, operation in operations(found):
        for status, answer in operation["responses"].items():
            if status < "400" or (path, status) == ("/healthz", "503"):
                continue
            schema = answer["content"]["application/json"]["schema"]
            assert schema["$ref"].endswith("/ErrorReply"), f"{method} {path} {status}"


async def test_the_examples_are_answers(found, client, full_city, keys):
    """Renewed by NETMON_RENEW=1, when answers were changed on purpose."""
    bodies = {
        op["operationId"]: op.get("requestBody") for _, _, op in operations(found)
    }
    answers = {}
    for name, method, path in ASKED:
        operation, _, status = name.partition(" ")
        if status == "503":
            full_city.clock.advance(3600)
        body = bodies[operation]
        content = None if body is None else body["content"]["application/json"]
        answer = await client.request(
            method,
            path,
            headers=keys.headers("operatorToken"),
            json=None if content is None else content["example"],
        )
        assert answer.status_code == int(status), answer.text
        answers[name] = answer.json()
    if os.environ.get("NETMON_RENEW"):
        text = json.dumps(answers, ensure_ascii=False, indent=1)
        EXAMPLES.write_text(text + "\n", encoding="utf-8")
    assert json.loads(EXAMPLES.read_bytes()) == answers
