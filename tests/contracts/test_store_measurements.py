"""What every state store keeps of measurements: each once, and read on in order."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.model import FailureReason
from netmon.storage.ports import Store
from netmon.storage.records import (
    Written,
)

from .conftest import (
    HOUR_MS,
    NOON_MS,
    OPEN,
    SPOOLS,
    a_batch,
    a_series,
    a_source,
    the_only,
)

# --- measurements: each record exactly once ----------------------------------


def test_a_batch_sent_twice_is_stored_once(store: Store) -> None:
    batch = a_batch(a_source(store), a_series([1, 2, 3]))
    assert store.measurements.write([batch]) == [Written(3, 0)]
    assert store.measurements.write([batch]) == [Written(0, 3)]
    assert store.measurements.write([batch, batch]) == [Written(0, 3), Written(0, 3)]
    assert store.measurements.count() == 3
    assert len(store.measurements.chunks_after(0, 100)) == 1


def test_a_new_spool_or_another_sender_counts_anew(store: Store) -> None:
    one, other = a_source(store, "one"), a_source(store, "other")
    for batch in (
        a_batch(one, a_series([1])),
        a_batch(one, a_series([1]), spool=SPOOLS[1]),
        a_batch(other, a_series([1])),
    ):
        assert store.measurements.write([batch]) == [Written(1, 0)]
    assert sorted(store.measurements.ids()) == [
        ("one", SPOOLS[0], 1),
        ("one", SPOOLS[1], 1),
        ("other", SPOOLS[0], 1),
    ]


@pytest.mark.parametrize("together", [True, False])
def test_a_number_that_stands_twice_in_a_batch_counts_once(
    store: Store, *, together: bool
) -> None:
    series = (
        [a_series([1, 1, 2])]
        if together
        else [a_series([1, 2]), a_series([1], kind="dns")]
    )
    assert store.measurements.write([a_batch(a_source(store), *series)]) == [
        Written(2, 1)
    ]
    assert sorted(store.measurements.ids()) == [
        ("probe-07", SPOOLS[0], 1),
        ("probe-07", SPOOLS[0], 2),
    ]


def test_a_quarantined_record_is_kept_once_and_its_number_is_taken(
    store: Store,
) -> None:
    batch = a_batch(a_source(store), a_series([1, 3]), quarantined=[2])
    assert store.measurements.write([batch]) == [Written(2, 0)]
    assert store.measurements.write([batch]) == [Written(0, 2)]
    assert store.measurements.quarantine_count() == 1
    mended = a_batch(batch.source, a_series([2]))
    assert store.measurements.write([mended]) == [Written(0, 1)]
    assert store.measurements.count() == 2


def test_a_batch_without_records_is_nothing(store: Store) -> None:
    source = a_source(store)
    assert store.measurements.write([a_batch(source)]) == [Written(0, 0)]
    assert store.measurements.write([]) == []
    assert store.measurements.count() == 0


_sends = st.lists(
    st.tuples(
        st.sampled_from(SPOOLS),
        # Numbers in any order, with gaps, overlapping what was sent before.
        st.lists(st.integers(1, 24), min_size=1, max_size=12),
        st.lists(st.integers(1, 24), max_size=2),
        st.integers(1, 3),
    ),
    max_size=10,
)


@settings(max_examples=120, deadline=None)
@given(sends=_sends, reopen=st.booleans())
@pytest.mark.parametrize("kind", list(OPEN))
def test_however_a_sender_repeats_itself_each_record_is_stored_exactly_once(
    kind: str,
    sends: list[tuple[str, list[int], list[int], int]],
    *,
    reopen: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = OPEN[kind](Path(folder))
        source = a_source(store)
        offered: set[tuple[str, str, int]] = set()
        taken: set[tuple[str, str, int]] = set()
        for spool, numbers, bad, parts in sends:
            good = [n for n in numbers if n not in bad]
            pieces = [good[i::parts] for i in range(parts)]
            series = [
                a_series(piece, tags={"building": "gs-07", "line": f"l{i}"})
                for i, piece in enumerate(pieces)
                if piece
            ]
            batch = a_batch(source, *series, spool=spool, quarantined=sorted(set(bad)))
            (written,) = store.measurements.write([batch])
            new = {("probe-07", spool, n) for n in good} - offered
            assert written == Written(len(new), len(good) - len(new))
            taken |= new
            offered |= {("probe-07", spool, n) for n in (*good, *bad)}
            if reopen:
                store.close()
                store = OPEN[kind](Path(folder))
        assert sorted(store.measurements.ids()) == sorted(taken)
        assert store.measurements.count() == len(taken)
        assert store.measurements.quarantine_count() == len(offered - taken)
        store.close()


def test_a_group_is_written_whole_or_not_at_all(store: Store) -> None:
    source = a_source(store)
    broken = a_series([2, 3])
    broken.values = {"rtt_s": [object(), 1.0]}  # type: ignore[list-item]
    with pytest.raises(TypeError):
        store.measurements.write(
            [a_batch(source, a_series([1])), a_batch(source, broken)]
        )
    assert store.measurements.count() == 0
    assert store.measurements.latest() == []
    assert store.measurements.write([a_batch(source, a_series([1, 2, 3]))]) == [
        Written(3, 0)
    ]
    assert the_only(store).series.kind == "latency"


# --- chunks: the outbox ------------------------------------------------------


def test_chunks_come_in_order_of_arrival_with_all_they_hold(store: Store) -> None:
    source = a_source(store, generated=True)
    failure = [None, FailureReason.TIMEOUT]
    values: dict[str, list[float | None]] = {
        "rtt_s": [0.5, None],
        "loss_ratio": [0.0, None],
    }
    newer = a_series([1, 2], values=values, failure=failure)
    older = a_series(
        [3], ts=[NOON_MS - HOUR_MS], tags={"building": "gs-07", "line": "b"}
    )
    store.measurements.write([a_batch(source, newer), a_batch(source, older)])
    first, second = store.measurements.chunks_after(0, 100)
    assert first.id < second.id == store.measurements.last_position()
    assert first.points.seq == [1, 2]
    assert first.points.ts == newer.ts
    assert first.points.values == values
    assert first.points.failure == failure
    assert first.received_ms == NOON_MS
    assert first.series.source == "probe-07"
    assert first.series.generated
    assert first.series.kind == "latency"
    assert first.series.building_id == "gs-07"
    assert first.series.tags == {"building": "gs-07", "line": "gs-07-main"}
    assert second.points.failure is None
    assert second.series.id != first.series.id


def test_reading_on_takes_as_many_chunks_as_are_wanted(store: Store) -> None:
    source = a_source(store)
    assert store.measurements.last_position() == 0
    assert store.measurements.chunks_after(0, 10) == []
    for start in (1, 4, 7):
        store.measurements.write([a_batch(source, a_series(range(start, start + 3)))])
    ids = [chunk.id for chunk in store.measurements.chunks_after(0, 100)]
    assert [c.id for c in store.measurements.chunks_after(0, 1)] == ids[:1]
    assert [c.id for c in store.measurements.chunks_after(0, 4)] == ids[:2]
    assert [c.id for c in store.measurements.chunks_after(ids[0], 100)] == ids[1:]
    assert store.measurements.chunks_after(ids[-1], 100) == []


def test_reading_on_can_leave_other_kinds_out(store: Store) -> None:
    source = a_source(store)
    for start, kind in ((1, "latency"), (4, "dns"), (7, "latency"), (10, "dns")):
        series = a_series(range(start, start + 3), kind=kind)
        store.measurements.write([a_batch(source, series)])
    every = store.measurements.chunks_after(0, 100)
    of_kind = [chunk for chunk in every if chunk.series.kind == "dns"]
    after = store.measurements.chunks_after
    assert after(0, 100, kind="dns") == of_kind
    assert after(0, 1, kind="dns") == of_kind[:1]
    assert after(of_kind[0].id, 100, kind="dns") == of_kind[1:]
    assert after(0, 100, kind="wlan_ap") == []


def test_chunks_of_a_span_are_those_that_touch_it(store: Store) -> None:
    source = a_source(store)
    for n, start in enumerate((0, 10, 20)):
        ts = [NOON_MS + start, NOON_MS + start + 5]
        store.measurements.write(
            [a_batch(source, a_series([2 * n + 1, 2 * n + 2], ts=ts))]
        )
    series_id = the_only(store).series.id

    def seen(first: int, last: int) -> list[int]:
        chunks = store.measurements.chunks([series_id], NOON_MS + first, NOON_MS + last)
        return [chunk.points.ts[0] - NOON_MS for chunk in chunks]

    assert seen(0, 100) == [0, 10, 20]
    assert seen(5, 10) == [0, 10]
    assert seen(6, 9) == []
    assert seen(12, 13) == [10]
    assert store.measurements.chunks([], 0, NOON_MS * 2) == []
    assert store.measurements.chunks([series_id + 99], 0, NOON_MS * 2) == []
