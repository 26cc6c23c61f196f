"""An SNMP agent for the lab's router: its WAN counters, fresh or refreshed rarely.

``python -m netmon.demo.lab.router_agent DEVICE REFRESH_S``; prints ``up``. It speaks
v2c GET for ifHCInOctets.1, ifHCOutOctets.1 and sysUpTime.0 and nothing more, so that
answering 50 times a second costs next to nothing. ``REFRESH_S`` 0 reads the port for
every request; else a thread copies the counters so often, as real routers do.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path

_IN = bytes.fromhex("2b060102011f01010106") + b"\x01"
_OUT = bytes.fromhex("2b060102011f0101010a") + b"\x01"
_UPTIME = bytes.fromhex("2b06010201010300")
_SEQUENCE, _INTEGER, _OCTETS, _OID, _NULL = 0x30, 0x02, 0x04, 0x06, 0x05
_GET, _RESPONSE = 0xA0, 0xA2
_COUNTER64, _TICKS = 0x46, 0x43
_NO_SUCH_OBJECT = b"\x80\x00"


def _length(size: int) -> bytes:
    if size < 128:
        return bytes([size])
    raw = size.to_bytes(2, "big")
    return b"\x82" + raw


def _tlv(tag: int, body: bytes) -> bytes:
    return bytes([tag]) + _length(len(body)) + body


def _number(tag: int, value: int) -> bytes:
    return _tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _read(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Return tag, body and where the next element begins."""
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 0x80:
        width = size & 0x7F
        size, at = int.from_bytes(data[at : at + width], "big"), at + width
    return tag, data[at : at + size], at + size


class Counters:
    """The port's counters as the agent shows them."""

    def __init__(self, device: str, refresh_s: float) -> None:
        base = Path("/sys/class/net") / device / "statistics"
        self._files = [
            (base / n).open("rb", buffering=0) for n in ("rx_bytes", "tx_bytes")
        ]
        self._shown = self._now()
        self._refresh_s = refresh_s
        if refresh_s > 0:
            threading.Thread(target=self._refresh, daemon=True).start()

    def _now(self) -> tuple[int, int]:
        values = []
        for file in self._files:
            file.seek(0)
            values.append(int(file.read(32)))
        return values[0], values[1]

    def _refresh(self) -> None:
        due_s = time.monotonic()
        while True:
            due_s += self._refresh_s
            time.sleep(max(0.0, due_s - time.monotonic()))
            self._shown = self._now()

    def read(self) -> tuple[int, int]:
        """Return octets received and sent, as old as the refresh makes them."""
        return self._shown if self._refresh_s > 0 else self._now()


def answer(request: bytes, counters: Counters, started_s: float) -> bytes:
    """Return the response to a GET."""
    _, message, _ = _read(request, 0)
    _, _, at = _read(message, 0)
    _, community, at = _read(message, at)
    _, pdu, _ = _read(message, at)
    _, request_id, at = _read(pdu, 0)
    _, _, at = _read(pdu, at)
    _, _, at = _read(pdu, at)
    _, bindings, _ = _read(pdu, at)
    into, out = counters.read()
    ticks = int((time.monotonic() - started_s) * 100) % 2**32
    known = {
        _IN: _number(_COUNTER64, into),
        _OUT: _number(_COUNTER64, out),
        _UPTIME: _number(_TICKS, ticks),
    }
    body, at = b"", 0
    while at < len(bindings):
        _, binding, at = _read(bindings, at)
        _, oid, _ = _read(binding, 0)
        value = known.get(oid, _NO_SUCH_OBJECT)
        body += _tlv(_SEQUENCE, _tlv(_OID, oid) + value)
    zero = _number(_INTEGER, 0)
    response = _tlv(
        _RESPONSE, _tlv(_INTEGER, request_id) + zero + zero + _tlv(_SEQUENCE, body)
    )
    return _tlv(_SEQUENCE, _number(_INTEGER, 1) + _tlv(_OCTETS, community) + response)


def serve(device: str, refresh_s: float) -> None:
    """Answer on UDP port 161 until killed."""
    counters, started_s = Counters(device, refresh_s), time.monotonic()
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", 161))
    sys.stdout.write("up\n")
    sys.stdout.flush()
    while True:
        request, peer = server.recvfrom(4096)
        server.sendto(answer(request, counters, started_s), peer)


if __name__ == "__main__":
    try:
        serve(sys.argv[1], float(sys.argv[2]))
    except KeyboardInterrupt:
        sys.exit(0)
