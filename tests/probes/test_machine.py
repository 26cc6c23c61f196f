"""How the machine was: read from files laid out as the kernel's, judged by table."""

from __future__ import annotations

import threading
import time

import pytest

from probes.machine import CpuTimes, Health, Watch, port_speed_bps, weakness


def lay_out(root, stat, waited_ns=0, errors=0, octets=0):
    port = root / "sys/class/net/eth0/statistics"
    port.mkdir(parents=True, exist_ok=True)
    thread = root / "proc/thread-self"
    thread.mkdir(parents=True, exist_ok=True)
    (root / "proc/stat").write_text(f"cpu  {stat}\ncpu0 1 1 1 1\n")
    (thread / "schedstat").write_text(f"1 {waited_ns} 1\n")
    (port / "rx_errors").write_text(f"{errors}\n")
    (port / "tx_bytes").write_text(f"{octets}\n")
    (port.parent / "speed").write_text("1000\n")


def test_busy_and_steal_are_shares_of_all_cores(tmp_path):
    lay_out(tmp_path, "100 0 50 1000 10 0 5 20 0 0")
    before = CpuTimes.read(tmp_path)
    lay_out(tmp_path, "130 0 60 1040 20 0 5 30 0 0")
    assert CpuTimes.read(tmp_path).since(before) == pytest.approx((0.4, 0.1))
    assert before.since(before) == (0.0, 0.0)


def test_a_kernel_that_tells_nothing_counts_as_idle(tmp_path):
    assert CpuTimes.read(tmp_path) == CpuTimes(0, 0, 0)
    health = Watch("eth0", tmp_path).health(0.001)
    assert (health.busy_ratio, health.wait_ratio, health.port_errors) == (0, 0, 0)


def test_the_watch_counts_from_its_beginning(tmp_path):
    lay_out(tmp_path, "100 0 0 1000 0 0 0 0 0 0", waited_ns=10**9, errors=7)
    watch = Watch("eth0", tmp_path)
    lay_out(
        tmp_path,
        "190 0 0 1010 0 0 0 0 0 0",
        waited_ns=10**9 + 10**12,
        errors=9,
        octets=10**6,
    )
    health = watch.health(0.003)
    assert health.late_s == 0.003
    assert health.busy_ratio == pytest.approx(0.9)
    assert health.wait_ratio > 1, "a thousand seconds of waiting in no time"
    assert health.port_errors == 2
    assert health.port_use_ratio is not None
    assert health.port_use_ratio > 0


@pytest.mark.parametrize(
    ("health", "why"),
    [
        (Health(), ""),
        (Health(late_s=0.024, steal_ratio=0.07, wait_ratio=0.24), ""),
        (Health(late_s=0.026), "late"),
        (Health(steal_ratio=0.09), "steal"),
        (Health(wait_ratio=0.3), "starved"),
        (Health(thread_ratio=0.95), "busy"),
        (Health(port_errors=1), "port_errors"),
        (Health(busy_ratio=1.0), ""),
    ],
)
def test_what_spoils_a_test(health, why):
    assert weakness(health) == why


def test_a_port_without_speed_has_none(tmp_path):
    lay_out(tmp_path, "1 0 0 1 0 0 0 0 0 0")
    assert port_speed_bps("eth0", tmp_path) == 1e9
    (tmp_path / "sys/class/net/eth0/speed").write_text("-1\n")
    assert port_speed_bps("eth0", tmp_path) is None
    assert port_speed_bps("eth1", tmp_path) is None


def test_a_thread_that_works_shows_it_in_its_own_share():
    """On the real kernel: what this thread used, not what others did."""
    found = {}

    def work():
        watch = Watch()
        end_s = time.thread_time() + 0.05
        while time.thread_time() < end_s:
            pass
        found["health"] = watch.health()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found["health"].thread_ratio > 0
    assert Watch().health().thread_ratio >= 0
