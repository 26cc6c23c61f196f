"""A city of SNMP agents in one process: what ``bench/snmp.py`` polls.

Every address 127.1.x.y is a switch of 48 ports, every 127.2.x.y a controller of 100
access points, all on one UDP port, by v2c with the community ``public``. Objects are
encoded once; a request that was answered before costs a dictionary look-up and two
system calls, so that this process is not what is measured. BER as in RFC 3416.

Prints ``ready <port>``. A datagram ``next`` from 127.9.9.9 lets time pass: counters rise.
"""

from __future__ import annotations

import argparse
import select
import socket
import struct
import time
from bisect import bisect_right
from collections import deque

PORTS = 48
APS = 100
RADIOS = 2
# Of a switch: its share of the access points, and the switch above.
NEIGHBOURS = 5
BUFFER = 32 * 1024 * 1024
_PKTINFO = 8  # IP_PKTINFO of ip(7); not named in every Python
_BULK = 0xA5

IF = "1.3.6.1.2.1.2.2.1"
IFX = "1.3.6.1.2.1.31.1.1.1"
AP = "1.3.6.1.4.1.14823.2.2.1.5.2.1.4.1"
RADIO = "1.3.6.1.4.1.14823.2.2.1.5.2.1.5.1"
CHANNEL = "1.3.6.1.4.1.14823.2.2.1.5.3.1.6.1"
LLDP = "1.0.8802.1.1.2.1"
SWITCH_ID = "1.3.6.1.4.1.32473.1.1"
CONTROLLER_ID = "1.3.6.1.4.1.14823.1.1.32"

Key = tuple[int, ...]


def key_of(text: str) -> Key:
    return tuple(int(part) for part in text.split("."))


def length(size: int) -> bytes:
    if size < 128:
        return bytes([size])
    body = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(body)]) + body


def tlv(tag: int, body: bytes) -> bytes:
    return bytes([tag]) + length(len(body)) + body


def number(tag: int, value: int) -> bytes:
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def object_id(key: Key) -> bytes:
    body = bytearray([40 * key[0] + key[1]])
    for part in key[2:]:
        groups = [part & 0x7F]
        while part := part >> 7:
            groups.append(0x80 | part & 0x7F)
        body += bytes(reversed(groups))
    return tlv(6, bytes(body))


def text(value: str) -> bytes:
    return tlv(4, value.encode())


class Table:
    """What one sort of device says, encoded, in order of object id."""

    def __init__(self, rows: dict[str, bytes]) -> None:
        pairs = sorted((key_of(oid), value) for oid, value in rows.items())
        self.keys = [key for key, _ in pairs]
        names = [object_id(key) for key in self.keys]
        values = [value for _, value in pairs]
        self.bindings = [tlv(0x30, n + v) for n, v in zip(names, values, strict=True)]
        self.by_name = dict(zip(names, self.bindings, strict=True))
        self.cache: dict[bytes, bytes] = {}

    def answer(self, kind: int, repetitions: int, asked: bytes) -> bytes:
        """Return the list of bindings; ``asked`` is the request's one."""
        cached = asked if kind != _BULK else asked + bytes([repetitions])
        found = self.cache.get(cached)
        if found is None:
            make = self._bulk if kind == _BULK else self._get
            found = self.cache[cached] = make(asked, repetitions)
        return found

    def _get(self, asked: bytes, _: int) -> bytes:
        return tlv(
            0x30,
            b"".join(
                self.by_name.get(name) or tlv(0x30, name + b"\x81\0")
                for name in names_in(asked)
            ),
        )

    def _bulk(self, asked: bytes, repetitions: int) -> bytes:
        places = [bisect_right(self.keys, decoded(name)) for name in names_in(asked)]
        found = [
            self.bindings[place + step]
            if place + step < len(self.keys)
            else tlv(0x30, object_id(self.keys[-1]) + b"\x82\0")
            for step in range(repetitions)
            for place in places
        ]
        return tlv(0x30, b"".join(found))


