"""The building's router: its WAN counters, and the way through it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from netmon.errors import ConfigError
from netmon.path import Segment, guilty
from probes.base import MeasureAddress
from probes.counters import CounterSource, learn_refresh
from probes.doctor.base import Finding, Place, error, hint, ok
from probes.doctor.context import context_of
from probes.measure_protocol import ECHO_MIN_BYTES
from probes.path import PathProbe, reading_of
from probes.wan import open_ports

# Three refreshes of the slowest counters that a test can still use.
LISTEN_S = 16.0

Poke = Callable[[], None]


async def counters(place: Place) -> list[Finding]:
    """Say of each WAN port whether its counters are read, and how fresh they are."""
    if place.settings is None:
        return []
    if not place.settings.wan:
        return [judge_counters(None, place.settings.line)]
    try:
        ports = await asyncio.to_thread(open_ports, place.settings.wan)
    except ConfigError:
        return []  # the secrets' check has said it
    except OSError as problem:
        return [error("no_router", text=str(problem.strerror))]
    with _poker(context_of(place.settings, place).server) as poke:
        findings = [
            await asyncio.to_thread(judge_counters, ports.source(line), line, poke)
            for line in ports.lines
        ]
    if place.settings.line not in ports.lines:
        findings.append(hint("other_line", line=place.settings.line))
    return findings


@contextmanager
def _poker(server: MeasureAddress) -> Iterator[Poke]:
    """Give a call that moves the counters a little, on the way to the server.

    A resting line would tell no refresh. The echo answers nothing but its own sort.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        with suppress(OSError):
            sock.connect((server.host, server.port))

        def poke() -> None:
            with suppress(OSError):
                sock.send(b"\0" * ECHO_MIN_BYTES)

        yield poke


def judge_counters(
    source: CounterSource | None,
    line: str,
    poke: Poke | None = None,
    limit_s: float = LISTEN_S,
) -> Finding:
    """Read a port until its refresh is known; blocks for at most ``limit_s``."""
    if source is None:
        return hint("none_set", line=line)
    if source.read() is None:
        return error("silent", line=line)
    refresh = learn_refresh(source, "up", limit_s=limit_s, poke=poke)
    if refresh is None:
        return hint("resting", line=line)
    if refresh.is_live:
        return ok("live", line=line)
    says = ok if refresh.is_usable else hint
    name = "edges" if refresh.is_usable else "rare"
    return says(name, line=line, refresh_s=refresh.period_s)


async def path(place: Place) -> list[Finding]:
    """Say which segment of the way stands out, if one does."""
    if place.settings is None:
        return []
    probe = PathProbe(place.settings.path, place.settings.link, root=place.root)
    run = await probe.run(context_of(place.settings, place))
    found = {Segment(each.tags["segment"]): each for each in run.all}
    verdict = guilty((reading_of(name, each) for name, each in found.items()), {})
    if verdict is not None and verdict.segment is Segment.INTERNET:
        # A probe behind a strict firewall measures its line all the same.
        return [hint("no_internet", fault=verdict.reason.value)]
    if verdict is not None:
        return [
            error("broken", segment=verdict.segment.value, fault=verdict.reason.value)
        ]
    mute = [
        name
        for name in (Segment.GATEWAY, Segment.PROVIDER)
        if name in found and found[name].failure is not None
    ]
    return [hint("mute", segment=name.value) for name in mute] or [ok("whole")]
