"""One SQLite file: connections, transactions, numbered migrations.

Durable first: WAL with ``synchronous=FULL``, so what was committed survives a
kill -9 and a power cut. One writer at a time; others wait up to BUSY_TIMEOUT_S.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from netmon.errors import StorageBusyError, StorageError, StorageFullError
from netmon.refused import failed
from netmon.storage.records import StoreRoom

BUSY_TIMEOUT_S = 15.0


def _migrations() -> list[tuple[int, str]]:
    folder = files("netmon.storage").joinpath("migrations")
    found = [
        (int(entry.name[:4]), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found)


def _use_wal(connection: sqlite3.Connection) -> None:
    # Changing the journal of a new file ignores the busy timeout: processes that are
    # started together would refuse each other.
    deadline_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)
        else:
            return


def _translate(error: sqlite3.Error, opened: Path | None = None) -> StorageError:
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return failed(StorageBusyError, "store_busy")
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return failed(StorageFullError, "store_full")
    if opened is not None:
        return failed(StorageError, "store_unopened", file=opened, why=str(error))
    return failed(StorageError, "store_refused", why=str(error))


class Database:
    """Connections to one file, one per thread, all closed by `close`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._migrate()

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection, opened on first use.

        Raises:
            StorageError: the file cannot be opened.
        """
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is not None:
            return found
        try:
            connection = sqlite3.connect(
                self._path,
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            _use_wal(connection)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute("PRAGMA cache_size=-65536")
            # A committer pays for the checkpoint: short ones keep the slowest receipt
            # near 30 ms, 8,000 pages made it 130 ms (bench/ingest.py, ack_p99_ms).
            connection.execute("PRAGMA wal_autocheckpoint=2000")
        except sqlite3.Error as error:
            raise _translate(error, self._path) from error
        self._local.connection = connection
        with self._lock:
            self._all.append(connection)
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write as one unit; everything or nothing is committed.

        Raises:
            StorageBusyError: another process kept the write lock too long.
            StorageError: SQLite refused.
        """
        connection = self.connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                # On a full disk SQLite has rolled back already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise _translate(error) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read; errors come out as `StorageError`."""
        try:
            yield self.connection()
        except sqlite3.Error as error:
            raise _translate(error) from error

    def rows(self, sql: str, *values: object) -> list[Sequence[Any]]:
        """Return all rows that a question has.

        Raises:
            StorageError: SQLite refused.
        """
        with self.reading() as connection:
            return connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> Sequence[Any] | None:
        """Return the first row that a question has; None where it has none.

        Raises:
            StorageError: SQLite refused.
        """
        with self.reading() as connection:
            found: Sequence[Any] | None = connection.execute(sql, values).fetchone()
        return found

    def disk_free_bytes(self) -> int:
        """Return what netmon may still write to the disk of the file.

        Raises:
            StorageError: the folder is gone.
        """
        try:
            told = os.statvfs(self._path.parent)
        except OSError as error:
            raise failed(StorageError, "store_refused", why=str(error)) from error
        return told.f_bavail * told.f_frsize

    def room(self) -> StoreRoom:
        """Return the bytes of file and log, and what of them is free for new rows.

        Raises:
            StorageError: SQLite refused.
        """
        size = 0
        for name in (self._path, self._path.with_name(self._path.name + "-wal")):
            with suppress(FileNotFoundError):
                size += name.stat().st_size
        with self.reading() as connection:
            (pages,) = connection.execute("PRAGMA freelist_count").fetchone()
            (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        return StoreRoom(
            store_bytes=size,
            reusable_bytes=pages * page_bytes,
            disk_free_bytes=self.disk_free_bytes(),
        )

    def close(self) -> None:
        """Close every connection of every thread."""
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self._local = threading.local()

    def _migrate(self) -> None:
        with self.transaction() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY)"
            )
            done = {
                row[0] for row in connection.execute("SELECT number FROM migrations")
            }
            known = _migrations()
            if unknown := done - {number for number, _ in known}:
                raise failed(StorageError, "store_newer", number=max(unknown))
            for number, script in known:
                if number in done:
                    continue
                for statement in _statements(script):
                    connection.execute(statement)
                connection.execute("INSERT INTO migrations VALUES (?)", (number,))


def _statements(script: str) -> Iterator[str]:
    # executescript would commit first; single statements stay in the transaction.
    pending = ""
    for line in script.splitlines():
        if line.lstrip().startswith("--"):
            continue
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
