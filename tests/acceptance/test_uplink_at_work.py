"""A probe's whole way: assignment, slot, test on a line with traffic, record, alarm.

The line is played (`netmon.demo.played_line`): rate, other traffic, queue and the
router's counters. Everything else is real: gateway, leases, SNMP, spool, store, engine.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.engine import Engine
from netmon.clock import BERLIN, SystemClock, to_ms
from netmon.config import AlertSettings, Secret, Settings
from netmon.demo.line_traffic import Traffic
from netmon.demo.played_line import LineShape, PlayedLine
from netmon.demo.wan_agent import WanAgent
from netmon.inventory import decode
from netmon.storage.records import AlarmState
from probes.agent import run_agent
from probes.config import load_probe_settings
from probes.lease_token import LeaseGate
from probes.measure_server import MeasureServer
from tests.acceptance.conftest import BUILDING, KEY, LINE, PROBE, inventory

# A busy machine makes tests invalid, which are repeated: patience, not a deadline.
PATIENCE_S = 120.0
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(420),
    pytest.mark.xdist_group("line"),
]

PAYLOAD = 0.955
SETTINGS = """
probe = "{probe}"
building = "{building}"
line = "{line}"
[gateway]
url = "{url}"
token_file = "probe.token"
[server]
address = "127.0.0.1:{port}"
token_file = "server.token"
[uplink]
interface = "lo"
passive_interval_s = 0.5
assignment_interval_s = 1.0
confirm_spacing_s = 0.5
patience_s = 10.0
# Quiet lessons prove nothing here: each slot is to be tested.
proof_valid_s = 0.0
tick_s = 0.1
[latency]
interval_s = 1.0
count = 5
spacing_s = 0.01
[dns]
interval_s = 0
[link]
interval_s = 0
[path]
interval_s = 0
[[wan]]
line = "{line}"
address = "127.0.0.1:{wan}"
if_index = 1
community_file = "wan.community"
"""
CALENDAR = """
state_holidays = false

