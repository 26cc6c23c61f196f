"""One test, one slot: streams, held streams, and what the control connection tells."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import AsyncExitStack

import pytest

from netmon.model import FailureReason
from probes.failures import ProbeFailedError
from probes.machine import MAX_BUSY_RATIO
from probes.measure_protocol import (
    GO,
    STAT,
    Request,
    decode_reply,
    decode_stat,
    encode_line,
    read_line,
)
from probes.measure_server import Limits, MeasureServer
from probes.paced_line import Allowance, PlainLine
from probes.pinger import Pinger
from probes.slots import MAX_CONNECTIONS_A_TEST, Slots
from probes.sockets import connected


async def _open(sock, **more):
    fields = {
        "op": "down",
        "token": "right-token",
        "test": "one",
        "seconds": 5.0,
        "bytes": 10**9,
        **more,
    }
    line = encode_line(Request(**fields))
    await asyncio.get_running_loop().sock_sendall(sock, line)
    return decode_reply(await read_line(sock))


async def _stat(sock):
    await asyncio.get_running_loop().sock_sendall(sock, STAT + b"\n")
    return decode_stat(await read_line(sock))


@pytest.fixture
async def small_server(server_token):
    server = MeasureServer(server_token, limits=Limits(max_tests=2))
    await server.start("127.0.0.1", 0)
    async with server:
        yield server


async def test_streams_of_a_test_share_its_slot(small_server, make_context, until):
    address = make_context(small_server.port).server
    async with AsyncExitStack() as stack:
        for _ in range(3):
            sock = await stack.enter_async_context(connected(address))
            await _open(sock, held=True)
        assert small_server.running_tests == 1
        other = await stack.enter_async_context(connected(address))
        await _open(other, held=True, test="two")
        third = await stack.enter_async_context(connected(address))
        with pytest.raises(ProbeFailedError) as caught:
            await _open(third, held=True, test="three")
        assert caught.value.reason is FailureReason.BUSY
        # The running tests may still grow.
        more = await stack.enter_async_context(connected(address))
        await _open(more, held=True)
    await until(lambda: small_server.running_tests == 0)


async def test_a_test_name_is_its_lines_own(small_server, make_context):
    address = make_context(small_server.port).server
    async with connected(address) as one, connected(address) as two:
        await _open(one, held=True, line="a")
        await _open(two, held=True, line="b")
        assert small_server.running_tests == 2


async def test_a_held_stream_sends_when_told(measure_server, make_context):
    loop = asyncio.get_running_loop()
    address = make_context(measure_server.port).server
    async with connected(address) as control, connected(address) as sock:
        await _open(control, op="control")
        await _open(sock, held=True, bytes=100_000)
        assert (await _stat(control)).down.streams == 0
        await loop.sock_sendall(sock, GO)
        got = 0
        async with asyncio.timeout(10):
            while part := await loop.sock_recv(sock, 65536):
                got += len(part)
        assert got == 100_000


async def test_the_control_connection_tells_what_the_sender_knows(
    measure_server, make_context
):
    """A client that does not read: its window is what limits the server."""
    loop = asyncio.get_running_loop()
    address = make_context(measure_server.port).server
    async with connected(address) as control, connected(address) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        await _open(control, op="control")
        await _open(sock)
        got = len(await loop.sock_recv(sock, 65536))
        async with asyncio.timeout(10):
            while (found := (await _stat(control)).down).rwnd_limited_s <= 0.1:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert found.streams == 1
    assert found.bytes >= got
    assert found.delivered > 0
    assert found.rwnd_limited_s > 0.5 * found.busy_s
    assert found.stream_s >= 0.9 * found.busy_s


async def test_an_ended_stream_is_still_counted(measure_server, make_context, until):
    loop = asyncio.get_running_loop()
    address = make_context(measure_server.port).server
    async with connected(address) as control:
        await _open(control, op="control")
        async with connected(address) as sock:
            await _open(sock, op="up", silent=True, bytes=50_000)
            await loop.sock_sendall(sock, bytes(50_000))
            assert not await loop.sock_recv(sock, 1)
        stat = await _stat(control)
        assert (stat.up.streams, stat.up.bytes) == (1, 50_000)
        assert stat.late_s >= 0
        assert 0 <= stat.cpu_steal_ratio <= 1
    await until(lambda: measure_server.running_tests == 0)


async def test_a_test_has_no_end_of_streams(measure_server, make_context):
    address = make_context(measure_server.port).server
    async with AsyncExitStack() as stack:
        for _ in range(MAX_CONNECTIONS_A_TEST):
            sock = await stack.enter_async_context(connected(address))
            await _open(sock, held=True)
        sock = await stack.enter_async_context(connected(address))
        with pytest.raises(ProbeFailedError) as caught:
            await _open(sock, held=True)
    assert caught.value.reason is FailureReason.DENIED


async def test_a_server_without_time_left_says_busy_to_a_further_test(monkeypatch):
    monkeypatch.setattr("probes.slots.SLOT_WAIT_S", 0.01)
    slots = Slots(5)
    async with slots.taken("one"):
        slots._load_ratio = MAX_BUSY_RATIO + 0.05
        async with slots.taken("one"):
            assert len(slots) == 1
        with pytest.raises(ProbeFailedError) as caught:
            async with slots.taken("two"):
                pass
    assert caught.value.reason is FailureReason.BUSY


async def test_an_allowance_gives_back_what_the_narrower_line_does_not_take():
    wide, narrow = PlainLine(1e9, 1e9), PlainLine(8e6, 8e6)
    await asyncio.sleep(0.02)
    left = {"down": 50_000, "up": 0}
    allowance = Allowance("down", [wide, narrow], left)
    size = await allowance.granted(100_000)
    assert 0 < size < 50_000
    assert left["down"] == 50_000 - size
    allowance.give_back(size)
    assert left["down"] == 50_000
    assert await Allowance("up", [wide], left).granted(10) == 0


class Queue(PlainLine):
    """A played line with a queue in the download's way."""

    def echo_wait_s(self, direction):
        return 0.05 if direction == "down" else 0.0


