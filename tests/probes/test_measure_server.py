"""The server's edges: bounds, strangers, and an echo that cannot be abused."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from netmon.model import FailureReason
from probes.failures import ProbeFailedError
from probes.measure_protocol import (
    ECHO_CLOCK,
    ECHO_CLOCK_AT,
    ECHO_MAX_BYTES,
    ECHO_MIN_BYTES,
    ECHO_REPLY,
    ECHO_REQUEST,
    MAX_LINE_BYTES,
    Request,
    decode_reply,
    encode_line,
    read_line,
)
from probes.measure_server import Limits, MeasureServer
from probes.sockets import connected


async def _ask(context, line: bytes):
    async with connected(context.server) as sock:
        await asyncio.get_running_loop().sock_sendall(sock, line)
        return decode_reply(await read_line(sock))


async def test_ping_answers(measure_server, make_context):
    context = make_context(measure_server.port)
    reply = await _ask(context, encode_line(Request(op="ping", token="right-token")))
    assert reply.ok


async def test_wishes_are_bounded_by_the_limits(server_token, make_context):
    limits = Limits(max_seconds=3.0, max_bytes=1000)
    server = MeasureServer(server_token, limits=limits)
    await server.start("127.0.0.1", 0)
    async with server:
        asked = Request(op="down", token="right-token", seconds=99, bytes=10**12)
        reply = await _ask(make_context(server.port), encode_line(asked))
    assert (reply.seconds, reply.bytes) == (3.0, 1000)


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1\n",
        b'{"op":"ping","token":"\\ud800"}\n',
        b'{"op":"ping","token":"\xff"}\n',
        b'{"op":"down","token":"right-token","seconds":1,"bytes":5,"v":2}\n',
        b'{"op":"sideways","token":"right-token"}\n',
        b'{"op":"down","token":"right-token","seconds":0,"bytes":5}\n',
        b'{"op":"down","token":"right-token","seconds":1,"bytes":-5}\n',
        b'{"op":"down","token":"right-token","seconds":1,"warmup_s":1,"bytes":5}\n',
        b'{"op":"up","token":"right-token","seconds":40,"warmup_s":35,"bytes":5}\n',
        b"x" * MAX_LINE_BYTES + b"\n",
    ],
)
async def test_nonsense_is_refused_in_words(measure_server, make_context, line):
    with pytest.raises(ProbeFailedError) as caught:
        await _ask(make_context(measure_server.port), line)
    assert caught.value.reason is FailureReason.PROTOCOL


@pytest.mark.parametrize("token", ["", "right-toke", "right-token ", "äöü", "\x00"])
async def test_any_other_token_is_denied(measure_server, make_context, token):
    with pytest.raises(ProbeFailedError) as caught:
        await _ask(
            make_context(measure_server.port),
            encode_line(Request(op="ping", token=token)),
        )
    assert caught.value.reason is FailureReason.DENIED


async def test_client_that_leaves_frees_its_slot(measure_server, make_context, until):
    async with connected(make_context(measure_server.port).server) as sock:
        asked = Request(op="down", token="right-token", seconds=20, bytes=10**9)
        await asyncio.get_running_loop().sock_sendall(sock, encode_line(asked))
        await read_line(sock)
        assert measure_server.running_tests == 1
    await until(lambda: measure_server.running_tests == 0)


async def test_taken_port_is_an_error(measure_server, server_token):
    other = MeasureServer(server_token)
    with pytest.raises(OSError, match="in use"):
        await other.start("127.0.0.1", measure_server.port)


async def test_stop_ends_running_tests_at_once(server_token, make_context):
    server = MeasureServer(server_token, rates={"line-1": (1e6, 1e6)})
    await server.start("127.0.0.1", 0)
    async with connected(make_context(server.port).server) as sock:
        loop = asyncio.get_running_loop()
        asked = Request(
            op="down", token="right-token", line="line-1", seconds=20, bytes=10**9
        )
        await loop.sock_sendall(sock, encode_line(asked))
        await read_line(sock)
        async with asyncio.timeout(10):
            await server.stop()
            while await loop.sock_recv(sock, 65536):
                pass


def _request(size: int, fill: bytes = b"x") -> bytes:
    return ECHO_REQUEST.ljust(size, fill)


@pytest.fixture
async def echo_socket(measure_server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(("127.0.0.1", measure_server.port))
        yield sock


async def _echo(sock: socket.socket, *datagrams: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    for datagram in datagrams:
        await loop.sock_sendall(sock, datagram)
    async with asyncio.timeout(30):
        return await loop.sock_recv(sock, 65536)


@pytest.mark.parametrize("size", [ECHO_MIN_BYTES, 100, ECHO_MAX_BYTES])
async def test_echo_answers_with_the_same_size(echo_socket, size):
    answer = await _echo(echo_socket, _request(size))
    assert _without_clock(answer) == _without_clock(
        ECHO_REPLY + _request(size)[len(ECHO_REPLY) :]
    )


async def test_echo_carries_the_servers_clock(echo_socket):
    before_s = time.monotonic()
    answers = [await _echo(echo_socket, _request(64)) for _ in range(2)]
    clocks = [ECHO_CLOCK.unpack_from(a, ECHO_CLOCK_AT)[0] for a in answers]
    assert before_s <= clocks[0] < clocks[1] <= time.monotonic()


def _without_clock(answer: bytes) -> bytes:
    end = ECHO_CLOCK_AT + ECHO_CLOCK.size
    return answer[:ECHO_CLOCK_AT] + answer[end:]


@pytest.mark.parametrize(
    "ignored",
    [
        _request(ECHO_MIN_BYTES - 1),
        _request(ECHO_MAX_BYTES + 1),
        ECHO_REPLY.ljust(64, b"x"),
        b"stranger".ljust(64, b"x"),
        b"",
    ],
)
async def test_echo_is_silent_to_anything_else(echo_socket, ignored):
    # The echo answers in order, so the first answer must be the second request's.
    answer = await _echo(echo_socket, ignored, _request(64, b"2"))
    assert _without_clock(answer) == _without_clock(ECHO_REPLY.ljust(64, b"2"))


async def test_client_that_leaves_a_cut_line_frees_its_slot(
    measure_server, make_context, until
):
    """Nothing can be sent, so only reading tells that the client has gone."""
    measure_server.set_rate("line-1", 0, 0)
    async with connected(make_context(measure_server.port).server) as sock:
        asked = Request(
            op="down", token="right-token", line="line-1", seconds=20, bytes=10**9
        )
        await asyncio.get_running_loop().sock_sendall(sock, encode_line(asked))
        await read_line(sock)
    await until(lambda: measure_server.running_tests == 0)
