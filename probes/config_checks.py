"""What makes no sense in a probe's settings, each with its field and its fix."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from netmon.wire import TAG_VALUE
from probes.address import parse_address
from probes.measure_protocol import ECHO_MAX_BYTES, ECHO_MIN_BYTES
from probes.settings import ProbeSettings
from probes.wan import WanSettings

# Each is asked at every run, by every probe of the city.
MAX_ANCHORS = 4


# Field, code of the message, and what the message tells.
Wrong = tuple[str, str, Mapping[str, object]]


def wrong(settings: ProbeSettings) -> Iterator[Wrong]:
    """Yield each value that makes no sense."""
    for field in ("probe", "building", "line"):
        if TAG_VALUE.match(getattr(settings, field)) is None:
            yield field, "no_name", {"longest": 128}
    if not settings.gateway.url.startswith(("http://", "https://")):
        yield "gateway.url", "no_web_address", {}
    for field, file in (
        ("gateway.token_file", settings.gateway.token_file),
        ("server.token_file", settings.server.token_file),
    ):
        if not file:
            yield field, "token_file_empty", {}
    yield from _wrong_address("server.address", settings.server.address)
    if settings.spool_max_records < 1:
        told = {"value": settings.spool_max_records, "low": 1}
        yield "spool_max_records", "too_small", told
    yield from _wrong_ports(settings)
    yield from _wrong_anchors(settings.path.anchors)
    yield from _wrong_numbers(settings)


def _wrong_address(field: str, address: str) -> Iterator[Wrong]:
    try:
        parse_address(address)
    except ValueError:
        yield field, "no_address", {"value": address}


def _wrong_ports(settings: ProbeSettings) -> Iterator[Wrong]:
    lines = [each.line for each in settings.wan]
    for number, each in enumerate(settings.wan):
        field = f"wan[{number}]"
        if lines.count(each.line) > 1:
            yield f"{field}.line", "wan_twice", {}
        yield from _wrong_address(f"{field}.address", each.address)
        if each.if_index < 1:
            yield f"{field}.if_index", "no_if_index", {"value": each.if_index}
        yield from _wrong_access(field, each)


def _wrong_anchors(anchors: tuple[str, ...]) -> Iterator[Wrong]:
    for anchor in anchors:
        yield from _wrong_address("path.anchors", anchor)
    if len(anchors) > MAX_ANCHORS:
        told = {"value": len(anchors), "most": MAX_ANCHORS}
        yield "path.anchors", "too_many", told


def _wrong_access(field: str, port: WanSettings) -> Iterator[Wrong]:
    """Yield what is wrong with who asks the router."""
    if port.user and port.community_file:
        yield f"{field}.community_file", "user_and_community", {}
    if port.user:
        for name in ("auth_file", "priv_file"):
            if not getattr(port, name):
                yield f"{field}.{name}", "secret_file_empty", {}
    elif not port.community_file:
        yield f"{field}.user", "wan_without_access", {}


def _wrong_numbers(settings: ProbeSettings) -> Iterator[Wrong]:
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
            yield field, "outside", {"value": value, "low": low, "high": high}
    if dns.server:
        try:
            ipaddress.ip_address(dns.server)
        except ValueError:
            yield "dns.server", "no_ip_address", {"value": dns.server}
