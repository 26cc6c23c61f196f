"""Which VLANs reach a socket."""

from __future__ import annotations

import sys

import pytest

from tests.lab.onsite.site import RESPONDER, words

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(60)]


def test_vlans_expected_against_found(site):
    wishes = ("20=dhcp", "30=10.7.30.1", "40=dhcp50")
    with site.peer(sys.executable, "-c", RESPONDER, *wishes):
        status, found, _ = site.ask(
            *("vlan", "20", "30=10.7.30.1", "40", "60", "--interface", "eth0"),
            *("--seconds", "3"),
        )
    assert status == 1
    assert [(says, values["vlan"]) for says, values in found] == [
        ("dhcp_answers", 20),
        ("gateway_answers", 30),
        ("other_tag", 40),
        ("absent", 60),
        ("unexpected", 50),
    ]


def test_an_access_port_answers_without_a_tag(site):
    """As a switch does whose port has this VLAN untagged."""
    untagging = RESPONDER.replace("int(kind[4:] or tag)", "0")
    with site.peer(sys.executable, "-c", untagging, "20=dhcp"):
        status, found, _ = site.ask(
            "vlan", "20", "--interface", "eth0", "--seconds", "2"
        )
    assert (status, words(found)) == (1, ["untagged"])