def read(data: bytes, at: int) -> tuple[int, int]:
    """Return where the body of an element begins and ends."""
    size, at = data[at + 1], at + 2
    if size & 0x80:
        width = size & 0x7F
        size, at = int.from_bytes(data[at : at + width], "big"), at + width
    return at, at + size


def names_in(bindings: bytes) -> list[bytes]:
    at, end = read(bindings, 0)
    names = []
    while at < end:
        inner, at = read(bindings, at)
        names.append(bindings[inner : read(bindings, inner)[1]])
    return names


def decoded(name: bytes) -> Key:
    at, end = read(name, 0)
    parts, part = [name[at] // 40, name[at] % 40], 0
    for octet in name[at + 1 : end]:
        part = part << 7 | octet & 0x7F
        if not octet & 0x80:
            parts.append(part)
            part = 0
    return tuple(parts)


def system(object_id_text: str, descr: str, name: str) -> dict[str, bytes]:
    ticks = 90_000_000 + int(time.monotonic() * 100)
    return {
        "1.3.6.1.2.1.1.1.0": text(descr),
        "1.3.6.1.2.1.1.2.0": object_id(key_of(object_id_text)),
        "1.3.6.1.2.1.1.3.0": number(0x43, ticks % 2**32),
        "1.3.6.1.2.1.1.5.0": text(name),
    }


def switch(rounds: int) -> dict[str, bytes]:
    """Return the objects of a switch that has been polled so many times."""
    rows = system(SWITCH_ID, "Bench switch 48G", "switch")
    rows["1.3.6.1.2.1.2.1.0"] = number(2, PORTS)
    rows["1.3.6.1.2.1.31.1.5.0"] = number(0x43, 4200)
    for port in range(1, PORTS + 1):
        octets = 2**40 + port * 1_000_003 + rounds * 7_500_000 * port
        cells = {
            f"{IF}.2": text(f"GigabitEthernet1/0/{port}"),
            f"{IF}.3": number(2, 6),
            f"{IF}.5": number(0x42, 1_000_000_000),
            f"{IF}.7": number(2, 1),
            f"{IF}.8": number(2, 1 + (port % 5 == 0)),
            f"{IF}.10": number(0x41, octets % 2**32),
            f"{IF}.14": number(0x41, rounds),
            f"{IF}.16": number(0x41, octets * 3 % 2**32),
            f"{IF}.20": number(0x41, 0),
            f"{IFX}.1": text(f"Gi1/0/{port}"),
            f"{IFX}.6": number(0x46, octets),
            f"{IFX}.10": number(0x46, octets * 3),
            f"{IFX}.15": number(0x42, 1000),
            f"{IFX}.18": text(f"Dose {port:02d}"),
            "1.3.6.1.2.1.10.7.2.1.19": number(2, 3),
        }
        rows |= {f"{column}.{port}": value for column, value in cells.items()}
        power = "1.3.6.1.2.1.105.1.1.1"
        rows[f"{power}.3.1.{port}"] = number(2, 1)
        rows[f"{power}.6.1.{port}"] = number(2, 3 - (port % 2))
        rows[f"{power}.10.1.{port}"] = number(2, 4)
        rows[f"{LLDP}.3.7.1.3.{port}"] = text(f"Gi1/0/{port}")
        rows[f"{LLDP}.3.7.1.4.{port}"] = text(f"GigabitEthernet1/0/{port}")
    for port in range(1, NEIGHBOURS + 1):
        told = {
            5: tlv(4, bytes([0, 11, 134, 9, port, 1])),
            7: text("eth0"),
            9: text(f"AP-{port:03d}"),
            12: tlv(4, b"\x10"),  # wlanAccessPoint(3)
        }
        rows |= {f"{LLDP}.4.1.1.{c}.0.{port}.1": v for c, v in told.items()}
    return rows


def controller(rounds: int) -> dict[str, bytes]:
    """Return the objects of a controller with all its access points."""
    rows = system(CONTROLLER_ID, "ArubaOS (MODEL: Aruba7240), Version 8.10.0.9", "wc")
    rows["1.3.6.1.4.1.14823.2.2.1.1.3.1.0"] = number(0x42, APS)
    rows["1.3.6.1.4.1.14823.2.2.1.1.3.2.0"] = number(0x42, 12 * APS)
    for ap in range(APS):
        mac = f"0.11.134.1.{ap}.0"
        cells = {
            3: text(f"AP-{ap:03d}"),
            6: text(f"CNBENCH{ap:03d}"),
            12: number(0x43, 8_640_000 + 6000 * rounds),
            13: text("515"),
            19: number(2, 1),
            34: text("8.10.0.9"),
        }
        rows |= {f"{AP}.{column}.{mac}": value for column, value in cells.items()}
        for radio in range(1, RADIOS + 1):
            five = radio == 1
            index = f"{mac}.{radio}"
            crowd = (ap * 7 + radio + rounds) % 25
            radio_cells = {
                2: number(2, 1 if five else 3),
                3: number(2, 36 if five else 6),
                4: number(2, 36),
                6: number(2, (ap + rounds) % 60),
                7: number(2, crowd),
                15: text("36E" if five else "6"),
                16: text(f"AP-{ap:03d}"),
                17: number(2, 180),
            }
            # Counters of the radio that netmon does not keep, for the raw cycle.
            radio_cells |= {n: number(0x41, 1000 * n + crowd) for n in range(20, 30)}
            rows |= {f"{RADIO}.{c}.{index}": value for c, value in radio_cells.items()}
            rows[f"{CHANNEL}.9.{index}"] = number(2, 92)
            rows[f"{CHANNEL}.12.{index}"] = number(2, 3)
    return rows


class City:
    """Both sorts of devices, and what time does to them."""

    def __init__(self) -> None:
        self.rounds = 0
        self._build()

    def _build(self) -> None:
        self.tables = {1: Table(switch(self.rounds)), 2: Table(controller(self.rounds))}

    def next_round(self) -> None:
        """Let a minute pass."""
        self.rounds += 1
        self._build()

    def reply(self, request: bytes, sort: int) -> bytes | None:
        """Return the response to a v2c request; None for what is none."""
        table = self.tables.get(sort)
        at, _ = read(request, 0)
        if table is None or request[at : at + 3] != b"\2\1\1":
            return None
        pdu = read(request, at + 3)[1]
        kind = request[pdu]
        start, _ = read(request, pdu)
        one = read(request, start)[1]
        two = read(request, one)[1]
        three_at, three = read(request, two)
        repetitions = int.from_bytes(request[three_at:three], "big")
        bindings = table.answer(kind, repetitions, request[three:])
        inner = request[start:one] + b"\2\1\0\2\1\0" + bindings
        return tlv(0x30, request[at:pdu] + b"\xa2" + length(len(inner)) + inner)


def serve(delay_s: float) -> None:
    """Answer until killed."""
    city = City()
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        link.setsockopt(socket.SOL_SOCKET, option, BUFFER)
    link.setsockopt(socket.IPPROTO_IP, _PKTINFO, 1)
    link.bind(("0.0.0.0", 0))
    print("ready", link.getsockname()[1], flush=True)
    waiting: deque[tuple[float, bytes, bytes, object]] = deque()
    while True:
        if waiting:
            left_s = waiting[0][0] - time.monotonic()
            if left_s <= 0 or not select.select([link], [], [], left_s)[0]:
                _, answer, source, client = waiting.popleft()
                link.sendmsg(
                    [answer], [(socket.IPPROTO_IP, _PKTINFO, source)], 0, client
                )
                continue
        request, extra, _, client = link.recvmsg(4096, 64)
        (_, _, wanted) = struct.unpack("I4s4s", extra[0][2])
        if request == b"next":
            city.next_round()
            answer: bytes | None = b"done"
        else:
            answer = city.reply(request, wanted[1])
        if answer is None:
            continue
        source = struct.pack("I4s4s", 0, wanted, b"\0\0\0\0")
        if delay_s and request != b"next":
            waiting.append((time.monotonic() + delay_s, answer, source, client))
        else:
            link.sendmsg([answer], [(socket.IPPROTO_IP, _PKTINFO, source)], 0, client)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay-s", type=float, default=0.0)
    serve(parser.parse_args().delay_s)
