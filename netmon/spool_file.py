"""The spool's SQLite file: its layout, how it is opened, what happens if damaged.

A damaged file is set aside under another name and a new one is started: a
restart loop on a school's memory card would lose more than the one file does.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netmon.errors import StorageBusyError, StorageError

BUSY_TIMEOUT_S = 10.0
# What is set aside must not fill the card of a probe that damages its file daily.
MAX_DAMAGED_FILES = 3
_LAYOUT = 1
_FILES = ("", "-wal", "-shm")

_DDL = """
CREATE TABLE records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    ts_ms INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX records_measured ON records (seq) WHERE failed = 0;
CREATE TABLE rejected (
    seq INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE meta (
    name TEXT NOT NULL,
    added INTEGER NOT NULL DEFAULT 0,
    sent INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    length INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
)
"""


class _DamagedError(Exception):
    """The file is not a usable spool; the text says why."""


def open_or_replace(path: Path) -> tuple[sqlite3.Connection, str]:
    """Open the file, or create it, and return it with its spool name.

    A file that fails its check, or was written by another version, is renamed
    to ``<name>.damaged-<n>`` first. It looks again before renaming, because
    another process may have replaced the file already.

    Raises:
        sqlite3.Error: the file cannot be opened for another reason.
    """
    try:
        return _open(path)
    except (_DamagedError, sqlite3.DatabaseError) as error:
        if not is_damage(error):
            raise
    _set_aside(path)
    return _open(path)


def damaged_count(path: Path) -> int:
    """Return how many files were set aside so far, also those deleted since."""
    start = f"{path.name}.damaged-"
    numbers = (
        entry.name.removeprefix(start)
        for entry in path.parent.iterdir()
        if entry.name.startswith(start)
    )
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def is_damage(error: Exception) -> bool:
    """Say whether the error means that the file itself is broken."""
    if isinstance(error, _DamagedError):
        return True
    # The low byte is the primary code; extended codes carry more above it.
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextmanager
def told() -> Iterator[None]:
    """Turn SQLite's and the file system's errors into netmon's.

    Raises:
        StorageBusyError: another process held the file for ten seconds.
        StorageError: anything else; the text says what.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StorageBusyError(f"spool is in use: {error}") from error
        raise StorageError(f"spool: {error}") from error


def _code(error: Exception) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _open(path: Path) -> tuple[sqlite3.Connection, str]:
    db = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 4194304")
        db.execute("BEGIN IMMEDIATE")
        (layout,) = db.execute("PRAGMA user_version").fetchone()
        if layout == 0:
            for statement in _DDL.split(";"):
                db.execute(statement)
            db.execute("INSERT INTO meta (name) VALUES (?)", (secrets.token_hex(16),))
            db.execute(f"PRAGMA user_version = {_LAYOUT}")
        db.execute("COMMIT")
        return db, _checked_name(db)
    except BaseException:
        db.close()
        raise


def _checked_name(db: sqlite3.Connection) -> str:
    if db.execute("PRAGMA user_version").fetchone() != (_LAYOUT,):
        raise _DamagedError("written by another version")
    if db.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
        raise _DamagedError("integrity check failed")
    rows = db.execute("SELECT name FROM meta").fetchall()
    if len(rows) != 1:
        raise _DamagedError("lost its name")
    return str(rows[0][0])


def _set_aside(path: Path) -> None:
    number = damaged_count(path) + 1
    # The log goes along: left behind, it would be played into the new file.
    for suffix in _FILES:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.damaged-{number}{suffix}"))
    for suffix in _FILES:
        name = f"{path.name}.damaged-{number - MAX_DAMAGED_FILES}{suffix}"
        path.with_name(name).unlink(missing_ok=True)
