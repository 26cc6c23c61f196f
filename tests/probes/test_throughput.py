"""Throughput against the real server: right numbers, or a reason and no number."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from netmon.config import Secret
from netmon.model import FailureReason
from probes import throughput
from probes.base import ProbeResult
from probes.measure_protocol import (
    Reply,
    Request,
    decode_report,
    encode_line,
    read_line,
)
from probes.measure_server import Limits, MeasureServer
from probes.sockets import connected
from probes.throughput import ThroughputProbe, ThroughputSettings

SHORT = ThroughputSettings(warmup_s=0.15, window_s=0.5, max_bytes=100_000_000)
MBIT = 1e6


async def measure_paced(context, down_bps: float, up_bps: float) -> ProbeResult:
    """Measure until within 5 %, at most three times.

    A machine that gives the test no processor for a tenth of a second spoils a
    run; a method that is wrong spoils them all.
    """
    for _ in range(3):
        result = await ThroughputProbe(SHORT).run(context)
        assert result.failure is None
        if result.values["rate_down_bps"] == pytest.approx(
            down_bps, rel=0.05
        ) and result.values["rate_up_bps"] == pytest.approx(up_bps, rel=0.05):
            return result
    pytest.fail(f"three times off: {result.values}")


def assert_failed(result: ProbeResult, reason: FailureReason) -> None:
    assert result.failure is reason
    assert result.values == {}


@pytest.mark.alone
async def test_paced_line_is_measured_in_both_directions(measure_server, make_context):
    measure_server.set_rate("line-1", 50 * MBIT, 20 * MBIT)
    context = make_context(measure_server.port)
    result = await measure_paced(context, 50 * MBIT, 20 * MBIT)
    # At least what the windows held; the warm-up comes on top.
    window_bytes = 0.9 * (50 + 20) * MBIT / 8 * SHORT.window_s
    assert result.values["transferred_bytes"] > window_bytes
    assert result.values["duration_s"] >= 2 * (SHORT.warmup_s + SHORT.window_s)


@pytest.mark.alone
async def test_rates_belong_to_their_line(measure_server, make_context):
    measure_server.set_rate("line-1", 8 * MBIT, 8 * MBIT)
    measure_server.set_rate("line-2", 40 * MBIT, 40 * MBIT)
    context = make_context(measure_server.port, line="line-2")
    await measure_paced(context, 40 * MBIT, 40 * MBIT)


@pytest.mark.alone
async def test_a_rate_changes_under_the_next_test(measure_server, make_context):
    context = make_context(measure_server.port)
    measure_server.set_rate("line-1", 40 * MBIT, 40 * MBIT)
    measure_server.set_rate("line-1", 10 * MBIT, 10 * MBIT)
    await measure_paced(context, 10 * MBIT, 10 * MBIT)


async def test_unpaced_loopback_is_measured_though_the_byte_limit_ends_it(
    measure_server, make_context
):
    settings = ThroughputSettings(warmup_s=1, window_s=10, max_bytes=800_000_000)
    result = await ThroughputProbe(settings).run(make_context(measure_server.port))
    assert result.failure is None
    assert result.values["transferred_bytes"] <= 2 * settings.max_bytes
    assert result.values["rate_down_bps"] > 1000 * MBIT


async def test_too_few_bytes_are_no_number(measure_server, make_context):
    settings = ThroughputSettings(warmup_s=0.1, window_s=0.5, max_bytes=20_000)
    result = await ThroughputProbe(settings).run(make_context(measure_server.port))
    assert_failed(result, FailureReason.PARTIAL)


async def test_server_killed_during_the_download_is_broken_off(make_context, tmp_path):
    await _run_against_killed_server(make_context, tmp_path, kill_after="down_start")


async def test_server_killed_during_the_upload_is_broken_off(make_context, tmp_path):
    await _run_against_killed_server(make_context, tmp_path, kill_after="up_start")


async def _run_against_killed_server(make_context, tmp_path, *, kill_after):
    (tmp_path / "token").write_text("right-token")
    code = (
        "import asyncio\n"
        "from netmon.config import Secret\n"
        "from probes.measure_server import MeasureServer\n"
        "async def main():\n"
        "    rates = {'line-1': (20e6, 20e6)}\n"
        "    server = MeasureServer(Secret('right-token'), rates=rates)\n"
        "    await server.start('127.0.0.1', 0)\n"
        "    print(server.port, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        seen: list[str] = []

        def kill_when_data_flows(event, fields):
            seen.append(event)
            if event == "agreed" and kill_after in seen:
                # The transfer goes on for another half second if nobody stops it.
                loop = asyncio.get_running_loop()
                loop.call_later(0.2, os.kill, process.pid, signal.SIGKILL)

        context = make_context(port, emit=kill_when_data_flows)
        result = await ThroughputProbe(SHORT).run(context)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    assert_failed(result, FailureReason.BROKEN_OFF)
    direction = kill_after.removesuffix("_start")
    assert result.detail.startswith(f"{direction}: ")


async def test_a_clean_end_before_the_agreed_bytes_is_broken_off(make_context):
    """A crashing server's kernel closes the stream in good order."""

    async def serve(reader, writer):
        await reader.readline()
        writer.write(encode_line(Reply(ok=True, seconds=0.65, bytes=10_000_000)))
        writer.write(bytes(500_000))
        await writer.drain()
        writer.close()

    peer = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with peer:
        port = peer.sockets[0].getsockname()[1]
        result = await ThroughputProbe(SHORT).run(make_context(port))
    assert_failed(result, FailureReason.BROKEN_OFF)


