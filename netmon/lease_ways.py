"""The ways from a school to a measurement server, and what is held on them; pure.

A test holds its rate on a server, on each shared segment of its line, and the line
itself. Who holds what first is decided in `netmon.leases`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from netmon.lease_wire import Direction, WaitReason
from netmon.model import Segment, SegmentKind
from netmon.storage.lease_records import Lease, LeaseRequest, Waiting

# Lessons and the server's own work keep the other fifth.
SHARE_PERCENT = 80

Key = tuple[str, str]


class ServerRoom(Struct, frozen=True, kw_only=True):
    """A measurement server: capacity in bit/s each way, and tests at a time."""

    id: str
    capacity_bps: int
    max_tests: int
    healthy: bool = True


class Resources(Struct, frozen=True, kw_only=True):
    """What there is: servers in order of preference, segments, and lines' ways."""

    servers: tuple[ServerRoom, ...]
    segments: Mapping[str, Segment] = {}
    ways: Mapping[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Need:
    """Something on the way: bit/s each way (None: no bound) and tests at a time."""

    key: Key
    limit_bps: int | None
    max_tests: int | None
    why: WaitReason


@dataclass(frozen=True, slots=True)
class Way:
    """A server and everything on the way to it, with the rate it can give."""

    server_id: str
    rate_bps: int
    needs: tuple[Need, ...]


@dataclass(slots=True)
class Load:
    """What is held now."""

    rates: dict[tuple[Key, Direction], int] = field(default_factory=dict)
    tests: dict[Key, int] = field(default_factory=dict)

    def hold(
        self,
        keys: Iterable[Key],
        directions: Sequence[Direction],
        rate_bps: int,
        tests: int = 1,
    ) -> None:
        """Hold a rate on keys; a negative rate with -1 tests gives it back."""
        for key in keys:
            self.tests[key] = self.tests.get(key, 0) + tests
            for direction in directions:
                at = key, direction
                self.rates[at] = self.rates.get(at, 0) + rate_bps

    def lacks(self, need: Need, directions: Sequence[Direction], rate_bps: int) -> bool:
        """Say whether there is no room for one more test of that rate."""
        tests = self.tests.get(need.key, 0)
        if need.max_tests is not None and tests >= need.max_tests:
            return True
        if need.limit_bps is None:
            return False
        limit_bps = need.limit_bps - rate_bps
        return any(self.rates.get((need.key, d), 0) > limit_bps for d in directions)


def usable_bps(capacity_bps: int) -> int:
    """Return how much of a capacity all leases together may hold."""
    return capacity_bps * SHARE_PERCENT // 100


def _needs(request: LeaseRequest, resources: Resources) -> list[Need]:
    """Return what a test needs besides its server."""
    found = [Need(("line", request.line_id), None, 1, WaitReason.LINE_BUSY)]
    for segment_id in resources.ways.get(request.line_id, ()):
        segment = resources.segments.get(segment_id)
        if segment is None:
            continue
        is_radio = segment.kind is SegmentKind.RADIO_HOP
        found.append(
            Need(
                ("segment", segment_id),
                usable_bps(segment.capacity_bps),
                1 if is_radio else segment.max_tests,
                WaitReason.RADIO_HOP_BUSY if is_radio else WaitReason.SEGMENT_FULL,
            )
        )
    return found


def _all_ways(request: LeaseRequest, resources: Resources) -> Iterator[Way]:
    """Yield a way to each server, whether it is healthy or not."""
    needs = _needs(request, resources)
    for server in resources.servers:
        room = Need(
            ("server", server.id),
            usable_bps(server.capacity_bps),
            server.max_tests,
            WaitReason.SERVER_FULL,
        )
        way = (room, *needs)
        limits_bps = [need.limit_bps for need in way if need.limit_bps is not None]
        yield Way(server.id, min(request.rate_cap_bps, *limits_bps), way)


def most_rate_bps(request: LeaseRequest, resources: Resources) -> int:
    """Return the highest rate that any way could ever give; 0 for none."""
    return max((way.rate_bps for way in _all_ways(request, resources)), default=0)


def usable_ways(request: LeaseRequest, resources: Resources) -> list[Way]:
    """Return the ways that make sense now, best server first.

    That is the nearest to the probe, as far as it has told, then the gateway's order.
    """
    usable = {
        server.id
        for server in resources.servers
        if server.healthy and server.id not in request.avoid
    }
    least_bps = max(1, request.least_bps)
    found = [
        way
        for way in _all_ways(request, resources)
        if way.server_id in usable and way.rate_bps >= least_bps
    ]
    near = {server_id: place for place, server_id in enumerate(request.nearest)}
    return sorted(found, key=lambda way: near.get(way.server_id, len(near)))


def load_of(active: Iterable[Lease]) -> Load:
    """Return what leases hold together."""
    load = Load()
    for lease in active:
        load.hold(keys_of(lease), lease.request.directions, lease.rate_cap_bps)
    return load


def keys_of(lease: Lease) -> tuple[Key, ...]:
    """Return everything on the way of a lease, as it was when granted."""
    return (
        ("server", lease.server_id),
        ("line", lease.request.line_id),
        *(("segment", one) for one in lease.segment_ids),
    )


def sweep(
    entries: Iterable[Waiting], load: Load, resources: Resources
) -> Iterator[tuple[Waiting, Way | None]]:
    """Give each in turn its way, holding it in ``load``; None where it must wait.

    Ends early once no server is left for anybody.
    """
    blocked: set[Key] = set()
    servers = {("server", one.id) for one in resources.servers if one.healthy}
    for entry in entries:
        if servers <= blocked:
            return
        directions = entry.request.directions
        way, short = first_way(entry.request, load, blocked, resources)
        if way is None:
            yield entry, None
        elif not short:
            load.hold((n.key for n in way.needs), directions, way.rate_bps)
            yield entry, way
        else:
            # Only the first in front of something taken is next for it: one that stands
            # behind another there would hold the rest of its way for nothing.
            if not any(need.key in blocked for need in short):
                blocked.update(need.key for need in short)
                kept = [need.key for need in way.needs if need not in short]
                load.hold(kept, directions, way.rate_bps)
            yield entry, None


def first_way(
    request: LeaseRequest, load: Load, blocked: set[Key], resources: Resources
) -> tuple[Way | None, list[Need]]:
    """Return the first way with room, else the one that lacks least and what it lacks.

    The way is None where the request has no usable one at all.
    """
    best: Way | None = None
    least: list[Need] = []
    for way in usable_ways(request, resources):
        short = [
            need
            for need in way.needs
            if need.key in blocked or load.lacks(need, request.directions, way.rate_bps)
        ]
        if not short:
            return way, []
        if best is None or len(short) < len(least):
            best, least = way, short
    return best, least
