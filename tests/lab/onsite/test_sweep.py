"""Who answers in a network, counted; named is only what is planned."""

from __future__ import annotations

import re
import sys

import pytest

from tests.lab.onsite.site import MAC, RESPONDER, words

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(60)]


def test_a_sweep_counts_and_names_only_what_is_planned(site, tmp_path):
    for last in (1, 2, 5, 9):
        site.on(site.switch, "ip", "addr", "add", f"10.7.20.{last}/28", "dev", "port17")
    site.on(site.laptop, "ip", "addr", "add", "10.7.20.14/28", "dev", "eth0")
    planned = tmp_path / "planned.txt"
    planned.write_text(
        "Switch 2, 10.7.20.2\nDrucker 10.7.20.3  # Raum 12\nsw9 10.9.0.1\n"
    )
    before = site.arrived_count()
    status, found, said = site.ask(
        *("sweep", "10.7.20.0/28", "--interface", "eth0", "--planned", str(planned))
    )
    assert status == 1
    assert found == [
        (
            "counted",
            {
                "network": "10.7.20.0/28",
                "asked_count": 13,
                "answered_count": 4,
                "planned_count": 1,
                "other_count": 3,
            },
        ),
        ("present", {"name": "Switch 2", "address": "10.7.20.2"}),
        ("silent", {"name": "Drucker", "address": "10.7.20.3"}),
    ]
    assert site.arrived_count() - before == 13 + 9, "each once, the silent ones twice"
    assert not MAC.search(said)
    assert set(re.findall(r"10\.7\.20\.\d+", said)) == {
        *("10.7.20.0", "10.7.20.2", "10.7.20.3")
    }


def test_a_sweep_without_an_own_address_says_so(site):
    site.on(site.switch, "ip", "addr", "add", "10.7.20.1/30", "dev", "port17")
    status, found, _ = site.ask("sweep", "10.7.20.0/30", "--interface", "eth0")
    assert (status, words(found)) == (0, ["counted", "as_probe"])
    assert found[0][1]["answered_count"] == 1


@pytest.mark.parametrize(("answers_in", "count"), [("tag", 1), ("0", 0)])
def test_a_sweep_within_a_tag(site, answers_in, count):
    responder = RESPONDER.replace(
        "head(frame.src, tag)", f"head(frame.src, {answers_in})"
    )
    with site.peer(sys.executable, "-c", responder, "30=10.7.30.1"):
        _, found, _ = site.ask(
            *("sweep", "10.7.30.0/30", "--vlan", "30", "--interface", "eth0")
        )
    assert found[0][1]["answered_count"] == count


def test_a_sweep_by_nd(site):
    for host, device, address in (
        (site.laptop, "eth0", "fe80::7/64"),
        (site.switch, "port17", "fd00:7::1/124"),
        (site.switch, "port17", "fd00:7::a/124"),
    ):
        site.on(host, "sysctl", "-qw", f"net.ipv6.conf.{device}.disable_ipv6=0")
        site.on(host, "ip", "addr", "add", address, "dev", device, "nodad")
    status, found, said = site.ask("sweep", "fd00:7::/124", "--interface", "eth0")
    assert (status, words(found)) == (0, ["counted"])
    assert found[0][1]["answered_count"] == 2
    assert "fd00:7::a" not in said


def test_nd_without_an_address_asks_nobody(site):
    before = site.arrived_count()
    status, found, _ = site.ask("sweep", "fd00:7::/124", "--interface", "eth0")
    assert (status, words(found)) == (1, ["no_link_local"])
    assert site.arrived_count() == before
