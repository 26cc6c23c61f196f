"""What every store has to do with leases: one decision at a time, safe from restarts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from netmon.errors import StorageError
from netmon.lease_wire import Direction, Purpose
from netmon.storage.lease_records import (
    Lease,
    LeaseBook,
    LeaseChange,
    LeaseRequest,
    Waiting,
)
from netmon.storage.ports import Store
from netmon.storage.sqlite import SqliteStore

NOW_MS = 1_795_162_320_000
LONG_AGO_MS = 0

# A second implementation joins the suite with one line.
OPEN: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore(folder / "state.sqlite3")
}


@pytest.fixture(params=list(OPEN))
def open_lease_store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[], Store]:
    return lambda: OPEN[request.param](tmp_path)


@pytest.fixture
def lease_store(open_lease_store: Callable[[], Store]) -> Iterator[Store]:
    opened = open_lease_store()
    yield opened
    opened.close()


def _request(line: str = "l1", **more: Any) -> LeaseRequest:
    fields: dict[str, Any] = {
        "probe": f"{line}-p1",
        "building_id": "g1",
        "purpose": Purpose.FLOOR,
        "directions": (Direction.DOWN, Direction.UP),
        "rate_cap_bps": 100_000_000,
        "length_s": 2.5,
        "expected_s": 0.7,
        "avoid": ("m9",),
        "nearest": ("m2", "m1"),
        "latest_start_ms": NOW_MS + 1,
    }
    return LeaseRequest(line_id=line, **{**fields, **more})


def _lease(lease_id: str = "a", **more: Any) -> Lease:
    fields: dict[str, Any] = {
        "request": _request(),
        "rate_cap_bps": 80_000_000,
        "server_id": "m1",
        "segment_ids": ("mast", "ring"),
        "granted_ms": NOW_MS,
        "expires_ms": NOW_MS + 7_500,
    }
    return Lease(id=lease_id, **{**fields, **more})


def _waiting(line: str = "l1", since_ms: int = NOW_MS, **more: Any) -> Waiting:
    return Waiting(
        request=_request(line), since_ms=since_ms, due_ms=more.get("due_ms", NOW_MS)
    )


def _write(store: Store, *changes: LeaseChange, now_ms: int = NOW_MS) -> None:
    for one in changes:
        store.leases.settle(now_ms, LONG_AGO_MS, lambda _, one=one: (one, None))


def test_a_new_store_has_an_empty_book(lease_store: Store) -> None:
    assert lease_store.leases.book(NOW_MS) == LeaseBook()


def test_what_runs_and_who_waits_survives_a_restart(
    open_lease_store: Callable[[], Store],
) -> None:
    first = open_lease_store()
    _write(first, LeaseChange(grant=_lease()), LeaseChange(wait=_waiting("l2")))
    first.close()
    second = open_lease_store()
    assert second.leases.book(NOW_MS) == LeaseBook((_lease(),), (_waiting("l2"),))
    second.close()


def test_a_decision_sees_the_book_and_its_answer_comes_back(lease_store: Store) -> None:
    _write(lease_store, LeaseChange(grant=_lease()))
    seen: list[LeaseBook] = []

    def decide(book: LeaseBook) -> tuple[LeaseChange, str]:
        seen.append(book)
        return LeaseChange(), "answer"

    assert lease_store.leases.settle(NOW_MS, LONG_AGO_MS, decide) == "answer"
    assert seen == [LeaseBook((_lease(),))]


def test_the_book_is_oldest_first(lease_store: Store) -> None:
    leases = [_lease(name, granted_ms=NOW_MS + at) for name, at in (("a", 2), ("c", 1))]
    waiting = [_waiting("l1", NOW_MS + 5), _waiting("l3", NOW_MS), _waiting("l2")]
    _write(lease_store, *(LeaseChange(grant=one) for one in leases))
    _write(lease_store, *(LeaseChange(wait=one) for one in waiting))
    book = lease_store.leases.book(NOW_MS)
    assert [one.id for one in book.active] == ["c", "a"]
    assert [one.request.line_id for one in book.waiting] == ["l2", "l3", "l1"]


def test_a_place_is_renewed_not_doubled_and_a_grant_ends_it(lease_store: Store) -> None:
    later = replace(_waiting(), due_ms=NOW_MS + 900)
    _write(lease_store, LeaseChange(wait=_waiting()), LeaseChange(wait=later))
    other_probe = replace(later, request=_request(probe="p2"))
    _write(lease_store, LeaseChange(wait=other_probe))
    assert set(lease_store.leases.book(NOW_MS).waiting) == {later, other_probe}
    _write(lease_store, LeaseChange(grant=_lease()))
    assert lease_store.leases.book(NOW_MS).waiting == (other_probe,)


def test_an_expired_lease_is_gone(lease_store: Store) -> None:
    lease = _lease()
    _write(lease_store, LeaseChange(grant=lease))
    assert lease_store.leases.book(lease.expires_ms - 1).active == (lease,)
    assert lease_store.leases.book(lease.expires_ms).active == ()
    _write(lease_store, LeaseChange(), now_ms=lease.expires_ms)
    # Deleted by the decision, not only hidden.
    assert lease_store.leases.book(NOW_MS).active == ()


def test_requests_are_forgotten_when_told(lease_store: Store) -> None:
    _write(lease_store, LeaseChange(wait=_waiting("l1", due_ms=NOW_MS)))
    _write(lease_store, LeaseChange(wait=_waiting("l2", due_ms=NOW_MS + 1)))
    lease_store.leases.settle(NOW_MS, NOW_MS, lambda _: (LeaseChange(), None))
    book = lease_store.leases.book(NOW_MS)
    assert [one.request.line_id for one in book.waiting] == ["l2"]


def test_only_the_own_building_releases_and_only_once(lease_store: Store) -> None:
    _write(lease_store, LeaseChange(grant=_lease("a")), LeaseChange(grant=_lease("b")))
    assert not lease_store.leases.release("a", "g2")
    assert not lease_store.leases.release("nothing", "g1")
    assert lease_store.leases.release("a", "g1")
    assert not lease_store.leases.release("a", "g1")
    assert [one.id for one in lease_store.leases.book(NOW_MS).active] == ["b"]


def test_an_id_is_granted_once(lease_store: Store) -> None:
    _write(lease_store, LeaseChange(grant=_lease()))
    with pytest.raises(StorageError):
        _write(lease_store, LeaseChange(grant=_lease()))


def test_a_decision_that_fails_changes_nothing(lease_store: Store) -> None:
    _write(lease_store, LeaseChange(grant=_lease()), LeaseChange(wait=_waiting("l2")))
    before = lease_store.leases.book(NOW_MS)

    def fail(_: LeaseBook) -> tuple[LeaseChange, None]:
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        lease_store.leases.settle(NOW_MS + 10**6, NOW_MS + 10**6, fail)
    assert lease_store.leases.book(NOW_MS) == before


def test_many_ask_at_once_and_one_slot_is_given_once(
    open_lease_store: Callable[[], Store],
) -> None:
    """Two gateways and eight threads: whoever decides has seen all grants before."""
    stores = [open_lease_store(), open_lease_store()]
    granted: list[str] = []
    ready = threading.Barrier(8)

    def ask(number: int) -> None:
        def decide(book: LeaseBook) -> tuple[LeaseChange, bool]:
            if len(book.active) >= 3:
                return LeaseChange(), False
            return LeaseChange(grant=_lease(f"{number}")), True

        ready.wait()
        if stores[number % 2].leases.settle(NOW_MS, LONG_AGO_MS, decide):
            granted.append(f"{number}")

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    active = stores[0].leases.book(NOW_MS).active
    for store in stores:
        store.close()
    assert len(granted) == 3
    assert sorted(one.id for one in active) == sorted(granted)
