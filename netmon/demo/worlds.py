"""Child processes that play the world: the lines, the devices, the other buildings.

``python -m netmon.demo.worlds lines|devices|others`` gets one JSON line on standard
input to start with, answers one, then takes commands as JSON lines until the end.
They are processes of their own so that the agents' work never slows a transfer.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from netmon.config import Secret

Handle = Callable[[dict[str, object]], None]


async def _commands(handle: Handle) -> None:
    """Take commands until standard input ends or we are told to stop."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
    try:
        while line := await reader.readline():
            handle(json.loads(line))
    except asyncio.CancelledError:
        return


async def lines(start: dict[str, object]) -> None:
    """Play the lines: a measurement server that paces each to its rate, and DNS."""
    from netmon.demo.names import NameServer
    from probes.measure_server import Limits, MeasureServer

    server = MeasureServer(
        Secret(str(start["token"])), limits=Limits(max_tests=64, max_seconds=10.0)
    )
    names = NameServer()
    await names.start()
    await server.start("127.0.0.1", 0)

    def handle(command: dict[str, object]) -> None:
        server.set_rate(
            str(command["line"]),
            float(str(command["down_bps"])),
            float(str(command["up_bps"])),
        )

    try:
        print(json.dumps({"ports": [server.port, names.port]}), flush=True)
        await _commands(handle)
    finally:
        names.stop()
        await server.stop()


async def devices(start: dict[str, object]) -> None:
    """Play the controllers, switches and routers of the live buildings."""
    from netmon.demo import city
    from netmon.demo.agents import AgentFleet, specs_for
    from netmon.demo.plan import make_plan

    wanted = start["buildings"]
    buildings = [str(b) for b in wanted] if isinstance(wanted, list) else []
    fleet = AgentFleet()
    plan = make_plan(city.load())
    addresses = await fleet.start(specs_for(plan.city, buildings))

    def handle(command: dict[str, object]) -> None:
        if "line" in command:
            fleet.set_line(str(command["line"]), broken=bool(command["broken"]))
            return
        fleet.set_ap(
            str(command["building"]), str(command["ap"]), up=bool(command["up"])
        )

    try:
        print(json.dumps({"addresses": addresses}), flush=True)
        await _commands(handle)
    finally:
        await fleet.stop()


async def others(start: dict[str, object]) -> None:
    """Play the buildings without a live probe: a year of history, then fresh values."""
    import httpx

    from netmon.clock import SystemClock
    from netmon.demo import city, generated
    from netmon.demo.plan import make_plan
    from netmon.ingest import token_hash
    from netmon.storage.sqlite import SqliteStore

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
    print(json.dumps({"records": records}), flush=True)
    async with httpx.AsyncClient(base_url=str(start["gateway"]), timeout=20) as client:
        feeder = generated.Feeder(plan.city, plan.others, client, token)
        feeding = asyncio.create_task(feeder.run(float(str(start["interval_s"]))))
        await _commands(lambda _: None)
        feeding.cancel()


WORLDS: dict[str, Callable[[dict[str, object]], Awaitable[None]]] = {
    "lines": lines,
    "devices": devices,
    "others": others,
}


async def _main(name: str) -> None:
    start = json.loads(await asyncio.to_thread(sys.stdin.readline))
    await WORLDS[name](start)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
