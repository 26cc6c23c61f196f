"""The on-site tools at a wall socket: two namespaces and a cable.

Real peers: lldpd speaks LLDP and CDP, dnsmasq gives addresses, the kernel answers ARP
and ND. Made with scapy is what this kernel or one cable cannot have: tagged VLANs, a
rogue server beside dnsmasq, and the frames on a monitor interface.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

from netmon.demo.lab.topology import run

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(60)]

MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE)


class Site:
    """A laptop (``eth0``) and what its socket leads to (``port17``)."""

    def __init__(self) -> None:
        tag = uuid.uuid4().hex[:6]
        self.laptop, self.switch = f"nm{tag}-laptop", f"nm{tag}-switch"

    def build(self) -> None:
        for host in (self.laptop, self.switch):
            run("ip", "netns", "add", host)
            # The kernel's own IPv6 chatter would blur the count of frames.
            self.on(host, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        names = ("name", "port17", "netns", self.switch)
        run(
            "ip",
            "link",
            "add",
            "eth0",
            "netns",
            self.laptop,
            "type",
            "veth",
            "peer",
            *names,
        )
        for host, device in ((self.laptop, "eth0"), (self.switch, "port17")):
            self.on(host, "ip", "link", "set", device, "up")

    def remove(self) -> None:
        for host in (self.laptop, self.switch):
            subprocess.run(
                ["ip", "netns", "del", host], capture_output=True, check=False
            )

    def on(self, host: str, *command: str) -> str:
        return run("ip", "netns", "exec", host, *command)

    @contextmanager
    def peer(self, *command: str, host: str | None = None, ready: str = "up"):
        """Run a program at the other end; ready once it says so."""
        process = subprocess.Popen(
            ["timeout", "30", "ip", "netns", "exec", host or self.switch, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if ready in line:
                    break
            else:
                pytest.fail("".join(said))
            yield process
        finally:
            process.terminate()
            process.communicate()

    def ask(self, tool: str, *options: str, before: tuple[str, ...] = ()):
        """Run a tool on the laptop; return its status, findings and all it printed."""
        done = subprocess.run(
            [
                *("ip", "netns", "exec", self.laptop, *before),
                *(sys.executable, "-m", "netmon", "probe", "lan", tool),
                *options,
                "--json",
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "NETMON_LANG": "de"},
        )
        assert "Traceback" not in done.stderr, done.stderr
        told = json.loads(done.stdout)
        found = [(each["finding"], each["values"]) for each in told["findings"]]
        return done.returncode, found, done.stdout + done.stderr

    def arrived_count(self) -> int:
        said = self.on(self.switch, "ip", "-s", "-j", "link", "show", "port17")
        return json.loads(said)[0]["stats64"]["rx"]["packets"]


def need(*programs: str) -> None:
    packages = {"dnsmasq": "dnsmasq-base", "ip": "iproute2", "setpriv": "util-linux"}
    reason = None
    if sys.platform != "linux" or os.geteuid() != 0:
        reason = "namespaces need Linux and root"
    for program in programs:
        if shutil.which(program) is None:
            package = packages.get(program, program)
            reason = f"the program {program} is missing (apt-get install {package})"
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing in CI: {reason}")
        pytest.skip(reason)


@pytest.fixture
def site():
    need("ip")
    built = Site()
    try:
        built.build()
        yield built
    finally:
        built.remove()


def words(found) -> list[str]:
    return [says for says, _ in found]


# --- socket ------------------------------------------------------------------

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


# --- what keeps all of them from working ---------------------------------------


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


# --- dhcp --------------------------------------------------------------------


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


# Answers every discover in its own tag as it is told by arguments TAG=KIND.
RESPONDER = r"""
import sys
from scapy.arch.linux import L2Socket
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
wishes = dict(each.split("=") for each in sys.argv[1:])
sock = L2Socket(iface="port17", promisc=True, nofilter=1)
def head(to, tag):
    ether = Ether(src="02:00:00:00:00:99", dst=to)
    return ether / Dot1Q(vlan=tag) if tag else ether
def offer(asked, tag):
    options = [("message-type", "offer"), ("server_id", "192.168.178.1"),
               ("subnet_mask", "255.255.255.0"), ("router", "192.168.178.1"),
               ("lease_time", 600), "end"]
    return (head("ff:ff:ff:ff:ff:ff", tag) / IP(src="192.168.178.1", dst="255.255.255.255")
            / UDP(sport=67, dport=68) / BOOTP(op=2, xid=asked.xid, chaddr=asked.chaddr,
            yiaddr="192.168.178.20") / DHCP(options=options))
print("up", flush=True)
while True:
    frame = sock.recv()
    if frame is None:
        continue
    tag = frame[Dot1Q].vlan if Dot1Q in frame else 0
    kind = wishes.get(str(tag))
    if kind is None:
        continue
    if BOOTP in frame and frame[BOOTP].op == 1 and kind.startswith("dhcp"):
        sock.send(offer(frame[BOOTP], int(kind[4:] or tag)))
    if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == kind:
        sock.send(head(frame.src, tag) / ARP(op=2, hwsrc="02:00:00:00:00:99",
                  psrc=kind, hwdst=frame[ARP].hwsrc, pdst=frame[ARP].psrc))
"""


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


# --- vlan --------------------------------------------------------------------


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


# --- sweep -------------------------------------------------------------------


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


# --- beacons -----------------------------------------------------------------

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
