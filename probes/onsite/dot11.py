"""Beacons of access points as bytes: radiotap header and the beacon's elements.

Whether a frame is a beacon or a probe response is looked at first, and nothing else of
any other frame; of a probe response the receiver's address is never read. Sources:
radiotap.org (fields and their alignment), IEEE 802.11-2020 clause 9 and 802.11be for
the operation elements.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from probes.onsite.frames import clean

# linux/if_arp.h and pcap's link types: 802.11 with and without radiotap.
RADIOTAP_LINKS = (803, 127)
PLAIN_LINKS = (801, 105)
_BEACON, _PROBE_RESPONSE = 0x80, 0x50
_HEADER, _FIXED = 24, 12  # MAC header; timestamp, interval, capabilities
# Fields 0-5 of radiotap: size and alignment.
_FIELDS = ((8, 8), (1, 1), (1, 1), (4, 2), (2, 2), (1, 1))
_HAS_FCS, _BAD_FCS = 0x10, 0x40
_MORE_BITMAPS = 1 << 31
# Lowest and highest centre and that of channel 0 in MHz (IEEE 802.11 annex E).
_BANDS = ((2412, 2472, 2407), (5005, 5925, 5000), (5955, 7115, 5950))
_ODD_CHANNELS = {2484: 14, 5935: 2}


class Radio(Struct, frozen=True):
    """What the receiver wrote before the frame; None: it did not."""

    size: int = 0
    flags: int = 0
    frequency_mhz: int | None = None
    signal_dbm: int | None = None


class Beacon(Struct, frozen=True, kw_only=True):
    """One beacon; ``ssid`` is empty where it is hidden, None: not told."""

    bssid: str
    ssid: str = ""
    channel: int | None = None
    width_mhz: int | None = None
    signal_dbm: int | None = None


def beacon_of(frame: bytes, link: int) -> Beacon | None:
    """Return the beacon of a captured frame; None for every other and broken ones."""
    radio = read_radiotap(frame) if link in RADIOTAP_LINKS else Radio()
    if radio is None or radio.flags & _BAD_FCS:
        return None
    data = frame[radio.size :]
    if data[:1] not in (bytes([_BEACON]), bytes([_PROBE_RESPONSE])):
        return None
    if radio.flags & _HAS_FCS:
        data = data[:-4]
    if len(data) < _HEADER + _FIXED:
        return None
    beacon = Beacon(bssid=data[16:22].hex(":"), signal_dbm=radio.signal_dbm)
    for kind, value in _elements(data[_HEADER + _FIXED :]):
        beacon = _with_element(beacon, kind, value)
    if beacon.channel is None and radio.frequency_mhz is not None:
        return replace(beacon, channel=channel_of(radio.frequency_mhz))
    return beacon


def read_radiotap(frame: bytes) -> Radio | None:
    """Return flags, frequency and signal; None for a header that is broken."""
    size = int.from_bytes(frame[2:4], "little")
    if len(frame) < 8 or frame[0] != 0 or not 8 <= size <= len(frame):
        return None
    present = int.from_bytes(frame[4:8], "little")
    at, bitmap = 8, present
    while bitmap & _MORE_BITMAPS:
        if at + 4 > size:
            return None
        bitmap = int.from_bytes(frame[at : at + 4], "little")
        at += 4
    values: dict[int, bytes] = {}
    for bit, (length, alignment) in enumerate(_FIELDS):
        if not present >> bit & 1:
            continue
        at += -at % alignment
        if at + length > size:
            return None
        values[bit] = frame[at : at + length]
        at += length
    frequency = int.from_bytes(values[3][:2], "little") if 3 in values else None
    signal = int.from_bytes(values[5], "little", signed=True) if 5 in values else None
    return Radio(size, values.get(1, b"\0")[0], frequency, signal)


def channel_of(frequency_mhz: int) -> int | None:
    """Return the channel of a centre frequency; None outside 2.4, 5 and 6 GHz."""
    if frequency_mhz in _ODD_CHANNELS:
        return _ODD_CHANNELS[frequency_mhz]
    for lowest_mhz, highest_mhz, zero_mhz in _BANDS:
        if lowest_mhz <= frequency_mhz <= highest_mhz:
            return (frequency_mhz - zero_mhz) // 5
    return None


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 <= len(data):
        size = data[at + 1]
        value = data[at + 2 : at + 2 + size]
        if len(value) < size:
            return
        yield data[at], value
        at += 2 + size


def _with_element(beacon: Beacon, kind: int, value: bytes) -> Beacon:
    match kind:
        case 0:
            return replace(beacon, ssid=clean(value))
        case 3 if value:  # DSSS parameter set
            return replace(beacon, channel=value[0])
        case 61 if len(value) >= 2:  # HT operation: primary channel, bit 2 is 40 MHz
            width = 40 if value[1] & 0b100 else 20
            return replace(beacon, channel=value[0], width_mhz=width)
        case 192 if len(value) >= 3:
            return _with_vht(beacon, value)
        case 255 if value:
            return _with_extension(beacon, value[0], value[1:])
        case _:
            return beacon


def _with_extension(beacon: Beacon, kind: int, value: bytes) -> Beacon:
    if kind == 36:
        return _with_he(beacon, value)
    if kind == 106 and len(value) >= 6 and value[0] & 1:
        # EHT operation with its information: width 0-4 is 20 to 320 MHz.
        step = value[5] & 0b111
        return replace(beacon, width_mhz=20 << step) if step <= 4 else beacon
    return beacon


def _with_vht(beacon: Beacon, value: bytes) -> Beacon:
    """Width 0 leaves it to HT; 1 is 80 MHz, or 160 by the distance of the centres."""
    match value[0]:
        case 1:
            is_wide = value[2] != 0 and abs(value[2] - value[1]) == 8
            return replace(beacon, width_mhz=160 if is_wide else 80)
        case 2:
            return replace(beacon, width_mhz=160)
        case 3:  # 80+80, deprecated
            return replace(beacon, width_mhz=160)
        case _:
            return beacon


def _with_he(beacon: Beacon, value: bytes) -> Beacon:
    """HE operation: at 6 GHz it holds channel and width, which nothing else says."""
    if len(value) < 6:
        return beacon
    parameters = int.from_bytes(value[:3], "little")
    has_vht, has_cohosted, has_6ghz = (parameters >> bit & 1 for bit in (14, 15, 17))
    at = 6 + 3 * has_vht + has_cohosted
    if not has_6ghz or len(value) < at + 5:
        return beacon
    width = (20, 40, 80, 160)[value[at + 1] & 0b11]
    return replace(beacon, channel=value[at], width_mhz=width)
