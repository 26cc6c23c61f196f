"""The one write path of measurements: ids, points, latest values, rollups.

Everything of a group of batches goes into one transaction. The arithmetic is
done on whole columns; nothing here runs once per number where it can be helped,
because this is what bounds how many lines a second the gateway takes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import msgspec

from netmon.clock import BERLIN
from netmon.metrics import FAILURES
from netmon.storage.intervals import covers, merge, runs
from netmon.storage.records import (
    MAX_SKEW_MS,
    CheckedBatch,
    CheckedSeries,
    Points,
    Written,
)
from netmon.units import HOUR_S

_HOUR_MS = int(HOUR_S * 1000)
_pack = msgspec.msgpack.Encoder().encode
_json = msgspec.json.Encoder(order="sorted").encode

# (series, metric, bucket) -> n, total, low, high
Sums = dict[tuple[int, str, int], tuple[int, float, float, float]]


@lru_cache(maxsize=50_000)
def day_of_hour(hour_ms: int) -> int:
    """Return the Berlin day, as 20261120, of an hour that begins at that time.

    Berlin's offset is whole hours, so an hour never lies in two days.
    """
    day = datetime.fromtimestamp(hour_ms / 1000, BERLIN)
    return day.year * 10_000 + day.month * 100 + day.day


def tags_key(tags: dict[str, str]) -> str:
    """Return the canonical text of tags, by which a series is found again."""
    return _json(tags).decode()


def _keep(series: CheckedSeries, fresh: set[int]) -> CheckedSeries | None:
    """Return only the records whose number is in ``fresh``; None if none is."""
    index = []
    for i, number in enumerate(series.seq):
        if number in fresh:
            # A number can stand in one batch only once: the first one counts.
            fresh.discard(number)
            index.append(i)
    if len(index) == len(series.seq):
        return series
    if not index:
        return None
    failure = series.failure
    return CheckedSeries(
        kind=series.kind,
        building_id=series.building_id,
        tags=series.tags,
        seq=[series.seq[i] for i in index],
        ts=[series.ts[i] for i in index],
        values={k: [column[i] for i in index] for k, column in series.values.items()},
        failure=None if failure is None else [failure[i] for i in index],
        info=series.info,
        keep_rollups=series.keep_rollups,
    )


def _add(sums: Sums, key: tuple[int, str, int], column: list[float]) -> None:
    n, total, low, high = len(column), sum(column), min(column), max(column)
    known = sums.get(key)
    if known is not None:
        n, total = n + known[0], total + known[1]
        low, high = min(low, known[2]), max(high, known[3])
    sums[key] = (n, total, low, high)


def _roll_up(hours: Sums, days: Sums, series_id: int, series: CheckedSeries) -> None:
    buckets = [moment - moment % _HOUR_MS for moment in series.ts]
    columns: dict[str, list[float | None]] = dict(series.values)
    if series.failure is not None:
        columns[FAILURES] = [None if f is None else 1.0 for f in series.failure]
    one = buckets[0] if min(buckets) == max(buckets) else None
    for metric, column in columns.items():
        if one is not None:
            numbers = [x for x in column if x is not None]
            if numbers:
                _add(hours, (series_id, metric, one), numbers)
                _add(days, (series_id, metric, day_of_hour(one)), numbers)
            continue
        by_hour: dict[int, list[float]] = {}
        for bucket, value in zip(buckets, column, strict=True):
            if value is not None:
                by_hour.setdefault(bucket, []).append(value)
        for bucket, numbers in by_hour.items():
            _add(hours, (series_id, metric, bucket), numbers)
            _add(days, (series_id, metric, day_of_hour(bucket)), numbers)


def _upsert_rollup(table: str) -> str:
    return (
        f"INSERT INTO {table} (series_id, metric, bucket, n, total, low, high) "  # noqa: S608
        "VALUES (?,?,?,?,?,?,?) ON CONFLICT (series_id, metric, bucket) DO UPDATE SET "
        "n = n + excluded.n, total = total + excluded.total, "
        "low = min(low, excluded.low), high = max(high, excluded.high)"
    )


_UPSERT_LATEST = """
INSERT INTO latest (series_id, ts_ms, received_ms, failure, ok_ts_ms, ok_values)
VALUES (?,?,?,?,?,?)
ON CONFLICT (series_id) DO UPDATE SET
  failure = CASE WHEN excluded.ts_ms >= ts_ms THEN excluded.failure ELSE failure END,
  received_ms = CASE WHEN excluded.ts_ms >= ts_ms
                THEN excluded.received_ms ELSE received_ms END,
  ok_values = CASE WHEN excluded.ok_ts_ms >= coalesce(ok_ts_ms, 0)
              THEN excluded.ok_values ELSE ok_values END,
  ok_ts_ms = CASE WHEN excluded.ok_ts_ms >= coalesce(ok_ts_ms, 0)
             THEN excluded.ok_ts_ms ELSE ok_ts_ms END,
  ts_ms = CASE WHEN excluded.ts_ms >= ts_ms THEN excluded.ts_ms ELSE ts_ms END
