"""A real measurement server on a free port, and the context of a probe beside it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import hypothesis
import pytest

from netmon.clock import SystemClock
from netmon.config import Secret
from probes.base import Emit, MeasureAddress, ProbeContext, say_nothing
from probes.measure_server import MeasureServer

# A shared machine is slow at times; that says nothing about the rule under test.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

ContextMaker = Callable[..., ProbeContext]


@pytest.fixture
def server_token() -> Secret:
    return Secret("right-token")


@pytest.fixture
async def measure_server(server_token: Secret) -> AsyncIterator[MeasureServer]:
    server = MeasureServer(server_token)
    await server.start("127.0.0.1", 0)
    async with server:
        yield server


@pytest.fixture
def make_context(server_token: Secret) -> ContextMaker:
    def make(
        port: int,
        *,
        host: str = "127.0.0.1",
        token: Secret = server_token,
        line: str = "line-1",
        emit: Emit = say_nothing,
    ) -> ProbeContext:
        return ProbeContext(
            building="building-1",
            line=line,
            probe="probe-1",
            server=MeasureAddress(host, port, token),
            clock=SystemClock(),
            emit=emit,
        )

    return make


@pytest.fixture
def closed_port() -> int:
    """A TCP port where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Wait for a condition that no event announces."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    return wait
