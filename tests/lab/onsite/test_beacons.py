"""Which access points are heard on a monitor interface."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.lab.onsite.site import words

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(60)]


# A TUN interface that says it is a monitor (ARPHRD_IEEE80211_RADIOTAP).
MONITOR = r"""
import fcntl, os, struct, subprocess, time
from scapy.layers.dot11 import Dot11, Dot11Beacon, Dot11Elt, RadioTap
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"mon0", 0x0001))
fcntl.ioctl(tun, 0x400454CD, 803)
subprocess.run(["ip", "link", "set", "mon0", "up"], check=True)
def beacon(bssid, ssid):
    tap = RadioTap(present="Flags+Channel+dBm_AntSignal", ChannelFrequency=2437,
                   ChannelFlags=0xA0, dBm_AntSignal=-61)
    head = Dot11(type=0, subtype=8, addr1="ff:ff:ff:ff:ff:ff", addr2=bssid, addr3=bssid)
    return bytes(tap / head / Dot11Beacon() / Dot11Elt(ID=0, info=ssid)
                 / Dot11Elt(ID=3, info=b"\x06"))
frames = [beacon("02:00:00:00:01:01", b"Schule-DO"), beacon("02:00:00:00:09:09", b"Anna")]
print("up", flush=True)
while True:
    for frame in frames:
        os.write(tun, struct.pack("!HH", 0, 0) + frame)
    time.sleep(0.1)
"""


def test_beacons_on_a_monitor_interface(site):
    if not Path("/dev/net/tun").exists():
        pytest.skip("a monitor interface is made of /dev/net/tun")
    with site.peer(sys.executable, "-c", MONITOR, host=site.laptop):
        status, found, said = site.ask(
            *("beacons", "--interface", "mon0", "--ssid", "Schule-DO", "--seconds", "1")
        )
    assert (status, words(found)) == (0, ["own", "foreign"])
    own = dict(found)["own"]
    assert (own["bssid"], own["channel"], own["signal_dbm"]) == (
        "02:00:00:00:01:01",
        6,
        -61,
    )
    assert dict(found)["foreign"] == {"foreign_count": 1}
    assert "09:09" not in said
    assert "Anna" not in said


def test_an_interface_that_is_no_monitor(site):
    status, found, said = site.ask("beacons", "--interface", "eth0", "--ssid", "x")
    assert (status, words(found)) == (1, ["no_monitor"])
    assert "set type monitor" in said
