"""The JSON twins: same content as the pages, SI units, UTC, typed."""

from __future__ import annotations

import re

import pytest

from dashboards import schemas
from dashboards.line_schemas import ReasonReply
from netmon.model import FailureReason
from netmon.storage.records import AlarmState

UTC_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


async def test_buildings_carry_values_ages_and_states(city, client):
    city.throughput("b-ost", (720, (243.5, 38.25)), generated=True)
    city.line_state("b-ost", AlarmState.BAD)
    answer = (await client.get("/api/v1/buildings?q=ostschule")).json()
    schemas.BuildingsReply.model_validate(answer)
    assert answer["at"] == "2026-11-20T07:12:00.000Z"
    assert (answer["total_count"], answer["matched_count"]) == (5, 1)
    building = answer["buildings"][0]
    line = building["lines"][0]
    assert building["state"] == line["state"] == "bad"
    assert building["open_incidents_count"] == 1
    assert line["download"] == {
        "rate_bps": 243.5e6,
        "measured_at": "2026-11-20T07:00:00.000Z",
        "stale": False,
        "generated": True,
    }
    assert line["contracted_down_bps"] == 250_000_000
    assert line["connection_class"] == "Glasfaser"
    assert line["round_trip"] == {
        "duration_s": None,
        "measured_at": None,
        "stale": False,
        "generated": False,
    }


async def test_where_everybody_may_read_a_proxys_password_is_no_reason(city, client):
    answer = await client.get(
        "/api/v1/buildings", headers={"Authorization": "Basic dXNlcjp3b3Jk"}
    )
    assert answer.status_code == 200


async def test_filters_and_order_are_those_of_the_page(city, client):
    city.throughput("b-ost", (60, (240, 40)))
    city.throughput("b-z9", (60, (48, 9)))
    answer = (await client.get("/api/v1/buildings?sort=-down")).json()
    assert [b["id"] for b in answer["buildings"]][:2] == ["b-ost", "b-z9"]
    answer = (await client.get("/api/v1/buildings?technology=radio")).json()
    assert [b["id"] for b in answer["buildings"]] == ["b-oest"]
    assert answer["state_counts"] == {"stale": 4, "unknown": 1}


async def test_no_data_is_null_never_zero(city, client):
    answer = (await client.get("/api/v1/buildings/b-ost")).json()
    schemas.BuildingDetailReply.model_validate(answer)
    assert answer["state"] == "stale"
    assert answer["lines"][0]["download"]["rate_bps"] is None
    assert answer["access_points"]["clients_count"] is None
    assert answer["access_points"]["unknown_count"] == 3
    assert [ap["state"] for ap in answer["access_point_list"]] == ["unknown"] * 3
    assert all(ap["clients_count"] is None for ap in answer["access_point_list"])


async def test_a_building_has_devices_radios_incidents_and_measurements(city, client):
    city.throughput("b-ost", (60, FailureReason.TIMEOUT))
    city.access_point("b-ost", "ost-1", 12)
    city.write(
        "wlan_radio",
        "b-ost",
        {"device": "wlc-1", "ap": "ost-1", "radio": "0"},
        (
            60,
            {
                "channel": 36.0,
                "utilisation_ratio": 0.25,
                "noise_dbm": -94.0,
                "band_hz": 5e9,
                "tx_power_dbm": 17.0,
                "retries_ratio": 0.1,
                "up": 1.0,
            },
        ),
    )
    city.write(
        "device", "b-ost", {"device": "sw-1"}, (60, {"up": 1.0, "uptime_s": 5.0})
    )
    city.line_state("b-ost", AlarmState.BAD, age_s=90)
    answer = (await client.get("/api/v1/buildings/b-ost")).json()
    ap = answer["access_point_list"][0]
    assert ap["radios"] == [
        {
            "radio": "0",
            "channel": 36,
            "utilisation_ratio": 0.25,
            "clients_count": None,
            "noise_dbm": -94.0,
            "band_hz": 5e9,
            "width_hz": None,
            "tx_power_dbm": 17.0,
            "retries_ratio": 0.1,
            "up": True,
            "reported_at": "2026-11-20T07:11:00.000Z",
        }
    ]
    device = next(d for d in answer["devices"] if d["id"] == "sw-1")
    assert (device["up"], device["uptime_s"]) == (True, 5.0)
    assert answer["incidents"][0]["duration_s"] == 90.0
    assert answer["incidents"][0]["ended_at"] is None
    assert answer["measurements"][0]["failure"] == "timeout"
    assert answer["lines"][0]["failure"]["text"] == "Zeitüberschreitung"