async def test_a_line_that_falls_silent_is_a_timeout(
    measure_server, make_context, monkeypatch
):
    monkeypatch.setattr(throughput, "STALL_S", 0.3)
    measure_server.set_rate("line-1", 0, 0)
    result = await ThroughputProbe(SHORT).run(make_context(measure_server.port))
    assert_failed(result, FailureReason.TIMEOUT)


async def test_upload_that_falls_silent_is_told_by_the_server(
    measure_server, server_token, make_context, monkeypatch
):
    monkeypatch.setattr("probes.transfers.STALL_S", 0.3)
    measure_server.set_rate("line-1", 30 * MBIT, 0)
    result = await ThroughputProbe(SHORT).run(make_context(measure_server.port))
    assert_failed(result, FailureReason.TIMEOUT)
    assert result.detail.startswith("up: ")


async def test_wrong_token_is_denied_and_not_repeated_in_the_text(
    measure_server, make_context
):
    context = make_context(measure_server.port, token=Secret("wrong-token"))
    result = await ThroughputProbe(SHORT).run(context)
    assert_failed(result, FailureReason.DENIED)
    assert "wrong-token" not in result.detail


async def test_nobody_listens_is_refused(make_context, closed_port):
    result = await ThroughputProbe(SHORT).run(make_context(closed_port))
    assert_failed(result, FailureReason.REFUSED)
    assert "127.0.0.1" not in result.detail


async def test_unknown_server_name_is_a_dns_failure(make_context):
    context = make_context(5201, host="no-such-host.invalid")
    result = await ThroughputProbe(SHORT).run(context)
    assert_failed(result, FailureReason.DNS)


async def test_full_server_is_busy_until_a_test_ends(server_token, make_context, until):
    server = MeasureServer(
        server_token,
        limits=Limits(max_tests=1),
        rates={"slow": (100_000, 100_000), "line-1": (20 * MBIT, 20 * MBIT)},
    )
    await server.start("127.0.0.1", 0)
    async with server:
        context = make_context(server.port)
        async with connected(context.server) as sock:
            loop = asyncio.get_running_loop()
            asked = Request(
                op="down", token="right-token", line="slow", seconds=20, bytes=10**9
            )
            await loop.sock_sendall(sock, encode_line(asked))
            await read_line(sock)
            result = await ThroughputProbe(SHORT).run(context)
            assert_failed(result, FailureReason.BUSY)
        await until(lambda: server.running_tests == 0)
        result = await ThroughputProbe(SHORT).run(context)
        assert result.failure is None


async def test_a_stranger_on_the_port_is_a_protocol_failure(make_context):
    async def serve(reader, writer):
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    peer = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with peer:
        port = peer.sockets[0].getsockname()[1]
        result = await ThroughputProbe(SHORT).run(make_context(port))
    assert_failed(result, FailureReason.PROTOCOL)


async def test_upload_counts_what_the_server_received(measure_server, make_context):
    """The report ends at the agreed bytes to the byte."""
    context = make_context(measure_server.port)
    loop = asyncio.get_running_loop()
    async with connected(context.server) as sock:
        asked = Request(op="up", token="right-token", seconds=5, bytes=1_000_000)
        await loop.sock_sendall(sock, encode_line(asked))
        await read_line(sock)
        await loop.sock_sendall(sock, bytes(1_000_000))
        report = decode_report(await read_line(sock))
    assert report.total_bytes == 1_000_000
    assert 0 < report.counted_bytes < report.total_bytes
