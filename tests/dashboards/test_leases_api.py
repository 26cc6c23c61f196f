"""Slots over HTTP: who gets one, what it says, and that a restart keeps it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from dashboards.app import create_app
from dashboards.leasing import ServerHealth
from netmon.clock import ManualClock, SystemClock
from netmon.config import MeasureServerSettings, MeasureSettings, Secret, Settings
from netmon.errors import ConfigError, StorageBusyError
from netmon.ingest import token_hash
from netmon.lease_token import verify
from netmon.lease_wire import (
    MAX_ASK_BYTES,
    Direction,
    LeaseAsk,
    LeaseGranted,
    LeaseWait,
    WaitReason,
    decode_ask,
    decode_lease_reply,
)
from netmon.model import Segment, SegmentKind
from netmon.storage.records import SourceKind
from netmon.texts import LANGUAGES, catalogue
from netmon.units import GBIT, MBIT
from netmon.wire import decode_error
from probes.failures import ProbeFailedError
from probes.lease_token import LeaseGate
from probes.measure_protocol import Request, decode_reply, encode_line
from probes.measure_server import MeasureServer

KEY = "k" * 64
ASK: dict[str, Any] = {
    "line": "b-ost-main",
    "purpose": "floor",
    "directions": ["down"],
    "length_s": 2.5,
}


@pytest.fixture
def listening() -> Iterator[list[str]]:
    """Addresses of two servers that accept connections."""
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in "12"
        ]
        yield [f"127.0.0.1:{sock.getsockname()[1]}" for sock in sockets]


@pytest.fixture
def settings(listening: list[str], tmp_path: Path) -> Settings:
    key_file = tmp_path / "measure.key"
    key_file.write_text(KEY + "\n")
    rows = (("m1", "1 Gbit/s", 1), ("m2", "500 Mbit/s", 2))
    servers = tuple(
        MeasureServerSettings(name, address, capacity, tests)
        for address, (name, capacity, tests) in zip(listening, rows, strict=True)
    )
    return Settings(measure=MeasureSettings(key_file=str(key_file), servers=servers))


@dataclass
class Prober:
    """Asks with the token of one building's probe."""

    client: httpx.AsyncClient
    token: str

    async def post(self, **change: Any) -> httpx.Response:
        return await self.client.post(
            "/api/v1/leases", json=ASK | change, headers=self._headers
        )

    async def granted(self, **change: Any) -> LeaseGranted:
        answer = await self.post(**change)
        assert answer.status_code == 201, answer.text
        found = decode_lease_reply(answer.content)
        assert isinstance(found, LeaseGranted)
        return found

    async def held(self, **change: Any) -> LeaseWait:
        answer = await self.post(**change)
        assert answer.status_code == 202, answer.text
        found = decode_lease_reply(answer.content)
        assert isinstance(found, LeaseWait)
        assert int(answer.headers["retry-after"]) >= found.retry_after_s
        return found

    async def delete(self, lease_id: str) -> int:
        path = f"/api/v1/leases/{lease_id}"
        return (await self.client.delete(path, headers=self._headers)).status_code

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
def prober(city, client):
    def make(building_id: str | None = "b-ost", client=client) -> Prober:
        name = f"{building_id}-p1"
        kind = SourceKind.PROBE if building_id else SourceKind.COLLECTOR
        city.store.sources.create(name, kind, building_id, token_hash(name))
        return Prober(client, name)

    return make


async def test_a_granted_lease_tells_the_server_what_the_probe_may(
    prober, clock, listening
):
    lease = await prober().granted(rate_cap_bps=200 * MBIT, streams_count=3)
    expires_ms = round(clock.now().timestamp() * 1000) + 2_500 + 5_000
    now_ms = expires_ms - 1
    claims = verify(lease.token, Secret(KEY), server="m1", now_ms=now_ms)
    assert claims.id == lease.id
    assert (claims.line, claims.directions) == ("b-ost-main", (Direction.DOWN,))
    assert claims.rate_cap_bps == lease.rate_cap_bps == 200 * MBIT
    assert claims.bytes == lease.bytes == 200 * MBIT * 5 // 16
    assert (claims.seconds, claims.streams_count) == (2.5, 3)
    assert claims.expires_ms == lease.expires_ms == expires_ms
    assert [(one.id, one.address) for one in lease.servers] == [
        ("m1", listening[0]),
        ("m2", listening[1]),
    ]