@pytest.mark.parametrize(
    ("span", "grain"), [("24h", "raw"), ("7d", "hour"), ("30d", "day"), ("1y", "day")]
)
async def test_history_by_span(city, client, span, grain):
    city.throughput("b-ost", (7200, (240, 40)), (7100, (200, 40)))
    city.throughput("b-ost", (3600, FailureReason.TIMEOUT))
    path = f"/api/v1/buildings/b-ost/history?metric=rate_down_bps&span={span}"
    answer = (await client.get(path)).json()
    schemas.HistoryReply.model_validate(answer)
    assert (answer["grain"], answer["unit"]) == (grain, "bit/s")
    points = answer["points"]
    assert sum(p["measurements_count"] for p in points) == 2
    assert sum(p["failures_count"] for p in points) == 1
    if grain == "day":
        assert points[0]["at"] == "2026-11-19T23:00:00.000Z"  # midnight in Dortmund
        assert (points[0]["low"], points[0]["high"]) == (200e6, 240e6)
        assert points[0]["mean"] == pytest.approx(220e6)
    if grain == "raw":
        assert [p["mean"] for p in points] == [240e6, 200e6, None]


async def test_history_of_another_line_and_metric(city, client):
    city.latency("b-ost", (60, 12))
    base = "/api/v1/buildings"
    answer = (await client.get(f"{base}/b-ost/history?metric=rtt_s")).json()
    assert answer["unit"] == "s"
    assert answer["points"][0]["mean"] == pytest.approx(0.012)
    answer = (await client.get(f"{base}/b-oest/history?line=b-oest-backup")).json()
    assert answer["line_id"] == "b-oest-backup"
    assert answer["points"] == []
    assert (await client.get(f"{base}/b-ost/history?line=b-z9-main")).status_code == 404
    assert (await client.get(f"{base}/b-leer/history")).status_code == 404


async def test_incidents_open_and_past(city, client, clock):
    past = city.line_state("b-ost", AlarmState.BAD, age_s=0)
    clock.advance(60)
    city.end_incident(past, "line_below_target", "line:b-ost-main", "b-ost")
    city.line_state("b-z9", AlarmState.BAD, age_s=30)
    answer = (await client.get("/api/v1/incidents")).json()
    schemas.IncidentsReply.model_validate(answer)
    assert [i["building_id"] for i in answer["open"]] == ["b-z9"]
    assert [i["duration_s"] for i in answer["past"]] == [60.0]
    answer = (await client.get("/api/v1/incidents?limit=0")).json()
    assert answer["past"] == []
    assert len(answer["open"]) == 1


async def test_sources_without_any_secret(city, client):
    city.source("b-ost-p1", "b-ost")
    answer = await client.get("/api/v1/sources")
    schemas.SourcesReply.model_validate(answer.json())
    assert answer.json()["sources"][0] == {
        "name": "b-ost-p1",
        "kind": "probe",
        "building_id": "b-ost",
        "generated": False,
        "last_seen_at": None,
        "silent": True,
        "clock_offset_s": None,
        "agent": "",
        "spool_records_count": None,
        "spool_dropped_total": None,
    }
    assert "hash" not in answer.text


