"""The demo's lines measured by the probe's own tests: what they play comes out."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median

import msgspec
import pytest

from netmon.config import Secret
from netmon.demo.line_traffic import Traffic
from netmon.demo.played_line import LineShape
from netmon.demo.worlds import HOST, LineCommand, LinesAnswer, LinesStart
from probes.base import MeasureAddress
from probes.capacity import CapacityOptions, CapacityResult, CapacityTest
from probes.counters import Refresh, learn_refresh
from probes.estimate import FRAME_BYTES, PAYLOAD_BYTES, ResultKind, rate_payload_bps
from probes.floor import Floor, FloorResult, FloorTest
from probes.measure_protocol import Direction
from probes.pinger import Pinger
from probes.snmp_counters import SnmpCounters
from probes.wirelevel import SocketOctets

pytestmark = pytest.mark.alone

TOKEN, KEY, COMMUNITY = "t" * 32, "k" * 32, "netmon-demo"
MBIT = 1e6
THRESHOLD_BPS = 90 * MBIT
# A busy machine spoils a test, which then says so: it is made again.
TRIES = 5
SHAPES = (
    LineShape(
        id="vdsl",
        down_bps=100 * MBIT,
        up_bps=40 * MBIT,
        base_rtt_s=0.016,
        queue_s=0.040,
        traffic=Traffic.STEADY,
    ),
    LineShape(
        id="fibre",
        down_bps=250 * MBIT,
        up_bps=250 * MBIT,
        base_rtt_s=0.004,
        queue_s=0.025,
        traffic=Traffic.STEADY,
    ),
    LineShape(
        id="slow-router",
        down_bps=100 * MBIT,
        up_bps=40 * MBIT,
        base_rtt_s=0.007,
        queue_s=0.030,
        refresh_s=1.0,
    ),
    LineShape(
        id="closed-router",
        down_bps=100 * MBIT,
        up_bps=40 * MBIT,
        base_rtt_s=0.007,
        queue_s=0.030,
        refresh_s=None,
    ),
)


class World:
    """The demo's process that plays lines."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        start = LinesStart(
            token=TOKEN, key=KEY, community=COMMUNITY, max_tests=2, lines=SHAPES
        )
        self._write(start)
        assert process.stdout is not None
        self.ports = msgspec.json.decode(process.stdout.readline(), type=LinesAnswer)

    def _write(self, message: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(message) + b"\n")
        self._process.stdin.flush()

    def tell(self, command: LineCommand) -> None:
        """Change a line; it holds as soon as an echo shows it or a test runs."""
        self._write(command)

    def server(self, line: str) -> MeasureAddress:
        return MeasureAddress(HOST, self.ports.own[line], Secret(TOKEN))

    def counters(self, line: str) -> SnmpCounters:
        index = [shape.id for shape in SHAPES].index(line) + 1
        return SnmpCounters(HOST, Secret(COMMUNITY), index, port=self.ports.wan)

    def learn(self, line: str, direction: Direction) -> Refresh:
        found = learn_refresh(self.counters(line), direction, limit_s=6)
        assert found is not None
        return found

    def capacity(
        self, line: str, direction: Direction, *, counters: bool = True
    ) -> CapacityResult:
        """Run the capacity test, again only where a busy machine spoilt it."""
        shape = next(shape for shape in SHAPES if shape.id == line)
        result = None
        for _ in range(TRIES):
            result = CapacityTest(
                self.server(line),
                line=line,
                interface="lo",
                counters=self.counters(line) if counters else None,
                refresh=self.learn(line, direction) if counters else None,
                options=CapacityOptions(base_rtt_s=shape.base_rtt_s),
                own=SocketOctets,
            ).run(direction)
            if result.total.kind is not ResultKind.INVALID:
                return result
        pytest.skip(f"this machine spoilt {TRIES} tests: {result}")

    def floor(self, line: str, cross_bps: float) -> FloorResult:
        """Ask whether the download reaches the threshold."""
        shape = next(shape for shape in SHAPES if shape.id == line)
        answer = None
        for _ in range(TRIES):
            answer = FloorTest(
                self.server(line),
                line=line,
                interface="lo",
                threshold_bps=THRESHOLD_BPS * FRAME_BYTES / PAYLOAD_BYTES,
                cross_bps=cross_bps,
                counters=self.counters(line),
                refresh=self.learn(line, "down"),
                options=CapacityOptions(
                    congestion="cubic", base_rtt_s=shape.base_rtt_s
                ),
                own=SocketOctets,
            ).ask("down")
            if answer.verdict is not Floor.INVALID:
                return answer
        pytest.skip(f"this machine spoilt {TRIES} tests: {answer}")


