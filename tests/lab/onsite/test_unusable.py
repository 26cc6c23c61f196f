"""What keeps every on-site tool from working."""

from __future__ import annotations

import pytest

from tests.lab.onsite.site import need, words

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(60)]


def test_an_interface_that_is_down_is_named_with_the_command(site):
    site.on(site.laptop, "ip", "link", "set", "eth0", "down")
    status, found, said = site.ask("dhcp", "--interface", "eth0")
    assert (status, words(found)) == (1, ["down"])
    assert "sudo ip link set eth0 up" in said


def test_a_cable_without_a_link(site):
    site.on(site.switch, "ip", "link", "set", "port17", "down")
    status, found, _ = site.ask("dhcp", "--interface", "eth0")
    assert (status, words(found)) == (1, ["no_carrier"])


def test_an_interface_that_is_not_there(site):
    status, found, said = site.ask("dhcp", "--interface", "eth9")
    assert (status, words(found)) == (1, ["no_interface"])
    assert "eth0" in said


@pytest.mark.parametrize(
    "tool",
    [
        ("socket",),
        ("dhcp",),
        ("sweep", "10.7.20.0/29"),
        ("vlan", "20"),
    ],
)
def test_without_the_right_to_raw_frames(site, tool):
    need("setpriv")
    drop = ("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw")
    before = site.arrived_count()
    status, found, said = site.ask(*tool, "--interface", "eth0", before=drop)
    assert (status, words(found)) == (1, ["no_rights"])
    assert "CAP_NET_RAW" in said
    assert "sudo" in said
    assert site.arrived_count() == before


# Once the tool has its packet socket: the list has a line below its head.
UNPLUG = """
echo up
until [ "$(wc -l < /proc/net/packet)" -gt 1 ]; do sleep 0.1; done
exec ip link set eth0 down
"""


def test_a_link_that_goes_down_in_the_middle(site):
    with site.peer("sh", "-c", UNPLUG, host=site.laptop):
        status, found, _ = site.ask("socket", "--interface", "eth0", "--seconds", "20")
    assert (status, words(found)) == (1, ["went_down"])
