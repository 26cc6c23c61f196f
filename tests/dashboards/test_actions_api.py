"""Windows, silences and marks by the API: who may, what is refused, what is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashboards import action_schemas, schemas
from netmon.actions.wishes import (
    MAX_WISH_BYTES,
    decode_maintenance,
    decode_note,
    decode_silence,
)
from netmon.ingest import token_hash
from netmon.storage.action_records import Actor, AuditAction, Via
from netmon.storage.records import AlarmState, SourceKind
from netmon.wire import decode_error

ADMIN = Actor("root", Via.SHELL)
WINDOW: dict[str, Any] = {
    "scope": "building",
    "value": "b-ost",
    "when": {
        "kind": "one_off",
        "starts_at": "2026-11-20T08:00:00+01:00",
        "ends_at": "2026-11-20T18:00:00+01:00",
    },
    "reason": "Router wird getauscht",
}
WEEKLY = {
    "kind": "weekly",
    "days": ["mo", "fr"],
    "start": "22:00:00",
    "end": "04:00:00",
    "first": "2026-11-20",
    "last": "2027-03-31",
    "excluded": ["2026-12-25"],
}
SILENCE: dict[str, Any] = {
    "matchers": [{"field": "rule", "value": "ap_down"}],
    "ends_at": "2026-12-01T08:00:00Z",
    "reason": "Umbau",
}


@dataclass
class Operator:
    """Acts with a token."""

    client: httpx.AsyncClient
    token: str = "leitstelle's token"

    async def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        path = f"/api/v1{path}"
        return await self.client.request(method, path, headers=headers, **more)

    async def refused(self, method: str, path: str, **more: Any) -> tuple[Any, ...]:
        answer = await self(method, path, **more)
        assert set(answer.json()) == {"error"}
        assert answer.headers["x-content-type-options"] == "nosniff"
        body = decode_error(answer.content)
        assert body is not None
        assert body.message
        assert body.fix
        return answer.status_code, body.code, body.field


@pytest.fixture
def operator(city, client) -> Operator:
    made = Operator(client)
    hashed = token_hash(made.token)
    city.store.actions.add_operator("leitstelle", hashed, ADMIN, city.now_ms)
    return made


ROUTES = [
    ("GET", "/maintenance"),
    ("POST", "/maintenance"),
    ("DELETE", "/maintenance/1"),
    ("GET", "/silences"),
    ("POST", "/silences"),
    ("DELETE", "/silences/1"),
    ("POST", "/incidents/1/acknowledge"),
    ("DELETE", "/incidents/1/acknowledge"),
    ("POST", "/incidents/1/false"),
    ("GET", "/audit"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_only_an_operators_token_opens(city, client, operator, method, path):
    answer = await client.request(method, f"/api/v1{path}")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    city.store.sources.create("p1", SourceKind.PROBE, "b-ost", token_hash("a probe's"))
    for token in ("wrong", "a probe's"):
        stranger = Operator(client, token)
        assert await stranger.refused(method, path) == (401, "bad_token", None)
    city.store.actions.revoke_operator("leitstelle", ADMIN, city.now_ms)
    assert (await operator.refused(method, path))[:2] == (401, "bad_token")


async def test_a_window_is_announced_shown_and_cancelled(city, client, operator):
    answer = await operator("POST", "/maintenance", json=WINDOW)
    assert answer.status_code == 201
    action_schemas.MaintenanceReply.model_validate(made := answer.json())
    assert answer.headers["location"] == f"/api/v1/maintenance/{made['id']}"
    assert made["when"]["starts_at"] == "2026-11-20T07:00:00.000Z"
    assert made["counts_until"] == made["ends_at"] == "2026-11-20T17:00:00.000Z"
    assert (made["author"], made["reason"]) == ("leitstelle", WINDOW["reason"])
    listed = (await operator("GET", "/maintenance")).json()
    assert listed["maintenance"] == [made]

    page = (await client.get("/gebaeude/b-ost")).text
    assert "In Wartung bis 20.11.2026, 18:00 Uhr (Router wird getauscht)" in page
    assert "In Wartung" not in (await client.get("/gebaeude/b-z9")).text
    shown = (await client.get("/api/v1/buildings/b-ost")).json()["maintenance"]
    schemas.MutedReply.model_validate(shown)
    assert (shown["by"], shown["until"]) == ("maintenance", made["ends_at"])

    assert (await operator("DELETE", f"/maintenance/{made['id']}")).status_code == 204
    again = await operator.refused("DELETE", f"/maintenance/{made['id']}")
    assert again == (409, "conflict", None)
    assert (await operator("GET", "/maintenance")).json()["maintenance"] == []
    (ended,) = (await operator("GET", "/maintenance?all=true")).json()["maintenance"]
    assert ended["cancelled_by"] == "leitstelle"
    assert "In Wartung" not in (await client.get("/gebaeude/b-ost")).text


async def test_a_weekly_window(city, operator, clock):
    wish = WINDOW | {"scope": "provider", "value": "DOKOM21", "when": WEEKLY}
    made = (await operator("POST", "/maintenance", json=wish)).json()
    assert made["when"] == WEEKLY
    assert made["counts_until"] is None
    assert made["next_start_at"] == "2026-11-20T21:00:00.000Z"
    # The last Monday is the 29th; from 22:00 to 04:00 in summer time.
    assert made["ends_at"] == "2027-03-30T02:00:00.000Z"
    clock.advance(15 * 3600)
    (now,) = (await operator("GET", "/maintenance")).json()["maintenance"]
    assert now["counts_until"] == "2026-11-21T03:00:00.000Z"


async def test_a_silence_mutes_what_fits(city, client, operator):
    city.line_state("b-ost", AlarmState.BAD)
    city.state("ap_down", "ap:ost-1", "b-ost", AlarmState.BAD)
    made = (await operator("POST", "/silences", json=SILENCE)).json()
    action_schemas.SilenceReply.model_validate(made)
    assert made["counts"] is True
    assert made["starts_at"] == "2026-11-20T07:12:00.000Z"
    is_open = (await client.get("/api/v1/incidents")).json()["open"]
    muted = {one["rule"]: one["muted"] for one in is_open}
    assert muted["line_below_target"] is None
    assert (muted["ap_down"]["by"], muted["ap_down"]["id"]) == ("silence", made["id"])
    assert (
        "Stumm bis 01.12.2026, 09:00 Uhr (Umbau)"
        in (await client.get("/stoerungen")).text
    )
    assert (await operator("GET", "/silences")).json()["silences"] == [made]
    assert (await operator("DELETE", f"/silences/{made['id']}")).status_code == 204
    assert (await operator("GET", "/silences")).json()["silences"] == []


async def test_acknowledged_and_false_are_shown_with_the_trail(city, client, operator):
    number = city.line_state("b-ost", AlarmState.BAD)
    path = f"/incidents/{number}"
    answer = await operator("POST", f"{path}/acknowledge", json={"note": "Techniker"})
    mark = {
        "author": "leitstelle",
        "at": "2026-11-20T07:12:00.000Z",
        "note": "Techniker",
    }
    assert (answer.status_code, answer.json()) == (200, mark)
    (shown,) = (await client.get("/api/v1/incidents")).json()["open"]
    assert shown["acknowledged"] == mark
    page = (await client.get("/gebaeude/b-ost")).text
    assert "Quittiert von leitstelle am 20.11.2026, 08:12 Uhr: Techniker" in page
    answer = await operator("DELETE", f"{path}/acknowledge")
    assert answer.status_code == 204
    assert (await operator.refused("DELETE", f"{path}/acknowledge"))[0] == 409
    await operator("POST", f"{path}/false", json={"note": "Sonde <aus>"})
    page = (await client.get("/gebaeude/b-ost")).text
    assert "Fehlalarm laut leitstelle, 20.11.2026, 08:12 Uhr: Sonde &lt;aus&gt;" in page
    city.end_incident(number, "line_below_target", "line:b-ost-main", "b-ost")
    late = await operator.refused("POST", f"{path}/acknowledge", json={"note": "x"})
    assert late == (409, "conflict", None)

    trail = (await operator("GET", f"/audit?subject=incident:{number}")).json()
    action_schemas.AuditReply.model_validate(trail)
    assert [(x["action"], x["author"], x["via"]) for x in trail["entries"]] == [
        ("marked_false", "leitstelle", "api"),
        ("unacknowledged", "leitstelle", "api"),
        ("acknowledged", "leitstelle", "api"),
    ]
    oldest = trail["entries"][-1]["id"]
    older = (await operator("GET", f"/audit?before={oldest}&limit=5")).json()["entries"]
    assert [x["action"] for x in older] == [AuditAction.OPERATOR_ADDED]


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "field"),
    [
        ("/maintenance", WINDOW | {"value": "x"}, 422, "invalid", "value"),
        ("/maintenance", WINDOW | {"reason": " "}, 422, "invalid", "reason"),
        ("/maintenance", WINDOW | {"scope": "city"}, 422, "malformed", "scope"),
        ("/maintenance", WINDOW | {"until": 1}, 422, "malformed", "body"),
        (
            "/maintenance",
            WINDOW | {"when": {"kind": "weekly"}},
            422,
            "malformed",
            "when",
        ),
        (
            "/maintenance",
            WINDOW | {"when": WEEKLY | {"days": []}},
            422,
            "invalid",
            "when.days",
        ),
        (
            "/maintenance",
            WINDOW | {"when": WINDOW["when"] | {"ends_at": "2026-11-20T18:00:00"}},
            422,
            "malformed",
            "when.ends_at",
        ),
        ("/silences", SILENCE | {"matchers": []}, 422, "invalid", "matchers"),
        (
            "/silences",
            SILENCE | {"matchers": [{"field": "severity", "value": "red"}]},
            422,
            "invalid",
            "matchers.0.value",
        ),
        (
            "/silences",
            SILENCE | {"ends_at": "2027-03-01T00:00:00Z"},
            422,
            "invalid",
            "ends_at",
        ),
        ("/incidents/99/acknowledge", {"note": "x"}, 404, "not_found", None),
        ("/incidents/99/false", {"note": "x"}, 404, "not_found", None),
        ("/incidents/0/false", {"note": "x"}, 422, "invalid", "number"),
        ("/incidents/99/false", {"text": "x"}, 422, "malformed", "body"),
        (
            "/silences",
            SILENCE | {"reason": "x" * MAX_WISH_BYTES},
            413,
            "too_large",
            "body",
        ),
    ],
)
async def test_what_is_refused(city, operator, path, body, status, code, field):
    assert await operator.refused("POST", path, json=body) == (status, code, field)
    assert len(city.store.actions.audit()) == 1


async def test_what_is_no_json_or_not_there(city, operator):
    for broken in (b"{", b"\xff", b""):
        found = await operator.refused("POST", "/silences", content=broken)
        assert found == (422, "malformed", "body")
    assert (await operator.refused("DELETE", "/silences/7"))[0] == 404
    assert (await operator.refused("DELETE", "/maintenance/7"))[0] == 404


async def test_the_description_has_working_examples(client):
    described = (await client.get("/api/v1/openapi.json")).json()
    decoders: dict[str, Callable[[bytes], object]] = {
        "/maintenance": decode_maintenance,
        "/silences": decode_silence,
        "/incidents/{number}/acknowledge": decode_note,
        "/incidents/{number}/false": decode_note,
    }
    for path, decode in decoders.items():
        asking = described["paths"][f"/api/v1{path}"]["post"]
        body = asking["requestBody"]["content"]["application/json"]
        assert decode(json.dumps(body["example"]).encode())
        assert body["schema"]["$ref"].rpartition("/")[2].endswith("Wish")
    for method, path in ROUTES:
        named = f"/api/v1{path.replace('/1', '/{number}')}"
        operation = described["paths"][named][method.lower()]
        session = {"session": []} | ({} if method == "GET" else {"csrfWord": []})
        assert operation["security"] == [session, {"operatorToken": []}]
        for status in ("401", "422", "503"):
            schema = operation["responses"][status]["content"]["application/json"]
            assert schema["schema"]["$ref"].endswith("/ErrorReply")
    for name in ("MaintenanceReply", "SilenceReply", "AuditEntryReply"):
        (example,) = described["components"]["schemas"][name]["examples"]
        kind = getattr(action_schemas, name)
        # The description leaves nulls out.
        kind.model_validate(dict.fromkeys(kind.model_fields) | example)


async def test_metrics_tell_the_quality_of_the_alarms_by_rule_only(
    city, client, operator
):
    number = city.line_state("b-ost", AlarmState.BAD)
    city.line_state("b-z9", AlarmState.BAD)
    city.state("ap_down", "ap:ost-1", "b-ost", AlarmState.BAD)
    old = city.line_state("b-z10", AlarmState.BAD, age_s=91 * 86_400)
    await operator("POST", "/silences", json=SILENCE)
    await operator("POST", f"/incidents/{number}/acknowledge", json={"note": "x"})
    for one in (number, old):
        await operator("POST", f"/incidents/{one}/false", json={"note": "x"})
    city.store.heartbeats.beat(
        "alerts", city.now_ms, {"suppressed_count": 40.0, "flapping_count": 1.0}
    )
    text = (await client.get("/metrics")).text
    assert "leitstelle" not in text
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    line = "line_below_target"
    assert found["netmon_incidents_opened_total", line] == 3
    assert found["netmon_incidents_opened_total", "ap_down"] == 1
    assert found["netmon_incidents_acknowledged_total", line] == 1
    assert found["netmon_incidents_marked_false_total", line] == 2
    assert found["netmon_incidents_false_ratio", line] == 0.5
    assert found["netmon_incidents_false_ratio", "ap_down"] == 0
    assert found["netmon_incidents_muted", "silence"] == 1
    assert found["netmon_incidents_muted", "maintenance"] == 0
    assert found["netmon_open_incidents_acknowledged",] == 1
    assert found["netmon_alarms_damped", "suppressed"] == 40
    assert found["netmon_alarms_damped", "flapping"] == 1
    assert ("netmon_alarms_damped", "held") not in found
