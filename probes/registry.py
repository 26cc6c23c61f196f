"""All probes, one line each: its name, how it is made, and how often it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from probes.base import Probe
from probes.dns import DnsProbe
from probes.latency import LatencyProbe
from probes.link import LinkProbe
from probes.path import PathProbe
from probes.settings import MethodSettings
from probes.throughput import ThroughputProbe


class Entry(Struct, frozen=True):
    """How to make a probe from the settings, and its interval in seconds."""

    make: Callable[[MethodSettings], Probe]
    interval_s: Callable[[MethodSettings], float]


PROBES: Mapping[str, Entry] = {
    "throughput": Entry(
        lambda s: ThroughputProbe(s.throughput), lambda s: s.throughput.interval_s
    ),
    "latency": Entry(lambda s: LatencyProbe(s.latency), lambda s: s.latency.interval_s),
    "dns": Entry(lambda s: DnsProbe(s.dns), lambda s: s.dns.interval_s),
    "link": Entry(lambda s: LinkProbe(s.link), lambda s: s.link.interval_s),
    "path": Entry(lambda s: PathProbe(s.path, s.link), lambda s: s.path.interval_s),
}
