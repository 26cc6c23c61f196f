"""Bytes where they cross the wire: the port's own counters and TCP_INFO.

An application's byte count lies in short windows: after a loss the held-back data
arrives at once. Struct offsets of TCP_INFO: linux/tcp.h, fixed by the kernel's ABI.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from pathlib import Path

TCP_INFO_BYTES = 280
# Ethernet 14 + IPv4 20 + TCP 20 + timestamps 12.
HEADER_BYTES = 66
_WORDS = struct.Struct("24I")
_MSS, _RTT_US, _TOTAL_RETRANS = 2, 15, 23


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """What the kernel knows of a connection's sending side."""

    mss_bytes: int
    rtt_s: float
    retransmitted: int
    delivered: int
    busy_us: int
    rwnd_limited_us: int
    sndbuf_limited_us: int


def tcp_info(sock: socket.socket) -> TcpInfo:
    """Return the kernel's figures; ``delivered`` counts segments that arrived.

    Raises:
        OSError: no TCP socket, or an older kernel without these fields.
    """
    raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
    if len(raw) < 200:
        raise OSError("the kernel's TCP_INFO is too old for this method")
    words = _WORDS.unpack_from(raw, 8)
    busy, rwnd, sndbuf = struct.unpack_from("3Q", raw, 168)
    (delivered,) = struct.unpack_from("I", raw, 192)
    return TcpInfo(
        mss_bytes=words[_MSS],
        rtt_s=words[_RTT_US] / 1e6,
        retransmitted=words[_TOTAL_RETRANS],
        delivered=delivered,
        busy_us=busy,
        rwnd_limited_us=rwnd,
        sndbuf_limited_us=sndbuf,
    )


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
