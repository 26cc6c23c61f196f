"""The context that the doctor's checks hand to the probes they borrow."""

from __future__ import annotations

from netmon.config import Secret
from netmon.errors import ConfigError
from probes.address import parse_address
from probes.base import MeasureAddress, ProbeContext
from probes.config import measure_address
from probes.doctor.base import Place
from probes.settings import ProbeSettings


def context_of(settings: ProbeSettings, place: Place) -> ProbeContext:
    """Return a probe's context; without a readable token with an empty one."""
    try:
        server = measure_address(settings)
    except ConfigError:
        host, port = parse_address(settings.server.address)
        server = MeasureAddress(host, port, Secret(""))
    return ProbeContext(
        building=settings.building,
        line=settings.line,
        probe=settings.probe,
        server=server,
        clock=place.clock,
    )
