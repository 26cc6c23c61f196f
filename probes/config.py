"""A probe's settings: one TOML file, strict; defaults stand with each probe.

Relative paths are meant from the settings file's folder. An ``interval_s`` of
0 turns a probe off.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from netmon.config import Secret, read_secret
from netmon.errors import ConfigError, Problem
from netmon.wire import TAG_VALUE
from probes.address import parse_address
from probes.base import MeasureAddress
from probes.dns import DnsSettings
from probes.latency import LatencySettings
from probes.link import LinkSettings
from probes.measure_protocol import ECHO_MAX_BYTES, ECHO_MIN_BYTES
from probes.throughput import ThroughputSettings

_HELP = "see docs/betrieb/sonde.md for names and types"


class GatewayLink(Struct, frozen=True, forbid_unknown_fields=True):
    """Where measurements go. ``ca_file`` is empty for the public authorities."""

    url: str
    token_file: str
    ca_file: str = ""


class ServerLink(Struct, frozen=True, forbid_unknown_fields=True):
    """The measurement server as ``host:port``, and the file with its token."""

    address: str
    token_file: str


class HealthSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How often the probe reports on its own spool."""

    interval_s: float = 60.0


class MethodSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How each probe measures, and how often."""

    throughput: ThroughputSettings = ThroughputSettings()
    latency: LatencySettings = LatencySettings()
    dns: DnsSettings = DnsSettings()
    link: LinkSettings = LinkSettings()


class ProbeSettings(MethodSettings, frozen=True, kw_only=True):
    """All settings of one probe. ``probe`` is its name at the gateway."""

    probe: str
    building: str
    line: str
    gateway: GatewayLink
    server: ServerLink
    spool: str = "spool.sqlite3"
    spool_max_records: int = 200_000
    health: HealthSettings = HealthSettings()


def load_probe_settings(path: Path) -> ProbeSettings:
    """Return the checked settings of a file, all paths made absolute.

    Raises:
        ConfigError: the file is missing, no TOML, or keys or values are wrong.
    """
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        settings = msgspec.convert(raw, ProbeSettings)
    except OSError as error:
        text = error.strerror or "cannot be read"
        raise _refused(path, None, text, "name a readable file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _refused(path, None, f"no TOML: {error}", "mend the syntax") from error
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at `")
        field = where.rstrip("`").removeprefix("$.").removeprefix("$") or None
        raise _refused(path, field, text, _HELP) from error
    problems = [
        Problem(str(path), None, field, text, fix)
        for field, text, fix in _wrong(settings)
    ]
    if problems:
        raise ConfigError(problems)
    return _absolute(settings, path.absolute().parent)


def measure_address(settings: ProbeSettings) -> MeasureAddress:
    """Return where the measurement server is, with its token.

    Raises:
        ConfigError: the token's file cannot be read.
    """
    host, port = parse_address(settings.server.address)
    token = _needed(settings.server.token_file, "server.token_file")
    return MeasureAddress(host, port, token)


def gateway_token(settings: ProbeSettings) -> Secret:
    """Return the token for the gateway.

    Raises:
        ConfigError: the token's file cannot be read.
    """
    return _needed(settings.gateway.token_file, "gateway.token_file")


def _needed(file: str, setting: str) -> Secret:
    secret = read_secret(file, setting=setting)
    if secret is None:
        raise _refused(Path(), setting, "names no file", "name the token's file")
    return secret


def _refused(path: Path, field: str | None, text: str, fix: str) -> ConfigError:
    return ConfigError([Problem(str(path), None, field, text, fix)])


def _absolute(settings: ProbeSettings, folder: Path) -> ProbeSettings:
    def full(file: str) -> str:
        return str(folder / file) if file else ""

    return replace(
        settings,
        spool=full(settings.spool),
        gateway=replace(
            settings.gateway,
            token_file=full(settings.gateway.token_file),
            ca_file=full(settings.gateway.ca_file),
        ),
        server=replace(settings.server, token_file=full(settings.server.token_file)),
    )


def _wrong(settings: ProbeSettings) -> Iterator[tuple[str, str, str]]:
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
    yield from _wrong_numbers(settings)


def _wrong_numbers(settings: ProbeSettings) -> Iterator[tuple[str, str, str]]:
    throughput, latency, dns = settings.throughput, settings.latency, settings.dns
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
        ("link.interval_s", settings.link.interval_s, 0, 7 * 86400),
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
