"""The durable queue between measuring and sending: one SQLite file per sender.

A record is on disk when `Spool.add` returns (WAL, ``synchronous=FULL``) and
leaves the queue only by the gateway's receipt, by a named rejection, or, when
the queue is full, by being dropped and counted. ``added == sent + dropped +
rejected + length`` holds at every moment.

Identity of a record is ``(source, spool, seq)``. ``spool`` is made at random
with the file, so an image of a probe's card must never contain a spool.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec
from msgspec import Struct

from netmon.spool_file import damaged_count, is_damage, open_or_replace, told
from netmon.spool_record import Spooled, SpoolRecord

MAX_REJECTED = 1_000
# Bounds the number of parameters of one statement.
_CHUNK = 500

_Result = TypeVar("_Result")
_Work = Callable[[sqlite3.Connection], _Result]


class SpoolStats(Struct, frozen=True, kw_only=True):
    """Counters since the spool's file was made; ``length`` and ``bytes`` are now.

    ``bytes`` counts the queued records, not the file. ``damaged`` is how many
    files were set aside before this one. ``oldest_ts_ms`` is None when empty.
    """

    added: int
    sent: int
    dropped: int
    rejected: int
    length: int
    bytes: int
    damaged: int
    oldest_ts_ms: int | None


class RejectedRecord(Struct, frozen=True):
    """A record that can never be sent, kept as JSON with the reason."""

    seq: int
    reason: str
    body: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SpoolRecord).decode


class Spool:
    """The queue. Safe for several threads, and for several processes.

    Every method may raise `StorageBusyError` (another process held the file for
    ten seconds) and `StorageError` (disk full, no right to write).
    """

    def __init__(self, path: Path, *, max_records: int = 200_000) -> None:
        if max_records < 1:
            raise ValueError("a spool holds at least one record")
        self.path = path
        self.max_records = max_records
        self._lock = threading.RLock()
        with told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open()

    @property
    def spool_name(self) -> str:
        """The random name of this file (128 bit, hex): part of each identity."""
        return self._name

    def add(self, record: SpoolRecord) -> int:
        """Store a record durably and return its number."""
        return self.add_many([record])[0]

    def add_many(self, records: Iterable[SpoolRecord]) -> list[int]:
        """Store records in one transaction and return their numbers in order.

        When the queue is full the oldest measurements make room, failures only
        when nothing else is left; both are counted as dropped.
        """
        rows = [(r.ts_ms, int(r.failure is not None), _encode(r)) for r in records]
        if not rows:
            return []
        size = sum(len(body) for _, _, body in rows)

        def write(db: sqlite3.Connection) -> list[int]:
            numbers = [
                db.execute(
                    "INSERT INTO records (ts_ms, failed, body) VALUES (?, ?, ?)", row
                ).lastrowid
                or 0
                for row in rows
            ]
            (length,) = db.execute(
                "UPDATE meta SET added = added + ?1, length = length + ?1,"
                " bytes = bytes + ?2 RETURNING length",
                (len(rows), size),
            ).fetchone()
            if length > self.max_records:
                _make_room(db, length - self.max_records)
            return numbers

        return self._write(write)

    def batch(self, limit: int) -> list[Spooled]:
        """Return the oldest records, at most ``limit``; they stay in the queue.

        Empty when the queue is. A record whose bytes the disk has spoilt is
        rejected on the way, so that nothing waits behind it.
        """
        while True:
            found, unreadable = self._run(partial(self._read_oldest, limit))
            if not unreadable:
                return found
            self.reject(unreadable, spool=self._name)

    def ack(self, seqs: Iterable[int], *, spool: str | None = None) -> int:
        """Forget records the gateway has; return how many were still queued.

        Nothing happens where ``spool`` names another file than this one: the
        records were taken from a file that has been set aside since.
        """
        numbers = list(seqs)

        def write(db: sqlite3.Connection) -> int:
            if spool not in (None, self._name):
                return 0
            return _take_out(db, numbers, "sent")

        return self._write(write) if numbers else 0

    def reject(self, reasons: Mapping[int, str], *, spool: str | None = None) -> int:
        """Move records aside for good, each with its reason; return how many.

        The newest thousand are kept for a person to look at.
        """

        def write(db: sqlite3.Connection) -> int:
            if spool not in (None, self._name):
                return 0
            for seq, reason in reasons.items():
                db.execute(
                    "INSERT OR REPLACE INTO rejected (seq, reason, body)"
                    " SELECT seq, ?, body FROM records WHERE seq = ?",
                    (reason, seq),
                )
            moved = _take_out(db, list(reasons), "rejected")
            db.execute(
                "DELETE FROM rejected WHERE seq NOT IN"
                " (SELECT seq FROM rejected ORDER BY seq DESC LIMIT ?)",
                (MAX_REJECTED,),
            )
            return moved

        return self._write(write) if reasons else 0

    def rejected(self) -> list[RejectedRecord]:
        """Return the records that were rejected, oldest first."""

        def read(db: sqlite3.Connection) -> list[RejectedRecord]:
            rows = db.execute("SELECT seq, reason, body FROM rejected ORDER BY seq")
            return [
                RejectedRecord(seq, reason, bytes(body).decode(errors="replace"))
                for seq, reason, body in rows
            ]

        return self._run(read)

    def stats(self) -> SpoolStats:
        """Return the counters."""

        def read(db: sqlite3.Connection) -> SpoolStats:
            row = db.execute(
                "SELECT added, sent, dropped, rejected, length, bytes,"
                " (SELECT ts_ms FROM records ORDER BY seq LIMIT 1) FROM meta"
            ).fetchone()
            return SpoolStats(
                added=row[0],
                sent=row[1],
                dropped=row[2],
                rejected=row[3],
                length=row[4],
                bytes=row[5],
                damaged=damaged_count(self.path),
                oldest_ts_ms=row[6],
            )

        return self._run(read)

    def close(self) -> None:
        """Close the file; nothing may be called afterwards."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        """Return the spool itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def _read_oldest(
        self, limit: int, db: sqlite3.Connection
    ) -> tuple[list[Spooled], dict[int, str]]:
        found: list[Spooled] = []
        unreadable: dict[int, str] = {}
        rows = db.execute(
            "SELECT seq, body FROM records ORDER BY seq LIMIT ?", (limit,)
        )
        for seq, body in rows:
            try:
                found.append(Spooled(self._name, seq, _decode(body)))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                unreadable[seq] = f"unreadable on disk: {error}"
        return found, unreadable

    def _open(self) -> None:
        self._inode = -1  # should opening fail, the next call tries again
        self._db, self._name = open_or_replace(self.path)
        self._inode = self.path.stat().st_ino

    def _write(self, work: _Work[_Result]) -> _Result:
        def inside(db: sqlite3.Connection) -> _Result:
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            return result

        return self._run(inside)

    def _run(self, work: _Work[_Result]) -> _Result:
        """Do the work; where the file proves damaged, once more on a new one."""
        with self._lock, told():
            if self._was_replaced():
                self._db.close()
                self._open()
            try:
                return work(self._db)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
            self._db.close()
            self._open()
            return work(self._db)

    def _was_replaced(self) -> bool:
        """Say whether another process has set this file aside meanwhile."""
        try:
            return self.path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True


def _make_room(db: sqlite3.Connection, surplus: int) -> None:
    for condition in ("WHERE failed = 0", ""):
        rows = db.execute(
            f"SELECT seq FROM records {condition} ORDER BY seq LIMIT ?",  # noqa: S608
            (surplus,),
        ).fetchall()
        surplus -= _take_out(db, [seq for (seq,) in rows], "dropped")
        if surplus <= 0:
            return


def _take_out(db: sqlite3.Connection, seqs: Sequence[int], counter: str) -> int:
    """Delete records, count them under ``counter``; return how many there were."""
    gone, size = 0, 0
    for part in _chunks(seqs):
        marks = ",".join("?" * len(part))
        rows = db.execute(
            f"DELETE FROM records WHERE seq IN ({marks}) RETURNING length(body)",  # noqa: S608
            part,
        ).fetchall()
        gone += len(rows)
        size += sum(length for (length,) in rows)
    db.execute(
        f"UPDATE meta SET {counter} = {counter} + ?1, length = length - ?1,"  # noqa: S608
        " bytes = bytes - ?2",
        (gone, size),
    )
    return gone


def _chunks(seqs: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(seqs), _CHUNK):
        yield seqs[start : start + _CHUNK]
