"""The port's speed and duplex from a recorded tree of /proc and /sys."""

from __future__ import annotations

from pathlib import Path

import pytest

from netmon.model import FailureReason
from probes.link import LinkProbe, LinkSettings, default_interface

V4_HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
V6_DEFAULT = f"{'0' * 32} 00 {'0' * 32} 00 {'fe80'.ljust(32, '0')} 00000400 1 0 3 "


def v4_route(interface: str, metric: int, destination: str = "00000000") -> str:
    mask = "00000000" if destination == "00000000" else "00FFFFFF"
    return (
        f"{interface}\t{destination}\t0101A8C0\t0003\t0\t0\t{metric}\t{mask}\t0\t0\t0\n"
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "sys/class/net").mkdir(parents=True)
    (tmp_path / "proc/net/route").write_text(
        V4_HEAD + v4_route("eth0", 0, "0001A8C0") + v4_route("eth0", 100)
    )
    return tmp_path


def port(root: Path, name: str, **files: str) -> Path:
    folder = root / "sys/class/net" / name
    folder.mkdir()
    for file, text in files.items():
        (folder / file).write_text(text)
    return folder


def physical(root: Path, name: str, **files: str) -> Path:
    folder = port(root, name, **files)
    (folder / "device").mkdir()
    return folder


async def test_gigabit_full_duplex(root, make_context):
    physical(root, "eth0", speed="1000\n", duplex="full\n")
    result = await LinkProbe(root=root).run(make_context(1))
    assert result.values == {"speed_bps": 1e9, "full_duplex": 1.0}
    assert result.info == {"interface": "eth0"}


async def test_half_duplex_is_a_zero_flag(root, make_context):
    physical(root, "eth0", speed="100\n", duplex="half\n")
    result = await LinkProbe(root=root).run(make_context(1))
    assert result.values == {"speed_bps": 1e8, "full_duplex": 0.0}


async def test_unknown_duplex_is_none_not_zero(root, make_context):
    physical(root, "eth0", speed="100\n", duplex="unknown\n")
    result = await LinkProbe(root=root).run(make_context(1))
    assert result.values["full_duplex"] is None


async def test_vlan_leads_to_its_port(root, make_context):
    physical(root, "eth0", speed="2500", duplex="full")
    (port(root, "meas.20", speed="10") / "lower_eth0").mkdir()
    settings = LinkSettings(interface="meas.20")
    result = await LinkProbe(settings, root=root).run(make_context(1))
    assert result.values["speed_bps"] == 2.5e9
    assert result.info == {"interface": "eth0"}


@pytest.mark.parametrize("speed", ["-1", "0", "", "fast"])
async def test_speed_that_says_nothing_is_unsupported(root, make_context, speed):
    physical(root, "eth0", speed=speed)
    result = await LinkProbe(root=root).run(make_context(1))
    assert result.failure is FailureReason.UNSUPPORTED
    assert result.values == {}


async def test_port_that_is_down_is_unsupported(root, make_context):
    """The kernel answers EINVAL to reading the speed: as a missing file here."""
    physical(root, "eth0")
    result = await LinkProbe(root=root).run(make_context(1))
    assert result.failure is FailureReason.UNSUPPORTED


async def test_virtual_port_is_unsupported_whatever_speed_it_claims(root, make_context):
    port(root, "eth0", speed="10000", duplex="full")
    result = await LinkProbe(root=root).run(make_context(1))
    assert result.failure is FailureReason.UNSUPPORTED


async def test_loopback_of_this_machine_is_unsupported(make_context):
    result = await LinkProbe(LinkSettings(interface="lo")).run(make_context(1))
    assert result.failure is FailureReason.UNSUPPORTED


async def test_no_default_route_is_unreachable(tmp_path, make_context):
    result = await LinkProbe(root=tmp_path).run(make_context(1))
    assert result.failure is FailureReason.UNREACHABLE


def test_lowest_metric_wins(root):
    (root / "proc/net/route").write_text(
        V4_HEAD + v4_route("wlan0", 600) + v4_route("eth1", 100) + v4_route("eth0", 200)
    )
    assert default_interface(root) == "eth1"


def test_ipv6_only_machine(root):
    (root / "proc/net/route").write_text(V4_HEAD)
    (root / "proc/net/ipv6_route").write_text(
        V6_DEFAULT + "lo\n" + V6_DEFAULT + "eth0\n"
    )
    assert default_interface(root) == "eth0"
