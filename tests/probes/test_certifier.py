"""The certificate as it is read: a recorded port, the real loopback and kernel."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime

import pytest

from netmon.clock import ClockOffset, ManualClock
from netmon.units import MBIT
from probes import certifier
from probes.certifier import Certifier
from probes.kernel_clock import kernel_clock
from probes.link import LinkSettings
from probes.loopback import Ceiling, load_ceiling, measure_ceiling, save_ceiling

START = datetime(2026, 11, 26, 8, tzinfo=UTC)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root/sys/class/net/eth0"
    (folder / "device").mkdir(parents=True)
    (folder / "speed").write_text("100\n")
    (folder / "duplex").write_text("half\n")
    return tmp_path / "root"


def test_loopback_moves_real_bytes_and_leaves_nothing_behind():
    before = threading.active_count()
    assert measure_ceiling(0.02) > 10 * MBIT
    assert threading.active_count() == before


def test_the_ceiling_is_measured_once_and_kept_with_its_age(tmp_path):
    clock = ManualClock(START)
    first = Certifier(tmp_path, clock).renew()
    clock.advance(3600)
    second = Certifier(tmp_path, clock).renew()
    assert first.loopback_age_s == 0
    assert second.loopback_age_s == 3600
    assert second.loopback_ceiling_bps == first.loopback_ceiling_bps > 0


@pytest.mark.parametrize("advance_s", [25 * 3600, -60])
def test_an_old_ceiling_or_one_of_the_future_is_measured_again(
    tmp_path, monkeypatch, advance_s
):
    clock = ManualClock(START)
    save_ceiling(
        tmp_path / "certificate.json", Ceiling(5e6, round(START.timestamp() * 1000))
    )
    clock.advance(advance_s)
    monkeypatch.setattr(certifier, "measure_ceiling", lambda: 7e9)
    found = Certifier(tmp_path, clock).renew()
    assert (found.loopback_ceiling_bps, found.loopback_age_s) == (7e9, 0)


def test_reading_measures_nothing(tmp_path):
    assert Certifier(tmp_path, ManualClock(START)).read().loopback_ceiling_bps is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_file_does_not_matter(tmp_path):
    gone = tmp_path / "missing"
    found = Certifier(gone, ManualClock(START))
    assert found.renew().loopback_ceiling_bps == found.read().loopback_ceiling_bps > 0


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'{"rate_bps":1}'])
def test_a_damaged_state_file_is_no_ceiling(tmp_path, content):
    (tmp_path / "c").write_bytes(content)
    assert load_ceiling(tmp_path / "c") is None


def test_port_duplex_offset_and_processors_are_read(root, tmp_path):
    found = Certifier(
        tmp_path,
        ManualClock(START),
        link=LinkSettings(interface="eth0"),
        offset=lambda: ClockOffset(-0.4, 0.02),
        root=root,
    ).read()
    assert (found.port_speed_bps, found.full_duplex) == (1e8, False)
    assert (found.clock_offset_s, found.clock_uncertainty_s) == (-0.4, 0.02)
    assert found.cpu_count >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="adjtimex is Linux")
def test_the_kernel_tells_how_its_clock_is_kept():
    found = kernel_clock()
    assert found is not None
    # The kernel caps its own bound at 16 s (NTP_PHASE_LIMIT).
    assert 0 <= found.max_error_s <= 17