async def test_a_played_line_delays_the_echoes_of_its_test(server_token, make_context):
    line = Queue(1e8, 1e8)
    server = MeasureServer(server_token, lines={"line-1": line})
    await server.start("127.0.0.1", 0)
    async with server:
        address = make_context(server.port).server
        pinger = Pinger(address)
        try:
            pinger.send()
            (free,) = await _echoes(pinger)
            async with connected(address) as control:
                await _open(control, op="control", line="line-1", echo=pinger.session)
                pinger.send()
                (waited,) = await _echoes(pinger)
        finally:
            pinger.close()
    assert waited.rtt_s >= 0.05 > free.rtt_s
    assert waited.wait_s("down") >= 0.04
    assert waited.wait_s("up") < 0.04


async def _echoes(pinger):
    async with asyncio.timeout(30):
        while not (found := pinger.receive()):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    return found


class Emptying(PlainLine):
    """A line whose queue down is gone by the time an echo has come up."""

    def __init__(self):
        super().__init__(1e8, 1e8)
        self.came_up = False

    def echo_wait_s(self, direction):
        if direction == "up":
            self.came_up = True
            return 0.02
        assert self.came_up
        return 0.2 if time.monotonic() < self.empty_s else 0.0


async def test_an_echo_meets_the_queue_down_as_it_is_when_it_comes_to_it(
    server_token, make_context
):
    line = Emptying()
    server = MeasureServer(
        server_token, lines={"line-1": line}, echo_line=lambda *_: line
    )
    await server.start("127.0.0.1", 0)
    async with server:
        pinger = Pinger(make_context(server.port).server)
        try:
            line.empty_s = time.monotonic() + 0.01
            pinger.send()
            (echo,) = await _echoes(pinger)
        finally:
            pinger.close()
    # 0.2 s more if the queue down had been asked before the way up.
    assert 0.02 <= echo.rtt_s < 0.2