[[lessons]]
days = ["mo", "tu", "we", "th", "fr", "sa", "su"]
start = {start}
end = {end}
"""


def lessons_now() -> str:
    """Lessons around now: so few slots of seconds that the budget pays for each."""
    now = SystemClock().now().astimezone(BERLIN)
    start, end = now - timedelta(minutes=10), now + timedelta(minutes=20)
    return CALENDAR.format(
        start=start.time().replace(microsecond=0)
        if start.date() == now.date()
        else "00:00:00",
        end=end.time().replace(microsecond=0)
        if end.date() == now.date()
        else "23:59:59",
    )


def shape(down_mbits: float, up_mbits: float, traffic: Traffic) -> LineShape:
    return LineShape(
        id=LINE,
        down_bps=down_mbits * 1e6 * PAYLOAD,
        up_bps=up_mbits * 1e6 * PAYLOAD,
        base_rtt_s=0.008,
        queue_s=0.03,
        traffic=traffic,
    )


@asynccontextmanager
async def site(start_centre, folder: Path, line: PlayedLine, **measure):
    """Run the centre, the measurement server, the router and the probe."""
    gate = LeaseGate(Secret(KEY), "m1")
    server = MeasureServer(
        Secret("shared"),
        lines={LINE: line},
        echo_line=lambda *_: line,
        leases=gate,
    )
    await server.start("127.0.0.1", 0)
    router = WanAgent({1: line.counters}, Secret("wan"))
    await router.start()
    calendar = folder / "calendar.toml"
    calendar.write_text(lessons_now())
    address = f"127.0.0.1:{server.port}"
    measure = {"slot_s": 4.0, "budget_share": 0.1, **measure}
    started = start_centre(
        ("m1", address, 2),
        city=inventory(120, 40),
        calendar_file=str(calendar),
        full_tests_per_day=0,
        **measure,
    )
    async with server, started as centre:
        centre.server = server
        (folder / "probe.token").write_text(centre.token.reveal())
        (folder / "server.token").write_text("shared")
        (folder / "wan.community").write_text("wan")
        (folder / "probe.toml").write_text(
            SETTINGS.format(
                probe=PROBE,
                building=BUILDING,
                line=LINE,
                url=centre.url,
                port=server.port,
                wan=router.port,
            )
        )
        stop = asyncio.Event()
        settings = load_probe_settings(folder / "probe.toml")
        agent = asyncio.create_task(run_agent(settings, stop))
        try:
            yield centre
        finally:
            stop.set()
            await asyncio.wait_for(agent, 15)
            router.stop()


def results(centre, **tags):
    """Newest throughput values by series, for these tags."""
    return [
        each
        for each in centre.store.measurements.latest(kind="throughput")
        if all(each.series.tags.get(name) == value for name, value in tags.items())
    ]


def newest(centre, metric, **tags):
    found = [
        (each.ok_ts_ms, each.values[metric])
        for each in results(centre, **tags)
        if each.values.get(metric) is not None
    ]
    return max(found)[1] if found else None


def engine_of(centre):
    told = decode(centre.store.inventories.current().body)
    settings = Settings(alerts=AlertSettings(line_confirm_count=2, line_clear_count=2))
    return Engine(centre.store, lambda: told, settings, SystemClock())


def line_state(centre):
    rows = centre.store.alarms.states(rule="line_below_target")
    return next((row.state for row in rows if row.target == f"line:{LINE}"), None)


class Watch:
    """Runs the real engine beside, and notes every state of the line."""

    def __init__(self, centre) -> None:
        self._centre = centre
        self._engine = engine_of(centre)
        self.states: list[AlarmState] = []

    async def sees(self, state: AlarmState) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.states[-1:] != [state]:
                await self.look()
                await asyncio.sleep(0.2)

    async def look(self) -> None:
        await asyncio.to_thread(self._engine.run_once)
        now = line_state(self._centre)
        if now is not None and self.states[-1:] != [now]:
            self.states.append(now)


async def test_a_healthy_line_with_traffic_is_proven_by_a_short_test(
    start_centre, tmp_path, until
):
    line = PlayedLine(shape(120, 40, Traffic.STEADY))
    async with site(start_centre, tmp_path, line) as centre:
        await until(
            lambda: (
                newest(centre, "at_least_down_bps") is not None
                and newest(centre, "at_least_up_bps") is not None
            )
        )
        watch = Watch(centre)
        await watch.look()
        assert watch.states == [AlarmState.OK]
        assert newest(centre, "at_least_down_bps") >= 100e6
        assert newest(centre, "at_least_up_bps") >= 36e6
        assert newest(centre, "cross_down_bps") > 10e6
        (floor,) = results(centre, direction="down", purpose="floor")
        assert floor.series.tags["basis"] == "router"
        assert floor.values["transferred_bytes"] < 30e6


async def test_a_line_that_falls_is_confirmed_alarmed_and_cleared(
    start_centre, tmp_path
):
    line = PlayedLine(shape(120, 40, Traffic.STEADY))
    async with site(start_centre, tmp_path, line) as centre:
        watch = Watch(centre)
        await watch.sees(AlarmState.OK)
        line.set_rate(60e6 * PAYLOAD, 40e6 * PAYLOAD)
        await watch.sees(AlarmState.BAD)
        # Never by one test alone, and by the full one only.
        assert watch.states[-2:] == [AlarmState.SUSPECT, AlarmState.BAD]
        assert newest(centre, "rate_down_bps") == pytest.approx(57e6, rel=0.05)
        assert newest(centre, "rate_down_high_bps") < 100e6
        line.set_rate(120e6 * PAYLOAD, 40e6 * PAYLOAD)
        await watch.sees(AlarmState.OK)


async def test_a_line_full_of_lessons_raises_nothing(start_centre, tmp_path, until):
    line = PlayedLine(shape(120, 40, Traffic.FULL))
    async with site(start_centre, tmp_path, line) as centre:
        watch = Watch(centre)

        # The lessons themselves are the proof: nothing was loaded for it.
        await until(lambda: results(centre, method="passive/1"))
        for _ in range(25):
            await watch.look()
            await asyncio.sleep(0.2)
        assert watch.states == [AlarmState.OK]
        (proof,) = results(centre, method="passive/1")
        assert proof.values["at_least_down_bps"] >= 100e6


async def test_an_exam_is_not_disturbed(start_centre, tmp_path, until):
    line = PlayedLine(shape(120, 40, Traffic.STEADY))
    today = SystemClock().now().astimezone(BERLIN).date()
    async with site(start_centre, tmp_path, line) as centre:
        await until(lambda: newest(centre, "at_least_down_bps") is not None)
        exam = f"[[protected]]\nday = {today}\nstart = 00:00:00\nend = 23:59:59\n"
        (tmp_path / "calendar.toml").write_text(lessons_now() + exam)
        # The next assignment has it; what runs at that moment ends within seconds.
        await until(
            lambda: (
                b"protected" in (tmp_path / "assignment.json").read_bytes()
                and b"23:59:59" in _told(tmp_path, "protected")
            )
        )
        await until(lambda: not (held(centre) or centre.server.running_tests))
        quiet_ms = to_ms(SystemClock().now())
        # For more than a slot, and each owes a statement where it may be tested.
        for _ in range(100):
            await asyncio.sleep(0.05)
            assert centre.server.running_tests == 0
        assert moved(centre, quiet_ms) == []


def _told(folder: Path, name: str) -> bytes:
    body = json.loads((folder / "assignment.json").read_bytes())
    return json.dumps(body["calendar"].get(name, [])).encode()


def held(centre):
    """Leases that run."""
    return centre.store.leases.book(to_ms(SystemClock().now())).active


def moved(centre, since_ms: int) -> list[float]:
    """Bytes of all tests since then."""
    ids = [each.series.id for each in results(centre)]
    return [
        value
        for chunk in centre.store.measurements.chunks(ids, since_ms, 2**62)
        for at_ms, value in zip(
            chunk.points.ts,
            chunk.points.values.get("transferred_bytes", []),
            strict=False,
        )
        if value is not None and at_ms > since_ms
    ]
