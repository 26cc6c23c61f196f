"""A probe's settings: one TOML file, strict; defaults stand with each probe.

An ``interval_s`` of 0 turns a probe off.
"""

from __future__ import annotations

from msgspec import Struct

from probes.dns import DnsSettings
from probes.latency import LatencySettings
from probes.link import LinkSettings
from probes.path import PathSettings
from probes.throughput import ThroughputSettings
from probes.uplink_base import UplinkSettings
from probes.wan import WanSettings


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
    path: PathSettings = PathSettings()


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
    uplink: UplinkSettings = UplinkSettings()
    wan: tuple[WanSettings, ...] = ()