async def test_all_times_are_utc(city, client):
    city.throughput("b-ost", (60, (240, 40)))
    city.line_state("b-ost", AlarmState.BAD)

    def times(value: object, name: str = "") -> list[str]:
        if isinstance(value, dict):
            return [t for k, v in value.items() for t in times(v, k)]
        if isinstance(value, list):
            return [t for v in value for t in times(v, name)]
        is_time = name == "at" or name.endswith(("_at", "_since"))
        return [value] if is_time and isinstance(value, str) else []

    for path in ("buildings", "buildings/b-ost", "incidents", "sources"):
        found = times((await client.get(f"/api/v1/{path}")).json())
        assert found
        assert all(UTC_TIME.match(t) for t in found)


async def test_the_description_is_complete_and_typed(client):
    found = (await client.get("/api/v1/openapi.json")).json()
    assert found["openapi"].startswith("3.")
    text = str(found)
    schemas_known = found["components"]["schemas"]
    for name in set(re.findall(r"#/components/schemas/([\w.-]+)", text)):
        assert name in schemas_known, name
    assert "HTTPValidationError" not in schemas_known
    expected = {
        "/api/v1/assignment",
        "/api/v1/audit",
        "/api/v1/incidents/{number}/acknowledge",
        "/api/v1/incidents/{number}/false",
        "/api/v1/maintenance",
        "/api/v1/maintenance/{number}",
        "/api/v1/measurements",
        "/api/v1/silences",
        "/api/v1/silences/{number}",
        "/api/v1/buildings",
        "/api/v1/buildings/{building_id}",
        "/api/v1/buildings/{building_id}/history",
        "/api/v1/buildings/{building_id}/history/{plot}",
        "/api/v1/incidents",
        "/api/v1/leases",
        "/api/v1/leases/{lease_id}",
        "/api/v1/sources",
        "/healthz",
        "/metrics",
    }
    assert set(found["paths"]) == expected
    operations = [
        (path, operation)
        for path, item in found["paths"].items()
        for operation in item.values()
    ]
    ids = [operation["operationId"] for _, operation in operations]
    assert len(ids) == len(set(ids))
    for path, operation in operations:
        assert operation["summary"]
        for parameter in operation.get("parameters", []):
            assert parameter["schema"].keys() & {"type", "anyOf", "$ref"}
        for status, response in operation["responses"].items():
            if status in {"204", "304"}:
                assert "content" not in response
                continue
            content = response["content"]
            if path == "/metrics" and status == "200":
                assert "text/plain" in content
            else:
                assert "$ref" in content["application/json"]["schema"], (path, status)


async def test_every_number_of_the_description_names_its_unit(client):
    found = (await client.get("/api/v1/openapi.json")).json()
    # Identities and plain numbers of the domain, which have no unit.
    bare = {"id", "channel", "mean", "low", "high", "state_counts"}
    # A mark of a plot has the plot's unit.
    bare |= {"value"}
    # A share of the contract's volume and a number of tests: settings' own names.
    bare |= {"budget_share", "full_tests_per_day"}
    # The wire has its own names, explained where it is defined.
    wire = {"Batch", "Series", "Receipt", "Rejected"}
    units = ("_bps", "_s", "_w", "_ratio", "_dbm", "_hz", "_count", "_total")
    units += ("_deg", "_ms")
    for name, schema in found["components"]["schemas"].items():
        if name in wire:
            continue
        for field, kind in schema.get("properties", {}).items():
            types = {kind.get("type"), *(k.get("type") for k in kind.get("anyOf", []))}
            if types & {"number", "integer"} and field not in bare:
                names_it = field.endswith(units) or field in {"ratio", "bytes"}
                assert names_it, f"{name}.{field}"


