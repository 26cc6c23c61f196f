"""Both tests against the real server on loopback: kinds, steps, failures."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from netmon.config import Secret
from netmon.model import FailureReason
from netmon.texts import Texts
from probes.base import MeasureAddress
from probes.capacity import METHOD, CapacityOptions, CapacityTest
from probes.counters import Reading, Refresh
from probes.course import Why
from probes.estimate import ResultKind
from probes.failures import ProbeFailedError, classify
from probes.floor import Floor, FloorTest
from probes.load import Streams
from probes.measure_server import Limits, MeasureServer
from probes.outcome import CapacityResult
from probes.paced_line import PlainLine
from probes.wirelevel import SocketOctets

MBIT = 1e6
FRAME = 1514 / 1448


class Line(PlainLine):
    """A played line that counts what passes and has a queue while anything does."""

    def __init__(self, rate_bps: float) -> None:
        super().__init__(rate_bps, rate_bps)
        # What is given back leaves the counter where it is: it never falls.
        self.octets = {"down": 0.0, "up": 0.0}
        self.counted = {"down": 0.0, "up": 0.0}
        self.moved_s = {"down": 0.0, "up": 0.0}

    async def granted(self, direction, want):
        size = await super().granted(direction, want)
        self.counted[direction] += size * FRAME
        self.octets[direction] = max(self.octets[direction], self.counted[direction])
        self.moved_s[direction] = time.monotonic()
        return size

    def give_back(self, direction, size):
        super().give_back(direction, size)
        self.counted[direction] -= size * FRAME

    def echo_wait_s(self, direction):
        return 0.02 if time.monotonic() - self.moved_s[direction] < 0.1 else 0.0


class Counters:
    """The played line's octets, always fresh."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def read(self):
        octets = self._line.octets
        return Reading(
            time.monotonic(), 1e-5, round(octets["down"]), round(octets["up"])
        )


LIVE = Refresh(0.0, 0.0)


@pytest.fixture
def played():
    """A server that plays a line of 60 Mbit/s, in a thread of its own."""
    line = Line(60 * MBIT)
    ready, ended = threading.Event(), None
    ports: list[int] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        nonlocal ended
        ended = asyncio.Event()
        server = MeasureServer(
            Secret("right-token"), lines={"line-1": line}, limits=Limits(max_tests=1)
        )
        await server.start("127.0.0.1", 0)
        ports.append(server.port)
        ready.set()
        async with server:
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait(10)
    yield line, MeasureAddress("127.0.0.1", ports[0], Secret("right-token"))
    assert ended is not None
    loop.call_soon_threadsafe(ended.set)
    thread.join()
    loop.close()


def capacity(address, direction="down", **more) -> CapacityResult:
    fields = {"line": "line-1", "interface": "lo", "own": SocketOctets, **more}
    return CapacityTest(address, **fields).run(direction)


def healthy(run) -> CapacityResult:
    """Run again where this machine spoilt it; what spoils them all is a mistake."""
    for _ in range(6):
        result = run()
        if not result.weakness:
            return result
    pytest.skip(f"this machine spoilt six tests: {result}")


@pytest.mark.parametrize("direction", ["down", "up"])
def test_a_line_is_read_with_every_step_told(played, direction):
    line, address = played
    told: list[tuple[str, dict[str, float | str]]] = []

    def run():
        told.clear()
        return capacity(
            address,
            direction,
            counters=Counters(line),
            refresh=LIVE,
            emit=lambda event, fields: told.append((event, dict(fields))),
        )

    result = healthy(run)
    assert result.method == METHOD
    assert result.basis == "router"
    assert result.streams >= 1
    assert result.rtt_idle_s is not None
    assert result.why in {Why.CERTAIN, Why.TIME}
    # On a machine shared with others the pacer catches up in bursts.
    assert result.total.rate_bps == pytest.approx(60 * MBIT * FRAME, rel=0.15)
    events = [event for event, _ in told]
    assert events[:3] == ["counters_live", "idle", "stream_first"]
    assert events[-1] == f"found_{result.total.kind}"
    assert "line_full" in events
    assert f"stopped_{result.why}" in events
    for language in ("de", "en"):
        texts = Texts(language)
        for event, fields in told:
            assert texts(
                f"probe.event.{event}", **{k: str(v) for k, v in fields.items()}
            )


