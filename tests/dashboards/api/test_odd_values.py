"""Values that fit every schema and no column: refused or kept aside, never an error."""

from __future__ import annotations

from typing import Any

import pytest

BATCH: dict[str, Any] = {
    "source": "gs-07-p1",
    "spool": "0123456789abcdef0123456789abcdef",
    "sent_ms": 1_795_158_720_000,
}
SERIES: dict[str, Any] = {
    "kind": "latency",
    "tags": {"building": "gs-07", "line": "gs-07-main"},
    "seq": [1],
    "ts": [1_795_158_000_000],
    "values": {"rtt_s": [0.01]},
}


@pytest.mark.parametrize("odd", [-1, 0, 2**53 + 1, 2**63, -(2**63), 10**30])
@pytest.mark.parametrize("field", ["sent_ms", "ts", "seq", "rtt_s"])
async def test_odd_numbers_of_a_batch(client, keys, field, odd):
    batch, series = dict(BATCH), dict(SERIES)
    if field == "sent_ms":
        batch["sent_ms"] = odd
    elif field == "rtt_s":
        series["values"] = {"rtt_s": [odd]}
    else:
        series[field] = [odd]
    answer = await client.post(
        "/api/v1/measurements",
        json=batch | {"series": [series]},
        headers=keys.headers("senderToken"),
    )
    assert answer.status_code in {200, 422}, answer.text
    later = await client.get("/api/v1/sources", headers=keys.headers("operatorToken"))
    assert later.status_code == 200


@pytest.mark.parametrize("odd", ["\0", "😀" * 100, "a\0b", "\u202e", "x" * 99_999])
@pytest.mark.parametrize("field", ["agent", "kind", "line", "info", "value name"])
async def test_odd_words_of_a_batch(client, keys, field, odd):
    batch, series = dict(BATCH), dict(SERIES)
    match field:
        case "agent":
            batch["agent"] = odd
        case "kind":
            series["kind"] = odd
        case "line":
            series["tags"] = series["tags"] | {"line": odd}
        case "info":
            series["info"] = {"model": odd, odd: "x"}
        case _:
            series["values"] = {odd: [1.0]}
    answer = await client.post(
        "/api/v1/measurements",
        json=batch | {"series": [series]},
        headers=keys.headers("senderToken"),
    )
    assert answer.status_code in {200, 422}, answer.text
    for path in ("/api/v1/sources", "/api/v1/buildings/gs-07", "/metrics"):
        headers = keys.headers("operatorToken")
        assert (await client.get(path, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("0001-01-01T00:00:00+14:00", "2026-12-01T00:00:00Z"),
        ("2026-12-01T00:00:00Z", "9999-12-31T23:59:59-14:00"),
        ("9999-12-31T23:59:59.999999-12:00", "9999-12-31T23:59:59.999999-12:00"),
    ],
)
async def test_the_ends_of_time(client, keys, start, end):
    """In Berlin the last second of 9999 is in no year that Python knows."""
    headers = keys.headers("operatorToken")
    when = {"kind": "one_off", "starts_at": start, "ends_at": end}
    window = {"scope": "building", "value": "gs-07", "when": when, "reason": "x"}
    answer = await client.post("/api/v1/maintenance", json=window, headers=headers)
    assert answer.status_code == 422, answer.text
    silence = {
        "matchers": [{"field": "rule", "value": "ap_down"}],
        "starts_at": start,
        "ends_at": end,
        "reason": "x",
    }
    answer = await client.post("/api/v1/silences", json=silence, headers=headers)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("first", ["0001-01-01", "9999-12-31"])
async def test_the_ends_of_a_weekly_window(client, keys, first):
    weekly = {
        "kind": "weekly",
        "days": ["mo", "tu", "we", "th", "fr", "sa", "su"],
        "start": "22:00:00",
        "end": "04:00:00",
        "first": first,
        "last": first,
    }
    answer = await client.post(
        "/api/v1/maintenance",
        json={"scope": "building", "value": "gs-07", "when": weekly, "reason": "x"},
        headers=keys.headers("operatorToken"),
    )
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("odd", [2**63, 10**30, -(2**63)])
@pytest.mark.parametrize(
    "field", ["rate_cap_bps", "least_bps", "streams_count", "latest_start_ms"]
)
async def test_odd_numbers_of_a_lease(client, keys, field, odd):
    ask = {
        "line": "gs-07-main",
        "purpose": "floor",
        "directions": ["down"],
        "length_s": 2.5,
    }
    answer = await client.post(
        "/api/v1/leases", json=ask | {field: odd}, headers=keys.headers("senderToken")
    )
    assert answer.status_code in {201, 202, 409, 422}, answer.text
