"""Traps and informs as real senders send them: pysnmp and Debian's net-snmp."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from pysnmp.hlapi.v3arch.asyncio import CommunityData, UsmUserData

from collectors.base import split_address
from collectors.credentials import Credential, Credentials
from collectors.platforms import load_platforms
from collectors.poll import Poller
from collectors.tally import Tally
from collectors.traps import DEVICE_BURST, TrapReceiver, plain_address
from netmon.clock import SystemClock
from netmon.config import Secret
from netmon.demo.agents import AgentFleet
from netmon.errors import ConfigError
from netmon.model import Device, DeviceKind, Inventory
from netmon.spool import Spool
from tests.collectors.trap_senders import (
    CLIENT_MAC,
    Auth,
    kommune,
    net_snmp_send,
    send,
    user,
)

AP_DOWN = "1.3.6.1.4.1.14823.2.3.1.11.1.2.1041"
V3 = Credential(
    name="secure",
    version="v3",
    user="netmon",
    auth_secret=Secret("authentic-secret"),
    priv_secret=Secret("private-secret"),
)
V2C = Credential(name="old", version="v2c", community=Secret("kommune"))


class Listening:
    """A receiver at a free port, and what it calls."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.called: list[str] = []
        self._counted = asyncio.Event()
        self.where = ""
        self.receiver = TrapReceiver(
            traps=load_platforms().traps,
            credentials=Credentials("test", {"secure": V3, "old": V2C}),
            hurry=self.called.append,
            tally=self.tally,
            clock=SystemClock(),
        )
        received = self.receiver.datagram_received

        def counted(data: bytes, addr: tuple[object, ...]) -> None:
            received(data, addr)
            self._counted.set()

        self.receiver.datagram_received = counted  # type: ignore[method-assign]

    @property
    def port(self) -> int:
        return int(self.where.rpartition(":")[2])

    async def until(self, is_so: Callable[[Tally], bool]) -> None:
        async with asyncio.timeout(20):
            while not is_so(self.tally):
                self._counted.clear()
                if not is_so(self.tally):
                    await self._counted.wait()


def device(name: str, address: str, credential: str) -> Device:
    return Device(
        id=name,
        building_id="b1",
        kind=DeviceKind.SWITCH,
        name=name,
        address=address,
        credential=credential,
    )


@pytest.fixture
async def listening() -> AsyncIterator[Listening]:
    made = Listening()
    made.where = await made.receiver.listen("127.0.0.1:0")
    made.receiver.know(
        [device("v2", "127.0.0.2:161", "old"), device("v3", "127.0.0.3", "secure")]
    )
    yield made
    await made.receiver.aclose()


@pytest.fixture
def net_snmp() -> str:
    """The folder of net-snmp's programs; they are part of what CI installs."""
    found = shutil.which("snmptrap")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("missing in CI: Debian's package snmp")
        pytest.skip("Debian's package snmp is not installed")
    return str(Path(found).parent)


V2C_ARGS = ("-v2c", "-c", "kommune")


V3_ARGS = (
    *("-v3", "-u", "netmon", "-l", "authPriv"),
    *("-a", "SHA-256", "-A", "authentic-secret", "-x", "AES", "-X", "private-secret"),
)


ENGINE_ARGS = ("-e", "0x80001f8804636f7265")


@pytest.mark.parametrize("kind", ["trap", "inform"])
@pytest.mark.parametrize(
    ("auth", "source", "who"),
    [
        (kommune, "127.0.0.2", "v2"),
        (user, "127.0.0.3", "v3"),
    ],
)
async def test_what_pysnmp_sends_calls_the_device(
    listening: Listening, auth: Auth, source: str, who: str, kind: str
) -> None:
    said = await send(listening.port, auth, source=source, kind=kind)
    await listening.until(lambda tally: bool(listening.called))
    assert said is None
    assert listening.called == [who]
    assert listening.tally == Tally(traps=1)


@pytest.mark.parametrize("inform", [False, True])
@pytest.mark.parametrize(
    ("auth", "source", "who"),
    [(V2C_ARGS, "127.0.0.2", "v2"), (V3_ARGS, "127.0.0.3", "v3")],
)
async def test_what_net_snmp_sends_calls_the_device(
    listening: Listening,
    net_snmp: str,
    auth: tuple[str, ...],
    source: str,
    who: str,
    inform: bool,
) -> None:
    if who == "v3" and not inform:
        auth = (*auth, *ENGINE_ARGS)
    code = await net_snmp_send(
        net_snmp, listening.port, *auth, source=source, inform=inform, name=AP_DOWN
    )
    await listening.until(lambda tally: bool(listening.called))
    assert code == 0
    assert set(listening.called) == {who}
    assert listening.tally.traps_refused == 0


@pytest.mark.parametrize(
    ("auth", "source"),
    [
        (lambda: CommunityData("public"), "127.0.0.2"),
        # The right word, but a version the group does not speak.
        (lambda: kommune(0), "127.0.0.2"),
        (user, "127.0.0.2"),
        (kommune, "127.0.0.3"),
        (lambda: UsmUserData("other"), "127.0.0.3"),
        # Nobody asked pysnmp to want a key.
        (lambda: UsmUserData("netmon"), "127.0.0.3"),
        (lambda: user(priv=None), "127.0.0.3"),
        (lambda: user(auth="another-secret"), "127.0.0.3"),
        (lambda: user(priv="another-secret"), "127.0.0.3"),
    ],
    ids=[
        *("community", "version 1", "v3 for v2c", "v2c for v3", "user"),
        *("no key", "not encrypted", "wrong key", "wrong cipher key"),
    ],
)
async def test_whoever_lacks_the_groups_secrets_is_refused(
    listening: Listening, auth: Auth, source: str
) -> None:
    await send(listening.port, auth, source=source)
    await listening.until(
        lambda tally: tally.traps_refused + tally.traps_unreadable > 0
    )
    assert listening.called == []
    assert listening.tally.traps_refused == 1


