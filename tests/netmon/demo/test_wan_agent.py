"""The played routers' counters, asked by the probe's own SNMP client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from netmon.config import Secret
from netmon.demo.snmp_get import Responder, oid
from netmon.demo.wan_agent import WanAgent
from probes.snmp_counters import SnmpCounters

BIG = 2**63 + 12_345
COMMUNITY = Secret("netmon-demo")


@pytest.fixture
async def agent() -> AsyncIterator[WanAgent]:
    ports = {1: lambda: (BIG, 0), 300: lambda: (7, 128)}
    agent = WanAgent(ports, COMMUNITY)
    await agent.start()
    yield agent
    agent.stop()


@pytest.mark.parametrize(("index", "octets"), [(1, (BIG, 0)), (300, (7, 128))])
async def test_a_probe_reads_each_port(agent, index, octets):
    source = SnmpCounters("127.0.0.1", COMMUNITY, index, port=agent.port)
    reading = await asyncio.to_thread(source.read)
    assert reading is not None
    assert (reading.in_octets, reading.out_octets) == octets


async def test_another_community_and_another_port_read_nothing(agent):
    for community, index in ((Secret("guess"), 1), (COMMUNITY, 2)):
        source = SnmpCounters("127.0.0.1", community, index, port=agent.port)
        assert await asyncio.to_thread(source.read) is None


def test_object_ids_of_more_than_seven_bits():
    # X.690, 8.19.5: base 128, all but the last with the top bit.
    assert oid("1.3.6.1.2.1.31.1.1.1.6.300").hex() == "2b060102011f01010106822c"


@pytest.mark.parametrize(
    "request_hex",
    ["", "30", "3000", "ff" * 40, "302902010104066e65746d6f6ea01c"],
)
def test_nonsense_gets_no_answer(request_hex):
    assert Responder({1: lambda: (1, 2)}).answer(bytes.fromhex(request_hex)) is None
