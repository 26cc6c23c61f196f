"""Latency against the real echo and against peers that lose or twist datagrams."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from netmon.model import FailureReason
from probes.latency import LatencyProbe, LatencySettings
from probes.measure_protocol import ECHO_REPLY

QUICK = LatencySettings(count=20, spacing_s=0.005, wait_s=0.3)


class _Peer(asyncio.DatagramProtocol):
    """An echo whose answers a test decides by the number of the datagram."""

    def __init__(self, answers: Callable[[int, bytes], list[bytes]]) -> None:
        self._answers = answers
        self._count = 0

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, addr):
        self._count += 1
        for answer in self._answers(self._count, ECHO_REPLY + data[4:]):
            self._transport.sendto(answer, addr)


@pytest.fixture
async def measure_against(make_context):
    """Run the probe against a peer that answers as told."""
    transports = []

    async def run(answers, settings=QUICK):
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Peer(answers), local_addr=("127.0.0.1", 0)
        )
        transports.append(transport)
        port = transport.get_extra_info("sockname")[1]
        return await LatencyProbe(settings).run(make_context(port))

    yield run
    for transport in transports:
        transport.close()


async def test_real_echo_loses_nothing(measure_server, make_context):
    result = await LatencyProbe(QUICK).run(make_context(measure_server.port))
    values = result.values
    assert result.failure is None
    assert values["loss_ratio"] == 0.0
    assert 0 < values["rtt_min_s"] <= values["rtt_s"] <= values["rtt_max_s"] < 0.3
    assert 0 <= values["jitter_s"] <= values["rtt_max_s"] - values["rtt_min_s"]


async def test_every_fourth_lost_is_a_loss_of_a_quarter(measure_against):
    result = await measure_against(lambda n, reply: [] if n % 4 == 0 else [reply])
    assert result.failure is None
    assert result.values["loss_ratio"] == 0.25
    assert result.values["rtt_s"] < 0.3


async def test_all_lost_is_a_failure_without_numbers(measure_against):
    result = await measure_against(lambda n, reply: [])
    assert result.failure is FailureReason.NO_REPLY
    assert result.values == {}


async def test_duplicates_count_once(measure_against):
    result = await measure_against(
        lambda n, reply: [] if n % 2 else [reply, reply, reply]
    )
    assert result.values["loss_ratio"] == 0.5


@pytest.mark.parametrize(
    "twist",
    [
        lambda reply: b"NMq1" + reply[4:],
        lambda reply: reply[:4] + b"stranger" + reply[12:],
        lambda reply: reply[:-1],
        lambda reply: reply[:12] + b"\xff\xff\xff\xff" + reply[16:],
    ],
    ids=["request magic", "other session", "shorter", "number never sent"],
)
async def test_alien_datagrams_are_no_replies(measure_against, twist):
    result = await measure_against(lambda n, reply: [twist(reply)])
    assert result.failure is FailureReason.NO_REPLY


async def test_closed_port_is_refused(make_context, closed_port):
    result = await LatencyProbe(QUICK).run(make_context(closed_port))
    assert result.failure is FailureReason.REFUSED
    assert result.values == {}


async def test_unknown_name_is_a_dns_failure(make_context):
    context = make_context(5201, host="no-such-host.invalid")
    result = await LatencyProbe(QUICK).run(context)
    assert result.failure is FailureReason.DNS


async def test_complete_run_does_not_wait_for_the_limit(measure_server, make_context):
    settings = LatencySettings(count=3, spacing_s=0.001, wait_s=30.0)
    async with asyncio.timeout(20):
        result = await LatencyProbe(settings).run(make_context(measure_server.port))
    assert result.values["loss_ratio"] == 0.0


async def test_ipv6_works_where_the_machine_has_it(server_token, make_context):
    from probes.measure_server import MeasureServer  # noqa: PLC0415

    if not socket.has_ipv6:
        pytest.skip("Python was built without IPv6")
    server = MeasureServer(server_token)
    try:
        await server.start("::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    async with server:
        result = await LatencyProbe(QUICK).run(make_context(server.port, host="::1"))
    assert result.values["loss_ratio"] == 0.0


async def test_the_servers_clock_gives_each_way_its_spread(
    measure_server, make_context
):
    result = await LatencyProbe(QUICK).run(make_context(measure_server.port))
    values = result.values
    whole_s = values["rtt_max_s"] - values["rtt_min_s"]
    assert 0 <= values["spread_up_s"] <= values["rtt_max_s"]
    assert 0 <= values["spread_down_s"] <= values["rtt_max_s"]
    # What one way waited more than at its best, the round trip waited too.
    assert values["spread_up_s"] + values["spread_down_s"] <= 2 * whole_s + 1e-3


async def test_a_server_without_clock_gives_no_spread(measure_against):
    result = await measure_against(lambda n, reply: [reply])
    assert result.values["loss_ratio"] == 0.0
    assert result.values["spread_up_s"] is None
    assert result.values["spread_down_s"] is None


async def test_answers_to_one_number_are_counted_apart(measure_against):
    result = await measure_against(lambda n, reply: [reply, reply])
    assert result.values["loss_ratio"] == 0.0
    # The run ends with the last number's first answer: its second may be missed.
    assert 19 <= result.values["duplicate_count"] <= 20


async def test_an_overtaken_answer_is_reordered_and_not_lost(measure_against):
    held: list[bytes] = []

    def swap(n, reply):
        held.append(reply)
        return [] if n % 2 else [held.pop(), held.pop()]

    result = await measure_against(swap)
    assert result.values["loss_ratio"] == 0.0
    assert result.values["reordered_count"] == 10


async def test_answers_that_all_come_late_are_a_timeout(measure_against):
    """All are held until the last, the first ones longer than they may."""
    settings = LatencySettings(count=8, spacing_s=0.05, wait_s=0.02)
    held: list[bytes] = []

    def hold(n, reply):
        if n < 8:
            held.append(reply)
            return []
        return held[:7]

    result = await measure_against(hold, settings)
    assert result.failure is FailureReason.TIMEOUT
    assert "7 answers" in result.detail
