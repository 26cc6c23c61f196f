"""Child processes that play the world: the lines, the devices, the other buildings.

``python -m netmon.demo.worlds lines|devices|others`` gets one JSON line on standard
input to start with, answers one, then takes commands as JSON lines until the end.
They are processes of their own so that the agents' work never slows a transfer.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from msgspec import Struct

from netmon.config import Secret
from netmon.demo.line_traffic import Traffic
from netmon.demo.played_line import LineShape
from netmon.running import told_to_stop, until_one_ends

Handle = Callable[[bytes], None]

HOST = "127.0.0.1"
# The id of the measurement server in leases.
MEASURE_SERVER = "demo"
_LONGEST_TEST_S = 20.0


async def _commands(handle: Handle) -> None:
    """Take commands until standard input ends or we are told to stop."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    # An event, not a cancellation: that would break off what closes everything.
    await until_one_ends(told_to_stop().wait(), _handle_all(reader, handle))


async def _handle_all(reader: asyncio.StreamReader, handle: Handle) -> None:
    while line := await reader.readline():
        handle(line)


class LinesStart(Struct, kw_only=True):
    """What the lines' world is told: secrets, and the lines it plays."""

    token: str
    key: str
    community: str
    max_tests: int
    lines: tuple[LineShape, ...]


class LinesAnswer(Struct, frozen=True, kw_only=True):
    """Where the lines' world listens.

    ``leased`` is the measurement server for which slots are given out, ``own`` the
    port of each line: there an echo's line is known without a test. ``wan`` answers
    SNMP for all lines, whose ifIndex is their number from 1.
    """

    leased: int
    own: dict[str, int]
    wan: int
    dns: int


class LineCommand(Struct, kw_only=True):
    """A change of a line; None leaves as it is."""

    line: str
    down_bps: float | None = None
    up_bps: float | None = None
    traffic: Traffic | None = None


async def lines(raw: bytes) -> None:
    """Play the lines: the measurement server behind them, their routers, and DNS."""
    from netmon.clock import BERLIN, SystemClock
    from netmon.demo.names import NameServer
    from netmon.demo.played_line import PlayedLine
    from netmon.demo.wan_agent import WanAgent
    from probes.lease_token import LeaseGate
    from probes.measure_server import Limits, MeasureServer

    start = msgspec.json.decode(raw, type=LinesStart)
    local = SystemClock().now().astimezone(BERLIN)
    day_s = 3600.0 * local.hour + 60.0 * local.minute + local.second
    played = {shape.id: PlayedLine(shape, day_s=day_s) for shape in start.lines}
    token = Secret(start.token)
    leased = MeasureServer(
        token,
        limits=Limits(max_tests=start.max_tests, max_seconds=_LONGEST_TEST_S),
        lines=played,
        leases=LeaseGate(Secret(start.key), MEASURE_SERVER),
    )
    own = {
        line_id: MeasureServer(
            token, lines={line_id: line}, echo_line=lambda *_, line=line: line
        )
        for line_id, line in played.items()
    }
    routers = WanAgent(
        {
            index: line.counters
            for index, line in enumerate(played.values(), 1)
            if line.shape.refresh_s is not None
        },
        Secret(start.community),
    )
    names = NameServer()

    def handle(raw: bytes) -> None:
        command = msgspec.json.decode(raw, type=LineCommand)
        line = played[command.line]
        if command.down_bps is not None and command.up_bps is not None:
            line.set_rate(command.down_bps, command.up_bps)
        if command.traffic is not None:
            line.set_traffic(command.traffic)

    async with AsyncExitStack() as stack:
        for server in (leased, *own.values()):
            await server.start(HOST, 0)
            stack.push_async_callback(server.stop)
        for each in (names, routers):
            await each.start()
            stack.callback(each.stop)
        _say(
            LinesAnswer(
                leased=leased.port,
                own={line_id: server.port for line_id, server in own.items()},
                wan=routers.port,
                dns=names.port,
            )
        )
        await _commands(handle)


async def devices(raw: bytes) -> None:
    """Play the controllers, switches and routers of the live buildings."""
    from collectors.base import split_address
    from netmon.demo import city
    from netmon.demo.agents import AgentFleet, specs_for
    from netmon.demo.faults import ApFault
    from netmon.demo.plan import make_plan

    start = json.loads(raw)
    buildings = [str(building) for building in start["buildings"]]
    host, port = split_address(start["traps_to"])
    fleet = AgentFleet(traps_to=(host, port))
    plan = make_plan(city.load())
    addresses = await fleet.start(specs_for(plan.city, buildings))

    def handle(raw: bytes) -> None:
        command = json.loads(raw)
        if "line" in command:
            fleet.set_line(str(command["line"]), broken=bool(command["broken"]))
            return
        fault = ApFault(command["fault"]) if command["fault"] else None
        fleet.break_ap(str(command["building"]), str(command["ap"]), fault)

    try:
        _say({"addresses": addresses})
        await _commands(handle)
    finally:
        await fleet.stop()


async def others(raw: bytes) -> None:
    """Play the buildings without a live probe: a year of history, then fresh values.

    Raises:
        RuntimeError: the token is nobody's in the store.
    """
    import httpx

    from netmon.clock import SystemClock
    from netmon.demo import city, generated
    from netmon.demo.plan import make_plan
    from netmon.ingest import token_hash
    from netmon.storage.sqlite import SqliteStore

    start = json.loads(raw)
    plan = make_plan(city.load())
    token = Secret(str(start["token"]))
    store = SqliteStore(Path(str(start["state"])))
    try:
        source = store.sources.by_token(token_hash(token.reveal()))
        if source is None:
            raise RuntimeError("the sender of generated values is not in the store")
        batches = generated.history(plan.city, plan.others, source, SystemClock().now())
        records = generated.write_history(store.measurements, batches)
    finally:
        store.close()
    _say({"records": records})
    async with httpx.AsyncClient(base_url=str(start["gateway"]), timeout=20) as client:
        feeder = generated.Feeder(plan.city, plan.others, client, token)
        feeding = asyncio.create_task(feeder.run(float(str(start["interval_s"]))))
        await _commands(lambda _: None)
        feeding.cancel()


def _say(answer: object) -> None:
    print(msgspec.json.encode(answer).decode(), flush=True)


WORLDS: dict[str, Callable[[bytes], Awaitable[None]]] = {
    "lines": lines,
    "devices": devices,
    "others": others,
}


async def _main(name: str) -> None:
    start = await asyncio.to_thread(sys.stdin.readline)
    await WORLDS[name](start.encode())


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
