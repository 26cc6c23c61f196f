"""DNS against a small real server over UDP."""

from __future__ import annotations

import asyncio

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from netmon.model import FailureReason
from probes.dns import DnsProbe, DnsSettings


class _Server(asyncio.DatagramProtocol):
    """Knows ``school.test``, fails on ``broken.test``, says nothing to ``mute``."""

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, addr):
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text()
        if name == "mute.test.":
            return
        if name == "garbled.test.":
            self._transport.sendto(data[:2] + b"\xff" * 20, addr)
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if name == "school.test.":
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.7"))
        elif name == "broken.test.":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name == "empty.test.":
            pass
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), addr)


@pytest.fixture
async def resolve(make_context):
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        _Server, local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]

    async def run(name, timeout_s=30.0):
        settings = DnsSettings(
            name=name, server="127.0.0.1", port=port, timeout_s=timeout_s
        )
        return await DnsProbe(settings).run(make_context(1))

    yield run
    transport.close()


async def test_known_name_has_a_duration(resolve):
    result = await resolve("school.test")
    assert result.failure is None
    assert set(result.values) == {"duration_s"}
    assert result.values["duration_s"] > 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere.test", FailureReason.DNS),
        ("broken.test", FailureReason.DNS),
        ("empty.test", FailureReason.DNS),
        ("mute.test", FailureReason.TIMEOUT),
        ("garbled.test", FailureReason.TIMEOUT),
    ],
)
async def test_no_answer_is_a_reason_without_number(resolve, name, reason):
    timeout_s = 0.4 if reason is FailureReason.TIMEOUT else 30.0
    result = await resolve(name, timeout_s)
    assert result.failure is reason
    assert result.values == {}
    assert result.detail
    assert "127.0.0.1" not in result.detail
