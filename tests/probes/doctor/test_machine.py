"""The probe's port, processor, clock and kernel, as the doctor finds them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from probes.certificate import PAYLOAD_SHARE
from probes.doctor import machine
from probes.link import LinkSettings
from tests.probes.doctor.conftest import told


@pytest.fixture
def make_port(tmp_path):
    def make(speed: str, duplex: str):
        folder = tmp_path / "sys/class/net/eth0"
        (folder / "device").mkdir(parents=True)
        (folder / "speed").write_text(speed)
        (folder / "duplex").write_text(duplex)

    return make


@pytest.mark.parametrize(
    ("speed", "duplex", "expected"),
    [
        ("1000", "full", "ok fast"),
        ("2500", "unknown", "ok fast"),
        ("100", "full", "error slow"),
        ("1000", "half", "error half"),
        ("-1", "full", "hint unknown"),
    ],
)
async def test_what_the_port_can_show(
    settings, make_place, make_port, speed, duplex, expected
):
    make_port(speed, duplex)
    (found,) = await machine.port(make_place(settings))
    assert told([found]) == [expected]
    if found.says == "slow":
        assert found.fields["limit_bps"] == pytest.approx(PAYLOAD_SHARE * 1e8)


async def test_without_a_route_there_is_no_port(settings, make_place):
    anywhere = replace(settings, link=LinkSettings())
    assert told(await machine.port(make_place(anywhere))) == ["error none"]


@pytest.mark.parametrize(
    ("ceiling_bps", "expected"),
    [(90e6, "error weak"), (500e6, "hint below_port"), (5e9, "ok strong")],
)
async def test_what_the_machine_moves_without_a_line(
    settings, make_place, monkeypatch, ceiling_bps, expected
):
    monkeypatch.setattr(machine, "measure_ceiling", lambda: ceiling_bps)
    assert told(await machine.processor(make_place(settings))) == [expected]


async def test_this_machines_processor_clock_and_kernel_answer(settings, make_place):
    place = make_place(settings)
    (processor,) = await machine.processor(place)
    assert processor.fields["ceiling_bps"] > 0
    assert len(await machine.clock(place)) == 1
    says = {finding.says for finding in await machine.kernel(place)}
    assert says >= {"tcp_info", "error_queue"}


@pytest.mark.parametrize(
    ("known", "expected"), [("reno cubic bbr\n", "ok bbr"), ("cubic\n", "hint no_bbr")]
)
async def test_bbr_is_looked_for(settings, make_place, tmp_path, known, expected):
    file = tmp_path / machine._CONGESTION
    file.parent.mkdir(parents=True)
    file.write_text(known)
    assert expected in told(await machine.kernel(make_place(settings)))
