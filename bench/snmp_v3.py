"""What SNMPv3 (authPriv) costs the collector more than v2c: the same values, both ways.

    .venv/bin/python bench/snmp_v3.py

Twenty switches and two controllers as in ``bench/snmp.py`` (48 ports of 8 columns by GET;
200 radios of 16 columns by GETBULK) are real agents (pysnmp) in processes of their own,
once for v2c and once for v3 with SHA-256 and AES-128. Only this process' CPU counts: the
agents are slow, and that is nobody's figure. Each kind is asked three times; the best
counts, sessions being open (the engine's discovery is paid once).

- ``v3_vs_v2c``: CPU seconds by v3 over those by v2c, for the same values.
- ``v3_cycle_cpu_s``: the city's 620,800 values by v3, scaled from this sample.

The last line is one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from processes import child, said
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
)

from collectors.base import Timing
from collectors.credentials import Credential
from collectors.recorded import parse_recording
from collectors.snmp import open_session
from netmon.clock import SystemClock
from netmon.config import Secret
from netmon.demo.agents import RecordedModel, SnmpAgent

SAMPLE_SWITCHES, SAMPLE_CONTROLLERS = 20, 2
ROUNDS = 3
V3 = Credential(
    name="default",
    version="v3",
    user="netmon",
    auth_protocol="sha256",
    auth_secret=Secret("bench-auth-secret"),
    priv_protocol="aes128",
    priv_secret=Secret("bench-priv-secret"),
)
CREDENTIALS = {"v2c": PUBLIC, "v3": V3}
UPTIME = "1.3.6.1.2.1.1.3.0|67|4711"


def recording(columns: list[str], indexes: list[str]) -> list[str]:
    """Return rows of a device that has a number in each column of each row."""
    rows = [f"{c}.{i}|66|{100000 + n}" for c in columns for n, i in enumerate(indexes)]
    return [UPTIME, *rows]


PORT_ROWS = recording(PORT_COLUMNS, [str(i) for i in range(1, PORTS + 1)])
RADIO_ROWS = recording(
    RADIO_COLUMNS,
    [f"2.0.0.0.0.{ap}.{radio}" for ap in range(APS) for radio in range(RADIOS)],
)


async def serve(version: str) -> None:
    """Be the sample's agents until the end of the input; print their addresses."""
    parts = [PORT_ROWS] * SAMPLE_SWITCHES + [RADIO_ROWS] * SAMPLE_CONTROLLERS
    agents = [
        SnmpAgent(RecordedModel(parse_recording(rows, "bench")), CREDENTIALS[version])
        for rows in parts
    ]
    print(*[await agent.start() for agent in agents], flush=True)
    await asyncio.Event().wait()


async def cpu_s(version: str, addresses: list[str]) -> tuple[float, float]:
    """Return this process' CPU seconds for all switches, and for all controllers."""
    timing = Timing(timeout_s=30.0, backoff_s=())
    sessions = [
        open_session(address, CREDENTIALS[version], clock=SystemClock(), timing=timing)
        for address in addresses
    ]
    switches, controllers = sessions[:SAMPLE_SWITCHES], sessions[SAMPLE_SWITCHES:]
    ports = SAMPLE_SWITCHES * PORTS * len(PORT_COLUMNS)
    radios = SAMPLE_CONTROLLERS * APS * RADIOS * len(RADIO_COLUMNS)
    found: list[tuple[float, float]] = []
    for _ in range(ROUNDS + 1):
        before_s = time.process_time()
        count = sum([len(await one.get(oids)) for one in switches for oids in REQUESTS])
        between_s = time.process_time()
        for one in controllers:
            for column in RADIO_COLUMNS:
                rows = await one.walk(
                    column, max_repetitions=40, max_rows=1000, deadline_s=120.0
                )
                count += len(rows)
        found.append((between_s - before_s, time.process_time() - between_s))
        if count != ports + radios:
            raise RuntimeError(f"{count} values instead of {ports + radios}")
    for one in sessions:
        await one.aclose()
    # The first round opened the sessions.
    return min(a for a, _ in found[1:]), min(b for _, b in found[1:])


async def run() -> dict[str, float]:
    """Measure both kinds and return the figures."""
    cycle_s: dict[str, float] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        log = stack.enter_context((folder / "log").open("wb"))
        for version in CREDENTIALS:
            process = child(stack, [sys.executable, __file__, version], log)
            switches_s, controllers_s = await cpu_s(version, said(process).split())
            cycle_s[version] = (
                switches_s / SAMPLE_SWITCHES * SWITCHES
                + controllers_s / SAMPLE_CONTROLLERS * CONTROLLERS
            )
    return {
        "v2c_cycle_cpu_s": round(cycle_s["v2c"], 2),
        "v3_cycle_cpu_s": round(cycle_s["v3"], 2),
        "v3_vs_v2c": round(cycle_s["v3"] / cycle_s["v2c"], 2),
    }


def main() -> int:
    """Serve as an agent process, or measure and print."""
    if len(sys.argv) > 1:
        asyncio.run(serve(sys.argv[1]))
        return 0
    figures = asyncio.run(run())
    for name, figure in figures.items():
        print(f"{name}: {figure:g}")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
