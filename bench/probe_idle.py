"""What a probe costs its small computer while nothing is tested: memory and CPU.

    .venv/bin/python bench/probe_idle.py [--seconds 120]

A real gateway, a real measurement server and a real agent with its default intervals
(latency every minute, path every two, counters every half) run on this machine; the
agent's CPU time and memory are read from /proc. Its last line is one JSON object; the
limits are the project's: 60 MB and 1 % of a core.
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
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from processes import address, child, cpu_s

from netmon.clock import SystemClock, to_ms
from netmon.demo import city
from netmon.ingest import new_token, token_hash
from netmon.inventory import content_hash, encode
from netmon.storage.records import SourceKind
from netmon.storage.sqlite import SqliteStore

TARGETS = {"rss_mb": 60.0, "idle_cpu_ratio": 0.01}
SETTINGS = """
probe = "{probe}"
building = "{building}"
line = "{line}"
[gateway]
url = "{url}"
token_file = "gateway.token"
[server]
address = "{server}"
token_file = "measure.token"
[uplink]
interface = "lo"
[[wan]]
line = "{line}"
address = "127.0.0.1:{snmp}"
if_index = 1
community_file = "community"
"""


def start(
    stack: ExitStack, folder: Path, name: str, *arguments: str
) -> subprocess.Popen[bytes]:
    """Start a part of netmon that is ended with the stack."""
    log: IO[bytes] = stack.enter_context((folder / f"{name}.log").open("wb"))
    command = [sys.executable, "-m", "netmon", *arguments]
    return child(stack, command, log, NETMON_DATA=str(folder))


def rss_mb(pid: int) -> float:
    """Return the resident megabytes of a process (proc(5))."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def prepare(folder: Path) -> tuple[str, str, str]:
    """Write inventory and tokens; return probe, building and line."""
    town = city.load()
    unit = town.probes[0]
    store = SqliteStore(folder / "state.sqlite3")
    now_ms = to_ms(SystemClock().now())
    store.inventories.save(content_hash(town), encode(town), now_ms)
    token = new_token()
    store.sources.create(unit.id, SourceKind.PROBE, unit.building_id, token_hash(token))
    store.close()
    for name, text in (
        ("gateway.token", token),
        ("measure.token", new_token()),
        ("community", "public"),
    ):
        (folder / name).write_text(text)
    return unit.id, unit.building_id, unit.line_id


def run(seconds: float) -> dict[str, float]:
    """Let the agent run for a while and return its figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        probe, building, line = prepare(folder)
        # Nobody answers here: the counters stay unreadable, as on a bad day.
        silent = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        silent.bind(("127.0.0.1", 0))
        gateway = start(stack, folder, "gateway", "gateway", "--port", "0")
        token_file = str(folder / "measure.token")
        server = start(
            stack,
            folder,
            "server",
            *("measure-server", "--port", "0", "--token-file", token_file),
        )
        (folder / "probe.toml").write_text(
            SETTINGS.format(
                probe=probe,
                building=building,
                line=line,
                url=f"http://{address(gateway)}",
                server=address(server),
                snmp=silent.getsockname()[1],
            )
        )
        config = str(folder / "probe.toml")
        agent = start(stack, folder, "agent", "probe", "run", "--config", config)
        time.sleep(20)  # imports, the loopback ceiling, the first of everything
        before_s = cpu_s(agent.pid)
        began_s = time.monotonic()
        time.sleep(seconds)
        after_s, memory_mb = cpu_s(agent.pid), rss_mb(agent.pid)
        passed_s = time.monotonic() - began_s
    return {
        "rss_mb": round(memory_mb, 1),
        "idle_cpu_ratio": round((after_s - before_s) / passed_s, 5),
        "seconds": round(passed_s, 1),
    }


def main() -> int:
    """Run, print the figures beside their limits, and the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    found = run(parser.parse_args().seconds)
    for name, limit in TARGETS.items():
        print(f"{name}: {found[name]:g} (at most {limit:g}, {found[name] / limit:.0%})")
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