async def test_without_a_rate_the_contract_and_a_tenth_counts(prober):
    probe = prober()
    down = await probe.granted()
    assert down.rate_cap_bps == 275 * MBIT
    assert await probe.delete(down.id) == 204
    up = await probe.granted(directions=["up"])
    assert up.rate_cap_bps == 44 * MBIT


@pytest.mark.parametrize(
    ("ask", "expected_s"),
    [({}, 1.0), ({"length_s": 0.5}, 0.5), ({"expected_s": 2.0}, 2.0)],
)
async def test_others_are_told_to_come_when_it_is_probably_over(
    prober, ask, expected_s
):
    whole = {"rate_cap_bps": 800 * MBIT, "least_bps": 800 * MBIT}
    await prober("b-ost").granted(**whole, **ask)
    held = await prober("b-z10").held(line="b-z10-main", **whole)
    assert held.retry_after_s == pytest.approx(expected_s)


async def test_the_answer_is_not_kept_by_anybody_on_the_way(prober):
    answer = await prober().post()
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"].endswith(answer.json()["id"])


async def test_a_full_server_sends_to_the_next_and_then_to_wait(prober):
    first = await prober("b-ost").granted()
    second = await prober("b-oest").granted(line="b-oest-main")
    third = await prober("b-z9").granted(line="b-z9-main")
    assert [one.servers[0].id for one in (first, second, third)] == ["m1", "m2", "m2"]
    fourth = prober("b-z10")
    held = await fourth.held(line="b-z10-main", rate_cap_bps=100 * MBIT)
    assert held.why is WaitReason.SERVER_FULL
    assert held.message == "Der Messserver m1 ist ausgelastet."
    assert await prober("b-ost").delete(first.id) == 204
    lease = await fourth.granted(line="b-z10-main", rate_cap_bps=100 * MBIT)
    assert lease.servers[0].id == "m1"


async def test_a_place_in_the_queue_and_a_lease_survive_a_restart(
    prober, settings, store, clock
):
    first = await prober("b-ost").granted(rate_cap_bps=800 * MBIT)
    other = await prober("b-oest").granted(
        line="b-oest-main", rate_cap_bps=400 * MBIT, least_bps=1
    )
    assert other.servers[0].id == "m2"
    await prober("b-z10").held(line="b-z10-main", rate_cap_bps=300 * MBIT)
    clock.advance(0.5)
    made = create_app(settings, store, clock)
    transport = httpx.ASGITransport(app=made)
    async with (
        made.router.lifespan_context(made),
        httpx.AsyncClient(transport=transport, base_url="http://netmon.test") as again,
    ):
        late = prober("b-z9", again)
        held = await late.held(line="b-z9-main", rate_cap_bps=300 * MBIT)
        assert held.ahead_count == 1
        same = await prober("b-ost", again).granted(rate_cap_bps=800 * MBIT)
        assert (same.id, same.token) == (first.id, first.token)


async def test_a_mast_carries_one_test(city, prober):
    mast = Segment(id="mast-3", kind=SegmentKind.RADIO_HOP, capacity_bps=GBIT)
    lines = tuple(
        msgspec.structs.replace(line, segments=("mast-3",))
        for line in city.inventory.lines
    )
    city.adopt(msgspec.structs.replace(city.inventory, lines=lines, segments=(mast,)))
    await prober("b-ost").granted()
    held = await prober("b-oest").held(line="b-oest-main")
    assert (held.why, held.resource) == (WaitReason.RADIO_HOP_BUSY, "mast-3")
    assert held.message == "Über die Funkstrecke mast-3 läuft schon eine Messung."


async def test_an_expired_lease_frees_its_slot(prober, clock):
    await prober("b-ost").granted(rate_cap_bps=800 * MBIT)
    wish = {"line": "b-z10-main", "rate_cap_bps": 800 * MBIT, "least_bps": 800 * MBIT}
    probe = prober("b-z10")
    assert (await probe.held(**wish)).why is WaitReason.SERVER_FULL
    clock.advance(7.5)
    await probe.granted(**wish)


# --- what is refused ----------------------------------------------------------


async def _assert_refused(answer, status: int, code: str, field: str | None = None):
    assert answer.status_code == status
    body = decode_error(answer.content)
    assert body is not None
    assert (body.code, body.field) == (code, field)
    assert body.message
    assert body.fix


