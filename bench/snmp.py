"""What a collector spends on the city's access points and switches: CPU, time, memory.

    .venv/bin/python bench/snmp.py [--no-peers]

A cycle is 1,200 switches of 48 ports and 50 controllers of 100 access points with two
radios. All agents are one process of their own (``snmp_responder.py``); the collector is
this one, with the poller, the spool, the sender and a real gateway behind it.

- ``snmp_cycle_cpu_s``: 620,800 values (8 columns a port by GET, 16 a radio by GETBULK)
  by our sessions, and nothing done with them. CPU of this process.
- ``accepted_cycle_cpu_s``: a cycle of what the platforms' files ask, decoded, compared,
  spooled, sent, and accepted: CPU of this process and of the gateway.
- ``rss_mb``: the most memory this process had up to there, one collector of the city.
- ``wall_40ms_s``: such a cycle with agents that answer after 40 ms, 100 devices at once.
- ``late_p99_s``: how long after its place in a round of 30 s a living device is begun with,
  in the poller's own rhythm, such agents and one device in twenty dead; ``overdue`` counts
  turns that were missed.
- ``vs_pysnmp``, ``vs_snmp_exporter``, ``vs_snmpbulkwalk``: CPU time of those for the 620,800
  values over ours, from a sample of devices, scaled. A peer that is not here is null;
  Debian has them: ``apt-get install snmp prometheus-snmp-exporter``.

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import httpx
import msgspec
from processes import address, child, cpu_s
from snmp_city import (
    APS,
    CONTROLLERS,
    PORT_COLUMNS,
    PORTS,
    PUBLIC,
    RADIO_COLUMNS,
    RADIOS,
    REQUESTS,
    SWITCHES,
    Agents,
    agents,
)
from snmp_peers import bulkwalk_cycle, exporter_cycle, pysnmp_cycle

from collectors.base import Session, Timing
from collectors.credentials import Credentials
from collectors.platforms import load_platforms
from collectors.poll import Poller, planned_for
from collectors.schedule import offset_s
from collectors.snmp import open_session
from netmon.clock import SystemClock
from netmon.config import Secret
from netmon.garbage import collect_seldom
from netmon.ingest import new_token, token_hash
from netmon.model import (
    AccessPoint,
    Device,
    DeviceKind,
    Inventory,
)
from netmon.push import Outcome, Pusher
from netmon.spool import Spool
from netmon.storage.records import SourceKind
from netmon.storage.sqlite import SqliteStore

BUILDINGS = 178
IN_FLIGHT = 100
DELAY_S = 0.04
ROUND_S = 30.0
DEAD = 63
BATCH = 2000
TARGETS = {
    "snmp_cycle_cpu_s": 5.0,
    "accepted_cycle_cpu_s": 15.0,
    "wall_40ms_s": 30.0,
    "rss_mb": 300.0,
    "late_p99_s": 1.0,
}
VALUES = SWITCHES * PORTS * len(PORT_COLUMNS) + CONTROLLERS * APS * RADIOS * len(
    RADIO_COLUMNS
)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


# --- ours, SNMP alone -------------------------------------------------------------


async def ask_switch(session: Session) -> int:
    return sum([len(await session.get(oids)) for oids in REQUESTS])


async def ask_controller(session: Session) -> int:
    count = 0
    for column in RADIO_COLUMNS:
        rows = await session.walk(
            column, max_repetitions=40, max_rows=1000, deadline_s=30.0
        )
        count += len(rows)
    return count


async def in_flight(jobs: Iterable[Callable[[], Awaitable[int]]]) -> int:
    """Do jobs, so many at once; return the sum."""
    places = asyncio.Semaphore(IN_FLIGHT)

    async def one(job: Callable[[], Awaitable[int]]) -> int:
        async with places:
            return await job()

    return sum(await asyncio.gather(*(one(job) for job in jobs)))


def jobs_of(city: Agents) -> list[Callable[[], Awaitable[int]]]:
    """Return what asks each device of the city, sessions being open already."""

    def session(host: str) -> Session:
        return open_session(
            f"{host}:{city.port}", PUBLIC, clock=SystemClock(), timing=Timing()
        )

    jobs: list[Callable[[], Awaitable[int]]] = []
    for number in range(SWITCHES):
        link = session(city.switch(number))
        jobs.append(lambda link=link: ask_switch(link))
    for number in range(CONTROLLERS):
        link = session(city.controller(number))
        jobs.append(lambda link=link: ask_controller(link))
    return jobs


async def snmp_cycle(city: Agents) -> float:
    """Return the CPU seconds of the better of two cycles."""
    spent = []
    jobs = jobs_of(city)
    for _ in range(2):
        start_s = time.process_time()
        count = await in_flight(jobs)
        spent.append(time.process_time() - start_s)
        if count != VALUES:
            raise RuntimeError(f"{count} values instead of {VALUES}")
    return min(spent)


# --- ours, everything -------------------------------------------------------------


def town(city: Agents) -> Inventory:
    """Return the inventory of the agents; buildings need not be known."""
    devices, points = [], []
    for number in range(SWITCHES):
        address = f"{city.switch(number)}:{city.port}"
        devices.append(device(f"sw{number}", DeviceKind.SWITCH, number, address))
    for number in range(CONTROLLERS):
        address = f"{city.controller(number)}:{city.port}"
        devices.append(device(f"wc{number}", DeviceKind.CONTROLLER, number, address))
        points += [
            AccessPoint(
                id=f"wc{number}-ap{ap}",
                building_id=f"b{(number * APS + ap) % BUILDINGS}",
                name=f"AP-{ap:03d}",
                controller_id=f"wc{number}",
                serial=f"CNBENCH{ap:03d}",
            )
            for ap in range(APS)
        ]
    return Inventory(buildings=(), devices=tuple(devices), access_points=tuple(points))


def device(name: str, kind: DeviceKind, number: int, address: str) -> Device:
    building = f"b{number % BUILDINGS}"
    return Device(id=name, building_id=building, kind=kind, name=name, address=address)


def poller_on(spool: Spool, interval_s: float) -> Poller:
    return Poller(
        platforms=load_platforms(),
        credentials=Credentials("bench", {PUBLIC.name: PUBLIC}),
        spool=spool,
        clock=SystemClock(),
        wake=asyncio.Event(),
        interval_s=interval_s,
        concurrency=IN_FLIGHT,
    )


def late(moment_s: float, device_id: str) -> float:
    """Return the seconds since a device's turn; a timer may be a little early."""
    after_s = moment_s - offset_s(device_id, ROUND_S)
    return (after_s + 1) % ROUND_S - 1


