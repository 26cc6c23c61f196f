"""Who gives addresses at a socket."""

from __future__ import annotations

import sys
from contextlib import contextmanager

import pytest

from tests.lab.onsite.site import MAC, RESPONDER, need, words

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(60)]


@contextmanager
def dnsmasq(site, tmp_path):
    need("dnsmasq")
    site.on(site.switch, "ip", "addr", "add", "10.7.20.1/24", "dev", "port17")
    leases = tmp_path / "leases"
    with site.peer(
        *("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--no-ping"),
        *("--interface=port17", "--bind-interfaces", "--user=root", "--log-facility=-"),
        "--dhcp-range=10.7.20.50,10.7.20.99,255.255.255.0,2h",
        f"--dhcp-leasefile={leases}",
        ready="sockets bound exclusively",
    ):
        yield leases


def test_an_offer_is_shown_and_no_lease_is_taken(site, tmp_path):
    with dnsmasq(site, tmp_path) as leases:
        status, found, said = site.ask("dhcp", "--interface", "eth0", "--seconds", "4")
        assert leases.read_text() == ""
    told = dict(found)["offer"]
    assert (status, words(found)) == (0, ["offer"])
    assert told["server"] == told["gateway"] == "10.7.20.1"
    assert told["network"] == "10.7.20.0/24"
    assert told["lease_s"] == 7200
    assert 0 < told["answer_s"] < 2
    assert not MAC.search(said)


def test_a_second_server_is_a_warning(site, tmp_path):
    rogue = (sys.executable, "-c", RESPONDER, "0=dhcp")
    with dnsmasq(site, tmp_path), site.peer(*rogue):
        status, found, _ = site.ask("dhcp", "--interface", "eth0", "--seconds", "4")
        assert status == 0
        assert sorted(words(found)) == ["offer", "offer", "second"]
        status, found, said = site.ask(
            *("dhcp", "--interface", "eth0", "--seconds", "4", "--expect", "10.7.20.1")
        )
    assert status == 1
    assert sorted(words(found)) == ["offer", "rogue"]
    assert "Fremder DHCP-Server: 192.168.178.1" in said


def test_nobody_gives_addresses(site):
    status, found, _ = site.ask("dhcp", "--interface", "eth0", "--seconds", "1")
    assert (status, words(found)) == (1, ["silence"])
    assert site.arrived_count() == 1, "one question in one second"
