"""Holds packets back for a fixed time: ``python -m netmon.demo.lab.delay A B SECONDS``.

A pair of TUN devices named ``delay``: what is routed into the one of namespace A
comes out of the one in B after the delay. With virtio headers and TSO a read is up
to 64 kB, so Python carries more than a Gbit/s. Prints ``up`` when it stands.

Constants: linux/if_tun.h, linux/sched.h.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import struct
import sys
import time
from collections import deque
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_TUNSETOFFLOAD = 0x400454D0
_IFF_TUN, _IFF_NO_PI, _IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
_TUN_F_CSUM, _TUN_F_TSO4 = 0x01, 0x02
_MAX = 70_000
_QUEUE_LENGTH = 20_000
_NAP_S = 0.0004


def _open_tun(namespace: str) -> int:
    with Path(f"/run/netns/{namespace}").open("rb") as handle:
        if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    flags = _IFF_TUN | _IFF_NO_PI | _IFF_VNET_HDR
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", b"delay", flags))
    fcntl.ioctl(tun, _TUNSETOFFLOAD, _TUN_F_CSUM | _TUN_F_TSO4)
    return tun


def forward(source: int, target: int, delay_s: float) -> None:
    """Carry packets from one device to the other until killed."""
    held: deque[tuple[float, bytes]] = deque()
    poller = select.poll()
    poller.register(source, select.POLLIN)
    clock = time.monotonic
    while True:
        if held:
            # poll() knows whole milliseconds only; a short sleep is exact enough
            # and, unlike spinning, leaves the core to those who are measured.
            time.sleep(max(0.0, min(held[0][0] - clock(), _NAP_S)))
        else:
            poller.poll()
        try:
            for _ in range(64):
                packet = os.read(source, _MAX)
                if len(held) < _QUEUE_LENGTH:
                    held.append((clock() + delay_s, packet))
        except BlockingIOError:
            pass
        now = clock()
        while held and held[0][0] <= now:
            try:
                os.write(target, held.popleft()[1])
            except OSError:
                continue  # its queue is full, or it is not up yet: lost, as on a line


if __name__ == "__main__":
    first, second, seconds = sys.argv[1:]
    ends = _open_tun(first), _open_tun(second)
    os.write(1, b"up\n")
    try:
        forward(*ends, float(seconds))
    except KeyboardInterrupt:
        sys.exit(0)
