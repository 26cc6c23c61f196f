"""What the kernel says of its clock: is anybody keeping it on time (adjtimex(2)).

Asking needs no rights. The struct and the constants are those of linux/timex.h;
the kernel's own longs, so that 32-bit boards are read correctly too.
"""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


class _Timex(ctypes.Structure):
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        # The rest is not looked at, but the kernel writes it: 208 bytes at most.
        ("rest", ctypes.c_char * 256),
    )


@dataclass(frozen=True, slots=True)
class KernelClock:
    """``max_error_s`` is the kernel's own bound; it grows while nobody corrects."""

    synchronised: bool
    max_error_s: float


def kernel_clock() -> KernelClock | None:
    """Return how the clock is kept; None where the system can't be asked."""
    if sys.platform != "linux":
        return None
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    asked = _Timex()
    state = adjtimex(ctypes.byref(asked))
    if state < 0:
        return None
    unsynchronised = state == _TIME_ERROR or asked.status & _STA_UNSYNC
    return KernelClock(not unsynchronised, asked.maxerror / 1e6)
