"""Who may measure now: slots on measurement servers and shared segments; pure.

Everything is a function of the request, the book of leases, the resources and the
time; nothing here waits, stores or asks a clock.

- A lease holds its rate on its server, on every shared segment of its line, and the
  line itself. The rates held never exceed `SHARE` of a server or segment in either
  direction; a server carries at most its number of tests, a radio hop and a line one.
- Who waits is ranked by class, then earliest deadline, then time of waiting. Every
  `CLIMB_AFTER_S` of waiting climbs one class, and a deadline never moves back, so
  everybody is first at some time. A probe has one place in the queue for each line:
  asking more often gives nobody more.
- Whoever is first for something that is taken keeps it free from those behind: it is
  blocked for them, and the rest of the way is held. Those behind may use what the
  first does not need, or what they give back before the first is due to ask.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from netmon.lease_wire import Direction, Purpose, WaitReason
from netmon.model import Segment, SegmentKind
from netmon.storage.lease_records import (
    Lease,
    LeaseBook,
    LeaseChange,
    LeaseRequest,
    Waiting,
)

# Lessons and the server's own work keep the other fifth.
SHARE_PERCENT = 80
# A lease ends by itself this long after its test had to be over.
EXPIRY_SLACK_S = 5.0
CLIMB_AFTER_S = 300.0
# A probe that was told when to come and is later than this gives way to others.
ABSENT_AFTER_S = 5.0
# But its time of waiting is remembered for so long.
FORGET_AFTER_S = 600.0
MIN_RETRY_S, MAX_RETRY_S = 0.2, 30.0
# How soon a request of each purpose should start: its deadline within the class.
PATIENCE_S: Mapping[Purpose, float] = {
    Purpose.CONFIRMATION: 60.0,
    Purpose.ON_SITE: 60.0,
    Purpose.FLOOR: 900.0,
    Purpose.ROUTINE: 3600.0,
    Purpose.CAMPAIGN: 4 * 3600.0,
}
_CLASSES = tuple(Purpose)

_Key = tuple[str, str]


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


class Granted(Struct, frozen=True):
    """Go ahead. ``repeated``: the same lease was granted before and still runs."""

    lease: Lease
    repeated: bool = False


class Refused(Struct, frozen=True):
    """Never: no server is there for it, or its least rate is above all limits.

    ``most_bps`` is the highest rate that any way could ever give; 0 for none.
    """

    most_bps: int


class Held(Struct, frozen=True, kw_only=True):
    """Ask again after ``retry_after_s``; ``resource`` is what is taken, if one is."""

    waiting: Waiting
    retry_after_s: float
    why: WaitReason
    resource: str
    ahead_count: int


Decision = Granted | Held | Refused


@dataclass(frozen=True, slots=True)
class _Need:
    """Something on the way: bit/s each way (None: no bound) and tests at a time."""

    key: _Key
    limit_bps: int | None
    max_tests: int | None
    why: WaitReason


@dataclass(frozen=True, slots=True)
class _Way:
    """A server and everything on the way to it, with the rate it can give."""

    server_id: str
    rate_bps: int
    needs: tuple[_Need, ...]


@dataclass(slots=True)
class _Load:
    """What is held now."""

    rates: dict[tuple[_Key, Direction], int] = field(default_factory=dict)
    tests: dict[_Key, int] = field(default_factory=dict)

    def hold(
        self,
        keys: Iterable[_Key],
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

    def lacks(
        self, need: _Need, directions: Sequence[Direction], rate_bps: int
    ) -> bool:
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


def settle(
    request: LeaseRequest,
    book: LeaseBook,
    resources: Resources,
    now_ms: int,
    lease_id: str,
) -> Decision:
    """Decide about a request that is asked now.

    Args:
        request: the wish.
        book: all leases and waiting requests; expired ones count for nothing.
        resources: what there is.
        now_ms: UTC milliseconds.
        lease_id: the id of the lease, should it be granted.
    """
    book = current(book, now_ms)
    for lease in book.active:
        if _is_same(lease.request, request):
            return Granted(lease, repeated=True)
    most_bps = _most_bps(request, resources)
    if most_bps < max(1, request.least_bps):
        return Refused(most_bps)
    mine = _my_place(request, book, now_ms)
    ranked = _ranked(mine, book, now_ms)
    ahead = ranked[: ranked.index(mine)]
    done_ms = now_ms + _lasting_ms(request)
    # A lease that is over, whatever happens, before one ahead comes, costs it nothing.
    contenders = [one for one in ahead if one.due_ms <= done_ms]
    load = _load_of(book.active)
    way: _Way | None = None
    for entry, found in _sweep([*contenders, mine], load, resources):
        way = found if entry is mine else None
    if way is not None:
        return Granted(_lease(request, way, now_ms, lease_id))
    wait_s = _retry_after_s(mine, ahead, book, resources, now_ms)
    why, resource = _reason(request, _load_of(book.active), resources)
    return Held(
        waiting=Waiting(
            request=request,
            since_ms=mine.since_ms,
            due_ms=now_ms + math.ceil(wait_s * 1000),
        ),
        retry_after_s=wait_s,
        why=why,
        resource=resource,
        ahead_count=len(ahead),
    )


def change(decision: Decision) -> LeaseChange:
    """Return what a decision writes into the book."""
    match decision:
        case Granted(lease, repeated):
            return LeaseChange() if repeated else LeaseChange(grant=lease)
        case Held():
            return LeaseChange(wait=decision.waiting)
        case Refused():
            return LeaseChange()


def current(book: LeaseBook, now_ms: int) -> LeaseBook:
    """Return the book without leases that expired and requests to be forgotten."""
    return LeaseBook(
        tuple(lease for lease in book.active if lease.expires_ms > now_ms),
        tuple(one for one in book.waiting if one.due_ms > forget_before_ms(now_ms)),
    )


def forget_before_ms(now_ms: int) -> int:
    """Return the time before which a request had to ask again to be remembered."""
    return now_ms - round(FORGET_AFTER_S * 1000)


def _is_same(held: LeaseRequest, asked: LeaseRequest) -> bool:
    """Say whether the answer was lost on the way, so that the probe asks again."""
    return (held.place, held.purpose, held.directions, held.building_id) == (
        asked.place,
        asked.purpose,
        asked.directions,
        asked.building_id,
    )


def _lasting_ms(request: LeaseRequest) -> int:
    return math.ceil((request.length_s + EXPIRY_SLACK_S) * 1000)


def _lease(request: LeaseRequest, way: _Way, now_ms: int, lease_id: str) -> Lease:
    return Lease(
        id=lease_id,
        request=request,
        rate_cap_bps=way.rate_bps,
        server_id=way.server_id,
        segment_ids=tuple(n.key[1] for n in way.needs if n.key[0] == "segment"),
        granted_ms=now_ms,
        expires_ms=now_ms + _lasting_ms(request),
    )


def _my_place(request: LeaseRequest, book: LeaseBook, now_ms: int) -> Waiting:
    before = next((w for w in book.waiting if w.request.place == request.place), None)
    since_ms = now_ms if before is None else before.since_ms
    return Waiting(request=request, since_ms=since_ms, due_ms=now_ms)


def _ranked(mine: Waiting, book: LeaseBook, now_ms: int) -> list[Waiting]:
    """Return this request and all present others, best place first."""
    absent_ms = now_ms - round(ABSENT_AFTER_S * 1000)
    others = (
        one
        for one in book.waiting
        if one.due_ms >= absent_ms and one.request.place != mine.request.place
    )
    return sorted([mine, *others], key=lambda one: _rank(one, now_ms))


def _rank(entry: Waiting, now_ms: int) -> tuple[int, int, int, tuple[str, str]]:
    request, since_ms = entry.request, entry.since_ms
    climbed = max(0, (now_ms - since_ms) // round(CLIMB_AFTER_S * 1000))
    number = max(0, _CLASSES.index(request.purpose) - climbed)
    # Who climbed is as patient as the others there: soon it is before all newcomers.
    latest_ms = since_ms + round(PATIENCE_S[_CLASSES[number]] * 1000)
    deadline_ms = latest_ms
    if request.latest_start_ms is not None:
        # Bounded on both sides: nobody gets ahead of those who came long before.
        deadline_ms = min(max(request.latest_start_ms, since_ms), latest_ms)
    return number, deadline_ms, since_ms, request.place


def _needs(request: LeaseRequest, resources: Resources) -> list[_Need]:
    """Return what a test needs besides its server."""
    found = [_Need(("line", request.line_id), None, 1, WaitReason.LINE_BUSY)]
    for segment_id in resources.ways.get(request.line_id, ()):
        segment = resources.segments.get(segment_id)
        if segment is None:
            continue
        is_radio = segment.kind is SegmentKind.RADIO_HOP
        found.append(
            _Need(
                ("segment", segment_id),
                usable_bps(segment.capacity_bps),
                1 if is_radio else None,
                WaitReason.RADIO_HOP_BUSY if is_radio else WaitReason.SEGMENT_FULL,
            )
        )
    return found


def _all_ways(request: LeaseRequest, resources: Resources) -> Iterator[_Way]:
    """Yield a way to each server, whether it is healthy or not."""
    needs = _needs(request, resources)
    for server in resources.servers:
        room = _Need(
            ("server", server.id),
            usable_bps(server.capacity_bps),
            server.max_tests,
            WaitReason.SERVER_FULL,
        )
        way = (room, *needs)
        limits_bps = [need.limit_bps for need in way if need.limit_bps is not None]
        yield _Way(server.id, min(request.rate_cap_bps, *limits_bps), way)


def _most_bps(request: LeaseRequest, resources: Resources) -> int:
    return max((way.rate_bps for way in _all_ways(request, resources)), default=0)


def _ways(request: LeaseRequest, resources: Resources) -> list[_Way]:
    """Return the ways that make sense now, best server first."""
    usable = {
        server.id
        for server in resources.servers
        if server.healthy and server.id not in request.avoid
    }
    least_bps = max(1, request.least_bps)
    return [
        way
        for way in _all_ways(request, resources)
        if way.server_id in usable and way.rate_bps >= least_bps
    ]


def _load_of(active: Iterable[Lease]) -> _Load:
    load = _Load()
    for lease in active:
        load.hold(_keys_of(lease), lease.request.directions, lease.rate_cap_bps)
    return load


def _keys_of(lease: Lease) -> tuple[_Key, ...]:
    return (
        ("server", lease.server_id),
        ("line", lease.request.line_id),
        *(("segment", one) for one in lease.segment_ids),
    )


def _sweep(
    entries: Iterable[Waiting], load: _Load, resources: Resources
) -> Iterator[tuple[Waiting, _Way | None]]:
    """Give each in turn its way, holding it in ``load``; None where it must wait.

    Ends early once no server is left for anybody.
    """
    blocked: set[_Key] = set()
    servers = {("server", one.id) for one in resources.servers if one.healthy}
    for entry in entries:
        if servers <= blocked:
            return
        directions = entry.request.directions
        way, short = _first_way(entry.request, load, blocked, resources)
        if way is None:
            yield entry, None
        elif not short:
            load.hold((n.key for n in way.needs), directions, way.rate_bps)
            yield entry, way
        else:
            if not any(need.key in blocked for need in short):
                blocked.update(need.key for need in short)
                kept = [need.key for need in way.needs if need not in short]
                load.hold(kept, directions, way.rate_bps)
            yield entry, None


def _first_way(
    request: LeaseRequest, load: _Load, blocked: set[_Key], resources: Resources
) -> tuple[_Way | None, list[_Need]]:
    """Return the first way with room, else the one that lacks least and what it lacks."""
    best: _Way | None = None
    least: list[_Need] = []
    for way in _ways(request, resources):
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


def _reason(
    request: LeaseRequest, load: _Load, resources: Resources
) -> tuple[WaitReason, str]:
    """Return why a request waits; only others ahead of it if there is room for it."""
    way, short = _first_way(request, load, set(), resources)
    if way is None:
        return WaitReason.NO_SERVER, ""
    if not short:
        return WaitReason.QUEUE, ""
    # What is nearest to the school says most; the server stands first in a way.
    return short[-1].why, short[-1].key[1]


def _retry_after_s(
    mine: Waiting,
    ahead: Sequence[Waiting],
    book: LeaseBook,
    resources: Resources,
    now_ms: int,
) -> float:
    """Return when this request's turn will come if all tests take what they expect."""
    if not _ways(mine.request, resources):
        return MAX_RETRY_S
    soon_ms = now_ms + round(MIN_RETRY_S * 1000)
    running = [_Running.of(lease, soon_ms) for lease in book.active]
    heapq.heapify(running)
    load = _load_of(book.active)
    queue = [*ahead, mine]
    at_ms = now_ms
    horizon_ms = now_ms + round(MAX_RETRY_S * 1000)
    while running:
        at_ms = running[0].end_ms
        if at_ms >= horizon_ms:
            return MAX_RETRY_S
        while running and running[0].end_ms <= at_ms:
            done = heapq.heappop(running)
            load.hold(done.keys, done.directions, -done.rate_bps, -1)
        # Blocking and holding for the first is only for this moment, so on a copy.
        trial = _Load(dict(load.rates), dict(load.tests))
        placed: set[tuple[str, str]] = set()
        for entry, way in _sweep(queue, trial, resources):
            if way is None:
                continue
            if entry is mine:
                return max(MIN_RETRY_S, (at_ms - now_ms) / 1000)
            keys = tuple(need.key for need in way.needs)
            directions = entry.request.directions
            load.hold(keys, directions, way.rate_bps)
            end_ms = at_ms + math.ceil(entry.request.expected_s * 1000)
            heapq.heappush(running, _Running(end_ms, keys, directions, way.rate_bps))
            placed.add(entry.request.place)
        queue = [one for one in queue if one.request.place not in placed]
    return MIN_RETRY_S


@dataclass(frozen=True, slots=True, order=True)
class _Running:
    """A test that is expected to end."""

    end_ms: int
    keys: tuple[_Key, ...]
    directions: tuple[Direction, ...]
    rate_bps: int

    @classmethod
    def of(cls, lease: Lease, soon_ms: int) -> _Running:
        """Return when a lease will end; one that takes longer ends soon."""
        request = lease.request
        end_ms = lease.granted_ms + math.ceil(request.expected_s * 1000)
        return cls(
            max(end_ms, soon_ms),
            _keys_of(lease),
            request.directions,
            lease.rate_cap_bps,
        )
