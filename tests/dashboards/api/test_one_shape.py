"""Every route of the API, asked wrongly: always the one shape of an error."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
import pytest

from dashboards.openapi import operations
from netmon.errors import StorageError
from netmon.wire import MAX_BODY_BYTES, ErrorBody, decode_error


def calls(app: Any) -> list[tuple[str, str, str]]:
    """Return method, address with ids filled in, and the key of each operation."""
    found = []
    for method, path, operation in operations(app.openapi()):
        address = path.replace("{building_id}", "gs-07").replace("{number}", "1")
        address = address.replace("{lease_id}", "1" * 32).replace("{plot}", "rates")
        keys = [name for each in operation["security"] for name in each]
        found.append((method, address, keys[-1] if keys else ""))
    assert all("{" not in address for _, address, _ in found)
    return found


def is_error(answer: httpx.Response, status: int) -> ErrorBody:
    where = f"{answer.request.method} {answer.request.url}"
    assert answer.status_code == status, where
    assert answer.headers["content-type"] == "application/json", where
    assert answer.headers["x-content-type-options"] == "nosniff", where
    assert answer.headers["cache-control"] == "no-store", where
    assert set(answer.json()) == {"error"}, where
    body = decode_error(answer.content)
    assert body is not None, where
    assert body.code, where
    assert body.message, where
    assert body.fix, where
    assert ("retry-after" in answer.headers) == body.retry, where
    return body


async def test_without_a_key_nothing_opens(app, client, keys):
    for method, path, key in calls(app):
        if key:
            answer = await client.request(method, path)
            assert is_error(answer, 401).code == "no_token"
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_strange_keys_open_nothing(app, client, keys):
    """Not even where the key of somebody else would open another door."""
    for method, path, key in calls(app):
        if not key:
            continue
        other = keys.probe if key == "operatorToken" else keys.operator
        for token in ("strange", "ü", "x" * 5000, other):
            answer = await client.request(
                method, path, headers={"Authorization": f"Bearer {token}".encode()}
            )
            assert is_error(answer, 401).code == "bad_token"


async def test_an_operators_token_opens_what_the_pages_show(client, keys):
    """The refusal promised it long before it was true."""
    headers = keys.headers("operatorToken")
    answer = await client.get("/api/v1/buildings", headers=headers)
    assert answer.status_code == 200
    assert (await client.get("/", headers=headers)).status_code == 303


async def test_a_method_that_is_not_there(app, client, keys):
    for _, path, _ in calls(app):
        for method in ("PATCH", "TRACE", "PROPFIND"):
            answer = await client.request(method, path)
            is_error(answer, 405)
            allowed = set(answer.headers["allow"].split(", "))
            described = {m for m, p, _ in calls(app) if p == path}
            assert allowed - {"HEAD"} == described
            assert ("HEAD" in allowed) is ("GET" in described)


async def test_head_answers_as_get_without_the_body(client, keys):
    headers = keys.headers("operatorToken")
    for path in (
        "/healthz",
        "/metrics",
        "/api/v1/buildings",
        "/api/v1/no",
        "/anmelden",
    ):
        got = await client.get(path, headers=headers)
        head = await client.head(path, headers=headers)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
    assert (await client.head("/api/v1/measurements")).status_code == 405


async def test_parameters_that_make_no_sense(app, client, keys):
    headers = keys.headers("operatorToken")
    for path, field in (
        ("/api/v1/buildings?nothing=1", "nothing"),
        ("/api/v1/buildings?state=%00", "state"),
        (f"/api/v1/buildings?q={'x' * 101}", "q"),
        ("/api/v1/buildings/gs-07/history?span=%FF", "span"),
        (f"/api/v1/buildings/{'x' * 129}", "building_id"),
        (f"/api/v1/incidents?limit={10**40}", "limit"),
        (f"/api/v1/audit?before={2**63}", "before"),
        ("/api/v1/audit?limit=1e3", "limit"),
        ("/api/v1/silences?all=perhaps", "all"),
    ):
        answer = await client.get(path, headers=headers)
        assert is_error(answer, 422).field == field
    for path in ("/api/v1/maintenance/0", f"/api/v1/silences/{2**63}"):
        assert is_error(await client.delete(path, headers=headers), 422)
    for path in ("/api/v1/buildings/%00", "/api/v1/buildings/%FF", "/api/v1/%2e%2e"):
        is_error(await client.get(path, headers=headers), 404)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"note": "\xff"}',
        b"[" * 5000,
        b'{"note": ' + b"9" * 5000 + b"}",
        b'{"reason": "\\ud800"}',
    ],
    ids=lambda body: repr(body[:12]),
)
async def test_bodies_that_are_none(app, client, keys, body):
    posts = [call for call in calls(app) if call[0] == "POST"]
    assert len(posts) > 5
    for _, path, key in posts:
        answer = await client.post(path, content=body, headers=keys.headers(key))
        assert is_error(answer, 422).field


async def test_bodies_that_are_too_large(app, client, keys):
    for method, path, key in calls(app):
        if method != "POST":
            continue
        body = b" " * (MAX_BODY_BYTES + 1)
        answer = await client.post(path, content=body, headers=keys.headers(key))
        assert is_error(answer, 413).field == "body"


async def test_only_measurements_come_packed(app, client, keys):
    headers = keys.headers("senderToken") | {"Content-Encoding": "br"}
    for body in (b"{}", gzip.compress(b"{}")):
        answer = await client.post(
            "/api/v1/measurements", content=body, headers=headers
        )
        assert is_error(answer, 415).field == "content-encoding"


async def test_a_store_that_fails(app, client, keys, city, monkeypatch):
    """Whatever is asked of it: come again, and nothing of its text."""
    wanted = [call for call in calls(app) if call[1] != "/healthz"]

    def fail(*args: object, **kwargs: object) -> None:
        raise StorageError("/var/lib/secret-path")

    for room in (city.store.accounts, city.store.sources, city.store.actions):
        for name in ("session", "by_token", "operator_by_token"):
            if hasattr(room, name):
                monkeypatch.setattr(type(room), name, fail)
    monkeypatch.setattr(type(city.store.measurements), "last_position", fail)
    for method, path, key in wanted:
        headers = keys.headers(key) if key else {}
        answer = await client.request(method, path, headers=headers)
        is_error(answer, 503)
        assert "secret" not in answer.text


async def test_any_other_error(app, client, keys, city, monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise ValueError("/var/lib/secret-path")

    monkeypatch.setattr(type(city.store.sources), "by_token", fail)
    monkeypatch.setattr(type(city.store.actions), "operator_by_token", fail)
    for method, path, key in calls(app):
        if key:
            answer = await client.request(method, path, headers=keys.headers(key))
            is_error(answer, 500)
            assert "secret" not in answer.text
