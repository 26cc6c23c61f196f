"""The router's counters by SNMP, v2c and v3, from a real agent; and why not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from collectors.credentials import Credential
from collectors.recorded import parse_recording
from netmon.config import Secret
from netmon.demo.agents import RecordedModel, SnmpAgent
from probes.snmp_counters import (
    CountersUnreadableError,
    SnmpCounters,
    SnmpUser,
    Unreadable,
)

WIDE = """\
1.3.6.1.2.1.1.3.0|67|4711
1.3.6.1.2.1.2.2.1.10.2|65|77
1.3.6.1.2.1.31.1.1.1.6.2|70|18446744073709551615
1.3.6.1.2.1.31.1.1.1.10.2|70|9000000000
1.3.6.1.2.1.31.1.1.1.19.2|67|12
"""
NARROW = """\
1.3.6.1.2.1.1.3.0|67|4711
1.3.6.1.2.1.2.2.1.10.2|65|77
"""
V2C = Credential(name="t", version="v2c", community=Secret("public"))
V3 = Credential(
    name="t",
    version="v3",
    user="netmon",
    auth_protocol="sha256",
    auth_secret=Secret("auth-secret-1"),
    priv_protocol="aes128",
    priv_secret=Secret("priv-secret-1"),
)
USER = SnmpUser(
    name="netmon",
    auth_secret=Secret("auth-secret-1"),
    priv_secret=Secret("priv-secret-1"),
)

Opener = Callable[..., Awaitable[SnmpCounters]]


@pytest.fixture
async def router() -> AsyncIterator[Opener]:
    """Start a router's agent; give a reader of one of its ports."""
    agents: list[SnmpAgent] = []

    async def opened(
        recording: str = WIDE,
        *,
        lets_in: Credential = V2C,
        access: Secret | SnmpUser = Secret("public"),  # noqa: B008 - frozen
        if_index: int = 2,
        timeout_s: float = 30.0,
    ) -> SnmpCounters:
        rows = parse_recording(recording.splitlines(), "test")
        agent = SnmpAgent(RecordedModel(rows), lets_in)
        agents.append(agent)
        port = int((await agent.start()).rpartition(":")[2])
        return SnmpCounters(
            "127.0.0.1", access, if_index, port=port, timeout_s=timeout_s
        )

    yield opened
    for agent in agents:
        await agent.stop()


@pytest.mark.parametrize(
    ("lets_in", "access"), [(V2C, Secret("public")), (V3, USER)], ids=["v2c", "v3"]
)
async def test_both_counters_and_both_clocks_come_in_one_answer(
    router, lets_in, access
):
    counters = await router(lets_in=lets_in, access=access)
    await asyncio.to_thread(counters.check)
    reading = await asyncio.to_thread(counters.read)
    assert reading is not None
    assert (reading.in_octets, reading.out_octets) == (2**64 - 1, 9_000_000_000)
    assert (reading.uptime_ticks, reading.discontinuity_ticks) == (4711, 12)
    assert reading.error_s >= 0


async def test_a_router_without_the_discontinuity_clock_is_read_too(router):
    recording = "".join(WIDE.splitlines(keepends=True)[:-1])
    reading = await asyncio.to_thread((await router(recording)).read)
    assert reading is not None
    assert reading.discontinuity_ticks is None


async def _why(counters: SnmpCounters) -> Unreadable:
    with pytest.raises(CountersUnreadableError) as caught:
        await asyncio.to_thread(counters.check)
    assert await asyncio.to_thread(counters.read) is None
    assert "secret" not in str(caught.value)
    return caught.value.why


async def test_32_bit_counters_are_named_as_the_reason(router):
    assert await _why(await router(NARROW)) is Unreadable.ONLY_32_BIT


async def test_a_port_that_does_not_exist_is_named(router):
    assert await _why(await router(if_index=9)) is Unreadable.NO_PORT


async def test_a_wrong_community_gets_no_answer(router):
    wrong = await router(access=Secret("private"), timeout_s=0.5)
    assert await _why(wrong) is Unreadable.NO_ANSWER


async def test_a_wrong_secret_is_denied(router):
    wrong = SnmpUser(
        name="netmon",
        auth_secret=Secret("another-secret"),
        priv_secret=Secret("priv-secret-1"),
    )
    counters = await router(lets_in=V3, access=wrong, timeout_s=0.5)
    assert await _why(counters) in {Unreadable.DENIED, Unreadable.NO_ANSWER}


async def test_an_unknown_router_gives_no_answer():
    counters = SnmpCounters("no-such-host.invalid", Secret("public"), 1)
    assert await _why(counters) is Unreadable.NO_ANSWER
