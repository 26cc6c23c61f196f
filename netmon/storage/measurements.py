"""Measurements on SQLite: writing through `MeasurementWriter`, and all reading."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import takewhile

import msgspec

from netmon.model import FailureReason
from netmon.storage.database import Database
from netmon.storage.keeping import set_cursor
from netmon.storage.ports import Resolution
from netmon.storage.records import (
    CheckedBatch,
    Chunk,
    Latest,
    Points,
    Pruned,
    Rollup,
    SeenAccessPoint,
    SeenNeighbour,
    SeriesRef,
    Written,
)
from netmon.storage.writing import MeasurementWriter, add_stored

_unpack = msgspec.msgpack.Decoder(Points).decode
_tags = msgspec.json.Decoder(dict[str, str]).decode
_values = msgspec.json.Decoder(dict[str, float | None]).decode

# There are thousands of access points, and pages count them all: SQLite writes each as
# JSON in the order of the fields, which is read without a step of Python for any.
_SEEN = (
    "json_array(building_id, ap, device, coalesce(nullif(name, ''), ap), model, serial, "
    "firmware, up <> 0, cast(round(clients_count) AS INTEGER), first_seen_ms, "
    "last_seen_ms, generated)"
)
_seen = msgspec.json.Decoder(list[SeenAccessPoint], strict=False).decode

# How long "{}" is, which is what most series have to say of themselves.
_EMPTY = 2

_CHUNK = "m.id, m.series_id, m.received_ms, m.points, m.n, m.skew_ms"
_SERIES = (
    "s.id, o.name, o.generated, s.kind, s.building_id, s.tags FROM series s "
    "JOIN sources o ON o.id = s.source_id"
)


def _where(**equal: object) -> tuple[str, list[object]]:
    given = {name: value for name, value in equal.items() if value is not None}
    if not given:
        return "", []
    return " WHERE " + " AND ".join(f"{n} = ?" for n in given), list(given.values())


class SqliteMeasurements:
    """`netmon.storage.ports.MeasurementStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = MeasurementWriter()
        self._writing = threading.Lock()
        self._refs: dict[int, SeriesRef] = {}
        # A series is its tags: they never change.
        self._tags_of: dict[int, dict[str, str]] = {}
        # By building: what SQLite wrote, and what it says.
        self._seen_of: dict[str, tuple[str, Sequence[SeenAccessPoint]]] = {}

    def write(self, batches: Sequence[CheckedBatch]) -> list[Written]:
        """Store batches in one transaction; see the port."""
        with self._writing:
            try:
                with self._database.transaction() as connection:
                    return self._writer.write(connection, batches)
            except BaseException:
                self._writer.forget()
                raise

    def chunks_after(
        self,
        position: int,
        max_records: int,
        *,
        kind: str | None = None,
        kinds: Collection[str] = (),
    ) -> list[Chunk]:
        """Return chunks in order of arrival; see the port."""
        wanted = [*kinds, *([] if kind is None else [kind])]
        sql = f"SELECT {_CHUNK} FROM measurements m WHERE m.id > ? ORDER BY m.id"  # noqa: S608
        if wanted:
            # CROSS JOIN: by the log's order, not by the series' one.
            marks = ",".join("?" * len(wanted))
            sql = (
                f"SELECT {_CHUNK} FROM measurements m "  # noqa: S608
                "CROSS JOIN series s ON s.id = m.series_id "
                f"WHERE m.id > ? AND s.kind IN ({marks}) ORDER BY m.id"
            )
        with self._database.reading() as connection:
            cursor = connection.execute(sql, (position, *wanted))
            rows, records = [], 0
            for row in cursor:
                rows.append(row)
                records += row[4]
                if records >= max_records:
                    break
            return self._chunks(connection, rows)

    def chunks(
        self, series_ids: Sequence[int], first_ms: int, last_ms: int
    ) -> list[Chunk]:
        """Return chunks that overlap a span; see the port."""
        rows: list[tuple[int, int, int, bytes, int, int]] = []
        with self._database.reading() as connection:
            for series_id in series_ids:
                rows += connection.execute(
                    f"SELECT {_CHUNK} FROM measurements m "  # noqa: S608
                    "WHERE series_id = ? AND last_ms >= ? AND first_ms <= ?",
                    (series_id, first_ms, last_ms),
                ).fetchall()
            rows.sort()
            return self._chunks(connection, rows)

    def _chunks(
        self,
        connection: sqlite3.Connection,
        rows: Iterable[tuple[int, int, int, bytes, int, int]],
    ) -> list[Chunk]:
        found = []
        for chunk_id, series_id, received_ms, points, _, skew_ms in rows:
            ref = self._refs.get(series_id)
            if ref is None:
                row = connection.execute(
                    f"SELECT {_SERIES} WHERE s.id = ?",
                    (series_id,),
                ).fetchone()
                ref = self._refs[series_id] = self._ref(row)
            found.append(
                Chunk(
                    id=chunk_id,
                    received_ms=received_ms,
                    series=ref,
                    points=_unpack(points),
                    skew_ms=skew_ms,
                )
            )
        return found

    def last_position(self) -> int:
        """Return the id of the newest chunk ever written; see the port."""
        # Not the newest row: what all have read may be gone, and its number stays taken.
        return self._number(
            "SELECT coalesce(max(seq), 0) FROM sqlite_sequence "
            "WHERE name = 'measurements'"
        )

    def count(self) -> int:
        """Return the number of measurements stored."""
        return self._number("SELECT n FROM stored")

    def quarantine_count(self) -> int:
        """Return the number of records in quarantine."""
        return self._number("SELECT count(*) FROM quarantine")

    def _number(self, sql: str, *values: object) -> int:
        with self._database.reading() as connection:
            return int(connection.execute(sql, values).fetchone()[0])

    def latest(
        self,
        *,
        kind: str | None = None,
        kinds: Collection[str] = (),
        building_id: str | None = None,
    ) -> list[Latest]:
        """Return the newest values; see the port."""
        where, values = _where(**{"s.kind": kind, "s.building_id": building_id})
        if kinds:
            marks = ",".join("?" * len(kinds))
            where += f"{' AND' if where else ' WHERE'} s.kind IN ({marks})"
            values += kinds
        sql = (
            "SELECT s.id, o.name, o.generated, s.kind, s.building_id, s.tags, "  # noqa: S608
            "l.ts_ms, l.received_ms, l.failure, l.ok_ts_ms, l.ok_values, s.info "
            "FROM latest l JOIN series s ON s.id = l.series_id "
            f"JOIN sources o ON o.id = s.source_id{where} ORDER BY s.id"
        )
        rows = self._database.rows(sql, *values)
        return [
            Latest(
                series=self._ref(row),
                ts_ms=row[6],
                received_ms=row[7],
                failure=None if row[8] is None else FailureReason(row[8]),
                ok_ts_ms=row[9],
                values=_values(row[10]),
                info=_tags(row[11]) if len(row[11]) > _EMPTY else {},
            )
            for row in rows
        ]

    def _ref(self, row: Sequence[object]) -> SeriesRef:
        """Return the series that a row begins with; reads its tags only once."""
        series_id = int(str(row[0]))
        tags = self._tags_of.get(series_id)
        if tags is None:
            tags = self._tags_of[series_id] = _tags(str(row[5]))
        return SeriesRef(
            id=series_id,
            source=str(row[1]),
            generated=bool(row[2]),
            kind=str(row[3]),
            building_id=str(row[4]),
            tags=tags,
        )

    def rollups(
        self, series_id: int, metric: str, resolution: Resolution, first: int, last: int
    ) -> list[Rollup]:
        """Return buckets in order of time; see the port."""
        table = {"hour": "rollups_hour", "day": "rollups_day"}[resolution]
        rows = self._database.rows(
            f"SELECT bucket, n, total, low, high FROM {table} "  # noqa: S608
            "WHERE series_id = ? AND metric = ? AND bucket BETWEEN ? AND ? "
            "ORDER BY bucket",
            series_id,
            metric,
            first,
            last,
        )
        return [Rollup(*row) for row in rows]

    def access_points(self, building_id: str | None = None) -> list[SeenAccessPoint]:
        """Return every access point ever reported; see the port."""
        where, values = _where(building_id=building_id)
        rows = self._database.rows(
            # The table itself lies in the order of building and name.
            f"SELECT json_group_array({_SEEN}) FROM access_points{where} "  # noqa: S608
            "GROUP BY building_id ORDER BY building_id",
            *values,
        )
        return [ap for (found,) in rows for ap in _seen(found)]

    def access_points_of(self) -> Mapping[str, Sequence[SeenAccessPoint]]:
        """Return every access point by building; see the port."""
        rows = self._database.rows(
            f"SELECT building_id, json_group_array({_SEEN}) FROM access_points "  # noqa: S608
            "GROUP BY building_id"
        )
        told = {
            building_id: self._seen(building_id, text) for building_id, text in rows
        }
        self._seen_of = told
        return {building_id: found for building_id, (_, found) in told.items()}

    def _seen(
        self, building_id: str, text: str
    ) -> tuple[str, Sequence[SeenAccessPoint]]:
        known = self._seen_of.get(building_id)
        if known is not None and known[0] == text:
            return known
        return text, tuple(_seen(text))

    def neighbours(self, building_id: str | None = None) -> list[SeenNeighbour]:
        """Return what switches saw at their ports; see the port."""
        where, values = _where(building_id=building_id)
        rows = self._database.rows(
            "SELECT building_id, device, port, name, chassis, first_seen_ms, "  # noqa: S608
            f"last_seen_ms FROM neighbours{where} "
            "ORDER BY last_seen_ms DESC, device, port, name, chassis",
            *values,
        )
        names = SeenNeighbour.__struct_fields__
        return [SeenNeighbour(**dict(zip(names, row, strict=True))) for row in rows]

    def ids(self) -> list[tuple[str, str, int]]:
        """Return the identity of every stored record; see the port."""
        rows = self._database.rows(
            "SELECT o.name, m.spool, m.points FROM measurements m "
            "JOIN series s ON s.id = m.series_id "
            "JOIN sources o ON o.id = s.source_id"
        )
        return [
            (name, spool, seq)
            for name, spool, points in rows
            for seq in _unpack(points).seq
        ]

    def received_after(self, position: int) -> int | None:
        """Return when the first chunk after a position came; see the port."""
        row = self._database.row(
            "SELECT received_ms FROM measurements WHERE id > ? ORDER BY id LIMIT 1",
            position,
        )
        return None if row is None else int(row[0])

    def prune(
        self,
        sweep: str,
        kinds: Collection[str],
        before_ms: int,
        upto: int,
        *,
        now_ms: int,
        max_chunks: int,
    ) -> Pruned:
        """Delete a piece of what is old of some kinds; see the port."""
        position = self._number(
            "SELECT coalesce(max(position), 0) FROM cursors WHERE reader = ?", sweep
        )
        # Before the write lock: these pages may have to come from the disk first.
        rows = self._database.rows(
            "SELECT id, received_ms FROM measurements WHERE id > ? AND id <= ? "
            "ORDER BY id LIMIT ?",
            position,
            upto,
            max_chunks,
        )
        old = list(takewhile(lambda row: row[1] < before_ms, rows))
        if not old:
            return Pruned(chunks=0, records=0, position=position, more=False)
        last = old[-1][0]
        marks = ",".join("?" * len(kinds))
        # Who accepts in this process waits here no longer than for such a step;
        # SQLite's own lock would let both sleep.
        with self._writing, self._database.transaction() as connection:
            gone = connection.execute(
                "DELETE FROM measurements WHERE id > ? AND id <= ? AND "  # noqa: S608
                f"(SELECT kind FROM series WHERE id = series_id) IN ({marks}) "
                "RETURNING n",
                (position, last, *kinds),
            ).fetchall()
            records = sum(n for (n,) in gone)
            add_stored(connection, -records)
            set_cursor(connection, sweep, last, now_ms, None)
        return Pruned(
            chunks=len(gone),
            records=records,
            position=last,
            more=len(old) == max_chunks,
        )

    def prune_quarantine(self, before_ms: int, max_records: int) -> int:
        """Delete the oldest records set aside; see the port."""
        rows = self._database.rows(
            "SELECT id, received_ms FROM quarantine ORDER BY id LIMIT ?", max_records
        )
        old = list(takewhile(lambda row: row[1] < before_ms, rows))
        if not old:
            return 0
        with self._writing, self._database.transaction() as connection:
            return connection.execute(
                "DELETE FROM quarantine WHERE id <= ?", (old[-1][0],)
            ).rowcount
