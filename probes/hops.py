"""Routers on the way, asked without root: small TTL and the socket's error queue.

As tracepath does: a UDP datagram with a small TTL makes the router at that distance
answer "time exceeded", which Linux hands to the very socket that sent it (IP_RECVERR,
ip(7)). Each datagram has a socket of its own, so that the kernel does the matching:
a router may quote no more than the first eight bytes of what it dropped.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import sys
import time
from dataclasses import dataclass
from enum import StrEnum

from probes.measure_protocol import ECHO_MIN_BYTES, ECHO_REQUEST

Target = tuple[str, int] | tuple[str, int, int, int]

# linux/in.h, linux/in6.h, linux/socket.h; Python names only some of them.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_MSG_ERRQUEUE = 0x2000
# struct sock_extended_err, linux/errqueue.h: errno, origin, type, code, pad, info, data.
_EXTENDED = struct.Struct("=IBBBBII")
_ORIGIN_ICMP, _ORIGIN_ICMP6 = 2, 3
_EXCEEDED = {_ORIGIN_ICMP: 11, _ORIGIN_ICMP6: 3}
# Port unreachable: only the target itself says so.
_AT_TARGET = {_ORIGIN_ICMP: (3, 3), _ORIGIN_ICMP6: (1, 4)}
_PAYLOAD = ECHO_REQUEST.ljust(ECHO_MIN_BYTES, b"\0")


class Told(StrEnum):
    """What came back of one datagram."""

    EXCEEDED = "exceeded"
    REACHED = "reached"
    ERROR = "error"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Answer:
    """``rtt_s`` is None without an answer, ``error`` only of `Told.ERROR`.

    ``router`` is the address of who answered by ICMP, to tell routers apart within
    a run; it is never stored.
    """

    told: Told
    rtt_s: float | None = None
    error: OSError | None = None
    router: str = ""


def has_error_queue() -> bool:
    """Say whether this system hands ICMP answers to a plain UDP socket."""
    if sys.platform != "linux":
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        except OSError:
            return False
    return True


async def ask_hop(
    family: socket.AddressFamily, target: Target, ttl: int, wait_s: float
) -> Answer:
    """Send one datagram towards ``target`` that lives for ``ttl`` hops.

    What could not be sent (no route, no permission) is an answer of its own, too.
    """
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        heard: asyncio.Future[float] = loop.create_future()

        def note() -> None:
            if not heard.done():
                heard.set_result(time.monotonic())

        # An entry in the error queue wakes a reader, too (EPOLLERR).
        loop.add_reader(sock.fileno(), note)
        try:
            sock.connect(target)
            sent_s = time.monotonic()
            sock.send(_PAYLOAD)
            async with asyncio.timeout(wait_s):
                heard_s = await heard
        except TimeoutError:
            return Answer(Told.NOTHING)
        except OSError as error:
            return Answer(Told.ERROR, None, error)
        finally:
            loop.remove_reader(sock.fileno())
        return _read(sock, heard_s - sent_s)


def _read(sock: socket.socket, rtt_s: float) -> Answer:
    try:
        _, ancillary, _, _ = sock.recvmsg(512, 512, _MSG_ERRQUEUE)
    except BlockingIOError:
        # Nothing in the queue: it was an answer of the target.
        return Answer(Told.REACHED, rtt_s)
    for level, kind, data in ancillary:
        if (level, kind) not in {
            (socket.IPPROTO_IP, _IP_RECVERR),
            (socket.IPPROTO_IPV6, _IPV6_RECVERR),
        }:
            continue
        number, origin, icmp_type, code, *_ = _EXTENDED.unpack_from(data)
        router = _offender(data[_EXTENDED.size :])
        if icmp_type == _EXCEEDED.get(origin):
            return Answer(Told.EXCEEDED, rtt_s, router=router)
        if (icmp_type, code) == _AT_TARGET.get(origin):
            return Answer(Told.REACHED, rtt_s, router=router)
        return Answer(Told.ERROR, rtt_s, OSError(number, "refused on the way"), router)
    return Answer(Told.ERROR, rtt_s, OSError(errno.EPROTO, "no reason given"))


def _offender(sockaddr: bytes) -> str:
    """Return the address that SO_EE_OFFENDER points at; empty for the own kernel."""
    if len(sockaddr) < 16:
        return ""
    (family,) = struct.unpack_from("=H", sockaddr)
    if family == socket.AF_INET:
        return socket.inet_ntop(family, sockaddr[4:8])
    if family == socket.AF_INET6 and len(sockaddr) >= 24:
        return socket.inet_ntop(family, sockaddr[8:24])
    return ""
