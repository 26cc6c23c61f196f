"""The server's gate: one lease, one test, within its bounds."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from netmon.clock import ManualClock, to_ms
from netmon.config import Secret
from netmon.lease_token import LeaseClaims, sign
from netmon.lease_wire import Direction
from netmon.model import FailureReason
from probes.failures import ProbeFailedError
from probes.lease_token import LeaseGate
from probes.measure_protocol import (
    Request,
    decode_reply,
    decode_report,
    encode_line,
    read_line,
)
from probes.measure_server import MeasureServer
from probes.sockets import connected
from tests.command import run_command

START = datetime(2026, 11, 20, 7, 12, tzinfo=UTC)
KEY = Secret("k" * 32)


@pytest.fixture
def lease_clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def gate(lease_clock: ManualClock) -> LeaseGate:
    return LeaseGate(KEY, "m1", lease_clock)


@pytest.fixture
async def lease_server(
    gate: LeaseGate, server_token: Secret
) -> AsyncIterator[MeasureServer]:
    server = MeasureServer(server_token, leases=gate)
    await server.start("127.0.0.1", 0)
    async with server:
        yield server


def _token(key: Secret = KEY, **more: Any) -> str:
    fields: dict[str, Any] = {
        "id": "a",
        "server": "m1",
        "line": "line-1",
        "directions": (Direction.DOWN,),
        "rate_cap_bps": 8_000_000,
        "bytes": 3_000_000,
        "seconds": 3.0,
        "streams_count": 1,
        "expires_ms": to_ms(START) + 8_000,
    }
    return sign(LeaseClaims(**{**fields, **more}), key)


def _ask(token: str, **more: Any) -> Request:
    fields: dict[str, Any] = {
        "op": "down",
        "line": "line-1",
        "seconds": 20.0,
        "bytes": 10**9,
    }
    return Request(token=token, **{**fields, **more})


def _is_admitted(gate: LeaseGate, request: Request) -> bool:
    try:
        with gate.admit(request):
            return True
    except ProbeFailedError as error:
        return error.reason is not FailureReason.DENIED


def test_a_request_is_cut_to_its_lease(gate):
    with gate.admit(_ask(_token())) as bounded:
        assert (bounded.seconds, bounded.bytes) == (3.0, 3_000_000)
        assert bounded.pacing_bps == 8_000_000


def test_a_smaller_wish_stays(gate):
    wish = _ask(_token(), seconds=1.0, bytes=5, pacing_bps=1e6)
    with gate.admit(wish) as bounded:
        assert (bounded.seconds, bounded.bytes, bounded.pacing_bps) == (1.0, 5, 1e6)


def test_a_lease_has_so_many_streams_and_all_are_one_test(gate):
    request = _ask(_token(streams_count=3), test="made up by the client")
    with ExitStack() as stack:
        bounded = [stack.enter_context(gate.admit(request)) for _ in range(3)]
        assert {one.test for one in bounded} == {"a"}
        assert not _is_admitted(gate, request)


def test_each_direction_has_one_control_connection(gate):
    both = _ask(_token(directions=(Direction.DOWN, Direction.UP)), op="control")
    assert [_is_admitted(gate, both) for _ in range(3)] == [True, True, False]


def test_the_time_left_bounds_too(gate, lease_clock):
    lease_clock.advance(7.5)
    with gate.admit(_ask(_token())) as bounded:
        assert bounded.seconds == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("token", "ask"),
    [
        ({"expires_ms": to_ms(START)}, {}),
        ({"server": "m2"}, {}),
        ({"line": "line-2"}, {}),
        ({"directions": (Direction.UP,)}, {}),
        ({"key": Secret("l" * 32)}, {}),
        ({"line": "line-2"}, {"op": "ping"}),
    ],
)
def test_what_the_lease_is_not_for_is_denied(gate, token, ask):
    assert not _is_admitted(gate, _ask(_token(**token), **ask))
    assert _is_admitted(gate, _ask(_token(), op=ask.get("op", "down")))


def test_a_used_lease_is_denied_until_it_has_expired_anyway(gate, lease_clock):
    request = _ask(_token(streams_count=4))
    assert _is_admitted(gate, request)
    assert not _is_admitted(gate, request)
    lease_clock.advance(7.9)
    # Others come and go meanwhile: forgetting the expired forgets no other.
    assert _is_admitted(gate, _ask(_token(id="b")))
    assert not _is_admitted(gate, request)
    lease_clock.advance(0.1)
    assert not _is_admitted(gate, request)


def test_each_direction_of_a_lease_is_used_once(gate):
    token = _token(directions=(Direction.DOWN, Direction.UP))
    down, up = _ask(token), _ask(token, op="up")
    assert _is_admitted(gate, down)
    assert _is_admitted(gate, up)
    assert not _is_admitted(gate, down)
    assert not _is_admitted(gate, up)


def test_pings_use_nothing_up(gate):
    for _ in range(3):
        assert _is_admitted(gate, _ask(_token(), op="ping"))
    assert _is_admitted(gate, _ask(_token()))


def test_a_failing_test_uses_the_lease_up(gate):
    def fail() -> None:
        with gate.admit(_ask(_token())):
            raise OSError("the client went away")

    with pytest.raises(OSError, match="went away"):
        fail()
    assert not _is_admitted(gate, _ask(_token()))


# --- the real server ----------------------------------------------------------


async def _reply(sock: socket.socket, request: Request):
    await asyncio.get_running_loop().sock_sendall(sock, encode_line(request))
    return decode_reply(await read_line(sock))


async def _all_bytes(sock: socket.socket) -> int:
    loop, total = asyncio.get_running_loop(), 0
    async with asyncio.timeout(20):
        while part := await loop.sock_recv(sock, 262_144):
            total += len(part)
    return total


async def test_a_download_ends_with_its_lease(lease_server, make_context):
    token = _token(bytes=300_000, rate_cap_bps=10**9)
    async with connected(make_context(lease_server.port).server) as sock:
        reply = await _reply(sock, _ask(token))
        assert (reply.seconds, reply.bytes) == (3.0, 300_000)
        assert await _all_bytes(sock) == 300_000


async def test_all_streams_together_keep_to_the_bytes(lease_server, make_context):
    """A test that grows from one stream to more has no fewer bytes for the first."""
    token = _token(bytes=300_000, rate_cap_bps=10**9, streams_count=3)
    server = make_context(lease_server.port).server
    async with connected(server) as one, connected(server) as two:
        await _reply(one, _ask(token))
        await _reply(two, _ask(token))
        assert lease_server.running_tests == 1
        assert await _all_bytes(one) + await _all_bytes(two) == 300_000


async def test_an_upload_is_read_no_faster_than_the_lease(lease_server, make_context):
    """24 Mbit at 1.1 times 40 Mbit/s, whatever the client sends."""
    token = _token(bytes=3_000_000, rate_cap_bps=40_000_000, directions=(Direction.UP,))
    loop = asyncio.get_running_loop()
    async with connected(make_context(lease_server.port).server) as sock:
        await _reply(sock, _ask(token, op="up"))
        started_s = loop.time()
        sending = asyncio.create_task(loop.sock_sendall(sock, bytes(3_000_000)))
        report = decode_report(await read_line(sock))
        await sending
    assert report.total_bytes == 3_000_000
    # What the bucket holds at the start, a tenth of a second, goes at once.
    assert loop.time() - started_s > 0.35


async def test_the_rate_is_held_down_to_the_lease(lease_server, make_context):
    """24 Mbit at 40 Mbit/s: never much faster, whatever the machine does."""
    token = _token(bytes=3_000_000, rate_cap_bps=40_000_000)
    loop = asyncio.get_running_loop()
    async with connected(make_context(lease_server.port).server) as sock:
        await _reply(sock, _ask(token))
        started_s = loop.time()
        assert await _all_bytes(sock) == 3_000_000
        # The first ten segments, 64 kB each on loopback, go at once.
        assert loop.time() - started_s > 0.4


async def test_a_silent_upload_ends_with_its_lease(lease_server, make_context):
    token = _token(bytes=300_000, directions=(Direction.UP,))
    loop = asyncio.get_running_loop()
    async with connected(make_context(lease_server.port).server) as sock:
        await _reply(sock, _ask(token, op="up", silent=True))
        endless = b"x" * 64_000_000  # far more than the sockets' buffers hold
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            await asyncio.wait_for(loop.sock_sendall(sock, endless), 20)


async def test_a_second_use_is_denied_by_the_server(lease_server, make_context, until):
    context = make_context(lease_server.port)
    async with connected(context.server) as sock:
        assert (await _reply(sock, _ask(_token()))).ok
    await until(lambda: lease_server.running_tests == 0)
    async with connected(context.server) as sock:
        with pytest.raises(ProbeFailedError, match="used already") as caught:
            await _reply(sock, _ask(_token()))
    assert caught.value.reason is FailureReason.DENIED


async def test_the_static_token_is_still_good(lease_server, make_context):
    async with connected(make_context(lease_server.port).server) as sock:
        reply = await _reply(sock, _ask("right-token", bytes=10))
        assert (reply.ok, reply.bytes) == (True, 10)


async def test_without_a_gate_a_lease_is_a_wrong_token(measure_server, make_context):
    async with connected(make_context(measure_server.port).server) as sock:
        with pytest.raises(ProbeFailedError) as caught:
            await _reply(sock, _ask(_token()))
    assert caught.value.reason is FailureReason.DENIED


@pytest.mark.parametrize(
    ("key", "more", "said"),
    [
        ("k" * 32, [], "gehört --id"),
        ("k" * 31, ["--id", "m1"], "mindestens 32 Zeichen"),
    ],
)
def test_the_command_refuses_half_a_gate(tmp_path, capsys, key, more, said):
    (tmp_path / "token").write_text("right-token")
    (tmp_path / "key").write_text(key)
    token, gate = tmp_path / "token", ("--lease-key-file", tmp_path / "key")
    assert run_command("measure-server", "--token-file", token, *gate, *more) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "kkkk" not in shown
