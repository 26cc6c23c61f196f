"""The demo's settings are those an administrator could write: all of them load."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netmon.config import Secret, load_settings
from netmon.demo import city
from netmon.demo.files import DemoFiles, MailPeer
from netmon.demo.plan import Plan, line_shapes, make_plan
from netmon.demo.worlds import LinesAnswer
from probes.certifier import STATE_FILE
from probes.config import load_probe_settings
from probes.loopback import Ceiling, load_ceiling

CEILING = Ceiling(9e9, 1_795_000_000_000)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(city.load())


@pytest.fixture
def files(tmp_path: Path) -> DemoFiles:
    return DemoFiles(tmp_path / "demo")


def test_the_centre_gives_out_slots_for_the_played_lines(files, tmp_path):
    files.write_settings(
        tsdb_url="",
        site_url="http://127.0.0.1:8080",
        mail=MailPeer(2525, Secret("mail-password"), tmp_path / "ca.pem"),
        collector_token=files.token("demo-collector"),
        measure_port=5201,
        measure_key=Secret("k" * 32),
    )
    measure = load_settings(files.settings).measure
    (server,) = measure.servers
    assert (server.address, server.max_tests) == ("127.0.0.1:5201", 2)
    assert Path(measure.key_file).stat().st_mode & 0o077 == 0
    assert "k" * 32 not in files.settings.read_text(encoding="utf-8")
    assert measure.slot_s < 60


def test_every_live_line_has_a_probe_and_counters_unless_its_router_is_closed(
    files, plan
):
    shapes = line_shapes(plan)
    world = LinesAnswer(
        leased=5201,
        own={shape.id: 6000 + number for number, shape in enumerate(shapes)},
        wan=1161,
        dns=5353,
    )
    closed = []
    for number, building in enumerate(plan.live):
        path = files.write_probe(
            plan,
            building.id,
            "http://127.0.0.1:8080",
            world,
            Secret("measure-token"),
            CEILING,
        )
        settings = load_probe_settings(Path(path))
        assert settings.server.address == f"127.0.0.1:{6000 + number}"
        assert settings.throughput.interval_s == 0
        assert load_ceiling(Path(settings.spool).with_name(STATE_FILE)) == CEILING
        if not settings.wan:
            closed.append(shapes[number])
            continue
        (port,) = settings.wan
        assert (port.line, port.if_index) == (settings.line, number + 1)
    assert [shape.refresh_s for shape in closed] == [None]


def test_lines_of_the_demo_differ_as_those_of_a_city_do(plan):
    shapes = line_shapes(plan)
    assert {shape.refresh_s for shape in shapes} == {0.0, 1.0, 3.0, None}
    assert len({shape.traffic for shape in shapes}) == 4
    assert {shape.base_rtt_s for shape in shapes} == {0.004, 0.007, 0.016}


def test_a_file_that_all_probes_share_is_never_seen_half_written(files, plan):
    """The next probe's settings are written while the one before starts."""
    world = LinesAnswer(
        leased=5201,
        own={shape.id: 6000 for shape in line_shapes(plan)},
        wan=1161,
        dns=5353,
    )

    def write(number: int) -> None:
        files.write_probe(
            plan,
            plan.live[number].id,
            "http://127.0.0.1:1",
            world,
            Secret("shared-token"),
            CEILING,
        )

    write(0)
    shared = files.root / "measure.token"
    with shared.open(encoding="utf-8") as reading:
        write(1)
        # Who opened it before still reads all of it: it was replaced, not emptied.
        assert reading.read() == "shared-token\n"
        assert shared.stat().st_ino != os.fstat(reading.fileno()).st_ino
    assert shared.stat().st_mode & 0o077 == 0
    assert not list(files.root.glob("*.new"))
