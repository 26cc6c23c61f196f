"""``netmon probe doctor``: everything an installer needs, checked in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from probes.doctor import files, gateway, machine, router, server
from probes.doctor.base import Check, Finding, Grade, Place

# All checks in the order they are made: from this machine outwards.
CHECKS: Mapping[str, Check] = {
    "settings": files.settings,
    "secrets": files.secrets,
    "spool": files.spool,
    "port": machine.port,
    "processor": machine.processor,
    "clock": machine.clock,
    "kernel": machine.kernel,
    "dns": gateway.dns,
    "gateway": gateway.gateway,
    "gateway_clock": gateway.gateway_clock,
    "server": server.server,
    "echo": server.echo,
    "path": router.path,
    "counters": router.counters,
}


async def examine(place: Place) -> AsyncIterator[tuple[str, Finding]]:
    """Make all checks and give each finding with its check's name, as it comes."""
    for name, check in CHECKS.items():
        for finding in await check(place):
            yield name, finding


__all__ = ["CHECKS", "Check", "Finding", "Grade", "Place", "examine"]
