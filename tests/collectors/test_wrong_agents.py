"""Agents that do it wrong, each over real UDP: an error or patience, never a hang.

The cases are those at which one SNMP library or another was seen to loop for
ever or to take an error for an empty answer; run them at every upgrade.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, cast

import pytest

from collectors.base import (
    NoReplyError,
    ProtocolError,
    Session,
    SessionError,
    Timing,
    TooManyRowsError,
)
from collectors.credentials import Credential, Driver
from collectors.snmp import open_session
from netmon.clock import SystemClock
from netmon.config import Secret
from tests.patience import DOGGED, HURRIED, PATIENT

DRIVERS: tuple[Driver, ...] = ("gufo", "pysnmp")
IF_DESCR = "1.3.6.1.2.1.2.2.1.2"


def v2c(driver: Driver) -> Credential:
    return Credential(
        name="t", version="v2c", driver=driver, community=Secret("public")
    )


async def walk(
    session: Session, root: str, *, max_repetitions: int = 10, max_rows: int = 1000
) -> list[tuple[str, object]]:
    return list(
        await session.walk(
            root, max_repetitions=max_repetitions, max_rows=max_rows, deadline_s=60.0
        )
    )


def ber(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes(2, "big")
    return bytes([tag, 0x82]) + size + body


def ber_oid(oid: str) -> bytes:
    numbers = [int(part) for part in oid.split(".")]
    body = bytearray([numbers[0] * 40 + numbers[1]])
    for number in numbers[2:]:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(0x80 | number & 0x7F)
        body += bytes(reversed(digits))
    return ber(6, bytes(body))


def request_id(datagram: bytes) -> bytes:
    """Cut the request id out of a v2c request with the community ``public``."""
    start = datagram.index(b"public") + 6
    length = datagram[start + 1]
    body = start + 2 + (length & 0x7F if length & 0x80 else 0)
    return datagram[body : body + 2 + datagram[body + 1]]


def reply(
    datagram: bytes,
    bindings: list[bytes],
    status: int = 0,
    *,
    community: bytes = b"public",
    wanted: bytes | None = None,
) -> bytes:
    pdu = ber(
        0xA2,
        wanted or request_id(datagram),
        ber(2, bytes([status])),
        ber(2, b"\0"),
        ber(0x30, *bindings),
    )
    return ber(0x30, ber(2, b"\1"), ber(4, community), pdu)


def binding(oid: str, text: bytes = b"x", tag: int = 4) -> bytes:
    return ber(0x30, ber_oid(oid), ber(tag, text))


SYS_DESCR = "1.3.6.1.2.1.1.1.0"
UP = binding("1.3.6.1.2.1.1.3.0", b"\1", 0x43)
FINE = [UP, binding(SYS_DESCR, b"ok")]


class WrongAgent(asyncio.DatagramProtocol):
    """Answers every request with what it is told to, right or not."""

    def __init__(self, answer: Callable[[bytes, int], list[bytes]]) -> None:
        self._answer = answer
        self.requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        self.requests += 1
        for datagram in self._answer(data, self.requests):
            self._transport.sendto(datagram, addr)


class Wrong(Protocol):
    """Start an agent that answers so, and a session to it."""

    def __call__(
        self,
        driver: Driver,
        answer: Callable[[bytes, int], list[bytes]],
        timing: Timing = PATIENT,
    ) -> Awaitable[tuple[Session, WrongAgent]]: ...


@pytest.fixture
async def wrong_agent() -> AsyncIterator[Wrong]:
    sessions: list[Session] = []
    transports: list[asyncio.BaseTransport] = []

    async def opened(
        driver: Driver,
        answer: Callable[[bytes, int], list[bytes]],
        timing: Timing = PATIENT,
    ) -> tuple[Session, WrongAgent]:
        transport, agent = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: WrongAgent(answer), local_addr=("127.0.0.1", 0)
        )
        transports.append(transport)
        port = transport.get_extra_info("sockname")[1]
        session = open_session(
            f"127.0.0.1:{port}", v2c(driver), clock=SystemClock(), timing=timing
        )
        sessions.append(session)
        return session, agent

    yield opened
    for session in sessions:
        await session.aclose()
    for transport in transports:
        transport.close()
    await asyncio.sleep(0)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("indexes", [[1, 1, 1], [3, 2, 1]], ids=["same", "backwards"])
async def test_an_endless_walk_is_an_error_and_no_hang(
    wrong_agent: Wrong, driver: Driver, indexes: list[int]
) -> None:
    def answer(data: bytes, _: int) -> list[bytes]:
        return [reply(data, [binding(f"{IF_DESCR}.{i}") for i in indexes])]

    session, agent = await wrong_agent(driver, answer)
    with pytest.raises(ProtocolError, match=r"do not increase|OID"):
        async with asyncio.timeout(60):
            await walk(session, IF_DESCR)
    assert agent.requests < 10


@pytest.mark.parametrize("driver", DRIVERS)
async def test_an_endless_row_of_new_objects_meets_the_row_limit(
    wrong_agent: Wrong, driver: Driver
) -> None:
    def answer(data: bytes, count: int) -> list[bytes]:
        first = count * 10
        return [reply(data, [binding(f"{IF_DESCR}.{first + i}") for i in range(10)])]

    session, _ = await wrong_agent(driver, answer)
    with pytest.raises(TooManyRowsError):
        async with asyncio.timeout(60):
            await walk(session, IF_DESCR, max_rows=500)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("status", [1, 5], ids=["tooBig", "genErr"])
async def test_an_empty_answer_with_an_error_status_is_an_error(
    wrong_agent: Wrong, driver: Driver, status: int
) -> None:
    session, _ = await wrong_agent(driver, lambda data, _: [reply(data, [], status)])
    with pytest.raises(ProtocolError):
        await session.get(["1.3.6.1.2.1.1.1.0"])


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_device_that_takes_only_small_requests_is_asked_in_parts(
    wrong_agent: Wrong, driver: Driver
) -> None:
    oids = [f"{IF_DESCR}.{index}" for index in range(1, 9)]
    uptime = "1.3.6.1.2.1.1.3.0"

    def answer(data: bytes, _: int) -> list[bytes]:
        asked = [oid for oid in (uptime, *oids) if ber_oid(oid) in data]
        if len(asked) > 3:
            return [reply(data, [], 1)]
        return [reply(data, [binding(oid) for oid in asked])]

    session, _ = await wrong_agent(driver, answer)
    assert await session.get(oids) == dict.fromkeys(oids, b"x")


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_foreign_datagram_before_the_answer_does_no_harm(
    wrong_agent: Wrong, driver: Driver
) -> None:
    def answer(data: bytes, count: int) -> list[bytes]:
        rows = [binding("1.3.6.1.2.1.1.3.0"), binding("1.3.6.1.2.1.1.1.0", b"ok")]
        foreign = [b"\x00garbage"] if count == 1 else []
        return [*foreign, reply(data, rows)]

    session, _ = await wrong_agent(driver, answer)
    assert await session.get(["1.3.6.1.2.1.1.1.0"]) == {"1.3.6.1.2.1.1.1.0": b"ok"}


@pytest.mark.parametrize("driver", DRIVERS)
async def test_replies_too_long_for_the_driver_are_asked_for_in_shorter_ones(
    wrong_agent: Wrong, driver: Driver
) -> None:
    """A reply of over 4,080 bytes is more than gufo-snmp 0.13 can read."""
    total = 40

    def answer(data: bytes, _: int) -> list[bytes]:
        repetitions = data[data.index(request_id(data)) + len(request_id(data)) + 5]
        after = next(
            (i for i in range(total, 0, -1) if ber_oid(f"{IF_DESCR}.{i}") in data), 0
        )
        numbers = range(after + 1, min(after + repetitions, total) + 1)
        found = [binding(f"{IF_DESCR}.{i}", b"y" * 200) for i in numbers]
        return [reply(data, found or [binding("1.3.6.1.2.1.2.2.1.3.1")])]

    session, _ = await wrong_agent(driver, answer)
    found = await walk(session, IF_DESCR, max_repetitions=40)
    assert [oid for oid, _ in found] == [f"{IF_DESCR}.{i}" for i in range(1, 41)]


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_lost_datagram_in_a_walk_is_asked_for_again(
    wrong_agent: Wrong, driver: Driver
) -> None:
    total = 9

    def answer(data: bytes, count: int) -> list[bytes]:
        if count % 2 == 0:
            return []
        after = next(
            (i for i in range(total, 0, -1) if ber_oid(f"{IF_DESCR}.{i}") in data), 0
        )
        numbers = range(after + 1, min(after + 3, total) + 1)
        found = [binding(f"{IF_DESCR}.{i}") for i in numbers]
        return [reply(data, found or [binding("1.3.6.1.2.1.2.2.1.3.1")])]

    session, _ = await wrong_agent(driver, answer, DOGGED)
    found = await walk(session, IF_DESCR, max_repetitions=3)
    assert [oid for oid, _ in found] == [f"{IF_DESCR}.{i}" for i in range(1, 10)]


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_long_reply_to_a_get_is_asked_for_in_parts(
    wrong_agent: Wrong, driver: Driver
) -> None:
    oids = [f"{IF_DESCR}.{index}" for index in range(1, 41)]

    def answer(data: bytes, _: int) -> list[bytes]:
        asked = [oid for oid in oids if ber_oid(oid) in data]
        return [reply(data, [UP, *(binding(oid, b"y" * 200) for oid in asked)])]

    session, _ = await wrong_agent(driver, answer)
    # One name lies within another: "...2.1" is the begin of "...2.1x".
    assert (await session.get(oids)).keys() == set(oids)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_truncated_reply_is_asked_for_again(
    wrong_agent: Wrong, driver: Driver
) -> None:
    def answer(data: bytes, count: int) -> list[bytes]:
        whole = reply(data, FINE)
        return [whole[:-4] if count == 1 else whole]

    session, agent = await wrong_agent(driver, answer, DOGGED)
    assert await session.get([SYS_DESCR]) == {SYS_DESCR: b"ok"}
    assert agent.requests >= 2


@pytest.mark.parametrize("driver", DRIVERS)
async def test_replies_that_are_always_truncated_are_an_error(
    wrong_agent: Wrong, driver: Driver
) -> None:
    session, agent = await wrong_agent(
        driver, lambda data, _: [reply(data, FINE)[:-4]], HURRIED
    )
    with pytest.raises(SessionError):
        await session.get([SYS_DESCR])
    assert agent.requests <= 3


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_reply_to_another_question_is_not_taken(
    wrong_agent: Wrong, driver: Driver
) -> None:
    """It may be the late answer to the question before."""

    def answer(data: bytes, _: int) -> list[bytes]:
        late = reply(data, [UP, binding(SYS_DESCR, b"late")], wanted=ber(2, b"\x11"))
        return [late, reply(data, FINE)]

    session, _ = await wrong_agent(driver, answer)
    assert await session.get([SYS_DESCR]) == {SYS_DESCR: b"ok"}


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_reply_with_another_community_is_none(
    wrong_agent: Wrong, driver: Driver
) -> None:
    session, _ = await wrong_agent(
        driver, lambda data, _: [reply(data, FINE, community=b"secret")], HURRIED
    )
    with pytest.raises(SessionError):
        await session.get([SYS_DESCR])


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"], ids=["port", "host"])
async def test_a_reply_from_elsewhere_is_none(driver: Driver, host: str) -> None:
    """Neither driver takes a device's own other address, nor anybody else's."""
    with socket.socket(type=socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind((host, 0))

        class Agent(WrongAgent):
            def datagram_received(
                self, data: bytes, addr: tuple[str | int, int]
            ) -> None:
                elsewhere.sendto(reply(data, FINE), addr)
                self.requests += 1

        transport, agent = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Agent(lambda data, _: []), local_addr=("127.0.0.1", 0)
        )
        address = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
        session = open_session(
            address, v2c(driver), clock=SystemClock(), timing=HURRIED
        )
        with pytest.raises(NoReplyError):
            await session.get([SYS_DESCR])
        assert agent.requests
        await session.aclose()
        transport.close()


@pytest.mark.parametrize("driver", DRIVERS)
async def test_no_row_at_all_is_no_empty_table(
    wrong_agent: Wrong, driver: Driver
) -> None:
    """A table taken for empty would call everything in it missing."""
    session, _ = await wrong_agent(driver, lambda data, _: [reply(data, [])])
    with pytest.raises(ProtocolError):
        async with asyncio.timeout(60):
            await walk(session, IF_DESCR)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_what_is_missing_does_not_cost_what_is_there(
    wrong_agent: Wrong, driver: Driver
) -> None:
    no_such_instance = ber(0x30, ber_oid(f"{IF_DESCR}.9"), b"\x81\0")
    session, _ = await wrong_agent(
        driver, lambda data, _: [reply(data, [*FINE, no_such_instance])]
    )
    assert await session.get([SYS_DESCR, f"{IF_DESCR}.9"]) == {SYS_DESCR: b"ok"}


# Numbers as agents should not send them: what each driver makes of them, None for an
# error.
ODD_NUMBERS = {
    "Counter32 of ones, no leading 0": (0x41, b"\xff" * 4, 2**32 - 1, None),
    "Counter64 of ones, no leading 0": (0x46, b"\xff" * 8, 2**64 - 1, None),
    "TimeTicks with the top bit set": (0x43, b"\x80\0\0\0", 2**31, None),
    "INTEGER of eight octets": (2, b"\x01" + b"\0" * 7, 2**56, None),
    # gufo-snmp keeps the last 32 bits: 5 here. A speed of 0 counts as not told.
    "Gauge32 over 2^32": (0x42, b"\x01\0\0\0\5", 5, None),
    "Gauge32 of no length": (0x42, b"", 0, 0),
    "IpAddress of no length": (0x40, b"", None, None),
    "Counter64 in its usual form": (0x46, b"\0" + b"\xff" * 8, 2**64 - 1, 2**64 - 1),
}


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("odd", ODD_NUMBERS)
async def test_odd_numbers(wrong_agent: Wrong, driver: Driver, odd: str) -> None:
    tag, body, by_gufo, by_pysnmp = ODD_NUMBERS[odd]
    wanted = by_gufo if driver == "gufo" else by_pysnmp
    session, _ = await wrong_agent(
        driver,
        lambda data, _: [reply(data, [UP, binding(SYS_DESCR, body, tag)])],
        HURRIED if wanted is None else PATIENT,
    )
    if wanted is None:
        with pytest.raises(SessionError):
            await session.get([SYS_DESCR])
    else:
        assert await session.get([SYS_DESCR]) == {SYS_DESCR: wanted}