@pytest.fixture(scope="module")
def playing() -> Iterator[World]:
    process = subprocess.Popen(
        [sys.executable, "-m", "netmon.demo.worlds", "lines"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield World(process)
    finally:
        process.terminate()
        process.communicate(timeout=20)
    # Told to stop, it closes everything in good order.
    assert process.returncode == 0


@pytest.fixture
def world(playing: World) -> World:
    """Return the world with every line in order."""
    for shape in SHAPES:
        playing.tell(
            LineCommand(
                line=shape.id,
                down_bps=shape.down_bps,
                up_bps=shape.up_bps,
                traffic=shape.traffic,
            )
        )
    return playing


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["down", "up"])
@pytest.mark.parametrize("line", ["vdsl", "fibre"])
def test_the_capacity_is_that_of_the_line_with_others_on_it(world, line, direction):
    shape = next(shape for shape in SHAPES if shape.id == line)
    true_bps = shape.down_bps if direction == "down" else shape.up_bps
    result = world.capacity(line, direction)
    total = result.total
    assert total.kind is ResultKind.CAPACITY, result
    assert rate_payload_bps(total.rate_bps) == pytest.approx(true_bps, rel=0.03)
    assert total.low_bps <= total.rate_bps <= total.high_bps
    if direction == "down":
        others_bps = rate_payload_bps(result.cross_bps or 0.0)
        assert others_bps == pytest.approx(0.3 * true_bps, rel=0.3)


@pytest.mark.slow
def test_a_router_that_refreshes_every_second_shows_the_capacity(world):
    refresh = world.learn("slow-router", "down")
    assert refresh.period_s == pytest.approx(1.0, abs=0.1)
    total = world.capacity("slow-router", "down").total
    assert total.kind is ResultKind.CAPACITY
    assert rate_payload_bps(total.rate_bps) == pytest.approx(100 * MBIT, rel=0.03)


@pytest.mark.slow
def test_a_broken_line_misses_the_floor_and_is_shown_to_be_below(world):
    world.tell(LineCommand(line="vdsl", down_bps=40 * MBIT, up_bps=40 * MBIT))
    assert world.floor("vdsl", 30 * MBIT).verdict is Floor.MISS
    total = world.capacity("vdsl", "down").total
    assert total.kind is ResultKind.CAPACITY
    assert rate_payload_bps(total.rate_bps) == pytest.approx(40 * MBIT, rel=0.03)
    assert rate_payload_bps(total.high_bps) < THRESHOLD_BPS


@pytest.mark.slow
def test_a_healthy_line_that_others_fill_is_never_below(world):
    world.tell(LineCommand(line="vdsl", traffic=Traffic.FULL))
    for cross_bps in (30 * MBIT, 104 * MBIT):
        assert world.floor("vdsl", cross_bps).verdict is not Floor.MISS
    total = world.capacity("vdsl", "down").total
    assert rate_payload_bps(total.high_bps) >= THRESHOLD_BPS


@pytest.mark.slow
def test_a_healthy_line_passes_the_floor(world):
    assert world.floor("fibre", 75 * MBIT).verdict is Floor.PASS


@pytest.mark.slow
def test_a_router_that_cannot_be_read_leaves_a_lower_bound(world):
    assert world.counters("closed-router").read() is None
    assert world.counters("vdsl").read() is not None
    result = world.capacity("closed-router", "down", counters=False)
    assert (result.basis, result.total.kind) == ("tcp", ResultKind.AT_LEAST)
    assert 50 * MBIT < rate_payload_bps(result.total.low_bps) < 103 * MBIT
    assert result.cross_bps is None


def test_an_echo_takes_as_long_as_the_line_is_long_and_longer_when_it_is_full(world):
    def rtt_s() -> float:
        pinger = Pinger(world.server("vdsl"))
        try:
            found: list[float] = []
            deadline_s = time.monotonic() + 60
            while len(found) < 9 and time.monotonic() < deadline_s:
                pinger.send()
                time.sleep(0.03)
                found += [echo.rtt_s for echo in pinger.receive()]
            return median(found)
        finally:
            pinger.close()

    quiet_s = rtt_s()
    assert quiet_s >= 0.016
    world.tell(LineCommand(line="vdsl", traffic=Traffic.FULL))
    # Both ways wait now.
    assert rtt_s() >= quiet_s + 0.030
