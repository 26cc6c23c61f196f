"""What every state store has to do: the port's promises, run on each implementation."""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.clock import BERLIN, to_ms
from netmon.errors import StorageError
from netmon.model import FailureReason
from netmon.storage.ports import Store
from netmon.storage.records import (
    AlarmState,
    CheckedBatch,
    CheckedSeries,
    Latest,
    Mail,
    MailEvent,
    Quarantined,
    Snapshot,
    Source,
    SourceKind,
    StateRow,
    Transition,
    Written,
)
from netmon.storage.sqlite import SqliteStore

HOUR_MS = 3_600_000
NOON_MS = to_ms(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
SPOOLS = ("a" * 32, "b" * 32)

# A second implementation joins the suite with one line.
OPEN: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore(folder / "state.sqlite3")
}


@pytest.fixture(params=list(OPEN))
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Opens the same store, again and again."""
    return lambda: OPEN[request.param](tmp_path)


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Iterator[Store]:
    opened = open_store()
    yield opened
    opened.close()


def _source(store: Store, name: str = "probe-07", **more: Any) -> Source:
    return store.sources.create(
        name, SourceKind.PROBE, None, name.ljust(64, "x"), **more
    )


def _series(
    seq: Sequence[int],
    *,
    kind: str = "latency",
    ts: Sequence[int] | None = None,
    values: dict[str, list[float | None]] | None = None,
    failure: list[FailureReason | None] | None = None,
    tags: dict[str, str] | None = None,
    info: dict[str, str] | None = None,
    keep_rollups: bool = True,
) -> CheckedSeries:
    return CheckedSeries(
        kind=kind,
        building_id="gs-07",
        tags=tags or {"building": "gs-07", "line": "gs-07-main"},
        seq=list(seq),
        ts=list(ts) if ts is not None else [NOON_MS + n * 1000 for n in seq],
        values=values if values is not None else {"rtt_s": [float(n) for n in seq]},
        failure=failure,
        info=info or {},
        keep_rollups=keep_rollups,
    )


def _batch(
    source: Source,
    *series: CheckedSeries,
    spool: str = SPOOLS[0],
    received_ms: int = NOON_MS,
    quarantined: Sequence[int] = (),
) -> CheckedBatch:
    return CheckedBatch(
        source=source,
        spool=spool,
        received_ms=received_ms,
        sent_ms=received_ms - 250,
        agent="netmon/0.1",
        series=list(series),
        quarantined=[
            Quarantined(seq=n, reason="bad", record=b"{}") for n in quarantined
        ],
    )


def _only(store: Store, **which: str) -> Latest:
    (found,) = store.measurements.latest(**which)
    return found


# --- senders -----------------------------------------------------------------


def test_a_sender_is_found_by_its_token_until_it_is_revoked(store: Store) -> None:
    made = store.sources.create(
        "p", SourceKind.PROBE, "gs-07", "1" * 64, generated=True
    )
    assert store.sources.by_token("1" * 64) == made
    assert (made.building_id, made.generated, made.last_seen_ms) == (
        "gs-07",
        True,
        None,
    )
    assert store.sources.by_token("2" * 64) is None
    assert store.sources.all() == [made]
    assert store.sources.revoke("p")
    assert not store.sources.revoke("p")
    assert not store.sources.revoke("nobody")
    assert store.sources.by_token("1" * 64) is None
    assert store.sources.all() == []


def test_a_new_token_replaces_the_old_one_and_keeps_the_sender(store: Store) -> None:
    made = store.sources.create("p", SourceKind.PROBE, "gs-07", "1" * 64)
    again = store.sources.create("p", SourceKind.COLLECTOR, None, "2" * 64)
    assert again.id == made.id
    assert store.sources.by_token("1" * 64) is None
    assert store.sources.by_token("2" * 64) == again


def test_a_token_belongs_to_one_sender_only(store: Store) -> None:
    store.sources.create("p", SourceKind.PROBE, None, "1" * 64)
    with pytest.raises(StorageError):
        store.sources.create("q", SourceKind.PROBE, None, "1" * 64)
    assert [source.name for source in store.sources.all()] == ["p"]


def test_senders_are_listed_by_name_with_their_last_contact(store: Store) -> None:
    for name in ("b", "a"):
        _source(store, name)
    first, second = store.sources.all()
    assert (first.name, second.name) == ("a", "b")
    store.measurements.write([_batch(first, _series([1]))])
    seen = store.sources.all()[0]
    assert (seen.last_seen_ms, seen.clock_offset_ms) == (NOON_MS, 250)
    assert seen.agent == "netmon/0.1"


# --- measurements: each record exactly once ----------------------------------


def test_a_batch_sent_twice_is_stored_once(store: Store) -> None:
    batch = _batch(_source(store), _series([1, 2, 3]))
    assert store.measurements.write([batch]) == [Written(3, 0)]
    assert store.measurements.write([batch]) == [Written(0, 3)]
    assert store.measurements.write([batch, batch]) == [Written(0, 3), Written(0, 3)]
    assert store.measurements.count() == 3
    assert len(store.measurements.chunks_after(0, 100)) == 1


def test_a_new_spool_or_another_sender_counts_anew(store: Store) -> None:
    one, other = _source(store, "one"), _source(store, "other")
    for batch in (
        _batch(one, _series([1])),
        _batch(one, _series([1]), spool=SPOOLS[1]),
        _batch(other, _series([1])),
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
        [_series([1, 1, 2])]
        if together
        else [_series([1, 2]), _series([1], kind="dns")]
    )
    assert store.measurements.write([_batch(_source(store), *series)]) == [
        Written(2, 1)
    ]
    assert sorted(store.measurements.ids()) == [
        ("probe-07", SPOOLS[0], 1),
        ("probe-07", SPOOLS[0], 2),
    ]


def test_a_quarantined_record_is_kept_once_and_its_number_is_taken(
    store: Store,
) -> None:
    batch = _batch(_source(store), _series([1, 3]), quarantined=[2])
    assert store.measurements.write([batch]) == [Written(2, 0)]
    assert store.measurements.write([batch]) == [Written(0, 2)]
    assert store.measurements.quarantine_count() == 1
    mended = _batch(batch.source, _series([2]))
    assert store.measurements.write([mended]) == [Written(0, 1)]
    assert store.measurements.count() == 2


def test_a_batch_without_records_is_nothing(store: Store) -> None:
    source = _source(store)
    assert store.measurements.write([_batch(source)]) == [Written(0, 0)]
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
        source = _source(store)
        offered: set[tuple[str, str, int]] = set()
        taken: set[tuple[str, str, int]] = set()
        for spool, numbers, bad, parts in sends:
            good = [n for n in numbers if n not in bad]
            pieces = [good[i::parts] for i in range(parts)]
            series = [
                _series(piece, tags={"building": "gs-07", "line": f"l{i}"})
                for i, piece in enumerate(pieces)
                if piece
            ]
            batch = _batch(source, *series, spool=spool, quarantined=sorted(set(bad)))
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
    source = _source(store)
    broken = _series([2, 3])
    broken.values = {"rtt_s": [object(), 1.0]}  # type: ignore[list-item]
    with pytest.raises(TypeError):
        store.measurements.write([_batch(source, _series([1])), _batch(source, broken)])
    assert store.measurements.count() == 0
    assert store.measurements.latest() == []
    assert store.measurements.write([_batch(source, _series([1, 2, 3]))]) == [
        Written(3, 0)
    ]
    assert _only(store).series.kind == "latency"


# --- chunks: the outbox ------------------------------------------------------


def test_chunks_come_in_order_of_arrival_with_all_they_hold(store: Store) -> None:
    source = _source(store, generated=True)
    failure = [None, FailureReason.TIMEOUT]
    values: dict[str, list[float | None]] = {
        "rtt_s": [0.5, None],
        "loss_ratio": [0.0, None],
    }
    newer = _series([1, 2], values=values, failure=failure)
    older = _series(
        [3], ts=[NOON_MS - HOUR_MS], tags={"building": "gs-07", "line": "b"}
    )
    store.measurements.write([_batch(source, newer), _batch(source, older)])
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
    source = _source(store)
    assert store.measurements.last_position() == 0
    assert store.measurements.chunks_after(0, 10) == []
    for start in (1, 4, 7):
        store.measurements.write([_batch(source, _series(range(start, start + 3)))])
    ids = [chunk.id for chunk in store.measurements.chunks_after(0, 100)]
    assert [c.id for c in store.measurements.chunks_after(0, 1)] == ids[:1]
    assert [c.id for c in store.measurements.chunks_after(0, 4)] == ids[:2]
    assert [c.id for c in store.measurements.chunks_after(ids[0], 100)] == ids[1:]
    assert store.measurements.chunks_after(ids[-1], 100) == []


def test_reading_on_can_leave_other_kinds_out(store: Store) -> None:
    source = _source(store)
    for start, kind in ((1, "latency"), (4, "dns"), (7, "latency"), (10, "dns")):
        series = _series(range(start, start + 3), kind=kind)
        store.measurements.write([_batch(source, series)])
    every = store.measurements.chunks_after(0, 100)
    of_kind = [chunk for chunk in every if chunk.series.kind == "dns"]
    after = store.measurements.chunks_after
    assert after(0, 100, kind="dns") == of_kind
    assert after(0, 1, kind="dns") == of_kind[:1]
    assert after(of_kind[0].id, 100, kind="dns") == of_kind[1:]
    assert after(0, 100, kind="wlan_ap") == []


def test_chunks_of_a_span_are_those_that_touch_it(store: Store) -> None:
    source = _source(store)
    for n, start in enumerate((0, 10, 20)):
        ts = [NOON_MS + start, NOON_MS + start + 5]
        store.measurements.write(
            [_batch(source, _series([2 * n + 1, 2 * n + 2], ts=ts))]
        )
    series_id = _only(store).series.id

    def seen(first: int, last: int) -> list[int]:
        chunks = store.measurements.chunks([series_id], NOON_MS + first, NOON_MS + last)
        return [chunk.points.ts[0] - NOON_MS for chunk in chunks]

    assert seen(0, 100) == [0, 10, 20]
    assert seen(5, 10) == [0, 10]
    assert seen(6, 9) == []
    assert seen(12, 13) == [10]
    assert store.measurements.chunks([], 0, NOON_MS * 2) == []
    assert store.measurements.chunks([series_id + 99], 0, NOON_MS * 2) == []


def test_pruning_keeps_what_is_young_or_unread(store: Store) -> None:
    source = _source(store)
    for n in (1, 2, 3):
        store.measurements.write(
            [_batch(source, _series([n]), received_ms=NOON_MS + n * HOUR_MS)]
        )
    ids = [chunk.id for chunk in store.measurements.chunks_after(0, 100)]
    late = NOON_MS + 10 * HOUR_MS
    assert store.measurements.prune(late, ["relay", "alerts"]) == 0
    store.cursors.set("relay", ids[2], NOON_MS)
    assert store.measurements.prune(late, ["relay", "alerts"]) == 0
    store.cursors.set("alerts", ids[1], NOON_MS)
    assert store.measurements.prune(NOON_MS + HOUR_MS + 1, ["relay", "alerts"]) == 1
    assert store.measurements.count() == 2
    assert store.measurements.prune(late, ["relay", "alerts"]) == 1
    assert [c.id for c in store.measurements.chunks_after(0, 100)] == ids[2:]
    again = _batch(source, _series([1, 2, 3]))
    assert store.measurements.write([again]) == [Written(0, 3)]
    assert store.measurements.count() == 1
    assert store.measurements.prune(late, []) == 1
    assert store.measurements.count() == 0
    store.measurements.write([_batch(source, _series([4, 5]))])
    assert store.measurements.last_position() > ids[2]
    assert store.measurements.count() == 2


# --- latest values -----------------------------------------------------------


def test_the_latest_value_is_the_newest_by_time_measured(store: Store) -> None:
    source = _source(store)
    series = _series([1, 2, 3], ts=[NOON_MS, NOON_MS + 2, NOON_MS + 1])
    store.measurements.write([_batch(source, series)])
    latest = _only(store)
    assert (latest.ts_ms, latest.ok_ts_ms) == (NOON_MS + 2, NOON_MS + 2)
    assert latest.values == {"rtt_s": 2.0}
    assert latest.failure is None
    assert latest.received_ms == NOON_MS


def test_older_data_never_overwrites_the_latest(store: Store) -> None:
    source = _source(store)
    store.measurements.write([_batch(source, _series([1], ts=[NOON_MS]))])
    before = _only(store)
    late = _series([2], ts=[NOON_MS - 1], failure=[FailureReason.DNS], values={})
    store.measurements.write([_batch(source, late, received_ms=NOON_MS + HOUR_MS)])
    assert _only(store) == before


def test_a_failure_is_the_newest_knowledge_but_keeps_the_last_numbers(
    store: Store,
) -> None:
    source = _source(store)
    store.measurements.write([_batch(source, _series([1], ts=[NOON_MS]))])
    failed = _series(
        [2, 3],
        ts=[NOON_MS + 1, NOON_MS + 2],
        values={"rtt_s": [7.0, None]},
        failure=[None, FailureReason.NO_REPLY],
    )
    store.measurements.write([_batch(source, failed)])
    latest = _only(store)
    assert (latest.ts_ms, latest.failure) == (NOON_MS + 2, FailureReason.NO_REPLY)
    assert (latest.ok_ts_ms, latest.values) == (NOON_MS + 1, {"rtt_s": 7.0})
    store.measurements.write([_batch(source, _series([4], ts=[NOON_MS + 3]))])
    assert _only(store).failure is None


def test_a_series_that_only_failed_has_no_numbers(store: Store) -> None:
    failed = _series([1], values={"rtt_s": [None]}, failure=[FailureReason.TIMEOUT])
    store.measurements.write([_batch(_source(store), failed)])
    latest = _only(store)
    assert (latest.ok_ts_ms, latest.values) == (None, {})
    assert latest.failure is FailureReason.TIMEOUT


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=4),
        max_size=6,
    )
)
@pytest.mark.parametrize("kind", list(OPEN))
def test_the_latest_value_does_not_depend_on_the_order_of_arrival(
    kind: str, batches: list[list[tuple[int, bool]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = OPEN[kind](Path(folder))
        source = _source(store)
        seq = 0
        newest = newest_ok = -1
        for records in batches:
            count = len(records)
            series = _series(
                range(seq + 1, seq + count + 1),
                ts=[NOON_MS + at for at, _ in records],
                values={"rtt_s": [None if bad else float(at) for at, bad in records]},
                failure=[FailureReason.TIMEOUT if bad else None for _, bad in records],
            )
            seq += count
            store.measurements.write([_batch(source, series)])
            newest = max(newest, *(at for at, _ in records))
            newest_ok = max([newest_ok, *(at for at, bad in records if not bad)])
        if batches:
            latest = _only(store)
            assert latest.ts_ms == NOON_MS + newest
            if newest_ok < 0:
                assert (latest.ok_ts_ms, latest.values) == (None, {})
            else:
                assert latest.ok_ts_ms == NOON_MS + newest_ok
                assert latest.values == {"rtt_s": float(newest_ok)}
        store.close()


def test_latest_values_can_be_asked_by_kind_and_building(store: Store) -> None:
    source = _source(store)
    other = _series([2], kind="dns", values={"duration_s": [0.1]})
    elsewhere = _series([3], tags={"building": "gym-01", "line": "x"})
    elsewhere.building_id = "gym-01"
    store.measurements.write([_batch(source, _series([1]), other, elsewhere)])
    assert len(store.measurements.latest()) == 3
    assert len(store.measurements.latest(kind="latency")) == 2
    assert len(store.measurements.latest(building_id="gs-07")) == 2
    assert _only(store, kind="latency", building_id="gym-01").series.tags["line"] == "x"
    assert store.measurements.latest(kind="device") == []


def test_the_newest_words_about_a_thing_win_and_silence_changes_nothing(
    store: Store,
) -> None:
    source = _source(store)
    for n, info in enumerate(({"model": "A"}, {}, {"model": "B"}, {}), start=1):
        store.measurements.write([_batch(source, _series([n], info=info))])
    assert _only(store).info == {"model": "B"}


# --- rollups -----------------------------------------------------------------


def _day(year: int, month: int, day: int, hour: int, minute: int = 0) -> int:
    return to_ms(datetime(year, month, day, hour, minute, tzinfo=BERLIN))


def test_rollups_gather_count_sum_and_range_however_the_records_come(
    store: Store,
) -> None:
    source = _source(store)
    base = NOON_MS
    for seq, ts, value in (
        ([1, 2], [base, base + 60_000], [4.0, None]),
        ([3], [base + HOUR_MS], [10.0]),
        ([4], [base + 1], [1.0]),
    ):
        series = _series(seq, ts=ts, values={"rtt_s": value})  # type: ignore[dict-item]
        store.measurements.write([_batch(source, series)])
        store.measurements.write([_batch(source, series)])
    series_id = _only(store).series.id
    hours = store.measurements.rollups(series_id, "rtt_s", "hour", base, base + HOUR_MS)
    assert [(r.bucket, r.n, r.total, r.low, r.high) for r in hours] == [
        (base, 2, 5.0, 1.0, 4.0),
        (base + HOUR_MS, 1, 10.0, 10.0, 10.0),
    ]
    assert hours[0].mean == 2.5
    (day,) = store.measurements.rollups(series_id, "rtt_s", "day", 20261120, 20261120)
    assert (day.bucket, day.n, day.total, day.low, day.high) == (
        20261120,
        3,
        15.0,
        1.0,
        10.0,
    )
    assert (
        store.measurements.rollups(series_id, "rtt_s", "day", 20261121, 20261130) == []
    )
    assert store.measurements.rollups(series_id, "jitter_s", "day", 0, 99999999) == []


@pytest.mark.parametrize(
    ("month", "day", "hours"),
    [(3, 29, 23), (10, 25, 25), (11, 20, 24)],
    ids=["summer time begins", "summer time ends", "an ordinary day"],
)
def test_a_berlin_day_has_as_many_hours_as_it_has(
    store: Store, month: int, day: int, hours: int
) -> None:
    source = _source(store)
    first = _day(2026, month, day, 0)
    # From half an hour before that day to half an hour after, a record every half hour.
    ts = list(range(first - HOUR_MS // 2, first + hours * HOUR_MS + 1, HOUR_MS // 2))
    values: dict[str, list[float | None]] = {"rtt_s": [1.0] * len(ts)}
    numbers = range(1, len(ts) + 1)
    store.measurements.write([_batch(source, _series(numbers, ts=ts, values=values))])
    series_id = _only(store).series.id
    wanted = 20260000 + month * 100 + day
    days = store.measurements.rollups(series_id, "rtt_s", "day", 0, 99999999)
    assert [(r.bucket, r.n) for r in days if r.bucket == wanted] == [
        (wanted, hours * 2)
    ]
    assert sum(r.n for r in days) == len(ts)
    last = first + (hours - 1) * HOUR_MS
    by_hour = store.measurements.rollups(series_id, "rtt_s", "hour", first, last)
    assert len(by_hour) == hours
    assert {r.n for r in by_hour} == {2}


def test_failures_are_counted_in_rollups_beside_the_numbers(store: Store) -> None:
    series = _series(
        [1, 2, 3],
        ts=[NOON_MS, NOON_MS + 1, NOON_MS + HOUR_MS],
        values={"rtt_s": [None, 0.5, None]},
        failure=[FailureReason.TIMEOUT, None, FailureReason.DNS],
    )
    store.measurements.write([_batch(_source(store), series)])
    series_id = _only(store).series.id
    (day,) = store.measurements.rollups(series_id, "failures", "day", 0, 99999999)
    assert (day.n, day.total) == (2, 2.0)
    (numbers,) = store.measurements.rollups(series_id, "rtt_s", "day", 0, 99999999)
    assert (numbers.n, numbers.total) == (1, 0.5)


def test_a_kind_without_rollups_gets_none(store: Store) -> None:
    series = _series([1], keep_rollups=False)
    store.measurements.write([_batch(_source(store), series)])
    series_id = _only(store).series.id
    assert store.measurements.rollups(series_id, "rtt_s", "day", 0, 99999999) == []


# --- access points -----------------------------------------------------------


def _ap(seq: int, *, at_ms: int, up: float | None, **info: str) -> CheckedSeries:
    return _series(
        [seq],
        kind="wlan_ap",
        ts=[at_ms],
        tags={"building": "gs-07", "device": "wlc-1", "ap": "ap-1"},
        values={"up": [up], "clients_count": [None if up is None else 12.0]},
        failure=None if up is not None else [FailureReason.NO_REPLY],
        info=info,
    )


def test_an_access_point_is_as_last_reported(store: Store) -> None:
    source = _source(store)
    full = {"name": "AP-1.02", "model": "AP-515", "serial": "S1", "firmware": "8.10"}
    store.measurements.write([_batch(source, _ap(1, at_ms=NOON_MS, up=1.0, **full))])
    (seen,) = store.measurements.access_points()
    assert (seen.building_id, seen.ap, seen.device) == ("gs-07", "ap-1", "wlc-1")
    assert (seen.name, seen.model, seen.serial, seen.firmware) == tuple(full.values())
    assert (seen.up, seen.clients_count) == (True, 12)
    assert seen.first_seen_ms == seen.last_seen_ms == NOON_MS
    later = NOON_MS + 60_000
    store.measurements.write([_batch(source, _ap(2, at_ms=later, up=0.0, **full))])
    older = _ap(3, at_ms=NOON_MS + 1, up=1.0, **(full | {"firmware": "old"}))
    store.measurements.write([_batch(source, older)])
    (seen,) = store.measurements.access_points("gs-07")
    assert (seen.up, seen.firmware) == (False, "8.10")
    assert (seen.first_seen_ms, seen.last_seen_ms) == (NOON_MS, later)
    assert store.measurements.access_points("gym-01") == []


def test_an_access_point_that_could_not_be_asked_is_neither_up_nor_down(
    store: Store,
) -> None:
    source = _source(store)
    store.measurements.write([_batch(source, _ap(1, at_ms=NOON_MS, up=1.0))])
    store.measurements.write([_batch(source, _ap(2, at_ms=NOON_MS + 1, up=None))])
    (seen,) = store.measurements.access_points()
    assert (seen.up, seen.clients_count) == (None, None)


def test_what_a_report_does_not_repeat_about_an_access_point_stays(
    store: Store,
) -> None:
    source = _source(store)
    for seq, info in ((1, {}), (2, {"name": "AP-1.02", "serial": "S1"}), (3, {})):
        report = _ap(seq, at_ms=NOON_MS + seq, up=1.0, **info)
        store.measurements.write([_batch(source, report)])
        (seen,) = store.measurements.access_points()
        assert seen.name == ("ap-1" if seq == 1 else "AP-1.02")
    assert (seen.serial, seen.model) == ("S1", "")


# --- neighbours at ports -----------------------------------------------------


def _port(seq: int, *, at_ms: int, up: float | None, **info: str) -> CheckedSeries:
    return _series(
        [seq],
        kind="lan_port",
        ts=[at_ms],
        tags={"building": "gs-07", "device": "sw-1", "port": "Gi1/0/7"},
        values={"oper_up": [up]},
        failure=None if up is not None else [FailureReason.NO_REPLY],
        info=info,
        keep_rollups=False,
    )


def test_what_was_plugged_in_is_remembered(store: Store) -> None:
    source = _source(store)
    steps = [
        (1.0, {"neighbour": "AP-1.02", "neighbour_chassis": "02:00:00:00:00:01"}),
        (1.0, {"neighbour": "AP-1.02", "neighbour_chassis": "02:00:00:00:00:01"}),
        # What a switch still tells of a port that is down is no news.
        (0.0, {"neighbour": "AP-1.02", "neighbour_chassis": "02:00:00:00:00:01"}),
        (None, {}),
        (1.0, {"neighbour": "AP-NEW"}),
        (1.0, {"name": "Gi1/0/7"}),
    ]
    for seq, (up, info) in enumerate(steps, 1):
        series = _port(seq, at_ms=NOON_MS + seq, up=up, **info)
        store.measurements.write([_batch(source, series)])
    new, old = store.measurements.neighbours("gs-07")
    assert (new.name, new.chassis, new.device, new.port) == (
        "AP-NEW",
        "",
        "sw-1",
        "Gi1/0/7",
    )
    assert new.first_seen_ms == new.last_seen_ms == NOON_MS + 5
    assert (old.name, old.chassis) == ("AP-1.02", "02:00:00:00:00:01")
    assert (old.first_seen_ms, old.last_seen_ms) == (NOON_MS + 1, NOON_MS + 2)
    assert store.measurements.neighbours("gym-01") == []


# --- cursors and deliveries --------------------------------------------------


def test_a_cursor_starts_at_nothing_and_remembers(store: Store) -> None:
    new = store.cursors.get("alerts")
    assert (new.position, new.updated_ms, new.memory) == (0, 0, "")
    store.cursors.set("alerts", 5, NOON_MS, "words")
    store.cursors.set("alerts", 7, NOON_MS + 1)
    store.cursors.set("mail", 1, NOON_MS)
    moved = store.cursors.get("alerts")
    assert (moved.position, moved.updated_ms, moved.memory) == (7, NOON_MS + 1, "words")
    store.cursors.set("alerts", 7, NOON_MS + 2, "")
    assert store.cursors.get("alerts").memory == ""
    assert store.cursors.get("mail").position == 1


def test_a_delivery_moves_the_cursor_and_is_found_by_time(store: Store) -> None:
    store.cursors.set("relay", 0, NOON_MS, "words")
    for position, second in ((10, 1), (20, 2), (30, 3)):
        store.cursors.log_delivery("relay", position, NOON_MS + second * 1000)
    store.cursors.log_delivery("other", 99, NOON_MS)
    cursor = store.cursors.get("relay")
    assert (cursor.position, cursor.memory) == (30, "words")
    before = store.cursors.delivered_before
    assert before("relay", NOON_MS + 1000) is None
    assert before("relay", NOON_MS + 1001) == 10
    assert before("relay", NOON_MS + 3000) == 20
    assert before("relay", NOON_MS + HOUR_MS) == 30
    assert before("nobody", NOON_MS) is None


def test_going_back_takes_later_deliveries_back(store: Store) -> None:
    for position, second in ((10, 1), (20, 2), (30, 3), (10, 100), (15, 101)):
        store.cursors.log_delivery("relay", position, NOON_MS + second * 1000)
    before = store.cursors.delivered_before
    assert before("relay", NOON_MS + 50_000) == 10
    assert before("relay", NOON_MS + 2500) == 10
    assert before("relay", NOON_MS + 200_000) == 15


def test_the_same_delivery_twice_is_no_error(store: Store) -> None:
    for _ in range(2):
        store.cursors.log_delivery("relay", 10, NOON_MS)
    assert store.cursors.delivered_before("relay", NOON_MS + 1) == 10


def test_pruning_deliveries_keeps_the_newest_of_the_old_ones(store: Store) -> None:
    for second in range(1, 6):
        store.cursors.log_delivery("relay", second * 10, NOON_MS + second * 1000)
    store.cursors.prune_deliveries("relay", NOON_MS + 3500)
    before = store.cursors.delivered_before
    assert before("relay", NOON_MS + 3500) == 30
    assert before("relay", NOON_MS + 2500) is None
    assert before("relay", NOON_MS + HOUR_MS) == 50
    store.cursors.prune_deliveries("relay", NOON_MS + HOUR_MS)
    store.cursors.prune_deliveries("relay", NOON_MS + HOUR_MS)
    assert before("relay", NOON_MS + HOUR_MS) == 50
    store.cursors.prune_deliveries("nobody", NOON_MS)


# --- states, incidents, mails ------------------------------------------------


def _state(
    state: AlarmState, incident_id: int | None, target: str = "line:x"
) -> StateRow:
    return StateRow(
        rule="line_below_target",
        target=target,
        building_id="gs-07",
        state=state,
        since_ms=NOON_MS,
        updated_ms=NOON_MS,
        incident_id=incident_id,
        memory=b'{"n":1}',
    )


def _change(
    old: AlarmState, new: AlarmState, incident_id: int | None, target: str = "line:x"
) -> Transition:
    return Transition(
        id=0,
        rule="line_below_target",
        target=target,
        building_id="gs-07",
        from_state=old,
        to_state=new,
        at_ms=NOON_MS,
        incident_id=incident_id,
        evidence=b'{"rate":1}',
    )


def _alarm(store: Store, target: str = "line:x") -> int:
    (stored,) = store.alarms.commit(
        [_state(AlarmState.BAD, -1, target)],
        [_change(AlarmState.SUSPECT, AlarmState.BAD, -1, target)],
        reader="alerts",
        position=5,
        now_ms=NOON_MS,
    )
    assert stored.incident_id is not None
    return stored.incident_id


def test_an_alarm_opens_an_incident_and_its_end_closes_it(store: Store) -> None:
    incident_id = _alarm(store)
    assert incident_id > 0
    (row,) = store.alarms.states()
    assert row == _state(AlarmState.BAD, incident_id)
    assert store.alarms.open_incident("line_below_target", "line:x") == incident_id
    assert store.alarms.open_incident("line_below_target", "line:y") is None
    assert store.cursors.get("alerts").position == 5
    (incident,) = store.alarms.incidents(open_only=True)
    assert (incident.id, incident.ended_ms) == (incident_id, None)
    assert incident == store.alarms.incident(incident_id)
    store.alarms.commit(
        [_state(AlarmState.OK, None)],
        [_change(AlarmState.BAD, AlarmState.OK, incident_id)],
        reader="alerts",
        position=6,
        now_ms=NOON_MS,
    )
    assert store.alarms.incidents(open_only=True) == []
    ended = store.alarms.incident(incident_id)
    assert ended is not None
    assert ended.ended_ms == NOON_MS
    assert store.alarms.open_incident("line_below_target", "line:x") is None
    assert store.alarms.incident(incident_id + 99) is None


def test_transitions_are_kept_in_order_and_found_by_target(store: Store) -> None:
    first = _alarm(store)
    second = _alarm(store, "line:y")
    assert first != second
    everything = store.alarms.transitions_after(0)
    assert [t.target for t in everything] == ["line:x", "line:y"]
    assert [t.incident_id for t in everything] == [first, second]
    assert store.alarms.transitions_after(everything[0].id) == everything[1:]
    assert store.alarms.transitions_after(0, limit=1) == everything[:1]
    assert store.alarms.transitions_of("line:y") == everything[1:]
    assert everything[0].evidence == b'{"rate":1}'
    assert [i.id for i in store.alarms.incidents(limit=1)] == [second]
    assert store.alarms.incidents(building_id="gym-01") == []


def test_states_can_be_asked_and_counted(store: Store) -> None:
    _alarm(store)
    _alarm(store, "line:y")
    ok = _state(AlarmState.OK, None, "line:z")
    store.alarms.commit([ok], [], reader="alerts", position=9, now_ms=NOON_MS)
    assert len(store.alarms.states(rule="line_below_target", building_id="gs-07")) == 3
    assert store.alarms.states(rule="ap_down") == []
    assert store.alarms.state_counts() == {
        ("line_below_target", AlarmState.BAD): 2,
        ("line_below_target", AlarmState.OK): 1,
    }


def test_states_transitions_and_cursor_are_written_together_or_not_at_all(
    store: Store,
) -> None:
    _alarm(store)
    before = (
        store.alarms.states(),
        store.alarms.transitions_after(0),
        store.alarms.incidents(),
        store.cursors.get("alerts"),
    )
    broken = _state(AlarmState.BAD, -1, "line:z")
    with pytest.raises(StorageError):
        store.alarms.commit(
            [_state(AlarmState.OK, None), _replace(broken, building_id=None)],
            [_change(AlarmState.BAD, AlarmState.OK, 1)],
            reader="alerts",
            position=99,
            now_ms=NOON_MS + 1,
        )
    assert before == (
        store.alarms.states(),
        store.alarms.transitions_after(0),
        store.alarms.incidents(),
        store.cursors.get("alerts"),
    )


def _replace(row: StateRow, **fields: Any) -> StateRow:
    names = row.__struct_fields__
    return StateRow(**({name: getattr(row, name) for name in names} | fields))


def _mail(
    incident_id: int, event: MailEvent = MailEvent.ALARM, to: str = "a@b"
) -> Mail:
    return Mail(
        id=0,
        incident_id=incident_id,
        event=event,
        recipient=to,
        message_id=f"<{incident_id}.{event}.{to}>",
        in_reply_to="",
        subject="Betreff",
        text="Text",
        html="<p>Text</p>",
        created_ms=NOON_MS,
        attempts=0,
        next_try_ms=NOON_MS,
        sent_ms=None,
        last_error="",
    )


def test_a_mail_is_queued_once_and_the_cursor_moves_with_it(store: Store) -> None:
    incident_id = _alarm(store)
    mails = [_mail(incident_id), _mail(incident_id, to="c@d")]
    queue = store.alarms.queue_mails
    assert queue(mails, reader="mail", position=1, now_ms=NOON_MS) == 2
    both = [*mails, _mail(incident_id, MailEvent.RECOVERY)]
    assert queue(both, reader="mail", position=2, now_ms=NOON_MS) == 1
    assert store.cursors.get("mail").position == 2
    assert [m.event for m in store.alarms.mails(incident_id=incident_id)] == [
        MailEvent.RECOVERY,
        MailEvent.ALARM,
        MailEvent.ALARM,
    ]
    assert store.alarms.mails(incident_id=incident_id + 1) == []


def test_a_mail_is_tried_until_it_was_sent(store: Store) -> None:
    incident_id = _alarm(store)
    store.alarms.queue_mails(
        [_mail(incident_id)], reader="mail", position=1, now_ms=NOON_MS
    )
    assert store.alarms.mails_due(NOON_MS - 1) == []
    (due,) = store.alarms.mails_due(NOON_MS)
    assert (due.subject, due.text, due.html) == ("Betreff", "Text", "<p>Text</p>")
    assert store.alarms.claim_mail(due.id, NOON_MS)
    assert not store.alarms.claim_mail(due.id, NOON_MS)
    assert store.alarms.mails_due(NOON_MS) == []
    store.alarms.mail_failed(due.id, "no answer", NOON_MS + 60_000)
    assert store.alarms.mails_due(NOON_MS) == []
    (due,) = store.alarms.mails_due(NOON_MS + 60_000)
    assert (due.attempts, due.last_error) == (1, "no answer")
    assert store.alarms.mail_counts() == {(MailEvent.ALARM, False): 1}
    assert store.alarms.claim_mail(due.id, NOON_MS + 60_000)
    assert store.alarms.release_mails() == 1
    assert store.alarms.mails_due(NOON_MS + 60_000) != []
    store.alarms.mail_sent(due.id, NOON_MS + 60_001)
    assert store.alarms.release_mails() == 0
    assert not store.alarms.claim_mail(due.id, NOON_MS + 60_002)
    assert store.alarms.mails_due(NOON_MS + HOUR_MS) == []
    (sent,) = store.alarms.mails()
    assert (sent.sent_ms, sent.attempts, sent.last_error) == (NOON_MS + 60_001, 2, "")
    assert store.alarms.mail_counts() == {(MailEvent.ALARM, True): 1}
    with pytest.raises(StorageError):
        store.alarms.mail_sent(due.id + 99, NOON_MS)


def test_due_mails_come_oldest_first_and_not_too_many(store: Store) -> None:
    incident_id = _alarm(store)
    mails = [_mail(incident_id, to=f"{n}@x") for n in range(5)]
    store.alarms.queue_mails(mails, reader="mail", position=1, now_ms=NOON_MS)
    due = store.alarms.mails_due(NOON_MS, limit=3)
    assert [mail.recipient for mail in due] == ["0@x", "1@x", "2@x"]


# --- inventories, frozen years, signs of life --------------------------------


def test_an_inventory_becomes_a_version_only_when_it_changed(store: Store) -> None:
    assert store.inventories.current() is None
    first = store.inventories.save("1", b"one", NOON_MS)
    assert store.inventories.save("1", b"one", NOON_MS + 1) == first
    second = store.inventories.save("2", b"two", NOON_MS + 2)
    assert second.id > first.id
    assert store.inventories.current() == second
    back = store.inventories.save("1", b"one", NOON_MS + 3)
    assert back.id > second.id
    assert store.inventories.current() == back


def test_a_frozen_year_stays_as_it_was(store: Store) -> None:
    assert store.snapshots.load(2025) is None
    year = Snapshot(year=2025, frozen_ms=NOON_MS, sha256="1", body=b"{}")
    store.snapshots.save(year)
    store.snapshots.save(Snapshot(year=2024, frozen_ms=1, sha256="2", body=b"[]"))
    with pytest.raises(StorageError, match="2025"):
        store.snapshots.save(Snapshot(year=2025, frozen_ms=9, sha256="9", body=b"9"))
    assert store.snapshots.load(2025) == year
    assert store.snapshots.years() == [2024, 2025]


def test_a_sign_of_life_replaces_the_last_one(store: Store) -> None:
    store.heartbeats.beat("relay", NOON_MS, {"x": 1.0})
    store.heartbeats.beat("alerts", NOON_MS, {})
    store.heartbeats.beat("relay", NOON_MS + 1, {"y": 2.5}, "note")
    alerts, relay = store.heartbeats.all()
    assert (alerts.process, alerts.figures, alerts.note) == ("alerts", {}, "")
    assert (relay.at_ms, relay.figures, relay.note) == (NOON_MS + 1, {"y": 2.5}, "note")


# --- durable, and shared -----------------------------------------------------


def test_everything_is_there_after_opening_again(
    open_store: Callable[[], Store],
) -> None:
    first = open_store()
    batch = _batch(_source(first), _series([1, 2]))
    first.measurements.write([batch])
    first.cursors.log_delivery("relay", 1, NOON_MS)
    first.close()
    second = open_store()
    assert second.measurements.write([batch]) == [Written(0, 2)]
    assert second.measurements.count() == 2
    assert second.cursors.get("relay").position == 1
    second.close()


def test_many_threads_may_use_one_store(store: Store) -> None:
    sources = [_source(store, f"p{n}") for n in range(4)]
    errors: list[BaseException] = []

    def work(source: Source) -> None:
        try:
            for n in range(25):
                # Each batch overlaps the one before, as after a lost answer.
                store.measurements.write([_batch(source, _series([n + 1, n + 2]))])
                store.measurements.chunks_after(0, 10)
                store.measurements.latest()
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.measurements.count() == 4 * 26
    assert len(set(store.measurements.ids())) == 4 * 26


def _work_in_a_process(kind: str, folder: str, name: str) -> None:
    store = OPEN[kind](Path(folder))
    source = _source(store, name)
    shared = _source(store, "shared")
    for n in range(25):
        store.measurements.write([_batch(source, _series([n + 1, n + 2]))])
        store.measurements.write([_batch(shared, _series([n + 1, n + 2]))])
        store.cursors.log_delivery(
            name, store.measurements.last_position(), NOON_MS + n
        )
    store.close()


@pytest.mark.parametrize("kind", list(OPEN))
def test_several_processes_may_make_and_use_the_same_store(
    kind: str, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_work_in_a_process, args=(kind, str(tmp_path), f"p{n}"))
        for n in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    store = OPEN[kind](tmp_path)
    ids = store.measurements.ids()
    assert len(ids) == len(set(ids)) == store.measurements.count() == 4 * 26
    chunks = store.measurements.chunks_after(0, 10**6)
    assert sum(len(chunk.points.seq) for chunk in chunks) == 4 * 26
    store.close()
