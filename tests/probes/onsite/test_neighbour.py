"""LLDP and CDP of a switch, encoded by scapy; and what a damaged frame does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.cdp import (
    CDPMsgCapabilities,
    CDPMsgDeviceID,
    CDPMsgGeneric,
    CDPMsgNativeVLAN,
    CDPMsgPortID,
    CDPv2_HDR,
)
from scapy.contrib.lldp import (
    LLDPDUChassisID,
    LLDPDUEndOfLLDPDU,
    LLDPDUGenericOrganisationSpecific,
    LLDPDUPortDescription,
    LLDPDUPortID,
    LLDPDUSystemCapabilities,
    LLDPDUSystemName,
    LLDPDUTimeToLive,
)
from scapy.layers.l2 import LLC, SNAP, Dot1Q, Dot3, Ether

from probes.onsite.frames import clean, split
from probes.onsite.neighbour import decode, port_number

SWITCH = "02:00:00:00:00:02"


def special(who: int, kind: int, data: str):
    return LLDPDUGenericOrganisationSpecific(
        org_code=who, subtype=kind, data=bytes.fromhex(data)
    )


def lldp(*more, port="GigabitEthernet1/0/17", kind=5, ttl=120) -> bytes:
    return bytes(
        Ether(src=SWITCH, dst="01:80:c2:00:00:0e", type=0x88CC)
        / LLDPDUChassisID(subtype=4, id=SWITCH)
        / LLDPDUPortID(subtype=kind, id=port)
        / LLDPDUTimeToLive(ttl=ttl)
        / stack(*more)
    )


def stack(*layers):
    whole = layers[0] if layers else LLDPDUEndOfLLDPDU()
    for each in layers[1:]:
        whole /= each
    return whole / LLDPDUEndOfLLDPDU() if layers else whole


def cdp(*more) -> bytes:
    header = CDPv2_HDR()
    # scapy's capability flags are named from the lowest bit up.
    parts = (
        CDPMsgDeviceID(val=b"gs-07-sw2.schule.local"),
        CDPMsgPortID(iface=b"GigabitEthernet1/0/17"),
        CDPMsgCapabilities(cap=0x28),
        *more,
    )
    body = header
    for each in parts:
        body /= each
    frame = Dot3(src=SWITCH, dst="01:00:0c:cc:cc:cc") / LLC(
        dsap=0xAA, ssap=0xAA, ctrl=3
    )
    return bytes(frame / SNAP(OUI=0x00000C, code=0x2000) / body)


FULL = lldp(
    LLDPDUPortDescription(description="Raum 204 links"),
    LLDPDUSystemName(system_name="gs-07-sw2"),
    LLDPDUSystemCapabilities(
        mac_bridge_available=1, mac_bridge_enabled=1, router_available=1
    ),
    special(0x0080C2, 1, "0014"),  # port VLAN 20
    special(0x00120F, 1, "03 6c01 001e"),  # 1000BASE-T full duplex
    special(0x00120F, 2, "07 01 05 50 00ff 00ff"),  # source, on; 25.5 W
    special(0x0012BB, 2, "01 40c96e"),  # voice, tagged, VLAN 100
)


def test_everything_a_switch_tells():
    told = decode(FULL)
    assert told.protocol == "lldp"
    assert told.switch == "gs-07-sw2"
    assert told.port == "GigabitEthernet1/0/17"
    assert told.port_text == "Raum 204 links"
    assert told.forwards is True
    assert told.vlan == 20
    assert told.voice_vlan == 100
    assert told.speed_bps == 1e9
    assert (told.poe, told.power_w) == (True, 25.5)


def test_the_least_a_switch_must_tell():
    told = decode(lldp(port="17", kind=7))
    assert told.port == "17"
    assert told.switch == ""
    assert (told.forwards, told.vlan, told.speed_bps, told.poe) == (None,) * 4


def test_a_port_that_says_goodbye_is_no_neighbour():
    assert decode(lldp(ttl=0)) is None


def test_a_port_named_by_its_mac_is_named_by_its_text():
    frame = lldp(LLDPDUPortDescription(description="Port 17"), port=SWITCH, kind=3)
    told = decode(frame)
    assert (told.port, told.port_text) == ("", "Port 17")


@pytest.mark.parametrize(
    ("tlv", "poe", "power_w"),
    [
        ("07 01 05", True, None),  # only the first 802.3af fields
        ("03 01 05", False, None),  # able to, switched off
        ("00 00 00", None, None),  # a powered device speaks, no source
        ("07 01 05 50 00ff ffff", True, None),  # 6.5 kW are no power over Ethernet
    ],
)
def test_power(tlv, poe, power_w):
    told = decode(lldp(special(0x00120F, 2, tlv)))
    assert (told.poe, told.power_w) == (poe, power_w)


def test_power_by_med():
    told = decode(lldp(special(0x0012BB, 4, "03 009a")))
    assert (told.poe, told.power_w) == (True, 15.4)


@pytest.mark.parametrize(
    ("tlv", "vlan"), [("0000", None), ("0fff", None), ("0ffe", 4094)]
)
def test_a_vlan_that_is_none_is_not_told(tlv, vlan):
    assert decode(lldp(special(0x0080C2, 1, tlv))).vlan == vlan


@pytest.mark.parametrize(
    "odd",
    [
        "fe05 00120f 01 03",  # speed without its type
        "fe04 0080c2 01",  # VLAN without a number
        "0e02 0004",  # half of the capabilities: scapy reads nothing after this
        "1000",  # a management address of no bytes: nor after this
        "0801 62",  # a second description
    ],
)
def test_one_odd_part_does_not_spoil_the_others(odd):
    good = lldp(
        LLDPDUPortDescription(description="a"), LLDPDUSystemName(system_name="sw")
    )
    first = bytes.fromhex("0801 61")
    told = decode(good.replace(first, first + bytes.fromhex(odd)))
    assert (told.switch, told.speed_bps, told.vlan, told.forwards) == (
        "sw",
        *[None] * 3,
    )


def test_a_frame_cut_short_keeps_what_came():
    told = decode(FULL[: FULL.index(b"gs-07-sw2")])
    assert (told.port, told.switch) == ("GigabitEthernet1/0/17", "")
    assert decode(FULL[:30]) is None


def test_cdp():
    power = CDPMsgGeneric(
        type=0x1A, len=16, val=bytes.fromhex("0001 0001 00007530 ffffffff")
    )
    voice = CDPMsgGeneric(type=0x0E, len=7, val=bytes.fromhex("01 0064"))
    told = decode(cdp(CDPMsgNativeVLAN(vlan=20), voice, power))
    assert told.protocol == "cdp"
    assert told.switch == "gs-07-sw2.schule.local"
    assert told.port == "GigabitEthernet1/0/17"
    assert told.forwards is True
    assert (told.vlan, told.voice_vlan, told.power_w) == (20, 100, 30.0)


# Bridge; bridge and router; bridge and telephone, as most telephones say; station.
@pytest.mark.parametrize(
    ("enabled", "forwards"), [(0x04, True), (0x14, True), (0x24, False), (0x80, False)]
)
def test_a_phone_bridges_and_is_no_switch(enabled, forwards):
    frame = bytearray(FULL)
    at = frame.index(bytes([0x0E, 0x04]))  # type 7 and four octets
    frame[at + 4 : at + 6] = enabled.to_bytes(2, "big")
    assert decode(bytes(frame)).forwards is forwards


def test_a_phone_is_no_switch():
    frame = bytearray(cdp())
    at = frame.index(bytes.fromhex("0004 0008 00000028"))
    frame[at + 7] = 0x90  # host, phone
    assert decode(bytes(frame)).forwards is False


@given(st.binary(max_size=120))
def test_no_frame_breaks_the_reader(data):
    decode(data)
    decode(FULL[:14] + data)
    decode(cdp()[:22] + data)
    split(data)


@given(
    st.integers(0, len(FULL) - 1), st.integers(0, 255), st.sampled_from([FULL, cdp()])
)
def test_no_damaged_frame_breaks_it(at, byte, frame):
    data = bytearray(frame)
    data[at % len(data)] = byte
    told = decode(bytes(data))
    if told is not None:
        assert told.vlan is None or 1 <= told.vlan <= 4094
        assert told.power_w is None or 0 < told.power_w <= 100
        assert (told.switch + told.port + told.port_text).isprintable()


def test_tags_are_taken_off():
    inner = Ether(src=SWITCH, dst="ff:ff:ff:ff:ff:ff")
    assert split(bytes(inner / Dot1Q(vlan=20) / b"hello"))[0] == 20
    assert split(bytes(inner / Dot1Q(vlan=0) / b"hello"))[0] is None, "a priority only"
    both = split(bytes(Ether(type=0x88A8) / Dot1Q(vlan=30) / Dot1Q(vlan=20) / b"hello"))
    assert (both.vlan, both.payload) == (30, b"hello")
    assert split(bytes(inner / Dot1Q(vlan=20))[:15]) is None


def test_a_devices_text_cannot_command_the_screen():
    assert clean(b"\x1b[31msw\r\n2\0rest") == "[31msw 2"
    assert clean(b"f\xfcr") == "f\ufffdr"
    assert len(clean(b"x" * 500)) == 64


@pytest.mark.parametrize(
    ("port", "number"),
    [
        ("GigabitEthernet1/0/17", "17"),
        ("ge-0/0/17", "17"),
        ("1/17", "17"),
        ("17", "17"),
        ("Port 17", "17"),
        ("gi17", "17"),
        ("Trk1", "Trk1"),
        ("1/0/49:1", "1/0/49:1"),
        ("", ""),
    ],
)
def test_the_number_beside_the_port(port, number):
    assert port_number(port) == number
