"""SNMPv3 agents that restart, are replaced, fall silent, or are forged; by both drivers.

The agents are real (pysnmp's engine over UDP); what time and boots they tell is set
from here. Run at every upgrade of a library: `test_a_forged_reply` notices when
gufo-snmp begins to check what it does not check in 0.13.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import cast

import pytest

from collectors.base import SessionError
from collectors.credentials import Credential, Driver
from collectors.guards import REFRESH_AFTER_S, GuardedSession
from collectors.snmp import open_session
from netmon.clock import ManualClock
from netmon.config import Secret
from netmon.demo.agents import SnmpAgent, SwitchModel
from tests.patience import PATIENT

DRIVERS: tuple[Driver, ...] = ("gufo", "pysnmp")
NAME = "1.3.6.1.2.1.1.5.0"
ENGINE = b"\x80\x00\x7e\xd9\x05one"
# Tag and length of a signature by HMAC-SHA-96 (RFC 3414).
SIGNATURE = b"\x04\x0c"


def v3(driver: Driver) -> Credential:
    return Credential(
        name="t",
        version="v3",
        driver=driver,
        user="netmon",
        auth_protocol="sha1",
        auth_secret=Secret("auth-secret-1"),
        priv_protocol="aes128",
        priv_secret=Secret("priv-secret-1"),
    )


class Peer:
    """An agent, its clock, and a session with a clock of its own."""

    def __init__(self, agent: SnmpAgent, address: str, driver: Driver) -> None:
        self.agent = agent
        self.address = address
        self.driver = driver
        self.clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
        self.session = self.new_session()

    def new_session(self, address: str | None = None) -> GuardedSession:
        opened = open_session(
            address or self.address, v3(self.driver), clock=self.clock, timing=PATIENT
        )
        return cast("GuardedSession", opened)

    async def name(self) -> bytes:
        return cast("bytes", (await self.session.get([NAME]))[NAME])

    def tell(self, *, boots: int, running_s: float) -> None:
        """Let the agent say how often it started, and how long ago."""
        assert self.agent._engine is not None
        count, since = self.agent._engine.get_mib_builder().import_symbols(
            "__SNMP-FRAMEWORK-MIB", "snmpEngineBoots", "snmpEngineTime"
        )
        count.syntax = count.syntax.clone(boots)
        since.syntax = since.syntax.clone(int(time.time() - running_s))


async def nothing_is_said(asked: asyncio.Task[object]) -> None:
    """Hold that a request fails, or waits on: by now there was an answer."""
    await asyncio.wait({asked}, timeout=1.0)
    asked.cancel()
    with pytest.raises((SessionError, asyncio.CancelledError)):
        await asked


@pytest.fixture(params=DRIVERS)
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    driver = cast("Driver", request.param)
    agent = SnmpAgent(SwitchModel("first", 2, "s"), v3(driver), engine_id=ENGINE)
    opened = Peer(agent, await agent.start(), driver)
    yield opened
    await opened.session.aclose()
    await opened.agent.stop()


async def test_a_restarted_device_answers_in_the_same_call(peer: Peer) -> None:
    peer.tell(boots=1, running_s=5000)
    assert await peer.name() == b"first"
    peer.tell(boots=2, running_s=1)
    assert await peer.name() == b"first"
    # gufo-snmp is refused once and has to be told the new time.
    assert peer.session.tally.refused == (peer.driver == "gufo")


async def test_after_200_s_of_silence_the_time_is_renewed_first(peer: Peer) -> None:
    peer.tell(boots=1, running_s=5000)
    assert await peer.name() == b"first"
    peer.clock.advance(200)
    assert REFRESH_AFTER_S < 150
    peer.tell(boots=1, running_s=5200)
    assert await peer.name() == b"first"
    assert peer.session.tally.refused == 0


async def test_a_device_whose_clock_ran_away_answers_in_the_same_call(
    peer: Peer,
) -> None:
    peer.tell(boots=1, running_s=5000)
    assert await peer.name() == b"first"
    peer.tell(boots=1, running_s=5200)
    assert await peer.name() == b"first"


async def test_a_replaced_device_needs_a_new_session_and_gets_on_with_it(
    peer: Peer,
) -> None:
    """The poller makes one after two failed polls; until then nothing wrong is said."""
    assert await peer.name() == b"first"
    await peer.agent.stop()
    port = int(peer.address.rpartition(":")[2])
    peer.agent = SnmpAgent(
        SwitchModel("second", 2, "s"), v3(peer.driver), engine_id=ENGINE[:-3] + b"two"
    )
    await peer.agent.start(port)
    await nothing_is_said(asyncio.create_task(peer.name()))
    await peer.session.aclose()
    peer.session = peer.new_session()
    assert await peer.name() == b"second"


class Forger(asyncio.DatagramProtocol):
    """Stands between a session and an agent, and damages signatures of replies."""

    def __init__(self, agent: tuple[str, int]) -> None:
        self._agent = agent
        self._client: tuple[str | int, ...] | None = None
        self.forged = asyncio.Event()
        self.damage = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        if addr[1] != self._agent[1]:
            self._client = addr
            self._transport.sendto(data, self._agent)
            return
        at = data.find(SIGNATURE)
        if self.damage and at > 0:
            body = at + len(SIGNATURE)
            data = data[:body] + bytes([data[body] ^ 0xFF]) + data[body + 1 :]
            self.forged.set()
        self._transport.sendto(data, self._client)


async def test_a_forged_reply(peer: Peer) -> None:
    """gufo-snmp 0.13 does not check the signature of replies, pysnmp does.

    If this fails for gufo, it checks them now: say so in docs/betrieb/sammler.md.
    """
    host, _, port = peer.address.rpartition(":")
    transport, forger = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Forger((host, int(port))), local_addr=("127.0.0.1", 0)
    )
    own = transport.get_extra_info("sockname")[1]
    session = peer.new_session(f"127.0.0.1:{own}")
    try:
        assert await session.get([NAME]) == {NAME: b"first"}
        forger.damage = True
        if peer.driver == "gufo":
            assert await session.get([NAME]) == {NAME: b"first"}
        else:
            asked = asyncio.create_task(session.get([NAME]))
            await asyncio.wait_for(forger.forged.wait(), 30.0)
            await nothing_is_said(asked)
        assert forger.forged.is_set()
    finally:
        await session.aclose()
        transport.close()
        await asyncio.sleep(0)
