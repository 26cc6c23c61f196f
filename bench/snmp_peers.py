"""Others that ask the same 620,800 values: pysnmp, snmpbulkwalk, Debian's snmp_exporter."""

from __future__ import annotations

import json
import resource
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
from processes import child, cpu_s
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
)


async def pysnmp_cycle(city: Agents) -> float:
    """Return CPU seconds of a cycle, from 4 switches and 1 controller, scaled."""
    from collectors.snmp_pysnmp import PysnmpLink

    def link(host: str) -> PysnmpLink:
        return PysnmpLink(host, city.port, PUBLIC, timeout_s=10.0)

    await link(city.switch(99)).get(["1.3.6.1.2.1.1.3.0"])  # imports, parsers
    sample = 4
    start_s = time.process_time()
    for number in range(sample):
        one = link(city.switch(number))
        for oids in REQUESTS:
            if len(await one.get(oids)) != PORTS:
                raise RuntimeError("pysnmp lost values")
        await one.aclose()
    switches_s = (time.process_time() - start_s) / sample * SWITCHES
    start_s = time.process_time()
    one = link(city.controller(0))
    for column in RADIO_COLUMNS:
        rows, count = one.rows(column, 40), 0
        while page := await rows.next_page():
            count += len(page)
        if count != APS * RADIOS:
            raise RuntimeError("pysnmp lost rows")
    await one.aclose()
    return switches_s + (time.process_time() - start_s) * CONTROLLERS


def bulkwalk_cycle(city: Agents) -> float | None:
    """Return CPU seconds of a cycle by a process a column, from a sample, scaled."""
    program = shutil.which("snmpbulkwalk")
    if program is None:
        return None

    def spent(host: str, columns: list[str], rows: int) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for column in columns:
            options = ["-v2c", "-cpublic", "-On", "-Cr40", "-m", ""]
            done = subprocess.run(
                [program, *options, f"{host}:{city.port}", column],
                check=True,
                capture_output=True,
            )
            if done.stdout.count(b"\n") != rows:
                raise RuntimeError("snmpbulkwalk lost rows")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    sample = 10
    switches = [spent(city.switch(n), PORT_COLUMNS, PORTS) for n in range(sample)]
    controller_s = spent(city.controller(0), RADIO_COLUMNS, APS * RADIOS)
    return sum(switches) / sample * SWITCHES + controller_s * CONTROLLERS


def exporter_config() -> str:
    """Return modules for snmp_exporter 0.21 that walk the same columns."""

    def module(columns: list[str], parts: int) -> dict[str, object]:
        indexes = [{"labelname": f"i{part}", "type": "gauge"} for part in range(parts)]
        metrics = [
            {
                "name": f"m{n}",
                "oid": oid,
                "type": "gauge",
                "help": "x",
                "indexes": indexes,
            }
            for n, oid in enumerate(columns)
        ]
        return {
            "walk": columns,
            "metrics": metrics,
            "version": 2,
            "max_repetitions": 40,
        }

    return json.dumps(
        {"switch": module(PORT_COLUMNS, 1), "controller": module(RADIO_COLUMNS, 7)}
    )


def exporter_cycle(stack: ExitStack, folder: Path, city: Agents) -> float | None:
    """Return CPU seconds of a cycle by Debian's snmp_exporter, from a sample, scaled."""
    program = shutil.which("prometheus-snmp-exporter")
    if program is None:
        return None
    config = folder / "snmp.yml"
    config.write_text(exporter_config())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = stack.enter_context((folder / "exporter.log").open("wb"))
    process = child(
        stack,
        [program, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"],
        log,
        GOMAXPROCS="1",
    )

    def scrape(host: str, module: str, values: int) -> None:
        answer = client.get(
            "/snmp", params={"target": f"{host}:{city.port}", "module": module}
        )
        lines = answer.raise_for_status().text.splitlines()
        if sum(line.startswith("m") for line in lines) != values:
            raise RuntimeError(f"snmp_exporter lost values: {answer.text[:300]}")

    ports, radios = PORTS * len(PORT_COLUMNS), APS * RADIOS * len(RADIO_COLUMNS)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for _ in range(100):
            try:
                client.get("/")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        scrape(city.switch(199), "switch", ports)
        switches, controllers = 100, 10
        start_s = cpu_s(process.pid)
        for number in range(switches):
            scrape(city.switch(number), "switch", ports)
        middle_s = cpu_s(process.pid)
        for number in range(controllers):
            scrape(city.controller(number), "controller", radios)
        end_s = cpu_s(process.pid)
    return (middle_s - start_s) / switches * SWITCHES + (
        end_s - middle_s
    ) / controllers * CONTROLLERS
