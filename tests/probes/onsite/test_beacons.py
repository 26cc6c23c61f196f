"""Beacons in captures that scapy writes here; nothing else of a capture is read."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.dot11 import (
    Dot11,
    Dot11Beacon,
    Dot11Elt,
    Dot11FCS,
    Dot11ProbeReq,
    Dot11ProbeResp,
    Dot11QoS,
    RadioTap,
)
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter, wrpcap

from probes.onsite.beacons import BeaconOptions, Ears, parse_bssid, run
from probes.onsite.dot11 import beacon_of, channel_of, read_radiotap
from probes.onsite.wire import NotUsableError

OURS, TWIN, FOREIGN = "02:00:00:00:01:01", "02:00:00:00:01:02", "02:00:00:00:09:09"
CLIENT = "02:cc:cc:cc:cc:cc"
CITY = "Schule-DO"


def element(kind: int, info: str):
    return Dot11Elt(ID=kind, info=bytes.fromhex(info))


def tap(signal_dbm=-61, frequency_mhz=2437):
    return RadioTap(
        present="TSFT+Flags+Rate+Channel+dBm_AntSignal+Antenna",
        ChannelFrequency=frequency_mhz,
        ChannelFlags=0xA0,
        dBm_AntSignal=signal_dbm,
    )


def beacon(
    bssid=OURS, ssid=CITY, *elements, radio=None, kind=8, to="ff:ff:ff:ff:ff:ff"
):
    fixed = Dot11Beacon() if kind == 8 else Dot11ProbeResp()
    frame = Dot11(type=0, subtype=kind, addr1=to, addr2=bssid, addr3=bssid) / fixed
    frame /= Dot11Elt(ID=0, info=ssid.encode())
    for each in elements:
        frame /= each
    return (radio or tap()) / frame


@pytest.fixture
def listen(tmp_path):
    """Write a capture and read it with the tool."""

    def write(*frames, ssids=(CITY,), planned=None, **options):
        file = tmp_path / "air.pcap"
        wrpcap(str(file), list(frames), **options)
        return run(
            BeaconOptions(file=file, ssids=frozenset(ssids), planned=planned or {})
        )

    return write


def told(findings):
    return [f"{finding.grade} {finding.says}" for finding in findings]


def test_an_access_point_of_ours(listen):
    ht40 = (element(3, "06"), element(61, "06 05" + "00" * 20))
    found = listen(
        *(beacon(OURS, CITY, *ht40, radio=tap(each)) for each in (-60, -61, -70))
    )
    assert told(found) == ["ok own", "ok foreign"]
    assert found[0].fields == {
        "bssid": OURS,
        "name": "?",
        "ssid": CITY,
        "beacons_count": 3,
        "channel": 6,
        "width_mhz": 40,
        "signal_dbm": -61,
    }
    assert found[1].fields == {"foreign_count": 0}


@pytest.mark.parametrize(
    ("elements", "channel", "width_mhz"),
    [
        ([], 6, None),  # by the receiver's frequency
        ([(3, "0b")], 11, None),
        ([(61, "24 00")], 36, 20),
        ([(61, "24 05"), (192, "00 00 00 0000")], 36, 40),
        ([(61, "24 05"), (192, "01 2a 00 0000")], 36, 80),
        ([(61, "24 05"), (192, "01 2a 32 0000")], 36, 160),
        ([(61, "24 05"), (192, "02 32 00 0000")], 36, 160),
        ([(255, "24 000000 00 0000")], 6, None),  # HE without the 6 GHz part
        ([(255, "24 000002 00 0000 25 02 2f 00 00")], 37, 80),
        ([(255, "24 008002 00 0000 07 25 03 2f 00 00")], 37, 160),
        ([(255, "6a 01 00000000 04 1f 00")], 6, 320),
        ([(61, "")], 6, None),
    ],
)
def test_channel_and_width(elements, channel, width_mhz):
    frame = bytes(beacon(OURS, CITY, *(element(*each) for each in elements)))
    found = beacon_of(frame, 127)
    assert (found.channel, found.width_mhz) == (channel, width_mhz)


@pytest.mark.parametrize(
    ("mhz", "channel"),
    [
        (2412, 1),
        (2472, 13),
        (2484, 14),
        (5180, 36),
        (5885, 177),
        (5955, 1),
        (7115, 233),
        (5935, 2),
        (900, None),
        (0, None),
    ],
)
def test_channels_by_frequency(mhz, channel):
    assert channel_of(mhz) == channel


def test_foreign_access_points_are_a_number(listen):
    hotspot = beacon(FOREIGN, "Annas Handy")
    found = listen(hotspot, hotspot, beacon("02:00:00:00:09:0a", "x"), beacon())
    assert told(found) == ["ok own", "ok foreign"]
    assert found[1].fields == {"foreign_count": 2}
    assert "Annas" not in repr(found)
    assert FOREIGN not in repr(found)


def test_foreign_ones_are_not_in_memory_either():
    ears = Ears({}, {CITY})
    ears.hear(beacon_of(bytes(beacon(FOREIGN, "Annas Handy")), 127))
    kept = repr([getattr(ears, name) for name in vars(ears)])
    assert ears.foreign_count == 1
    assert bytes.fromhex(FOREIGN.replace(":", "")) not in b"".join(ears._foreign)
    assert "Annas" not in kept
    assert FOREIGN not in kept


def test_clients_are_not_looked_at(listen):
    to_ap = {"addr1": OURS, "addr2": CLIENT, "addr3": OURS}
    wish = Dot11(type=0, subtype=4, addr1=OURS, addr2=CLIENT, addr3=OURS)
    found = listen(
        tap() / wish / Dot11ProbeReq() / Dot11Elt(ID=0, info=CITY.encode()),
        tap()
        / Dot11(type=2, subtype=8, FCfield="to_DS", **to_ap)
        / Dot11QoS()
        / b"secret",
        beacon(OURS, CITY, kind=5, to=CLIENT),
    )
    assert told(found) == ["ok own", "ok foreign"]
    assert found[0].fields["beacons_count"] == 1, "the answer to a client tells as much"
    assert found[1].fields == {"foreign_count": 0}
    assert "cc:cc" not in repr(found)


def test_planned_by_bssid(listen):
    planned = {OURS: "ap-204", TWIN: "ap-205"}
    found = listen(beacon(OURS, ""), beacon(FOREIGN, CITY), planned=planned)
    assert told(found) == ["ok own", "hint unplanned", "hint missing", "ok foreign"]
    assert found[0].fields["name"] == "ap-204"
    assert found[0].fields["ssid"] == "?"
    assert found[1].fields["bssid"] == FOREIGN
    assert found[2].fields == {"name": "ap-205"}


def test_the_loudest_comes_first(listen):
    found = listen(
        beacon(TWIN, CITY, radio=tap(-80)), beacon(OURS, CITY, radio=tap(-50))
    )
    assert [each.fields["bssid"] for each in found[:2]] == [OURS, TWIN]


def test_none_of_ours(listen):
    assert told(listen(beacon(FOREIGN, "x"))) == ["error none", "ok foreign"]


def test_a_checksum_is_no_element_and_a_wrong_one_no_beacon():
    body = Dot11FCS(
        type=0, subtype=8, addr1="ff:ff:ff:ff:ff:ff", addr2=OURS, addr3=OURS
    )
    body = body / Dot11Beacon() / Dot11Elt(ID=0, info=CITY.encode())
    good = RadioTap(present="Flags", Flags="FCS") / body
    data = bytearray(bytes(good))
    assert beacon_of(bytes(data), 127).ssid == CITY
    data[8] |= 0x40
    assert beacon_of(bytes(data), 127) is None


def test_more_bitmaps_come_before_the_fields():
    head = bytes.fromhex(
        "00 00 1500 20000080 00000080 00000000 c3 00000000".replace(" ", "")
    )
    assert read_radiotap(head).signal_dbm == -61
    assert read_radiotap(head[:12] + bytes(2)) is None


def test_captures_without_radiotap_and_as_pcapng(listen, tmp_path):
    plain = beacon()[Dot11]
    found = listen(plain, linktype=105)
    assert told(found) == ["ok own", "ok foreign"]
    assert "signal_dbm" not in found[0].fields
    file = tmp_path / "air.pcapng"
    writer = PcapNgWriter(str(file))
    writer.write([beacon()])
    writer.close()
    assert told(run(BeaconOptions(file=file, ssids={CITY}))) == ["ok own", "ok foreign"]


def test_a_capture_of_something_else(listen, tmp_path):
    with pytest.raises(NotUsableError, match="no_wlan"):
        listen(Ether() / b"hello")
    (tmp_path / "text").write_text("hello")
    for name in ("text", "none", "."):
        with pytest.raises(NotUsableError, match="no_capture"):
            run(BeaconOptions(file=tmp_path / name, ssids={CITY}))


def test_nothing_to_look_for():
    with pytest.raises(NotUsableError, match="nothing_planned"):
        run(BeaconOptions(interface="mon0"))


def test_time_is_bounded_and_said(tmp_path):
    file = tmp_path / "air.pcap"
    wrpcap(str(file), [beacon()])
    found = run(BeaconOptions(file=file, ssids={CITY}, listen_s=0.0))
    assert told(found) == ["error none", "hint cut", "ok foreign"]


@pytest.mark.parametrize("text", ["0200.0000.0101", "02-00-00-00-01-01", OURS.upper()])
def test_bssids_as_people_write_them(text):
    assert parse_bssid(text) == OURS


def test_what_is_no_bssid():
    with pytest.raises(ValueError, match="0200"):
        parse_bssid("0200")


GOOD = bytes(beacon(OURS, CITY, element(61, "24 05"), element(192, "01 2a 00 0000")))


@given(st.binary(max_size=120))
def test_no_frame_breaks_the_reader(data):
    for frame in (data, GOOD[:8] + data, GOOD[:60] + data):
        for link in (127, 105, 803, 801):
            beacon_of(frame, link)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_no_damaged_beacon_breaks_it(at, byte):
    data = bytearray(GOOD)
    data[at] = byte
    found = beacon_of(bytes(data), 127)
    if found is not None:
        assert found.ssid.isprintable()
        assert found.width_mhz in (None, 20, 40, 80, 160, 320)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 200), st.binary(min_size=1, max_size=8), st.integers(1, 300))
def test_no_damaged_capture_breaks_it(tmp_path, at, damage, length):
    file = tmp_path / "air.pcap"
    wrpcap(str(file), [beacon(), beacon(TWIN)])
    data = bytearray(file.read_bytes())
    data[at : at + len(damage)] = damage
    file.write_bytes(bytes(data[:length]))
    with suppress(NotUsableError):
        run(BeaconOptions(file=file, ssids={CITY}, listen_s=5.0))


def test_a_capture_cut_short_is_said(tmp_path):
    file = tmp_path / "air.pcap"
    wrpcap(str(file), [beacon(), beacon(TWIN)])
    file.write_bytes(file.read_bytes()[:-5])
    found = run(BeaconOptions(file=file, ssids={CITY}))
    assert told(found) == ["ok own", "hint cut", "ok foreign"]
