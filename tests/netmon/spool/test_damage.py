"""A file that the disk, another program or another process has spoilt."""

from __future__ import annotations

import sqlite3

import pytest

from netmon.spool import Spool
from tests.netmon.spool.records import good, timestamps


@pytest.mark.parametrize("where", [0, 4096])
def test_damaged_file_is_set_aside_and_a_new_one_started(path, where):
    with Spool(path) as spool:
        old_name = spool.spool_name
        spool.add_many(good(n) for n in range(500))
    with path.open("r+b") as file:
        file.seek(where)
        file.write(b"\xff" * 4096)
    with Spool(path) as spool:
        assert spool.spool_name != old_name
        assert spool.stats().damaged == 1
        assert spool.add(good()) == 1
    assert path.with_name(path.name + ".damaged-1").exists()


def test_text_file_in_its_place_is_set_aside(path):
    path.write_text("this is no database, but somebody's notes\n" * 30)
    with Spool(path) as spool:
        assert spool.stats().damaged == 1


def test_file_of_another_version_is_set_aside(path):
    with Spool(path) as spool:
        spool.add(good())
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with Spool(path) as spool:
        assert (spool.stats().length, spool.stats().damaged) == (0, 1)


def test_damage_while_running_starts_a_new_file(path):
    with Spool(path) as spool:
        spool.add_many(good(n) for n in range(2000))
        old_name = spool.spool_name
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (path.stat().st_size - 4096))
        assert spool.add(good(7)) == 1
        assert spool.spool_name != old_name
        assert timestamps(spool) == [7]


def test_damaged_files_are_counted_but_only_three_are_kept(path):
    for _ in range(5):
        path.write_bytes(b"garbage " * 1000)
        Spool(path).close()
    kept = sorted(p.name for p in path.parent.glob("*.damaged-?"))
    assert kept == [f"{path.name}.damaged-{n}" for n in (3, 4, 5)]
    with Spool(path) as spool:
        assert spool.stats().damaged == 5


@pytest.mark.parametrize("body", [b"\xff\x00", b'{"kind":"\xff"}', b"{}"])
def test_unreadable_record_is_rejected_and_blocks_nobody(path, body):
    with Spool(path) as spool:
        spool.add_many([good(1), good(2)])
        with sqlite3.connect(path) as db:
            db.execute("UPDATE records SET body = ? WHERE seq = 1", (body,))
        db.close()
        assert timestamps(spool) == [2]
        assert spool.rejected()[0].reason.startswith("unreadable on disk")


def test_file_replaced_by_another_process_is_noticed(path):
    with Spool(path) as spool:
        spool.add(good(1))
        for part in path.parent.glob(path.name + "*"):
            part.unlink()
        with Spool(path) as other:
            spool.add(good(2))
            assert timestamps(other) == [2]
