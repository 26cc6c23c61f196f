"""How long the server works on the page of a large building, and on its charts.

The building has 60 access points of two radios each, 8 switches of 48 ports, a
year of history by the hour and a day by the minute. Prints JSON; times are the
95th percentile in milliseconds, sizes in bytes before compression.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from math import sin
from pathlib import Path
from statistics import median

import httpx

from dashboards.app import create_app
from dashboards.history import Span
from dashboards.plots import PlotName
from netmon.clock import ManualClock, to_ms
from netmon.config import Settings
from netmon.garbage import collect_seldom
from netmon.inventory import content_hash, encode
from netmon.login_settings import LoginSettings
from netmon.metrics import KINDS
from netmon.model import (
    AccessPoint,
    Building,
    Coverage,
    Device,
    DeviceKind,
    Inventory,
    Line,
    LineRole,
    Room,
    SchoolType,
    Socket,
    Technology,
)
from netmon.storage.records import CheckedBatch, CheckedSeries, SourceKind
from netmon.storage.sqlite import SqliteStore
from netmon.units import MBIT

NOW = datetime(2026, 11, 20, 10, 12, tzinfo=UTC)
BUILDING, LINE = "gs-01", "gs-01-main"
ACCESS_POINTS, SWITCHES, PORTS, ROOMS = 60, 8, 48, 60
HOUR_S, DAY_S = 3600, 86_400
Records = Sequence[tuple[float, Mapping[str, float]]]


def inventory() -> Inventory:
    """Return the one building."""
    rooms = tuple(
        Room(
            id=f"r{n}",
            building_id=BUILDING,
            name=f"Raum {n // 20}.{n % 20:02}",
            floor=("EG", "1. OG", "2. OG")[n // 20],
            teaching=n % 5 != 0,
        )
        for n in range(ROOMS)
    )
    switches = tuple(
        Device(
            id=f"sw-{n}",
            building_id=BUILDING,
            kind=DeviceKind.SWITCH,
            name=f"Switch {n}",
            address=f"127.0.0.1:{2000 + n}",
            ports=PORTS,
        )
        for n in range(SWITCHES)
    )
    controller = Device(
        id="wlc",
        building_id=None,
        kind=DeviceKind.CONTROLLER,
        name="Controller",
        address="127.0.0.1:1999",
    )
    return Inventory(
        buildings=(
            Building(
                id=BUILDING,
                name="Große Schule",
                school_type=SchoolType.GRUNDSCHULE,
                street="Dollersweg 14",
                postcode="44319",
                city="Dortmund",
                campus_district="Asseln",
                city_district="Brackel",
                latitude_deg=51.53,
                longitude_deg=7.62,
                lan=Coverage.FULL,
                wlan=Coverage.FULL,
            ),
        ),
        lines=(
            Line(
                id=LINE,
                building_id=BUILDING,
                role=LineRole.MAIN,
                technology=Technology.FIBRE,
                contracted_down_bps=250 * MBIT,
                contracted_up_bps=50 * MBIT,
                provider="DOKOM21",
            ),
        ),
        devices=(*switches, controller),
        access_points=tuple(
            AccessPoint(
                id=f"ap-{n}",
                building_id=BUILDING,
                name=f"AP {n:02}",
                controller_id="wlc",
                room_id=f"r{n % ROOMS}",
                switch_id=f"sw-{n % SWITCHES}",
                switch_port=str(n // SWITCHES + 1),
            )
            for n in range(ACCESS_POINTS)
        ),
        rooms=rooms,
        sockets=tuple(
            Socket(
                room_id=f"r{n % ROOMS}",
                name=f"D{n}",
                switch_id=f"sw-{n % SWITCHES}",
                switch_port=str(n // SWITCHES + 10),
            )
            for n in range(ROOMS * 4)
        ),
    )


def series() -> Iterator[tuple[str, Mapping[str, str], Mapping[str, str], Records]]:
    """Yield kind, tags, info and (age in s, numbers) of everything measured."""
    by_hour = [*range(60, 370 * DAY_S, HOUR_S)]
    by_minute = [*range(30, DAY_S, 60)]
    line = {"line": LINE}
    how = line | {"method": "tcp-adaptive/2", "direction": "down", "basis": "router"}
    yield (
        "throughput",
        how,
        {},
        [
            (
                age_s,
                {
                    "rate_down_bps": 200e6 + 4e7 * sin(age_s),
                    "rtt_idle_s": 0.011,
                    "rtt_loaded_s": 0.08,
                },
            )
            for age_s in by_hour
        ],
    )
    yield (
        "throughput",
        how | {"direction": "up"},
        {},
        [(age_s, {"rate_up_bps": 40e6 + 5e6 * sin(age_s)}) for age_s in by_hour],
    )
    echo = {"rtt_s": 0.0123, "jitter_s": 0.0017, "loss_ratio": 0.001}
    for ages_s in (by_hour, by_minute):
        yield ("latency", line, {}, [(age_s, echo) for age_s in ages_s])
    yield (
        "line_optics",
        line | {"device": "sw-0", "port": "49"},
        {},
        [(age_s, {"rx_dbm": -12.0 + sin(age_s), "tx_dbm": -3.0}) for age_s in by_hour],
    )
    for n in range(ACCESS_POINTS):
        ap = {"device": "wlc", "ap": f"ap-{n}"}
        yield (
            "wlan_ap",
            ap,
            {"name": f"AP {n:02}", "model": "AP-515"},
            [(60, {"up": 1.0, "clients_count": 12.0})],
        )
        for radio, band, channel in (("0", 5e9, 36.0), ("1", 2.4e9, 6.0)):
            numbers = {
                "up": 1.0,
                "band_hz": band,
                "channel": channel,
                "width_hz": 40e6,
                "clients_count": 6.0,
                "utilisation_ratio": 0.23,
                "retries_ratio": 0.08,
                "noise_dbm": -94.0,
                "tx_power_dbm": 17.0,
            }
            yield ("wlan_radio", ap | {"radio": radio}, {}, [(60, numbers)])
    for switch in range(SWITCHES):
        for port in range(1, PORTS + 1):
            n = (port - 1) * SWITCHES + switch
            info = {"name": f"{port}", "neighbour": f"AP {n:02}" if n < 60 else ""}
            numbers = {
                "oper_up": float(port % 3 != 0),
                "admin_up": 1.0,
                "speed_bps": 1e9,
                "poe_on": 1.0,
                "poe_w": 8.5,
                "in_octets_total": 1e9,
                "out_octets_total": 1e9,
                "in_errors_total": 0.0,
                "out_errors_total": 0.0,
                "in_rate_bps": 1e6,
                "out_rate_bps": 2e6,
                "oper_changes_total": 2.0,
            }
            tags = {"device": f"sw-{switch}", "port": str(port)}
            yield ("lan_port", tags, info, [(60, numbers)])
        yield ("device", {"device": f"sw-{switch}"}, {}, [(60, {"up": 1.0})])


def fill(store: SqliteStore, now_ms: int) -> None:
    """Write the building and everything measured in it."""
    known = inventory()
    store.inventories.save(content_hash(known), encode(known), now_ms)
    source = store.sources.create("sammler", SourceKind.COLLECTOR, None, "hash")
    numbers = count(1)
    checked = [
        _checked(kind, tags, info, part, numbers, now_ms)
        for kind, tags, info, records in series()
        for part in _pushed(records)
    ]
    batches = [
        CheckedBatch(
            source=source,
            spool="0" * 32,
            received_ms=now_ms,
            sent_ms=now_ms,
            agent="netmon",
            series=[one],
            quarantined=[],
        )
        for one in checked
    ]
    store.measurements.write(batches)


def _pushed(records: Records) -> Iterator[Records]:
    """Yield records as they arrive: those of today one by one."""
    today = [record for record in records if record[0] < DAY_S]
    yield from ([record] for record in today)
    older = records[len(today) :]
    yield from (older[n : n + 24] for n in range(0, len(older), 24))


def _checked(
    kind: str,
    tags: Mapping[str, str],
    info: Mapping[str, str],
    records: Records,
    numbers: Iterator[int],
    now_ms: int,
) -> CheckedSeries:
    return CheckedSeries(
        kind=kind,
        building_id=BUILDING,
        tags={"building": BUILDING, **tags},
        seq=list(islice(numbers, len(records))),
        ts=[now_ms - round(age_s * 1000) for age_s, _ in records],
        values={
            name: [values[name] for _, values in records] for name in records[0][1]
        },
        failure=None,
        info=dict(info),
        keep_rollups=KINDS[kind].keep_rollups,
    )


@dataclass
class Taken:
    """Times of an answer in milliseconds, by the wall and of the processor."""

    wall_ms: list[float]
    cpu_ms: list[float]
    answer: httpx.Response


async def taken(client: httpx.AsyncClient, path: str, runs: int) -> Taken:
    """Return how long an answer takes, again and again."""
    answer = await client.get(path)
    answer.raise_for_status()
    found = Taken([], [], answer)
    for _ in range(runs):
        began, cpu = time.perf_counter(), time.process_time()
        await client.get(path)
        found.wall_ms.append((time.perf_counter() - began) * 1000)
        found.cpu_ms.append((time.process_time() - cpu) * 1000)
    return found


def p95(times: Sequence[float]) -> float:
    """Return the 95th percentile, to a tenth."""
    return round(sorted(times)[min(len(times) - 1, int(len(times) * 0.95))], 1)


def profiled(work: Callable[[], object]) -> None:
    """Run something and print where its time went."""
    profile = cProfile.Profile()
    profile.runcall(work)
    pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


async def measure(store: SqliteStore, clock: ManualClock, runs: int) -> None:
    """Print the times as JSON."""
    app = create_app(Settings(login=LoginSettings(required=False)), store, clock)
    found: dict[str, float] = {}
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://bench"
        ) as client:
            for span in Span:
                page = await taken(client, f"/gebaeude/{BUILDING}?span={span}", runs)
                found[f"building_{span}_p95_ms"] = p95(page.wall_ms)
                found[f"building_{span}_cpu_p95_ms"] = p95(page.cpu_ms)
                found[f"building_{span}_cpu_median_ms"] = round(median(page.cpu_ms), 1)
                found[f"building_{span}_bytes"] = len(page.answer.content)
                paths = [
                    f"/api/v1/buildings/{BUILDING}/history/{plot}?span={span}"
                    for plot in PlotName
                ]
                plots = [await taken(client, path, runs // 4) for path in paths]
                found[f"plot_{span}_cpu_p95_ms"] = max(p95(x.cpu_ms) for x in plots)
                found[f"plot_{span}_bytes"] = max(len(x.answer.content) for x in plots)
    print(json.dumps(found, indent=2))


def main() -> None:
    """Fill a store in a temporary folder and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    asked = parser.parse_args()
    collect_seldom()  # as the gateway does
    clock = ManualClock(NOW)
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "state.sqlite3")
        fill(store, to_ms(clock.now()))
        if asked.profile:
            from dashboards.app import create_app
            from dashboards.routes.pages import _building

            app = create_app(
                Settings(login=LoginSettings(required=False)), store, clock
            )
            site = app.state.site
            _building(site, BUILDING, Span.DAY)
            profiled(lambda: [_building(site, BUILDING, Span.DAY) for _ in range(10)])
        else:
            asyncio.run(measure(store, clock, asked.runs))
        store.close()


if __name__ == "__main__":
    main()
