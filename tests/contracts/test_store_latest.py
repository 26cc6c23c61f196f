"""Newest values and rollups in every state store, however the records come."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.clock import BERLIN, to_ms
from netmon.model import FailureReason
from netmon.storage.ports import Store

from .conftest import HOUR_MS, NOON_MS, OPEN, a_batch, a_series, a_source, the_only

# --- latest values -----------------------------------------------------------


def test_the_latest_value_is_the_newest_by_time_measured(store: Store) -> None:
    source = a_source(store)
    series = a_series([1, 2, 3], ts=[NOON_MS, NOON_MS + 2, NOON_MS + 1])
    store.measurements.write([a_batch(source, series)])
    latest = the_only(store)
    assert (latest.ts_ms, latest.ok_ts_ms) == (NOON_MS + 2, NOON_MS + 2)
    assert latest.values == {"rtt_s": 2.0}
    assert latest.failure is None
    assert latest.received_ms == NOON_MS


def test_the_latest_values_can_be_asked_by_kinds_and_building(store: Store) -> None:
    source = a_source(store)
    for seq, kind in enumerate(("latency", "dns", "path"), 1):
        store.measurements.write([a_batch(source, a_series([seq], kind=kind))])
    latest = store.measurements.latest
    assert [x.series.kind for x in latest(kinds=("path", "latency"))] == [
        "latency",
        "path",
    ]
    where = latest()[0].series.building_id
    assert latest(kinds=("dns",), building_id=where) == latest(kind="dns")
    assert latest(kinds=("dns",), building_id="elsewhere") == []


def test_older_data_never_overwrites_the_latest(store: Store) -> None:
    source = a_source(store)
    store.measurements.write([a_batch(source, a_series([1], ts=[NOON_MS]))])
    before = the_only(store)
    late = a_series([2], ts=[NOON_MS - 1], failure=[FailureReason.DNS], values={})
    store.measurements.write([a_batch(source, late, received_ms=NOON_MS + HOUR_MS)])
    assert the_only(store) == before


def test_a_failure_is_the_newest_knowledge_but_keeps_the_last_numbers(
    store: Store,
) -> None:
    source = a_source(store)
    store.measurements.write([a_batch(source, a_series([1], ts=[NOON_MS]))])
    failed = a_series(
        [2, 3],
        ts=[NOON_MS + 1, NOON_MS + 2],
        values={"rtt_s": [7.0, None]},
        failure=[None, FailureReason.NO_REPLY],
    )
    store.measurements.write([a_batch(source, failed)])
    latest = the_only(store)
    assert (latest.ts_ms, latest.failure) == (NOON_MS + 2, FailureReason.NO_REPLY)
    assert (latest.ok_ts_ms, latest.values) == (NOON_MS + 1, {"rtt_s": 7.0})
    store.measurements.write([a_batch(source, a_series([4], ts=[NOON_MS + 3]))])
    assert the_only(store).failure is None


def test_a_series_that_only_failed_has_no_numbers(store: Store) -> None:
    failed = a_series([1], values={"rtt_s": [None]}, failure=[FailureReason.TIMEOUT])
    store.measurements.write([a_batch(a_source(store), failed)])
    latest = the_only(store)
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
        source = a_source(store)
        seq = 0
        newest = newest_ok = -1
        for records in batches:
            count = len(records)
            series = a_series(
                range(seq + 1, seq + count + 1),
                ts=[NOON_MS + at for at, _ in records],
                values={"rtt_s": [None if bad else float(at) for at, bad in records]},
                failure=[FailureReason.TIMEOUT if bad else None for _, bad in records],
            )
            seq += count
            store.measurements.write([a_batch(source, series)])
            newest = max(newest, *(at for at, _ in records))
            newest_ok = max([newest_ok, *(at for at, bad in records if not bad)])
        if batches:
            latest = the_only(store)
            assert latest.ts_ms == NOON_MS + newest
            if newest_ok < 0:
                assert (latest.ok_ts_ms, latest.values) == (None, {})
            else:
                assert latest.ok_ts_ms == NOON_MS + newest_ok
                assert latest.values == {"rtt_s": float(newest_ok)}
        store.close()


def test_latest_values_can_be_asked_by_kind_and_building(store: Store) -> None:
    source = a_source(store)
    other = a_series([2], kind="dns", values={"duration_s": [0.1]})
    elsewhere = a_series([3], tags={"building": "gym-01", "line": "x"})
    elsewhere.building_id = "gym-01"
    store.measurements.write([a_batch(source, a_series([1]), other, elsewhere)])
    assert len(store.measurements.latest()) == 3
    assert len(store.measurements.latest(kind="latency")) == 2
    assert len(store.measurements.latest(building_id="gs-07")) == 2
    assert (
        the_only(store, kind="latency", building_id="gym-01").series.tags["line"] == "x"
    )
    assert store.measurements.latest(kind="device") == []


def test_the_newest_words_about_a_thing_win_and_silence_changes_nothing(
    store: Store,
) -> None:
    source = a_source(store)
    for n, info in enumerate(({"model": "A"}, {}, {"model": "B"}, {}), start=1):
        store.measurements.write([a_batch(source, a_series([n], info=info))])
    assert the_only(store).info == {"model": "B"}


# --- rollups -----------------------------------------------------------------


def _day(year: int, month: int, day: int, hour: int, minute: int = 0) -> int:
    return to_ms(datetime(year, month, day, hour, minute, tzinfo=BERLIN))


def test_rollups_gather_count_sum_and_range_however_the_records_come(
    store: Store,
) -> None:
    source = a_source(store)
    base = NOON_MS
    for seq, ts, value in (
        ([1, 2], [base, base + 60_000], [4.0, None]),
        ([3], [base + HOUR_MS], [10.0]),
        ([4], [base + 1], [1.0]),
    ):
        series = a_series(seq, ts=ts, values={"rtt_s": value})  # type: ignore[dict-item]
        store.measurements.write([a_batch(source, series)])
        store.measurements.write([a_batch(source, series)])
    series_id = the_only(store).series.id
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
    source = a_source(store)
    first = _day(2026, month, day, 0)
    # From half an hour before that day to half an hour after, a record every half hour.
    ts = list(range(first - HOUR_MS // 2, first + hours * HOUR_MS + 1, HOUR_MS // 2))
    values: dict[str, list[float | None]] = {"rtt_s": [1.0] * len(ts)}
    numbers = range(1, len(ts) + 1)
    store.measurements.write([a_batch(source, a_series(numbers, ts=ts, values=values))])
    series_id = the_only(store).series.id
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
    series = a_series(
        [1, 2, 3],
        ts=[NOON_MS, NOON_MS + 1, NOON_MS + HOUR_MS],
        values={"rtt_s": [None, 0.5, None]},
        failure=[FailureReason.TIMEOUT, None, FailureReason.DNS],
    )
    store.measurements.write([a_batch(a_source(store), series)])
    series_id = the_only(store).series.id
    (day,) = store.measurements.rollups(series_id, "failures", "day", 0, 99999999)
    assert (day.n, day.total) == (2, 2.0)
    (numbers,) = store.measurements.rollups(series_id, "rtt_s", "day", 0, 99999999)
    assert (numbers.n, numbers.total) == (1, 0.5)


def test_a_kind_without_rollups_gets_none(store: Store) -> None:
    series = a_series([1], keep_rollups=False)
    store.measurements.write([a_batch(a_source(store), series)])
    series_id = the_only(store).series.id
    assert store.measurements.rollups(series_id, "rtt_s", "day", 0, 99999999) == []
