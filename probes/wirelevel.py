"""Bytes where they cross the wire: the port's own counters and TCP_INFO.

An application's byte count lies in short windows: after a loss the held-back data
arrives at once. Struct offsets of TCP_INFO: linux/tcp.h, fixed by the kernel's ABI.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from probes.measure_protocol import Direction

TCP_INFO_BYTES = 280
# Ethernet 14 + IPv4 20 + TCP 20 + timestamps 12.
HEADER_BYTES = 66
_FRAME_PER_PAYLOAD = 1514 / 1448
_WORDS = struct.Struct("24I")
_MSS, _RTT_US, _TOTAL_RETRANS = 2, 15, 23
_OLDEST_BYTES = 200


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """What the kernel knows of a connection; all but the last is its sending side."""

    mss_bytes: int
    rtt_s: float
    retransmitted: int
    delivered: int
    acked_bytes: int
    busy_us: int
    rwnd_limited_us: int
    sndbuf_limited_us: int
    received_bytes: int


def tcp_info(sock: socket.socket) -> TcpInfo:
    """Return the kernel's figures; ``delivered`` counts segments that arrived.

    Raises:
        OSError: no TCP socket, or an older kernel without these fields.
    """
    raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
    if len(raw) < _OLDEST_BYTES:
        raise OSError("the kernel's TCP_INFO is too old for this method")
    words = _WORDS.unpack_from(raw, 8)
    acked, received = struct.unpack_from("2Q", raw, 120)
    busy, rwnd, sndbuf = struct.unpack_from("3Q", raw, 168)
    (delivered,) = struct.unpack_from("I", raw, 192)
    return TcpInfo(
        mss_bytes=words[_MSS],
        rtt_s=words[_RTT_US] / 1e6,
        retransmitted=words[_TOTAL_RETRANS],
        delivered=delivered,
        acked_bytes=acked,
        busy_us=busy,
        rwnd_limited_us=rwnd,
        sndbuf_limited_us=sndbuf,
        received_bytes=received,
    )


class OwnOctets(Protocol):
    """Counts the L2 octets (without FCS) that a test itself moves.

    ``basis`` says where: ``wire`` at this machine's port, ``tcp`` at its sockets.
    """

    basis: Literal["wire", "tcp"]

    def read(self, direction: Direction, sockets: Sequence[socket.socket]) -> float:
        """Return the octets so far; only differences mean something."""

    def close(self) -> None:
        """Give back what it holds."""


class PortOctets:
    """Downloads as the port received them, uploads as segments that arrived.

    Everything the port receives counts as ours: right for a probe with a port of
    its own.
    """

    basis: Literal["wire", "tcp"] = "wire"

    def __init__(self, interface: str) -> None:
        """Open the port's counter; OSError where there is no such port."""
        self._port = PortCounter(interface)

    def read(self, direction: Direction, sockets: Sequence[socket.socket]) -> float:
        """Return the octets so far."""
        if direction == "down":
            return float(self._port.read())
        return delivered_octets(sockets)

    def close(self) -> None:
        """Close the counter."""
        self._port.close()


class SocketOctets:
    """What the kernel counted for the test's own sockets, with headers added.

    For a port that others share (loopback in the demo). After a loss the receiving
    side shows held-back data at once, so its short windows are worth less.
    """

    basis: Literal["wire", "tcp"] = "tcp"

    def read(self, direction: Direction, sockets: Sequence[socket.socket]) -> float:
        """Return the octets so far."""
        infos = [tcp_info(sock) for sock in sockets]
        if direction == "down":
            payload = sum(info.received_bytes for info in infos)
        else:
            payload = sum(info.acked_bytes for info in infos)
        return payload * _FRAME_PER_PAYLOAD

    def close(self) -> None:
        """Hold nothing."""


OwnSource = Callable[[], OwnOctets]


def delivered_octets(sockets: Sequence[socket.socket]) -> float:
    """Return L2 octets of the segments that have arrived at the peer."""
    infos = [tcp_info(sock) for sock in sockets]
    return float(sum(i.delivered * (i.mss_bytes + HEADER_BYTES) for i in infos))


class PortCounter:
    """Octets received by a network port, read from /sys without opening anew."""

    def __init__(self, interface: str, name: str = "rx_bytes") -> None:
        """Open the counter; OSError where there is no such port."""
        path = Path("/sys/class/net") / interface / "statistics" / name
        self._file = path.open("rb", buffering=0)

    def read(self) -> int:
        """Return the octets so far."""
        self._file.seek(0)
        return int(self._file.read(32))

    def close(self) -> None:
        """Close the counter."""
        self._file.close()