class Centre:
    """A gateway process and a collector in this one."""

    def __init__(self, stack: ExitStack, folder: Path, log: IO[bytes]) -> None:
        store = SqliteStore(folder / "state.sqlite3")
        token = new_token()
        store.sources.create("bench", SourceKind.COLLECTOR, None, token_hash(token))
        store.close()
        self._gateway = child(
            stack,
            [sys.executable, "-m", "netmon", "gateway", "--port", "0"],
            log,
            NETMON_DATA=str(folder),
        )
        where = address(self._gateway)
        self._url = where if "//" in where else f"http://{where}"
        self._token = Secret(token)
        self._folder = folder
        self.values = self.requests = self.records = 0

    async def cycles(self, city: Agents) -> list[tuple[float, float]]:
        """Poll all: in full, then twice by plan; return CPU and wall seconds of each."""
        inventory = town(city)
        planned = {d.id: planned_for(inventory, d) for d in inventory.devices}
        clock = SystemClock()
        spool = Spool(self._folder / f"spool-{city.port}.sqlite3")
        poller = poller_on(spool, 60.0)

        async def poll(unit: Device) -> int:
            records = await poller.poll(unit, planned[unit.id])
            if any(record.failure for record in records):
                raise RuntimeError(f"{unit.id} failed")
            self.values += sum(
                value is not None for r in records for value in r.values.values()
            )
            await poller.stock.add(records)
            poller.wake.set()
            return len(records)

        found = []
        async with httpx.AsyncClient(timeout=60) as client:
            pusher = Pusher(
                spool, self._url, self._token, "bench", client, clock, batch_limit=BATCH
            )
            for _ in range(3):
                self.values, self.requests = 0, poller.tally.requests
                before_s, start_s = self._cpu_s(), time.monotonic()
                polled = asyncio.create_task(
                    in_flight(
                        [lambda unit=unit: poll(unit) for unit in inventory.devices]
                    )
                )
                accepted = await self._send(pusher, polled, poller.wake)
                self.records = await polled
                found.append((self._cpu_s() - before_s, time.monotonic() - start_s))
                self.requests = poller.tally.requests - self.requests
                if accepted != self.records:
                    raise RuntimeError(f"{accepted} of {self.records} accepted")
                city.next_round()
        await poller.aclose()
        spool.close()
        return found

    async def rhythm(self, city: Agents) -> tuple[float, int]:
        """Run the poller for a round; return how late the living were, and overdue turns."""
        living = town(city)
        dead = tuple(
            device(f"dead{n}", DeviceKind.SWITCH, n, f"{city.dead(n)}:{city.port}")
            for n in range(DEAD)
        )
        with Spool(self._folder / "rhythm.sqlite3", max_records=10**6) as spool:
            poller = poller_on(spool, ROUND_S)

            async def know(unit: Device) -> int:
                return len(await poller.poll(unit, planned_for(living, unit)))

            await in_flight([lambda unit=unit: know(unit) for unit in living.devices])
            stop = asyncio.Event()
            everything = msgspec.structs.replace(living, devices=living.devices + dead)
            running = asyncio.create_task(poller.run(everything, stop))
            await asyncio.sleep(ROUND_S * 1.1)
            stop.set()
            await running
            await poller.aclose()
            late_s = sorted(
                late(record.ts_ms / 1000, record.tags["device"])
                for item in spool.batch(10**6)
                if (record := item.record).kind == "device" and record.failure is None
            )
        if len(late_s) < len(living.devices):
            raise RuntimeError(f"only {len(late_s)} of the living had their turn")
        return late_s[len(late_s) * 99 // 100], poller.tally.overdue

    async def _send(
        self, pusher: Pusher, polled: asyncio.Task[int], wake: asyncio.Event
    ) -> int:
        accepted = 0
        while True:
            ended = polled.done()
            wake.clear()
            result = await pusher.push_once()
            accepted += result.accepted
            if result.outcome is Outcome.EMPTY:
                if ended:
                    return accepted
                await asyncio.wait([polled], timeout=0.2)
            elif result.outcome is not Outcome.SENT:
                raise RuntimeError(result.error)

    def _cpu_s(self) -> float:
        return time.process_time() + cpu_s(self._gateway.pid)


def rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 2)