def test_without_counters_it_is_at_most_a_lower_bound(played):
    _, address = played
    result = healthy(lambda: capacity(address))
    assert result.basis == "tcp"
    assert result.cross_bps is None
    assert result.total.kind in {ResultKind.AT_LEAST, ResultKind.NO_VERDICT}


def test_bytes_end_a_test_in_good_order(played):
    line, address = played
    options = CapacityOptions(max_bytes=300_000)
    result = healthy(
        lambda: capacity(
            address, counters=Counters(line), refresh=LIVE, options=options
        )
    )
    assert result.why is Why.BYTES
    assert result.total.kind is not ResultKind.CAPACITY


@pytest.mark.parametrize(
    ("threshold_bps", "answers"),
    [
        (20 * MBIT, {Floor.PASS}),
        (150 * MBIT, {Floor.MISS, Floor.NO_VERDICT}),
    ],
)
def test_the_floor_question(played, threshold_bps, answers):
    line, address = played

    def ask():
        test = FloorTest(
            address,
            line="line-1",
            interface="lo",
            own=SocketOctets,
            threshold_bps=threshold_bps,
            counters=Counters(line),
            refresh=LIVE,
        )
        found.append(test.ask("down"))
        return found[-1].run

    found = []
    healthy(ask)
    assert found[-1].verdict in answers
    assert found[-1].run.streams == 1


def test_a_full_server_is_busy(played):
    _, address = played
    caught: list[BaseException] = []

    def second() -> None:
        try:
            capacity(address)
        except ProbeFailedError as error:
            caught.append(error)

    others = [threading.Thread(target=second) for _ in range(2)]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join()
    assert [classify(error)[0] for error in caught] == [FailureReason.BUSY]


def test_a_wrong_token_is_denied(played):
    _, address = played
    wrong = MeasureAddress(address.host, address.port, Secret("wrong"))
    with pytest.raises(ProbeFailedError) as caught:
        capacity(wrong)
    assert caught.value.reason is FailureReason.DENIED


def test_nobody_there_is_refused(closed_port):
    address = MeasureAddress("127.0.0.1", closed_port, Secret("right-token"))
    with pytest.raises(ConnectionRefusedError):
        capacity(address)


def test_a_server_that_dies_is_broken_off():
    code = (
        "import asyncio\n"
        "from netmon.config import Secret\n"
        "from probes.measure_server import MeasureServer\n"
        "async def main():\n"
        "    rates = {'line-1': (8e6, 8e6)}\n"
        "    server = MeasureServer(Secret('right-token'), rates=rates)\n"
        "    await server.start('127.0.0.1', 0)\n"
        "    print(server.port, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as peer:
        assert peer.stdout is not None
        address = MeasureAddress(
            "127.0.0.1", int(peer.stdout.readline()), Secret("right-token")
        )

        def kill_when_it_flows(event, _fields):
            if event == "stream_first":
                threading.Timer(0.2, os.kill, (peer.pid, signal.SIGKILL)).start()

        with pytest.raises(ProbeFailedError) as caught:
            capacity(address, emit=kill_when_it_flows)
    assert caught.value.reason is FailureReason.BROKEN_OFF


def test_a_client_that_reads_slowly_is_named_as_the_limit(played, monkeypatch):
    """No line in between; the probe takes little at a time, and its window fills."""
    _, address = played
    move = Streams.move

    def slowly(self, number):
        time.sleep(0.003)
        move(self, number)

    monkeypatch.setattr("probes.load._READ_BYTES", 2_000)
    monkeypatch.setattr(Streams, "move", slowly)
    options = CapacityOptions(streams=1, limit_s=2.0)
    result = capacity(address, line="free", options=options)
    print(result)
    assert result.limited_by == "probe"
    assert result.total.kind is not ResultKind.CAPACITY