async def test_a_line_has_its_verdict_with_codes_numbers_and_words(city, client):
    city.test(
        "b-z9",
        (
            720,
            {
                "rate_down_bps": 21.0,
                "rate_down_low_bps": 20.5,
                "rate_down_high_bps": 21.5,
            },
        ),
    )
    city.test(
        "b-z9", (60, {"at_least_up_bps": 9.0}), method="tcp-floor/2", direction="up"
    )
    city.write(
        "line_dsl",
        "b-z9",
        {"device": "rt-9", "line": "b-z9-main"},
        (60, {"up": 1.0, "rate_down_bps": 23e6}),
    )
    city.line_state("b-z9", AlarmState.BAD)
    found = (await client.get("/api/v1/buildings/b-z9")).json()
    (line,) = found["lines"]
    assert (line["state"], line["verdict"]) == ("bad", "below_target")
    assert line["headline"] == "21 von 50 Mbit/s: DSL-Synchronisation nur 23"
    assert line["reasons"][0] == {
        "code": "below_medium",
        "text": line["headline"],
        "numbers": {"rate_bps": 21e6, "contracted_bps": 50e6},
        "at": "2026-11-20T07:00:00.000Z",
        "method": None,
        "finding": "dsl_rate_low",
        "finding_numbers": {"rate_bps": 23e6, "contracted_bps": 50e6},
        "failure": None,
        "segment": None,
        "fault": None,
    }
    codes = [reason["code"] for reason in line["reasons"]]
    assert codes == ["below_medium", "expected", "capacity", "up_at_least"]
    assert line["reasons"][2]["method"] == "tcp-adaptive/2"
    assert line["download"]["rate_bps"] == 21e6
    assert line["download_at_least"]["rate_bps"] is None
    assert line["upload"]["rate_bps"] is None, "a lower bound is no capacity"
    assert line["upload_at_least"]["rate_bps"] == 9e6
    in_list = (await client.get("/api/v1/buildings?q=b-z9")).json()["buildings"][0]
    assert in_list["lines"][0]["headline"] == line["headline"]


async def test_the_statements_of_a_day_newest_first(city, client):
    city.test("b-ost", (25 * 3600, {"rate_down_bps": 240.0}))
    city.test("b-ost", (3600, {"rate_down_bps": 241.0, "cross_down_bps": 5.0}))
    city.test("b-ost", (60, FailureReason.TIMEOUT), purpose="confirmation")
    found = (await client.get("/api/v1/buildings/b-ost")).json()["statements"]
    assert [each["worth"] for each in found] == ["failed", "capacity"]
    assert found[0]["failure"] == "timeout"
    assert found[0]["values"] == {}
    assert found[1] == {
        "line_id": "b-ost-main",
        "at": "2026-11-20T06:12:00.000Z",
        "worth": "capacity",
        "direction": "down",
        "method": "tcp-adaptive/2",
        "basis": "router",
        "purpose": "routine",
        "failure": None,
        "values": {"rate_bps": 241e6, "cross_bps": 5e6},
        "generated": False,
    }


async def test_the_guilty_segment_of_the_way_is_named(city, client):
    city.test("b-ost", (5 * 3600, {"rate_down_bps": 240.0}))
    for segment, said in (
        ("gateway", {"rtt_s": 0.001, "loss_ratio": 0.0}),
        ("provider", FailureReason.NO_REPLY),
        ("data_centre", FailureReason.NO_REPLY),
    ):
        tags = {"line": "b-ost-main", "segment": segment}
        city.write("path", "b-ost", tags, (60, said))
    city.line_state("b-ost", AlarmState.BAD, rule="no_data")
    (line,) = (await client.get("/api/v1/buildings/b-ost")).json()["lines"]
    first = line["reasons"][0]
    assert (first["code"], first["segment"], first["fault"]) == (
        "unmeasured_path",
        "provider",
        "silent",
    )
    assert line["headline"] == "Nicht gemessen: Netz des Providers antwortet nicht"


async def test_the_examples_of_the_description_are_answers(client):
    schemas = (await client.get("/api/v1/openapi.json")).json()["components"]["schemas"]
    shown = schemas["ReasonReply"]["examples"]
    # The description leaves out what is null.
    examples = [dict.fromkeys(ReasonReply.model_fields) | e for e in shown]
    assert examples
    for example in examples:
        ReasonReply.model_validate(example)
