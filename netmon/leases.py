"""Who may measure now: slots on measurement servers and shared segments; pure.

Everything is a function of the request, the book of leases, the resources and the
time; nothing here waits, stores or asks a clock.

- A lease holds its rate on its server, on every shared segment of its line, and the
  line itself. The rates held never exceed 80 % of a server or segment in either
  direction; a server or segment carries at most its number of tests (a segment one
  unless the inventory says more), a radio hop and a line one.
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct

from netmon.lease_ways import (
    Key,
    Load,
    Resources,
    Way,
    first_way,
    keys_of,
    load_of,
    most_rate_bps,
    sweep,
    usable_ways,
)
from netmon.lease_wire import Direction, Purpose, WaitReason
from netmon.storage.lease_records import (
    Lease,
    LeaseBook,
    LeaseChange,
    LeaseRequest,
    Waiting,
)

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
        # Who asks for another server has seen that this one does not answer.
        if lease.server_id not in request.avoid and _is_same(lease.request, request):
            return Granted(lease, repeated=True)
    most_bps = most_rate_bps(request, resources)
    if most_bps < max(1, request.least_bps):
        return Refused(most_bps)
    mine = _my_place(request, book, now_ms)
    ranked = _ranked(mine, book, now_ms)
    ahead = ranked[: ranked.index(mine)]
    done_ms = now_ms + _lasting_ms(request)
    # A lease that is over, whatever happens, before one ahead comes, costs it nothing.
    contenders = [one for one in ahead if one.due_ms <= done_ms]
    load = load_of(book.active)
    way: Way | None = None
    for entry, found in sweep([*contenders, mine], load, resources):
        way = found if entry is mine else None
    if way is not None:
        return Granted(_lease(request, way, now_ms, lease_id))
    wait_s = _retry_after_s(mine, ahead, book, resources, now_ms)
    why, resource = _reason(request, load_of(book.active), resources)
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


def _lease(request: LeaseRequest, way: Way, now_ms: int, lease_id: str) -> Lease:
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


def _reason(
    request: LeaseRequest, load: Load, resources: Resources
) -> tuple[WaitReason, str]:
    """Return why a request waits; only others ahead of it if there is room for it."""
    way, short = first_way(request, load, set(), resources)
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
    if not usable_ways(mine.request, resources):
        return MAX_RETRY_S
    soon_ms = now_ms + round(MIN_RETRY_S * 1000)
    running = [_Running.of(lease, soon_ms) for lease in book.active]
    heapq.heapify(running)
    load = load_of(book.active)
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
        trial = Load(dict(load.rates), dict(load.tests))
        placed: set[tuple[str, str]] = set()
        for entry, way in sweep(queue, trial, resources):
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
    keys: tuple[Key, ...]
    directions: tuple[Direction, ...]
    rate_bps: int

    @classmethod
    def of(cls, lease: Lease, soon_ms: int) -> _Running:
        """Return when a lease will end; one that takes longer ends soon."""
        request = lease.request
        end_ms = lease.granted_ms + math.ceil(request.expected_s * 1000)
        return cls(
            max(end_ms, soon_ms),
            keys_of(lease),
            request.directions,
            lease.rate_cap_bps,
        )