"""

_UPSERT_AP = """
INSERT INTO access_points (building_id, ap, device, name, model, serial, firmware,
  up, clients_count, first_seen_ms, last_seen_ms, generated)
VALUES (?,?,?,?,?,?,?,?,?,?,?,?)
ON CONFLICT (building_id, ap) DO UPDATE SET
  device = excluded.device, name = coalesce(nullif(excluded.name, ''), name),
  model = coalesce(nullif(excluded.model, ''), model),
  serial = coalesce(nullif(excluded.serial, ''), serial),
  firmware = coalesce(nullif(excluded.firmware, ''), firmware), up = excluded.up,
  clients_count = excluded.clients_count, last_seen_ms = excluded.last_seen_ms,
  generated = excluded.generated
WHERE excluded.last_seen_ms >= last_seen_ms
"""


_UPSERT_NEIGHBOUR = """
INSERT INTO neighbours (building_id, device, port, name, chassis, first_seen_ms,
  last_seen_ms)
VALUES (?,?,?,?,?,?,?)
ON CONFLICT (building_id, device, port, name, chassis) DO UPDATE SET
  last_seen_ms = excluded.last_seen_ms
WHERE excluded.last_seen_ms > last_seen_ms
"""


def _latest_row(
    series_id: int, received_ms: int, series: CheckedSeries
) -> tuple[object, ...]:
    newest = max(range(len(series.ts)), key=series.ts.__getitem__)
    failure = None if series.failure is None else series.failure[newest]
    ok: int | None = newest
    if failure is not None and series.failure is not None:
        good = [i for i, reason in enumerate(series.failure) if reason is None]
        ok = max(good, key=series.ts.__getitem__) if good else None
    values = {} if ok is None else {k: c[ok] for k, c in series.values.items()}
    return (
        series_id,
        series.ts[newest],
        received_ms,
        failure,
        None if ok is None else series.ts[ok],
        _json(values).decode(),
    )


def _ap_row(batch: CheckedBatch, series: CheckedSeries) -> tuple[object, ...]:
    newest = max(range(len(series.ts)), key=series.ts.__getitem__)
    up = series.values.get("up", [])
    clients = series.values.get("clients_count", [])
    at_ms, info = series.ts[newest], series.info
    return (
        series.building_id,
        series.tags["ap"],
        series.tags["device"],
        info.get("name", ""),
        info.get("model", ""),
        info.get("serial", ""),
        info.get("firmware", ""),
        up[newest] if up else None,
        clients[newest] if clients else None,
        at_ms,
        at_ms,
        batch.source.generated,
    )


def _neighbour_row(series: CheckedSeries) -> tuple[object, ...] | None:
    """Return what is at a port; None where nothing is told, or the port is down."""
    name = series.info.get("neighbour", "")
    chassis = series.info.get("neighbour_chassis", "")
    newest = max(range(len(series.ts)), key=series.ts.__getitem__)
    up = series.values.get("oper_up", [])
    if not (name or chassis) or not up or not up[newest]:
        return None
    tags, at_ms = series.tags, series.ts[newest]
    place = (series.building_id, tags["device"], tags["port"])
    return (*place, name, chassis, at_ms, at_ms)


def add_stored(connection: sqlite3.Connection, n: int) -> None:
    """Note, in the caller's transaction, that so many more measurements are kept."""
    if n:
        connection.execute("UPDATE stored SET n = n + ?", (n,))


