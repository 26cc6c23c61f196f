"""DNS: how long one name takes at the system's resolver or at a given one.

Called ``probes.dns``; the library of the same name is imported absolutely.
"""

from __future__ import annotations

import ipaddress
import time

import dns.asyncresolver
import dns.exception
import dns.resolver
from msgspec import Struct

from netmon.model import FailureReason
from probes.base import ProbeContext, ProbeResult, failed, measured
from probes.failures import classify


class DnsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Which name, asked where.

    ``server`` is an IP address; empty means the servers this machine uses.
    """

    interval_s: float = 300.0
    name: str = "www.dortmund.de"
    record_type: str = "A"
    server: str = ""
    port: int = 53
    timeout_s: float = 5.0


class DnsProbe:
    """Measures the time until a name is resolved."""

    name = "dns"
    kind = "dns"

    def __init__(self, settings: DnsSettings | None = None) -> None:
        self._settings = settings or DnsSettings()
        self.limit_s = self._settings.timeout_s + 5.0

    def tags(self, context: ProbeContext) -> dict[str, str]:
        """Return building and line."""
        return {"building": context.building, "line": context.line}

    async def run(self, context: ProbeContext) -> ProbeResult:
        """Ask once; a name that does not exist is a failure, as is no answer."""
        settings = self._settings
        try:
            resolver = _resolver(settings)
        except dns.resolver.NoResolverConfiguration:
            return failed(FailureReason.UNSUPPORTED, "this machine has no DNS server")
        context.emit(
            "dns_start",
            {"name": settings.name, "server": str(resolver.nameservers[0])},
        )
        started_s = time.monotonic()
        try:
            await resolver.resolve(
                settings.name, settings.record_type, lifetime=settings.timeout_s
            )
        except (dns.exception.DNSException, OSError) as error:
            return failed(*_reason(error))
        return measured({"duration_s": time.monotonic() - started_s})


def _resolver(settings: DnsSettings) -> dns.asyncresolver.Resolver:
    resolver = dns.asyncresolver.Resolver(configure=not settings.server)
    if settings.server:
        resolver.nameservers = [str(ipaddress.ip_address(settings.server))]
    resolver.port = settings.port
    return resolver


def _reason(error: Exception) -> tuple[FailureReason, str]:
    """Return the reason; dnspython's own texts hold addresses."""
    match error:
        case dns.resolver.NXDOMAIN():
            return FailureReason.DNS, "the name does not exist"
        case dns.resolver.NoAnswer():
            return FailureReason.DNS, "the name has no record of this type"
        case dns.resolver.NoNameservers():
            return FailureReason.DNS, "every server answered with an error"
        case dns.exception.Timeout():
            return FailureReason.TIMEOUT, "no server answered in time"
        case dns.exception.DNSException():
            return FailureReason.PROTOCOL, type(error).__name__
        case _:
            return classify(error)
