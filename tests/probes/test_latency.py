"""Latency against the real echo and against peers that lose or twist datagrams."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from netmon.model import FailureReason
from probes.latency import LatencyProbe, LatencySettings, summarise
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
    async with asyncio.timeout(5):
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


def test_summary_of_known_round_trips():
    values = summarise({0: 0.010, 1: 0.014, 2: 0.011, 4: 0.030}, sent=5)
    assert values == {
        "rtt_s": pytest.approx(0.0125),
        "rtt_min_s": 0.010,
        "rtt_max_s": 0.030,
        # 0-1 and 1-2 are neighbours, 2-4 are not.
        "jitter_s": pytest.approx((0.004 + 0.003) / 2),
        "loss_ratio": pytest.approx(0.2),
    }


def test_without_neighbours_there_is_no_jitter():
    assert summarise({1: 0.01, 3: 0.02}, sent=4)["jitter_s"] is None


def test_summary_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no round trip"):
        summarise({}, sent=5)
