"""The probe's certificate: what it could prove at all, whatever the line carries.

A result near what the port or the machine can carry is *probe-limited*: the line
carries at least that much, and how much more the probe can't know. So it becomes a
lower bound and never raises an alarm. How the machine did *during* a test
(processor, lateness) is another question and not answered here.

Pure; `probes.certifier` reads what stands in a certificate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

# TCP payload of a full Ethernet frame as it takes up the wire: 1448 of
# 1514 + FCS 4 + preamble 8 + gap 12 bytes (IEEE 802.3; timestamps in TCP).
PAYLOAD_SHARE = 1448 / 1538
# So close to what the probe can carry, nobody can tell who was the limit.
MARGIN = 0.03
# A board without a battery starts in 1970: the catalogue takes no such offset, and
# the result must not be lost for it.
MAX_OFFSET_S = 20 * 366 * 86_400.0
Values = dict[str, float | None]


class Part(StrEnum):
    """What of the probe sets the limit."""

    PORT = "port"
    DUPLEX = "duplex"
    LOOPBACK = "loopback"


class Certificate(Struct, frozen=True, kw_only=True):
    """What is known of the probe; None is *not known*, never *without limit*.

    ``clock_offset_s`` is this machine's clock minus the gateway's, give or take
    ``clock_uncertainty_s``.
    """

    port_speed_bps: float | None = None
    full_duplex: bool | None = None
    loopback_ceiling_bps: float | None = None
    loopback_age_s: float | None = None
    cpu_count: int = 1
    clock_offset_s: float | None = None
    clock_uncertainty_s: float | None = None


def limits_of(certificate: Certificate) -> float:
    """Return the highest payload rate in bit/s that the probe can prove.

    Infinite where neither port nor ceiling is known (a virtual port names no
    speed), 0 at half duplex: acknowledgements collide with the data there.
    """
    return min((rate for rate, _ in _limits(certificate)), default=math.inf)


def limiting_part(certificate: Certificate) -> Part | None:
    """Return what sets the limit; None where nothing is known."""
    return min(_limits(certificate), default=(0.0, None), key=lambda each: each[0])[1]


def is_probe_limited(rate_bps: float, certificate: Certificate) -> bool:
    """Say whether the probe itself may have been the limit of a payload rate."""
    return rate_bps >= (1 - MARGIN) * limits_of(certificate)


def can_prove(threshold_bps: float, certificate: Certificate) -> bool:
    """Say whether some result at or above the threshold would be the line's own."""
    return not is_probe_limited(threshold_bps, certificate)


def values_of(certificate: Certificate) -> Values:
    """Return what travels with each result, named as in the kind ``throughput``."""
    offset_s = certificate.clock_offset_s
    if offset_s is not None and abs(offset_s) > MAX_OFFSET_S:
        offset_s = None
    return {
        "port_speed_bps": certificate.port_speed_bps,
        "loopback_ceiling_bps": certificate.loopback_ceiling_bps,
        "clock_offset_s": offset_s,
    }


def attach(values: Mapping[str, float | None], certificate: Certificate) -> Values:
    """Return a throughput result's values with the certificate beside them.

    A rate that the probe may have limited becomes the lower bound it is
    (``at_least_down_bps``), without interval and capacity; so does a range whose
    upper end it may have limited. What the values say of the probe stays: the test
    itself knew better.
    """
    found = dict(values)
    for way in ("down", "up"):
        names = [f"rate_{way}{part}_bps" for part in ("", "_low", "_high")]
        rate_bps, low_bps, high_bps = (found.get(name) for name in names)
        top_bps = high_bps if rate_bps is None else rate_bps
        if top_bps is None or not is_probe_limited(top_bps, certificate):
            continue
        for name in (*names, f"capacity_{way}_bps"):
            found.pop(name, None)
        shown_bps = rate_bps if low_bps is None else low_bps
        bounds = (shown_bps, found.get(f"at_least_{way}_bps"))
        proven = [bound for bound in bounds if bound is not None]
        if proven:
            found[f"at_least_{way}_bps"] = max(proven)
    return {**values_of(certificate), **found}


def _limits(certificate: Certificate) -> list[tuple[float, Part]]:
    found: list[tuple[float, Part]] = []
    if certificate.full_duplex is False:
        found.append((0.0, Part.DUPLEX))
    if certificate.port_speed_bps is not None:
        found.append((PAYLOAD_SHARE * certificate.port_speed_bps, Part.PORT))
    if certificate.loopback_ceiling_bps is not None:
        found.append((certificate.loopback_ceiling_bps, Part.LOOPBACK))
    return found