@pytest.mark.parametrize(
    ("building", "change", "status", "code", "field"),
    [
        ("b-z9", {}, 403, "forbidden_building", "line"),
        (None, {}, 403, "no_probe", None),
        ("b-ost", {"line": "nothing"}, 422, "unknown_line", "line"),
        ("b-ost", {"purpose": "fun"}, 422, "malformed", "purpose"),
        ("b-ost", {"length_s": 0}, 422, "malformed", "body"),
        ("b-ost", {"length_s": 1e9}, 422, "malformed", "body"),
        ("b-ost", {"expected_s": 2.6}, 422, "malformed", "body"),
        ("b-ost", {"directions": []}, 422, "malformed", "body"),
        ("b-ost", {"directions": ["up", "up"]}, 422, "malformed", "body"),
        ("b-ost", {"rate_cap_bps": -1}, 422, "malformed", "body"),
        ("b-ost", {"rate_cap_bps": 10**12}, 422, "malformed", "body"),
        ("b-ost", {"least_bps": 2, "rate_cap_bps": 1}, 422, "malformed", "body"),
        ("b-ost", {"streams_count": 0}, 422, "malformed", "body"),
        ("b-ost", {"avoid": ["x"] * 17}, 422, "malformed", "body"),
        ("b-ost", {"rate_cap": 1}, 422, "malformed", "body"),
        (
            "b-ost",
            {"rate_cap_bps": GBIT, "least_bps": 900 * MBIT},
            409,
            "impossible",
            "least_bps",
        ),
    ],
)
async def test_refusals_name_the_reason(prober, building, change, status, code, field):
    answer = await prober(building).post(**change)
    await _assert_refused(answer, status, code, field)


async def test_a_rate_no_server_has_is_named(prober):
    answer = await prober().post(rate_cap_bps=GBIT, least_bps=900 * MBIT)
    assert "800 Mbit/s" in answer.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"{", b'"\xff"', b"[]"])
async def test_no_json_is_refused(prober, client, body):
    headers = {"Authorization": f"Bearer {prober().token}"}
    answer = await client.post("/api/v1/leases", content=body, headers=headers)
    await _assert_refused(answer, 422, "malformed", "body")


async def test_a_large_body_is_refused(prober, client):
    headers = {"Authorization": f"Bearer {prober().token}"}
    body = json.dumps(ASK).encode().ljust(MAX_ASK_BYTES + 1)
    answer = await client.post("/api/v1/leases", content=body, headers=headers)
    await _assert_refused(answer, 413, "too_large", "body")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, "no_token"), ({"Authorization": "Bearer wrong"}, "bad_token")],
)
async def test_strangers_get_nothing(city, client, method, headers, code):
    path = "/api/v1/leases" + ("/a" if method == "DELETE" else "")
    answer = await client.request(method, path, headers=headers, content=b"{}")
    await _assert_refused(answer, 401, code)
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_only_the_own_lease_is_released(prober):
    lease = await prober("b-ost").granted()
    assert await prober("b-z9").delete(lease.id) == 404
    assert await prober(None).delete(lease.id) == 404
    assert await prober("b-ost").delete("x" * 65) == 422
    assert await prober("b-ost").delete(lease.id) == 204
    assert await prober("b-ost").delete(lease.id) == 404


async def test_a_busy_store_says_come_again(prober, store, monkeypatch):
    def busy(*_: object) -> None:
        raise StorageBusyError("/a/secret/path")

    probe = prober()
    monkeypatch.setattr(type(store.leases), "settle", busy)
    answer = await probe.post()
    await _assert_refused(answer, 503, "store")
    assert answer.json()["error"]["retry"] is True
    assert "secret" not in answer.text


# --- servers, settings, description -------------------------------------------


