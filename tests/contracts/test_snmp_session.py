"""One suite for every driver of the device port: same data, same behaviour.

gufo-snmp and pysnmp ask a real agent on a UDP port, by v2c and by v3; the
recorded driver reads the same rows from memory.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Protocol

import pytest

from collectors.base import (
    DeadlineError,
    DeniedError,
    NoReplyError,
    ProtocolError,
    Session,
    SessionError,
    Timing,
    TooManyRowsError,
)
from collectors.credentials import Credential, Driver
from collectors.guards import GuardedSession
from collectors.recorded import RawRow, RecordedLink, parse_recording
from collectors.snmp import open_session
from netmon.clock import SystemClock
from netmon.config import Secret
from netmon.demo.agents import RecordedModel, SnmpAgent
from netmon.model import FailureReason
from tests.patience import DOGGED, HURRIED, PATIENT

RECORDING = """\
1.3.6.1.2.1.1.1.0|4|Schule mit Umlaut: Stra\u00dfe
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.14823.1.2.59
1.3.6.1.2.1.1.3.0|67|4294967295
1.3.6.1.2.1.2.2.1.2.1|4|eth0
1.3.6.1.2.1.2.2.1.2.2|4|
1.3.6.1.2.1.2.2.1.2.10|4x|ff00fe
1.3.6.1.2.1.2.2.1.10.1|65|4294967295
1.3.6.1.2.1.2.2.1.10.2|65|0
1.3.6.1.2.1.4.20.1.1.10.0.0.7|64|10.0.0.7
1.3.6.1.2.1.31.1.1.1.6.1|70|18446744073709551615
1.3.6.1.2.1.31.1.1.1.15.1|66|10000
1.3.6.1.4.1.99999.1.1|2|-94
"""
DRIVERS: tuple[Driver, ...] = ("gufo", "pysnmp")
IF_DESCR = "1.3.6.1.2.1.2.2.1.2"


def rows() -> list[RawRow]:
    return parse_recording(RECORDING.splitlines(), "test")


def v2c(driver: Driver, community: str = "public") -> Credential:
    return Credential(
        name="t", version="v2c", driver=driver, community=Secret(community)
    )


def v3(driver: Driver, auth_secret: str = "auth-secret-1") -> Credential:
    return Credential(
        name="t",
        version="v3",
        driver=driver,
        user="netmon",
        auth_protocol="sha1",
        auth_secret=Secret(auth_secret),
        priv_protocol="aes128",
        priv_secret=Secret("priv-secret-1"),
    )


@dataclass
class Peer:
    """A session, the agent behind it (None: recorded), its credential."""

    session: Session
    agent: SnmpAgent | None


class Opener(Protocol):
    """Start an agent with one credential; ask it with (perhaps) another."""

    def __call__(
        self,
        agents: Credential,
        asked: Credential | None = None,
        timing: Timing = PATIENT,
    ) -> Awaitable[Peer]: ...


@pytest.fixture
async def serve() -> AsyncIterator[Opener]:
    """Start agents; end them and their sessions afterwards."""
    started: list[Peer] = []

    async def opened(
        agents: Credential,
        asked: Credential | None = None,
        timing: Timing = PATIENT,
    ) -> Peer:
        agent = SnmpAgent(RecordedModel(rows()), agents)
        address = await agent.start()
        session = open_session(
            address, asked or agents, clock=SystemClock(), timing=timing
        )
        started.append(Peer(session, agent))
        return started[-1]

    yield opened
    for peer in started:
        await peer.session.aclose()
        if peer.agent is not None:
            await peer.agent.stop()


@pytest.fixture(params=["gufo-v2c", "gufo-v3", "pysnmp-v2c", "pysnmp-v3", "recorded"])
async def peer(request: pytest.FixtureRequest, serve: Opener) -> Peer:
    name = str(request.param)
    if name == "recorded":
        link = RecordedLink(rows())
        return Peer(GuardedSession(link, clock=SystemClock(), timing=PATIENT), None)
    driver: Driver = "gufo" if name.startswith("gufo") else "pysnmp"
    return await serve((v3 if name.endswith("v3") else v2c)(driver))


async def walk(
    session: Session, root: str, **options: float
) -> list[tuple[str, object]]:
    return list(
        await session.walk(
            root,
            max_repetitions=int(options.get("max_repetitions", 10)),
            max_rows=int(options.get("max_rows", 1000)),
            deadline_s=options.get("deadline_s", 60.0),
        )
    )


async def test_get_gives_numbers_and_bytes_as_the_device_has_them(peer: Peer) -> None:
    oids = [line.split("|")[0] for line in RECORDING.splitlines()]
    assert await peer.session.get(oids) == {
        "1.3.6.1.2.1.1.1.0": "Schule mit Umlaut: Stra\u00dfe".encode(),
        "1.3.6.1.2.1.1.2.0": b"1.3.6.1.4.1.14823.1.2.59",
        "1.3.6.1.2.1.1.3.0": 4294967295,
        "1.3.6.1.2.1.2.2.1.2.1": b"eth0",
        "1.3.6.1.2.1.2.2.1.2.2": b"",
        "1.3.6.1.2.1.2.2.1.2.10": b"\xff\x00\xfe",
        "1.3.6.1.2.1.2.2.1.10.1": 4294967295,
        "1.3.6.1.2.1.2.2.1.10.2": 0,
        "1.3.6.1.2.1.4.20.1.1.10.0.0.7": b"10.0.0.7",
        "1.3.6.1.2.1.31.1.1.1.6.1": 2**64 - 1,
        "1.3.6.1.2.1.31.1.1.1.15.1": 10000,
        "1.3.6.1.4.1.99999.1.1": -94,
    }


async def test_get_leaves_out_what_the_device_lacks(peer: Peer) -> None:
    answer = await peer.session.get(["1.3.6.1.2.1.1.99.0", "1.3.6.1.2.1.31.1.1.1.15.1"])
    assert answer == {"1.3.6.1.2.1.31.1.1.1.15.1": 10000}


async def test_get_does_not_show_the_uptime_nobody_asked_for(peer: Peer) -> None:
    assert await peer.session.get([]) == {}


async def test_get_takes_more_objects_than_fit_one_request(peer: Peer) -> None:
    oids = [f"1.3.6.1.2.1.2.2.1.2.{index}" for index in range(1, 100)]
    assert sorted(await peer.session.get(oids)) == sorted(
        [f"{IF_DESCR}.1", f"{IF_DESCR}.2", f"{IF_DESCR}.10"]
    )


@pytest.mark.parametrize("max_repetitions", [1, 2, 3, 50])
async def test_walk_gives_all_below_the_root_in_order(
    peer: Peer, max_repetitions: int
) -> None:
    assert await walk(peer.session, IF_DESCR, max_repetitions=max_repetitions) == [
        (f"{IF_DESCR}.1", b"eth0"),
        (f"{IF_DESCR}.2", b""),
        (f"{IF_DESCR}.10", b"\xff\x00\xfe"),
    ]


async def test_walk_to_the_end_of_the_device_stops(peer: Peer) -> None:
    assert await walk(peer.session, "1.3.6.1.4.1.99999") == [
        ("1.3.6.1.4.1.99999.1.1", -94)
    ]


async def test_walk_of_nothing_is_empty_and_no_error(peer: Peer) -> None:
    assert await walk(peer.session, "1.3.6.1.2.1.17") == []
    assert await walk(peer.session, "1.3.6.1.5") == []


async def test_walk_longer_than_its_limit_is_partial(peer: Peer) -> None:
    with pytest.raises(TooManyRowsError) as caught:
        await walk(peer.session, IF_DESCR, max_rows=2)
    assert caught.value.reason is FailureReason.PARTIAL
    assert len(await walk(peer.session, IF_DESCR, max_rows=3)) == 3


async def test_walk_beyond_its_deadline_is_a_timeout(peer: Peer) -> None:
    with pytest.raises(DeadlineError) as caught:
        await walk(peer.session, IF_DESCR, deadline_s=-1.0)
    assert caught.value.reason is FailureReason.TIMEOUT


@pytest.mark.parametrize("driver", DRIVERS)
async def test_wrong_community_is_no_reply(serve: Opener, driver: Driver) -> None:
    peer = await serve(v2c(driver), v2c(driver, "wrong"), HURRIED)
    with pytest.raises(NoReplyError) as caught:
        await peer.session.get(["1.3.6.1.2.1.1.1.0"])
    assert caught.value.reason is FailureReason.NO_REPLY
    assert caught.value.retry


@pytest.mark.parametrize("driver", DRIVERS)
async def test_wrong_v3_secret_is_denied(serve: Opener, driver: Driver) -> None:
    peer = await serve(v3(driver), v3(driver, "wrong-secret-1"))
    with pytest.raises(DeniedError) as caught:
        await peer.session.get(["1.3.6.1.2.1.1.1.0"])
    assert caught.value.reason is FailureReason.DENIED
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_silent_device_comes_back_in_the_same_session(
    serve: Opener, driver: Driver
) -> None:
    peer = await serve(v2c(driver), timing=DOGGED)
    assert peer.agent is not None
    peer.agent.set_silent(True)
    with pytest.raises(NoReplyError):
        await walk(peer.session, IF_DESCR)
    peer.agent.set_silent(False)
    assert len(await walk(peer.session, IF_DESCR)) == 3


@pytest.mark.parametrize("driver", DRIVERS)
async def test_an_error_status_on_get_is_an_error(
    serve: Opener, driver: Driver
) -> None:
    peer = await serve(v2c(driver))
    assert peer.agent is not None
    peer.agent.break_below("1.3.6.1.2.1.31")
    with pytest.raises(ProtocolError):
        await peer.session.get(["1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.31.1.1.1.6.1"])


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("max_repetitions", [1, 2, 20])
async def test_a_walk_that_the_device_breaks_off_is_an_error(
    serve: Opener, driver: Driver, max_repetitions: int
) -> None:
    """A table taken for whole would call everything behind the break missing."""
    peer = await serve(v2c(driver))
    assert peer.agent is not None
    peer.agent.break_below(f"{IF_DESCR}.2")
    with pytest.raises(ProtocolError):
        await walk(peer.session, IF_DESCR, max_repetitions=max_repetitions)
    peer.agent.break_below(None)
    assert len(await walk(peer.session, IF_DESCR)) == 3


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_failing_neighbour_does_not_hide_a_column(
    serve: Opener, driver: Driver
) -> None:
    """Every reply that reaches into the next column is an error."""
    peer = await serve(v2c(driver))
    assert peer.agent is not None
    peer.agent.break_below("1.3.6.1.2.1.2.2.1.10")
    assert len(await walk(peer.session, IF_DESCR, max_repetitions=20)) == 3


@pytest.mark.parametrize("driver", DRIVERS)
async def test_an_unknown_host_is_named_as_such(driver: Driver) -> None:
    session = open_session(
        "no-such-host.invalid:161", v2c(driver), clock=SystemClock(), timing=HURRIED
    )
    with pytest.raises(SessionError) as caught:
        await session.get(["1.3.6.1.2.1.1.1.0"])
    assert caught.value.reason is FailureReason.DNS
    await session.aclose()


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_closed_port_fails_within_its_retries(driver: Driver) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    session = open_session(
        f"127.0.0.1:{port}", v2c(driver), clock=SystemClock(), timing=HURRIED
    )
    with pytest.raises(SessionError) as caught:
        async with asyncio.timeout(60):
            await session.get(["1.3.6.1.2.1.1.1.0"])
    assert caught.value.reason in {FailureReason.REFUSED, FailureReason.NO_REPLY}
    await session.aclose()
