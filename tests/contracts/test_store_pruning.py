"""What every state store removes: old, read, of the kinds asked for, and no more."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.storage.ports import Store
from netmon.storage.records import Pruned, Written

from .conftest import HOUR_MS, NOON_MS, OPEN, a_batch, a_series, a_source

LATE_MS = NOON_MS + 100 * HOUR_MS
KINDS = ("latency", "lan_port")


def fill(store: Store, *chunks: tuple[str, int]) -> list[int]:
    """Write chunks of (kind, hours after noon), two records each; return their ids."""
    source = a_source(store)
    for n, (kind, hours) in enumerate(chunks):
        series = a_series([2 * n + 1, 2 * n + 2], kind=kind, tags={"k": kind})
        at_ms = NOON_MS + hours * HOUR_MS
        store.measurements.write([a_batch(source, series, received_ms=at_ms)])
    return ids(store)


def ids(store: Store) -> list[int]:
    return [chunk.id for chunk in store.measurements.chunks_after(0, 10_000)]


def prune(
    store: Store,
    before_ms: int = LATE_MS,
    upto: int = 10**9,
    kinds: Collection[str] = KINDS,
    max_chunks: int = 100,
    sweep: str = "keep-all",
) -> Pruned:
    return store.measurements.prune(
        sweep, kinds, before_ms, upto, now_ms=LATE_MS, max_chunks=max_chunks
    )


def test_what_is_young_stays(store: Store) -> None:
    found = fill(store, ("latency", 1), ("latency", 2), ("latency", 3))
    done = prune(store, NOON_MS + 2 * HOUR_MS)
    assert (done.chunks, done.records, done.more) == (1, 2, False)
    assert ids(store) == found[1:]
    assert store.measurements.count() == 4


def test_what_is_beyond_the_readers_stays(store: Store) -> None:
    found = fill(store, ("latency", 1), ("latency", 2), ("latency", 3))
    assert prune(store, upto=0).chunks == 0
    assert prune(store, upto=found[1]).chunks == 2
    assert ids(store) == found[2:]


def test_other_kinds_stay_and_a_longer_sweep_takes_them(store: Store) -> None:
    found = fill(store, ("latency", 1), ("lan_port", 1), ("latency", 2))
    assert prune(store, kinds=["lan_port"]).chunks == 1
    assert ids(store) == [found[0], found[2]]
    assert prune(store, kinds=["latency"]).chunks == 0  # its place is behind them
    assert prune(store, sweep="keep-long", max_chunks=1) == Pruned(
        chunks=1, records=2, position=found[0], more=True
    )
    assert prune(store, sweep="keep-long").position == found[2]
    assert ids(store) == []


def test_a_sweep_goes_on_where_it_was(open_store: Callable[[], Store]) -> None:
    store = open_store()
    found = fill(store, *[("latency", n) for n in range(5)])
    assert prune(store, max_chunks=2).more is True
    assert store.cursors.get("keep-all").position == found[1]
    store.close()
    store = open_store()
    assert prune(store, max_chunks=2).position == found[3]
    assert prune(store, max_chunks=2).more is False
    assert prune(store, max_chunks=2).chunks == 0
    assert store.measurements.count() == 0
    store.close()


def test_a_clock_that_was_ahead_holds_up_and_loses_nothing(store: Store) -> None:
    found = fill(store, ("latency", 1), ("latency", 5), ("latency", 2))
    assert prune(store, NOON_MS + 3 * HOUR_MS).chunks == 1
    assert ids(store) == found[1:]


def test_numbers_go_on_and_records_stay_known_after_all_is_gone(store: Store) -> None:
    found = fill(store, ("latency", 1))
    assert store.measurements.received_after(0) == NOON_MS + HOUR_MS
    assert store.measurements.received_after(found[0]) is None
    prune(store)
    assert store.measurements.last_position() == found[0]
    assert store.measurements.received_after(0) is None
    source = store.sources.all()[0]
    again = a_series([1, 2], kind="latency", tags={"k": "latency"})
    assert store.measurements.write([a_batch(source, again)]) == [Written(0, 2)]
    store.measurements.write([a_batch(source, a_series([3]))])
    assert ids(store) == [found[0] + 1]
    assert [item.ts_ms for item in store.measurements.latest()]


def test_what_was_set_aside_goes_oldest_first(store: Store) -> None:
    source = a_source(store)
    for n in range(3):
        at_ms = NOON_MS + n * HOUR_MS
        batch = a_batch(source, quarantined=[n + 1], received_ms=at_ms)
        store.measurements.write([batch])
    assert store.measurements.prune_quarantine(NOON_MS, 10) == 0
    assert store.measurements.prune_quarantine(NOON_MS + 2 * HOUR_MS, 1) == 1
    assert store.measurements.prune_quarantine(NOON_MS + 2 * HOUR_MS, 10) == 1
    assert store.measurements.quarantine_count() == 1


steps = st.lists(
    st.tuples(
        st.sampled_from(KINDS),  # which kinds: that one, or all
        st.booleans(),
        st.integers(0, 12),  # hours up to which is old
        st.integers(0, 15),  # how far the readers are
        st.integers(1, 6),  # chunks a step
    ),
    max_size=8,
)


@pytest.mark.parametrize("opened", list(OPEN))
@settings(max_examples=25, deadline=None)
@given(
    chunks=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 12)), max_size=15),
    steps=steps,
)
def test_whatever_comes_nothing_young_unread_or_unasked_goes(
    opened: str,
    chunks: list[tuple[str, int]],
    steps: list[tuple[str, bool, int, int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = OPEN[opened](Path(folder))
        numbers = fill(store, *chunks)
        told = dict(zip(numbers, chunks, strict=True))
        left = set(numbers)
        for kind, everything, hours, upto, most in steps:
            kinds = KINDS if everything else (kind,)
            sweep = "keep-all" if everything else f"keep-{kind}"
            before_ms = NOON_MS + hours * HOUR_MS
            done = prune(store, before_ms, upto, kinds, most, sweep)
            gone = left - set(ids(store))
            left -= gone
            assert len(gone) == done.chunks <= most
            for number in gone:
                assert number <= upto
                assert told[number][0] in kinds
                assert told[number][1] < hours
        assert store.measurements.count() == 2 * len(left)
        last = max(numbers, default=0)
        for _ in numbers:
            prune(store, upto=last, max_chunks=3)
        assert ids(store) == []
        store.close()
