"""A store of an older version is brought up to date when it is opened."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from netmon.errors import StorageError
from netmon.storage.sqlite import SqliteStore


def _older(path: Path, chunks: list[int]) -> None:
    """Make a store as the first version left it, with chunks of so many records."""
    script = files("netmon.storage").joinpath("migrations", "0001_first.sql")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(script.read_text(encoding="utf-8"))
        connection.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO migrations VALUES (1)")
        connection.executemany(
            "INSERT INTO measurements (series_id, spool, received_ms, first_ms, "
            "last_ms, n, points) VALUES (1, 'x', ?, 0, 0, ?, x'')",
            list(enumerate(chunks)),
        )


@pytest.mark.parametrize(("chunks", "count"), [([], 0), ([3, 1, 500], 504)])
def test_the_number_kept_is_counted_once_and_then_kept_up(
    tmp_path: Path, chunks: list[int], count: int
) -> None:
    path = tmp_path / "state.sqlite3"
    _older(path, chunks)
    for _ in range(2):
        with closing(SqliteStore(path)) as store:
            assert store.measurements.count() == count
    with closing(SqliteStore(path)) as store:
        assert store.measurements.last_position() == len(chunks)


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO migrations VALUES (9999)")
    with pytest.raises(StorageError, match="migration 9999"):
        SqliteStore(path)


def test_no_two_migrations_have_one_number() -> None:
    folder = files("netmon.storage").joinpath("migrations")
    numbers = [x.name[:4] for x in folder.iterdir() if x.name.endswith(".sql")]
    assert len(numbers) == len(set(numbers))