async def test_informs_with_a_wrong_secret_get_no_answer(
    listening: Listening, net_snmp: str
) -> None:
    code = await net_snmp_send(
        net_snmp,
        listening.port,
        "-v2c",
        "-c",
        "public",
        source="127.0.0.2",
        inform=True,
        timeout_s=1,
    )
    assert code != 0
    assert listening.called == []
    assert listening.tally.traps_refused == listening.tally.traps > 0


async def test_strangers_are_counted_and_not_read(listening: Listening) -> None:
    await send(listening.port, kommune, source="127.0.0.9")
    await listening.until(lambda tally: tally.traps > 0)
    assert listening.tally == Tally(traps=1, traps_strange=1)
    assert listening.called == []
    # No engine was made to read it.
    assert listening.receiver._engines == {}


async def test_unknown_traps_and_noise_call_nobody(listening: Listening) -> None:
    await send(
        listening.port,
        kommune,
        source="127.0.0.2",
        name="1.3.6.1.4.1.32473.0.1",
    )
    await listening.until(lambda tally: tally.traps_unknown == 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
        noise.bind(("127.0.0.2", 0))
        for octets in (b"", b"\x30", b"\x30\x80\x00", b"GET / HTTP/1.1", bytes(1400)):
            noise.sendto(octets, ("127.0.0.1", listening.port))
    await listening.until(lambda tally: tally.traps == 6)
    assert listening.tally == Tally(traps=6, traps_unknown=1, traps_unreadable=5)
    assert listening.called == []


async def test_a_storm_is_dropped_unread_and_still_calls_its_device(
    listening: Listening,
) -> None:
    count = DEVICE_BURST + 20
    await send(
        listening.port,
        kommune,
        source="127.0.0.2",
        count=count,
    )
    await listening.until(lambda tally: tally.traps == count)
    assert listening.tally.traps_limited > 0
    assert len(listening.called) == count
    # Another device is still heard.
    await send(listening.port, user, source="127.0.0.3")
    await listening.until(lambda tally: "v3" in listening.called)


async def test_a_storm_of_strangers_secrets_calls_nobody(listening: Listening) -> None:
    count = DEVICE_BURST + 20
    await send(
        listening.port,
        lambda: CommunityData("public"),
        source="127.0.0.2",
        count=count,
    )
    await listening.until(lambda tally: tally.traps == count)
    assert listening.tally.traps_limited > 0
    assert listening.called == []


async def test_a_new_inventory_decides_who_is_known(listening: Listening) -> None:
    listening.receiver.know([device("name", "localhost:161", "old")])
    await send(listening.port, kommune, source="127.0.0.2")
    await listening.until(lambda tally: tally.traps_strange == 1)


async def test_nothing_in_a_trap_is_logged(
    listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for auth in (kommune, lambda: CommunityData("nope")):
        await send(listening.port, auth, source="127.0.0.2", name=AP_DOWN)
    await listening.until(lambda tally: tally.traps == 2)
    assert listening.called == ["v2"]
    assert "v2: trap about access_point" in caplog.text
    for word in (CLIENT_MAC, CLIENT_MAC.replace(":", ""), "kommune", "nope"):
        assert word not in caplog.text


async def test_an_address_that_is_taken_is_a_problem_of_the_settings() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(ConfigError, match="traps_listen"):
            await Listening().receiver.listen(f"127.0.0.1:{other.getsockname()[1]}")


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:db8:0::1", "2001:db8::1"),
    ],
)
def test_addresses_are_compared_in_one_form(said: str, means: str) -> None:
    assert plain_address(said) == means


async def test_a_link_that_goes_down_shows_at_once(
    spool: Spool, fleet: AgentFleet, credentials: Credentials, city: Inventory
) -> None:
    """An hour between polls, and still the port is down in the spool within seconds."""
    clock = SystemClock()
    wake = asyncio.Event()
    switch = city.device_by_id["sw1"]
    city = replace(city, devices=(switch,), access_points=())
    poller = Poller(
        platforms=load_platforms(),
        credentials=credentials,
        spool=spool,
        clock=clock,
        wake=wake,
        interval_s=3600.0,
        concurrency=10,
    )
    receiver = TrapReceiver(
        traps=load_platforms().traps,
        credentials=credentials,
        hurry=poller.hurry,
        tally=poller.tally,
        clock=clock,
    )
    where = await receiver.listen("127.0.0.1:0")
    receiver.know(city.devices)
    stop = asyncio.Event()
    polling = asyncio.create_task(poller.run(city, stop))
    try:
        port = int(where.rpartition(":")[2])

        def community() -> CommunityData:
            return CommunityData("netmon-demo", mpModel=1)

        async with asyncio.timeout(30):
            source, _ = split_address(switch.address)
            await send(port, community, source=source)
            await wake.wait()
            wake.clear()
            before = _links(spool)
            fleet.set_port("sw1", next(iter(before)), oper_up=False)
            await send(port, community, source=source, count=3)
            await wake.wait()
        assert before[next(iter(before))] == 1.0
        assert _links(spool) == {**before, next(iter(before)): 0.0}
        assert poller.tally.trap_polls >= 2
    finally:
        stop.set()
        await asyncio.wait_for(polling, 30)
        await receiver.aclose()
        await poller.aclose()


def _links(spool: Spool) -> dict[str, float | None]:
    """Return which ports are up by the newest records."""
    return {
        item.record.tags["port"]: item.record.values["oper_up"]
        for item in spool.batch(1000)
        if item.record.kind == "lan_port"
    }