class MeasurementWriter:
    """Writes groups of batches; remembers series ids so as not to ask again."""

    def __init__(self) -> None:
        self._series: dict[tuple[int, str, str], tuple[int, dict[str, str]]] = {}

    def write(
        self, connection: sqlite3.Connection, batches: Sequence[CheckedBatch]
    ) -> list[Written]:
        """Write batches inside the caller's transaction.

        The caller must call `forget` when that transaction was rolled back.
        """
        rows: list[tuple[object, ...]] = []
        latest: list[tuple[object, ...]] = []
        aps: list[tuple[object, ...]] = []
        neighbours: list[tuple[object, ...]] = []
        hours: Sums = {}
        days: Sums = {}
        written = []
        for batch in batches:
            fresh, total = self._claim(connection, batch)
            accepted = 0
            skew_ms = batch.received_ms - batch.sent_ms
            skew_ms = skew_ms if abs(skew_ms) > MAX_SKEW_MS else 0
            for each in batch.series:
                series = each if fresh is None else _keep(each, fresh)
                if series is None:
                    continue
                accepted += len(series.seq)
                series_id = self._series_id(connection, batch, series)
                points = Points(series.seq, series.ts, series.values, series.failure)
                rows.append(
                    (
                        series_id,
                        batch.spool,
                        batch.received_ms,
                        min(series.ts),
                        max(series.ts),
                        len(series.seq),
                        _pack(points),
                        skew_ms,
                    )
                )
                latest.append(_latest_row(series_id, batch.received_ms, series))
                if series.keep_rollups:
                    _roll_up(hours, days, series_id, series)
                if series.kind == "wlan_ap":
                    aps.append(_ap_row(batch, series))
                elif series.kind == "lan_port" and (row := _neighbour_row(series)):
                    neighbours.append(row)
            self._note_source(connection, batch)
            written.append(Written(accepted, total - accepted))
        connection.executemany(
            "INSERT INTO measurements "
            "(series_id, spool, received_ms, first_ms, last_ms, n, points, skew_ms) "
            "VALUES (?,?,?,?,?,?,?,?)",
            rows,
        )
        add_stored(connection, sum(each.accepted for each in written))
        connection.executemany(_UPSERT_LATEST, latest)
        connection.executemany(_UPSERT_AP, aps)
        connection.executemany(_UPSERT_NEIGHBOUR, neighbours)
        for table, sums in (("rollups_hour", hours), ("rollups_day", days)):
            connection.executemany(
                _upsert_rollup(table), [(*k, *v) for k, v in sums.items()]
            )
        return written

    def forget(self) -> None:
        """Forget cached series ids, which a rolled-back transaction may have made."""
        self._series.clear()

    def _claim(
        self, connection: sqlite3.Connection, batch: CheckedBatch
    ) -> tuple[set[int] | None, int]:
        """Mark the batch's numbers as received.

        Returns the numbers that are new (None: all of them, the usual case) and
        how many records the batch offers, quarantined ones not counted.
        """
        offered = [number for series in batch.series for number in series.seq]
        bad = [record.seq for record in batch.quarantined]
        numbers = sorted({*offered, *bad})
        if not numbers:
            return None, 0
        key = (batch.source.id, batch.spool)
        near = connection.execute(
            "SELECT first_seq, last_seq FROM received WHERE source_id = ? AND "
            "spool = ? AND first_seq <= ? AND last_seq >= ?",
            (*key, numbers[-1] + 1, numbers[0] - 1),
        ).fetchall()
        connection.executemany(
            "DELETE FROM received WHERE source_id = ? AND spool = ? AND first_seq = ?",
            [(*key, first) for first, _ in near],
        )
        connection.executemany(
            "INSERT INTO received VALUES (?,?,?,?)",
            [(*key, *interval) for interval in merge([*near, *runs(numbers)])],
        )
        known = any(a <= numbers[-1] and b >= numbers[0] for a, b in near)
        connection.executemany(
            "INSERT INTO quarantine "
            "(source_id, spool, seq, received_ms, reason, record) VALUES (?,?,?,?,?,?)",
            [
                (*key, bad.seq, batch.received_ms, bad.reason, bad.record)
                for bad in batch.quarantined
                if not covers(near, bad.seq)
            ],
        )
        if not known and len(set(offered)) == len(offered):
            return None, len(offered)
        return {n for n in offered if not covers(near, n)}, len(offered)

    def _series_id(
        self,
        connection: sqlite3.Connection,
        batch: CheckedBatch,
        series: CheckedSeries,
    ) -> int:
        key = (batch.source.id, series.kind, tags_key(series.tags))
        known = self._series.get(key)
        if known is not None and (known[1] == series.info or not series.info):
            return known[0]
        row = connection.execute(
            "INSERT INTO series (source_id, kind, building_id, tags, info) "
            "VALUES (?,?,?,?,?) ON CONFLICT (source_id, kind, tags) DO UPDATE SET "
            "info = CASE WHEN excluded.info = '{}' THEN info ELSE excluded.info END "
            "RETURNING id",
            (
                batch.source.id,
                series.kind,
                series.building_id,
                key[2],
                _json(series.info).decode(),
            ),
        ).fetchone()
        self._series[key] = (row[0], series.info)
        return int(row[0])

    @staticmethod
    def _note_source(connection: sqlite3.Connection, batch: CheckedBatch) -> None:
        connection.execute(
            "UPDATE sources SET last_seen_ms = ?, clock_offset_ms = ?, agent = ? "
            "WHERE id = ?",
            (
                batch.received_ms,
                batch.received_ms - batch.sent_ms,
                batch.agent,
                batch.source.id,
            ),
        )
