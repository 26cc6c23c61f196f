"""A tiny SNMP responder: v2c GET of a router's octet counters and nothing more.

It needs some 30 microseconds for an answer, so that a probe can ask 200 times a second
without disturbing the line it measures. BER as in RFC 3416 and X.690.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
IF_HC_IN_OCTETS = "1.3.6.1.2.1.31.1.1.1.6"
IF_HC_OUT_OCTETS = "1.3.6.1.2.1.31.1.1.1.10"

_SEQUENCE, _INTEGER, _OCTETS, _OID = 0x30, 0x02, 0x04, 0x06
_GET, _RESPONSE = 0xA0, 0xA2
_COUNTER64, _TICKS = 0x46, 0x43
_NO_SUCH_OBJECT = b"\x80\x00"
_V2C = b"\x01"

# Reads a port once: octets in and out.
ReadPort = Callable[[], tuple[int, int]]


def oid(text: str) -> bytes:
    """Return the BER body of an object id that begins with 1.3."""
    first, second, *rest = (int(part) for part in text.split("."))
    body = bytearray([40 * first + second])
    for part in rest:
        groups = [part & 0x7F]
        while part := part >> 7:
            groups.append(0x80 | part & 0x7F)
        body += bytes(reversed(groups))
    return bytes(body)


class Responder:
    """Answers for the ports of a router, by ifIndex; each answer reads those asked for.

    ``community`` None lets everybody ask.
    """

    def __init__(
        self, ports: Mapping[int, ReadPort], community: bytes | None = None
    ) -> None:
        self._community = community
        self._started_s = time.monotonic()
        self._objects: dict[bytes, tuple[ReadPort, int]] = {}
        for index, read in ports.items():
            self._objects[oid(f"{IF_HC_IN_OCTETS}.{index}")] = read, 0
            self._objects[oid(f"{IF_HC_OUT_OCTETS}.{index}")] = read, 1

    def answer(self, request: bytes) -> bytes | None:
        """Return the response to a GET; None for anything else, which gets none."""
        try:
            return self._answer(request)
        except (IndexError, ValueError):
            return None

    def _answer(self, request: bytes) -> bytes | None:
        _, message, _ = _read(request, 0)
        _, version, at = _read(message, 0)
        _, given, at = _read(message, at)
        kind, pdu, _ = _read(message, at)
        allowed = self._community in (None, given)
        if version != _V2C or kind != _GET or not allowed:
            return None
        _, request_id, at = _read(pdu, 0)
        _, _, at = _read(pdu, at)
        _, _, at = _read(pdu, at)
        _, bindings, _ = _read(pdu, at)
        zero = _number(_INTEGER, 0)
        body = _tlv(_SEQUENCE, self._bind(bindings))
        response = _tlv(_RESPONSE, _tlv(_INTEGER, request_id) + zero + zero + body)
        head = _tlv(_INTEGER, version) + _tlv(_OCTETS, given)
        return _tlv(_SEQUENCE, head + response)

    def _bind(self, bindings: bytes) -> bytes:
        """Return the bindings with their values, all of one moment."""
        read: dict[ReadPort, tuple[int, int]] = {}
        body, at = b"", 0
        while at < len(bindings):
            _, binding, at = _read(bindings, at)
            _, name, _ = _read(binding, 0)
            body += _tlv(_SEQUENCE, _tlv(_OID, name) + self._value(name, read))
        return body

    def _value(self, name: bytes, read: dict[ReadPort, tuple[int, int]]) -> bytes:
        if name == _UPTIME:
            ticks = int((time.monotonic() - self._started_s) * 100)
            return _number(_TICKS, ticks % 2**32)
        if name not in self._objects:
            return _NO_SUCH_OBJECT
        port, side = self._objects[name]
        if port not in read:
            read[port] = port()
        return _number(_COUNTER64, read[port][side])


def _length(size: int) -> bytes:
    if size < 128:
        return bytes([size])
    return b"\x82" + size.to_bytes(2, "big")


def _tlv(tag: int, body: bytes) -> bytes:
    return bytes([tag]) + _length(len(body)) + body


def _number(tag: int, value: int) -> bytes:
    return _tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _read(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Return tag, body and where the next element begins; IndexError if it is cut."""
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 0x80:
        width = size & 0x7F
        size, at = int.from_bytes(data[at : at + width], "big"), at + width
    if at + size > len(data):
        raise IndexError
    return tag, data[at : at + size], at + size


_UPTIME = oid(SYS_UPTIME)
