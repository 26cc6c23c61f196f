"""Which port a wall socket is, as its switch tells."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.onsite.site import need, words

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(60)]


LLDPD = """\
configure system hostname gs-07-sw2
configure system capabilities enabled bridge
configure lldp portidsubtype local GigabitEthernet1/0/17 description Raum-204
configure ports port17 dot3 power pse supported enabled powerpairs signal class class-4 type 2 source primary priority low requested 25500 allocated 25500
configure lldp tx-interval 1
resume
"""


@contextmanager
def lldpd(site, *options, config=LLDPD):
    need("lldpd")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # lldpd gives up root and still reads it
        (Path(folder) / "conf").write_text(config)
        where = ("-u", f"{folder}/sock", "-O", f"{folder}/conf")
        command = ("lldpd", "-d", "-I", "port17", "-C", "port17", *where, *options)
        with site.peer(*command, ready="should resume"):
            yield


def test_a_socket_says_which_port_it_is(site):
    before = site.arrived_count()
    with lldpd(site):
        status, found, said = site.ask(
            "socket", "--interface", "eth0", "--seconds", "20"
        )
    told = dict(found)
    assert status == 0
    assert told["port"]["port"] == "17"
    assert told["port"]["port_name"] == "GigabitEthernet1/0/17, Raum-204"
    assert told["port"]["switch"] == "gs-07-sw2"
    assert told["power"]["power_w"] == 25.5
    assert "Diese Dose ist Port 17 von gs-07-sw2" in said
    assert site.arrived_count() == before, "it only listens"


def test_cdp_is_understood(site):
    config = LLDPD.replace("enabled bridge", "enabled bridge,router")
    with lldpd(site, "-ll", "-ccc", config=config):
        _, found, _ = site.ask("socket", "--interface", "eth0", "--seconds", "20")
    told = dict(found)["port"]
    assert (told["switch"], told["protocol"]) == ("gs-07-sw2", "CDP")


def test_a_computer_behind_a_small_switch_is_not_named(site):
    config = LLDPD.replace("enabled bridge", "enabled station")
    with lldpd(site, config=config):
        status, found, said = site.ask(
            "socket", "--interface", "eth0", "--seconds", "3"
        )
    assert status == 1
    assert words(found) == ["no_switch"]
    assert "gs-07-sw2" not in said


def test_silence_is_said(site):
    status, found, said = site.ask("socket", "--interface", "eth0", "--seconds", "1")
    assert (status, words(found)) == (1, ["silence"])
    assert "kein Switch gemeldet" in said
