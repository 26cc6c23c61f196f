"""The decision about one request: rates, ranks, waiting, and what is refused for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from netmon.lease_ways import Resources, ServerRoom
from netmon.lease_wire import Direction, Purpose, WaitReason
from netmon.leases import (
    CLIMB_AFTER_S,
    MAX_RETRY_S,
    MIN_RETRY_S,
    Granted,
    Held,
    Refused,
    change,
    current,
    settle,
)
from netmon.model import Segment, SegmentKind
from netmon.storage.lease_records import Lease, LeaseBook, LeaseRequest, Waiting
from netmon.units import GBIT, MBIT

NOW_MS = 1_795_162_320_000
DOWN, UP = Direction.DOWN, Direction.UP

ONE = ServerRoom(id="m1", capacity_bps=10 * GBIT, max_tests=3)
SMALL = ServerRoom(id="m2", capacity_bps=GBIT, max_tests=3)
RING = Segment(id="ring", kind=SegmentKind.BACKBONE, capacity_bps=GBIT, max_tests=9)
ALLEY = Segment(id="alley", kind=SegmentKind.AGGREGATION, capacity_bps=GBIT)
MAST = Segment(id="mast", kind=SegmentKind.RADIO_HOP, capacity_bps=GBIT)


def _request(line: str = "l1", rate_mbits: int = 100, **more: Any) -> LeaseRequest:
    fields: dict[str, Any] = {
        "probe": f"{line}-p1",
        "building_id": "g1",
        "purpose": Purpose.ROUTINE,
        "directions": (DOWN,),
        "length_s": 4.0,
        "expected_s": 1.0,
    }
    return LeaseRequest(
        line_id=line, rate_cap_bps=rate_mbits * MBIT, **{**fields, **more}
    )


def _lease(request: LeaseRequest, server: str = "m1", age_s: float = 0.0, **more: Any):
    granted_ms = NOW_MS - round(age_s * 1000)
    fields: dict[str, Any] = {
        "rate_cap_bps": request.rate_cap_bps,
        "segment_ids": (),
        "granted_ms": granted_ms,
        "expires_ms": granted_ms + 9_000,
    }
    return Lease(
        id=f"of-{request.line_id}",
        request=request,
        server_id=server,
        **{**fields, **more},
    )


def _waiting(
    request: LeaseRequest, since_s: float = 1.0, due_s: float = 0.0
) -> Waiting:
    return Waiting(
        request=request,
        since_ms=NOW_MS - round(since_s * 1000),
        due_ms=NOW_MS + round(due_s * 1000),
    )


def _resources(*servers: ServerRoom, **ways: tuple[Segment, ...]) -> Resources:
    segments = {one.id: one for way in ways.values() for one in way}
    return Resources(
        servers=servers or (ONE,),
        segments=segments,
        ways={line: tuple(one.id for one in way) for line, way in ways.items()},
    )


def _ask(
    request: LeaseRequest,
    resources: Resources | None = None,
    active: Sequence[Lease] = (),
    waiting: Sequence[Waiting] = (),
    now_ms: int = NOW_MS,
):
    book = LeaseBook(tuple(active), tuple(waiting))
    return settle(request, book, resources or _resources(), now_ms, "new")


def _granted(decision: object) -> Lease:
    assert isinstance(decision, Granted)
    return decision.lease


def _held(decision: object) -> Held:
    assert isinstance(decision, Held)
    return decision


def test_a_free_server_grants_at_once_and_the_lease_ends_by_itself():
    decision = _ask(_request(), _resources(l1=(RING,)))
    lease = _granted(decision)
    assert lease == Lease(
        id="new",
        request=_request(),
        rate_cap_bps=100 * MBIT,
        server_id="m1",
        segment_ids=("ring",),
        granted_ms=NOW_MS,
        expires_ms=NOW_MS + 4_000 + 5_000,
    )
    assert change(decision).grant == lease
    assert change(decision).wait is None


# What runs, what is asked, and whether it may go: each bound from both sides.
BOUNDS = [
    ("80 % of the server", {"server": SMALL}, [(500, DOWN)], (300, DOWN), True),
    ("a bit more", {"server": SMALL}, [(501, DOWN)], (300, DOWN), False),
    ("the other way is free", {"server": SMALL}, [(800, DOWN)], (800, UP), True),
    ("number of tests", {}, [(10, DOWN)] * 2, (10, UP), True),
    ("one test too many", {}, [(10, DOWN)] * 3, (10, UP), False),
    ("80 % of a segment", {"way": (RING,)}, [(700, DOWN)], (100, DOWN), True),
    ("segment full", {"way": (RING,)}, [(701, DOWN)], (100, DOWN), False),
    ("segment, other way", {"way": (RING,)}, [(800, DOWN)], (100, UP), True),
    ("segment, its one test", {"way": (ALLEY,)}, [(10, DOWN)], (10, UP), False),
    ("segment free", {"way": (ALLEY,)}, [], (10, UP), True),
    ("radio hop in use", {"way": (MAST,)}, [(10, DOWN)], (10, UP), False),
    ("radio hop free", {"way": (MAST,)}, [], (10, UP), True),
]


@pytest.mark.parametrize(
    ("setup", "running", "asked", "goes"),
    [row[1:] for row in BOUNDS],
    ids=[row[0] for row in BOUNDS],
)
def test_bounds(setup, running, asked, goes):
    server, way = setup.get("server", ONE), setup.get("way", ())
    resources = _resources(server, mine=way)
    active = [
        _lease(
            _request(f"other-{n}", rate, directions=(direction,)),
            server.id,
            segment_ids=tuple(one.id for one in way),
        )
        for n, (rate, direction) in enumerate(running)
    ]
    rate, direction = asked
    decision = _ask(_request("mine", rate, directions=(direction,)), resources, active)
    assert isinstance(decision, Granted if goes else Held)


def test_a_test_in_both_directions_needs_room_in_both():
    active = [_lease(_request("other", 500, directions=(UP,)), "m2")]
    both = _request(rate_mbits=400, directions=(DOWN, UP))
    assert _held(_ask(both, _resources(SMALL), active)).why is WaitReason.SERVER_FULL
    assert _granted(_ask(both, _resources(SMALL)))


@pytest.mark.parametrize(
    ("resources", "cap_mbits"),
    [
        (_resources(SMALL), 800),
        (_resources(ONE, l1=(RING,)), 800),
        (_resources(ONE), 1000),
    ],
)
def test_the_rate_is_cut_to_what_may_ever_be_held(resources, cap_mbits):
    lease = _granted(_ask(_request(rate_mbits=1000), resources))
    assert lease.rate_cap_bps == cap_mbits * MBIT


def test_a_rate_is_never_cut_because_of_others():
    """A test that measures the leftovers of another one says nothing."""
    active = [_lease(_request("other", 500), "m2")]
    held = _held(_ask(_request(rate_mbits=400), _resources(SMALL), active))
    assert (held.why, held.resource) == (WaitReason.SERVER_FULL, "m2")


def test_what_makes_no_sense_below_all_limits_is_refused_for_good():
    request = _request(rate_mbits=1000, least_bps=900 * MBIT)
    assert _ask(request, _resources(SMALL)) == Refused(800 * MBIT)
    assert change(_ask(request, _resources(SMALL))).wait is None
    # A server that could do it is worth waiting for, even if it is down now.
    big = replace(ONE, healthy=False)
    assert _held(_ask(request, _resources(SMALL, big))).why is WaitReason.NO_SERVER
    assert _granted(_ask(request, _resources(SMALL, ONE))).server_id == "m1"
    assert _ask(request, Resources(servers=())) == Refused(0)


def test_the_first_healthy_server_that_has_room_is_taken():
    resources = _resources(ONE, SMALL)
    assert _granted(_ask(_request(), resources)).server_id == "m1"
    full = [_lease(_request(f"other-{n}", 10)) for n in range(3)]
    assert _granted(_ask(_request(), resources, full)).server_id == "m2"
    ill = _resources(replace(ONE, healthy=False), SMALL)
    assert _granted(_ask(_request(), ill)).server_id == "m2"
    nearer = _request(nearest=("m2", "m9"))
    assert _granted(_ask(nearer, resources)).server_id == "m2"
    avoiding = _request(avoid=("m1",))
    assert _granted(_ask(avoiding, resources)).server_id == "m2"


@pytest.mark.parametrize("down", [{"healthy": False}, {}])
def test_without_a_usable_server_it_waits_long(down):
    request = _request(avoid=() if down else ("m1",))
    held = _held(_ask(request, _resources(replace(ONE, **down))))
    assert (held.why, held.retry_after_s) == (WaitReason.NO_SERVER, MAX_RETRY_S)


def test_a_line_is_measured_by_one_test_at_a_time():
    active = [_lease(_request(probe="someone-else"))]
    held = _held(_ask(_request(), active=active))
    assert (held.why, held.resource) == (WaitReason.LINE_BUSY, "l1")


def test_asking_again_after_a_lost_answer_gives_the_same_lease():
    running = _lease(_request(), age_s=0.5)
    decision = _ask(_request(), active=[running])
    assert decision == Granted(running, repeated=True)
    assert change(decision).grant is None
    other = _ask(_request(directions=(UP,)), active=[running])
    assert _held(other).why is WaitReason.LINE_BUSY


def test_an_expired_lease_holds_nothing():
    full = [_lease(_request(f"other-{n}"), expires_ms=NOW_MS + 1) for n in range(3)]
    assert isinstance(_ask(_request(), active=full), Held)
    assert _granted(_ask(_request(), active=full, now_ms=NOW_MS + 1))
    assert current(LeaseBook(tuple(full)), NOW_MS + 1).active == ()


# --- who is first -------------------------------------------------------------

# (mine, the other's, who goes first): the other one has waited for a second.
RANKS = [
    ({"purpose": Purpose.CONFIRMATION}, {"purpose": Purpose.ON_SITE}, "mine"),
    ({"purpose": Purpose.ON_SITE}, {"purpose": Purpose.FLOOR}, "mine"),
    ({"purpose": Purpose.FLOOR}, {"purpose": Purpose.ROUTINE}, "mine"),
    ({"purpose": Purpose.ROUTINE}, {"purpose": Purpose.CAMPAIGN}, "mine"),
    ({"purpose": Purpose.CAMPAIGN}, {"purpose": Purpose.ROUTINE}, "other"),
    ({}, {}, "other"),
    ({"latest_start_ms": NOW_MS + 10_000}, {}, "mine"),
    (
        {"latest_start_ms": NOW_MS + 10_000},
        {"latest_start_ms": NOW_MS + 9_000},
        "other",
    ),
    # A deadline in the past is not earlier than the time of asking.
    ({"latest_start_ms": 0}, {"latest_start_ms": NOW_MS - 500}, "other"),
]


@pytest.mark.parametrize(("mine", "other", "first"), RANKS)
def test_class_then_deadline_then_time_of_waiting(mine, other, first):
    active = [_lease(_request(f"running-{n}"), age_s=0.5) for n in range(2)]
    waiting = [_waiting(_request("other", **other))]
    decision = _ask(_request("mine", **mine), active=active, waiting=waiting)
    if first == "mine":
        assert _granted(decision)
    else:
        held = _held(decision)
        assert (held.why, held.ahead_count) == (WaitReason.QUEUE, 1)


@pytest.mark.parametrize(
    ("steps", "other", "goes"),
    [
        (1.99, Purpose.FLOOR, False),
        (2, Purpose.FLOOR, True),
        (3.99, Purpose.CONFIRMATION, False),
        (4, Purpose.CONFIRMATION, True),
    ],
)
def test_waiting_climbs_a_class_each_time(steps, other, goes):
    mine = _request("mine", purpose=Purpose.CAMPAIGN)
    active = [_lease(_request(f"running-{n}"), age_s=0.5) for n in range(2)]
    waiting = [
        _waiting(mine, CLIMB_AFTER_S * steps),
        _waiting(_request("other", purpose=other), since_s=0),
    ]
    decision = _ask(mine, active=active, waiting=waiting)
    assert isinstance(decision, Granted if goes else Held)


def test_a_place_keeps_its_time_when_asked_again():
    full = [_lease(_request(f"other-{n}")) for n in range(3)]
    held = _held(_ask(_request(), active=full, waiting=[_waiting(_request(), 77)]))
    assert held.waiting.since_ms == NOW_MS - 77_000
    assert held.waiting.due_ms == NOW_MS + round(held.retry_after_s * 1000)
    assert change(held).wait == held.waiting


def test_one_who_does_not_come_gives_way_but_keeps_its_time():
    active = [_lease(_request(f"running-{n}"), age_s=0.5) for n in range(2)]
    late = _waiting(_request("late"), since_s=60, due_s=-5.0)
    assert isinstance(_ask(_request(), active=active, waiting=[late]), Held)
    gone = replace(late, due_ms=late.due_ms - 1)
    assert _granted(_ask(_request(), active=active, waiting=[gone]))
    full = [*active, _lease(_request("third"))]
    back = _held(_ask(_request("late"), active=full, waiting=[gone]))
    assert back.waiting.since_ms == late.since_ms
    forgotten = replace(late, due_ms=NOW_MS - 600_000)
    assert current(LeaseBook((), (forgotten,)), NOW_MS).waiting == ()


# --- the first keeps its way free ---------------------------------------------


def test_a_big_test_is_not_starved_by_small_ones():
    """700 Mbit/s are free on the way of the first: none of it for those behind."""
    active = [_lease(_request("running", 100), "m2", age_s=0.5)]
    big = _waiting(_request("big", 800), since_s=5)
    held = _held(_ask(_request("small", 100), _resources(SMALL), active, [big]))
    assert held.why is WaitReason.QUEUE
    assert _granted(_ask(big.request, _resources(SMALL), (), [big]))


def test_those_behind_use_what_the_first_does_not_need():
    """The first waits for its mast only: the server has room beside its share."""
    resources = _resources(SMALL, first=(MAST,), running=(MAST,))
    active = [_lease(_request("running", 100), "m2", segment_ids=("mast",))]
    first = _waiting(_request("first", 300), since_s=5)
    fits = _ask(_request("behind", 400), resources, active, [first])
    assert _granted(fits)
    too_much = _ask(_request("behind", 401), resources, active, [first])
    assert _held(too_much).why is WaitReason.QUEUE


def test_only_the_first_in_front_of_a_mast_holds_a_place_elsewhere():
    resources = _resources(
        ONE, running=(MAST,), first=(MAST,), second=(MAST,), third=(MAST,)
    )
    active = [_lease(_request("running", 100), segment_ids=("mast",))]
    waiting = [_waiting(_request(name), since_s=9) for name in ("first", "second")]
    assert _granted(_ask(_request("behind"), resources, active, waiting))
    third = _held(_ask(_request("third"), resources, active, waiting))
    assert (third.why, third.resource) == (WaitReason.RADIO_HOP_BUSY, "mast")


@pytest.mark.parametrize(("due_s", "goes"), [(9.0, False), (9.001, True)])
def test_a_slot_is_lent_until_the_first_is_due(due_s, goes):
    """4 s and 5 s of slack: it is given back whatever happens."""
    active = [_lease(_request(f"running-{n}"), age_s=0.5) for n in range(2)]
    first = _waiting(_request("first"), since_s=60, due_s=due_s)
    decision = _ask(_request("mine"), active=active, waiting=[first])
    assert isinstance(decision, Granted if goes else Held)


# --- when to ask again --------------------------------------------------------


def test_retry_is_when_a_test_is_expected_to_end():
    ages_s = (0.2, 0.4, 0.6)
    full = [_lease(_request(f"other-{n}"), age_s=age) for n, age in enumerate(ages_s)]
    held = _held(_ask(_request(), active=full))
    assert held.retry_after_s == pytest.approx(0.4)
    ahead = [_waiting(_request(f"ahead-{n}"), since_s=5 - n) for n in range(3)]
    later = _held(_ask(_request(), active=full, waiting=ahead))
    assert later.retry_after_s == pytest.approx(1.4)
    assert later.ahead_count == 3


def test_retry_is_soon_when_tests_take_longer_than_expected():
    full = [_lease(_request(f"other-{n}"), age_s=3) for n in range(3)]
    assert _held(_ask(_request(), active=full)).retry_after_s == MIN_RETRY_S


def test_retry_is_bounded():
    full = [_lease(_request(f"other-{n}", expected_s=4.0)) for n in range(3)]
    ahead = [
        _waiting(_request(f"ahead-{n}", expected_s=4.0), since_s=60) for n in range(90)
    ]
    assert _held(_ask(_request(), active=full, waiting=ahead)).retry_after_s == (
        MAX_RETRY_S
    )


def test_the_same_question_has_the_same_answer():
    full = [_lease(_request(f"other-{n}"), age_s=n / 10) for n in range(3)]
    ahead = [_waiting(_request(f"ahead-{n}"), since_s=5) for n in range(4)]
    answers = [
        _ask(_request(), active=full[:: 1 - 2 * n], waiting=ahead[:: 1 - 2 * n])
        for n in (0, 1)
    ]
    assert answers[0] == answers[1]
