"""How long the status site takes for a page, with the whole city in SQLite.

A store of 178 buildings, 7,000 access points and a year of results; one gateway
process on loopback; pages are asked one after the other as a browser does (gzip,
one connection), the clock runs from the question to the last byte of the answer.
The annual export is the command itself, from its start to its end. ``..._cpu_ms`` is
what the gateway's process computed for a page: on a busy machine the other times
say more about the others.
The last line printed is one JSON object; ``--check`` exits with 1 when a page takes
longer than its ceiling.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from pages_store import fill
from processes import cpu_s

from netmon.clock import SystemClock

CEILINGS = {"overview_p95_ms": 100.0, "building_p95_ms": 50.0}
WARM_UP = 5


@contextmanager
def gateway(folder: Path) -> Iterator[tuple[str, int]]:
    """Run one gateway on a free port; gives its address and process."""
    settings = folder / "netmon.toml"
    settings.write_text("[login]\nrequired = false\n", encoding="utf-8")
    with (
        socket.create_server(("127.0.0.1", 0), backlog=128) as server,
        (folder / "gateway.log").open("w") as log,
    ):
        number = server.fileno()
        running = subprocess.Popen(
            [
                *(sys.executable, "-m", "netmon", "gateway", "--fd", str(number)),
                *("--config", str(settings)),
            ],
            stderr=log,
            stdout=subprocess.DEVNULL,
            pass_fds=(number,),
            env={**os.environ, "NETMON_DATA": str(folder)},
        )
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", running.pid
        finally:
            running.terminate()
            running.wait(20)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def time_pages(
    client: httpx.Client, path: Callable[[int], str], count: int
) -> list[float]:
    """Ask for pages one after the other; return the milliseconds of each."""
    times_ms = []
    for number in range(-WARM_UP, count):
        begun = time.perf_counter()
        answer = client.get(path(number))
        took_ms = (time.perf_counter() - begun) * 1000
        answer.raise_for_status()
        if number >= 0:
            times_ms.append(took_ms)
    return times_ms


def time_export(folder: Path, year: int) -> float:
    """Return the seconds that the annual export takes."""
    begun = time.perf_counter()
    subprocess.run(
        [
            *(sys.executable, "-m", "netmon", "report", "annual"),
            *("--year", str(year), "--out", str(folder / "report")),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "NETMON_DATA": str(folder)},
    )
    return time.perf_counter() - begun


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Fill the store, ask for the pages, export a year; return the figures."""
    with tempfile.TemporaryDirectory(prefix="netmon-bench-") as name:
        folder = Path(name)
        now = SystemClock().now()
        print("filling the store", flush=True)
        inventory = fill(folder / "state.sqlite3", now)
        ids = [building.id for building in inventory.buildings]
        pages: dict[str, Callable[[int], str]] = {
            "overview": lambda _: "/",
            "csv": lambda _: "/gebaeude.csv",
            "building": lambda n: f"/gebaeude/{ids[n % len(ids)]}",
            "incidents": lambda _: "/stoerungen",
        }
        figures: dict[str, object] = {
            "bench": "pages",
            "buildings": len(ids),
            "access_points": len(inventory.access_points),
            "load": round(os.getloadavg()[0], 1),
        }
        with (
            gateway(folder) as (url, pid),
            httpx.Client(base_url=url, timeout=60) as client,
        ):
            for page, path in pages.items():
                # Else the process's own start counts as the first page's.
                client.get(path(0)).raise_for_status()
                before_s = cpu_s(pid)
                times_ms = time_pages(client, path, options.pages)
                spent_ms = (cpu_s(pid) - before_s) * 1000
                figures[f"{page}_cpu_ms"] = round(
                    spent_ms / (options.pages + WARM_UP), 1
                )
                for share in (50, 95):
                    key = f"{page}_p{share}_ms"
                    figures[key] = round(percentile(times_ms, share / 100), 1)
                print(f"{page}: {len(times_ms)} times", flush=True)
            whole = client.get("/")
            figures["overview_kb"] = round(len(whole.content) / 1000)
            told = {"If-None-Match": whole.headers.get("ETag", "")}
            figures["overview_again"] = client.get("/", headers=told).status_code
        figures["load_after"] = round(os.getloadavg()[0], 1)
        figures["export_s"] = round(time_export(folder, now.year), 2)
    return figures


def main() -> int:
    """Run and print; the last line is the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100, help="how often each page")
    parser.add_argument("--check", action="store_true", help="1 when a page is slow")
    options = parser.parse_args()
    figures = measure(options)
    missed = [f"{k} > {v}" for k, v in CEILINGS.items() if float(str(figures[k])) > v]
    print("missed: " + ", ".join(missed) if missed else "all ceilings held", flush=True)
    print(json.dumps(figures))
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
