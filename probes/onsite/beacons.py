"""``beacons``: our own access points in the air here, from a capture or an interface.

It listens only. Of foreign access points nothing but their number is kept: they are
told apart by a hash whose key ends with the run.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import statistics
import struct
import time
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from msgspec import Struct
from scapy.error import Scapy_Exception
from scapy.utils import RawPcapReader

from probes.finding import Finding, error, hint, ok
from probes.onsite.dot11 import PLAIN_LINKS, RADIOTAP_LINKS, Beacon, beacon_of
from probes.onsite.wire import MONITOR, NotUsableError, open_wire

_MOST_SIGNALS = 1000


class BeaconOptions(Struct, frozen=True, kw_only=True):
    """``planned`` are names by BSSID (``aa:bb:cc:dd:ee:ff``), ``ssids`` the city's.

    ``file`` None listens on ``interface``; the time bounds reading a file, too.
    """

    planned: Mapping[str, str] = {}
    ssids: AbstractSet[str] = frozenset()
    file: Path | None = None
    interface: str = ""
    listen_s: float = 30.0


@dataclass(slots=True)
class Heard:
    """One of our own BSSIDs: the last beacon, and the signals in dBm (bounded)."""

    beacon: Beacon
    beacons_count: int = 0
    signals_dbm: list[int] = field(default_factory=list)

    def add(self, beacon: Beacon) -> None:
        """Count one more; what a beacon left out stays as an earlier one said it."""
        self.beacons_count += 1
        old = self.beacon
        self.beacon = Beacon(
            bssid=beacon.bssid,
            ssid=beacon.ssid or old.ssid,
            channel=beacon.channel or old.channel,
            width_mhz=beacon.width_mhz or old.width_mhz,
        )
        if beacon.signal_dbm is not None and len(self.signals_dbm) < _MOST_SIGNALS:
            self.signals_dbm.append(beacon.signal_dbm)


class Ears:
    """Sorts beacons into our own and a count of the others."""

    def __init__(self, planned: Mapping[str, str], ssids: AbstractSet[str]) -> None:
        self._planned = planned
        self._ssids = ssids
        self._key = secrets.token_bytes(16)
        self._foreign: set[bytes] = set()
        self.own: dict[str, Heard] = {}

    def hear(self, beacon: Beacon) -> None:
        """Take one beacon."""
        bssid = beacon.bssid
        is_ours = bssid in self._planned or beacon.ssid in self._ssids
        if is_ours or bssid in self.own:  # once ours, also where it hides its name
            self.own.setdefault(bssid, Heard(beacon)).add(beacon)
        else:
            self._foreign.add(self._hash(bssid))

    def _hash(self, bssid: str) -> bytes:
        return hashlib.blake2b(bssid.encode(), key=self._key, digest_size=8).digest()

    @property
    def foreign_count(self) -> int:
        """How many other BSSIDs there were."""
        return len(self._foreign - {self._hash(each) for each in self.own})


def parse_bssid(text: str) -> str:
    """Return a BSSID as ``aa:bb:cc:dd:ee:ff``, however it was written.

    Raises:
        ValueError: it is none.
    """
    digits = re.sub(r"[:.-]", "", text)
    if not re.fullmatch(r"[0-9a-fA-F]{12}", digits):
        raise ValueError(text)
    return bytes.fromhex(digits).hex(":")


def run(options: BeaconOptions) -> list[Finding]:
    """Listen or read, bounded in time.

    Raises:
        NotUsableError: nothing is planned to compare with, or the interface or file
            cannot be used.
    """
    if not options.planned and not options.ssids:
        raise NotUsableError("nothing_planned")
    ears = Ears(options.planned, options.ssids)
    end_s = time.monotonic() + options.listen_s
    is_cut = False
    if options.file is None:
        with open_wire(options.interface, kinds=MONITOR) as wire:
            for _, frame in wire.receive(end_s):
                if beacon := beacon_of(frame, wire.link):
                    ears.hear(beacon)
    else:
        with Capture(options.file) as capture:
            for frame, link in capture:
                if is_cut := time.monotonic() > end_s:
                    break
                if beacon := beacon_of(frame, link):
                    ears.hear(beacon)
            is_cut = is_cut or capture.is_broken
    return judge(ears, options.planned, is_cut=is_cut)


class Capture:
    """A capture file (pcap or pcapng): frames with their link type, in order.

    ``is_broken`` is True once its end turned out to be damaged or cut off.

    Raises:
        NotUsableError: it cannot be read, is none, or is no capture of WLAN.
    """

    def __init__(self, file: Path) -> None:
        self.is_broken = False
        self._file = file
        if not file.is_file():  # a pipe would keep us waiting
            raise NotUsableError("no_capture", file=str(file))
        try:
            self._stream = file.open("rb")
        except OSError as fault:
            raise NotUsableError("no_capture", file=str(file)) from fault
        try:
            self._reader = RawPcapReader(self._stream)  # type: ignore[arg-type]  # takes files, too
        except (OSError, Scapy_Exception, EOFError, struct.error) as fault:
            self._stream.close()
            raise NotUsableError("no_capture", file=str(file)) from fault

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        link = getattr(self._reader, "linktype", None)
        while True:
            at = self._stream.tell()
            try:
                frame, about = next(self._reader)
            except StopIteration:
                # A pcap ends with a packet; pcapng may close with other blocks.
                self.is_broken = link is not None and self._stream.tell() > at
                return
            except Exception:  # noqa: BLE001  scapy raises whatever damage makes it
                self.is_broken = True
                return
            # pcapng tells it for each frame, pcap once.
            found = getattr(about, "linktype", link)
            self.is_broken = link is not None and len(frame) < about.caplen
            if self.is_broken:
                return
            if found not in (*RADIOTAP_LINKS, *PLAIN_LINKS):
                raise NotUsableError("no_wlan", file=str(self._file))
            yield frame, found


def judge(ears: Ears, planned: Mapping[str, str], *, is_cut: bool) -> list[Finding]:
    """Return our own access points, loudest first, then who is missing, then counts."""
    found = []
    for bssid, heard in sorted(ears.own.items(), key=_loudness):
        beacon = heard.beacon
        fields: dict[str, float | str] = {
            "bssid": bssid,
            "name": planned.get(bssid, "?"),
            "ssid": beacon.ssid or "?",
            "beacons_count": heard.beacons_count,
        }
        if beacon.channel is not None:
            fields["channel"] = beacon.channel
        if beacon.width_mhz is not None:
            fields["width_mhz"] = beacon.width_mhz
        if heard.signals_dbm:
            fields["signal_dbm"] = statistics.median(heard.signals_dbm)
        if planned and bssid not in planned:
            found.append(hint("unplanned", **fields))
        else:
            found.append(ok("own", **fields))
    missing = [name for bssid, name in planned.items() if bssid not in ears.own]
    found += [hint("missing", name=name) for name in missing]
    if not ears.own:
        found.append(error("none"))
    if is_cut:
        found.append(hint("cut"))
    found.append(ok("foreign", foreign_count=ears.foreign_count))
    return found


def _loudness(each: tuple[str, Heard]) -> tuple[float, str]:
    bssid, heard = each
    signals = heard.signals_dbm
    return (-statistics.median(signals) if signals else 999.0, bssid)