class TestWithoutServers:
    """A gateway that gives out no slots says so; probes measure by themselves."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings()

    async def test_it_says_so(self, prober):
        await _assert_refused(await prober().post(), 404, "leases_off")
        assert await prober().delete("a") == 404


class TestWithARealServer:
    """The whole way: ask, measure with the token, give back."""

    @pytest.fixture
    async def server(self) -> AsyncIterator[MeasureServer]:
        server = MeasureServer(
            Secret("static"), leases=LeaseGate(Secret(KEY), "m1", SystemClock())
        )
        await server.start("127.0.0.1", 0)
        async with server:
            yield server

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock(SystemClock().now())

    @pytest.fixture
    def settings(self, server: MeasureServer, tmp_path: Path) -> Settings:
        key_file = tmp_path / "measure.key"
        key_file.write_text(KEY)
        address = f"127.0.0.1:{server.port}"
        one = MeasureServerSettings("m1", address, "1 Gbit/s")
        return Settings(measure=MeasureSettings(str(key_file), (one,)))

    async def _download(self, lease: LeaseGranted) -> int:
        host, _, port = lease.servers[0].address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        wish = Request(
            op="down", token=lease.token, line=lease.line, seconds=9.0, bytes=10**9
        )
        try:
            writer.write(encode_line(wish))
            agreed = decode_reply((await reader.readline()).rstrip())
            assert (agreed.seconds, agreed.bytes) == (lease.length_s, lease.bytes)
            async with asyncio.timeout(20):
                return len(await reader.read(-1))
        finally:
            writer.close()
            await writer.wait_closed()

    async def test_from_asking_to_giving_back(self, prober):
        probe = prober()
        lease = await probe.granted(rate_cap_bps=80 * MBIT, length_s=0.2)
        assert await self._download(lease) == lease.bytes == 2_000_000
        with pytest.raises(ProbeFailedError, match="used already"):
            await self._download(lease)
        assert await probe.delete(lease.id) == 204
        again = await probe.granted(rate_cap_bps=80 * MBIT, length_s=0.2)
        assert await self._download(again) == 2_000_000


async def test_a_server_is_ill_after_two_failures_and_well_after_one_success(
    settings, listening
):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    servers = (
        settings.measure.servers[0],
        MeasureServerSettings("gone", f"127.0.0.1:{port}", "1 Gbit/s"),
        MeasureServerSettings("no-name", "nowhere.invalid:1", "1 Gbit/s"),
    )
    health = ServerHealth(servers)
    ids = [server.id for server in servers]
    await health.check()
    assert [health.healthy(one) for one in ids] == [True, True, True]
    await health.check()
    assert [health.healthy(one) for one in ids] == [True, False, False]
    with socket.create_server(("127.0.0.1", port)):
        await health.check()
    assert [health.healthy(one) for one in ids] == [True, True, False]


async def test_an_ill_server_gets_no_tests_and_comes_last(app, prober, monkeypatch):
    ill = {"m1"}
    health = app.state.leases.health
    monkeypatch.setattr(health, "healthy", lambda server_id: server_id not in ill)
    lease = await prober().granted()
    assert [(one.id, one.healthy) for one in lease.servers] == [
        ("m2", True),
        ("m1", False),
    ]
    ill.add("m2")
    held = await prober("b-z9").held(line="b-z9-main")
    assert held.why is WaitReason.NO_SERVER


@pytest.mark.parametrize(("key", "text"), [("short", "at least 32"), ("", "is empty")])
def test_a_useless_key_stops_the_start(settings, store, clock, tmp_path, key, text):
    (tmp_path / "measure.key").write_text(key)
    with pytest.raises(ConfigError, match=text):
        create_app(settings, store, clock)


async def test_the_description_has_working_examples(client):
    described = (await client.get("/api/v1/openapi.json")).json()
    asking = described["paths"]["/api/v1/leases"]["post"]
    body = asking["requestBody"]["content"]["application/json"]
    assert isinstance(decode_ask(json.dumps(body["example"]).encode()), LeaseAsk)
    kinds = {"201": LeaseGranted, "202": LeaseWait}
    for status, kind in kinds.items():
        content = asking["responses"][status]["content"]["application/json"]
        example = decode_lease_reply(json.dumps(content["example"]).encode())
        assert isinstance(example, kind)
        name = content["schema"]["$ref"].rpartition("/")[2]
        assert name == kind.__name__
        assert name in described["components"]["schemas"]
    releasing = described["paths"]["/api/v1/leases/{lease_id}"]["delete"]
    for operation in (asking, releasing):
        assert operation["security"] == [{"senderToken": []}]
        for status in ("401", "403", "404", "503"):
            schema = operation["responses"][status]["content"]["application/json"]
            assert schema["schema"]["$ref"].endswith("/ErrorReply")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_to_wait_has_its_words(language):
    words = catalogue(language)
    assert all(words[f"lease.wait.{reason}"] for reason in WaitReason)
