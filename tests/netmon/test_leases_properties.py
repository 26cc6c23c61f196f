"""Whole days of asking, measuring, crashing: what holds whatever happens."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.lease_ways import Resources, ServerRoom
from netmon.lease_wire import Direction, Purpose
from netmon.leases import (
    CLIMB_AFTER_S,
    EXPIRY_SLACK_S,
    Granted,
    Held,
    Refused,
    change,
    current,
    settle,
)
from netmon.model import Segment, SegmentKind
from netmon.storage.lease_records import LeaseBook, LeaseRequest
from netmon.units import GBIT, MBIT

LINES = tuple(f"l{n}" for n in range(8))
SEGMENTS = (
    Segment(id="mast", kind=SegmentKind.RADIO_HOP, capacity_bps=400 * MBIT),
    Segment(id="street", kind=SegmentKind.AGGREGATION, capacity_bps=500 * MBIT),
    Segment(id="ring", kind=SegmentKind.BACKBONE, capacity_bps=GBIT),
)
LENGTH_S = 2.0

directions = st.sampled_from(
    [(Direction.DOWN,), (Direction.UP,), (Direction.DOWN, Direction.UP)]
)
rates = st.sampled_from([16, 50, 100, 250, 400, 1000])
worlds = st.builds(
    Resources,
    servers=st.lists(
        st.tuples(st.sampled_from([300, 1000, 10_000]), st.integers(1, 4)),
        min_size=1,
        max_size=2,
    ).map(
        lambda rooms: tuple(
            ServerRoom(id=f"m{n}", capacity_bps=mbits * MBIT, max_tests=tests)
            for n, (mbits, tests) in enumerate(rooms)
        )
    ),
    segments=st.just({one.id: one for one in SEGMENTS}),
    ways=st.fixed_dictionaries(
        {
            line: st.sets(st.sampled_from([one.id for one in SEGMENTS])).map(
                lambda ids: tuple(sorted(ids))
            )
            for line in LINES
        }
    ),
)


@dataclass(frozen=True)
class Wish:
    """A probe that wants a test: how long it takes, and whether it dies of it."""

    at_ms: int
    request: LeaseRequest
    takes_s: float
    crashes: bool
    greedy: bool = False


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    line = draw(st.sampled_from(LINES))
    return Wish(
        at_ms=draw(st.integers(0, 20_000)),
        request=LeaseRequest(
            probe=f"{line}-p{draw(st.integers(1, 2))}",
            building_id="g",
            line_id=line,
            purpose=draw(st.sampled_from(Purpose)),
            directions=draw(directions),
            rate_cap_bps=draw(rates) * MBIT,
            length_s=LENGTH_S,
            expected_s=draw(st.sampled_from([0.1, 0.7, LENGTH_S])),
        ),
        takes_s=draw(st.floats(0.05, LENGTH_S + EXPIRY_SLACK_S)),
        crashes=draw(st.booleans()),
    )


def assert_within_bounds(book: LeaseBook, resources: Resources) -> None:
    tests: Counter[str] = Counter()
    rates_bps: Counter[tuple[str, Direction]] = Counter()
    for lease in book.active:
        for name in (lease.server_id, lease.request.line_id, *lease.segment_ids):
            tests[name] += 1
            for direction in lease.request.directions:
                rates_bps[name, direction] += lease.rate_cap_bps
    capacity_bps = {one.id: one.capacity_bps for one in resources.servers}
    capacity_bps |= {one.id: one.capacity_bps for one in SEGMENTS}
    for (name, _), rate_bps in rates_bps.items():
        if name in capacity_bps:
            assert 100 * rate_bps <= 80 * capacity_bps[name], name
    for server in resources.servers:
        assert tests[server.id] <= server.max_tests
    assert tests["mast"] <= 1
    assert all(tests[line] <= 1 for line in LINES)


@dataclass
class Day:
    """Probes that ask, come again when told, measure, and release or crash."""

    resources: Resources
    book: LeaseBook = field(default_factory=LeaseBook)
    served: dict[int, int] = field(default_factory=dict)

    def run(self, wanted: list[Wish]) -> None:
        events: list[tuple[int, int, str, int]] = []
        number = 0

        def at(at_ms: int, kind: str, what: int) -> None:
            nonlocal number
            number += 1
            heapq.heappush(events, (at_ms, number, kind, what))

        for index, wish in enumerate(wanted):
            at(wish.at_ms, "ask", index)
        while events:
            now_ms, _, kind, what = heapq.heappop(events)
            assert now_ms < 3_600_000, "somebody never gets a slot"
            self.book = current(self.book, now_ms)
            wish = wanted[what]
            if kind == "release":
                left = tuple(one for one in self.book.active if one.id != f"{what}")
                self.book = LeaseBook(left, self.book.waiting)
                if wish.greedy and len(wanted) - 1 not in self.served:
                    at(now_ms, "ask", what)
                continue
            decision = settle(
                wish.request, self.book, self.resources, now_ms, f"{what}"
            )
            self._write(wish.request, decision)
            assert_within_bounds(self.book, self.resources)
            match decision:
                case Granted():
                    self.served.setdefault(what, now_ms)
                    if not wish.crashes:
                        at(now_ms + round(wish.takes_s * 1000), "release", what)
                case Held(waiting=waiting):
                    at(waiting.due_ms, "ask", what)
                case Refused():
                    raise AssertionError("there is a way for every wish here")

    def _write(self, request: LeaseRequest, decision) -> None:
        done = change(decision)
        active, waiting = self.book.active, self.book.waiting
        if done.grant is not None or done.wait is not None:
            waiting = tuple(w for w in waiting if w.request.place != request.place)
        if done.grant is not None:
            active = (*active, done.grant)
        if done.wait is not None:
            waiting = (*waiting, done.wait)
        self.book = LeaseBook(active, waiting)


@given(resources=worlds, wanted=st.lists(wishes(), max_size=25))
@settings(deadline=None, max_examples=150)
def test_bounds_hold_and_everyone_gets_a_slot(resources, wanted):
    day = Day(resources)
    day.run(wanted)
    assert day.served.keys() == set(range(len(wanted)))


@given(
    resources=worlds,
    mine=st.sampled_from(Purpose),
    others=st.sampled_from(Purpose),
    rate_mbits=rates,
)
@settings(deadline=None, max_examples=6)
def test_an_endless_rush_of_others_starves_nobody(resources, mine, others, rate_mbits):
    """Two probes on each other line ask again as soon as they are done, for ever.

    A class is climbed after five minutes at the latest; in the highest one a place
    is first after its patience of a minute.
    """

    def wish(line: str, number: int, purpose: Purpose, rate: int, *, greedy: bool):
        request = LeaseRequest(
            probe=f"{line}-p{number}",
            building_id="g",
            line_id=line,
            purpose=purpose,
            directions=(Direction.DOWN, Direction.UP),
            rate_cap_bps=rate * MBIT,
            length_s=LENGTH_S,
            expected_s=0.7,
        )
        return Wish(1_000 - number, request, 1.0, crashes=False, greedy=greedy)

    rush = [
        wish(line, number, others, 100, greedy=True)
        for line in LINES[1:]
        for number in (1, 2)
    ]
    day = Day(resources)
    day.run([*rush, wish(LINES[0], 0, mine, rate_mbits, greedy=False)])
    classes = list(Purpose).index(mine)
    assert day.served[len(rush)] <= (classes * CLIMB_AFTER_S + 90) * 1000


@given(resources=worlds, wanted=st.lists(wishes(), min_size=1, max_size=8))
@settings(deadline=None)
def test_an_expired_lease_frees_all_it_held(resources, wanted):
    crashed = [
        Wish(one.at_ms, one.request, one.takes_s, crashes=True) for one in wanted
    ]
    day = Day(resources)
    day.run(crashed)
    last_ms = max(lease.expires_ms for lease in day.book.active)
    for one in wanted:
        before = current(day.book, last_ms - 1)
        assert before.active
        after = LeaseBook(current(day.book, last_ms).active)
        decision = settle(one.request, after, day.resources, last_ms, "again")
        assert isinstance(decision, Granted)
        assert not decision.repeated
