"""What makes no sense in a probe's settings, each with its field and its fix."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from netmon.wire import TAG_VALUE
from probes.address import parse_address
from probes.measure_protocol import ECHO_MAX_BYTES, ECHO_MIN_BYTES
from probes.settings import ProbeSettings
from probes.wan import WanSettings

# Each is asked at every run, by every probe of the city.
MAX_ANCHORS = 4


def wrong(settings: ProbeSettings) -> Iterator[tuple[str, str, str]]:
    """Yield (field, text, fix) for each value that makes no sense."""
    for field in ("probe", "building", "line"):
        if TAG_VALUE.match(getattr(settings, field)) is None:
            yield field, "is no name", "use 1 to 128 printable characters"
    if not settings.gateway.url.startswith(("http://", "https://")):
        text = f"{settings.gateway.url!r} is no web address"
        yield "gateway.url", text, "write it like 'https://netmon.example.org'"
    for field, file in (
        ("gateway.token_file", settings.gateway.token_file),
        ("server.token_file", settings.server.token_file),
    ):
        if not file:
            yield field, "is empty", "name the file that holds the token"
    try:
        parse_address(settings.server.address)
    except ValueError as error:
        yield "server.address", str(error), "name host and port"
    if settings.spool_max_records < 1:
        text = f"{settings.spool_max_records} holds nothing"
        yield "spool_max_records", text, "use 1 or more, e.g. 200000"
    yield from _wrong_ports(settings)
    yield from _wrong_anchors(settings.path.anchors)
    yield from _wrong_numbers(settings)


def _wrong_ports(settings: ProbeSettings) -> Iterator[tuple[str, str, str]]:
    lines = [each.line for each in settings.wan]
    for number, each in enumerate(settings.wan):
        field = f"wan[{number}]"
        if lines.count(each.line) > 1:
            yield f"{field}.line", "is named twice", "one table for each line's port"
        try:
            parse_address(each.address)
        except ValueError as error:
            yield f"{field}.address", str(error), "the router's SNMP port, mostly 161"
        if each.if_index < 1:
            text = f"{each.if_index} is no port"
            yield f"{field}.if_index", text, "see 'snmpwalk ROUTER ifName'"
        yield from _wrong_access(field, each)


def _wrong_anchors(anchors: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    for anchor in anchors:
        try:
            parse_address(anchor)
        except ValueError as error:
            yield "path.anchors", str(error), "name host and port of each"
    if len(anchors) > MAX_ANCHORS:
        text = f"{len(anchors)} are too many"
        yield "path.anchors", text, f"name at most {MAX_ANCHORS}"


def _wrong_access(field: str, port: WanSettings) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with who asks the router."""
    if port.user and port.community_file:
        text, fix = "names a user and a community", "keep the user (SNMPv3)"
        yield f"{field}.community_file", text, fix
    if port.user:
        for name in ("auth_file", "priv_file"):
            if not getattr(port, name):
                yield f"{field}.{name}", "is empty", "name the file with the secret"
    elif not port.community_file:
        fix = "name an SNMPv3 user with auth_file and priv_file, or a community's file"
        yield f"{field}.user", "is empty", fix


def _wrong_numbers(settings: ProbeSettings) -> Iterator[tuple[str, str, str]]:
    throughput, latency, dns = settings.throughput, settings.latency, settings.dns
    uplink, path = settings.uplink, settings.path
    for field, value, low, high in (
        ("throughput.interval_s", throughput.interval_s, 0, 7 * 86400),
        ("throughput.warmup_s", throughput.warmup_s, 0, 20),
        ("throughput.window_s", throughput.window_s, 0.1, 20),
        ("throughput.max_bytes", throughput.max_bytes, 10_000, 4 * 1024**3),
        ("latency.interval_s", latency.interval_s, 0, 7 * 86400),
        ("latency.count", latency.count, 1, 10_000),
        ("latency.spacing_s", latency.spacing_s, 0, 10),
        ("latency.wait_s", latency.wait_s, 0.01, 30),
        ("latency.size_bytes", latency.size_bytes, ECHO_MIN_BYTES, ECHO_MAX_BYTES),
        ("dns.interval_s", dns.interval_s, 0, 7 * 86400),
        ("dns.port", dns.port, 1, 65535),
        ("dns.timeout_s", dns.timeout_s, 0.01, 60),
        ("uplink.passive_interval_s", uplink.passive_interval_s, 0.1, 3600),
        ("uplink.assignment_interval_s", uplink.assignment_interval_s, 0.1, 3600),
        ("uplink.confirm_spacing_s", uplink.confirm_spacing_s, 0.1, 3600),
        ("uplink.patience_s", uplink.patience_s, 1, 3600),
        ("uplink.proof_valid_s", uplink.proof_valid_s, 0, 86400),
        ("uplink.tick_s", uplink.tick_s, 0.05, 60),
        ("link.interval_s", settings.link.interval_s, 0, 7 * 86400),
        ("path.interval_s", path.interval_s, 0, 7 * 86400),
        ("path.count", path.count, 1, 20),
        ("path.spacing_s", path.spacing_s, 0, 2),
        ("path.wait_s", path.wait_s, 0.01, 5),
        ("path.provider_hop", path.provider_hop, 2, 10),
        ("health.interval_s", settings.health.interval_s, 0, 7 * 86400),
    ):
        if not low <= value <= high:
            text = f"{value:g} is outside {low:g} to {high:g}"
            yield field, text, f"choose a value from {low:g} to {high:g}"
    if dns.server:
        try:
            ipaddress.ip_address(dns.server)
        except ValueError:
            text = f"{dns.server!r} is no IP address"
            yield "dns.server", text, "write the server's IP address or leave it out"
