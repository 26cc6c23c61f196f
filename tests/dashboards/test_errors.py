"""Every error: one JSON shape for programs, a German page for people."""

from __future__ import annotations

import pytest

from netmon.errors import StorageBusyError, StorageError
from netmon.wire import ErrorBody, decode_error

SECRET = "/var/lib/secret-path"


def raising(error: Exception):
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    return fail


async def assert_error(answer, status: int, code: str) -> ErrorBody:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert set(answer.json()) == {"error"}
    body = decode_error(answer.content)
    assert body is not None
    assert body.code == code
    assert body.message
    assert body.fix
    return body


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v1/buildings/x", 404, "not_found"),
        ("GET", "/api/v1/buildings/x/history", 404, "not_found"),
        ("DELETE", "/api/v1/buildings", 405, "method_not_allowed"),
        ("GET", "/api/v1/measurements", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("GET", "/api/v1/buildings?state=purple", 422, "invalid"),
        ("GET", "/api/v1/buildings?unknown=1", 422, "invalid"),
        ("GET", "/api/v1/buildings/x/history?span=2h", 422, "invalid"),
        ("GET", "/api/v1/incidents?limit=-1", 422, "invalid"),
        ("POST", "/api/v1/measurements", 401, "no_token"),
    ],
)
async def test_errors_of_the_api(city, client, method, path, status, code):
    answer = await client.request(method, path)
    body = await assert_error(answer, status, code)
    assert body.retry is False
    if status == 405:
        assert answer.headers["allow"]


async def test_an_invalid_parameter_is_named(city, client):
    answer = await client.get("/api/v1/buildings?state=purple")
    assert (await assert_error(answer, 422, "invalid")).field == "state"


async def test_an_unexpected_error_leaks_nothing(city, client, monkeypatch, caplog):
    monkeypatch.setattr(type(city.store.alarms), "states", raising(ValueError(SECRET)))
    body = await assert_error(await client.get("/api/v1/buildings"), 500, "internal")
    assert SECRET not in str(body)
    answer = await client.get("/")
    assert answer.status_code == 500
    assert SECRET not in answer.text
    assert "Unerwarteter Fehler" in answer.text
    assert answer.headers["content-security-policy"]
    assert SECRET in caplog.text


@pytest.mark.parametrize("error", [StorageBusyError(SECRET), StorageError(SECRET)])
async def test_a_store_that_fails_says_come_again(city, client, monkeypatch, error):
    monkeypatch.setattr(type(city.store.alarms), "states", raising(error))
    answer = await client.get("/api/v1/buildings")
    body = await assert_error(answer, 503, "unavailable")
    assert body.retry is True
    assert int(answer.headers["retry-after"]) > 0
    assert SECRET not in answer.text
    assert "Der Datenspeicher antwortet nicht" in (await client.get("/")).text


async def test_programs_are_answered_in_english(city, client):
    error = (await client.get("/api/v1/buildings/nothing")).json()["error"]
    assert error["message"] == "Not found"
    assert (await client.get("/gebaeude/nothing")).text.count("Nicht gefunden")


@pytest.mark.parametrize(
    ("method", "path", "status", "heading"),
    [
        ("GET", "/nothing", 404, "Nicht gefunden"),
        ("GET", "/static/nothing.css", 404, "Nicht gefunden"),
        ("POST", "/stoerungen", 405, "Diese Methode gibt es hier nicht"),
        ("GET", "/?state=purple", 422, "Ein Parameter hat keinen gültigen Wert"),
    ],
)
async def test_errors_of_pages_are_pages(city, client, method, path, status, heading):
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert f"<h1>{heading}</h1>" in answer.text


async def test_a_hostile_parameter_is_not_echoed_as_markup(city, client):
    answer = await client.get("/?<script>alert(1)</script>=1")
    assert answer.status_code == 422
    assert "<script>" not in answer.text


async def test_all_methods_of_an_address_are_allowed(client):
    """The router knows one route of it; schemathesis found the other missing."""
    answer = await client.request("PUT", "/api/v1/maintenance")
    await assert_error(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"
