"""The whole agent: measures, spools, pushes to a gateway over HTTP, and stops."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import sys
import time

import pytest

from netmon.errors import ConfigError, StorageError
from netmon.spool import Spool
from netmon.wire import Receipt, decode_batch, encode
from probes import agent
from probes.agent import run_agent
from probes.config import load_probe_settings

CONFIG = """
probe = "probe-1"
building = "building-1"
line = "line-1"
[gateway]
url = "http://127.0.0.1:{gateway_port}"
token_file = "token"
[server]
address = "127.0.0.1:{server_port}"
token_file = "server.token"
[uplink]
enabled = false
[throughput]
interval_s = 0.5
warmup_s = 0.05
window_s = 0.1
[latency]
interval_s = 0.3
count = 3
spacing_s = 0.002
wait_s = 0.2
[dns]
interval_s = 0.3
server = "127.0.0.1"
port = 1
timeout_s = 0.05
[link]
interval_s = 0.3
[path]
interval_s = 0.3
count = 2
spacing_s = 0.01
wait_s = 0.2
anchors = ["127.0.0.1:{server_port}"]
[health]
interval_s = 0.3
"""


class _Gateway:
    """As much HTTP as a receipt needs."""

    def __init__(self) -> None:
        self.series: dict[str, list[tuple[dict, object]]] = {}
        self.ids: list[tuple[str, int]] = []

    async def serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length:")[1].split()[0])
                batch = decode_batch(gzip.decompress(await reader.readexactly(length)))
                for series in batch.series:
                    self.series.setdefault(series.kind, []).append(series)
                    self.ids += [(batch.spool, seq) for seq in series.seq]
                count = sum(len(series.seq) for series in batch.series)
                body = encode(Receipt(count, 0))
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
                )
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def gateway():
    served = _Gateway()
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    async with server:
        yield served


@pytest.fixture
def config_file(tmp_path, gateway, measure_server):
    measure_server.set_rate("line-1", 30e6, 30e6)
    (tmp_path / "token").write_text("gateway-token")
    (tmp_path / "server.token").write_text("right-token")
    path = tmp_path / "probe.toml"
    ports = {"gateway_port": gateway.port, "server_port": measure_server.port}
    path.write_text(CONFIG.format(**ports))
    return path


KINDS = {"throughput", "latency", "dns", "path", "probe_link", "probe_health"}


async def test_every_kind_reaches_the_gateway_and_stop_is_quick(
    config_file, gateway, until
):
    stop = asyncio.Event()
    settings = load_probe_settings(config_file)
    running = asyncio.create_task(run_agent(settings, stop))
    await until(lambda: set(gateway.series) == KINDS)
    stop.set()
    await asyncio.wait_for(running, 30)
    rate = gateway.series["throughput"][0].values["rate_down_bps"][0]
    # A short window on a busy machine: the other tests look at the accuracy.
    assert rate == pytest.approx(30e6, rel=0.5)
    assert gateway.series["dns"][0].failure is not None
    segments = {series.tags["segment"] for series in gateway.series["path"]}
    assert segments == {"port", "gateway", "provider", "data_centre", "internet"}
    with Spool(config_file.parent / "spool.sqlite3") as spool:
        left = {(item.spool, item.seq) for item in spool.batch(10_000)}
        stats = spool.stats()
    assert len(gateway.ids) == len(set(gateway.ids))
    assert len(left | set(gateway.ids)) == stats.added


async def test_crash_of_a_part_ends_the_agent_with_its_error(
    config_file, gateway, monkeypatch
):
    async def crash(self, stop):
        raise StorageError("gone")

    monkeypatch.setattr(agent.Runner, "run", crash)
    settings = load_probe_settings(config_file)
    with pytest.raises(StorageError, match="gone"):
        await asyncio.wait_for(run_agent(settings, asyncio.Event()), 30)


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_wrong_certificate_file_is_named(config_file, content):
    text = config_file.read_text()
    config_file.write_text(text.replace("[server]", 'ca_file = "ca.pem"\n[server]'))
    if content is not None:
        (config_file.parent / "ca.pem").write_text(content)
    with pytest.raises(ConfigError, match=r"ca\.pem \[gateway\.ca_file\]"):
        await run_agent(load_probe_settings(config_file), asyncio.Event())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_process_ends_within_two_seconds_of_a_signal(
    config_file, gateway, until, number
):
    # Through a process of its own; the command group alone, as a probe has it.
    code = (
        "import argparse, sys\n"
        "from netmon.cli import probe\n"
        "from netmon.texts import Texts\n"
        "parser = argparse.ArgumentParser()\n"
        "probe.add(parser.add_subparsers(), Texts())\n"
        "args = parser.parse_args()\n"
        "sys.exit(args.run(args, Texts()))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, "probe", "run", "--config", str(config_file)
    )
    try:
        await until(lambda: "throughput" in gateway.series)
        asked_s = time.monotonic()
        os.kill(process.pid, number)
        assert await asyncio.wait_for(process.wait(), 30) == 0
        assert time.monotonic() - asked_s < 2
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