async def run(peers: bool) -> dict[str, float | str | None]:
    """Measure everything and return the figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        log = stack.enter_context((folder / "log").open("wb"))
        city = agents(stack, log)
        centre = Centre(stack, folder, log)
        full, *usual = await centre.cycles(city)
        figures: dict[str, float | str | None] = {
            "accepted_cycle_cpu_s": rounded(min(cpu for cpu, _ in usual)),
            "accepted_cycle_wall_s": rounded(min(wall for _, wall in usual)),
            "structure_cycle_cpu_s": rounded(full[0]),
            "accepted_values": centre.values,
            "accepted_requests": centre.requests,
            "accepted_records": centre.records,
            "rss_mb": rounded(peak_mb()),
        }
        slow = agents(stack, log, DELAY_S)
        _, *usual = await centre.cycles(slow)
        figures["wall_40ms_s"] = rounded(min(wall for _, wall in usual))
        late_s, overdue = await centre.rhythm(slow)
        figures["late_p99_s"] = rounded(late_s)
        figures["overdue"] = overdue
        ours_s = await snmp_cycle(city)
        figures["snmp_cycle_cpu_s"] = rounded(ours_s)
        figures["snmp_cycle_values"] = VALUES
        if peers:
            told = {
                "pysnmp": await pysnmp_cycle(city),
                "snmp_exporter": exporter_cycle(stack, folder, city),
                "snmpbulkwalk": bulkwalk_cycle(city),
            }
            for name, spent_s in told.items():
                figures[f"{name}_cycle_cpu_s"] = rounded(spent_s)
                ratio = None if spent_s is None else spent_s / ours_s
                figures[f"vs_{name}"] = rounded(ratio)
        figures["load_average"] = rounded(os.getloadavg()[0])
    return figures


def main() -> int:
    """Run, print the figures beside their limits, and the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-peers", action="store_true")
    peers = not parser.parse_args().no_peers
    collect_seldom()
    # That the dead are dead is meant.
    logging.getLogger("collectors").setLevel(logging.ERROR)
    figures = asyncio.run(run(peers))
    for name, figure in figures.items():
        limit = TARGETS.get(name)
        told = "not here" if figure is None else f"{figure:g}"
        print(f"{name}: {told}" + (f" (at most {limit:g})" if limit else ""))
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
