"""What the tools conclude from what came, without a wire."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether

from probes.finding import Finding
from probes.onsite import dhcp, outlet, sweep, vlan
from probes.onsite.neighbour import Neighbour
from probes.onsite.packets import Offer, answered, discover, offer_in, solicit, who_has
from probes.onsite.planned import read_list
from probes.onsite.vlan import Expected, Heard
from probes.onsite.wire import MONITOR, NotUsableError, check_interface, own_speed_bps

MAC, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:99"


def told(findings: list[Finding]) -> list[str]:
    return [f"{finding.grade} {finding.says}" for finding in findings]


# --- socket ------------------------------------------------------------------


def test_a_socket_with_everything():
    full = Neighbour(
        protocol="lldp",
        switch="gs-07-sw2",
        port="GigabitEthernet1/0/17",
        vlan=20,
        voice_vlan=100,
        speed_bps=1e9,
        power_w=25.5,
    )
    found = outlet.judge(full, {"gs-07-sw2": "Switch 2"}, None, 3.0)
    assert told(found) == [
        "ok port",
        "ok vlan",
        "ok voice_vlan",
        "ok speed",
        "ok power",
    ]
    assert found[0].fields["switch"] == "Switch 2 (gs-07-sw2)"
    assert found[0].fields["port"] == "17"
    assert found[0].fields["port_name"] == "GigabitEthernet1/0/17"


def test_a_socket_with_next_to_nothing():
    bare = Neighbour(protocol="lldp", port="17", poe=False)
    found = outlet.judge(bare, {}, None, 3.0)
    assert told(found) == [
        "hint port",
        "hint vlan_untold",
        "hint speed_untold",
        "ok poe_off",
    ]
    assert found[0].fields == {
        "port": "17",
        "port_name": "17",
        "switch": "?",
        "protocol": "LLDP",
        "waited_s": 3.0,
    }


@pytest.mark.parametrize(
    ("switch_bps", "own_bps", "says"),
    [(None, 1e8, "hint slow"), (1e8, 1e9, "hint slow"), (None, 1e9, "ok speed")],
)
def test_the_own_end_speaks_where_the_switch_does_not(switch_bps, own_bps, says):
    near = Neighbour(protocol="cdp", switch="s", port="1", vlan=1, speed_bps=switch_bps)
    assert says in told(outlet.judge(near, {}, own_bps, 0.0))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("GS-07-SW2", "Switch 2 (GS-07-SW2)"),
        ("gs-07-sw2.schule.local", "Switch 2 (gs-07-sw2.schule.local)"),
        ("gs-07-sw2(FOC123)", "Switch 2 (gs-07-sw2(FOC123))"),
        ("gs-07-sw3", "gs-07-sw3"),
    ],
)
def test_the_inventory_names_the_switch(said, shown):
    assert outlet.name_of(said, {"gs-07-sw2": "Switch 2"}) == shown


# --- dhcp --------------------------------------------------------------------


def reply(xid=7, kind="offer", op=2, **more) -> bytes:
    options = {
        "server_id": "10.7.20.1",
        "subnet_mask": "255.255.255.0",
        "router": "10.7.20.1",
        "lease_time": 3600,
        **more,
    }
    listed = [("message-type", kind), *options.items(), "end"]
    return bytes(
        Ether(src=OTHER, dst=MAC)
        / IP(src="10.7.20.254", dst="255.255.255.255")
        / UDP(sport=67, dport=68)
        / BOOTP(op=op, xid=xid, yiaddr="10.7.20.77")
        / DHCP(options=listed)
    )


def test_the_question_takes_no_lease():
    asked = Ether(discover(MAC, 7))
    assert asked[BOOTP].xid == 7
    assert ("message-type", 1) in asked[DHCP].options
    assert (asked.dst, asked[IP].dst) == ("ff:ff:ff:ff:ff:ff", "255.255.255.255")
    assert Ether(discover(MAC, 7, 20))[Dot1Q].vlan == 20


def test_an_offer_is_read_without_the_address_offered():
    xid, offer = offer_in(reply(), {7: None})
    assert xid == 7
    assert offer == Offer(
        server="10.7.20.1", network="10.7.20.0/24", gateway="10.7.20.1", lease_s=3600
    )
    assert "10.7.20.77" not in repr(offer)


@pytest.mark.parametrize(
    "frame", [reply(xid=8), reply(kind="ack"), reply(op=1), discover(MAC, 7), b""]
)
def test_what_is_no_offer_to_us(frame):
    assert offer_in(frame, {7: None}) is None


def test_a_server_that_tells_little():
    bare = bytes(
        Ether()
        / IP(src="10.7.20.254")
        / UDP(sport=67, dport=68)
        / BOOTP(op=2, xid=7)
        / DHCP(options=[("message-type", "offer"), "end"])
    )
    assert offer_in(bare, {7: None})[1] == Offer(server="10.7.20.254")


OURS, ROGUE = Offer(server="10.7.20.1"), Offer(server="192.168.178.1")


@pytest.mark.parametrize(
    ("offers", "expected", "says"),
    [
        ([], (), ["error silence"]),
        ([(0.1, OURS)], (), ["ok offer"]),
        ([(3.0, OURS)], (), ["hint slow"]),
        ([(0.2, OURS), (0.1, ROGUE)], (), ["ok offer", "ok offer", "hint second"]),
        ([(0.2, OURS), (0.1, ROGUE)], ("10.7.20.1",), ["error rogue", "ok offer"]),
        ([(0.1, ROGUE)], ("10.7.20.1",), ["error rogue", "hint missing"]),
        ([(0.1, OURS)], ("10.7.20.1", "10.7.20.2"), ["ok offer", "hint missing"]),
    ],
)
def test_who_may_answer(offers, expected, says):
    assert told(dhcp.judge(offers, expected, 6.0)) == says


# --- vlan --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "says"),
    [
        (Heard(answer_s={20: 0.1}, seen={20}), ["ok dhcp_answers"]),
        (Heard(answer_s={}), ["error absent"]),
        (Heard(answer_s={}, seen={20}), ["error silent"]),
        (Heard(answer_s={}, strayed={20: 0}), ["error untagged"]),
        (
            Heard(answer_s={}, strayed={20: 30}, seen={30}),
            ["error other_tag", "hint unexpected"],
        ),
        (
            Heard(answer_s={20: 0.1}, seen={20, 7}),
            ["ok dhcp_answers", "hint unexpected"],
        ),
    ],
)
def test_one_vlan_expected(heard, says):
    assert told(vlan.judge([Expected(20)], heard)) == says


def test_a_gateway_that_answers_is_named():
    found = vlan.judge([Expected(20, "10.7.20.1")], Heard(answer_s={20: 0.1}))
    assert (found[0].says, found[0].fields["gateway"]) == (
        "gateway_answers",
        "10.7.20.1",
    )


# --- sweep -------------------------------------------------------------------


def test_questions_and_answers():
    ask = Ether(who_has(MAC, "0.0.0.0", "10.7.20.5", 20))
    assert (ask[Dot1Q].vlan, ask[ARP].op, ask[ARP].pdst) == (20, 1, "10.7.20.5")
    ask = Ether(solicit(MAC, "fe80::1", "fd00:7::a:b"))
    assert ask.dst == "33:33:ff:0a:00:0b"
    assert (ask[IPv6].dst, ask[IPv6].hlim) == ("ff02::1:ff0a:b", 255)
    assert ask[ICMPv6ND_NS].tgt == "fd00:7::a:b"
    is_at = bytes(Ether() / ARP(op=2, psrc="10.7.20.5"))
    assert answered(is_at) == "10.7.20.5"
    assert answered(is_at + bytes(18)) == "10.7.20.5", "padded to the least size"
    advert = Ether() / IPv6(src="fd00:7::1", hlim=255) / ICMPv6ND_NA(tgt="fd00:7::1")
    assert answered(bytes(advert)) == "fd00:7::1"


def test_what_is_no_answer():
    assert answered(who_has(MAC, "0.0.0.0", "10.7.20.5")) is None
    assert answered(solicit(MAC, "fe80::1", "fd00:7::1")) is None
    routed = Ether() / IPv6(hlim=64) / ICMPv6ND_NA(tgt="fd00:7::1")
    assert answered(bytes(routed)) is None, "RFC 4861 7.1.2: from another link"


@given(st.binary(max_size=200))
def test_no_frame_breaks_the_readers(data):
    for frame in (
        data,
        reply()[:14] + data,
        reply()[:42] + data,
        reply()[:282] + data,
        bytes(Ether(type=0x0806)) + data,
        bytes(Ether(type=0x86DD)) + data,
        bytes(Ether() / IPv6(hlim=255, nh=58)) + b"\x88" + data,
    ):
        offer_in(frame, {7: None})
        answered(frame)


@given(st.integers(14, len(reply()) - 1), st.integers(0, 255))
def test_no_damaged_offer_breaks_them(at, byte):
    frame = bytearray(reply())
    frame[at] = byte
    found = offer_in(bytes(frame), {7: None})
    if found is not None:
        ip_address(found[1].server)


NET = ip_network("10.7.20.0/29")


def test_a_sweep_is_counted():
    targets = sweep.targets_of(NET, {})
    planned = {ip_address("10.7.20.1"): "sw1", ip_address("10.7.20.3"): "sw3"}
    found = sweep.judge(targets, bytearray([1, 1, 0, 0, 0, 1]), planned, NET)
    assert told(found) == ["ok counted", "ok present", "error silent"]
    counts = found[0].fields
    assert [
        counts[f"{each}_count"] for each in ("asked", "answered", "planned", "other")
    ] == [6, 3, 1, 2]


def test_ones_own_address_is_neither_asked_nor_missing():
    targets = sweep.targets_of(NET, {})[1:]
    found = sweep.judge(targets, bytearray(5), {ip_address("10.7.20.1"): "me"}, NET)
    assert told(found) == ["ok counted"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("10.0.0.0/21", "too_large"), ("10.0.0", "no_network"), ("raum", "no_network")],
)
def test_a_network_that_is_refused(text, says):
    with pytest.raises(NotUsableError) as refused:
        sweep.parse_network(text)
    assert refused.value.says == says


def test_the_largest_network_has_a_thousand_hosts():
    assert len(sweep.targets_of(sweep.parse_network("10.0.3.7/22"), {})) == 1022


def test_a_large_network_of_ipv6_is_asked_for_the_planned_only():
    network = sweep.parse_network("fd00:7::/64")
    with pytest.raises(NotUsableError, match="too_large_v6"):
        sweep.targets_of(network, {})
    planned = {ip_address("fd00:7::2"): "sw2"}
    targets = sweep.targets_of(network, planned)
    assert targets == list(planned)
    found = sweep.judge(targets, bytearray([1]), planned, network)
    assert told(found) == ["ok counted", "hint planned_only", "ok present"]


# --- lists and interfaces ----------------------------------------------------


def test_a_list_of_what_is_planned(tmp_path):
    file = tmp_path / "list"
    file.write_text("# Haus A\nSwitch 2, 10.7.20.2\n\n10.7.20.3\nAP;10.7.20.4 # neu\n")
    assert read_list(file, ip_address) == {
        ip_address("10.7.20.2"): "Switch 2",
        ip_address("10.7.20.3"): "10.7.20.3",
        ip_address("10.7.20.4"): "AP",
    }


def test_a_list_that_is_refused_names_its_line(tmp_path):
    file = tmp_path / "list"
    file.write_text("sw1 10.7.20.1\nsw2 raum\n")
    with pytest.raises(NotUsableError) as refused:
        read_list(file, ip_address)
    assert refused.value.fields == {"file": str(file), "line_count": 2, "text": "raum"}
    with pytest.raises(NotUsableError, match="no_list"):
        read_list(tmp_path / "none", ip_address)


@pytest.fixture
def port(tmp_path):
    def make(**files):
        folder = tmp_path / "sys/class/net/eth0"
        folder.mkdir(parents=True, exist_ok=True)
        good = {"type": "1", "flags": "0x1003", "carrier": "1", "speed": "1000"}
        for name, text in (good | files).items():
            (folder / name).write_text(f"{text}\n")
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"flags": "0x1002"}, "down"),
        ({"carrier": "0"}, "no_carrier"),
        ({"type": "772"}, "no_ethernet"),
    ],
)
def test_an_interface_that_cannot_be_used(port, files, says):
    with pytest.raises(NotUsableError, match=says):
        check_interface("eth0", root=port(**files))


def test_an_interface_that_can(port):
    check_interface("eth0", root=port())
    assert own_speed_bps("eth0", port()) == 1e9
    assert own_speed_bps("eth0", port(speed="-1")) is None
    with pytest.raises(NotUsableError, match="no_monitor"):
        check_interface("eth0", MONITOR, port())
    for name in ("eth1", "../eth0", ""):
        with pytest.raises(NotUsableError, match="no_interface"):
            check_interface(name, root=port())
